"""Which tasks of a plan a machine takes, where several share them.

Every machine divides by itself, so nothing may count that one machine knows and another does not:
neither its store nor what it finds known there. What counts is the selection, the tasks' needs and
a table of durations that is part of the commit.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from monoyard.errors import ConfigurationError
from monoyard.plan.plan import Plan
from monoyard.plan.task import Task

DURATIONS_FILE: Final = "monoyard-durations.json"
"""The table of durations, at the root of the repository."""

_VERSION: Final = 1
_PROOF_LENGTH: Final = 8
# What a task costs besides its own time; without it, tasks of no length would all go one way.
_LEAST_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Division:
    """All tasks of a selection, divided.

    Attributes:
        shards: The task ids of each shard, sorted; some may have none.
        seconds: Task id to the seconds that counted.
        recorded: How many of these came from the table.
    """

    shards: tuple[tuple[str, ...], ...]
    seconds: Mapping[str, float]
    recorded: int

    @cached_property
    def proof(self) -> str:
        """Eight hexadecimal digits that are others where a task is in another shard."""
        text = json.dumps(self.shards)
        return hashlib.sha256(text.encode()).hexdigest()[:_PROOF_LENGTH]

    def work(self, number: int) -> float:
        """Return the expected seconds of a shard, from 1."""
        return math.fsum(self.seconds[task] for task in self.shards[number - 1])

    @property
    def basis(self) -> str:
        """What the division was computed from, in words."""
        estimated = len(self.seconds) - self.recorded
        if not self.recorded:
            return f"estimates, for {DURATIONS_FILE} names none of its tasks"
        rest = f", {estimated} estimated" if estimated else ""
        noun = "duration" if self.recorded == 1 else "durations"
        return f"{self.recorded} {noun} of {DURATIONS_FILE}{rest}"


def divide(plan: Plan, durations: Mapping[str, float], count: int) -> Division:
    """Divide the selected tasks of a plan.

    A task stays with those it needs, so that no shard runs anything twice or waits for another
    one. Groups of such tasks go to the shard with the least work so far, the longest group first.

    Args:
        plan: The plan; its cache states and estimates do not count.
        durations: Task id to seconds, the same on every machine.
        count: Number of shards.
    """
    tasks = [planned.task for planned in plan.selected]
    seconds = _weights(tasks, durations)
    shards: list[list[str]] = [[] for _ in range(count)]
    # Whole milliseconds, because sums of floats depend on their order.
    work = [0] * count
    weighed = [(round(sum(seconds[task] for task in group) * 1000), group)
               for group in _groups(tasks)]  # fmt: skip
    for weight, group in sorted(weighed, key=lambda item: (-item[0], item[1])):
        lightest = work.index(min(work))
        work[lightest] += weight
        shards[lightest].extend(group)
    return Division(
        tuple(tuple(sorted(shard)) for shard in shards),
        seconds,
        sum(task.id in durations for task in tasks),
    )


def read_durations(plan: Plan) -> Mapping[str, float]:
    """Return the table of durations of a plan's workspace; empty where it has none.

    Raises:
        ConfigurationError: It has another shape.
    """
    data = plan.workspace.tree.read_many([DURATIONS_FILE]).get(DURATIONS_FILE)
    if data is None:
        return {}
    try:
        document = json.loads(data)
        found = document["seconds"] if document["version"] == _VERSION else None
    except (ValueError, TypeError, KeyError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(map(_is_duration, found.values())):
        raise ConfigurationError(
            f"{DURATIONS_FILE} is no table of durations", hint="`invoke durations` writes it anew"
        )
    return found


def durations_document(
    plan: Plan, known: Mapping[str, float], latest: Mapping[str, float]
) -> dict[str, Any]:
    """Return the table of durations of a plan's tasks.

    Args:
        plan: The plan.
        known: The table so far, which says what `latest` does not.
        latest: Task id to seconds, as this machine remembers them.
    """
    tasks = sorted(planned.task.id for planned in plan.tasks)
    seconds = {**known, **latest}
    rounded = {task: round(seconds[task], 1) for task in tasks if task in seconds}
    return {"version": _VERSION, "seconds": rounded}


def _is_duration(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0


def _weights(tasks: Iterable[Task], durations: Mapping[str, float]) -> dict[str, float]:
    """Return what the table says of each task, else the middle of its suite there, else a guess."""
    by_suite: dict[str, list[float]] = {}
    for name, seconds in sorted(durations.items()):
        by_suite.setdefault(_suite(name), []).append(seconds)
    middles = {suite: sorted(found)[len(found) // 2] for suite, found in by_suite.items()}
    return {
        task.id: max(
            _LEAST_SECONDS, durations.get(task.id, middles.get(_suite(task.id), task.estimate))
        )
        for task in tasks
    }


def _suite(task: str) -> str:
    return task.rpartition(":")[2].partition("@")[0]


def _groups(tasks: Iterable[Task]) -> list[list[str]]:
    """Return task ids in groups that share needs, at any distance."""
    leaders = {task.id: task.id for task in tasks}

    def leader(name: str) -> str:
        while leaders[name] != name:
            leaders[name] = name = leaders[leaders[name]]
        return name

    for task in tasks:
        for need in task.needs:
            if need in leaders:
                leaders[leader(task.id)] = leader(need)
    groups: dict[str, list[str]] = {}
    for name in sorted(leaders):
        groups.setdefault(leader(name), []).append(name)
    return list(groups.values())


def take(plan: Plan, division: Division, number: int) -> Plan:
    """Return the plan in which only one shard, from 1, is selected."""
    mine = frozenset(division.shards[number - 1])
    return plan.restricted(lambda task: task.id in mine, "another shard has it")
