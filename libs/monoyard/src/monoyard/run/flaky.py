"""Flaky tasks: the same key, another outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monoyard.cache import Store
from monoyard.plan import Plan
from monoyard.results import Outcome, TaskResult, TestCase


@dataclass(frozen=True, slots=True)
class FlakyTask:
    """A task that passed and failed under one key, in this run or before.

    Attributes:
        task: Its id.
        passed: How often it passed, as far as it is remembered, this run included.
        failed: How often it did not.
        cases: Tests that failed and then passed in this run.
        is_retried: It failed in this run, and passed in a later attempt.
    """

    task: str
    passed: int
    failed: int
    cases: tuple[TestCase, ...] = ()
    is_retried: bool = False


def find_flaky(
    plan: Plan, results: Mapping[str, TaskResult], store: Store
) -> tuple[FlakyTask, ...]:
    """Return the flaky ones among the tasks of a run, those of the cache too.

    Args:
        plan: What was planned.
        results: Task id to result; that of this run is in the store's history already.
        store: Remembers how tasks ended under a key.
    """
    remembered = {(item.task, item.key): item for item in store.history.flaky()}
    found = []
    for planned in plan.selected:
        result = results.get(planned.task.id)
        if result is None or result.outcome in {Outcome.SKIP, Outcome.NOT_RUN}:
            continue
        key = planned.manifest.key if planned.manifest else ""
        known = remembered.get((result.task, key))
        if known is None and not result.is_flaky and not result.flaky_cases:
            continue
        has_passed = int(result.outcome is Outcome.PASS)
        counts = (has_passed, len(result.earlier) + 1 - has_passed)
        if known is not None:
            counts = (known.passed, known.failed)
        found.append(FlakyTask(result.task, *counts, result.flaky_cases, result.is_flaky))
    return tuple(found)
