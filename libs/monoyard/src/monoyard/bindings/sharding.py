"""Tasks shared among machines: `--shard`, the matrix of a CI, and the table of durations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.arguments import Arguments, Shard, parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.errors import UsageError
from monoyard.plan import (
    DURATIONS_FILE,
    Division,
    Plan,
    divide,
    durations_document,
    read_durations,
    take,
)
from monoyard.report.words import count
from monoyard.results import duration

_MOST: Final = 256  # jobs that a matrix of GitHub's may have


def shard_of(plan: Plan, arguments: Arguments) -> Plan:
    """Return the plan of the shard that was asked for, which says how it was divided.

    Raises:
        UsageError: The machine that made the matrix divided otherwise.
    """
    shard = arguments.shard
    if shard is None:
        return plan
    division = divide(plan, read_durations(plan), shard.of)
    _hold(division, shard)
    mine = division.shards[shard.number - 1]
    note = (
        f"shard {shard}: {len(mine)} of {count(len(division.seconds), 'task')}, "
        f"about {duration(division.work(shard.number))} of work, divided by {division.basis}"
    )
    return replace(take(plan, division, shard.number), notes=(*plan.notes, note))


def matrix(plan: Plan, shards: str) -> tuple[list[str], str]:
    """Return the shards of a plan in lines, and as a line of JSON for a matrix of CI jobs.

    Shards without tasks are left out, but for the first: there is no matrix without a job.

    Raises:
        UsageError: There cannot be so many.
    """
    if not shards.isdecimal() or not 1 <= int(shards) <= _MOST:
        raise UsageError(f"`--shards` is a number from 1 to {_MOST}, not `{shards}`")
    division = divide(plan, read_durations(plan), int(shards))
    rows = list(_rows(division))
    data = json.dumps({"include": rows}, separators=(",", ":"))
    lines = [
        f"{row['shard']}  {count(row['tasks'], 'task')}, about {duration(row['seconds'])} of work"
        for row in rows
    ]
    return [*lines, f"divided by {division.basis}"], data


def write_durations(directory: Path) -> None:
    """Write how long tasks took on this machine into the table that shards are divided by."""
    engine = Engine(directory, announce)
    plan = engine.plan(replace(engine.selection(parse_arguments([])), use_cache=False))
    latest = engine.store.history.estimates(engine.workspace_id)
    document = durations_document(plan, read_durations(plan), latest)
    path = engine.repository.top / DURATIONS_FILE
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    known = len(document["seconds"])
    print(f"{DURATIONS_FILE}: {known} of {count(len(plan.tasks), 'task')}")


def _rows(division: Division) -> Iterator[dict[str, Any]]:
    for number, tasks in enumerate(division.shards, start=1):
        if tasks or number == 1:
            shard = f"{number}/{len(division.shards)}@{division.proof}"
            seconds = round(division.work(number), 1)
            yield {"shard": shard, "tasks": len(tasks), "seconds": seconds}


def _hold(division: Division, shard: Shard) -> None:
    if shard.proof and shard.proof != division.proof:
        raise UsageError(
            f"this machine divides the tasks otherwise ({division.proof}) than the one that made "
            f"the matrix ({shard.proof}), so tasks could be lost between them",
            code="shards-differ",
            hint="both need the same commit, base, packages and options",
        )
