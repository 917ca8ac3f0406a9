"""Runs a service as its own process, as it is run for real, for tests."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.01
# A check that takes long on a busy machine is not what these tests are about.
_ENVIRONMENT = {"HOST": "127.0.0.1", "PORT": "0", "CHECK_TIMEOUT_SECONDS": "60"}


class ServiceNotRunningError(Exception):
    """The process ended, or did not listen in time; the message holds its log."""


@dataclass(frozen=True)
class RunningService:
    """A process that answers HTTP at `url`; what it logged is in the file `log_path`."""

    url: str
    process: "subprocess.Popen[bytes]"
    log_path: Path

    def log(self) -> str:
        """Return everything that the process has logged until now."""
        return self.log_path.read_text(encoding="utf-8")

    def log_lines(self, message: str) -> list[dict[str, object]]:
        """Return the log lines with this message, parsed."""
        lines = [json.loads(line) for line in self.log().splitlines()]
        return [line for line in lines if line["message"] == message]

    def stop(self, *, patience_seconds: float = 90.0) -> int:
        """Ask the process to stop and return its exit code.

        Raises subprocess.TimeoutExpired when it does not stop in time.
        """
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience_seconds)


@contextmanager
def run_service(
    module: str, environment: Mapping[str, str], *, patience_seconds: float = 90.0
) -> Iterator[RunningService]:
    """Run `python -m <module>` on a free port of the loopback until the block ends.

    `environment` is added to that of the tests. Raises ServiceNotRunningError when the process
    does not listen within `patience_seconds`. Nothing of it is left after the block.
    """
    # A file and not a pipe: a pipe that nobody reads stops the process once it is full.
    with tempfile.TemporaryDirectory() as directory:
        log_path = Path(directory) / "log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                (sys.executable, "-m", module),
                env={**os.environ, **_ENVIRONMENT, **environment},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        with process:
            try:
                url = _wait_for_url(process, log_path, time.monotonic() + patience_seconds)
                yield RunningService(url, process, log_path)
            finally:
                process.kill()


def _wait_for_url(process: "subprocess.Popen[bytes]", log_path: Path, deadline: float) -> str:
    while True:
        log = log_path.read_text(encoding="utf-8")
        for line in log.splitlines(keepends=True):
            # The last line may be written only in part.
            if line.endswith("\n") and '"message": "listening"' in line:
                url: str = json.loads(line)["url"]
                return url
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceNotRunningError(f"exit code {process.returncode}\n{log}")
        time.sleep(_POLL_SECONDS)
