"""What changed: the base, the files that differ from it, and both states as workspaces."""

from __future__ import annotations

from dataclasses import dataclass

from monoyard.changes.base import Base, select_base
from monoyard.changes.branches import Branches, branch_tag, find_branches
from monoyard.changes.changed_files import changed_files
from monoyard.changes.events import Event, read_event
from monoyard.changes.structure import may_change_structure
from monoyard.errors import ConfigurationError, RepositoryError
from monoyard.workspace import CommittedTree, Memo, Repository, Workspace, load

__all__ = [
    "Base",
    "Branches",
    "Changes",
    "Event",
    "branch_tag",
    "find_branches",
    "find_changes",
    "read_event",
    "select_base",
]


@dataclass(frozen=True)
class Changes:
    """The difference between the base and the work tree.

    Attributes:
        base: What was compared with.
        paths: Paths that differ, from the top.
        before: The workspace as it was at the base; None where the base is unknown, or where
            nothing that differs can have changed the graph or the settings.
        tree: The files of the base; None where it is unknown.
    """

    base: Base
    paths: frozenset[str] = frozenset()
    before: Workspace | None = None
    tree: CommittedTree | None = None


def find_changes(
    repository: Repository,
    workspace: Workspace,
    memo: Memo,
    *,
    since: str | None,
    event: Event,
) -> Changes:
    """Compare the work tree with its base.

    Raises:
        RepositoryError: A person named a ref that does not exist.
    """
    base = select_base(
        repository, since=since, event=event, default_branch=workspace.settings.default_branch
    )
    if base.commit is None:
        return Changes(base)
    try:
        tree = CommittedTree(repository, base.commit)
    except RepositoryError as error:
        if since is not None:
            raise
        return Changes(Base(None, "", f"the base cannot be read: {error.message}"))
    paths = changed_files(repository, workspace.tree, tree)
    if not may_change_structure(workspace, tree, memo, paths):
        return Changes(base, paths, None, tree)
    try:
        return Changes(base, paths, load(tree, memo), tree)
    except ConfigurationError as error:
        reason = f"the configuration at the base has faults: {error.context[0]}"
        return Changes(Base(None, "", reason), paths)
