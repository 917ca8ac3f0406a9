"""Where each tool's settings stand for a package, and what of them is part of a key."""

from typing import TYPE_CHECKING

import pytest

from monoyard.suites.tool_settings import (
    COVERAGE,
    MYPY,
    PYTEST,
    RUFF,
    ToolFiles,
    find_settings,
    has_settings,
    settings_entries,
)

if TYPE_CHECKING:
    from .conftest import WorkspaceOf

A = {
    "pyproject.toml": '[tool.monoyard]\nmembers = ["libs/*"]\n',
    "libs/a/pyproject.toml": '[project]\nname = "a"\n',
}


@pytest.mark.parametrize(
    ("tool", "files", "found"),
    [
        (RUFF, {}, ""),
        (RUFF, {"ruff.toml": ""}, "ruff.toml"),
        (RUFF, {"ruff.toml": "", "libs/a/.ruff.toml": ""}, "libs/a/.ruff.toml"),
        (RUFF, {"libs/ruff.toml": "", "ruff.toml": ""}, "libs/ruff.toml"),
        (RUFF, {"libs/pyproject.toml": "[tool.ruff]\nline-length = 9\n"}, "libs/pyproject.toml"),
        (RUFF, {"libs/pyproject.toml": "[tool.black]\n"}, ""),
        (RUFF, {"libs/pyproject.toml": "torn ["}, "libs/pyproject.toml"),
        (MYPY, {"setup.cfg": "[metadata]\n"}, ""),
        (MYPY, {"setup.cfg": "[mypy]\nstrict = true\n"}, "setup.cfg"),
        (MYPY, {"setup.cfg": "[mypy-x.*]\n", "mypy.ini": ""}, "mypy.ini"),
        (PYTEST, {"tox.ini": "[pytest]\n", "setup.cfg": "[tool:pytest]\n"}, "tox.ini"),
        (COVERAGE, {"libs/a/setup.cfg": "[coverage:run]\n", ".coveragerc": ""}, "libs/a/setup.cfg"),
    ],
)
def test_nearest_settings_win(
    workspace_of: "WorkspaceOf", tool: ToolFiles, files: dict[str, str], found: str
) -> None:
    """From the package's directory upwards the first place that a tool would read is its own."""
    workspace = workspace_of({**A, **files})
    package = workspace.packages["a"]
    assert find_settings(workspace, package, tool) == found
    assert has_settings(workspace, package, tool) is bool(found)


def test_tables_in_manifests_are_found(workspace_of: "WorkspaceOf") -> None:
    """The package's own manifest is asked before the root's."""
    own = '[project]\nname = "a"\n[tool.ruff]\nline-length = 80\n'
    root = f"{A['pyproject.toml']}[tool.ruff]\nline-length = 90\n[tool.mypy]\nstrict = true\n"
    workspace = workspace_of({"pyproject.toml": root, "libs/a/pyproject.toml": own})
    package = workspace.packages["a"]
    assert find_settings(workspace, package, RUFF) == "libs/a/pyproject.toml"
    assert find_settings(workspace, package, MYPY) == "pyproject.toml"


def test_parsed_values_are_compared_and_not_bytes(workspace_of: "WorkspaceOf") -> None:
    """Each leaf of a TOML file is an entry with its value, so that remarks change nothing."""
    root = """
        [tool.monoyard]
        members = ["libs/*"]
        [tool.ruff]
        line-length = 100
        [tool.ruff.lint]
        select = ["E", "F"]  # a remark
    """
    workspace = workspace_of({**A, "pyproject.toml": root, "libs/ruff.toml": "# r\nx = {a = 1}\n"})
    assert settings_entries(workspace, "pyproject.toml", RUFF) == (
        ("tool.ruff.line-length", "100"), ("tool.ruff.lint.select", '["E", "F"]'),
    )  # fmt: skip
    assert settings_entries(workspace, "libs/ruff.toml", RUFF) == (("libs/ruff.toml.x.a", "1"),)
    assert settings_entries(workspace, "", RUFF) == ()


@pytest.mark.parametrize("path", ["setup.cfg", "torn.toml"])
def test_other_files_count_as_a_whole(workspace_of: "WorkspaceOf", path: str) -> None:
    """A file that is no TOML, or torn, is one entry with the digest of its bytes."""
    workspace = workspace_of({**A, path: "torn ["})
    ((name, digest),) = settings_entries(workspace, path, MYPY)
    assert name == path
    assert digest == workspace.tree.entries[path]
