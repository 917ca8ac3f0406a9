"""Files in and out of the store, one at a time."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monoyard.cache import Item, Statistics, Store, StoredFile

MakeItem = Callable[..., Item]


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, (2 << 20) + 7])
def test_a_file_is_described_as_its_bytes_are(tmp_path: Path, size: int) -> None:
    """A file of any length has the description of its bytes."""
    data = bytes(index % 251 for index in range(1 << 10)) * (size // 1024 + 1)
    (tmp_path / "file").write_bytes(data[:size])
    described = StoredFile.of_file("a", tmp_path / "file")
    assert described == StoredFile.of_bytes("a", data[:size])
    assert described.digest == hashlib.sha256(data[:size]).hexdigest()


@pytest.mark.parametrize(
    ("mode", "is_executable"), [(0o644, False), (0o755, True), (0o700, True), (0o601, False)]
)
def test_a_file_is_executable_if_its_owner_may(
    tmp_path: Path, mode: int, is_executable: bool
) -> None:
    """One mode bit is kept, that of the owner."""
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "file").chmod(mode)
    assert StoredFile.of_file("a", tmp_path / "file").is_executable is is_executable


@pytest.mark.parametrize("is_executable", [True, False])
def test_a_file_comes_back_with_bytes_and_mode(
    store: Store, item: MakeItem, tmp_path: Path, is_executable: bool
) -> None:
    """A file is put where it is wanted, its directory made; all may execute it or none."""
    result, blobs = item("a", log=b"text")
    store.put(result, blobs)
    file = replace(result.artifacts[0], is_executable=is_executable)
    target = tmp_path / "new" / "place"
    assert store.materialise(file, target)
    assert target.read_bytes() == b"text"
    assert target.stat().st_mode & 0o111 == (0o111 if is_executable else 0)
    assert [path.name for path in target.parent.iterdir()] == ["place"]


def test_bytes_that_are_not_there_are_not_put(store: Store, item: MakeItem, tmp_path: Path) -> None:
    """What the store lacks is no success, and what was at the target is still there."""
    (tmp_path / "target").write_bytes(b"mine")
    for file in (item("a")[0].artifacts[0], StoredFile("a", "no digest", 1)):
        assert not store.materialise(file, tmp_path / "target")
        assert store.read_blob(file.digest) is None
    assert (tmp_path / "target").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.glob("*target*")] == ["target"]


@pytest.mark.parametrize("loss", [None, b"", b"let"])
def test_a_result_whose_output_is_lost_is_not_restored(
    store: Store, item: MakeItem, directory: Path, tmp_path: Path, loss: bytes | None
) -> None:
    """A hit without all its outputs is none: nothing is claimed, and the next lookup is a miss."""
    result, blobs = item("web", outputs={"a.js": b"let a", "b.js": b"let b"})
    store.put_many([(result, blobs), item("other")])
    digest = result.outputs[1].digest
    path = directory / "blobs-v1" / digest[:2] / digest
    path.unlink()
    if loss is not None:
        path.write_bytes(loss)
    assert not store.restore(result, tmp_path / "package")
    assert store.lookup_many([result.key]) == {}
    assert store.statistics().results == 1


@pytest.mark.parametrize("document", [b"{", b"1,2", b"", b"[1]", b"[" * 100_000])
def test_a_document_that_is_no_result_hides_no_other(
    store: Store, item: MakeItem, directory: Path, document: bytes
) -> None:
    """A row that is sound and yet no result is a miss, and those read with it are hits."""
    bad, *good = sorted((item(word) for word in "abc"), key=lambda one: one[0].key)
    store.put_many([bad, *good])
    key = bytes.fromhex(bad[0].key)
    proof = zlib.crc32(document, zlib.crc32(b"trusted", zlib.crc32(key)))
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute(
            "UPDATE results SET document = ?, checksum = ? WHERE key = ?", (document, proof, key)
        )
    connection.close()
    keys = {result.key for result, _ in good}
    assert store.lookup_many([bad[0].key, *keys]).keys() == keys
    assert store.notes == ("results with an unknown shape were found; they are misses",)
    assert store.statistics().results == 2


def test_statistics_count_what_is_there(
    open_store: Callable[..., Store], item: MakeItem, directory: Path
) -> None:
    """Every number is that of the disk: results, files, small facts and the database itself."""
    with open_store(limit_bytes=1000) as first:
        first.put_many([item("a", log=b"same"), item("b", log=b"same"), item("c", log=b"other")])
        first.memo.put_many("n", {"a": b"12", "b": b"345"})
    assert open_store(limit_bytes=1000).statistics() == Statistics(
        results=3,
        results_by_scope={"trusted": 3},
        blobs=2,
        blob_bytes=9,
        database_bytes=(directory / "store-v1.sqlite").stat().st_size,
        memo_entries=2,
        memo_bytes=5,
        limit_bytes=1000,
    )
    nothing = open_store(directory / "none", limit_bytes=7, read_only=True)
    assert nothing.statistics() == Statistics(limit_bytes=7)
