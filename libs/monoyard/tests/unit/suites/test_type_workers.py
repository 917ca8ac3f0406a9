"""mypy on a machine that is busy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from monoyard.plan import Inputs, Task
from monoyard.process import Exit
from monoyard.results import Outcome
from monoyard.suites import Finished
from monoyard.suites.python_type import TypeExecutor, TypeWork
from monoyard.suites.venvs import VenvSpec

if TYPE_CHECKING:
    from monoyard.suites import Surroundings

SLOW = (
    b"Failed to establish connection with worker: no status file\n"
    b"mypy: error: cannot start workers\n"
)


class Here:
    """A machine with four free processors."""

    top = Path("/top")
    workers = 4

    def venv(self, _spec: object) -> Path:
        """Return a venv."""
        return Path("/venv")

    def environment(self, _names: object) -> dict[str, str]:
        """Return an empty environment."""
        return {}

    def own_directory(self, name: str) -> Path:
        """Return a directory."""
        return Path("/state") / name

    def copies(self, _cache: Path) -> dict[str, str]:
        """Return no copies: every file is what it seems."""
        return {}


def task(name: str) -> Task:
    """Return the type task of a package."""
    work = TypeWork(
        package=name,
        paths=(f"libs/{name}/src",),
        venv=cast("VenvSpec", None),
        has_own_mypy=True,
        config="",
        directory="",
        search=(),
    )
    return Task(f"{name}:type", name, "type", Inputs(), work=work)


def test_workers_that_start_too_late_are_done_without() -> None:
    """A busy machine is no error: the same packages are checked once more by one process alone."""
    executor, around = TypeExecutor(), cast("Surroundings", Here())
    tasks = (task("one"), task("two"))
    (step,) = executor.steps(tasks, around)
    assert "--num-workers=4" in step.argv
    meaning = executor.interpret(tasks, around, [Finished(step, Exit(1, 2), SLOW, b"")])
    assert not meaning.results
    (again,) = meaning.again
    assert [item.id for item in again] == ["one:type", "two:type"]
    (step,) = executor.steps(again, around)
    assert not any(word.startswith("--num-workers") for word in step.argv)
    # Without workers it is no reason any more: then it is told, and not tried for ever.
    meaning = executor.interpret(again, around, [Finished(step, Exit(2, 2), SLOW, b"")])
    assert not meaning.again
    assert {result.outcome for result in meaning.results.values()} == {Outcome.ERROR}
