"""Classed revisions in words, and as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from monoyard.migrations.values import Classed, Effect, History, Statement

VERSION: Final = 1


def explain_lines(name: str, classed: Iterable[Classed]) -> list[str]:
    """Return what the revisions of a service do: class, locks, SQL and reasons."""
    lines = []
    for item in classed:
        effects = sorted(item.effects, key=lambda effect: effect.severity)
        said = ", ".join(effect.words for effect in effects) or Effect.SAFE.words
        lines.append(f"{name} {item.revision.revision}: {said}")
        if item.revision.title:
            lines.append(f"  {item.revision.title.splitlines()[0]}")
        lines += [f"  {judgement.effect.words}: {judgement.why}" for judgement in item.judgements]
        for review in item.exceptions:
            way = "denied" if review.is_denied else "accepted"
            lines.append(f"  {way}: {review.effect.words}, because {review.reason}")
        lines += [f"  fault: {fault}" for fault in item.faults]
        for statement in item.statements:
            lines += _statement_lines(statement)
    return lines


def _statement_lines(statement: Statement) -> list[str]:
    lines = [f"    {line}" for line in statement.sql.splitlines()]
    lines += [f"      locks {table} in {lock.value}" for table, lock in statement.locks.items()]
    lines += [f"      {item.effect.words}: {item.why}" for item in statement.judgements]
    return lines


def history_faults(history: History) -> tuple[str, ...]:
    """Return what keeps a history from being released."""
    if len(history.heads) > 1:
        heads = ", ".join(history.heads)
        return (f"{len(history.heads)} revisions are the newest ({heads}); `alembic merge` them",)
    return ()


def lint_lines(name: str, classed: Iterable[Classed], faults: Sequence[str]) -> list[str]:
    """Return one line for each effect that nobody accepted, and for each fault."""
    lines = [f"{name}: {fault}" for fault in faults]
    for item in classed:
        where = f"{name} {item.revision.revision}"
        lines += [f"{where}: {fault}" for fault in item.faults]
        for effect in item.unaccepted:
            reasons = dict.fromkeys(each.why for each in item.found if each.effect is effect)
            lines += [f"{where}: {effect.words}: {why}" for why in reasons]
    return lines


def to_data(found: Mapping[str, Sequence[Classed]]) -> dict[str, Any]:
    """Return classed revisions as JSON data, by service."""
    return {
        "version": VERSION,
        "services": {name: [_data(item) for item in items] for name, items in found.items()},
    }


def _data(item: Classed) -> dict[str, Any]:
    return {
        "revision": item.revision.revision,
        "parents": list(item.revision.parents),
        "title": item.revision.title,
        "class": item.effect.value,
        "effects": sorted(effect.value for effect in item.effects),
        "unaccepted": [effect.value for effect in item.unaccepted],
        "reasons": [{"effect": each.effect.value, "why": each.why} for each in item.judgements],
        "reviews": [
            {"effect": each.effect.value, "denied": each.is_denied, "reason": each.reason}
            for each in item.exceptions
        ],
        "faults": list(item.faults),
        "loses": list(item.loses),
        "statements": [
            {
                "sql": each.sql,
                "locks": {table: lock.value for table, lock in each.locks.items()},
                "rewrites": list(each.rewrites),
                "reasons": [
                    {"effect": said.effect.value, "why": said.why} for said in each.judgements
                ],
            }
            for each in item.statements
        ],
    }
