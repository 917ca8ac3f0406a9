"""What each task reads, without all else of it: who asks what an edit affects needs no more.

Making the tasks of a large workspace costs more than comparing them with a change. An edit of a
Python file that imports what it imported before leaves them as they are, so that they need not be
made again for that question. What is left out here (what they run, what else is in their keys) is
what a plan without keys does not look at. See docs/adr/0032.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from monoyard.plan.task import Inputs, Sourced, Task
from monoyard.workspace import Package, Workspace

_VERSION: Final = 1
_REGULAR: Final = "100"


@dataclass(frozen=True, slots=True)
class Reads:
    """What the tasks of one state of a workspace read.

    Attributes:
        untracked: Paths that git did not know then.
        edits: Path to entry of what differed from the index then; None where nothing was there.
        imports: Package name to a digest of what it imported.
        rows: For each task what `_row` returns.
        covered: As in `Sourced`.
        notes: As in `Sourced`.
    """

    untracked: frozenset[str]
    edits: Mapping[str, str | None]
    imports: Mapping[str, str]
    rows: tuple[Any, ...]
    covered: frozenset[str]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, sourced: Sourced, workspace: Workspace) -> Self | None:
        """Return what tasks read, or None where a state of files would not say enough.

        Args:
            sourced: The tasks.
            workspace: What they were made of.
        """
        tree = workspace.tree
        if not tree.state or tree.links:
            return None
        imports = {name: _imports(package) for name, package in workspace.packages.items()}
        rows = tuple(_row(task, workspace) for task in sourced.tasks)
        return cls(tree.untracked, dict(tree.edits), imports, rows, sourced.covered, sourced.notes)

    def tasks(self, workspace: Workspace) -> Sourced | None:
        """Return the tasks with what they read in another state, or None where that may differ.

        Args:
            workspace: The other state; all that is no file of it must be as it was.
        """
        tree = workspace.tree
        if not tree.state or tree.links or tree.untracked != self.untracked:
            return None
        edits = dict(tree.edits)
        for path in self.edits.keys() | edits.keys():
            if edits.get(path) != self.edits.get(path) and not self._is_harmless(path, workspace):
                return None
        tasks = tuple(_task(row, workspace) for row in self.rows)
        return Sourced(tasks, self.covered, self.notes)

    def _is_harmless(self, path: str, workspace: Workspace) -> bool:
        """Say whether a file is Python then and now, and its package imports what it did."""
        owner = workspace.owner(path)
        return (
            path.endswith(".py")
            and not path.endswith("conftest.py")  # it is read for more than its imports
            and workspace.tree.entries.get(path, "").startswith(_REGULAR)
            and (self.edits.get(path, _REGULAR) or "").startswith(_REGULAR)
            and owner is not None
            and _imports(workspace.packages[owner]) == self.imports.get(owner)
        )

    def to_bytes(self) -> bytes:
        """Return it as it is kept."""
        said = [
            _VERSION, sorted(self.untracked), self.edits, self.imports, self.rows,
            sorted(self.covered), self.notes,
        ]  # fmt: skip
        body = json.dumps(said, separators=(",", ":")).encode()
        return hashlib.sha256(body).hexdigest().encode() + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Return what was kept, or None where it is damaged or of another form."""
        digest, body = data[:64], data[64:]
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        version, untracked, edits, imports, rows, covered, notes = json.loads(body)
        if version != _VERSION:
            return None
        return cls(
            frozenset(untracked), edits, imports, tuple(rows), frozenset(covered), tuple(notes)
        )


def _imports(package: Package) -> str:
    said = json.dumps([package.imports, package.test_imports])
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _row(task: Task, workspace: Workspace) -> list[Any]:
    inputs = task.inputs
    is_usual = inputs.packages == workspace.graph.closure[task.package]
    return [
        task.id, task.package, task.suite, inputs.own, inputs.unread,
        None if is_usual else sorted(inputs.packages), sorted(inputs.around), inputs.files,
        task.needs, task.outputs,
    ]  # fmt: skip


def _task(row: list[Any], workspace: Workspace) -> Task:
    name, package, suite, own, unread, packages, around, files, needs, outputs = row
    needed = workspace.graph.closure[package] if packages is None else frozenset(packages)
    inputs = Inputs(own, unread, needed, frozenset(around), tuple(files))
    return Task(name, package, suite, inputs, tuple(needs), outputs=tuple(outputs))
