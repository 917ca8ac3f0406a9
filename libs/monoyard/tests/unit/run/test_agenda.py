"""The agenda: which of the batches that could start does so first."""

from typing import TYPE_CHECKING

import pytest

from monoyard.plan import EVERY_PROCESSOR, Task
from monoyard.run import Budget
from monoyard.run.agenda import Agenda
from monoyard.run.batch import Batch, Batches
from monoyard.suites import EXECUTORS, CommandWork, Executor
from monoyard.suites.commands import CommandExecutor

if TYPE_CHECKING:
    from .conftest import Bench


class Together(CommandExecutor):
    """Executes all tasks in one batch."""

    def batch(self, task: Task) -> object:
        """Return the same for every task."""
        del task
        return "together"


SHARING: dict[type, Executor] = {CommandWork: Together()}


class Offers:
    """An agenda whose batches are all ready; it remembers which were offered."""

    def __init__(
        self, bench: "Bench", tasks: tuple[Task, ...], estimates: dict[str, float], budget: Budget
    ) -> None:
        named = {f"{name}:unit": seconds for name, seconds in estimates.items()}
        self.agenda = Agenda({task.id: task for task in tasks}, named, budget)
        batches = Batches(bench.directory, named, EXECUTORS, budget)
        for batch in self.agenda.add(batches.make((task,)) for task in tasks):
            self.agenda.make_ready(batch)

    def start(self, refused: str = "") -> list[str]:
        """Start what can; return the packages in their order."""
        begun: list[str] = []

        def begin(batch: Batch) -> bool:
            name = batch.tasks[0].package
            if name != refused:
                begun.append(name)
                self.agenda.run(batch)
            return name != refused

        self.agenda.start(begin)
        return begun


def test_longest_path_starts_first(bench: "Bench") -> None:
    """What most of the remaining work waits for goes first, not what is longest by itself."""
    tasks = (bench.task("long"), bench.task("base"), bench.task("after", "true", "base"))
    estimates = {"long": 5.0, "base": 1.0, "after": 6.0}
    offers = Offers(bench, tasks, estimates, Budget(1, 1 << 40))
    assert offers.start() == ["base"]


def test_large_batch_is_passed_over_until_it_fits(bench: "Bench") -> None:
    """A batch too large for what is free lets smaller ones go before it, and starts alone."""
    tasks = (bench.task("one"), bench.task("large", cpus=2), bench.task("two"))
    offers = Offers(bench, tasks, {"one": 9.0, "large": 8.0, "two": 7.0}, Budget(2, 1 << 40))
    assert offers.start() == ["one", "two"]


def test_refused_batch_is_offered_again(bench: "Bench") -> None:
    """What could not start keeps its place for the next turn."""
    tasks = (bench.task("first"), bench.task("second"))
    offers = Offers(bench, tasks, {"first": 2.0, "second": 1.0}, Budget(2, 1 << 40))
    assert offers.start(refused="first") == ["second"]
    assert offers.start() == ["first"]


@pytest.mark.parametrize(
    ("workers", "budget", "given"),
    [
        (EVERY_PROCESSOR, Budget(8, 1000), 8),
        (4, Budget(8, 1000), 4),
        (4, Budget(2, 1000), 2),
        (EVERY_PROCESSOR, Budget(8, 350), 3),  # 100 bytes each
        (EVERY_PROCESSOR, Budget(8, 50), 1),
        (1, Budget(8, 1000), 1),
    ],
)
def test_batch_takes_a_share_for_each_worker(
    bench: "Bench", workers: int, budget: Budget, given: int
) -> None:
    """A task gets the workers that there is room for, and a processor and memory go with each."""
    batches = Batches(bench.directory, {}, EXECUTORS, budget)
    batch = batches.make((bench.task("wide", workers=workers, memory=100),))
    assert (batch.workers, batch.cpus, batch.memory) == (given, given, 100 * given)


def test_task_with_workers_stays_alone(bench: "Bench") -> None:
    """A task whose work is dealt out shares its processes with no other."""
    tasks = [bench.task(name, workers=number) for name, number in (("a", 0), ("b", 0), ("c", 1))]
    grouped = Batches(bench.directory, {}, SHARING, Budget(2, 1 << 40)).group(tasks)
    assert [[task.package for task in batch.tasks] for batch in grouped] == [["a", "b"], ["c"]]
