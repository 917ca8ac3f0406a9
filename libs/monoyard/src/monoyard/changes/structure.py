"""Whether a change can alter more than files: packages, edges between them, settings, the lock.

Reading the workspace of the base as well costs as much as reading that of the work tree, and most
changes are edits of a function.
"""

from __future__ import annotations

from collections.abc import Iterable

from monoyard.workspace import CommittedTree, Memo, Workspace, scan_files

_PYTHON = (".py", ".pyi")
_SETTINGS = (".toml", ".json", ".yaml", ".cfg", ".ini", ".coveragerc")


def may_change_structure(
    workspace: Workspace, base: CommittedTree, memo: Memo, paths: Iterable[str]
) -> bool:
    """Say whether any of the paths that differ can alter packages, edges, settings or the lock."""
    edited = []
    for path in paths:
        if path.endswith(_PYTHON) and _is_edited(path, workspace, base):
            edited.append(path)
        elif path.endswith((*_PYTHON, *_SETTINGS)) or _is_loose(path, workspace):
            return True
    now, before = scan_files(workspace.tree, memo, edited), scan_files(base, memo, edited)
    return now != before


def _is_edited(path: str, workspace: Workspace, base: CommittedTree) -> bool:
    """Say whether a package's file is there in both states; a new one can answer an import."""
    is_there = path in workspace.tree.entries and path in base.entries
    return is_there and workspace.owner(path) is not None and path not in workspace.tree.links


def _is_loose(path: str, workspace: Workspace) -> bool:
    """Say whether a file is gone, belongs to nobody, or is the lock of all."""
    return (
        path not in workspace.tree.entries
        or workspace.owner(path) is None
        or path == workspace.settings.lock
    )
