"""Gets the records of deployments out of a store; boto3.

    python monoyard_database records --prefix ENVIRONMENT/ledger/ [--to DIR]

with what `store.py` asks for set: a line `record` for each with all of it, and `done` at the end;
or each into a file. Exit status: those of a store.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .ending import ended
from .lines import Lines
from .mirror import SUFFIX
from .store import Store


def tell(options: argparse.Namespace, lines: Lines) -> int:
    """Get them; return the exit status."""
    store = Store.of_environment()
    keys = [
        key
        for key in sorted(store.keys(options.prefix))
        # Backups of a service with the prefix's name are directories.
        if key.endswith(SUFFIX) and "/" not in key.removeprefix(options.prefix)
    ]
    for key in keys:
        record = store.get_json(key)
        if options.to is None:
            lines.write("record", key=key, record=record)
        else:
            name = key.removeprefix(options.prefix)
            (Path(options.to) / name).write_text(json.dumps(record), "utf-8")
    lines.write("done", records=len(keys))
    return 0


def main(words: list[str]) -> int:
    """Get records; return the exit status."""
    parser = argparse.ArgumentParser(description="Gets records of deployments out of a store.")
    parser.add_argument("--prefix", required=True, help="how their keys begin")
    parser.add_argument("--to", help="directory that each is written to as a file")
    options = parser.parse_args(words)
    lines = Lines()
    return ended(lines, lambda: tell(options, lines))
