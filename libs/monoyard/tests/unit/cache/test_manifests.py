from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monoyard.cache import Difference, Entries, Store, part_digest
from monoyard.cache._difference import differences

Digest = Callable[[str], str]

FILES_OLD: Entries = (("src/a.py", "1"), ("src/b.py", "2"))
FILES_NEW: Entries = (("src/a.py", "9"), ("src/c.py", "3"))
LOCK_OLD: Entries = (("pydantic", "2.13 aa"),)
LOCK_NEW: Entries = (("pydantic", "2.14 bb"),)


def put(store: Store, key: str, **parts: Entries) -> dict[str, str]:
    """Store the manifest of a key and return it."""
    manifest = {name: part_digest(entries) for name, entries in parts.items()}
    store.manifests.put(
        {key: manifest}, {part_digest(entries): entries for entries in parts.values()}
    )
    return manifest


def test_manifest_and_parts_come_back(store: Store, digest: Digest) -> None:
    """A key leads to its manifest and that to the entries, in order."""
    manifest = put(store, digest("k"), files=FILES_OLD, lock=LOCK_OLD)
    assert store.manifests.get_many([digest("k"), digest("other"), "x"]) == {digest("k"): manifest}
    assert store.manifests.part(manifest["files"]) == FILES_OLD
    assert store.manifests.part(digest("nothing")) is None


def test_difference_names_every_entry(store: Store, digest: Digest) -> None:
    """What was added, removed and replaced is listed by part and label."""
    old = put(store, digest("old"), files=FILES_OLD, lock=LOCK_OLD, same=(("a", "b"),))
    new = put(store, digest("new"), files=FILES_NEW, lock=LOCK_NEW, same=(("a", "b"),))
    assert store.manifests.difference(old, new) == (
        Difference("files", "src/a.py", "changed", "1", "9"),
        Difference("files", "src/c.py", "added", None, "3"),
        Difference("files", "src/b.py", "removed", "2", None),
        Difference("lock", "pydantic", "changed", "2.13 aa", "2.14 bb"),
    )


def test_whole_parts_come_and_go(store: Store, digest: Digest) -> None:
    """A part that only one manifest has counts entry by entry, and an empty one as itself."""
    old = put(store, digest("old"), lock=LOCK_OLD)
    new = put(store, digest("new"), empty=())
    assert store.manifests.difference(old, new) == (
        Difference("empty", "", "changed"),
        Difference("lock", "pydantic", "removed", "2.13 aa", None),
    )


def test_order_and_repetition_count(store: Store, digest: Digest) -> None:
    """Arguments in another order are a difference, and so is one that is given twice."""
    once = put(store, digest("1"), argv=(("argument", "-q"), ("argument", "-x")))
    turned = put(store, digest("2"), argv=(("argument", "-x"), ("argument", "-q")))
    twice = put(store, digest("3"), argv=(("a", "1"), ("b", "2")))
    other = put(store, digest("4"), argv=(("b", "2"), ("a", "1")))
    assert [one.change for one in store.manifests.difference(once, turned)] == ["changed"] * 2
    assert store.manifests.difference(twice, other) == (Difference("argv", "", "reordered"),)


def test_lost_part_is_unknown_and_not_equal(store: Store, digest: Digest) -> None:
    """Without the old entries a changed part is still reported as changed."""
    new = put(store, digest("new"), files=FILES_NEW)
    old = {"files": part_digest(FILES_OLD)}
    assert store.manifests.difference(old, new) == (Difference("files", "", "unknown"),)


def test_names_that_are_not_utf8_survive(store: Store, digest: Digest) -> None:
    """A file name with any bytes goes through the store unchanged."""
    label = b"caf\xe9\n.py".decode("utf-8", "surrogateescape")
    manifest = put(store, digest("k"), files=((label, "1"),))
    assert store.manifests.part(manifest["files"]) == ((label, "1"),)


def test_digest_of_other_entries_is_refused(store: Store) -> None:
    """Entries under a digest that is not theirs would explain a miss wrongly; they raise."""
    with pytest.raises(ValueError, match=r"^the digest .* is not that of its entries$"):
        store.manifests.put({}, {part_digest(LOCK_OLD): LOCK_NEW})
    assert store.manifests.part(part_digest(LOCK_OLD)) is None
    put(store, "0" * 64, lock=LOCK_OLD)
    assert store.manifests.part(part_digest(LOCK_OLD)) == LOCK_OLD
    assert store.notes == ()


entries = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"])), max_size=5
).map(tuple)


@settings(max_examples=200)
@given(old=entries, new=entries, has_old=st.booleans())
def test_unequal_manifests_always_differ(old: Entries, new: Entries, has_old: bool) -> None:
    """There is a difference exactly when the digests differ, whatever the entries are."""
    stored = {part_digest(new): new} | ({part_digest(old): old} if has_old else {})
    found = differences({"p": part_digest(old)}, {"p": part_digest(new)}, stored.get)
    assert bool(found) is (old != new)


@pytest.mark.parametrize("scope", ["guest", "visitor"])
def test_trusted_manifests_come_before_own_ones(
    open_store: Callable[..., Store], digest: Digest, scope: str
) -> None:
    """A guest compares with trusted runs, and with its own where nobody else ran anything."""
    trusted, guest = open_store(), open_store(scope=scope)
    own = put(guest, digest("k"), files=FILES_NEW)
    put(guest, digest("l"), files=FILES_NEW)
    others = put(trusted, digest("k"), files=FILES_OLD)
    assert guest.manifests.get_many([digest("k"), digest("l")]) == {
        digest("k"): others, digest("l"): own,
    }  # fmt: skip
    assert trusted.manifests.get_many([digest("k"), digest("l")]) == {digest("k"): others}


@pytest.mark.parametrize(
    "change",
    [
        "document = CAST('{}' AS BLOB)",
        "document = CAST('[]' AS BLOB)",
        "document = 'text'",
        "document = 1",
        "checksum = checksum + 1",
        "key = x'" + "00" * 32 + "'",
        "scope = 'guest'",
    ],
)
def test_altered_manifests_are_not_compared(
    open_store: Callable[..., Store], directory: Path, digest: Digest, change: str
) -> None:
    """A manifest that changed on disk explains nothing, under any key."""
    first = open_store()
    put(first, digest("k"), files=FILES_OLD)
    first.close()
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute(f"UPDATE manifests SET {change}")
    connection.close()
    assert open_store(scope="guest").manifests.get_many([digest("k"), "0" * 64]) == {}


def test_a_store_that_cannot_be_read_has_no_manifest(
    open_store: Callable[..., Store], directory: Path, digest: Digest
) -> None:
    """A lookup in a store that is not there finds nothing."""
    store = open_store(directory / "none", read_only=True)
    assert store.manifests.get_many([digest("k")]) == {}
    assert store.manifests.part(digest("k")) is None
