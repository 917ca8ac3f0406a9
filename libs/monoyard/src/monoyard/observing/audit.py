"""Tasks of a run with recorders in their processes, and what comes of it."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from monoyard.observing.comparison import Unkeyed, compare
from monoyard.observing.covering import Covering
from monoyard.observing.records import (
    MODULE,
    RECORDER,
    VARIABLE,
    Records,
    Watching,
    read_records,
)
from monoyard.observing.remedies import remedy
from monoyard.plan import Plan, Task
from monoyard.process import PASSED_THROUGH
from monoyard.results import Finding, Severity
from monoyard.suites import BULK, Executor, Finished, Interpretation, Needs, Step, Surroundings

_PLACE: Final = "observed"
# Where programs are: everything that starts one looks, and pins say which versions are found.
_EXPECTED: Final = frozenset({"PATH"})


class Audit:
    """The audit of one run.

    Args:
        plan: What is run, with keys.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._covering = Covering(plan)
        self._planned = {planned.task.id: planned for planned in plan.tasks}
        self._unwatched: dict[str, set[str]] = defaultdict(set)
        self._findings: dict[str, int] = {}

    def executors(self, executors: Mapping[type, Executor]) -> dict[type, Executor]:
        """Return executors that do the same, with each task by itself and recorded."""
        return {kind: _AuditedExecutor(inner, self) for kind, inner in executors.items()}

    @property
    def findings(self) -> int:
        """How many findings there are by now."""
        return sum(self._findings.values())

    @property
    def tasks_with_findings(self) -> tuple[str, ...]:
        """Tasks that read something outside of their keys."""
        return tuple(name for name, number in self._findings.items() if number)

    @property
    def tasks(self) -> int:
        """How many tasks were audited by now."""
        return len(self._findings)

    @property
    def unwatched(self) -> Mapping[str, frozenset[str]]:
        """Program to the tasks in which nobody saw what it read."""
        return {name: frozenset(tasks) for name, tasks in sorted(self._unwatched.items())}

    def watched(self, step: Step, task: Task, place: Path, around: Surroundings) -> Step:
        """Return a step with a recorder in its Python processes."""
        declared = dict(task.inputs.parts).get("environment", ())
        keyed = {name for name, _ in declared}
        names = set(PASSED_THROUGH) - _EXPECTED - keyed
        top = around.top
        marked = frozenset(top / path for path in self._covering.settings)
        watching = Watching(
            top, _outside(around), marked, {name: step.env.get(name) for name in names}
        )
        watching.write(place)
        path = step.env.get("PYTHONPATH")
        environment = {
            **step.env,
            VARIABLE: str(place),
            "PYTHONPATH": f"{RECORDER}:{path}" if path else str(RECORDER),
        }
        if not step.module:
            return replace(step, env=environment)
        return replace(
            step, env=environment, module=MODULE, arguments=(step.module, *step.arguments),
            path=(str(RECORDER), *step.path),
        )  # fmt: skip

    def judge(self, task: Task, steps: Sequence[Finished], around: Surroundings) -> list[Finding]:
        """Return what a task read outside of its key."""
        covered = self._covering.of(self._planned[task.id])
        found: dict[Unkeyed, None] = {}
        for number, finished in enumerate(steps):
            records = read_records(_place(around, number))
            self._note_unwatched(task, finished.step, records)
            items = compare(records, covered, self._plan.workspace, _outside(around))
            found |= dict.fromkeys(items)
        self._findings[task.id] = len(found)
        return [self._finding(task, item) for item in found]

    def _note_unwatched(self, task: Task, step: Step, records: Records) -> None:
        names = set(records.programs)
        if records.is_empty:
            names.add(Path(step.argv[0]).name if step.argv else step.module)
        if records.has_unwatched_python:
            names.add("Python in an environment of its own")
        for name in names:
            self._unwatched[name].add(task.id)

    def _finding(self, task: Task, item: Unkeyed) -> Finding:
        package = self._plan.workspace.packages[task.package]
        message = remedy(task, package, item)
        return Finding(item.reader, message, item.rule, item.line, severity=Severity.WARNING)


class _AuditedExecutor:
    """Does what another executor does, for one task at a time, with recorders.

    Args:
        inner: The other one.
        audit: Knows what is to be recorded, and judges it.
    """

    def __init__(self, inner: Executor, audit: Audit) -> None:
        self._inner = inner
        self._audit = audit

    def batch(self, task: Task) -> object:
        """Return the task's own id: what a shared process reads is nobody's."""
        return ("audited", task.id)

    def needs(self, tasks: Sequence[Task]) -> Needs:
        """Return what the other one needs."""
        return self._inner.needs(tasks)

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        """Return the other one's processes with recorders in them."""
        return [
            self._audit.watched(step, tasks[0], _place(around, number), around)
            for number, step in enumerate(self._inner.steps(tasks, around))
        ]

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        """Return what the other one makes of it, with the findings of the audit."""
        meaning = self._inner.interpret(tasks, around, finished)
        results = {
            name: replace(
                result,
                findings=(*result.findings, *self._audit.judge(tasks[0], finished, around)),
            )
            for name, result in meaning.results.items()
        }
        return Interpretation(results, meaning.again)


def _place(around: Surroundings, number: int) -> Path:
    return around.scratch / BULK / _PLACE / str(number)


def _outside(around: Surroundings) -> tuple[Path, ...]:
    """Return the directories of the engine and of venvs: what is there has other parts in keys."""
    places = (around.state, around.kept, RECORDER, Path(sys.prefix), Path(sys.base_prefix))
    return tuple(dict.fromkeys(Path(os.path.realpath(place)) for place in places))
