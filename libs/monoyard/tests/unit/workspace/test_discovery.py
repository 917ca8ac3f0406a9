"""Which manifests of a tree are packages, where uv, npm or nobody says so."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.errors import ConfigurationError
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


SAME = {
    "a/example/pyproject.toml": pyproject("server"),
    "b/example/pyproject.toml": pyproject("server"),
}


def test_one_name_for_several_packages(tmp_path: Path) -> None:
    """Examples that nobody needs may be called the same: each goes by its directory."""
    assert sorted(workspace(tmp_path, SAME).packages) == ["a/example", "b/example"]


def test_need_of_a_name_that_several_have(tmp_path: Path) -> None:
    """Who needs one of them by that name hears who they are; a path says which is meant."""
    need = pyproject("user", 'dependencies = ["server"]\n')
    source = '[tool.uv.sources]\nserver = { path = "../b/example" }\n'
    found = workspace(tmp_path / "said", {**SAME, "user/pyproject.toml": need + source})
    assert found.graph.direct["user"] == ("b/example",)
    with pytest.raises(ConfigurationError) as raised:
        workspace(tmp_path / "unsaid", {**SAME, "user/pyproject.toml": need})
    assert raised.value.context == (
        "user/pyproject.toml: `server` may mean any of a/example, b/example, which are called the "
        "same; a path says which",
    )


def test_both_manifests_in_one_directory(tmp_path: Path) -> None:
    """With both manifests a package is a Python one, and counts for what needs it by either."""
    found = workspace(
        tmp_path,
        {
            "both/pyproject.toml": pyproject("both-py", 'dependencies = ["lib"]\n'),
            "both/package.json": json.dumps({"name": "@a/both", "dependencies": {"ui": "*"}}),
            "lib/pyproject.toml": pyproject("lib"),
            "ui/package.json": json.dumps({"name": "ui"}),
            "page/package.json": json.dumps({"name": "page", "dependencies": {"@a/both": "*"}}),
            "tables/pyproject.toml": "[tool.ruff]\n",
            "tables/package.json": json.dumps({"name": "tables"}),
        },
    )
    kinds = {name: package.kind for name, package in found.packages.items()}
    assert kinds == {
        "both": "python", "lib": "python", "page": "typescript", "tables": "typescript",
        "ui": "typescript",
    }  # fmt: skip
    assert found.graph.direct["both"] == ("lib", "ui")
    assert found.graph.direct["page"] == ("both",)
    assert found.find(["@a/both"]) == found.find(["both-py"]) == ("both",)


def test_our_table_beside_a_python_manifest(tmp_path: Path) -> None:
    """Settings in the manifest that does not count are a fault, not a silence."""
    files = {
        "both/pyproject.toml": pyproject("both"),
        "both/package.json": json.dumps({"name": "both", "monoyard": {"role": "service"}}),
    }
    with pytest.raises(ConfigurationError) as raised:
        workspace(tmp_path, files)
    assert raised.value.context == (
        "both/package.json: monoyard: the table stands in pyproject.toml, beside it",
    )


@pytest.mark.parametrize(
    ("importer", "more", "needed"),
    [
        ("a/example", "", ()),
        ("a", "", ("a/example",)),
        ("c", "", ("a/example", "b/example")),
        ("c", 'dependencies = ["b-example"]\n', ("b/example",)),
        ("a", 'dependencies = ["b-example"]\n', ("b/example",)),
    ],
)
def test_module_that_several_packages_have(
    tmp_path: Path, importer: str, more: str, needed: tuple[str, ...]
) -> None:
    """An import means one's own module, else what one declares, else the nearest, or all equal."""
    files = {
        "a/pyproject.toml": pyproject("a"),
        "a/example/pyproject.toml": pyproject("a-example"),
        "a/example/server/app.py": "",
        "b/example/pyproject.toml": pyproject("b-example"),
        "b/example/server/app.py": "",
        "c/pyproject.toml": pyproject("c"),
    }
    files[f"{importer}/pyproject.toml"] += more
    files[f"{importer}/main.py"] = "from server import app\n"
    found = workspace(tmp_path, files)
    names = {package.directory: name for name, package in found.packages.items()}
    direct = found.graph.direct[names[importer]]
    assert tuple(found.packages[name].directory for name in direct) == needed
