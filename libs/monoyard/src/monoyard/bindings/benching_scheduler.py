"""What the scheduler itself costs: many tasks whose processes do nothing."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.install import LocalInterpreters, Tools, Venvs
from monoyard.plan import Inputs, Task
from monoyard.process import clean
from monoyard.results import Outcome, TaskResult
from monoyard.run import Budget, Event, Machinery, Options, Postgres
from monoyard.run.scheduler import Scheduler
from monoyard.suites import Finished, Interpretation, Needs, Step, Surroundings

_TASKS: Final = 3000
_IN_A_BATCH: Final = 30


@dataclass(frozen=True, slots=True)
class _Nothing:
    batch: int


class _Idle:
    """Executes nothing, in one process for each batch."""

    def batch(self, task: Task) -> object:
        return task.work

    def needs(self, tasks: Sequence[Task]) -> Needs:
        del tasks
        return Needs()

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        del tasks
        return [Step(around.scratch, clean(), ("true",))]

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        del around, finished
        return Interpretation({task.id: TaskResult(task.id, Outcome.PASS) for task in tasks})


def seconds_per_task(runs: int) -> float:
    """Return the median of what a task costs that does nothing, its share of a process included."""
    seconds = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as place:
            seconds.append(_run(Path(place)))
    return statistics.median(seconds) / _TASKS


def _run(top: Path) -> float:
    venvs = Venvs(top / "kept", top, lambda _: None)
    tools = Tools(venvs, LocalInterpreters())
    scratch = top / "scratch"
    scratch.mkdir()
    machinery = Machinery(
        top, top / "state", venvs, tools, top / "kept", {}, None, clean()
    )  # fmt: skip
    scheduler = Scheduler(
        machinery, Budget(2, 1 << 40), Options(), _ignore, Postgres(tools, clean(), None), scratch,
        {_Nothing: _Idle()},
    )  # fmt: skip
    tasks = [
        Task(f"{number}:unit", str(number), "unit", Inputs(), work=_Nothing(number // _IN_A_BATCH))
        for number in range(_TASKS)
    ]
    began = time.monotonic()
    scheduler.run(tasks, {}, {})
    return time.monotonic() - began


def _ignore(event: Event) -> None:
    del event
