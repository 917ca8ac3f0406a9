"""A scheduler over real processes, without a repository: tasks are commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from monoyard.install import LocalInterpreters, Tools, Venvs
from monoyard.plan import Inputs, Task
from monoyard.process import clean
from monoyard.results import Outcome, TaskResult
from monoyard.run import BatchStarted, Budget, Event, Machinery, Options, Postgres, TaskEnded
from monoyard.run.scheduler import Scheduler
from monoyard.suites import CommandWork


class Bench:
    """Runs tasks and remembers the events."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.events: list[Event] = []
        self.postgres = self.server(Postgres)
        self.listener: Callable[[Event], None] = lambda _: None

    def server(self, kind: type[Postgres]) -> Postgres:
        """Make a database server of a kind."""
        self.venvs = Venvs(self.directory / "kept", self.directory, lambda _: None)
        return kind(Tools(self.venvs, LocalInterpreters()), clean(), None)

    def task(self, name: str, script: str = "true", *needs: str, **settings: Any) -> Task:
        """Make a task that is a shell script; its suite is `unit`."""
        resources = settings.pop("resources", ())
        work = CommandWork(name, "", (("sh", "-c", script),), resources=resources)
        wanted = tuple(f"{need}:unit" for need in needs)
        return Task(f"{name}:unit", name, "unit", Inputs(), wanted, work, **settings)

    def run(
        self,
        *tasks: Task,
        settled: Mapping[str, Outcome] | None = None,
        estimates: Mapping[str, float] | None = None,
        budget: Budget | None = None,
        **options: Any,
    ) -> dict[str, TaskResult]:
        """Run tasks to their ends."""
        top = self.directory
        machinery = Machinery(
            top, top / "state", self.venvs, self.postgres.tools, top / "kept", {}, None, clean()
        )
        scratch = top / "scratch"
        scratch.mkdir(exist_ok=True)
        scheduler = Scheduler(
            machinery, budget or Budget(2, 1 << 40), Options(**options), self._take, self.postgres,
            scratch,
        )  # fmt: skip
        known = {
            f"{name}:unit": TaskResult(f"{name}:unit", outcome)
            for name, outcome in (settled or {}).items()
        }
        named = {f"{name}:unit": seconds for name, seconds in (estimates or {}).items()}
        return scheduler.run(tasks, named, known)

    def outcomes(self, *tasks: Task, **settings: Any) -> dict[str, str]:
        """Run tasks; return package to outcome."""
        results = self.run(*tasks, **settings)
        return {
            name.removesuffix(":unit"): result.outcome.value for name, result in results.items()
        }

    @property
    def started(self) -> list[str]:
        """Packages in the order in which their tasks began."""
        begun = [event for event in self.events if isinstance(event, BatchStarted)]
        return [task.removesuffix(":unit") for event in begun for task in event.tasks]

    @property
    def story(self) -> list[str]:
        """Beginnings and ends in their order, as `+name` and `-name`."""
        told = []
        for event in self.events:
            if isinstance(event, BatchStarted):
                told += [f"+{task.removesuffix(':unit')}" for task in event.tasks]
            elif isinstance(event, TaskEnded):
                told.append(f"-{event.result.task.removesuffix(':unit')}")
        return told

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.listener(event)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A scheduler's surroundings in an empty directory."""
    return Bench(tmp_path)
