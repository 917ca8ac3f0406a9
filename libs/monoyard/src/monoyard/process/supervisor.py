"""The engine's end of the warden: start tasks, hear of their ends, stop them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monoyard.errors import MachineError

GRACE_SECONDS = 3.0

_HERE: Final = Path(__file__).parent
_BOOT: Final = (
    "import sys; sys.path[0] = {here!r}; from monoyard_warden import server; "
    "del sys.path[0]; server.main(sys.argv[1:])"
)


@dataclass(frozen=True, slots=True)
class Job:
    """One process to supervise: a program (`argv`) or a module in a fork of a warm interpreter.

    Attributes:
        number: Unique within the supervisor; events carry it back.
        cwd: Working directory.
        env: The whole environment.
        argv: Program and arguments; empty when `module` is given.
        module: Module run as `python -m module arguments`.
        arguments: The module's arguments.
        path: Directories in front of `sys.path` for a module.
        stdout: File that standard output is appended to.
        stderr: File that standard error is appended to; may be the same.
        output_limit: Bytes kept of each stream; what is more is counted and dropped.
        timeout: Seconds until it is stopped.
        grace: Seconds between the stop signal and SIGKILL; `GRACE_SECONDS` when not given.
        stop_signal: Signal number that asks it to stop; 0 means SIGTERM.
        remove: A directory to delete when it has ended, whatever happened; made before where it
            is not there yet.

    """

    number: int
    cwd: Path
    env: Mapping[str, str]
    argv: tuple[str, ...] = ()
    module: str = ""
    arguments: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    stdout: Path | None = None
    stderr: Path | None = None
    output_limit: int = 16 * 1024 * 1024
    timeout: float | None = None
    grace: float | None = None
    stop_signal: int = 0
    remove: Path | None = None
    user: int | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of a job.

    Attributes:
        number: The job's number.
        status: Exit code, or the negative number of the signal that ended it.
        seconds: Wall time.
        max_rss: Peak memory of its largest process, in bytes.
        timed_out: It was stopped because its time had passed.
        stopped: It was asked to stop.
        dropped: Bytes of output beyond the limit.
        leftovers: Names of processes it left behind (they were ended).
        lost: Its keeper was killed, so nothing is known but that it ended.

    """

    number: int
    status: int
    seconds: float = 0.0
    max_rss: int = 0
    timed_out: bool = False
    stopped: bool = False
    dropped: int = 0
    leftovers: tuple[str, ...] = ()
    lost: bool = False

    @property
    def is_cut_short(self) -> bool:
        """Whether it was ended before it was done; its status then says nothing."""
        return self.timed_out or self.stopped or self.lost

    @property
    def has_failed(self) -> bool:
        """Whether it did anything but end by itself with status 0."""
        return self.is_cut_short or self.status != 0


class Supervisor:
    """A running warden under one interpreter.

    Args:
        python: Interpreter to run it with; its imports are what forked modules start from.
        env: Environment of the warden itself.
        preload: Modules imported before the first fork, so that forks start warm.

    """

    def __init__(
        self,
        python: Path,
        *,
        env: Mapping[str, str],
        preload: Sequence[str] = (),
    ) -> None:
        try:
            self._child = subprocess.Popen(
                [str(python), "-c", _BOOT.format(here=str(_HERE)), *preload],
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise MachineError(f"cannot run `{python}`: {error.strerror}") from error
        if self._child.stdin is None or self._child.stdout is None:
            raise MachineError("the supervisor has no streams")
        self._requests = self._child.stdin
        self._events = self._child.stdout
        self._pending = b""

    @property
    def pid(self) -> int:
        """Process id of the warden."""
        return self._child.pid

    def fileno(self) -> int:
        """File descriptor that is readable when `exits` has something to return."""
        return self._events.fileno()

    def start(self, job: Job) -> None:
        """Ask for a job; its end will be among the `exits`."""
        self._send(
            {
                "op": "run",
                "id": job.number,
                "cwd": str(job.cwd),
                "env": dict(job.env),
                "argv": list(job.argv),
                "module": job.module,
                "arguments": list(job.arguments),
                "path": list(job.path),
                "stdout": str(job.stdout) if job.stdout else None,
                "stderr": str(job.stderr) if job.stderr else None,
                "output_limit": job.output_limit,
                "timeout": job.timeout,
                "grace": GRACE_SECONDS if job.grace is None else job.grace,
                "stop_signal": job.stop_signal,
                "remove": str(job.remove) if job.remove else None,
                "user": job.user,
            },
        )

    def stop(self, number: int) -> None:
        """Ask a job to stop; a second call kills it at once. Its exit still arrives."""
        self._send({"op": "stop", "id": number})

    def exits(self) -> list[Exit]:
        """Read the ends that have arrived; blocks only when `fileno` is not readable.

        Raises:
            MachineError: The warden itself was killed; its tasks died with it.

        """
        data = os.read(self._events.fileno(), 1 << 16)
        # Keepers outlive a killed warden for a moment, and say that they stopped their tasks.
        if not data or self._child.poll() is not None:
            raise MachineError(
                "the process that supervises the tasks was killed",
                code="supervisor-killed",
                hint="often memory ran out: lower `[tool.monoyard] memory` or `cpus`",
            )
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [_exit(json.loads(line)) for line in lines if line]

    def close(self) -> None:
        """End of requests: everything still running is stopped within its grace; then return."""
        with contextlib.suppress(OSError):
            self._requests.close()
        try:
            self._child.wait(timeout=7.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._events.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        data = memoryview(json.dumps(message).encode() + b"\n")
        with contextlib.suppress(BrokenPipeError):  # `exits` reports a dead warden
            while data:
                data = data[self._requests.write(data) or 0 :]


def _exit(event: Mapping[str, Any]) -> Exit:
    if event["event"] == "lost":
        return Exit(event["id"], event["status"], lost=True)
    return Exit(
        number=event["id"],
        status=event["status"],
        seconds=event["seconds"],
        max_rss=event["max_rss"],
        timed_out=event["timed_out"],
        stopped=event["stopped"],
        dropped=event["dropped"],
        leftovers=tuple(event["leftovers"]),
    )
