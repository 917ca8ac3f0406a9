"""What differs between two manifests, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

Entries = tuple[tuple[str, str], ...]
Manifest = Mapping[str, str]
Change = Literal["added", "removed", "changed", "reordered", "unknown"]
ReadPart = Callable[[str], Entries | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs between two manifests.

    Args:
        part: The part of the manifest.
        label: The entry inside the part; empty when the whole part is meant.
        change: `added` and `removed` have one value, `changed` has both. `reordered`: the same
            entries in another order. `unknown`: the part differs, but its entries are no longer
            stored.
        old: The value before, if there was one.
        new: The value now, if there is one.

    """

    part: str
    label: str
    change: Change
    old: str | None = None
    new: str | None = None


def differences(old: Manifest, new: Manifest, read_part: ReadPart) -> tuple[Difference, ...]:
    """Compare two manifests, part by part in the order of `new`, vanished parts last.

    Two manifests that are not equal never compare as equal here, whatever is still stored.
    """
    found: list[Difference] = []
    for part in dict.fromkeys((*new, *old)):
        before, after = old.get(part), new.get(part)
        if before != after:
            found += _part_differences(
                part, _entries(before, read_part), _entries(after, read_part)
            )
    return tuple(found)


def _entries(digest: str | None, read_part: ReadPart) -> Entries | None:
    return () if digest is None else read_part(digest)


def _part_differences(part: str, old: Entries | None, new: Entries | None) -> list[Difference]:
    if old is None or new is None:
        return [Difference(part, "", "unknown")]
    before, after = _by_label(old), _by_label(new)
    found = [
        _difference(part, label, first, second)
        for label in dict.fromkeys((*after, *before))
        for first, second in zip_longest(before.get(label, ()), after.get(label, ()))
        if first != second
    ]
    if found:
        return found
    if old == new:  # an empty part came or went
        return [Difference(part, "", "changed")]
    return [Difference(part, "", "reordered")]


def _by_label(entries: Entries) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for label, value in entries:
        values.setdefault(label, []).append(value)
    return values


def _difference(part: str, label: str, old: str | None, new: str | None) -> Difference:
    change: Change = "added" if old is None else "removed" if new is None else "changed"
    return Difference(part, label, change, old, new)
