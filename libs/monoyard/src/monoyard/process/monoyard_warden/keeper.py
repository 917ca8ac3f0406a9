"""Keeps one task: starts it, writes down what it prints, ends it in time, sweeps up after it."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import selectors
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from .kernel import (
    become_subreaper,
    descendants,
    die_with_parent,
    has_no_child,
    kill_all,
    restore_signals,
)

_CHUNK = 65536
_POLL_SECONDS = 0.5
_LEAVING_SECONDS = 1.0


class Keeper:
    """Runs in a process of its own, forked from the warden, for as long as the task lives.

    Args:
        request: The JSON object that asked for the task; `server` documents its keys.
        events: File descriptor that takes one JSON line when the task has ended.

    """

    def __init__(self, request: dict[str, Any], events: int) -> None:
        self.request = request
        self.events = events
        self.grace = float(request.get("grace") or 3.0)
        self.limit = int(request.get("output_limit") or 0)
        self.dropped = 0
        self.timed_out = False
        self.is_stopping = False
        self.is_killing = False
        self.kill_at: float | None = None
        self.logs: dict[int, Any] = {}
        self.written: dict[int, int] = {}
        self.child = 0

    def start(self) -> bool:
        """Fork the task. Return True in the task's own process, False in the keeper."""
        become_subreaper()
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_write, False)
        os.set_blocking(self.wake_read, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGUSR1, self._on_kill)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        pipes = self._open_pipes()
        keeper = os.getpid()
        self.started = time.monotonic()
        leads_read, leads_write = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            signal.set_wakeup_fd(-1)
            restore_signals()
            os.setsid()
            os.close(leads_read)
            os.close(leads_write)
            self._become_task(keeper, pipes)
            return True
        for write_end in (leads_write, *(write_end for _, write_end in pipes.values())):
            os.close(write_end)
        os.read(leads_read, 1)  # ends when the task leads its group: a stop goes to that group
        os.close(leads_read)
        return False

    def watch(self) -> None:
        """Wait for the task to end, then report it and leave nothing behind."""
        status, usage = self._wait()
        seconds = time.monotonic() - self.started
        leftovers: list[tuple[int, str]] = []
        if not has_no_child():
            leftovers = self._leftovers()
            self._sweep()
        self._drain()
        for log in self.logs.values():
            log.close()
        if directory := self.request.get("remove"):
            shutil.rmtree(directory, ignore_errors=True)
        event = {
            "event": "exit",
            "id": self.request["id"],
            "status": os.waitstatus_to_exitcode(status),
            "seconds": seconds,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "max_rss": usage.ru_maxrss * (1024 if sys.platform == "linux" else 1),
            "timed_out": self.timed_out,
            "stopped": self.is_stopping,
            "dropped": self.dropped,
            "leftovers": sorted({name for _, name in leftovers})[:10],
        }
        # One write below PIPE_BUF: lines of several keepers never mix.
        with contextlib.suppress(BrokenPipeError):  # nobody is left to hear of it
            os.write(self.events, json.dumps(event).encode() + b"\n")

    def _open_pipes(self) -> dict[str, tuple[int, int]]:
        pipes: dict[str, tuple[int, int]] = {}
        for name in ("stdout", "stderr"):
            path = self.request.get(name)
            if path and path not in pipes:
                pipes[path] = os.pipe()
                log = Path(path).open("ab", buffering=0)  # noqa: SIM115  closed when watch ends
                self.logs[pipes[path][0]] = log
                self.written[pipes[path][0]] = 0
                os.set_blocking(pipes[path][0], False)
        return pipes

    def _become_task(self, keeper: int, pipes: dict[str, tuple[int, int]]) -> None:
        null = os.open(os.devnull, os.O_RDWR)
        streams = [null, null, null]
        for position, name in ((1, "stdout"), (2, "stderr")):
            if path := self.request.get(name):
                streams[position] = pipes[path][1]
        for position, descriptor in enumerate(streams):
            os.dup2(descriptor, position)
        inherited = {self.events, self.wake_read, self.wake_write, null}
        inherited.update(*pipes.values())
        for descriptor in inherited:
            if descriptor > 2:  # noqa: PLR2004  0, 1 and 2 are the task's own streams now
                os.close(descriptor)
        if (user := self.request.get("user")) is not None:
            _change_user(user)
        # Only now: the kernel forgets the wish when a process changes its user.
        die_with_parent(keeper, signal.SIGKILL)

    def _on_stop(self, *_: object) -> None:
        self.is_stopping = True

    def _on_kill(self, *_: object) -> None:
        self.is_stopping = self.is_killing = True

    def _wait(self) -> tuple[int, Any]:
        deadline = None
        if timeout := self.request.get("timeout"):
            deadline = self.started + float(timeout)
        with selectors.DefaultSelector() as selector:
            selector.register(self.wake_read, selectors.EVENT_READ)
            for descriptor in self.logs:
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                for ready, _ in selector.select(self._pause(deadline)):
                    if ready.fd == self.wake_read:
                        with contextlib.suppress(BlockingIOError):
                            os.read(self.wake_read, _CHUNK)
                    elif self._relay(ready.fd):
                        selector.unregister(ready.fd)
                pid, status, usage = os.wait4(self.child, os.WNOHANG)
                if pid == self.child:
                    return status, usage
                self._enforce(deadline)

    def _pause(self, deadline: float | None) -> float:
        due = [at for at in (deadline, self.kill_at) if at is not None]
        return min([_POLL_SECONDS, *(max(0.0, at - time.monotonic()) for at in due)])

    def _enforce(self, deadline: float | None) -> None:
        now = time.monotonic()
        if deadline is not None and now >= deadline and not self.timed_out:
            self.timed_out = self.is_stopping = True
        if self.is_stopping and self.kill_at is None:
            self.kill_at = now + self.grace
            self._signal_group(int(self.request.get("stop_signal") or signal.SIGTERM))
        if self.kill_at is not None and (self.is_killing or now >= self.kill_at):
            self._signal_group(signal.SIGKILL)
            kill_all([pid for pid, _ in descendants(os.getpid())])

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child, number)

    def _relay(self, descriptor: int) -> bool:
        """Copy what is there to the log; return True at the end of the stream."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        room = self.limit - self.written[descriptor] if self.limit else len(data)
        kept = data[: max(0, room)]
        self.dropped += len(data) - len(kept)
        self.written[descriptor] += len(kept)
        try:
            self.logs[descriptor].write(kept)
        except OSError:  # a full disk must not end the task; the loss is in the event
            self.dropped += len(kept)
        return not data

    def _drain(self) -> None:
        for descriptor in self.logs:
            before = -1
            while before != self.written[descriptor] + self.dropped:
                before = self.written[descriptor] + self.dropped
                if self._relay(descriptor):
                    break

    def _leftovers(self) -> list[tuple[int, str]]:
        """Return what the task left running; what ends by itself within a moment does not count."""
        limit = time.monotonic() + (0 if self.is_stopping else _LEAVING_SECONDS)
        while living := descendants(os.getpid()):
            if time.monotonic() > limit:
                return living
            time.sleep(0.01)
        return []

    def _sweep(self) -> None:
        """End every descendant; new ones may appear while the old are being ended."""
        for _ in range(100):
            living = descendants(os.getpid())
            kill_all([pid for pid, _ in living])
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not living:
                return
            time.sleep(0.01)  # the kernel needs a moment to reparent what was just killed


def _change_user(user: int) -> None:
    """Become a user, in the group that the user database names for it."""
    try:
        group = pwd.getpwuid(user).pw_gid
    except KeyError:
        group = user
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
