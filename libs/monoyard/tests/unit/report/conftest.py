"""Summaries of runs that never took place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import pytest

from monoyard.changes import Base
from monoyard.plan import Inputs, Plan, PlannedTask, State, Task
from monoyard.results import TaskResult
from monoyard.run import RunSummary
from monoyard.workspace import Workspace

Summarize = Callable[..., RunSummary]


@pytest.fixture
def summarize() -> Summarize:
    """`summarize(result, ..., left_out={task: reason}, reasons=..., ...)` makes a summary."""

    def make(
        *results: TaskResult,
        left_out: Mapping[str, str] | None = None,
        reasons: Mapping[str, tuple[str, ...]] | None = None,
        notes: tuple[str, ...] = (),
        interrupted: bool = False,
    ) -> RunSummary:
        tasks = [PlannedTask(_task(item.task), State.RUN) for item in results]
        tasks += [
            PlannedTask(_task(name), State.NOT_SELECTED, reason=reason)
            for name, reason in (left_out or {}).items()
        ]
        base = Base(None, "", "there is no branch")
        # No report looks at the workspace of a plan.
        plan = Plan(tuple(tasks), base, frozenset(), (), False, cast("Workspace", None), None)
        by_task = {item.task: item for item in results}
        return RunSummary("a-run", plan, by_task, 12.34, interrupted, reasons or {}, notes)

    return make


def _task(name: str) -> Task:
    package, _, suite = name.partition(":")
    return Task(name, package, suite, Inputs())
