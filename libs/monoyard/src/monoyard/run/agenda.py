"""What is to be done: which batches wait, which can start, and what is free of the budget.

Every step costs the logarithm of what is left, so that thousands of tasks cost what they take.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping

from monoyard.plan import Task
from monoyard.run.batch import Batch
from monoyard.run.budget import Budget

# Batches too large for what is free are passed over, but not all of them at each turn.
_PASSED_OVER = 50


class Agenda:
    """The batches of a run that have not ended.

    Args:
        tasks: Every task of the run by id.
        estimates: Task id to expected seconds.
        budget: What may be used at once.
    """

    def __init__(
        self, tasks: Mapping[str, Task], estimates: Mapping[str, float], budget: Budget
    ) -> None:
        self._priorities = _longest_paths(tasks, estimates)
        self._budget = budget
        self._open: dict[int, Batch] = {}
        self._waiting: dict[str, list[Batch]] = {}
        self._ready: list[tuple[float, int, Batch]] = []
        self._running: dict[int, Batch] = {}
        self._cpus = 0
        self._memory = 0

    def __bool__(self) -> bool:
        return bool(self._open)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, batches: Iterable[Batch]) -> list[Batch]:
        """Take batches in; return them with the most urgent first."""
        taken = sorted(batches, key=self._urgency)
        self._open.update({batch.number: batch for batch in taken})
        return taken

    def hold(self, batch: Batch, need: str) -> None:
        """Keep a batch back until a task has ended."""
        self._waiting.setdefault(need, []).append(batch)

    def held_by(self, task: str) -> list[Batch]:
        """Return, once, the batches that were kept back for a task, the most urgent first."""
        held = self._waiting.pop(task, [])
        return sorted((batch for batch in held if batch.state == "waiting"), key=self._urgency)

    def make_ready(self, batch: Batch) -> None:
        """Say that all a batch needs is there."""
        batch.state = "ready"
        heapq.heappush(self._ready, (*self._urgency(batch), batch))

    def start(self, try_to: Callable[[Batch], bool]) -> None:
        """Offer ready batches that fit, the most urgent first.

        Args:
            try_to: Starts or ends a batch and returns True; False keeps it for the next turn.
        """
        passed_over: list[tuple[float, int, Batch]] = []
        while self._ready and not self._is_full and len(passed_over) < _PASSED_OVER:
            entry = heapq.heappop(self._ready)
            batch = entry[-1]
            if batch.state == "ready" and not (self._fits(batch) and try_to(batch)):
                passed_over.append(entry)
        for entry in passed_over:
            heapq.heappush(self._ready, entry)

    def run(self, batch: Batch) -> None:
        """Say that a batch runs: it takes its share of the budget until it is done."""
        batch.state = "running"
        self._running[batch.number] = batch
        self._cpus += batch.cpus
        self._memory += batch.memory

    def done(self, batch: Batch) -> None:
        """Say that a batch is over, whatever became of it."""
        batch.state = "done"
        self._open.pop(batch.number, None)
        if self._running.pop(batch.number, None) is not None:
            self._cpus -= batch.cpus
            self._memory -= batch.memory

    def not_begun(self) -> list[Batch]:
        """Return the batches that wait or are ready."""
        return [batch for batch in self._open.values() if batch.state in {"waiting", "ready"}]

    @property
    def _is_full(self) -> bool:
        return bool(self._running) and self._cpus >= self._budget.cpus

    def _fits(self, batch: Batch) -> bool:
        """Say whether a batch fits beside what runs; alone, every batch does."""
        return not self._running or (
            self._cpus + batch.cpus <= self._budget.cpus
            and self._memory + batch.memory <= self._budget.memory
        )

    def _urgency(self, batch: Batch) -> tuple[float, int]:
        return (-max(self._priorities.get(task.id, 0.0) for task in batch.tasks), batch.number)


def _longest_paths(tasks: Mapping[str, Task], estimates: Mapping[str, float]) -> dict[str, float]:
    """Return, by task, the seconds from its start to the end of its longest chain."""
    followers: dict[str, list[str]] = {}
    for task in tasks.values():
        for need in task.needs:
            followers.setdefault(need, []).append(task.id)
    found: dict[str, float] = {}

    def length(name: str, seen: tuple[str, ...] = ()) -> float:
        if name not in found:
            after = [
                length(item, (*seen, name)) for item in followers.get(name, ()) if item not in seen
            ]
            found[name] = estimates.get(name, tasks[name].estimate) + max(after, default=0.0)
        return found[name]

    return {name: length(name) for name in tasks}
