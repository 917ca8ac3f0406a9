"""A served process: its address, its drain, its clean end."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2

PROGRAM = """
import os, sys, time
from eventflow_servicekit.application import create_application
from eventflow_servicekit.serving import serve
from eventflow_servicekit.settings import ServiceSettings, load_settings

settings = load_settings(ServiceSettings)
app = create_application(settings, title="Example", description="An example")

@app.get("/slow")
def slow() -> str:
    print("slow request entered", flush=True)
    sys.stdin.readline()
    return "finished"

if os.environ.get("BROKEN"):
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def broken(app):
        raise RuntimeError("cannot start")
        yield

    app.router.lifespan_context = broken
raise SystemExit(serve(app, settings))
"""
PATIENCE_SECONDS = 90.0


class Served:
    """The running example: its process and its address."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stderr is not None
        lines = map(json.loads, process.stderr)
        self.url: str = next(line["url"] for line in lines if line["message"] == "listening")

    def status(self, path: str) -> int:
        """Return the status that the process answers for `path`."""
        return httpx2.get(self.url + path, timeout=PATIENCE_SECONDS).status_code


@contextmanager
def started(**environment: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the example on a free port of the loopback; kill it at the end if it still runs."""
    process = subprocess.Popen(
        (sys.executable, "-c", PROGRAM),
        env={**os.environ, "PORT": "0", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def served(**environment: str) -> Iterator[Served]:
    """Run the example and wait until it listens."""
    with started(**environment) as process:
        yield Served(process)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until `condition` holds; fail after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.01)


def test_sigterm_ends_with_success() -> None:
    """A service that was asked to stop and did so exits with code 0."""
    with served() as service:
        assert service.status("/health/ready") == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE_SECONDS) == 0


def test_running_request_is_finished_before_the_end() -> None:
    """A request that was being answered when SIGTERM came still gets its answer."""
    with served() as service:
        answers: list[int] = []
        caller = threading.Thread(target=lambda: answers.append(service.status("/slow")))
        caller.start()
        assert service.process.stdout is not None
        assert service.process.stdin is not None
        assert service.process.stdout.readline() == "slow request entered\n"
        service.process.send_signal(signal.SIGTERM)
        service.process.stdin.write("go on\n")
        service.process.stdin.flush()
        caller.join(PATIENCE_SECONDS)
        assert answers == [200]
        assert service.process.wait(PATIENCE_SECONDS) == 0


def test_readiness_fails_while_draining_and_second_signal_stops_at_once() -> None:
    """After SIGTERM requests are still answered while readiness says 503, until a second one."""
    with served(DRAIN_SECONDS="600") as service:
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: service.status("/health/ready") == 503)
        assert service.status("/health/live") == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE_SECONDS) == 0


def test_drain_ends_by_itself() -> None:
    """The process stops when the drain is over, without another signal."""
    with served(DRAIN_SECONDS="0.05") as service:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE_SECONDS) == 0


def test_failed_start_is_reported_by_the_exit_code() -> None:
    """An application that cannot start ends the process with code 3."""
    with started(BROKEN="yes") as process:
        assert process.wait(PATIENCE_SECONDS) == 3
