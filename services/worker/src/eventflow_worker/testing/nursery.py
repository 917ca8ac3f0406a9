"""Starts workers quickly: `python -m eventflow_worker.testing.nursery`.

Most of a worker's start is importing. This process imports once and forks a worker for each line on
standard input, a JSON object of environment variables; it answers with the worker's process id.
When its input ends, so do its workers.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Self

from eventflow_worker.__main__ import main as work


def _serve() -> None:
    workers: list[int] = []
    try:
        for line in sys.stdin:
            workers.append(_fork(json.loads(line)))
            sys.stdout.write(f"{workers[-1]}\n")
            sys.stdout.flush()
    finally:
        # Until here nobody has asked how a worker ended, so no id can have been given away again.
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _fork(variables: Mapping[str, str]) -> int:
    pid = os.fork()
    if pid == 0:
        os.environ.update(variables)
        os._exit(work())
    return pid


class Nursery:
    """Workers from one nursery, started inside of `with` and gone after it."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "eventflow_worker.testing.nursery"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=90)

    def start(self, variables: Mapping[str, str]) -> int:
        """Start a worker with these variables and return its process id."""
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._process.stdin.write(json.dumps(dict(variables)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


if __name__ == "__main__":
    _serve()
