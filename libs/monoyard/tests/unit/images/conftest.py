"""A small repository with a service, its libraries, a neighbour, and locks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from monoyard.images import ImageSource
from monoyard.install import LocalInterpreters
from monoyard.plan import Keys, Manifest, Task
from monoyard.workspace import Repository, Workspace, load, take_snapshot

ROOT = """
[tool.monoyard]
members = ["libs/*", "services/*"]
lock = "requirements/workspace.txt"

[tool.monoyard.images.bases.python]
packages = ["python3-minimal"]
"""
LOCK = 'python = ["python3-minimal 3.11.2 amd64 ' + "0" * 64 + '"]\n'
BUILD = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'


class NoMemo:
    """Remembers nothing."""

    def get_many(self, _namespace: str, _keys: object) -> dict[str, bytes]:
        """Know nothing."""
        return {}

    def put_many(self, _namespace: str, _values: object) -> None:
        """Forget it."""


class Yard:
    """The repository; what is written counts without being committed."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.mkdir()
        subprocess.run(("git", "init", "--quiet", str(top)), check=True)
        self.write("pyproject.toml", ROOT)
        self.write("requirements/workspace.txt", "hatchling==1.0 \\\n    --hash=sha256:00\n")
        self.write("requirements/shop.txt", "httpx==1.0 \\\n    --hash=sha256:00\n")
        self.write("infra/images/debian.lock", LOCK)
        self.package("libs/core")
        self.package("libs/other")
        self.package("services/shop", "core", table='[tool.monoyard]\nrole = "service"\n')

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text, encoding="utf-8")

    def package(self, directory: str, *needs: str, table: str = "") -> None:
        """Write a package with a module, a test and a README."""
        name = directory.rpartition("/")[2]
        wanted = ", ".join(f'"{need}"' for need in needs)
        self.write(
            f"{directory}/pyproject.toml",
            f'[project]\nname = "{name}"\nversion = "1"\ndependencies = [{wanted}]\n'
            f"{BUILD}\n{table}",
        )
        self.write(f"{directory}/src/{name}/__init__.py", "")
        self.write(f"{directory}/tests/test_it.py", "")
        self.write(f"{directory}/README.md", name)

    @property
    def workspace(self) -> Workspace:
        """The repository as it is now."""
        memo = NoMemo()
        return load(take_snapshot(Repository.locate(self.top), memo), memo)

    def covered(self) -> frozenset[str]:
        """Return the files whose change selects nothing by itself."""
        source = ImageSource(LocalInterpreters(), str, is_refreshing=False)
        return source.tasks(self.workspace).covered

    def tasks(self, problem: str = "", *, is_refreshing: bool = False) -> tuple[Task, ...]:
        """Return the image tasks of now."""
        source = ImageSource(LocalInterpreters(), lambda: problem, is_refreshing=is_refreshing)
        return source.tasks(self.workspace).tasks

    def manifest(self) -> Manifest:
        """Return the manifest of the one image there is."""
        (task,) = self.tasks()
        return Keys(self.workspace, frozenset({"pyproject.toml"}), None).manifest(task)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """A service `shop` that needs `core`, and `other`, which it does not need."""
    return Yard(tmp_path / "yard")
