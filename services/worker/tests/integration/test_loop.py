"""The loop on a real PostgreSQL, with scripted notifications."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from eventflow_worker.application import create_loop, loop_check, working
from eventflow_worker.loop import Clock, WorkerLoop
from eventflow_worker.metrics import WorkerMetrics
from eventflow_worker.notices import Notice
from eventflow_worker.notifications import FailedNoticeError, Notifications
from eventflow_worker.settings import WorkerSettings
from eventflow_worker.testing.event_tables import EventTables
from eventflow_worker.testing.scripted_notifications import ScriptedNotifications

ORDER = {
    "type": "order.placed",
    "version": 1,
    "source": "shop",
    "occurred_at": "2026-03-01T12:34:56Z",
    "data": {"order_id": "o-1", "email": "ada@example.org", "total_cents": 1200},
}
PAGE = ORDER | {"type": "page.viewed", "data": {"path": "/", "visitor_id": "v-1"}}


@dataclass
class Calling:
    """Notifications that do something at each call."""

    action: Callable[[str], None]
    keys: list[str] = field(default_factory=list)

    def send(self, key: str, _notice: Notice) -> None:
        """Do it."""
        self.keys.append(key)
        self.action(key)


@dataclass
class Desk:
    """A loop to be run, the tables it works on, and its metrics."""

    settings: WorkerSettings
    tables: EventTables
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    stop: threading.Event = field(default_factory=threading.Event)

    def loop(
        self, notifications: Notifications, *, clock: Clock = time.monotonic, **changes: object
    ) -> WorkerLoop:
        """Return a loop with some settings changed."""
        settings = self.settings.model_copy(update=changes)
        metrics = WorkerMetrics(self.registry)
        return create_loop(settings, self.tables.engine, notifications, metrics, clock=clock)

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the value of a metric."""
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def desk(settings: WorkerSettings, tables: EventTables) -> Desk:
    """Return a desk with empty tables."""
    return Desk(settings, tables)


def test_a_turn_settles_a_batch(desk: Desk) -> None:
    """Each event of the batch gets its effects, and the metrics tell of all."""
    page, order = desk.tables.add(PAGE, ORDER)
    notifications = ScriptedNotifications()
    assert desk.loop(notifications).turn(desk.stop) == 2
    assert desk.tables.effects(page) == {"counted"}
    assert desk.tables.effects(order) == {"counted", "notified:order-placed"}
    assert [sent.template for sent in notifications.sent] == ["order-placed"]
    assert desk.metric("worker_events_total", outcome="done") == 2
    assert desk.metric("worker_event_duration_seconds_count") == 2
    assert desk.metric("worker_backlog_events") == 2


def test_a_failing_event_does_not_hold_up_the_others(desk: Desk) -> None:
    """What fails waits for its next try; what follows is done."""
    order, page = desk.tables.add(ORDER, PAGE)
    desk.loop(ScriptedNotifications([FailedNoticeError("no answer")])).turn(desk.stop)
    assert desk.tables.effects(order) == desk.tables.effects(page) == {"counted"}
    assert desk.tables.rows("SELECT event_id, attempts, last_error FROM events.queue") == [
        (order, 1, "no answer")
    ]
    assert desk.metric("worker_events_total", outcome="later") == 1


def test_an_event_is_tried_until_it_is_given_up(desk: Desk) -> None:
    """After the last attempt the event is a dead letter, counted, and told to nobody."""
    (order,) = desk.tables.add(ORDER)
    faults: list[Exception] = [FailedNoticeError("no answer")] * 3
    loop = desk.loop(ScriptedNotifications(faults), max_attempts=3)
    for _ in range(3):
        loop.turn(desk.stop)
        desk.tables.change("UPDATE events.queue SET available_at = now()")
    assert desk.tables.dead_letters() == {order: (3, "no answer")}
    assert desk.tables.effects(order) == {"counted"}
    assert desk.tables.queued() == 0
    assert desk.metric("worker_events_total", outcome="dead") == 1


def test_a_sent_notice_is_written_down_before_the_next_event(desk: Desk) -> None:
    """A worker that is killed right after a call repeats the events behind it, not the call."""
    orders = desk.tables.add(ORDER, ORDER, ORDER)
    noted: list[int] = []

    def count_notes(_key: str) -> None:
        noted.append(len(desk.tables.rows("SELECT 1 FROM events.effects WHERE effect LIKE 'not%'")))

    desk.loop(Calling(count_notes)).turn(desk.stop)
    assert noted == [0, 1, 2]
    assert len(orders) == 3


def test_told_to_stop_it_finishes_one_event_and_gives_back_the_rest(desk: Desk) -> None:
    """The event in hand is settled; the others are free at once and have lost no attempt."""
    desk.tables.add(ORDER, ORDER, ORDER)
    notifications = Calling(lambda _: desk.stop.set())
    desk.loop(notifications).run(desk.stop)
    assert len(notifications.keys) == 1
    left = desk.tables.rows("SELECT attempts, locked_by FROM events.queue")
    assert left == [(0, None), (0, None)]


def test_events_are_not_begun_when_the_lease_is_about_to_end(desk: Desk) -> None:
    """When calls took too long, what is left of the batch is given back in time."""
    desk.tables.add(ORDER, ORDER)
    seconds = iter([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 100.0])
    loop = desk.loop(ScriptedNotifications(), clock=lambda: next(seconds))
    loop.turn(desk.stop)
    assert desk.tables.rows("SELECT attempts, locked_by FROM events.queue") == [(0, None)]


def test_a_lost_lease_is_counted_and_left_to_the_other_worker(desk: Desk) -> None:
    """When another worker took the event meanwhile, this one writes nothing."""
    (order,) = desk.tables.add(ORDER)

    def lose_lease(_key: str) -> None:
        desk.tables.change("UPDATE events.queue SET locked_by = 'another'")

    desk.loop(Calling(lose_lease)).turn(desk.stop)
    assert desk.tables.effects(order) == set()
    assert desk.metric("worker_events_total", outcome="lost") == 1


def test_the_loop_survives_faults(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A database that fails for a while is logged, and work goes on when it is back."""
    (page,) = desk.tables.add(PAGE)
    desk.tables.change("ALTER TABLE events.effects RENAME TO effects_away")

    def repair_when_logged(record: logging.LogRecord) -> bool:
        if record.message == "the worker met a fault":
            desk.tables.change("ALTER TABLE IF EXISTS events.effects_away RENAME TO effects")
            desk.tables.change("UPDATE events.queue SET locked_until = now()")
        return True

    caplog.handler.addFilter(repair_when_logged)
    try:
        run_until(desk, lambda: desk.tables.queued() == 0)
    finally:
        caplog.handler.removeFilter(repair_when_logged)
        desk.tables.change("ALTER TABLE IF EXISTS events.effects_away RENAME TO effects")
    assert desk.tables.effects(page) == {"counted"}


def wait_until(is_over: Callable[[], bool]) -> None:
    """Ask `is_over` until it says yes; fail after 90 s."""
    end = time.monotonic() + 90
    while not is_over():
        assert time.monotonic() < end, "it is not over after 90 s"
        time.sleep(0.01)


def run_until(desk: Desk, is_over: Callable[[], bool]) -> None:
    """Run the loop in its thread, as the application does, until `is_over`; fail after 90 s."""

    async def run() -> None:
        loop = desk.loop(ScriptedNotifications(), idle_pause_seconds=0.01)
        async with working(loop, 10):
            await asyncio.to_thread(wait_until, is_over)

    asyncio.run(run())


def test_a_thread_works_while_the_application_runs(desk: Desk) -> None:
    """Events are worked on as they come, and the thread is gone at the end."""
    before = threading.active_count()
    ids: list[UUID] = desk.tables.add(PAGE)
    run_until(desk, lambda: desk.tables.queued() == 0)
    assert desk.tables.effects(ids[0]) == {"counted"}
    assert not [t for t in threading.enumerate() if t.name == "worker"]
    assert threading.active_count() <= before + 1


def test_an_event_that_hangs_does_not_hold_up_the_end_for_ever(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """After the patience of the settings the process may end; the lease will run out."""
    desk.tables.add(ORDER)
    hanging, release = threading.Event(), threading.Event()

    def hang(_key: str) -> None:
        hanging.set()
        release.wait(10)

    async def stop_while_hanging() -> None:
        async with working(desk.loop(Calling(hang)), 0.05):
            await asyncio.to_thread(hanging.wait, 10)

    try:
        asyncio.run(stop_while_hanging())
        assert "its lease will run out" in caplog.text
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread.name == "worker":
                thread.join(90)


@pytest.mark.parametrize(("idle", "is_ready"), [(59.0, True), (61.0, False)])
def test_a_loop_without_a_sign_is_not_ready(idle: float, is_ready: bool) -> None:
    """Readiness fails when the loop is stuck."""
    check = loop_check(lambda: idle, 60.0)
    if is_ready:
        check()
    else:
        with pytest.raises(TimeoutError, match="61 s"):
            check()
