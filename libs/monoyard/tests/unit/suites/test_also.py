"""Further commands stand only where they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monoyard.errors import ConfigurationError
from monoyard.install import LocalInterpreters
from monoyard.suites import SuiteSource

if TYPE_CHECKING:
    from .conftest import WorkspaceOf

ALSO = 'also = [["false"]]\n'
ROOT = '[tool.monoyard]\nmembers = ["libs/*"]\n'
PROBLEM = "only lint and suites with a command take further commands"


def manifest(**suites: str) -> str:
    """Return a package's manifest with tables of suites."""
    tables = (f"[tool.monoyard.suites.{name}]\n{text}" for name, text in suites.items())
    return '[project]\nname = "NAME"\n' + "".join(tables)


def test_further_commands_that_nobody_runs_are_faults(workspace_of: WorkspaceOf) -> None:
    """Each `also` that would be part of a key and never run is named with its file, all at once."""
    own = manifest(unit=ALSO, type=ALSO, build=ALSO, contract=f"enabled = false\n{ALSO}")
    workspace = workspace_of(
        {
            "pyproject.toml": ROOT
            + f"[tool.monoyard.suites.integration]\n{ALSO}"
            + f"[tool.monoyard.packages.b.suites.unit]\n{ALSO}",
            "libs/a/pyproject.toml": own.replace("NAME", "a"),
            "libs/b/pyproject.toml": manifest().replace("NAME", "b"),
        }
    )
    with pytest.raises(ConfigurationError) as raised:
        SuiteSource(LocalInterpreters(), {}).tasks(workspace)
    assert raised.value.context == tuple(
        f"{place}.also: {PROBLEM}"
        for place in (
            "libs/a/pyproject.toml: suites.type",
            "libs/a/pyproject.toml: suites.unit",
            "pyproject.toml: suites.integration",
            "libs/a/pyproject.toml: suites.build",
            "pyproject.toml: packages.b.suites.unit",
        )
    )


def test_further_commands_that_are_run_are_none(workspace_of: WorkspaceOf) -> None:
    """`lint`, suites with a command, and scripts of TypeScript packages take further commands."""
    own = manifest(lint=ALSO, unit=f'command = ["true"]\n{ALSO}', type="also = []\n")
    table = '"monoyard": {"suites": {"unit": {"also": [["x"]]}}}'
    workspace = workspace_of(
        {
            "pyproject.toml": ROOT,
            "libs/a/pyproject.toml": own.replace("NAME", "a"),
            "libs/a/src/a/__init__.py": "",
            "libs/web/package.json": f'{{"name": "web", "scripts": {{"test": "x"}}, {table}}}',
        }
    )
    tasks = SuiteSource(LocalInterpreters(), {}).tasks(workspace).tasks
    assert {task.id for task in tasks} == {"a:lint", "a:unit", "web:unit"}
