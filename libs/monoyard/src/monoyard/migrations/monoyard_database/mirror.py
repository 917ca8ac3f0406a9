"""Puts records of deployments into a store; boto3.

    python monoyard_database mirror --from DIR --prefix ENVIRONMENT/ledger/

with what `store.py` asks for set. Below DIR is a directory for each record, called as its object is
to be, with the files `header` (JSON) and `entries` (JSON lines) that a ledger keeps. Each becomes
one object `NAME.json`. One that the store has with as many entries is left, and so is one that it
has with more: a record only ever grows. What pods printed is left out: it may hold anything.

A line `mirrored` for each that was put, and `done` at the end, with how many entries were seen of
each: what a pod mounts may be older than what the ledger has. Exit status: those of a store, and
    6    a record cannot be read
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .ending import ended
from .lines import Lines
from .statuses import FAILED
from .store import Store, StoreError

SUFFIX = ".json"
VERSION = 1
_UNTOLD = frozenset({"context", "lines"})


def read(place: Path) -> dict[str, Any]:
    """Return a record as it is put into the store.

    Raises:
        StoreError: There is none.
    """
    try:
        header = json.loads((place / "header").read_text("utf-8"))
        lines = (place / "entries").read_text("utf-8").splitlines()
        entries = [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise StoreError(FAILED, f"{place.name} is no record: {error}") from error
    for entry in entries:
        facts = entry.get("facts") or {}
        entry["facts"] = {name: fact for name, fact in facts.items() if name not in _UNTOLD}
    number = place.name.partition("-")[0]
    return {"version": VERSION, "number": int(number), "header": header, "entries": entries}


def mirror(options: argparse.Namespace, lines: Lines) -> int:
    """Put what the store lacks; return the exit status."""
    store = Store.of_environment()
    there, counts = set(store.keys(options.prefix)), {}
    for place in sorted(Path(options.source).iterdir()):
        if not (place / "header").exists():
            continue  # removed from the ledger meanwhile; and what Kubernetes itself puts there
        record, key = read(place), f"{options.prefix}{place.name}{SUFFIX}"
        count = counts[place.name] = len(record["entries"])
        if key in there and _count(store, key) >= count:
            continue
        store.put_json(key, record)
        lines.write("mirrored", key=key, entries=count)
    lines.write("done", entries=counts)
    return 0


def _count(store: Store, key: str) -> int:
    """Return how many entries a record has in the store."""
    return len(store.get_json(key).get("entries") or ())


def main(words: list[str]) -> int:
    """Mirror records; return the exit status."""
    parser = argparse.ArgumentParser(description="Puts records of deployments into a store.")
    parser.add_argument("--from", dest="source", required=True, help="directory of the records")
    parser.add_argument("--prefix", required=True, help="how their keys begin")
    options = parser.parse_args(words)
    lines = Lines()
    return ended(lines, lambda: mirror(options, lines))
