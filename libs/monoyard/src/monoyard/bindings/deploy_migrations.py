"""What the migrations of a commit do, where the work tree has the same ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from pathlib import PurePosixPath

from monoyard.bindings.engine import Engine
from monoyard.bindings.migrating import HistoryReader
from monoyard.deployment import Classing, applied_of
from monoyard.errors import MonoyardError
from monoyard.migrations import Classifier, History, history_faults
from monoyard.suites import WorkspaceLock
from monoyard.tools import git

_MOST_TOLD = 3


class WorkTreeHistories:
    """Reads the migrations of the work tree for any commit that has the same.

    A history is read in the service's venv, so that its code has to be on disk. Whether it is that
    of the commit is told by object ids: of the service, of what it imports, and of the lock.

    Args:
        engine: The repository.
        reader: Reads histories; that of the repository unless said.
    """

    def __init__(self, engine: Engine, reader: HistoryReader | None = None) -> None:
        self._engine = engine
        self._reader = reader or HistoryReader(engine)
        # A plan is made again under the lock, of the same work tree.
        self._history = cache(self._read)
        self._classifier = cache(self._reader.classifier)

    def classing(self, service: str, commit: str, new: Collection[str]) -> Classing:
        """Return what is known of migrations; what keeps it from being known is a value too."""
        try:
            differing = list(self._differing(service, commit))
            if differing:
                told = ", ".join(differing[:_MOST_TOLD])
                more = " and more" if len(differing) > _MOST_TOLD else ""
                return Classing(problem=f"the work tree has other code ({told}{more})")
            history = self._history(service)
            classifier: Classifier = self._classifier()
            applied = applied_of(history, new)
            classed = classifier.classify(history, applied)
        except MonoyardError as error:
            return Classing(problem=error.message)
        return Classing(classed, history_faults(history))

    def _read(self, service: str) -> History:
        (package,) = self._reader.packages([service])
        return self._reader.history(package)

    def _differing(self, service: str, commit: str) -> Iterator[str]:
        """Yield the files of which the work tree has another version than the commit."""
        workspace = self._engine.workspace
        closure = self._reader.closure(workspace.packages[service])
        places = [workspace.packages[name].directory for name in closure]
        places += WorkspaceLock.find(workspace).paths
        said = self._engine.repository.demand(git.list_tree(commit))
        then = {path: f"{mode} {oid}" for path, (mode, oid) in git.parse_tree(said).items()}
        now = workspace.tree.entries
        for path in sorted(then.keys() | now.keys()):
            if then.get(path) != now.get(path) and _is_below(path, places):
                yield path


def _is_below(path: str, places: Collection[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(place) for place in places)
