"""Which branches live, by the word of the remotes themselves, and the history behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from monoyard.errors import MonoyardError, RepositoryError
from monoyard.supply import History
from monoyard.tools import git_refs
from monoyard.workspace import Repository

_SECONDS: Final = 60.0
_NAMED: Final = 5

Tips = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LivingBranches:
    """Asks for the branches that live.

    What a clone knows of a remote is as old as its last fetch, and may be a single branch; so each
    remote is asked. Where the truth cannot be had nothing may be removed by it.

    Attributes:
        repository: The clone.
        warn: Says what a dry run can only guess.
        is_demanding: A guess is an error.
    """

    repository: Repository
    warn: Callable[[str], None]
    is_demanding: bool

    def history(self) -> History:
        """Return the living branches with their commits; a detached HEAD is one, too.

        Raises:
            RepositoryError: It cannot be known, and is demanded.
        """
        repository = self.repository
        self._check_depth()
        tips = git_refs.parse_tips(repository.demand(git_refs.list_tips("refs/heads")))
        for remote in repository.demand(git_refs.list_remotes()).decode().split():
            tips += self._tips_of(remote)
        if repository.ask(git_refs.current_branch()) is None:
            tips += (("HEAD", repository.demand(git_refs.resolve("HEAD")).decode().strip()),)
        known = self._known([commit for _, commit in tips])
        told = "".join(f"{commit}\n" for commit in dict.fromkeys(known)).encode()
        parents, times = git_refs.parse_history(repository.demand(git_refs.list_history(), told))
        return History(parents, times, tips)

    def _check_depth(self) -> None:
        if self.repository.demand(git_refs.is_shallow()).strip() == b"true":
            self._doubt(
                "history is cut off, so nothing tells which images of a branch are its last",
                code="shallow", hint="git fetch --unshallow",
            )  # fmt: skip

    def _tips_of(self, remote: str) -> Tips:
        """Return the branches of a remote; in doubt, those that this clone saw there last."""
        try:
            said = self.repository.demand_of_remote(git_refs.ask_branches(remote), _SECONDS)
        except MonoyardError as error:
            self._doubt(
                f"remote `{remote}` does not say which branches it has",
                code="branches-unknown",
                hint=f"`git ls-remote {remote}` has to work; `git remote remove {remote}` forgets "
                "one that is gone for good",
                context=(error.message, *error.context),
            )
            seen = self.repository.demand(git_refs.list_tips(f"refs/remotes/{remote}"))
            return git_refs.parse_tips(seen)
        tips = git_refs.parse_branches(said)
        known = set(self._known([commit for _, commit in tips]))
        missing = [name for name, commit in tips if commit not in known]
        if missing:
            more = " ..." if len(missing) > _NAMED else ""
            self._doubt(
                f"this clone does not have what {len(missing)} branches of `{remote}` point at",
                code="branches-not-fetched",
                hint=f"git fetch {remote} '+refs/heads/*:refs/remotes/{remote}/*'",
                context=(", ".join(missing[:_NAMED]) + more,),
            )
        return tips

    def _known(self, commits: Sequence[str]) -> list[str]:
        found = self.repository.read_objects(commits)
        return [commit for commit in commits if found[commit] is not None]

    def _doubt(self, fault: str, *, code: str, hint: str, context: tuple[str, ...] = ()) -> None:
        if self.is_demanding:
            raise RepositoryError(fault, code=code, hint=hint, context=context)
        self.warn(f"{fault}; `--apply` would refuse ({hint})")
