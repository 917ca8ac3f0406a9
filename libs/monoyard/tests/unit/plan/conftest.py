"""A workspace of files in memory, its tasks, and the plan of a change to them.

`app` needs `core` and `core` needs `base`; `other` needs nothing. Each has two tasks: `lint` reads
its own files, `unit` also reads the sources of what its package needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from monoyard.cache import Store
from monoyard.changes import Base, Changes, Event
from monoyard.plan import (
    Entries,
    Inputs,
    Keys,
    Manifest,
    Plan,
    Selection,
    Sourced,
    Task,
    TaskSource,
    make_plan,
)
from monoyard.workspace import CommittedTree, Tree, Workspace, load

Files = dict[str, str]
ROOT = '[tool.monoyard]\nmembers = ["packages/*"]\n'
BASE = Base("0123abc", "where this branch left `main`")
WORKSPACE_ID = "here"


class MemoryTree(Tree):
    """A tree whose bytes are given; a file at `link:PATH` is a symbolic link."""

    def __init__(self, files: Mapping[str, str], top: Path) -> None:
        self._bytes = {path.removeprefix("link:"): text.encode() for path, text in files.items()}
        entries = {
            path.removeprefix("link:"): f"{'120000' if path.startswith('link:') else '100644'} "
            + hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            for path, text in files.items()
        }
        super().__init__(entries, top, "sha1")

    @property
    def links(self) -> Mapping[str, str]:
        """Symbolic links: path to target."""
        return {
            path: self._bytes[path].decode()
            for path, entry in self.entries.items() if entry.startswith("120000")
        }  # fmt: skip

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of files."""
        return {path: self._bytes[path] for path in paths if path in self._bytes}


class NoMemo:
    """Remembers nothing."""

    def get_many(self, _namespace: str, _keys: Iterable[str]) -> Mapping[str, bytes]:
        """Know nothing."""
        return {}

    def put_many(self, _namespace: str, _values: Mapping[str, bytes]) -> None:
        """Forget it."""


def package(name: str, *needs: str) -> Files:
    """Return the files of a package with a module, a test and a document."""
    wanted = ", ".join(f'"{need}"' for need in needs)
    return {
        f"packages/{name}/pyproject.toml": (
            f'[project]\nname = "{name}"\ndependencies = [{wanted}]\n'
        ),
        f"packages/{name}/{name}.py": "VALUE = 1\n",
        f"packages/{name}/tests/test_it.py": "",
        f"packages/{name}/README.md": "",
    }


def all_files(root: str = ROOT) -> Files:
    """Return the files of the repository that most tests begin with."""
    return {
        "pyproject.toml": root,
        "README.md": "",
        **package("app", "core"),
        **package("core", "base"),
        **package("base"),
        **package("other"),
    }


@dataclass
class Source:
    """Makes the tasks; tests put further inputs and settings into it.

    Attributes:
        inputs: Changes of the inputs of tasks, by id.
        settings: Other fields of tasks, by id.
        parts: Returns the parts of all tasks, from the workspace.
        covered: Paths that the parts are made from, where they exist.
        notes: What it has to say.
        names: Suites.
    """

    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: Callable[[Workspace], tuple[tuple[str, Entries], ...]] = lambda _: ()
    covered: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ("lint", "unit")

    def tasks(self, workspace: Workspace) -> Sourced:
        """Return two tasks for each package."""
        made = [self._task(workspace, name, suite)
                for name in workspace.packages for suite in self.names]  # fmt: skip
        covered = self.covered & workspace.tree.entries.keys()
        return Sourced(tuple(made), covered, self.notes)

    def _task(self, workspace: Workspace, name: str, suite: str) -> Task:
        known = f"{name}:{suite}"
        needed = workspace.graph.closure[name] if suite == "unit" else frozenset()
        inputs = Inputs(packages=needed, parts=self.parts(workspace))
        inputs = replace(inputs, **self.inputs.get(known, {}))
        return Task(known, name, suite, inputs, **self.settings.get(known, {}))


class Scene:
    """The files now and at the base, and what is asked of them."""

    def __init__(self, top: Path, store: Store) -> None:
        self.top = top
        self.store = store
        self.source = Source()
        self.before = all_files()
        self.after = all_files()

    def workspace(self, files: Files) -> Workspace:
        """Read files as a workspace."""
        return load(MemoryTree(files, self.top), NoMemo())

    def changes(self) -> Changes:
        """Compare the two states."""
        old, new = (MemoryTree(files, self.top).entries for files in (self.before, self.after))
        paths = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
        tree = cast("CommittedTree", MemoryTree(self.before, self.top))
        return Changes(BASE, frozenset(paths), self.workspace(self.before), tree)

    def plan(self, changes: Changes | None = None, **more: Any) -> Plan:
        """Plan the files as they are now; `more` is a selection, `event`, `sources`, `resolve`."""
        event = more.pop("event", Event())
        sources: tuple[TaskSource, ...] = more.pop("sources", (self.source,))
        resolve = more.pop("resolve", lambda _: ())
        return make_plan(
            self.workspace(self.after), changes or self.changes(), sources, self.store,
            Selection(**more), event, resolve, WORKSPACE_ID,
        )  # fmt: skip

    def affected(self, changes: Changes | None = None) -> dict[str, list[str]]:
        """Return the affected tasks with their causes, in words and in order."""
        plan = self.plan(changes)
        return {item.task.id: [str(cause) for cause in item.causes] for item in plan.affected}

    def keys(self, files: Files | None = None, covered: frozenset[str] = frozenset()) -> Keys:
        """Return what makes the keys of a state, of the one now unless told."""
        base = MemoryTree(self.before, self.top)
        return Keys(self.workspace(self.after if files is None else files), covered, base)

    def manifests(self, files: Files) -> dict[str, Manifest]:
        """Return the manifest of every task of a state."""
        workspace = self.workspace(files)
        keys = self.keys(files, self.source.covered)
        return {task.id: keys.manifest(task) for task in self.source.tasks(workspace).tasks}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The repository at rest, with an empty store."""
    (tmp_path / "top").mkdir()
    with Store.open(tmp_path / "store", limit_bytes=1 << 30, clock=lambda: 1.8e9) as store:
        yield Scene(tmp_path / "top", store)
