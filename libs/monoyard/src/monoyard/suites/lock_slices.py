"""The workspace's lock as the suites see it: the venv it makes, the slice a task needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from monoyard.locks import Closures, Lock, parse_lock, slice_entries
from monoyard.plan import Entries
from monoyard.suites.venvs import Interpreter, VenvSpec
from monoyard.workspace import Workspace, normalize, split_requirement

_USUAL_LOCKS: Final = ("uv.lock", "pylock.toml")


class WorkspaceLock:
    """One lock for the whole workspace, or the absence of one.

    Args:
        path: Where it is, from the top; empty where there is none.
        data: Its bytes.
    """

    def __init__(self, path: str, data: bytes | None) -> None:
        self._path = path if data is not None else ""
        self._named = path
        self._data = data or b""
        self._slices: dict[tuple[str, ...], Entries] = {}

    @classmethod
    def find(cls, workspace: Workspace) -> WorkspaceLock:
        """Return the lock that the settings name, else one of the usual names at the root."""
        named = workspace.settings.lock
        for path in (named,) if named else _USUAL_LOCKS:
            if (data := workspace.tree.read(path)) is not None:
                return cls(path, data)
        return cls(named or "", None)

    @property
    def is_there(self) -> bool:
        """Whether there is a lock."""
        return bool(self._path)

    @property
    def paths(self) -> tuple[str, ...]:
        """The lock's path, for those who ask what tasks are made from."""
        return (self._path,) if self._path else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the lock: that it is missing, or tells no closures apart."""
        if not self.is_there:
            name = f"`{self._named}` is not there" if self._named else "there is no lock"
            return (f"{name}: requirements are resolved here, and elsewhere they may be others",)
        if self._lock.problem:
            return (f"{self._path}: {self._lock.problem}, so any change of it affects everything",)
        return ()

    def venv(self, interpreter: Interpreter) -> VenvSpec:
        """Return the venv that holds everything in the lock."""
        return VenvSpec(interpreter, self._path, self._digest)

    def has(self, name: str) -> bool:
        """Say whether the lock has a distribution."""
        return normalize(name) in self._lock.distributions

    def version(self, name: str) -> str:
        """Return the version of a distribution as the lock has it, or nothing."""
        found = self._lock.distributions.get(normalize(name))
        return found.version if found is not None else ""

    def among(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of normalised names that the lock has, sorted."""
        return tuple(sorted(name for name in names if name in self._lock.distributions))

    def has_all(self, requirements: Iterable[str]) -> bool:
        """Say whether the lock has a distribution for every requirement."""
        heads = [split_requirement(item) for item in requirements]
        return self.is_there and all(head is not None and self.has(head[0]) for head in heads)

    def slice(self, roots: Iterable[str]) -> Entries:
        """Return what requirements need of the lock, as entries of a key.

        A requirement that the lock lacks is an entry too: locking it later is a change.
        """
        wanted = tuple(sorted(set(roots)))
        if wanted not in self._slices:
            closure = self._closures.of(wanted)
            absent = tuple((name, "not in the lock") for name in closure.missing)
            self._slices[wanted] = (*slice_entries(closure), *absent)
        return self._slices[wanted]

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self._data).hexdigest()

    @cached_property
    def _lock(self) -> Lock:
        return parse_lock(self._path, self._data)

    @cached_property
    def _closures(self) -> Closures:
        return Closures(self._lock)
