"""Whether a tag that moves may move to a commit: forward only, by what git says.

Runs end in any order. The newest commit of a branch may always have its tags, whatever they name:
so it is after a forced push as well. Any other commit takes them over from an older one only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from monoyard.errors import MonoyardError
from monoyard.tools import git_refs
from monoyard.workspace import Repository

_SECONDS: Final = 30.0
_REMOTE: Final = "origin"
_SHORT: Final = 12


class Line(Protocol):
    """The commits of a branch, as far as they are known."""

    def reason_to_stay(self, commits: Collection[str]) -> str:
        """Return why a tag on an image of these commits stays; nothing where it may move."""


@dataclass(frozen=True, slots=True)
class BranchLine:
    """The commits of a branch in a clone.

    Attributes:
        repository: The clone.
        branch: Name of the branch.
        commit: The commit whose images want its tags.
    """

    repository: Repository
    branch: str
    commit: str

    def reason_to_stay(self, commits: Collection[str]) -> str:
        """Return why a tag on an image of these commits stays; nothing where it may move.

        Args:
            commits: All that the image was made from or reused for; none where nobody says so.
        """
        tip = self._tip()  # asked each time: a newer run may have begun since the last image
        if tip == self.commit:
            return ""
        for other in commits:
            if other != self.commit and self._is_ancestor(self.commit, other):
                return f"it is of commit {other[:_SHORT]}, which is newer"
        if commits and all(self._is_ancestor(other, self.commit) for other in commits):
            return ""
        of = ", ".join(sorted(commit[:_SHORT] for commit in commits)) or "no commit that is told"
        where = f"`{self.branch}` is at {tip[:_SHORT]}" if tip else "no remote says more"
        return f"it is of {of}, and git does not know that as older here; {where}"

    def _tip(self) -> str:
        """The newest commit of the branch, by its remote, else by this clone; empty: unknown."""
        if self.repository.ask(git_refs.remote_address(_REMOTE)) is not None:
            try:
                said = self.repository.demand_of_remote(
                    git_refs.ask_branches(_REMOTE, self.branch), _SECONDS
                )
            except MonoyardError:
                return ""
            if found := dict(git_refs.parse_branches(said)).get(self.branch):
                return found
        said = self.repository.ask(git_refs.resolve(f"refs/heads/{self.branch}")) or b""
        return said.decode().strip()

    def _is_ancestor(self, commit: str, other: str) -> bool:
        """Say whether one commit is known here to come before another one."""
        return self.repository.ask(git_refs.is_ancestor(commit, other)) is not None
