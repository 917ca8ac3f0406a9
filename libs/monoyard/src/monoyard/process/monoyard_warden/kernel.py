"""What the system offers to keep track of processes: Linux fully, macOS as far as it goes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Container
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36

_IS_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if _IS_LINUX else None


def become_subreaper() -> None:
    """Make orphaned descendants children of this process (Linux; elsewhere nothing)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send `number` to this process when `parent` ends (Linux; elsewhere nothing).

    The parent may be gone before the call; then the signal is raised here and now.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def restore_signals() -> None:
    """Give every signal the meaning it has in a program that a shell starts.

    What the warden ignores, or what it was started with ignored as a shell's background jobs are,
    would stay ignored in whatever its tasks execute.
    """
    unchangeable = {signal.SIGKILL, signal.SIGSTOP}
    for number in signal.valid_signals() - unchangeable - {signal.SIGPIPE}:  # Python ignores it
        if signal.getsignal(number) != signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def has_no_child() -> bool:
    """Say whether this process surely has nothing running below it.

    A subreaper inherits the children of what ends, so without a child there is no descendant. Where
    the system has no subreapers the answer is never sure.
    """
    if _libc is None:
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def descendants(pid: int, without: Container[int] = ()) -> list[tuple[int, str]]:
    """Return (pid, name) of every living descendant of `pid`, parents before children.

    Those in `without`, and all that is below them, are left out.
    """
    children: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for child, parent, name in _process_table():
        children[parent].append((child, name))
    found: list[tuple[int, str]] = []
    queue = [pid]
    while queue:
        below = [entry for entry in children[queue.pop()] if entry[0] not in without]
        found += below
        queue += [child for child, _ in below]
    return found


def kill_all(pids: list[int]) -> None:
    """Send SIGKILL to each pid that still exists."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _process_table() -> list[tuple[int, int, str]]:
    return _linux_processes() if _IS_LINUX else _posix_processes()


def _linux_processes() -> list[tuple[int, int, str]]:
    rows = []
    for entry in os.listdir("/proc"):  # noqa: PTH208  a Path object per process is too slow
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                text = Path(f"/proc/{entry}/stat").read_bytes().decode("utf-8", "replace")
                # The name stands in parentheses and may itself contain any of them.
                name, _, rest = text.partition("(")[2].rpartition(")")
                state, parent = rest.split()[:2]
                if state != "Z":
                    rows.append((int(entry), int(parent), name))
    return rows


def _posix_processes() -> list[tuple[int, int, str]]:
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid=,stat=,comm="],
        capture_output=True,
        text=True,
        check=False,
    )
    rows = []
    for line in listing.stdout.splitlines():
        pid, parent, state, name = line.split(None, 3)
        if not state.startswith("Z"):
            rows.append((int(pid), int(parent), name))
    return rows
