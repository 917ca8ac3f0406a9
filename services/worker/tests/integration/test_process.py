"""The worker as it is run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import pytest

from eventflow_worker.settings import WorkerSettings
from eventflow_worker.testing.event_tables import EventTables
from eventflow_worker.testing.notifications_server import NotificationsServer, Received
from eventflow_worker.testing.worker_process import WorkerProcess

PATIENCE_SECONDS = 90.0
ORDER = {
    "type": "order.placed",
    "version": 2,
    "source": "shop",
    "occurred_at": "2026-03-01T12:34:56Z",
    "correlation_id": "c-1",
    "data": {
        "order_id": "o-1",
        "email": "ada@example.org",
        "total": {"minor_units": 1200, "currency": "EUR"},
    },
}


@pytest.fixture
def variables(settings: WorkerSettings) -> dict[str, str]:
    """Return the variables of a process on the test's database."""
    return {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "NOTIFICATIONS_TOKEN": settings.notifications_token.get_secret_value(),
        "IDLE_PAUSE_SECONDS": "0.05",
    }


def wait_until(is_over: Callable[[], bool]) -> None:
    """Ask `is_over` until it says yes; fail after some seconds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_over():
        assert time.monotonic() < end, "it is not over in time"
        time.sleep(0.02)


def test_a_worker_works_shows_itself_and_stops(
    variables: dict[str, str], tables: EventTables
) -> None:
    """A queued event has its effects, health and metrics tell so, and SIGTERM ends with 0."""
    (order,) = tables.add(ORDER)
    with NotificationsServer() as server:
        with WorkerProcess({**variables, "NOTIFICATIONS_URL": server.url}) as worker:
            url = worker.url()
            wait_until(lambda: tables.queued() == 0)
            with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as client:
                live = client.get("/health/live")
                ready = client.get("/health/ready")
                metrics = client.get("/metrics")
                unknown = client.get("/v1/events")
            assert worker.terminate() == 0
        log = "\n".join(worker.log)
    assert live.status_code == 200
    checks = {"database": "ok", "schema": "ok", "loop": "ok"}
    assert ready.json() == {"status": "ready", "checks": checks}
    assert 'worker_events_total{outcome="done"} 1.0' in metrics.text
    assert unknown.status_code == 404
    assert tables.effects(order) == {"counted", "notified:order-placed"}
    (received,) = server.received
    assert received.headers["x-correlation-id"] == "c-1"
    assert variables["NOTIFICATIONS_TOKEN"] not in log
    assert "ada@example.org" not in log


def test_sigterm_in_the_middle_of_a_batch_finishes_or_gives_back(
    variables: dict[str, str], tables: EventTables
) -> None:
    """What is in hand is settled; the others are free at once and have lost no attempt."""
    with (
        NotificationsServer() as server,
        WorkerProcess({**variables, "NOTIFICATIONS_URL": server.url}) as worker,
    ):
        url = worker.url()

        def stop(_received: Received) -> None:
            os.kill(worker.pid, signal.SIGTERM)
            # The answer comes after the worker has heard the signal: it stops listening.
            wait_until(lambda: not is_listening(url))

        server.when_called = stop
        tables.add(*[ORDER] * 100)
        assert worker.wait() == 0
    done = len(server.received)
    assert 1 <= done < 50
    assert tables.rows("SELECT attempts, locked_by FROM events.queue") == [(0, None)] * (100 - done)
    assert tables.counts().total() == done


def is_listening(url: str) -> bool:
    """Tell whether somebody accepts connections at `url`."""
    try:
        httpx.get(f"{url}/health/live", trust_env=False)
    except httpx.ConnectError:
        return False
    except httpx.TransportError:
        pass  # it was accepted, and not answered
    return True


def test_missing_settings_are_all_named() -> None:
    """Without settings the process ends with code 10 and names each missing variable."""
    done = subprocess.run(
        (sys.executable, "-m", "eventflow_worker"),
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 10
    for missing in ("DATABASE_URL", "NOTIFICATIONS_TOKEN"):
        assert f"{missing}: " in done.stderr
