"""Which manifests of a tree are packages, where uv, npm or nobody says so."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.workspace import Repository, Workspace, load, take_snapshot


class Forgetful:
    """A memo that keeps nothing."""

    def get_many(self, _name: str, _keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is known: nothing."""
        return {}

    def put_many(self, _name: str, _values: Mapping[str, bytes]) -> None:
        """Keep nothing."""


def workspace(top: Path, files: Mapping[str, str]) -> Workspace:
    """Read the workspace of a repository with these files."""
    for path, text in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text, "utf-8")
    subprocess.run(("git", "init", "--quiet", str(top)), check=True)
    return load(take_snapshot(Repository.locate(top)), Forgetful())


def pyproject(name: str, more: str = "") -> str:
    """Return a `pyproject.toml`."""
    return f'[project]\nname = "{name}"\n{more}'


FOUR = {
    "py/inside/pyproject.toml": pyproject("inside"),
    "other/outside/pyproject.toml": pyproject("outside"),
    "js/page/package.json": json.dumps({"name": "page"}),
    "other/tool/package.json": json.dumps({"name": "tool"}),
}


@pytest.mark.parametrize(
    ("root", "found"),
    [
        ({}, ["inside", "outside", "page", "tool"]),
        ({"package.json": '{"workspaces": ["js/*"]}'}, ["inside", "outside", "page"]),
        ({"pnpm-workspace.yaml": "packages:\n  - js/*\n"}, ["inside", "outside", "page"]),
        (
            {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["py/*"]\n'},
            ["inside", "page", "tool"],
        ),
        (
            {
                "package.json": '{"workspaces": ["js/*"]}',
                "pyproject.toml": '[tool.uv.workspace]\nmembers = ["py/*"]\n',
            },
            ["inside", "page"],
        ),
        ({"monoyard.toml": 'members = ["other/*"]\n'}, ["outside", "tool"]),
    ],
)
def test_workspace_of_one_tool_says_nothing_of_the_other_language(
    tmp_path: Path, root: Mapping[str, str], found: list[str]
) -> None:
    """Members of npm are no bound for Python packages, nor those of uv for npm's; ours bind all."""
    assert sorted(workspace(tmp_path, {**FOUR, **root}).packages) == found
