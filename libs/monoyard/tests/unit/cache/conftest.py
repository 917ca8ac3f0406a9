from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monoyard.cache import Item, Store, StoredFile, StoredResult

LIMIT = 1 << 30


class Clock:
    """A clock that stands still until it is told otherwise; Unix seconds."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Say what time it is."""
        return self.now

    def pass_hours(self, hours: float) -> None:
        """Let time pass."""
        self.now += hours * 3600


@pytest.fixture
def clock() -> Clock:
    """The clock of every store that a test opens."""
    return Clock()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the store of a test is."""
    return tmp_path / "cache"


@pytest.fixture
def open_store(directory: Path, clock: Clock) -> Iterator[Callable[..., Store]]:
    """Open the test's store as often as needed; all are closed at the end."""
    opened: list[Store] = []

    def open_one(where: Path = directory, **options: Any) -> Store:
        store = Store.open(where, **{"limit_bytes": LIMIT, "clock": clock, **options})
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    """A new, trusted store."""
    return open_store()


@pytest.fixture
def digest() -> Callable[[str], str]:
    """Turn a word into 64 hexadecimal digits."""
    return lambda word: hashlib.sha256(word.encode()).hexdigest()


@pytest.fixture
def item(digest: Callable[[str], str]) -> Callable[..., Item]:
    """Make a result under the key of a word, with a log and outputs, and the bytes they need."""

    def make(
        word: str, *, log: bytes | None = None, outputs: dict[str, bytes] | None = None
    ) -> Item:
        log_bytes = log if log is not None else f"log of {word}".encode()
        kept = StoredFile.of_bytes("log", log_bytes)
        files = [(StoredFile.of_bytes(path, data), data) for path, data in (outputs or {}).items()]
        result = StoredResult(
            key=digest(word),
            task=f"{word}:unit",
            payload={"outcome": "pass", "tests": 3, "name": word},
            outputs=tuple(file for file, _ in files),
            artifacts=(kept,),
            duration_seconds=1.5,
            created_at=1_800_000_000.0,
            engine_version="0.1.0",
        )
        return result, {kept.digest: log_bytes, **{file.digest: data for file, data in files}}

    return make
