"""Which npm scripts are which suites, and what a TypeScript task is made from."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.config import SuiteSettings
from monoyard.install import LocalInterpreters
from monoyard.suites import CommandWork
from monoyard.suites.suite import Draft
from monoyard.suites.typescript import TypescriptSuites, unrun_scripts

if TYPE_CHECKING:
    from .conftest import WorkspaceOf

NPM = ("npm", "run", "--silent")


def draft(
    workspace_of: "WorkspaceOf",
    scripts: dict[str, str],
    suite: str,
    lock: str = "apps/page/package-lock.json",
    **table: Any,
) -> Draft | None:
    """Draft a suite of a package `page` with these scripts and this lock."""
    files = {
        "package.json": '{"workspaces": ["apps/*"]}',
        "apps/page/package.json": json.dumps({"name": "page", "scripts": scripts}),
    }
    workspace = workspace_of({**files, **({lock: "{}"} if lock else {})})
    suites = TypescriptSuites(workspace)
    settings = SuiteSettings(**table)
    found = suites.draft(workspace.packages["page"], suite, settings, LocalInterpreters().default())
    if found is not None and lock == "package-lock.json":
        assert suites.covered == {lock}
    return found


def work(found: Draft | None) -> CommandWork:
    """Return the work of a draft."""
    assert found is not None
    assert isinstance(found.work, CommandWork)
    return found.work


@pytest.mark.parametrize(
    ("suite", "scripts", "chosen"),
    [
        ("lint", {"lint": "biome ci"}, "lint"),
        ("type", {"check-types": "tsc", "typecheck": "tsc"}, "typecheck"),
        ("unit", {"test": "node --test", "test:unit": "x"}, "test:unit"),
        ("unit", {"test": "node --test"}, "test"),
        ("integration", {"test:integration": "x"}, "test:integration"),
        ("contract", {"contract": "x"}, "contract"),
        ("build", {"build": "vite build"}, "build"),
    ],
)
def test_usual_names_are_suites(
    workspace_of: "WorkspaceOf", suite: str, scripts: dict[str, str], chosen: str
) -> None:
    """A suite is the script of the first of its usual names; each may read what it needs."""
    found = draft(workspace_of, scripts, suite)
    assert work(found).commands == ((*NPM, chosen),)
    assert found is not None
    assert found.outputs == (("dist/**",) if suite == "build" else ())
    assert found.reads_packages


def test_suite_without_a_script_is_none(workspace_of: "WorkspaceOf") -> None:
    """What has no script has no task."""
    assert draft(workspace_of, {"lint": "biome ci"}, "unit") is None


def test_vitest_reports_single_tests(workspace_of: "WorkspaceOf") -> None:
    """A script of vitest writes a report, from which the tests are counted."""
    (command,) = work(draft(workspace_of, {"unit": "vitest run"}, "unit")).commands
    assert command == (
        *NPM, "unit", "--", "--reporter=default", "--reporter=junit",
        "--outputFile.junit={scratch}/junit.xml",
    )  # fmt: skip


def test_table_replaces_scripts(workspace_of: "WorkspaceOf") -> None:
    """A command of the package's table wins, and further ones follow it."""
    table: dict[str, Any] = {
        "command": ("make", "lint"),
        "also": (("make", "more"),),
        "fix": ("make", "fix"),
    }
    found = work(draft(workspace_of, {"lint": "biome ci"}, "lint", **table))
    assert found.commands == (("make", "lint"), ("make", "more"))
    assert found.fix == (("make", "fix"),)


@pytest.mark.parametrize(
    ("scripts", "fix"),
    [
        ({"lint": "x", "fix": "y", "lint:fix": "z"}, ((*NPM, "fix"),)),
        ({"lint": "x", "lint:fix": "z"}, ((*NPM, "lint:fix"),)),
        ({"lint": "x"}, ()),
    ],
)
def test_script_that_mends(
    workspace_of: "WorkspaceOf", scripts: dict[str, str], fix: tuple[tuple[str, ...], ...]
) -> None:
    """Lint is mended by the script of a usual name, where there is one."""
    assert work(draft(workspace_of, scripts, "lint")).fix == fix


@pytest.mark.parametrize(
    ("lock", "directory", "is_part"),
    [
        ("apps/page/package-lock.json", "apps/page", False),
        ("apps/page/npm-shrinkwrap.json", "apps/page", False),
        ("package-lock.json", "", True),
    ],
)
def test_nearest_lock_is_installed(
    workspace_of: "WorkspaceOf", lock: str, directory: str, *, is_part: bool
) -> None:
    """The package's own lock, or one above it; one that is not its own is a part of the key."""
    found = draft(workspace_of, {"lint": "x"}, "lint", lock)
    assert work(found).node_modules == directory
    assert found is not None
    assert found.skip == ""
    assert [label for label, _ in dict(found.parts)["lock"]] == ([lock] if is_part else [])


def test_package_without_a_lock_cannot_run(workspace_of: "WorkspaceOf") -> None:
    """Without a lock the suite is there, and is skipped with the reason."""
    found = draft(workspace_of, {"lint": "x"}, "lint", "")
    assert found is not None
    assert found.skip == "there is no package-lock.json to install from"


def test_scripts_beside_a_python_manifest_are_told(workspace_of: "WorkspaceOf") -> None:
    """Scripts that would be suites, were there no `pyproject.toml`, are named, others are not."""
    workspace = workspace_of(
        {
            "a/pyproject.toml": '[project]\nname = "a"\n',
            "a/package.json": json.dumps({"name": "a", "scripts": {"lint": "x", "dev": "x"}}),
            "b/pyproject.toml": '[project]\nname = "b"\n',
            "b/package.json": json.dumps({"name": "b", "scripts": {"dev": "x"}}),
        }
    )
    assert unrun_scripts(workspace) == (
        "a package with pyproject.toml and package.json is a Python one; npm scripts that are not "
        "run: a (lint)",
    )
