"""One process at a time makes a thing; the others wait and then use it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO


class Claims:
    """Directories that this process alone uses until they are released, or it ends.

    Two runs at once in one checkout get two: mypy is right with a shared cache directory, and many
    times slower.
    """

    def __init__(self) -> None:
        self._held: dict[Path, Path] = {}
        self._handles: list[TextIO] = []

    def claim(self, wanted: Path) -> Path:
        """Return `wanted`, or the first of `wanted-2`, `wanted-3` ... that nobody uses."""
        if wanted in self._held:
            return self._held[wanted]
        wanted.parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            place = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
            handle = place.with_name(f"{place.name}.lock").open("w")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                number += 1
                continue
            self._handles.append(handle)
            self._held[wanted] = place
            return place

    def release(self) -> None:
        """Let others use the directories, this process's next run among them."""
        self._held.clear()
        while self._handles:
            self._handles.pop().close()


class OutputLocks:
    """Locks of the directories that tasks leave files in, one for each package of a checkout.

    Two runs at once in one checkout build into the same directory. Whoever builds there holds the
    lock; whoever copies from there waits meanwhile.

    Args:
        state: The checkout's state directory.
    """

    def __init__(self, state: Path) -> None:
        self._place = state / "outputs"
        self._held: dict[str, TextIO] = {}

    def take(self, packages: Iterable[str]) -> bool:
        """Take the locks of all these packages, or none where another run holds one."""
        taken: dict[str, TextIO] = {}
        for package in sorted(set(packages)):
            handle = _opened(self._path(package))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                for held in (handle, *taken.values()):
                    held.close()
                return False
            taken[package] = handle
        self._held |= taken
        return True

    def give_back(self, package: str) -> None:
        """Let go of a lock, if it is held."""
        if (handle := self._held.pop(package, None)) is not None:
            handle.close()

    def close(self) -> None:
        """Let go of all."""
        for package in list(self._held):
            self.give_back(package)

    @contextlib.contextmanager
    def reading(self, package: str) -> Iterator[None]:
        """Wait until nobody builds there, and let nobody begin for the time of the block."""
        with _opened(self._path(package)) as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield

    def _path(self, package: str) -> Path:
        return self._place / f"{hashlib.sha256(package.encode()).hexdigest()[:32]}.lock"


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w")


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file for the time of the block; the kernel lets go of it if the process dies."""
    with _opened(path) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
