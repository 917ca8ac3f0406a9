"""Lists the backups of an environment; boto3.

    python monoyard_database backups --prefix ENVIRONMENT/[SERVICE/]

with what `store.py` asks for set: a line `backup` for each, and `done` at the end. Exit status:
those of a store.
"""

from __future__ import annotations

import argparse

from .ending import ended
from .lines import Lines
from .save import summary
from .store import Store


def tell(options: argparse.Namespace, lines: Lines) -> int:
    """List them; return the exit status."""
    found = sorted(
        Store.of_environment().backups(options.prefix), key=lambda one: one.taken_at, reverse=True
    )
    for one in found:
        lines.write("backup", **summary(one))
    lines.write("done", backups=len(found))
    return 0


def main(words: list[str]) -> int:
    """List backups; return the exit status."""
    parser = argparse.ArgumentParser(description="Lists backups.")
    parser.add_argument("--prefix", required=True, help="how their keys begin")
    options = parser.parse_args(words)
    lines = Lines()
    return ended(lines, lambda: tell(options, lines))
