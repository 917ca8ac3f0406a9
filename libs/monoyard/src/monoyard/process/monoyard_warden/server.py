"""The warden's loop: requests in, keepers out, events back.

Requests are JSON objects, one a line:

    {"op": "run", "id": int, "cwd": str, "env": {str: str},
     "argv": [str]            a program to execute, or
     "module": str, "arguments": [str], "path": [str]
                              a module to run as `python -m` would, in a fork of this interpreter,
                              with `path` in front of sys.path
     "stdout": str?, "stderr": str?      files to append to; the same file for both is fine
     "output_limit": int?     bytes kept per file, the rest is counted and dropped
     "timeout": float?        seconds; "grace": float? seconds between the stop signal and SIGKILL
     "stop_signal": int?      default SIGTERM; "remove": str? a directory to make before, if it is
                              not there, and to delete afterwards
     "user": int? a user id to run as}
    {"op": "stop", "id": int}           a second one kills at once

Events: {"event": "exit", "id", "status", "seconds", ...} (see `keeper`) and
{"event": "lost", "id", "status"} when a keeper itself was killed.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from .keeper import Keeper
from .kernel import become_subreaper, descendants, die_with_parent, kill_all
from .leaving import run_to_the_end

_CHUNK = 1 << 20
_CLOSING_SECONDS = 6.0
_SWEEPS = 100


def main(preload: list[str]) -> None:
    """Serve requests until standard input ends; in a forked task, run its body and exit."""
    for name in preload:
        # A venv without the module simply starts cold; the task itself will say what is missing.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # What is loaded here lives as long as any task: collections in a fork need not go through it,
    # which would also copy its pages.
    gc.collect()
    gc.freeze()
    task = _Warden().serve()
    if task is not None:
        _run_body(task)


def _run_body(request: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(request["env"])
    if directory := request.get("remove"):
        try:
            Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            os.write(2, f"cannot make {directory}: {error.strerror}\n".encode())
            os._exit(127)
    try:
        os.chdir(request["cwd"])
    except OSError as error:
        os.write(2, f"cannot enter {request['cwd']}: {error.strerror}\n".encode())
        os._exit(127)
    if argv := request.get("argv"):
        # Python ignores it, and what is ignored stays so in the program that is executed.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            os.execvpe(argv[0], argv, request["env"])  # noqa: S606  argv, no shell
        except OSError as error:
            os.write(2, f"cannot run {argv[0]}: {error.strerror}\n".encode())
            os._exit(127)
    sys.path[:0] = request["path"]
    sys.argv = [request["module"], *request["arguments"]]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    run_to_the_end(request["module"])


class _Warden:
    def __init__(self) -> None:
        self.requests = os.dup(0)
        self.events = os.dup(1)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.close(null)
        self.keepers: dict[int, int] = {}
        self.directories: dict[int, str] = {}
        self.stopping: set[int] = set()
        self.wake_read, self.wake_write = os.pipe()
        for end in (self.wake_read, self.wake_write, self.requests):
            os.set_blocking(end, False)

    def serve(self) -> dict[str, Any] | None:
        """Run the loop; return a request only in the process that is to become that task."""
        become_subreaper()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # only the engine, or its end, stops a run
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.requests, selectors.EVENT_READ)
            selector.register(self.wake_read, selectors.EVENT_READ)
            while True:
                for ready, _ in selector.select():
                    with contextlib.suppress(BlockingIOError):
                        data = os.read(ready.fd, _CHUNK)
                        if ready.fd == self.wake_read:
                            continue
                        if not data:
                            self._close()
                            return None
                        pending += data
                *lines, pending = pending.split(b"\n")
                for line in lines:
                    if (task := self._handle(json.loads(line))) is not None:
                        selector.close()
                        return task
                self._reap()

    def _handle(self, request: dict[str, Any]) -> dict[str, Any] | None:
        if request["op"] == "stop":
            self._stop(request["id"])
            return None
        warden = os.getpid()
        # Signals wait until the keeper has its own handlers: a stop must not be lost on the way.
        blocked = {signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        pid = os.fork()
        if pid:
            self.keepers[pid] = request["id"]
            if directory := request.get("remove"):
                self.directories[pid] = directory
            signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
            return None
        signal.set_wakeup_fd(-1)
        for end in (self.wake_read, self.wake_write, self.requests):
            os.close(end)
        keeper = Keeper(request, self.events)
        is_task = keeper.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
        if is_task:
            return request
        die_with_parent(warden, signal.SIGTERM)
        keeper.watch()
        os._exit(0)

    def _stop(self, number: int) -> None:
        """Ask a keeper to stop its task; the second time, by another signal, to kill it.

        Two equal signals that come close together arrive as one.
        """
        for pid, found in self.keepers.items():
            if found == number:
                os.kill(pid, signal.SIGUSR1 if number in self.stopping else signal.SIGTERM)
        self.stopping.add(number)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                number = self.keepers.pop(pid, None)
                directory = self.directories.pop(pid, "")
                if number is not None and status != 0:
                    self._lost(number, os.waitstatus_to_exitcode(status), directory)

    def _lost(self, number: int, status: int, directory: str) -> None:
        """A keeper was killed; its task died with it, what it left behind is ours now."""
        for _ in range(_SWEEPS):
            strays = descendants(os.getpid(), without=self.keepers)
            kill_all([pid for pid, _ in strays])
            if not strays:
                break
            time.sleep(0.01)  # a parent that dies hides its children until they are ours
        if directory:
            shutil.rmtree(directory, ignore_errors=True)
        line = json.dumps({"event": "lost", "id": number, "status": status})
        with contextlib.suppress(BrokenPipeError):
            os.write(self.events, line.encode() + b"\n")

    def _close(self) -> None:
        """The engine is gone or done: stop every task, then leave."""
        for pid in self.keepers:
            os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + _CLOSING_SECONDS
        while self.keepers and time.monotonic() < limit:
            self._reap()
            time.sleep(0.02)
        kill_all([pid for pid, _ in descendants(os.getpid())])
        for directory in self.directories.values():
            shutil.rmtree(directory, ignore_errors=True)
