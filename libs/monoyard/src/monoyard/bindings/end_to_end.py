"""`nox -s e2e`: the tests in `tests/e2e`, which act on a cluster, on this terminal and uncached."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from monoyard.bindings.arguments import Arguments
from monoyard.bindings.checks import Checks
from monoyard.bindings.foreground import run_tests_here
from monoyard.errors import UsageError
from monoyard.plan import Task
from monoyard.suites import TestWork

PYTHON: Final = "MONOYARD_PYTHON"
"""Variable that tells these tests the interpreter whose nox and invoke they call."""

_PLACE: Final = "tests/e2e"
_SUITE: Final = "integration"


def run_end_to_end(directory: Path, words: Sequence[str]) -> None:
    """Run the tests of `tests/e2e` in the venv that the other tests of the root have.

    They see the whole environment of the caller, because what they act on is found by it; and
    nothing of them is cached, because a cluster is no input that could be named.

    Args:
        directory: A directory of the repository.
        words: For pytest.

    Raises:
        UsageError: There are no such tests.
        ChecksFailedError: One failed.
    """
    checks = Checks(directory)
    engine = checks.engine
    root = engine.settings.root_package
    if root is None or not (engine.repository.top / _PLACE).is_dir():
        raise UsageError(
            f"there is no {_PLACE} here",
            hint="tests of a whole system belong there, and `root-package` names who owns them",
        )
    arguments = Arguments(packages=(root,), use_cache=False, env_mode="loose")
    plan = engine.plan(engine.selection(arguments, (_SUITE,)))
    machinery = checks.machinery(plan, arguments)
    machinery = replace(machinery, environment={**engine.environment, PYTHON: sys.executable})
    tasks = [_instead(planned.task) for planned in plan.selected]
    run_tests_here(tasks, machinery, engine, words)


def _instead(task: Task) -> Task:
    """Return a task of tests that runs those of a whole system in the place of its own."""
    if not isinstance(task.work, TestWork):
        return task  # and is refused where it is run
    work = replace(
        task.work, paths=(_PLACE,), ignore=(), resources=(), tools=(), migrate=(), coverage=None
    )
    return replace(task, id=f"{task.package}:e2e", suite="e2e", work=work)
