"""Further commands of `lint`, and ruff itself, that did not end as they should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from monoyard.install import LocalInterpreters
from monoyard.plan import Inputs, Task
from monoyard.process import Exit
from monoyard.results import Outcome
from monoyard.suites import CommandWork, Finished, LintWork, Step
from monoyard.suites.python_lint import LintExecutor
from monoyard.suites.venvs import VenvSpec

if TYPE_CHECKING:
    from monoyard.suites import Surroundings

TASK = Task(
    "a:lint", "a", "lint", Inputs(),
    work=LintWork(("libs/a",), None, also=CommandWork("a", "libs/a", (("check", "it"),))),
)  # fmt: skip
VENV = VenvSpec(LocalInterpreters().default(), "uv.lock", "0")
GOOD = Exit(1, 0)
NOT_ENDED = [Exit(1, 0, 2.0, timed_out=True), Exit(1, 0, lost=True), Exit(1, 0, stopped=True)]


class Here:
    """A checkout."""

    top = Path("/top")

    def venv(self, _spec: object) -> Path:
        """Return where a venv is."""
        return Path("/venv")

    def environment(self, _declared: object) -> dict[str, str]:
        """Return the environment of a task."""
        return {}


def linted(*exits: Exit) -> tuple[Outcome, list[str]]:
    """Return what processes that find nothing and end like this mean for the task."""
    step = Step(Path("/top"), {}, argv=("x",))
    finished = [Finished(step, end, b"[]" if n < 2 else b"", b"") for n, end in enumerate(exits)]
    meaning = LintExecutor().interpret([TASK], cast("Surroundings", Here()), finished)
    result = meaning.results["a:lint"]
    return result.outcome, [finding.message for finding in result.findings]


def test_what_ends_by_itself_with_status_0_passes() -> None:
    """Three processes that end by themselves with status 0 are a pass."""
    assert linted(GOOD, GOOD, GOOD) == (Outcome.PASS, [])


@pytest.mark.parametrize("end", [Exit(1, 1), *NOT_ENDED])
def test_a_further_command_that_was_stopped_fails(end: Exit) -> None:
    """A command that did not come to its own end fails, whatever status it made of its signal."""
    said = "was stopped after 2 s (timeout)" if end.timed_out else "failed"
    assert linted(GOOD, GOOD, end) == (Outcome.FAIL, [f"`check it` {said}"])


def test_a_further_command_that_was_not_run_fails() -> None:
    """Where the run stops before a further command, the task has not passed."""
    assert linted(GOOD, GOOD) == (Outcome.FAIL, ["`check it` was not run"])


@pytest.mark.parametrize("end", NOT_ENDED)
def test_ruff_that_was_stopped_has_not_looked_at_everything(end: Exit) -> None:
    """What ruff said before it was stopped is no verdict."""
    assert linted(GOOD, end, GOOD)[0] is Outcome.ERROR


@pytest.mark.parametrize(
    ("said", "status", "outcome"),
    [
        (b"1 file already formatted\n", 0, Outcome.PASS),
        (b"Would reformat: libs/a/a.py\n", 1, Outcome.FAIL),
        (b"", 101, Outcome.ERROR),
    ],
)
def test_layouts_of_a_ruff_before_json(said: bytes, status: int, outcome: Outcome) -> None:
    """With an older ruff in the lock layouts are asked for and read as text."""
    task = replace(TASK, work=LintWork(("libs/a",), VENV, version="0.15.9"))
    check, layouts = LintExecutor().steps([task], cast("Surroundings", Here()))
    assert "--output-format=json" in check.argv
    assert "--output-format=json" not in layouts.argv
    finished = [
        Finished(check, GOOD, b"[]", b""), Finished(layouts, Exit(1, status), said, b""),
    ]  # fmt: skip
    meaning = LintExecutor().interpret([task], cast("Surroundings", Here()), finished)
    assert meaning.results["a:lint"].outcome is outcome
