from __future__ import annotations

from collections.abc import Callable

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
    clock.pass_hours(48)  # type: ignore[attr-defined]
    store = open_store(limit_bytes=8 * 220)
    assert store.memo.get_many("n", ["a"])
    store.memo.put_many("n", {"c": bytes(99)})
    store.evict()
    assert store.memo.get_many("n", ["a", "b", "c"]).keys() == {"a", "c"}
