"""One process at a time makes a thing; the others wait and then use it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


class Claims:
    """Directories that this process alone uses until it ends.

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


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file for the time of the block; the kernel lets go of it if the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
