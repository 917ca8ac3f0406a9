"""Directories of runs, in which they work and leave their records; the newest are kept."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import weakref
from pathlib import Path

_KEPT = 20
_LOCK = "lock"


class Records:
    """The directories of the runs of a checkout.

    A run holds a lock in its own as long as this object lives, at most to the end of its process:
    reports are written after the run itself, and quicker runs end meanwhile.

    Args:
        place: The directory that they are in.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def begin(self, run_id: str) -> Path:
        """Make the directory of a run, and hold it."""
        directory = self._place / run_id
        directory.mkdir(parents=True)
        file = (directory / _LOCK).open("w")
        weakref.finalize(self, file.close)
        # Where a file system has no locks, a record is kept as long as it is among the newest.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return directory

    def prune(self) -> None:
        """Remove all but the newest directories and those of runs that have not ended."""
        found = sorted(path for path in self._place.iterdir() if path.is_dir())
        for old in found[:-_KEPT]:
            if not _is_held(old):
                shutil.rmtree(old, ignore_errors=True)


def _is_held(directory: Path) -> bool:
    try:
        with (directory / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it has no lock, or nobody can
        return False
    return False
