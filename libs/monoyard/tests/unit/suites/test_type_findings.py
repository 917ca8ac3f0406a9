"""Whose a finding of mypy is, and what is no verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from monoyard.install import LocalInterpreters
from monoyard.plan import Inputs, Task
from monoyard.process import Exit
from monoyard.results import Outcome
from monoyard.suites import Finished, Interpretation, Step, SuiteSource
from monoyard.suites.python_type import TypeExecutor, TypeWork
from monoyard.suites.venvs import VenvSpec

if TYPE_CHECKING:
    from monoyard.suites import Surroundings

    from .conftest import WorkspaceOf

CHECKED = frozenset({"libs/a", "libs/b", "libs/c"})


class Here:
    """A checkout."""

    top = Path("/top")


def task(name: str, *needed: str) -> Task:
    """Return the type task of a package that needs others."""
    search = tuple(f"libs/{item}/src" for item in (name, *needed))
    work = TypeWork(
        name, (f"libs/{name}",), cast("VenvSpec", None), True, "", "", search, checked=CHECKED
    )
    return Task(f"{name}:type", name, "type", Inputs(), work=work)


def said(*paths: str, severity: str = "error") -> bytes:
    """Return what mypy prints of findings in files."""
    rows = [{"file": path, "line": 1, "message": "x", "severity": severity} for path in paths]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def meaning(tasks: Sequence[Task], stdout: bytes, ended: Exit) -> Interpretation:
    """Return what mypy's end means for the tasks."""
    finished = [Finished(Step(Path("/top"), {}), ended, stdout, b"")]
    return TypeExecutor().interpret(tasks, cast("Surroundings", Here()), finished)


def outcomes(tasks: Sequence[Task], stdout: bytes, ended: Exit) -> list[str]:
    """Return the outcome of each task."""
    results = meaning(tasks, stdout, ended).results
    return [results[item.id].outcome.value for item in tasks]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("libs/a/src/a.py", ["fail", "pass"]),
        ("stubs/third.pyi", ["fail", "fail"]),
        ("libs/c/src/c.py", ["pass", "pass"]),
        ("/top/libs/c/src/c.py", ["pass", "pass"]),
        ("/top/stubs/third.pyi", ["fail", "fail"]),
        ("libs/unchecked/src/unchecked.py", ["pass", "fail"]),
    ],
)
def test_an_error_is_told_by_somebody(path: str, expected: list[str]) -> None:
    """An error fails the package it is in, or, where none is checked there, all it may concern."""
    tasks = (task("a", "c"), task("b", "unchecked"))
    assert outcomes(tasks, said(path), Exit(1, 1)) == expected


def test_a_path_is_read_from_where_mypy_ran() -> None:
    """Paths above the directory of the settings belong to the packages that they lie in."""
    one = task("a", "c")
    tasks = (replace(one, work=replace(cast("TypeWork", one.work), directory="libs/a")),)
    assert outcomes(tasks, said("src/a.py"), Exit(1, 1)) == ["fail"]
    assert outcomes(tasks, said("../c/src/c.py", "/top/libs/c/x.py"), Exit(1, 1)) == ["pass"]


@pytest.mark.parametrize(
    "ended",
    [
        Exit(1, 1), Exit(1, 0, timed_out=True), Exit(1, 0, lost=True), Exit(1, 0, dropped=9),
        Exit(1, 2),
    ],
)  # fmt: skip
def test_an_end_without_a_verdict_is_an_error(ended: Exit) -> None:
    """A mypy that failed without an error to show, or was cut short, has passed nobody."""
    assert outcomes((task("a"),), b"", ended) == ["error"]
    assert outcomes((task("a"),), said("libs/a/x.py", severity="note"), ended) == ["error"]


def test_dropped_output_is_asked_for_again() -> None:
    """Where not all findings were kept, each package is checked alone."""
    tasks = (task("a"), task("b"))
    again = meaning(tasks, said("libs/a/x.py"), Exit(1, 1, dropped=9))
    assert (again.results, again.again) == ({}, ((tasks[0],), (tasks[1],)))
    result = meaning(tasks[:1], said("libs/a/x.py"), Exit(1, 1, dropped=9)).results["a:type"]
    assert result.outcome is Outcome.FAIL


def test_tasks_know_what_others_check(workspace_of: WorkspaceOf) -> None:
    """Every task of types knows what all of them check, so that errors elsewhere are told."""
    checked = "[tool.monoyard.suites.type]\nenabled = true\n"
    workspace = workspace_of(
        {
            "pyproject.toml": '[tool.monoyard]\nmembers = ["libs/*"]\n',
            **{
                f"libs/{name}/pyproject.toml": f'[project]\nname = "{name}"\n{table}'
                for name, table in (("a", checked), ("b", checked), ("c", ""))
            },
            **{f"libs/{name}/src/{name}/__init__.py": "" for name in "abc"},
        }
    )
    tasks = SuiteSource(LocalInterpreters(), {}).tasks(workspace).tasks
    works = [item.work for item in tasks if isinstance(item.work, TypeWork)]
    assert {work.checked for work in works} == {frozenset({"libs/a", "libs/b"})}
    assert len(works) == 2
