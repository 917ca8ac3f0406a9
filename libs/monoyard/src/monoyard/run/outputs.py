"""Declared outputs: put back where their tasks leave them, and out of the way before a task runs.

What an earlier state of the package left in `dist/` is no output of this one, yet a glob cannot
tell. So such files go, but only those that git ignores, and only for patterns that begin with a
name: `*.log` may match what a person keeps.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from monoyard.cache import Store, StoredFile, StoredResult
from monoyard.plan import Plan, PlannedTask, State, Task
from monoyard.workspace import Repository, Workspace, files_on_disk


def put_back_outputs(plan: Plan, store: Store) -> Plan:
    """Make the outputs of every hit what its result says.

    Returns:
        The plan in which a hit whose outputs cannot be put back is to be run.
    """
    lost = {
        planned.task.id
        for planned in plan.in_state(State.HIT)
        if planned.stored is not None and not _put_back(plan, planned, planned.stored, store)
    }
    if not lost:
        return plan
    return replace(
        plan,
        tasks=tuple(
            _to_be_run(planned) if planned.task.id in lost else planned for planned in plan.tasks
        ),
    )


def clear_outputs(workspace: Workspace, task: Task, kept: Iterable[str] = ()) -> None:
    """Remove what git ignores where a task puts its outputs, inside the work tree.

    Args:
        workspace: Where the task's package is.
        task: The task that is about to run, or was replayed.
        kept: Paths from the package's directory that stay as well.
    """
    package = workspace.packages[task.package]
    patterns = [name for name in task.outputs if not {"*", "?"} & set(name.split("/")[0])]
    staying = frozenset(kept)
    names = files_on_disk(workspace.top / package.directory, patterns) if patterns else ()
    left = {posixpath.normpath(package.path(name)) for name in names if name not in staying}
    left = {path for path in left if path not in workspace.tree.entries}
    if not left:
        return
    for path in Repository.locate(workspace.top).ignored(sorted(left)) & left:
        (workspace.top / path).unlink(missing_ok=True)


def read_outputs(workspace: Workspace, task: Task) -> tuple[StoredFile, ...]:
    """Return what a task left, as it is now; symbolic links are no outputs."""
    directory = workspace.top / workspace.packages[task.package].directory
    found = []
    for name in files_on_disk(directory, task.outputs):
        if not (directory / name).is_symlink():
            with contextlib.suppress(FileNotFoundError):  # it went meanwhile
                found.append(StoredFile.of_file(name, directory / name))
    return tuple(found)


def _to_be_run(planned: PlannedTask) -> PlannedTask:
    seconds = planned.stored.duration_seconds if planned.stored else 0.0
    return replace(planned, state=State.RUN, stored=None, estimate=seconds)


def _put_back(plan: Plan, planned: PlannedTask, stored: StoredResult, store: Store) -> bool:
    workspace = plan.workspace
    clear_outputs(workspace, planned.task, (file.path for file in stored.outputs))
    if not stored.outputs:
        return True
    package = workspace.top / workspace.packages[planned.task.package].directory
    if all(_is_at(package / file.path, file) for file in stored.outputs):
        return True
    return store.restore(stored, package)


def _is_at(path: Path, file: StoredFile) -> bool:
    try:
        return not path.is_symlink() and StoredFile.of_file(file.path, path) == file
    except OSError:
        return False
