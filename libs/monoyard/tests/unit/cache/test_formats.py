"""Stores of other versions of the engine, older and newer ones, beside or in the place of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.cache import Item, Store

OpenStore = Callable[..., Store]
MakeItem = Callable[..., Item]


@pytest.mark.parametrize("version", [0, 2])
def test_store_of_another_format_is_left_alone(
    open_store: OpenStore, item: MakeItem, directory: Path, version: int
) -> None:
    """What an older or newer engine keeps in the same directory is neither read nor removed."""
    others = {
        directory / f"store-v{version}.sqlite": b"what only that engine can read",
        directory / f"blobs-v{version}" / "ab" / "cdef": b"a log",
    }
    for path, data in others.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    with open_store() as store:
        result, blobs = item("a")
        assert store.put(result, blobs)
        assert store.lookup_many([result.key]) == {result.key: result}
        store.evict()
        store.clear()
        assert store.notes == ()
    assert {path: path.read_bytes() for path in others} == others


def test_database_that_says_another_format_is_not_written(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """A file of our name with another format inside costs the cache and one note, not the run."""
    result, blobs = item("a")
    with open_store() as store:
        assert store.put(result, blobs)
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with open_store() as store:
        assert not store.put(*item("b"))
        assert len(store.notes) == 1
        assert "the cache cannot be written, results of this run are lost" in store.notes[0]
