from __future__ import annotations

import math
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monoyard.cache import Item, Outcome, Store, StoredFile

MakeItem = Callable[..., Item]
Digest = Callable[[str], str]


def test_result_comes_back_as_it_was_put(store: Store, item: MakeItem) -> None:
    """A stored result is found under its key, equal to what was stored."""
    result, blobs = item("api", outputs={"dist/app.js": b"let a"})
    assert store.put(result, blobs)
    assert store.lookup_many([result.key]) == {result.key: result}


def test_files_of_a_result_come_back_as_they_were_described(store: Store, item: MakeItem) -> None:
    """An empty file is one, and what may be executed still may."""
    result, blobs = item("api", outputs={"py.typed": b""})
    tool = StoredFile.of_bytes("bin/tool", b"run", is_executable=True)
    result = replace(result, outputs=(*result.outputs, tool))
    assert store.put(result, {**blobs, tool.digest: b"run"})
    assert store.lookup_many([result.key]) == {result.key: result}
    assert store.notes == ()


def test_a_new_store_is_for_its_user_alone(
    open_store: Callable[..., Store], item: MakeItem, tmp_path: Path
) -> None:
    """The directory is made with those above it, and nobody else may look into it."""
    directory = tmp_path / "not" / "yet" / "there"
    assert open_store(directory).put(*item("a"))
    assert directory.stat().st_mode & 0o777 == 0o700


def test_results_outlive_the_process(
    store: Store, item: MakeItem, open_store: Callable[..., Store]
) -> None:
    """What one run stored another one finds."""
    result, blobs = item("api")
    store.put(result, blobs)
    store.close()
    assert open_store().lookup_many([result.key]) == {result.key: result}


def test_lookup_takes_any_number_of_keys(store: Store, item: MakeItem, digest: Digest) -> None:
    """Thousands of keys, hits and misses mixed, are answered at once; no key is a miss."""
    items = [item(str(number)) for number in range(1200)]
    assert store.put_many(items) == 1200
    misses = [digest(f"miss {number}") for number in range(1200)]
    found = store.lookup_many([*misses, *(result.key for result, _ in items), "no key"])
    assert found == {result.key: result for result, _ in items}
    assert store.lookup_many([]) == {}


def test_second_result_replaces_the_first(store: Store, item: MakeItem) -> None:
    """A key has one result, the latest."""
    result, blobs = item("api")
    store.put(result, blobs)
    newer = replace(result, payload={"outcome": "pass", "tests": 4})
    assert store.put(newer, blobs)
    assert store.lookup_many([result.key]) == {result.key: newer}
    assert store.statistics().results == 1


def test_files_come_from_paths_or_bytes(store: Store, item: MakeItem, tmp_path: Path) -> None:
    """A file on disk is stored with its bytes and its executable bit."""
    source = tmp_path / "tool"
    source.write_bytes(b"#!/bin/sh\n")
    source.chmod(0o755)
    file = StoredFile.of_file("bin/tool", source)
    assert file == StoredFile.of_bytes("bin/tool", b"#!/bin/sh\n", is_executable=True)
    result, blobs = item("api")
    assert store.put(replace(result, outputs=(file,)), {**blobs, file.digest: source})
    assert store.read_blob(file.digest) == b"#!/bin/sh\n"


def test_nothing_is_visible_without_all_its_bytes(store: Store, item: MakeItem) -> None:
    """A result whose bytes are not given is not stored, and a note names the file."""
    result, _ = item("api")
    assert not store.put(result, {})
    assert store.lookup_many([result.key]) == {}
    assert store.notes == ("api:unit was not cached: log was not given",)


def test_bytes_that_are_there_need_not_be_given(store: Store, item: MakeItem) -> None:
    """A result that shares one file with another is stored with the bytes of the rest alone."""
    first, second = item("a", log=b"same"), item("b", log=b"same", outputs={"out": b"new"})
    store.put(*first)
    new = second[0].outputs[0].digest
    assert store.put(replace(second[0], outputs=()), {})
    both = replace(second[0], outputs=second[0].artifacts, artifacts=second[0].outputs)
    assert store.put(both, {new: b"new"})
    assert store.read_blob(new) == b"new"
    assert store.notes == ()


@pytest.mark.parametrize("way", ["ABORT", "ROLLBACK"])
def test_a_store_that_fails_to_write_keeps_nothing(
    store: Store, item: MakeItem, directory: Path, way: str
) -> None:
    """Where SQLite refuses a row its result is no hit, and a note has SQLite's words."""
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute(
            f"CREATE TRIGGER full BEFORE INSERT ON results BEGIN SELECT RAISE({way}, 'full'); END"
        )
    connection.close()
    result, blobs = item("a")
    assert not store.put(result, blobs)
    assert store.lookup_many([result.key]) == {}
    assert store.notes == ("the cache cannot be written, results of this run are lost: full",)


def test_a_place_for_bytes_that_is_taken_costs_their_result(
    store: Store, item: MakeItem, directory: Path
) -> None:
    """Where the bytes cannot get their name no row refers to them, and a note says why."""
    result, blobs = item("a")
    taken = directory / "blobs-v1" / result.artifacts[0].digest[:2]
    taken.parent.mkdir()
    taken.write_text("in the way")
    assert not store.put(result, blobs)
    assert store.lookup_many([result.key]) == {}
    assert "results of this run are lost: [Errno 20] Not a directory" in store.notes[0]


def test_a_closed_store_answers_with_nothing(store: Store, item: MakeItem) -> None:
    """After closing nothing is found and nothing stored, and nothing raises."""
    store.put(*item("a"))
    store.close()
    assert store.lookup_many([item("a")[0].key]) == {}
    assert not store.put(*item("b"))


def test_the_checksum_of_a_row_does_not_change_between_versions(
    store: Store, item: MakeItem, directory: Path
) -> None:
    """What one engine stored is a hit for the next: the sum is the CRC-32 of all it covers."""
    store.put(*item("a"))
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        ((key, stored, document),) = connection.execute(
            "SELECT key, checksum, document FROM results"
        )
    connection.close()
    assert stored == zlib.crc32(key + b"trusted" + document)


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"before", b"after!"), (b"", b"x"), (b"x" * (1 << 20), b"x" * ((1 << 20) + 1))],
    ids=["other", "no longer empty", "longer"],
)
def test_file_that_changed_meanwhile_is_not_stored(
    store: Store, item: MakeItem, tmp_path: Path, before: bytes, after: bytes
) -> None:
    """Bytes that are not those described keep the result out, and others come in."""
    source = tmp_path / "out"
    source.write_bytes(before)
    file = StoredFile.of_file("out", source)
    source.write_bytes(after)
    result, blobs = item("api")
    other = item("web")
    changed = (replace(result, outputs=(file,)), {**blobs, file.digest: source})
    assert store.put_many([changed, other]) == 1
    assert store.lookup_many([result.key, other[0].key]).keys() == {other[0].key}
    assert store.notes == ("api:unit was not cached: out changed while it was being stored",)


def test_vanished_file_is_no_reason_to_stop_storing(
    store: Store, item: MakeItem, tmp_path: Path
) -> None:
    """A source that is gone costs its own result alone."""
    result, blobs = item("api")
    gone = dict.fromkeys(blobs, tmp_path / "gone")
    assert store.put_many([(result, gone), item("web")]) == 1
    assert store.notes == (
        "api:unit was not cached: gone cannot be read: No such file or directory",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"key": "abc"},
        {"payload": {"a": object()}},
        {"payload": {"a": math.nan}},
        {"outputs": (StoredFile("../escape", "a" * 64, 1),)},
        {"outputs": (StoredFile("/etc/passwd", "a" * 64, 1),)},
        {"outputs": (StoredFile(".", "a" * 64, 1),)},
        {"outputs": (StoredFile("a", "A" * 64, 1),)},
    ],
)
def test_senseless_results_are_refused_where_they_are_made(
    store: Store, item: MakeItem, change: dict[str, object]
) -> None:
    """A key, payload or path that cannot be stored raises instead of poisoning the store."""
    result, blobs = item("api")
    sources = {**blobs, "a" * 64: b"x", "A" * 64: b"x"}
    with pytest.raises((TypeError, ValueError)):
        store.put(replace(result, **change), sources)  # type: ignore[arg-type]  # any field
    assert store.statistics().results == 0


def test_equal_files_are_stored_once(store: Store, item: MakeItem) -> None:
    """Two results with the same log share its bytes."""
    store.put_many([item("a", log=b"same"), item("b", log=b"same")])
    statistics = store.statistics()
    assert (statistics.results, statistics.blobs, statistics.blob_bytes) == (2, 1, 4)


def test_outputs_are_restored_with_bytes_and_mode(
    store: Store, item: MakeItem, tmp_path: Path
) -> None:
    """A hit puts its outputs below the package, directories made, modes kept."""
    result, blobs = item("web", outputs={"dist/app.js": b"let a"})
    tool = StoredFile.of_bytes("bin/tool", b"run", is_executable=True)
    result = replace(result, outputs=(*result.outputs, tool))
    store.put(result, {**blobs, tool.digest: b"run"})
    package = tmp_path / "web"
    assert store.restore(result, package)
    assert (package / "dist/app.js").read_bytes() == b"let a"
    assert not (package / "dist/app.js").stat().st_mode & 0o111
    assert (package / "bin/tool").stat().st_mode & 0o100
    assert sorted(path.name for path in package.rglob("*") if path.is_file()) == ["app.js", "tool"]


def test_outputs_never_leave_the_package(store: Store, item: MakeItem, tmp_path: Path) -> None:
    """A symbolic link on the way, or a path that climbs, restores nothing outside."""
    result, blobs = item("web", outputs={"dist/app.js": b"let a"})
    store.put(result, blobs)
    package, outside = tmp_path / "web", tmp_path / "outside"
    package.mkdir()
    outside.mkdir()
    (package / "dist").symlink_to(outside)
    assert not store.restore(result, package)
    for path in ("../outside/x", "a\0b"):
        strange = replace(result, outputs=(replace(result.outputs[0], path=path),))
        assert not store.restore(strange, package)
    assert list(outside.iterdir()) == []
    assert store.notes == (
        f"{package / 'dist/app.js'} could not be restored: its directory is elsewhere",
        "web:unit: an output lies outside of its package",
    )


def test_target_that_cannot_be_written_is_a_note(
    store: Store, item: MakeItem, tmp_path: Path
) -> None:
    """A file where a directory should be makes restoring fail without an exception."""
    result, blobs = item("web", outputs={"dist/app.js": b"let a"})
    store.put(result, blobs)
    (tmp_path / "dist").write_text("in the way")
    assert not store.restore(result, tmp_path)
    assert "could not be restored" in store.notes[0]
    assert store.lookup_many([result.key])


def test_last_use_is_written_at_most_once_an_hour(
    open_store: Callable[..., Store], item: MakeItem, clock: Callable[[], float], directory: Path
) -> None:
    """Looking up writes nothing by itself; closing writes uses that are older than an hour."""
    result, blobs = item("api")
    first = open_store()
    first.put(result, blobs)
    first.close()
    start = clock()

    def used_at() -> float:
        with sqlite3.connect(directory / "store-v1.sqlite") as connection:
            (value,) = connection.execute("SELECT used_at FROM results").fetchone()
        connection.close()
        return float(value)

    for minutes, expected in ((59, start), (2, start + 61 * 60)):
        clock.pass_hours(minutes / 60)  # type: ignore[attr-defined]  # the tests' clock can
        store = open_store()
        store.lookup_many([result.key])
        store.close()
        assert used_at() == expected


def test_all_or_not_all(
    store: Store, open_store: Callable[..., Store], item: MakeItem, digest: Digest
) -> None:
    """Keys have all their results until one is missing, is of another scope, or ever failed."""
    keys = []
    for name in ("a", "b"):
        result, blobs = item(name)
        store.put(result, blobs)
        keys.append(result.key)
    foreign, blobs = item("c")
    open_store(scope="fork").put(foreign, blobs)
    assert open_store(read_only=True).has_all([*keys, keys[0]])
    assert not store.has_all([*keys, digest("never stored")])
    assert not store.has_all([*keys, foreign.key])
    failure = Outcome(keys[0], "a", passed=False, run="r", at=1.0)
    store.history.record_outcomes([failure])
    assert not store.has_all(keys)
    assert store.has_all(keys[1:])


def test_without_a_store_nothing_is_there(open_store: Callable[..., Store], digest: Digest) -> None:
    """A store that does not exist has no results, and none is made by asking."""
    assert not open_store(read_only=True).has_all([digest("a")])
