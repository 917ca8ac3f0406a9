from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monoyard.cache import Eviction, Item, Store, part_digest
from monoyard.cache._blobs import BlobDirectory
from monoyard.cache._writer import Writer

MakeItem = Callable[..., Item]
OpenStore = Callable[..., Store]
Digest = Callable[[str], str]


def blob_files(directory: Path) -> list[Path]:
    """Return all files with bytes, under their own names or temporary ones."""
    return [path for path in (directory / "blobs-v1").rglob("*") if path.is_file()]


def test_results_used_longest_ago_go_first(
    open_store: OpenStore, item: MakeItem, clock: Callable[[], float], directory: Path
) -> None:
    """Over the limit the store forgets what nobody asked for, with its bytes, and only that."""
    items = {word: item(word, log=word.encode() * 1000) for word in ("a", "b", "c")}
    first = open_store()
    for one in items.values():
        first.put(*one)
        clock.pass_hours(2)  # type: ignore[attr-defined]  # the tests' clock can
    first.lookup_many([items["a"][0].key])
    first.close()
    store = open_store(limit_bytes=3200)
    removed = store.evict()
    assert (removed.results, removed.blobs, removed.freed_bytes) == (1, 1, 1000)
    kept = store.lookup_many([result.key for result, _ in items.values()])
    assert sorted(result.task for result in kept.values()) == ["a:unit", "c:unit"]
    assert len(blob_files(directory)) == 2
    assert store.evict().results == 0


def test_shared_bytes_stay_while_anybody_needs_them(
    open_store: OpenStore, item: MakeItem, clock: Callable[[], float]
) -> None:
    """Shared bytes count once, and are not removed with the first of those that need them."""
    old, new = item("old", log=b"x" * 1000), item("new", log=b"x" * 1000)
    store = open_store(limit_bytes=1800)
    store.put(*old)
    clock.pass_hours(1)  # type: ignore[attr-defined]  # the tests' clock can
    store.put(*new)
    assert store.evict().results == 0
    store = open_store(limit_bytes=1400)
    assert store.evict().results == 1
    assert store.read_blob(new[0].artifacts[0].digest) == b"x" * 1000


def test_bytes_without_a_row_are_swept_once_they_are_old(
    store: Store, item: MakeItem, clock: Callable[[], float], directory: Path
) -> None:
    """What killed writers left goes after a day; what is being written now stays."""
    result, blobs = item("api")
    store.put(result, blobs)
    store.put(*item("gone"))
    orphan = directory / "blobs-v1" / "ab" / ("ab" * 32)
    half = directory / "blobs-v1" / "incoming" / "123-abc"
    for path in (orphan, half):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    for path in blob_files(directory):
        os.utime(path, (clock(), clock()))
    clock.pass_hours(23)  # type: ignore[attr-defined]  # the tests' clock can
    store.evict()
    assert orphan.exists()
    assert half.exists()
    clock.pass_hours(2)  # type: ignore[attr-defined]  # the tests' clock can
    store.evict()
    assert not orphan.exists()
    assert not half.exists()
    assert store.read_blob(result.artifacts[0].digest) is not None


def test_put_after_eviction_brings_the_bytes_back(store: Store, item: MakeItem) -> None:
    """A result can be stored again after it was cleared, bytes and all."""
    result, blobs = item("api")
    store.put(result, blobs)
    store.clear()
    assert store.put(result, blobs)
    assert store.read_blob(result.artifacts[0].digest) == b"log of api"


def test_bytes_removed_while_they_were_being_referred_to(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """A writer that found its bytes present, but lost them before its row, writes them itself."""
    first, second = item("a", log=b"same"), item("b", log=b"same")
    one, other = open_store(), open_store()
    one.put(*first)
    blob = blob_files(directory)[0]
    is_first_look = True

    class RemovedInBetween(BlobDirectory):
        """The blobs of a process whose look is followed by another's eviction."""

        def has(self, digest: str, size: int) -> bool:
            nonlocal is_first_look
            found = super().has(digest, size)
            if is_first_look:
                is_first_look = False
                other.clear()
                assert not blob.exists()
            return found

    blobs = RemovedInBetween(directory / "blobs-v1")
    writer = Writer(one._access, blobs)  # noqa: SLF001
    assert writer.put_many([second, item("c")]) == 2
    assert one.read_blob(second[0].artifacts[0].digest) == b"same"


def test_manifests_stay_with_what_they_explain(
    open_store: OpenStore, item: MakeItem, clock: Callable[[], float], digest: Digest
) -> None:
    """The manifest of a last success is kept without its result; others go, parts with them."""
    store = open_store(limit_bytes=1)
    entries = (("a", "1"),)
    other = (("b", "2"),)
    store.manifests.put(
        {digest("kept"): {"p": part_digest(entries)}, digest("gone"): {"p": part_digest(other)}},
        {part_digest(entries): entries, part_digest(other): other},
    )
    store.put(*item("kept"))
    store.history.record_successes("w", {"api:unit": digest("kept")})
    clock.pass_hours(25)  # type: ignore[attr-defined]  # the tests' clock can
    assert store.evict().results == 1
    assert store.manifests.get_many([digest("kept"), digest("gone")]).keys() == {digest("kept")}
    assert store.manifests.part(part_digest(entries)) == entries
    assert store.manifests.part(part_digest(other)) is None


def test_clear_leaves_nothing(store: Store, item: MakeItem, directory: Path) -> None:
    """After clearing the store is as good as new."""
    store.put_many([item("a"), item("b")])
    store.memo.put_many("n", {"a": b"1"})
    assert store.clear().results == 2
    statistics = store.statistics()
    assert (statistics.results, statistics.blobs, statistics.memo_entries) == (0, 0, 0)
    assert blob_files(directory) == []
    assert store.notes == ()


def test_clearing_trusted_clears_every_scope(open_store: OpenStore, item: MakeItem) -> None:
    """The trusted store removes what guests left; a guest removes its own."""
    trusted, guest, visitor = (open_store(scope=name) for name in ("trusted", "guest", "visitor"))
    for store, word in ((trusted, "a"), (guest, "b"), (visitor, "c")):
        store.put(*item(word))
    assert guest.clear().results == 1
    assert trusted.statistics().results_by_scope == {"trusted": 1, "visitor": 1}
    assert trusted.clear().results == 2
    assert trusted.statistics().results == 0


def test_a_new_manifest_outlives_an_eviction(store: Store, digest: Digest) -> None:
    """What a run works out is not forgotten before the run has come to its result."""
    entries = (("a", "1"),)
    store.manifests.put(
        {digest("new"): {"p": part_digest(entries)}}, {part_digest(entries): entries}
    )
    store.evict()
    assert store.manifests.get_many([digest("new")]).keys() == {digest("new")}
    assert store.manifests.part(part_digest(entries)) == entries


def test_a_store_that_cannot_be_written_evicts_nothing(
    open_store: OpenStore, item: MakeItem
) -> None:
    """A read-only store keeps all and says that it removed nothing."""
    open_store().put(*item("a"))
    store = open_store(read_only=True, limit_bytes=1)
    assert store.evict() == store.clear() == Eviction()
    assert store.statistics().results == 1


@pytest.mark.parametrize("is_shared", [False, True])
def test_what_fills_the_limit_to_the_last_byte_stays(
    open_store: OpenStore, item: MakeItem, directory: Path, is_shared: bool
) -> None:
    """Documents and blobs, each blob once, may take all that the small facts leave of a limit."""
    logs = [b"x" * 1000, (b"x" if is_shared else b"y") * 1000]
    with open_store() as first:
        first.put_many([item(word, log=log) for word, log in zip("ab", logs, strict=True)])
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        (documents,) = connection.execute("SELECT sum(length(document)) FROM results").fetchone()
    connection.close()
    taken = documents + (1000 if is_shared else 2000)
    enough = next(limit for limit in range(taken, 2 * taken) if limit - limit // 8 == taken)
    assert open_store(limit_bytes=enough).evict().results == 0
    assert open_store(limit_bytes=enough - 2).evict().results == 1


def test_small_facts_may_fill_their_eighth_to_the_last_byte(open_store: OpenStore) -> None:
    """A value counts with its key, and what just fits stays."""
    with open_store() as first:
        first.memo.put_many("n", {"a": bytes(99), "b": bytes(99)})
    for limit, kept in ((8 * 200, {"a", "b"}), (8 * 200 - 1, {"a"})):
        store = open_store(limit_bytes=limit)
        store.evict()
        assert store.memo.get_many("n", ["a", "b"]).keys() == kept


def test_a_result_without_files_counts_too(open_store: OpenStore, item: MakeItem) -> None:
    """A result may need no bytes at all, and is kept and evicted like any other."""
    result = replace(item("a")[0], artifacts=())
    store = open_store()
    assert store.put(result, {})
    assert store.evict().results == 0
    assert store.lookup_many([result.key]) == {result.key: result}
    assert open_store(limit_bytes=1).evict().results == 1


def test_links_that_lead_nowhere_are_swept_like_files(
    store: Store, clock: Callable[[], float], directory: Path
) -> None:
    """A link among the blobs has an age of its own, and nobody needs what it may lead to."""
    links = [directory / "blobs-v1" / "ab" / ("ab" * 32), directory / "blobs-v1" / "incoming" / "1"]
    for link in links:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("nowhere")
        os.utime(link, (clock(), clock()), follow_symlinks=False)
    clock.pass_hours(25)  # type: ignore[attr-defined]  # the tests' clock can
    store.evict()
    assert not any(link.is_symlink() for link in links)


def test_directories_that_others_make_meanwhile_are_used(
    store: Store, item: MakeItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that store the first bytes below one directory neither loses a result."""
    mkdir = os.mkdir

    def too_late(path: Path, mode: int) -> None:
        with contextlib.suppress(FileExistsError):
            mkdir(path, mode)
        mkdir(path, mode)

    monkeypatch.setattr(os, "mkdir", too_late)
    assert store.put(*item("a"))
    assert store.notes == ()


def test_files_that_others_remove_meanwhile_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that clean up one directory at the same time do not trip over each other."""
    names = ["ab" * 32, "ab" + "cd" * 31]
    for name in names:
        (tmp_path / "ab").mkdir(exist_ok=True)
        (tmp_path / "ab" / name).write_bytes(b"x")
    blobs = BlobDirectory(tmp_path)
    sizes = blobs.sizes()
    first, _ = next(sizes)
    assert first in names
    for name in names:
        (tmp_path / "ab" / name).unlink()
    assert list(sizes) == []
    unlink = Path.unlink

    def lose(path: Path, *, missing_ok: bool = False) -> None:
        unlink(path)
        unlink(path, missing_ok=missing_ok)

    blobs.temporary_path().write_bytes(b"half")
    monkeypatch.setattr(Path, "unlink", lose)
    blobs.remove_abandoned(time.time() + 60)
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_manifest_that_names_no_parts_keeps_none(
    store: Store, directory: Path, digest: Digest
) -> None:
    """A manifest that changed on disk does not stop an eviction."""
    entries = (("a", "1"),)
    store.manifests.put({digest("k"): {"p": part_digest(entries)}}, {part_digest(entries): entries})
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute('UPDATE manifests SET document = CAST(\'{"p":"x"}\' AS BLOB)')
    connection.close()
    store.evict()
    assert store.manifests.part(part_digest(entries)) is None
    assert store.notes == ()
