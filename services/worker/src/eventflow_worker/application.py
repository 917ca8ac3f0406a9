"""The worker put together: a loop in a thread, and HTTP for health and metrics only."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import Engine

from eventflow_servicekit.application import create_application
from eventflow_servicekit.database import create_database_engine, database_check
from eventflow_servicekit.health import Check
from eventflow_servicekit.metrics import ServiceMetrics
from eventflow_servicekit.schema import schema_check
from eventflow_worker.event_queue import SCHEMA_NEED, EventQueue
from eventflow_worker.loop import Clock, WorkerLoop
from eventflow_worker.metrics import WorkerMetrics
from eventflow_worker.notices import NoticeRules
from eventflow_worker.notifications import HttpNotifications, Notifications
from eventflow_worker.processing import Processor
from eventflow_worker.settings import WorkerSettings, unique_name

_log = logging.getLogger(__name__)


def create_worker(settings: WorkerSettings) -> FastAPI:
    """Return the application; the loop works while the application runs."""
    engine = create_database_engine(settings, application_name=settings.service_name)
    notifications = HttpNotifications(
        settings.notifications_url,
        settings.notifications_token,
        timeout=settings.notifications_timeout_seconds,
    )
    metrics = ServiceMetrics(service=settings.service_name, release=settings.release)
    loop = create_loop(settings, engine, notifications, WorkerMetrics(metrics.registry))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with working(loop, settings.stop_patience_seconds):
            yield
        notifications.close()
        engine.dispose()

    return create_application(
        settings,
        title="EventFlow worker",
        description="Health and metrics of a worker.",
        checks={
            "database": database_check(engine),
            "schema": schema_check(engine, SCHEMA_NEED),
            "loop": loop_check(loop.idle_seconds, settings.longest_silence()),
        },
        metrics=metrics,
        lifespan=lifespan,
    )


def create_loop(
    settings: WorkerSettings,
    engine: Engine,
    notifications: Notifications,
    metrics: WorkerMetrics,
    *,
    clock: Clock = time.monotonic,
) -> WorkerLoop:
    """Return a loop on the database behind `engine`, under a name of its own."""
    queue = EventQueue(engine, worker=unique_name(), lease_seconds=settings.lease_seconds)
    processor = Processor(
        rules=NoticeRules(settings.payments_webhook_url),
        notifications=notifications,
        backoff=settings.backoff(),
        max_attempts=settings.max_attempts,
    )
    return WorkerLoop(queue, processor, metrics, settings.loop_policy(), clock=clock)


@asynccontextmanager
async def working(loop: WorkerLoop, patience_seconds: float) -> AsyncIterator[None]:
    """Run `loop` in a thread; at the end let it finish what it has in hand."""
    stop = threading.Event()
    # A daemon: an event that hangs may hold up the end of the process no longer than patience.
    thread = threading.Thread(target=loop.run, args=(stop,), name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(thread.join, patience_seconds)
        if thread.is_alive():
            _log.error("stopped with an event in hand; its lease will run out")


def loop_check(idle_seconds: Callable[[], float], limit_seconds: float) -> Check:
    """Return a readiness check that fails when the loop has shown no sign for too long."""

    def check() -> None:
        idle = idle_seconds()
        if idle > limit_seconds:
            raise TimeoutError(f"the loop has shown no sign for {idle:.0f} s")

    return check
