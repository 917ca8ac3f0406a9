"""Backups in print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monoyard.report.words import count, size


def backup_lines(backups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each backup.

    Args:
        backups: What `monoyard_database backups` tells of each.
    """
    width = max((len(item["key"]) for item in backups), default=0)
    for item in backups:
        revisions = ", ".join(item["revisions"]) or "none"
        proven = f"proven {item['proven_at']}" if item["proven_at"] else "not proven"
        yield (
            f"{item['key']:{width}}  {item['taken_at']}  {size(item['bytes'])}, "
            f"{count(item['rows'], 'row')} in {count(item['tables'], 'table')}, "
            f"revision {revisions}, {proven}"
        )
    if not backups:
        yield "the store has no whole backup"


def verified_line(found: Mapping[str, Any]) -> str:
    """Return what it comes to that a backup was verified."""
    tables = count(found.get("tables") or 0, "table")
    left = ", ".join(found.get("not_compared") or ())
    more = f"; too large to be compared: {left}" if left else ""
    return f"{found['key']} restores to what was backed up: {tables}{more}"


def recovery_lines(
    key: str, events: Sequence[Mapping[str, Any]], *, is_planned: bool
) -> Iterator[str]:
    """Yield what was lost and what was brought back.

    Args:
        key: Of the backup.
        events: Those of `monoyard_database recover`.
        is_planned: Nothing was done.
    """
    lost: Mapping[str, Any] = next((item for item in events if item["event"] == "lost"), {})
    tables, columns = lost.get("tables") or (), lost.get("columns") or {}
    if not tables and not columns:
        yield f"nothing is lost that {key} has"
    elif is_planned:
        yield f"{key} would bring back"
        yield from (f"  table {name}" for name in tables)
        yield from (f"  {name}: {', '.join(names)}" for name, names in columns.items())
    for item in events:
        if item["event"] == "table":
            yield f"brought back: table {item['name']}, {count(item.get('rows') or 0, 'row')}"
        elif item["event"] == "column":
            yield (
                f"brought back: {', '.join(item['columns'])} of {item['name']}, in "
                f"{count(item['rows'], 'row')}; {count(item['new'], 'newer row')} without, "
                f"{count(item['gone'], 'row')} of the backup gone"
            )
        elif item["event"] == "untouched":
            yield f"left to you: {item['name']} {item['message']}"
