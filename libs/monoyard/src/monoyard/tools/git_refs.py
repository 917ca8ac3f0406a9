"""git: command lines and parsers about refs and commits; what `tools.git` says holds here too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from monoyard.tools.git import ask

_COMMITTER: Final = re.compile(rb"^committer .*> (-?\d+) [+-]\d{4}$", re.MULTILINE)


def resolve(ref: str) -> tuple[str, ...]:
    """Resolve a ref to a commit id; fails where there is none."""
    return ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")


def merge_base(head: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Ask for the newest commit that `head` shares with any of the candidates."""
    return ask("merge-base", head, *candidates)


def is_ancestor(commit: str, other: str) -> tuple[str, ...]:
    """Ask whether one commit comes before another one; fails where it does not, or is unknown."""
    return ask("merge-base", "--is-ancestor", commit, other)


def is_shallow() -> tuple[str, ...]:
    """Ask whether history was cut off."""
    return ask("rev-parse", "--is-shallow-repository")


def list_refs() -> tuple[str, ...]:
    """List branches, remote branches and the remote's default branch."""
    return ask("for-each-ref", "--format=%(refname) %(symref)", "refs/heads", "refs/remotes")


def current_branch() -> tuple[str, ...]:
    """Ask for the checked-out branch; fails on a detached HEAD."""
    return ask("symbolic-ref", "--quiet", "HEAD")


def tags_at_head() -> tuple[str, ...]:
    """List the tags that point at HEAD."""
    return ask("tag", "--points-at", "HEAD")


def remote_address(name: str) -> tuple[str, ...]:
    """Ask for the address of a remote."""
    return ask("remote", "get-url", name)


def first_commits() -> tuple[str, ...]:
    """List the commits without a parent that HEAD comes from."""
    return ask("rev-list", "--max-parents=0", "HEAD")


def list_tips(place: str) -> tuple[str, ...]:
    """List refs with what they point at, below a place (`refs/heads`; `refs` for all)."""
    return ask("for-each-ref", "--format=%(objectname) %(refname) %(symref)", place)


def parse_tips(output: bytes) -> tuple[tuple[str, str], ...]:
    """Parse `list_tips` of branches: branch (without its remote) and commit, no default."""
    tips = []
    for line in output.decode("utf-8", "surrogateescape").splitlines():
        commit, name, symbolic = line.split(" ")
        if not symbolic:
            _, kind, short = name.split("/", 2)
            tips.append((short if kind == "heads" else short.partition("/")[2] or short, commit))
    return tuple(tips)


def list_remotes() -> tuple[str, ...]:
    """List the names of the remotes."""
    return ask("remote")


def ask_branches(remote: str, branch: str = "") -> tuple[str, ...]:
    """Ask a remote itself for its branches or one of them, whatever is known of them here."""
    one = (f"refs/heads/{branch}",) if branch else ()
    return ask("ls-remote", "--heads", "--", remote, *one)


def parse_branches(output: bytes) -> tuple[tuple[str, str], ...]:
    """Parse `ask_branches`: pairs of branch and commit."""
    lines = output.decode("utf-8", "surrogateescape").splitlines()
    pairs = (line.split("\t", 1) for line in lines)
    return tuple((name.removeprefix("refs/heads/"), commit) for commit, name in pairs)


def list_history() -> tuple[str, ...]:
    """List the ancestors of the commits on standard input, with their times and parents."""
    return ask("rev-list", "--parents", "--timestamp", "--stdin")


def parse_history(output: bytes) -> tuple[dict[str, str], dict[str, float]]:
    """Parse `list_history`.

    Returns:
        Commit to its first parent (empty for none), and commit to the Unix seconds it was made at.

    """
    parents: dict[str, str] = {}
    times: dict[str, float] = {}
    for line in output.decode("ascii").splitlines():
        seconds, commit, *before = line.split(" ")
        parents[commit] = before[0] if before else ""
        times[commit] = float(seconds)
    return parents, times


def commit_time(content: bytes) -> float | None:
    """Return the Unix seconds a commit was made at, from its object; None for another object."""
    match = _COMMITTER.search(content.partition(b"\n\n")[0])
    return float(match[1]) if match else None


def list_steps(ends: Iterable[str], limit: int | None) -> tuple[str, ...]:
    """List commits along first parents, the oldest first, each with its parents and its subject.

    Args:
        ends: Where to begin, and with `^` in front what is left out with all that came before.
        limit: Only so many of the newest; None for all.
    """
    count = () if limit is None else (f"--max-count={limit}",)
    return ask(
        "rev-list", "--first-parent", "--reverse", *count, "--no-commit-header",
        "--format=%H%x00%P%x00%s", *ends, "--",
    )  # fmt: skip


def parse_steps(output: bytes) -> list[tuple[str, str, str]]:
    """Parse `list_steps`: commit, its first parent (empty where it has none here), its subject."""
    lines = output.decode("utf-8", "replace").split("\n")
    records = (line.split("\0", 2) for line in lines if line)
    return [(commit, parents.partition(" ")[0], subject) for commit, parents, subject in records]
