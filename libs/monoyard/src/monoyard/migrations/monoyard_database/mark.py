"""Writes beside a backup that it was proven; boto3.

    python monoyard_database mark --key KEY [--fact NAME=VALUE ...]

with what `store.py` asks for set. Exit status: those of a store.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from .ending import ended
from .lines import Lines
from .store import PROOF, Store


def mark(options: argparse.Namespace, lines: Lines) -> int:
    """Write it; return the exit status."""
    store = Store.of_environment()
    proven_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    facts = dict(word.partition("=")[::2] for word in options.fact)
    store.backup(options.key)
    store.put_json(f"{options.key}/{PROOF}", {"proven_at": proven_at, "facts": facts})
    lines.write("marked", key=options.key, proven_at=proven_at)
    return 0


def main(words: list[str]) -> int:
    """Mark a backup; return the exit status."""
    parser = argparse.ArgumentParser(description="Writes that a backup was proven.")
    parser.add_argument("--key", required=True, help="its directory in the bucket")
    parser.add_argument("--fact", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(words)
    lines = Lines()
    return ended(lines, lambda: mark(options, lines))
