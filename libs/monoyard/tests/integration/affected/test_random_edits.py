"""Random edits: the store never answers for what it has not seen, and nothing goes unforeseen.

`--full` makes a thousand edits. The names of the tests tell the seeds; `--full --seed=N` makes the
same edits again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from unittest import mock

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from monoyard.plan import Entries, Manifest, Task
from monoyard.plan.affected import Affected
from monoyard.plan.keys import Keys
from monoyard.workspace import Tree

from .edits import Edits, EditsForTools, FalseResultError

SHORT = (1, 24)
FULL = (20, 50)
"""Repositories, and edits of each."""

Fault = Callable[[], AbstractContextManager[object]]


def _without(name: str) -> AbstractContextManager[object]:
    """Leave a part of the tasks out of every key."""
    whole = Keys.manifest

    def manifest(self: Keys, task: Task, *more: Entries) -> Manifest:
        parts = tuple(part for part in task.inputs.parts if part[0] != name)
        return whole(self, replace(task, inputs=replace(task.inputs, parts=parts)), *more)

    return mock.patch.object(Keys, "manifest", manifest)


def _nothing_from(owner: type, name: str) -> AbstractContextManager[object]:
    return mock.patch.object(owner, name, return_value=())


def _modes_alike() -> AbstractContextManager[object]:
    whole = Tree.digest

    def digest(self: Tree, path: str) -> str | None:
        found = whole(self, path)
        return found and found.partition(" ")[2]

    return mock.patch.object(Tree, "digest", digest)


FAULTS: dict[str, Fault] = {
    "sources of dependencies": partial(_nothing_from, Keys, "_sources"),
    "own files": partial(_nothing_from, Keys, "_own"),
    "unowned files": partial(_nothing_from, Keys, "_unowned"),
    "declared files": partial(_nothing_from, Keys, "_declared"),
    "behind links": partial(_nothing_from, Tree, "behind_link"),
    "modes": _modes_alike,
    "lock": partial(_without, "lock"),
    "environment": partial(_without, "environment"),
    "causes by dependencies": partial(_nothing_from, Affected, "_dependencies"),
    "causes by settings": partial(_nothing_from, Affected, "_parts"),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every repository of random edits a seed, and choose the faults."""
    is_full = metafunc.config.getoption("--full", default=False)
    first = metafunc.config.getoption("--seed", default=1)
    if "seed" in metafunc.fixturenames:
        count = FULL[0] if is_full else SHORT[0]
        metafunc.parametrize("seed", range(first, first + count))
    if "fault" in metafunc.fixturenames:
        metafunc.parametrize("fault", FAULTS if is_full else [*FAULTS][:1])


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> int:
    """How many edits each repository gets."""
    return (FULL if request.config.getoption("--full", default=False) else SHORT)[1]


def _edit(edits: type[Edits], seed: int, examples: int, steps: int, *phases: Phase) -> None:
    chosen = settings(
        derandomize=False, database=None, deadline=None, max_examples=examples,
        stateful_step_count=steps, phases=(Phase.generate, *phases),
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False, print_blob=False,
    )  # fmt: skip
    run_state_machine_as_test(hypothesis.seed(seed)(edits), settings=chosen)


def test_random_edits(edits: type[Edits], seed: int, steps: int) -> None:
    """After any edit a run from the store says what one without says, and no verdict surprises."""
    _edit(edits, seed, 1, steps, Phase.shrink)
    assert edits.count > 10 * edits.refused, "hardly an edit came to a verdict"


@pytest.mark.parametrize("edits", [EditsForTools], indirect=True)
def test_random_edits_for_tools(edits: type[Edits], request: pytest.FixtureRequest) -> None:
    """What ruff, mypy and pytest say from their caches and ours is what they say without any."""
    is_full = request.config.getoption("--full", default=False)
    seed = request.config.getoption("--seed", default=1)
    _edit(edits, seed, 1, 40 if is_full else 2, Phase.shrink)


def test_incomplete_key_is_found(edits: type[Edits], fault: str) -> None:
    """A key that leaves out one kind of input, or a cause that is not told, is found by edits."""
    with FAULTS[fault](), pytest.raises(FalseResultError):
        _edit(edits, 1, 10, 50)
