"""Short commands whose answer is needed at once: git, version probes, installers."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import IO, Final

from monoyard.errors import InterruptedRunError, MachineError, ToolError
from monoyard.process.command import Command, Completed

_LAUNCHER: Final = (
    "import ctypes, os, signal, sys; "
    "ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0); "  # 1: PR_SET_PDEATHSIG
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); os.execvp(sys.argv[2], sys.argv[2:])"
)
Child = subprocess.Popen[bytes]
"""A started command."""

_running: set[Child] = set()
_waits: set[Callable[[], None]] = set()
_stopped: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def start(command: Command) -> Child:
    """Start a command in a session of its own, both output streams piped.

    Raises:
        InterruptedRunError: `kill_running` stopped this thread.
        MachineError: The program does not exist or cannot be executed.

    """
    _check_not_stopped()
    argv = command.argv
    if command.dies_with_parent and sys.platform == "linux":
        argv = (sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *argv)
    try:
        return subprocess.Popen(
            argv,
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            user=command.user,
            group=None if command.user is None else pwd.getpwuid(command.user).pw_gid,
            extra_groups=None if command.user is None else (),
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise MachineError(
            f"cannot run `{command.argv[0]}`: {error.strerror}",
            code="program-missing",
            hint="install it, or put it on PATH",
        ) from error


def finish(command: Command, child: Child, began: float) -> Completed:
    """Wait for a started command; on a timeout or an interrupt nothing of it is left running."""
    _running.add(child)
    try:
        stdout, stderr = child.communicate(command.stdin, timeout=command.timeout)
    except subprocess.TimeoutExpired as error:
        abandon(child)
        raise ToolError(
            f"`{' '.join(command.argv[:3])}` did not answer within {command.timeout:g} s",
            code="tool-timeout",
        ) from error
    except BaseException:
        abandon(child)
        raise
    finally:
        _running.discard(child)
    return Completed(command, child.returncode, stdout, stderr, time.monotonic() - began)


def capture(command: Command) -> Completed:
    """Run a command to its end and return both streams; a failing status is the caller's matter.

    Raises:
        MachineError: The program does not exist.
        ToolError: The timeout passed.

    """
    began = time.monotonic()
    return finish(command, start(command), began)


def follow(command: Command, listener: Callable[[str], None]) -> Completed:
    """Run a command to its end and hand every line of its standard error to a listener at once.

    Raises:
        MachineError: The program does not exist.

    """
    began = time.monotonic()
    child = start(command)
    _running.add(child)
    stdout: list[bytes] = []
    stderr: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(child.stdout, stdout))
    reader.start()
    try:
        for line in child.stderr or ():
            stderr.append(line)
            listener(line.decode("utf-8", "replace").rstrip())
        child.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    finally:
        _running.discard(child)
        reader.join()
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()
    seconds = time.monotonic() - began
    return Completed(command, child.returncode, b"".join(stdout), b"".join(stderr), seconds)


def _read_all(stream: IO[bytes] | None, into: list[bytes]) -> None:
    into.append(stream.read() if stream is not None else b"")


@contextlib.contextmanager
def cut_short(cut: Callable[[], None]) -> Iterator[None]:
    """Let `kill_running` end what this thread waits for in the block, where that is no command.

    Args:
        cut: Makes the wait end in an error; called from another thread, and perhaps too late.

    Raises:
        InterruptedRunError: `kill_running` stopped this thread, before or meanwhile.
    """
    _check_not_stopped()
    _waits.add(cut)
    try:
        yield
    except OSError:
        _check_not_stopped()
        raise
    finally:
        _waits.discard(cut)


def _check_not_stopped() -> None:
    if threading.current_thread() in _stopped:
        raise InterruptedRunError("the run was asked to stop")


def kill_running() -> None:
    """Kill every command that another thread of this process is waiting for.

    What else they wait for is ended where it was said how (`cut_short`). Those threads start no
    other: one that waited for a lock would take up what was just killed. Threads that begin later,
    and the one that calls, are free.
    """
    _stopped.update(set(threading.enumerate()) - {threading.current_thread()})
    for child in tuple(_running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    for cut in tuple(_waits):
        cut()


def abandon(child: Child) -> None:
    """Kill a started command, with all of its session, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
