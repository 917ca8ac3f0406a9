"""Taking, settling and giving back events on a real PostgreSQL."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest

from eventflow_worker.event_queue import Backlog, EventQueue
from eventflow_worker.outcomes import Count, Dead, Done, Effects, Later, Outcome, TakenEvent
from eventflow_worker.testing.event_tables import EventTables

HOUR = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = {
    "type": "page.viewed",
    "version": 1,
    "source": "shop",
    "occurred_at": "2026-03-01T12:34:56Z",
    "data": {"path": "/", "visitor_id": "v-1"},
}
COUNTED = Effects(Count("page.viewed", HOUR))


def queue_of(tables: EventTables, worker: str = "w-1") -> EventQueue:
    """Return the queue as one worker sees it."""
    return EventQueue(tables.engine, worker=worker, lease_seconds=60)


def expire_leases(tables: EventTables) -> None:
    """Let every lease run out."""
    tables.change("UPDATE events.queue SET locked_until = now() WHERE locked_by IS NOT NULL")


def make_available(tables: EventTables) -> None:
    """Let every wait be over."""
    tables.change("UPDATE events.queue SET available_at = now()")


def test_the_longest_waiting_events_are_taken_first(tables: EventTables) -> None:
    """A batch holds as many events as asked for, oldest first, with document and attempt."""
    ids = tables.add(PAGE, PAGE, PAGE)
    for place, event_id in enumerate(ids):
        tables.change(
            "UPDATE events.queue SET available_at = now() - make_interval(mins => :age)"
            " WHERE event_id = :id",
            age=place,
            id=event_id,
        )
    queue = queue_of(tables)
    assert queue.take(2) == [TakenEvent(ids[2], 1, PAGE), TakenEvent(ids[1], 1, PAGE)]
    assert [taken.event_id for taken in queue.take(2)] == [ids[0]]


def test_a_taken_event_is_not_taken_again_until_its_lease_runs_out(tables: EventTables) -> None:
    """A worker that died holds its events for the time of the lease; then the attempt counts."""
    (event_id,) = tables.add(PAGE)
    assert len(queue_of(tables, "w-1").take(1)) == 1
    assert queue_of(tables, "w-2").take(1) == []
    expire_leases(tables)
    assert queue_of(tables, "w-2").take(1) == [TakenEvent(event_id, 2, PAGE)]


def test_the_lease_lasts_as_long_as_it_was_asked_for(tables: EventTables) -> None:
    """The database keeps the lease in seconds from its own now."""
    tables.add(PAGE)
    queue_of(tables).take(1)
    ((seconds,),) = tables.rows("SELECT extract(epoch FROM locked_until - now()) FROM events.queue")
    assert 50 < seconds <= 60


def test_a_locked_row_is_skipped_not_waited_for(tables: EventTables) -> None:
    """A worker passes over what another transaction holds."""
    held, free = tables.add(PAGE, PAGE)
    with tables.engine.connect() as other:
        other.exec_driver_sql("SELECT 1 FROM events.queue WHERE event_id = %s FOR UPDATE", (held,))
        assert [taken.event_id for taken in queue_of(tables).take(2)] == [free]


def test_workers_at_once_never_take_the_same_event(tables: EventTables) -> None:
    """However many ask at the same moment, each event is given to one of them."""
    ids = tables.add(*[PAGE] * 200)
    start = threading.Barrier(4)

    def take_all(worker: str) -> list[UUID]:
        queue, taken = queue_of(tables, worker), list[UUID]()
        start.wait(10)
        while batch := queue.take(7):
            taken += [event.event_id for event in batch]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [event_id for part in pool.map(take_all, "abcd") for event_id in part]
    assert sorted(taken) == sorted(ids)


def test_a_done_event_leaves_effects_and_a_count(tables: EventTables) -> None:
    """Settling writes the effects, adds to the counts, and takes the event out of the queue."""
    first, second = tables.add(PAGE, PAGE)
    queue = queue_of(tables)
    queue.take(2)
    effects = Effects(COUNTED.count, "order-placed")
    assert set(queue.settle([Done(first, COUNTED), Done(second, effects)])) == {first, second}
    assert tables.effects(first) == {"counted"}
    assert tables.effects(second) == {"counted", "notified:order-placed"}
    assert tables.counts() == {("page.viewed", HOUR): 2}
    assert tables.queued() == 0


def test_an_event_is_counted_once_however_often_it_is_tried(tables: EventTables) -> None:
    """An effect that is there already is not counted again."""
    (event_id,) = tables.add(PAGE)
    queue = queue_of(tables)
    for _ in range(2):
        queue.take(1)
        queue.settle([Later(event_id, COUNTED, 60, "no answer")])
        make_available(tables)
    queue.take(1)
    queue.settle([Done(event_id, COUNTED)])
    assert tables.counts() == {("page.viewed", HOUR): 1}


def test_an_event_that_is_tried_later_waits(tables: EventTables) -> None:
    """It is free for any worker after its delay, with the reason written down."""
    (event_id,) = tables.add(PAGE)
    queue = queue_of(tables)
    queue.take(1)
    queue.settle([Later(event_id, Effects(), 60, "no answer" + "!" * 5000)])
    assert queue.take(1) == []
    ((seconds, error, holder),) = tables.rows(
        "SELECT extract(epoch FROM available_at - now()), last_error, locked_by FROM events.queue"
    )
    assert 50 < seconds <= 60
    assert (error[:10], len(error), holder) == ("no answer!", 1000, None)
    make_available(tables)
    assert queue_of(tables, "w-2").take(1) == [TakenEvent(event_id, 2, PAGE)]


def test_an_event_that_is_given_up_goes_to_the_dead_letters(tables: EventTables) -> None:
    """It leaves the queue with attempts and reason, and what it did stays done."""
    (event_id,) = tables.add(PAGE)
    queue = queue_of(tables)
    queue.take(1)
    queue.settle([Dead(event_id, COUNTED, 3, "answered 422")])
    assert tables.dead_letters() == {event_id: (3, "answered 422")}
    assert tables.queued() == 0
    assert tables.counts() == {("page.viewed", HOUR): 1}


@pytest.mark.parametrize("kind", ["done", "later", "dead"])
def test_a_worker_that_lost_its_lease_changes_nothing(tables: EventTables, kind: str) -> None:
    """What another worker has now is left to it, whatever the first one made of it."""
    (event_id,) = tables.add(PAGE)
    slow, quick = queue_of(tables, "slow"), queue_of(tables, "quick")
    slow.take(1)
    expire_leases(tables)
    quick.take(1)
    outcomes: dict[str, Outcome] = {
        "done": Done(event_id, COUNTED),
        "later": Later(event_id, COUNTED, 60, "late"),
        "dead": Dead(event_id, COUNTED, 1, "late"),
    }
    assert not slow.settle([outcomes[kind]])
    assert (tables.effects(event_id), tables.dead_letters()) == (set(), {})
    assert set(quick.settle([Done(event_id, COUNTED)])) == {event_id}
    assert tables.counts() == {("page.viewed", HOUR): 1}


def test_events_given_back_are_free_and_lose_no_attempt(tables: EventTables) -> None:
    """What was taken and not tried can be taken at once; somebody else's is not given back."""
    (event_id,) = tables.add(PAGE)
    queue_of(tables, "w-1").take(1)
    queue_of(tables, "w-2").give_back([event_id])
    assert queue_of(tables, "w-2").take(1) == []
    queue_of(tables, "w-1").give_back([event_id])
    assert queue_of(tables, "w-2").take(1) == [TakenEvent(event_id, 1, PAGE)]


def test_settling_is_all_or_nothing(tables: EventTables) -> None:
    """When one statement fails, nothing of the batch was written."""
    first, second = tables.add(PAGE, PAGE)
    queue = queue_of(tables)
    queue.take(2)
    impossible = Later(second, Effects(), float("inf"), "no such interval")
    with pytest.raises(Exception, match="interval"):
        queue.settle([Done(first, COUNTED), impossible])
    assert (tables.effects(first), tables.queued(), tables.counts()) == (set(), 2, {})


def test_workers_that_count_the_same_hours_do_not_deadlock(tables: EventTables) -> None:
    """Counts are locked in one order, so whoever waits for one holds none that comes later."""
    ids = tables.add(PAGE, PAGE)
    queue = queue_of(tables)
    queue.take(2)
    tables.change(
        "INSERT INTO events.hourly_counts VALUES ('kind.a', :hour, 1), ('kind.b', :hour, 1)",
        hour=HOUR,
    )
    backwards = [
        Done(event_id, Effects(Count(kind, HOUR)))
        for event_id, kind in zip(ids, ["kind.b", "kind.a"], strict=True)
    ]
    add_one = "UPDATE events.hourly_counts SET count = count + 1 WHERE event_type = %s"
    with tables.engine.begin() as other, ThreadPoolExecutor(1) as pool:
        other.exec_driver_sql(add_one, ("kind.a",))
        settling = pool.submit(queue.settle, backwards)
        wait_for_a_waiting_session(tables)
        other.exec_driver_sql(add_one, ("kind.b",))
        other.commit()
        settling.result(90)
    assert tables.counts() == {("kind.a", HOUR): 3, ("kind.b", HOUR): 3}


def wait_for_a_waiting_session(tables: EventTables) -> None:
    """Return once a session of this database waits for a lock; fail after 90 s."""
    waiting = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    end = time.monotonic() + 90
    while not tables.rows(waiting):
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0.01)


def test_the_backlog_is_what_could_be_worked_on_now(tables: EventTables) -> None:
    """Events that wait for another try are not counted; the age is the oldest one's."""
    queue = queue_of(tables)
    assert queue.backlog() == Backlog(0, 0)
    old, _, later = tables.add(PAGE, PAGE, PAGE)
    move = (
        "UPDATE events.queue SET available_at = now() + make_interval(secs => :by)"
        " WHERE event_id = :id"
    )
    tables.change(move, by=-90, id=old)
    tables.change(move, by=60, id=later)
    backlog = queue.backlog()
    assert backlog.events == 2
    assert 90 <= backlog.oldest_seconds < 120
