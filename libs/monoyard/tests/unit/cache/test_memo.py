from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.cache import Store


def test_values_come_back_by_namespace(store: Store) -> None:
    """A value is found under its namespace and key; thousands at once."""
    values = {f"key {number}": f"value {number}".encode() for number in range(1500)}
    store.memo.put_many("imports", values)
    assert store.memo.get_many("imports", [*values, "absent"]) == values
    assert store.memo.get_many("other", values) == {}


def test_later_values_replace_earlier_ones(store: Store) -> None:
    """A key has one value."""
    store.memo.put_many("n", {"a": b"1"})
    store.memo.put_many("n", {"a": b"2"})
    assert store.memo.get_many("n", ["a"]) == {"a": b"2"}


def test_values_used_longest_ago_go_first(
    open_store: Callable[..., Store], clock: Callable[[], float]
) -> None:
    """The memo has an eighth of the limit, and what was used lately stays."""
    first = open_store(limit_bytes=8 * 220)
    first.memo.put_many("n", {"a": bytes(99), "b": bytes(99)})
    first.close()
    clock.pass_hours(48)  # type: ignore[attr-defined]  # the tests' clock can
    store = open_store(limit_bytes=8 * 220)
    assert store.memo.get_many("n", ["b"])
    store.memo.put_many("n", {"c": bytes(99)})
    store.evict()
    assert store.memo.get_many("n", ["a", "b", "c"]).keys() == {"b", "c"}


def test_last_use_is_written_at_most_once_a_day(
    open_store: Callable[..., Store], clock: Callable[[], float], directory: Path
) -> None:
    """Looking a value up costs a write only where the last use that is written is old."""
    with open_store() as first:
        first.memo.put_many("n", {"a": b"1"})
    start = clock()
    for hours, expected in ((23, start), (2, start + 25 * 3600)):
        clock.pass_hours(hours)  # type: ignore[attr-defined]  # the tests' clock can
        with open_store() as store:
            store.memo.get_many("n", ["a"])
        with sqlite3.connect(directory / "store-v1.sqlite") as connection:
            assert connection.execute("SELECT used_at FROM memo").fetchall() == [(expected,)]
        connection.close()


@pytest.mark.parametrize(
    ("change", "namespace", "key"),
    [
        ("namespace = 'other'", "other", "bc"),
        ("key = 'other'", "n", "other"),
        ("scope = 'trusted'", "n", "bc"),
        ("namespace = 'nb', key = 'c'", "nb", "c"),
        ("value = 'text'", "n", "bc"),
    ],
)
def test_values_count_only_where_they_were_put(
    open_store: Callable[..., Store], directory: Path, change: str, namespace: str, key: str
) -> None:
    """A value that turns up under another name, or as something else, is as good as absent."""
    first = open_store(scope="guest")
    first.memo.put_many("n", {"bc": b"1"})
    first.close()
    assert open_store(scope="guest").memo.get_many("n", ["bc"]) == {"bc": b"1"}
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute(f"UPDATE memo SET {change}")
    connection.close()
    assert open_store(scope="guest").memo.get_many(namespace, [key]) == {}


@pytest.mark.parametrize("scope", ["guest", "visitor"])
def test_trusted_values_come_before_own_ones(open_store: Callable[..., Store], scope: str) -> None:
    """A guest reads what trusted runs wrote, and its own values where they wrote none."""
    trusted, guest = open_store(), open_store(scope=scope)
    guest.memo.put_many("n", {"a": b"own", "b": b"own"})
    trusted.memo.put_many("n", {"a": b"trusted", "c": b"trusted"})
    assert guest.memo.get_many("n", ["a", "b", "c"]) == {
        "a": b"trusted", "b": b"own", "c": b"trusted",
    }  # fmt: skip
    assert trusted.memo.get_many("n", ["a", "b"]) == {"a": b"trusted"}


def test_guests_remove_their_own_values_only(open_store: Callable[..., Store]) -> None:
    """A guest over the limit forgets what it wrote; a trusted store forgets what anybody did."""
    trusted, guest = (open_store(limit_bytes=8, **more) for more in ({}, {"scope": "guest"}))
    for store, key in ((trusted, "a"), (guest, "b")):
        store.memo.put_many("n", {key: bytes(9)})
    guest.evict()
    assert guest.memo.get_many("n", ["a", "b"]).keys() == {"a"}
    guest.memo.put_many("n", {"b": bytes(9)})
    trusted.evict()
    assert trusted.statistics().memo_entries == 0


def test_a_store_that_cannot_be_read_knows_no_value(
    open_store: Callable[..., Store], directory: Path
) -> None:
    """A lookup in a store that is not there is a miss."""
    assert open_store(directory / "none", read_only=True).memo.get_many("n", ["a"]) == {}
