"""A work tree beside the one somebody works in, to look at other commits; it goes as it came."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import IO, Final

from monoyard.tools import git
from monoyard.workspace.repository import Repository

_PREFIX: Final = "monoyard-side-"
_LOCK: Final = "monoyard"


class SideTree:
    """A work tree of its own of a repository, in a temporary directory.

    The other work trees, their indexes and HEADs stay as they are: git shares objects and settings
    alone. What a killed process left of such a tree is removed by the next one.

    Args:
        repository: Whose commits are looked at.

    Attributes:
        top: Its root.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        _remove_left(repository)
        # The name is the one by which git knows it, which is to be nobody else's.
        self.top = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        self._lock: IO[str] | None = None

    def visit(self, commit: str) -> None:
        """Bring it to a commit, with nothing left of what was done in it before.

        Raises:
            RepositoryError: git did not; the context shows what it said.
        """
        repository, record = self._repository, _record(self._repository, self.top)
        if self._lock is None:
            repository.demand(git.add_work_tree(str(self.top), commit))
            self._lock = (record / _LOCK).open("w")
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        there = Repository(self.top, repository.common_directory, record, repository.object_format)
        there.demand(git.remove_unknown())
        there.demand(git.switch_to(commit))

    def remove(self) -> None:
        """Remove it, and what git knows of it, even where it is only half there."""
        _remove(self._repository, self.top)
        if self._lock is not None:
            self._lock.close()


def _record(repository: Repository, top: Path) -> Path:
    """Return the directory in which git keeps what it knows of a work tree."""
    return repository.common_directory / "worktrees" / top.name


def _remove(repository: Repository, top: Path) -> None:
    repository.ask(git.remove_work_tree(str(top)))
    shutil.rmtree(top, ignore_errors=True)
    record = _record(repository, top)
    shutil.rmtree(record, ignore_errors=True)
    with contextlib.suppress(OSError):  # it holds records of other work trees, or is gone
        record.parent.rmdir()


def _remove_left(repository: Repository) -> None:
    """Remove the trees whose processes have ended."""
    for record in (repository.common_directory / "worktrees").glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (record / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            top = Path((record / "gitdir").read_text("utf-8").rstrip("\n")).parent
            if top.name == record.name:  # nobody moved it since
                _remove(repository, top)
