"""Batches: tasks that one process executes together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monoyard.plan import Task
from monoyard.run.budget import Budget
from monoyard.run.machinery import BatchSurroundings
from monoyard.suites import Executor, Finished, Needs, Step


@dataclass
class Batch:
    """Tasks on their way through one or more processes.

    Attributes:
        number: Unique in the run, from 1.
        tasks: What it executes.
        executor: Knows the tool.
        needs: What has to be there first.
        scratch: Its own directory.
        cpus: Processors it keeps busy.
        memory: Bytes at its peak.
        workers: Processes that its task's work is dealt out to; 0 where that cannot be divided.
        estimate: Expected seconds.
        waits_for: Tasks that must have ended.
        prepared: When what it needs was looked into, from and to.
        state: `waiting`, `preparing`, `ready`, `running` or `done`.
    """

    number: int
    tasks: tuple[Task, ...]
    executor: Executor
    needs: Needs
    scratch: Path
    cpus: int
    memory: int
    workers: int
    estimate: float
    waits_for: frozenset[str]
    prepared: tuple[float, float] = (0.0, 0.0)
    state: str = "waiting"
    around: BatchSurroundings | None = None
    steps: list[Step] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    is_stopped: bool = False

    @property
    def timeout(self) -> float:
        """Seconds a process of the batch may take."""
        return max(task.timeout for task in self.tasks)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the tasks."""
        return tuple(task.id for task in self.tasks)


class Batches:
    """Groups tasks and numbers the groups.

    Args:
        scratch: Directory for the scratch directories.
        estimates: Task id to expected seconds.
        executors: Kind of work to what executes it.
        budget: What the run may use at once.
    """

    def __init__(
        self,
        scratch: Path,
        estimates: Mapping[str, float],
        executors: Mapping[type, Executor],
        budget: Budget,
    ) -> None:
        self._scratch = scratch
        self._budget = budget
        self._executors = executors
        self._estimates = estimates
        self._count = 0

    def group(self, tasks: Iterable[Task]) -> list[Batch]:
        """Group tasks that share a process; one that needs others stays alone."""
        groups: dict[object, list[Task]] = {}
        for task in tasks:
            executor = self._executors[type(task.work)]
            alone = task.needs or task.cpus > 1 or task.workers
            groups.setdefault(task.id if alone else executor.batch(task), []).append(task)
        return [self.make(tuple(members)) for members in groups.values()]

    def make(self, tasks: tuple[Task, ...]) -> Batch:
        """Make one batch."""
        self._count += 1
        executor = self._executors[type(tasks[0].work)]
        workers = self._workers(tasks[0])
        return Batch(
            number=self._count,
            tasks=tasks,
            executor=executor,
            needs=executor.needs(tasks),
            scratch=self._scratch / f"{self._count:04d}",
            cpus=workers or max(task.cpus for task in tasks),
            memory=max(task.memory for task in tasks) * max(1, workers),
            workers=workers,
            estimate=sum(self._estimates.get(task.id, task.estimate) for task in tasks),
            waits_for=frozenset(need for task in tasks for need in task.needs),
        )

    def _workers(self, task: Task) -> int:
        """Return how many workers a task gets: of what there is not, it does not wait for more."""
        if not task.workers:
            return 0
        room = self._budget.memory // task.memory
        return max(1, min(task.workers, self._budget.cpus, room))
