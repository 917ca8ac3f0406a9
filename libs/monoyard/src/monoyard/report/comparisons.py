"""Two runs beside each other, in print."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from monoyard.cache import Difference
from monoyard.plan import LOCK_PARTS, difference_line, is_listing
from monoyard.report.words import count
from monoyard.run import Compared, Likeness, Record

_VERSION: Final = 1
_LONGEST_VALUE: Final = 60
_SHOWN: Final = 4


def comparison_lines(a: Record, b: Record, found: Sequence[Compared]) -> Iterator[str]:
    """Yield what differs, what most tasks differ by first."""
    yield f"A  {a.name}  {a.verdict}, {count(len(a.keys), 'task')}"
    yield f"B  {b.name}  {b.verdict}, {count(len(b.keys), 'task')}"
    by_likeness: dict[Likeness, list[Compared]] = defaultdict(list)
    for item in found:
        by_likeness[item.likeness].append(item)
    groups: dict[str, list[Compared]] = defaultdict(list)
    for item in by_likeness[Likeness.DIFFERS]:
        groups[_first(item)].append(item)
    for words, items in sorted(groups.items(), key=lambda group: -len(group[1])):
        kind = "first difference of " if items[0].differences else ""
        yield f"{words}: {kind}{count(len(items), 'task')}: {_names(items)}"
        yield from _rest(items)
    for item in by_likeness[Likeness.SAME]:
        if len({*item.outcomes, ""}) > 2:  # noqa: PLR2004  two outcomes and none
            said = f"{item.outcomes[0]} in A, {item.outcomes[1]} in B"
            yield f"same key, another outcome: {item.task}: {said}"
    for item in by_likeness[Likeness.UNKNOWN]:
        yield f"not compared: {item.task}: {item.problem}"
    for likeness, name in ((Likeness.ONLY_A, "A"), (Likeness.ONLY_B, "B")):
        if by_likeness[likeness]:
            yield f"only in {name}: {_names(by_likeness[likeness])}"
    yield f"same key: {count(len(by_likeness[Likeness.SAME]), 'task')}"


def comparison_data(a: Record, b: Record, found: Sequence[Compared]) -> dict[str, Any]:
    """Return the same as JSON-able data."""
    return {
        "version": _VERSION,
        "a": {"run": a.name, "verdict": a.verdict},
        "b": {"run": b.name, "verdict": b.verdict},
        "tasks": [
            {
                "task": item.task,
                "likeness": item.likeness.value,
                "outcomes": list(item.outcomes),
                "differences": [{**asdict(one), "text": _line(one)} for one in item.differences],
                "problem": item.problem,
            }
            for item in found
        ],
    }


def _first(item: Compared) -> str:
    return _line(item.differences[0]) if item.differences else item.problem


def _rest(items: Sequence[Compared]) -> Iterator[str]:
    """Yield what else differs in any of the tasks, each thing once."""
    first = _first(items[0])
    others = dict.fromkeys(_line(one) for item in items for one in item.differences)
    others.pop(first, None)
    yield from (f"  also: {words}" for words in list(others)[:_SHOWN])
    if len(others) > _SHOWN:
        yield f"  ... and {count(len(others) - _SHOWN, 'more difference')}"


def _line(item: Difference) -> str:
    line = difference_line(item)
    if item.change == "unknown":
        return f"{item.part} differs; its entries came with no record and are not kept here"
    is_told = item.part in LOCK_PARTS or is_listing(item.part) or item.part == "environment"
    values = f"{item.old or 'absent'} -> {item.new or 'absent'}"
    if is_told or item.change == "reordered" or not item.label or len(values) > _LONGEST_VALUE:
        return line
    return f"{item.part}: {item.label} {values}"


def _names(items: Sequence[Compared]) -> str:
    names = [item.task for item in items]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
