"""Backs a database up into a store; what `backup` needs, and boto3.

    python monoyard_database save --key KEY --directory DIR --keep N --recipient age1... (twice)

with DATABASE_URL and what `store.py` asks for set. The dump is encrypted into the directory, then
put into the store, and the manifest after it: only then the backup is whole. What is whole already
is not taken again. After that older backups of the same service are removed: the newest `--keep`
of them stay, those that `--spare` names, and the newest that was proven.

Exit status: those of `backup` and of a store. JSON lines on standard output; the last one is `done`
with the key, sizes, rows and revisions.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import manifest
from .backup import stop_on_sigterm, take
from .database import address
from .ending import ended
from .lines import Lines
from .statuses import NOTHING
from .store import DUMP, MANIFEST, PROOF, Kept, Store, StoreError
from .streams import recipients

_LARGEST = 40


def summary(kept: Kept) -> dict[str, Any]:
    """Return what is told of a backup: its manifest may have a line for each of a thousand tables.

    Returns:
        `key`, `taken_at`, `facts`, `bytes` in the store, `database_bytes`, `tables`, `rows`,
        `revisions`, `sha256`, and `proven_at`, which is empty where it was not proven.
    """
    backup = kept.manifest
    tables = backup["data"]["tables"].values()
    return {
        "key": kept.key,
        "taken_at": kept.taken_at,
        "facts": backup.get("facts") or {},
        "bytes": backup["object"]["bytes"],
        "database_bytes": backup["database"]["bytes"],
        "tables": len(tables),
        "rows": sum(table.get("rows", 0) for table in tables),
        "revisions": backup["database"]["revisions"],
        "sha256": backup["object"]["sha256"],
        "proven_at": str(kept.proof.get("proven_at") or ""),
    }


def largest(kept: Kept) -> dict[str, dict[str, int]]:
    """Return rows and bytes of the largest tables of a backup; rows where they were counted."""
    tables = kept.manifest["data"]["tables"]
    names = sorted(tables, key=lambda name: int(tables[name]["bytes"]), reverse=True)
    return {
        name: {word: tables[name][word] for word in ("rows", "bytes") if word in tables[name]}
        for name in names[:_LARGEST]
    }


def expired(kept: Collection[Kept], keep: int, spared: Collection[str]) -> Iterator[Kept]:
    """Yield the backups that are not to stay, the oldest first.

    Args:
        kept: All whole backups of a service.
        keep: How many stay.
        spared: Keys that stay in any case.
    """
    newest = sorted(kept, key=lambda one: one.taken_at, reverse=True)
    proven = next((one.key for one in newest if one.proof), "")
    for one in reversed(newest[keep:]):
        if one.key not in spared and one.key != proven:
            yield one


def remove_old(store: Store, key: str, keep: int, spared: Sequence[str], lines: Lines) -> None:
    """Remove what is not to stay; what cannot be removed is told, and the new backup is good."""
    prefix = key.rpartition("/")[0] + "/"
    try:
        for one in expired(list(store.backups(prefix)), keep, {key, *spared}):
            # In this order: what is half removed is not whole.
            for file in (MANIFEST, PROOF, DUMP):
                store.remove(f"{one.key}/{file}")
            lines.write("removed", key=one.key)
    except StoreError as error:
        lines.write("not-removed", message=str(error))


def save(options: argparse.Namespace, lines: Lines) -> int:
    """Back up, unless that was done; return the exit status."""
    store = Store.of_environment()
    store.check()
    found = [one for one in store.backups(f"{options.key}/") if one.key == options.key]
    if found:
        lines.write("already", key=options.key)
    else:
        found = [take_into(store, options, lines)]
    remove_old(store, options.key, options.keep, options.spare, lines)
    lines.write("done", **summary(found[0]), largest=largest(found[0]))
    return 0


def take_into(store: Store, options: argparse.Namespace, lines: Lines) -> Kept:
    """Back up into the store, as the words of `save` say; return the backup.

    Raises:
        DumpError: The dump failed.
        OSError: It cannot be written.
        StoreError: The store does not take it.
        psycopg.Error: The database cannot be read.
    """
    program = shutil.which("pg_dump")
    if program is None:
        raise StoreError(NOTHING, "pg_dump is not on PATH")
    taken_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    url, dump = address("DATABASE_URL"), Path(options.directory) / DUMP
    made = take(url, dump, options.keys, program, options.limit_bytes)
    lines.write("dumped", bytes=made["object"]["bytes"])
    whole = {**made, "taken_at": taken_at, "facts": options.fact, "recipients": options.recipient}
    try:
        store.put_file(f"{options.key}/{DUMP}", dump, made["object"])
        store.put_json(f"{options.key}/{MANIFEST}", whole)
    finally:
        dump.unlink(missing_ok=True)
    return Kept(options.key, whole, {})


def add_words(parser: argparse.ArgumentParser) -> None:
    """Have a parser know the words that say what is backed up, and as what."""
    parser.add_argument("--key", default="", help="its directory in the bucket")
    parser.add_argument("--directory", default="", help="has room for the encrypted dump")
    parser.add_argument("--recipient", action="append", default=[], help="public age key; two")
    parser.add_argument("--fact", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--limit-bytes", type=int, default=manifest.LIMIT_BYTES)


def read_words(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Make of those words what `take_into` wants; end where they are wrong."""
    pairs: Mapping[str, str] = dict(word.partition("=")[::2] for word in options.fact)
    options.fact = pairs
    if not options.key or not options.directory:
        parser.error("--key and --directory are needed")
    try:
        options.keys = recipients(options.recipient)
    except ValueError as error:
        parser.error(str(error))


def parse(words: list[str]) -> argparse.Namespace:
    """Read the words."""
    parser = argparse.ArgumentParser(description="Backs a database up into a store.")
    add_words(parser)
    parser.add_argument("--keep", type=int, required=True, help="how many backups stay")
    parser.add_argument("--spare", action="append", default=[], help="key that stays as well")
    options = parser.parse_args(words)
    read_words(parser, options)
    if options.keep < 1:
        parser.error("the new backup stays: --keep is one at least")
    return options


def main(words: list[str]) -> int:
    """Back up into the store; return the exit status."""
    options = parse(words)
    stop_on_sigterm()
    lines = Lines()
    return ended(lines, lambda: save(options, lines))
