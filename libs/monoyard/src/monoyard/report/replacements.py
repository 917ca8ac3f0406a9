"""A backup in the place of a whole database, in print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from monoyard.deployment import Replacement
from monoyard.report.words import count

_HEAD: Final = ("table", "now", "backup", "new", "changed", "come back")
_ABSENT: Final = "-"


def planned_lines(done: Replacement, command: str, now: datetime) -> Iterator[str]:
    """Yield what would be lost, and what to type to lose it.

    Args:
        done: What was found.
        command: What to type; empty where it is refused.
        now: What time it is, to say how old the backup is.
    """
    revisions = ", ".join(done.backup.get("revisions") or ()) or "none"
    taken_at = str(done.backup.get("taken_at") or "")
    taken = f"taken {taken_at}{_age(taken_at, now)}"
    yield f"{done.key}, {taken}, revision {revisions}, proven just now"
    tables = [item for item in done.events if item["event"] == "table"]
    if tables:
        yield from _table([_HEAD, *(_row(item) for item in tables)])
    for item in tables:
        if item["columns"]:
            yield f"only now: columns {', '.join(item['columns'])} of {item['name']}"
    for item in done.events:
        if item["event"] == "sequence":
            now_at, was_at = (item[when] or "unused" for when in ("now", "backup"))
            yield f"sequence {item['name']}: {now_at} now, {was_at} in the backup"
    yield from (f"only now: {name}" for name in done.first("only-now").get("objects", ()))
    losses = done.first("losses")
    if losses:
        yield f"as in the backup: {losses['same']} of {count(losses['tables'], 'table')}"
        yield _sum(tables, losses["rows"])
    yield from (f"refused: {item['message']}" for item in done.refused)
    if command:
        yield "nothing was changed; to put the backup in the place of the whole database, type"
        yield f"  {command}"


def replaced_lines(done: Replacement) -> Iterator[str]:
    """Yield what was done, and where what is lost is kept."""
    replaced = done.first("replaced")
    if not replaced:
        yield f"the database is what {done.key} has: there was nothing to do"
        return
    revisions = ", ".join(replaced["revisions"]) or "none"
    tables = count(replaced["tables"], "table")
    yield f"the database is now what {done.key} has: {tables}, revision {revisions}"
    lost, saved = count(replaced["lost"], "lost row"), done.first("saved")["key"]
    yield f"what it was until now, with {lost}, is in {saved}"
    if replaced["not_compared"]:
        yield f"too large to be compared: {', '.join(replaced['not_compared'])}"
    for item in done.events:
        if item["event"] == "not-ended":
            yield f"left to you: {item['message']}"


def _row(item: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = (item["now"], item["backup"], item["new"], item["changed"], item["gone"])
    is_keyless = item["by"] == "content" and None not in (item["now"], item["backup"])
    said = [_ABSENT if number is None else str(number) for number in numbers]
    if is_keyless:  # a row that changed is a new one, and one that comes back
        said[3] = _ABSENT
    return (item["name"], *said)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for name, *numbers in rows:
        right = (f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=True))
        yield "  ".join((f"  {name:{widths[0]}}", *right))


def _sum(tables: Sequence[Mapping[str, Any]], rows: int) -> str:
    new, changed, gone = (sum(item[word] for item in tables) for word in ("new", "changed", "gone"))
    back = f"{count(gone, 'row')} would come back"
    if not rows:
        return f"no row would be lost; {back}"
    return f"{count(rows, 'row')} would be lost, {new} new and {changed} changed since; {back}"


def _age(taken_at: str, now: datetime) -> str:
    try:
        age = now - datetime.fromisoformat(taken_at)
    except ValueError:
        return ""
    hours, rest = divmod(int(age / timedelta(minutes=1)), 60)
    return f" ({hours} h {rest} min ago)" if hours else f" ({rest} min ago)"
