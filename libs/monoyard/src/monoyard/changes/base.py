"""Which commit a run compares with.

In this order: what the person typed, what the CI event says, where this branch left the default
branch. A ref that a person typed must exist; one that CI names may be missing (a shallow clone),
and then everything is selected, with that reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from monoyard.changes.events import Event
from monoyard.errors import RepositoryError
from monoyard.tools import git_refs
from monoyard.workspace import Repository

_DEFAULT_NAMES = ("main", "master", "trunk")


@dataclass(frozen=True, slots=True)
class Base:
    """The state that changes are counted from.

    Attributes:
        commit: Its id; None where it is not known.
        how: How it was chosen, in words.
        unknown: Why it is not known; empty where it is.
    """

    commit: str | None
    how: str
    unknown: str = ""


def select_base(
    repository: Repository, *, since: str | None, event: Event, default_branch: str | None
) -> Base:
    """Choose the base.

    Args:
        repository: The work tree.
        since: Ref typed by a person, or None.
        event: The CI event, empty outside CI.
        default_branch: Name from the settings, or None to find it.

    Raises:
        RepositoryError: The typed ref does not exist.
    """
    if since is not None:
        return _typed(repository, since)
    if _resolve(repository, "HEAD") is None:
        return Base(None, "", "there is no commit yet")
    if event.base_commit:
        return _from_event(repository, event)
    if event.is_first_push and event.is_default_branch:
        return Base(None, "", "the default branch was pushed for the first time")
    return _parted(repository, event.base_branch or default_branch)


def default_branch_of(repository: Repository) -> str:
    """Return the default branch as this clone knows it, or nothing."""
    return _candidates(repository, None)[1]


def _typed(repository: Repository, since: str) -> Base:
    commit = _resolve(repository, since)
    if commit is None:
        raise RepositoryError(
            f"there is no commit `{since}`",
            code="unknown-ref",
            hint="fetch it, or name a branch, tag or commit that `git log` knows",
        )
    parted = repository.ask(git_refs.merge_base("HEAD", [commit]))
    if parted is None:
        return Base(commit, f"`{since}` itself (no common history with HEAD)")
    return Base(parted.decode().strip(), f"where HEAD and `{since}` parted")


def _from_event(repository: Repository, event: Event) -> Base:
    commit = _resolve(repository, event.base_commit)
    if commit is None:
        short = event.base_commit[:12]
        return Base(
            None,
            "",
            f"the {event.kind} event names {short}, which this clone lacks{_shallow(repository)}",
        )
    if event.kind == "push" and _is_forced(repository, commit):
        return Base(commit, "the commit before the forced push")
    return Base(commit, f"the commit that the {event.kind} event names")


def _is_forced(repository: Repository, commit: str) -> bool:
    parted = repository.ask(git_refs.merge_base("HEAD", [commit]))
    return parted is None or parted.decode().strip() != commit


def _parted(repository: Repository, branch: str | None) -> Base:
    candidates, name = _candidates(repository, branch)
    if not candidates:
        if branch:
            return Base(
                None, "", f"the branch `{branch}` is not in this clone{_shallow(repository)}"
            )
        return Base(
            None, "", "no default branch was found; name it in `[tool.monoyard] default-branch`"
        )
    parted = repository.ask(git_refs.merge_base("HEAD", candidates))
    if parted is None:
        return Base(None, "", f"HEAD and `{name}` have no common commit{_shallow(repository)}")
    return Base(parted.decode().strip(), f"where this branch left `{name}`")


def _candidates(repository: Repository, branch: str | None) -> tuple[list[str], str]:
    """Return every ref of the default branch (local and of each remote) and its name.

    On the default branch itself the local ref is HEAD, which would hide commits not yet pushed, so
    that only the remotes' count where there are any.
    """
    listed = (repository.ask(git_refs.list_refs()) or b"").decode("utf-8", "replace").splitlines()
    refs = dict(line.partition(" ")[::2] for line in listed)
    remote_heads = [
        target for ref, target in refs.items()
        if ref.endswith("/HEAD") and target.startswith("refs/remotes/")
    ]  # fmt: skip
    if branch is None:
        names = [target.split("/", 3)[3] for target in remote_heads] + list(_DEFAULT_NAMES)
        branch = next((name for name in names if _refs_of(refs, name)), None)
    if branch is None:
        return [], ""
    found = _refs_of(refs, branch)
    current = (repository.ask(git_refs.current_branch()) or b"").decode().strip()
    remotes = [ref for ref in found if ref.startswith("refs/remotes/")]
    return (remotes if current == f"refs/heads/{branch}" and remotes else found), branch


def _refs_of(refs: dict[str, str], branch: str) -> list[str]:
    return [
        ref for ref in refs
        if ref == f"refs/heads/{branch}"
        or (ref.startswith("refs/remotes/") and ref.split("/", 3)[3:] == [branch])
    ]  # fmt: skip


def _resolve(repository: Repository, ref: str) -> str | None:
    answer = repository.ask(git_refs.resolve(ref))
    return answer.decode().strip() if answer else None


def _shallow(repository: Repository) -> str:
    if (repository.ask(git_refs.is_shallow()) or b"").strip() == b"true":
        return "; the clone is shallow (fetch more history, or `fetch-depth: 0`)"
    return ""
