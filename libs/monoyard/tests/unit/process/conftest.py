"""Real processes under a real warden; whatever a test starts carries a mark and is found by it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monoyard.process import Exit, Job, Supervisor, clean

PATIENCE_SECONDS = 90.0
MARK = "MONOYARD_TEST_MARK"


class Marked:
    """Finds processes by a variable of their environment, however they detached themselves."""

    def __init__(self) -> None:
        self.value = uuid.uuid4().hex
        self.variable = {MARK: self.value}
        self._entry = f"{MARK}={self.value}".encode()

    def living(self) -> list[int]:
        """Return the ids of living processes that carry the mark."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and self._carries(entry):
                    found.append(int(entry.name))
        return found

    def all_ended(self, seconds: float = PATIENCE_SECONDS) -> bool:
        """Wait until none is left; False where one still lives after that time."""
        return until(lambda: not self.living(), seconds)

    def _carries(self, process: Path) -> bool:
        environment = (process / "environ").read_bytes().split(b"\0")
        return self._entry in environment


class Desk:
    """Starts jobs under one warden and waits for their ends."""

    def __init__(self, directory: Path, marked: Marked, preload: tuple[str, ...] = ()) -> None:
        self.directory = directory
        self.marked = marked
        # What measures coverage, where it is measured, has to reach the warden.
        environment = clean(("COVERAGE_*",))
        self.supervisor = Supervisor(Path(sys.executable), env=environment, preload=preload)
        self._count = 0
        self._exits: dict[int, Exit] = {}

    def start(self, *argv: str, **settings: Any) -> int:
        """Start a job with both streams in files of its own; return its number."""
        self._count += 1
        number = self._count
        environment = {**clean(), **self.marked.variable, **settings.pop("env", {})}
        places = {name: self.directory / f"{number}.{name}" for name in ("stdout", "stderr")}
        job = {"cwd": self.directory, "argv": argv, **places, **settings}
        self.supervisor.start(Job(number, env=environment, **job))
        return number

    def python(self, source: str, **settings: Any) -> int:
        """Start a job that is a Python program without site packages."""
        return self.start(sys.executable, "-I", "-S", "-c", source, **settings)

    def end_of(self, number: int) -> Exit:
        """Wait for the end of a job."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while number not in self._exits:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.supervisor], [], [], left)[0]:
                raise TimeoutError(f"job {number} did not end")
            self._exits.update({ended.number: ended for ended in self.supervisor.exits()})
        return self._exits[number]

    def run(self, *argv: str, **settings: Any) -> tuple[Exit, bytes, bytes]:
        """Run a program to its end; return how it ended and both streams."""
        number = self.start(*argv, **settings)
        return self.end_of(number), self.output(number), self.output(number, "stderr")

    def output(self, number: int, stream: str = "stdout") -> bytes:
        """Return what a job has printed so far."""
        path = self.directory / f"{number}.{stream}"
        return path.read_bytes() if path.exists() else b""

    def says(self, number: int, words: bytes) -> bytes:
        """Wait until a job has printed something; return all it has printed."""
        assert until(lambda: words in self.output(number)), self.output(number, "stderr")
        return self.output(number)


def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Ask again and again whether something has come true; False after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def marked() -> Iterator[Marked]:
    """The mark of this test's processes; those that a failed test left are killed."""
    mark = Marked()
    yield mark
    for pid in mark.living():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def desk(tmp_path: Path, marked: Marked) -> Iterator[Desk]:
    """A warden under the tests' own interpreter."""
    made = Desk(tmp_path, marked)
    yield made
    made.supervisor.close()


@pytest.fixture(name="desk_class")
def desk_class_fixture() -> type[Desk]:
    """`Desk`, for tests that start their warden in a way of their own."""
    return Desk


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., bool]:
    """`until(condition, seconds)`: wait for something that a process does in its own time."""
    return until
