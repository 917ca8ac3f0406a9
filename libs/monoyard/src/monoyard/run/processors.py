"""The processors that all runs of one user share: a lock file for each."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import TextIO

WITHIN_A_TASK = "MONOYARD_WITHIN_TASK"
"""Set in the environment of every task: a run that a task starts works in that task's share."""


class Processors:
    """Hands out processors to batches; the kernel takes them back from a run that dies.

    Args:
        directory: Where the lock files are; None shares with nobody.
        count: How many there are.
    """

    def __init__(self, directory: Path | None, count: int) -> None:
        self._files: list[TextIO] = []
        self._held: dict[int, list[TextIO]] = {}
        if directory is not None:
            # A directory that cannot be written is shared with nobody.
            with contextlib.suppress(OSError):
                directory.mkdir(parents=True, exist_ok=True)
                for number in range(count):
                    self._files.append((directory / f"{number}.lock").open("w"))

    def take(self, batch: int, count: int) -> bool:
        """Take processors for a batch, all or none; more than there are means all of them."""
        wanted = min(count, len(self._files))
        taken: list[TextIO] = []
        for file in self._files:
            if len(taken) == wanted:
                break
            if not any(file in held for held in self._held.values()) and _lock(file):
                taken.append(file)
        if len(taken) < wanted:
            for file in taken:
                fcntl.flock(file, fcntl.LOCK_UN)
            return False
        self._held[batch] = taken
        return True

    def give_back(self, batch: int) -> None:
        """Let go of what a batch has; nothing where it has none."""
        for file in self._held.pop(batch, ()):
            fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of everything."""
        for file in self._files:
            file.close()


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
