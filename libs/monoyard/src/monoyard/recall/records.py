"""Directories of runs, in which they work and leave their records; the newest are kept."""

from __future__ import annotations

import calendar
import contextlib
import fcntl
import os
import re
import shutil
import time
import weakref
from pathlib import Path

from monoyard.errors import UsageError

_KEPT = 20
_SHOWN = 3
_LOCK = "lock"
_RECORD = "run.json"
_STAMP = 22
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}-")


class Records:
    """The directories of the runs of a checkout.

    A run holds a lock in its own as long as this object lives, at most to the end of its process:
    reports are written after the run itself, and quicker runs end meanwhile.

    Args:
        place: The directory that they are in.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def new_id(self, now: float) -> str:
        """Return a name for a run that sorts after those of all that are there, and is unique.

        It says when the run began, to the microsecond; where the clock was set back since the
        newest one, the moment after that one.

        Args:
            now: Unix seconds.
        """
        there = self._place.iterdir() if self._place.is_dir() else ()
        newest = max((path.name[:_STAMP] for path in there if _NAME.match(path.name)), default="")
        moment = round(now * 1_000_000)
        if _stamp(moment) <= newest:
            moment = max(moment, _moment(newest) + 1)
        return f"{_stamp(moment)}-{os.urandom(3).hex()}"

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

    @staticmethod
    def write(directory: Path, data: bytes) -> None:
        """Write what a run came to; whoever reads it meanwhile finds nothing, or all of it."""
        part = directory / f"{_RECORD}.part"
        part.write_bytes(data)
        part.replace(directory / _RECORD)

    def find(self, name: str) -> Path:
        """Return the directory of a run.

        Args:
            name: Its id, the beginning of one, or `latest`.

        Raises:
            UsageError: There is none, or there are several.
        """
        there = sorted(path for path in self._place.glob(f"*/{_RECORD}"))
        found = [path.parent for path in there if path.parent.name.startswith(name)]
        if name == "latest":
            found = [path.parent for path in there[-1:]]
        if len(found) == 1:
            return found[0]
        said = "several runs begin" if found else "there is no file and no run that begins"
        shown = ", ".join(path.name for path in found[:_SHOWN])
        raise UsageError(
            f"{said} with `{name}`" + (f": {shown}" if shown else ""),
            code="unknown-run",
            hint=f"the newest {_KEPT} runs of this checkout are in {self._place}",
        )

    def prune(self) -> None:
        """Remove all but the newest directories and those of runs that have not ended."""
        found = sorted(path for path in self._place.iterdir() if path.is_dir())
        for old in found[:-_KEPT]:
            if not _is_held(old):
                shutil.rmtree(old, ignore_errors=True)


def _stamp(moment: int) -> str:
    """Return a moment in Unix microseconds as names begin with it."""
    second, microseconds = divmod(moment, 1_000_000)
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(second))}.{microseconds:06d}"


def _moment(stamp: str) -> int:
    second, _, microseconds = stamp.partition(".")
    return calendar.timegm(time.strptime(second, "%Y%m%dT%H%M%S")) * 1_000_000 + int(microseconds)


def _is_held(directory: Path) -> bool:
    try:
        with (directory / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it has no lock, or nobody can
        return False
    return False
