"""The cache tasks of the invoke door."""

from __future__ import annotations

import sys
from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.engine import Engine
from monoyard.errors import UsageError

_MEBIBYTE = 1024 * 1024


def show_status(directory: Path) -> None:
    """Print where the store is and what it holds."""
    engine = _engine(directory)
    found = engine.store.statistics()
    print(f"directory  {engine.kept}")
    print(f"results    {found.results}")
    print(
        f"blobs      {found.blobs}, {found.blob_bytes / _MEBIBYTE:.1f} MiB"
        f" of {found.limit_bytes / _MEBIBYTE:.0f} MiB"
    )
    print(f"database   {found.database_bytes / _MEBIBYTE:.1f} MiB")
    _say_notes(engine)


def clear_store(directory: Path) -> None:
    """Forget every result."""
    engine = _engine(directory)
    removed = engine.store.clear()
    print(f"removed {removed.results} results, {removed.freed_bytes / _MEBIBYTE:.1f} MiB")
    _say_notes(engine)


def pack_store(directory: Path, file: Path) -> None:
    """Write the results of this event's scope into one archive."""
    engine = _engine(directory)
    engine.store.evict()
    engine.store.pack(file)
    print(f"packed into {file}: {file.stat().st_size / _MEBIBYTE:.1f} MiB")
    _say_notes(engine)


def unpack_store(directory: Path, file: Path, *, if_exists: bool) -> None:
    """Take the results of an archive into the scope of trusted runs.

    What CI restores was packed by a run of the default branch; a pull request reads it and writes
    to a scope of its own.

    Args:
        directory: A directory of the repository.
        file: The archive.
        if_exists: Do nothing where there is none, as in the first run of a repository.

    Raises:
        UsageError: There is no such file.
    """
    if not file.is_file():
        if if_exists:
            print(f"there is no {file}: beginning with an empty store", file=sys.stderr)
            return
        raise UsageError(f"there is no file {file}")
    engine = _engine(directory)
    engine.store.unpack(file)
    _say_notes(engine)


def _engine(directory: Path) -> Engine:
    return Engine(directory, announce)


def _say_notes(engine: Engine) -> None:
    for note in engine.store.notes:
        print(f"note: {note}", file=sys.stderr)
