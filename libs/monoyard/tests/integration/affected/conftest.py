"""A real git repository with a chain of packages: `app` needs `core`, `core` needs `base`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from monoyard.bindings.engine import Engine
from monoyard.plan import Selection, cause_data

SUITES = ("lint", "type", "unit")
_MANIFEST = """\
[project]
name = "{name}"
version = "0.1.0"
dependencies = [{needs}]
"""
_ROOT = """\
[tool.monoyard]
members = ["packages/*"]
lock = "requirements.txt"
{more}
[tool.ruff]
line-length = 100

[tool.mypy]
strict = true
"""
_LOCK = """\
attrs==26.1.0 \\
    --hash=sha256:1111111111111111111111111111111111111111111111111111111111111111
    # via -r workspace.in
pluggy==1.6.0 \\
    --hash=sha256:2222222222222222222222222222222222222222222222222222222222222222
    # via pytest
pytest==9.2.0 \\
    --hash=sha256:3333333333333333333333333333333333333333333333333333333333333333
    # via -r workspace.in
"""


class Repository:
    """A work tree in a temporary directory, and what the engine says of it."""

    def __init__(self, top: Path, environment: dict[str, str]) -> None:
        self.top = top
        self.environment = environment

    def git(self, *arguments: str) -> str:
        """Run git; return what it prints."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.top, env=self.environment, capture_output=True, check=True
        )
        return done.stdout.decode("utf-8", "replace")

    def write(self, path: str, text: str) -> None:
        """Write a file, its directories included."""
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def package(self, name: str, *needs: str, imports: str = "") -> None:
        """Write a package with a module, a test and a README."""
        wanted = ", ".join(f'"{need}"' for need in needs)
        self.write(f"packages/{name}/pyproject.toml", _MANIFEST.format(name=name, needs=wanted))
        self.write(f"packages/{name}/README.md", f"{name}\n")
        self.write(f"packages/{name}/src/{name}/__init__.py", "")
        self.write(f"packages/{name}/src/{name}/module.py", f"{imports}VALUE = 1\n")
        self.write(f"packages/{name}/tests/unit/test_it.py", f"import {name}\n")

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-qm", "change")

    def affected(self, since: str | None = None, **more: str) -> dict[str, set[str]]:
        """Return affected task ids with the types of their causes."""
        engine = Engine(self.top, lambda _: None, {**self.environment, **more})
        plan = engine.plan(Selection(since=since, use_cache=False))
        return {
            planned.task.id: {cause_data(cause)["type"] for cause in planned.causes}
            for planned in plan.affected
        }

    def everything(self, *causes: str) -> dict[str, set[str]]:
        """Return every task of every package with the same causes."""
        names = sorted(path.name for path in (self.top / "packages").iterdir())
        return tasks(*names, causes=causes)


def tasks(
    *packages: str, suites: tuple[str, ...] = SUITES, causes: tuple[str, ...] = ("ChangedFile",)
) -> dict[str, set[str]]:
    """Return task ids of packages with the same cause types."""
    return {f"{package}:{suite}": set(causes) for package in packages for suite in suites}


def dependents(*packages: str) -> dict[str, set[str]]:
    """Return the tasks that read the sources of what these packages need."""
    return tasks(*packages, suites=("type", "unit"), causes=("DependsOn",))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Return a committed repository on a branch of its own, cut from `main`."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_", "GITLAB_"))]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        '[user]\nname = t\nemail = t@example.org\n[protocol "file"]\nallow = always\n', "utf-8"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "MONOYARD_CACHE_DIR": str(tmp_path / "cache"),
    }
    found = Repository(tmp_path / "top", environment)
    found.top.mkdir()
    found.git("init", "-q", "-b", "main")
    found.write("pyproject.toml", _ROOT.format(more=""))
    found.write("requirements.txt", _LOCK)
    found.write("noxfile.py", "")
    found.write("README.md", "")
    found.package("base")
    found.package("core", "base", imports="import base.module\n")
    found.package("app", "core", imports="import core.module\n")
    found.package("other")
    found.commit()
    found.git("checkout", "-qb", "work")
    return found
