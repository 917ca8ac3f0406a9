from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monoyard.cache import Item, Store

OpenStore = Callable[..., Store]

# Writes results without end, each with bytes of its own and bytes that all share, says when the
# first is stored, and now and then evicts under the others' feet.
_WRITER = """
import itertools, sys
from pathlib import Path
from monoyard.cache import Store, StoredFile, StoredResult

name = sys.argv[2]
with Store.open(Path(sys.argv[1]), limit_bytes=int(sys.argv[3])) as store:
    for number in range(int(sys.argv[4])):
        word = f"{name}-{number % 50}"
        own = f"log of {word}\\n".encode() * 500
        files = {"own": own, "shared": b"shared" * 1000, "kind": f"{number % 7}".encode() * 999}
        described = [StoredFile.of_bytes(path, data) for path, data in files.items()]
        key = StoredFile.of_bytes("", word.encode()).digest
        result = StoredResult(key, word, {"n": number}, artifacts=tuple(described))
        blobs = {file.digest: files[file.path] for file in described}
        store.put(result, blobs)
        store.history.record_durations("w", {word: 1.0})
        if number % 13 == 12:
            store.evict()
        if number == 0:
            print("started", flush=True)
    assert store.notes == (), store.notes
"""


@contextlib.contextmanager
def writers(
    directory: Path, count: int, limit: int, results: int
) -> Iterator[list[subprocess.Popen[str]]]:
    """Start processes that write into one store; all have stored something when this returns."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(directory), f"w{index}", str(limit), str(results)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def assert_sound(directory: Path, store: Store) -> int:
    """Check that the file is intact and that every visible result has all its bytes."""
    connection = sqlite3.connect(directory / "store-v1.sqlite")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        keys = [row[0].hex() for row in connection.execute("SELECT key FROM results")]
    finally:
        connection.close()
    found = store.lookup_many(keys)
    assert found.keys() == set(keys)
    for result in found.values():
        for file in result.files():
            data = store.read_blob(file.digest)
            assert data is not None
            assert len(data) == file.size
    assert store.notes == ()
    return len(keys)


def test_writers_killed_at_any_moment_leave_a_sound_store(
    directory: Path, open_store: OpenStore
) -> None:
    """SIGKILL at random moments, evictions included, never leaves a result without its bytes."""
    chance = random.Random(4)  # noqa: S311 (moments, not secrets)
    total = 0
    for _ in range(8):
        with writers(directory, 2, limit=200_000, results=10_000) as processes:
            for process in processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(0.0, 0.15))
                assert process.poll() is None
                os.kill(process.pid, signal.SIGKILL)
        store = open_store(clock=lambda: 0.0)
        total += assert_sound(directory, store)
        store.close()
    assert total > 8


def test_writers_at_once_lose_nothing(directory: Path, open_store: OpenStore) -> None:
    """Three processes that write at the same time all finish, and all their results are there."""
    with writers(directory, 3, limit=1 << 30, results=60) as processes:
        for process in processes:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
    assert assert_sound(directory, open_store()) == 150


def test_evictions_at_once_take_no_bytes_from_anybody(
    directory: Path, open_store: OpenStore
) -> None:
    """Writers that keep evicting each other's results leave every visible one complete."""
    with writers(directory, 3, limit=150_000, results=80) as processes:
        for process in processes:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
    assert assert_sound(directory, open_store()) > 0


@pytest.mark.parametrize("count", [6])
def test_new_store_may_be_opened_by_many_at_once(
    directory: Path, open_store: OpenStore, count: int
) -> None:
    """The first use of a directory by several processes makes one store that all can use."""
    with writers(directory, count, limit=1 << 30, results=1) as processes:
        for process in processes:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
    assert assert_sound(directory, open_store()) == count


def test_threads_share_a_store(store: Store, item: Callable[..., Item]) -> None:
    """The threads of one run store and look up through one store without a mix-up."""
    items = [item(str(number)) for number in range(80)]

    def work(start: int) -> int:
        mine = items[start::8]
        stored = [store.put(*one) for one in mine]
        return sum(stored) + len(store.lookup_many([result.key for result, _ in mine]))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 160
    assert store.notes == ()
