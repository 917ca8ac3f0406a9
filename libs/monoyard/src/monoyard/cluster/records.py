"""The cluster's processes: started detached, found again by process id and start time."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.process import Command, clean, start_detached

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS: Final = 20.0
_PAUSE: Final = 0.05  # seconds between two looks: nothing tells when it is so far


@dataclass(frozen=True, slots=True)
class Records:
    """What was started, on disk, so that the next call knows it.

    Attributes:
        directory: Holds `NAME.pid` and `NAME.log`.
    """

    directory: Path

    def start(self, name: str, argv: tuple[str, ...]) -> int:
        """Start a program that stays, unless it runs already; return its process id."""
        living = self.living(name)
        if living is not None:
            return living
        self.directory.mkdir(parents=True, exist_ok=True)
        pid = start_detached(Command(argv, Path("/"), system_environment()), self.log(name))
        self._path(name).write_text(f"{pid} {began(pid)}", encoding="utf-8")
        return pid

    def living(self, name: str) -> int | None:
        """Return the process id of what was started, or None where it has ended."""
        try:
            pid, since = self._path(name).read_text("utf-8").split(" ")
        except (OSError, ValueError):
            return None
        return int(pid) if since and began(int(pid)) == since else None

    def was_told(self, name: str, words: Sequence[str]) -> bool:
        """Say whether these are the last arguments of what runs."""
        try:
            said = Path(f"/proc/{self.living(name)}/cmdline").read_bytes().split(b"\0")[:-1]
        except OSError:
            return False
        return said[-len(words) :] == [word.encode() for word in words]

    def stop(self, name: str) -> bool:
        """End one process, at the latest by SIGKILL; say whether it was there."""
        pid = self.living(name)
        if pid is not None:
            end((pid,))
        self._path(name).unlink(missing_ok=True)
        return pid is not None

    def log(self, name: str) -> Path:
        """Return the file that holds what a program says."""
        return self.directory / f"{name}.log"

    def last_lines(self, name: str, count: int = 5) -> tuple[str, ...]:
        """Return the last lines of a program's log."""
        with contextlib.suppress(OSError):
            return tuple(self.log(name).read_text("utf-8", "replace").splitlines()[-count:])
        return ()

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.pid"


def system_environment() -> dict[str, str]:
    """Return the environment of system programs: the administrator's directories, no proxy."""
    environment = clean((), os.environ)
    return {**environment, "PATH": _PATH}


def began(pid: int) -> str:
    """Return when a process began, in the kernel's words; a zombie has ended."""
    fields = _stat(pid)
    return "" if not fields or fields[0] == "Z" else fields[19]


def mount_namespace_of(pid: int | str) -> str:
    """Return the name of a process's mount namespace.

    Raises:
        OSError: There is no such process.
    """
    return str(Path(f"/proc/{pid}/ns/mnt").readlink())


def of_namespace(name: str) -> set[int]:
    """Return the processes of a mount namespace, and all their descendants.

    Containers have namespaces of their own, but descend from a shim that has ours.
    """
    parents: dict[int, int] = {}
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        if (fields := _stat(pid)) and fields[0] != "Z":
            parents[pid] = int(fields[1])
        with contextlib.suppress(OSError):
            if mount_namespace_of(pid) == name:
                found.add(pid)
    return found & parents.keys() | _descendants(parents, found)


def end(pids: Collection[int], grace: float = _SECONDS) -> None:
    """End processes: SIGTERM, and SIGKILL for those that are left after the grace in seconds."""
    since = {pid: began(pid) for pid in pids}
    waiting = {pid for pid in since if since[pid]}
    for number in (signal.SIGTERM, signal.SIGKILL) if grace else (signal.SIGKILL,):
        for pid in waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + (grace or _SECONDS)
        while waiting and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            _reap(waiting)
            waiting = {pid for pid in waiting if began(pid) == since[pid]}
    _reap(pids)


def _reap(pids: Collection[int]) -> None:
    """Take the status of those that are our own children, so that none stays as a zombie."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _descendants(parents: Mapping[int, int], of: Collection[int]) -> set[int]:
    found = set(of)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found & parents.keys()


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []
