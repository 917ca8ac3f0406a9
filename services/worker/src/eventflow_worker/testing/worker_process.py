"""A worker as it is run, for tests: a process on a port that the system chooses."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Self


class WorkerProcess:
    """Runs inside of `with`; killed at the end if it has not stopped by itself.

    `variables` are added to this process's environment. `log` grows as the worker writes.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "eventflow_worker"),
            env={**os.environ, "PORT": "0", **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self._url: str | None = None
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def url(self, *, seconds: float = 90.0) -> str:
        """Return where it listens; raise TimeoutError with its log if it does not by then."""
        self._listening.wait(seconds)
        if self._url is None:
            raise TimeoutError("\n".join(["the worker does not listen", *self.log]))
        return self._url

    def terminate(self, *, seconds: float = 90.0) -> int:
        """Ask it to stop and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait(seconds=seconds)

    def wait(self, *, seconds: float = 90.0) -> int:
        """Wait for its end and return its exit code."""
        code = self._process.wait(seconds)
        self.kill()
        return code

    def kill(self) -> None:
        """End it at once and read the rest of its log."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - asked for above
        for line in self._process.stderr:
            self.log.append(line.rstrip())
            if '"listening"' in line:
                self._url = json.loads(line)["url"]
                self._listening.set()
        # Nothing more will come: nobody should go on waiting.
        self._listening.set()
