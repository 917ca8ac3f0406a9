"""The queue in PostgreSQL, as README.md of the api describes its tables.

Events are taken by lease: no transaction stays open while a worker calls others. Every statement
that changes an event asks whether the lease is still ours, and times are the database's own.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection, text

from eventflow_servicekit.schema import SchemaNeed
from eventflow_worker.outcomes import Count, Dead, Done, Later, Outcome, TakenEvent

# The tables are the api's; the effects and counts came with 0002, and nothing newer is used.
SCHEMA_NEED = SchemaNeed(schema="events", head="0006", minimum="0002")
COUNTED = "counted"

_TAKE = text("""
    WITH chosen AS (
        SELECT event_id FROM events.queue
        WHERE available_at <= now() AND (locked_until IS NULL OR locked_until <= now())
        ORDER BY available_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE events.queue SET
            attempts = attempts + 1,
            locked_by = :worker,
            locked_until = now() + make_interval(secs => :lease)
        WHERE event_id IN (SELECT event_id FROM chosen)
        RETURNING event_id, attempts, available_at
    )
    SELECT taken.event_id, taken.attempts, events.document
    FROM taken JOIN events.events ON events.id = taken.event_id
    ORDER BY taken.available_at
""")
_HELD = text("""
    SELECT event_id FROM events.queue
    WHERE event_id = ANY(:ids) AND locked_by = :worker ORDER BY event_id FOR UPDATE
""")
_ADD_EFFECTS = text("""
    INSERT INTO events.effects (event_id, effect)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:effects AS text[]))
    ON CONFLICT DO NOTHING RETURNING event_id, effect
""")
# In one order by all workers: two of them never wait for each other.
_ADD_COUNTS = text("""
    INSERT INTO events.hourly_counts (event_type, hour, count)
    SELECT * FROM unnest(
        CAST(:types AS text[]), CAST(:hours AS timestamptz[]), CAST(:counts AS bigint[])
    ) ORDER BY 1, 2
    ON CONFLICT (event_type, hour)
    DO UPDATE SET count = hourly_counts.count + excluded.count
""")
_POSTPONE = text("""
    UPDATE events.queue SET
        available_at = now() + make_interval(secs => :delay),
        last_error = :error, locked_by = NULL, locked_until = NULL
    WHERE event_id = :id
""")
_BURY = text("""
    INSERT INTO events.dead_letters (event_id, attempts, last_error)
    VALUES (:id, :attempts, :error) ON CONFLICT DO NOTHING
""")
_REMOVE = text("DELETE FROM events.queue WHERE event_id = ANY(:ids)")
_GIVE_BACK = text("""
    UPDATE events.queue SET attempts = attempts - 1, locked_by = NULL, locked_until = NULL
    WHERE event_id = ANY(:ids) AND locked_by = :worker
""")
_MEASURE = text("""
    SELECT count(*), coalesce(extract(epoch FROM now() - min(available_at)), 0)
    FROM events.queue WHERE available_at <= now()
""")
_LONGEST_ERROR = 1000


@dataclass(frozen=True)
class Backlog:
    """How many events could be worked on now, and how long (seconds) the oldest has waited."""

    events: int
    oldest_seconds: float


class Database(Protocol):
    """Where the queue is: an engine of SQLAlchemy, or what gives out connections as one does."""

    def begin(self) -> AbstractContextManager[Connection]:
        """Give a connection in a transaction, which ends well unless something is raised."""

    def connect(self) -> AbstractContextManager[Connection]:
        """Give a connection."""


class EventQueue:
    """The queue as one worker sees it; `worker` is a name that no other process has."""

    def __init__(self, engine: Database, *, worker: str, lease_seconds: float) -> None:
        self._engine = engine
        self._worker = worker
        self._lease_seconds = lease_seconds

    def take(self, batch: int) -> list[TakenEvent]:
        """Take up to `batch` events that nobody holds, the longest waiting first."""
        values = {"batch": batch, "worker": self._worker, "lease": self._lease_seconds}
        with self._engine.begin() as connection:
            return [TakenEvent(*row) for row in connection.execute(_TAKE, values)]

    def settle(self, outcomes: Sequence[Outcome]) -> Collection[UUID]:
        """Write down what became of events, all in one transaction.

        Returns the ids of those that were still ours. An event whose lease was lost is left to
        the worker that has it now.
        """
        with self._engine.begin() as connection:
            held = self._held(connection, outcomes)
            ours = [outcome for outcome in outcomes if outcome.event_id in held]
            _add_effects(connection, ours)
            _leave_queue(connection, ours)
        return held

    def give_back(self, event_ids: Sequence[UUID]) -> None:
        """Return events that were taken but not tried; this attempt does not count."""
        with self._engine.begin() as connection:
            connection.execute(_GIVE_BACK, {"ids": list(event_ids), "worker": self._worker})

    def backlog(self) -> Backlog:
        """Measure what waits now."""
        with self._engine.connect() as connection:
            events, oldest = connection.execute(_MEASURE).one()
        return Backlog(events, float(oldest))

    def _held(self, connection: Connection, outcomes: Iterable[Outcome]) -> set[UUID]:
        ids = [outcome.event_id for outcome in outcomes]
        return set(connection.scalars(_HELD, {"ids": ids, "worker": self._worker}))


def _add_effects(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    counts: dict[UUID, Count] = {}
    rows: list[tuple[UUID, str]] = []
    for outcome in outcomes:
        if outcome.effects.count is not None:
            counts[outcome.event_id] = outcome.effects.count
            rows.append((outcome.event_id, COUNTED))
        if outcome.effects.notice is not None:
            rows.append((outcome.event_id, f"notified:{outcome.effects.notice}"))
    values = {"ids": [event_id for event_id, _ in rows], "effects": [effect for _, effect in rows]}
    added = connection.execute(_ADD_EFFECTS, values).all()
    # Only what was not there before is counted: that makes it once.
    _add_counts(connection, Counter(counts[row[0]] for row in added if row[1] == COUNTED))


def _add_counts(connection: Connection, counted: Counter[Count]) -> None:
    values = {
        "types": [count.event_type for count in counted],
        "hours": [count.hour for count in counted],
        "counts": list(counted.values()),
    }
    connection.execute(_ADD_COUNTS, values)


def _leave_queue(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    gone: list[UUID] = []
    for outcome in outcomes:
        match outcome:
            case Done():
                gone.append(outcome.event_id)
            case Later(event_id=event_id, delay_seconds=delay, error=error):
                error = error[:_LONGEST_ERROR]
                connection.execute(_POSTPONE, {"id": event_id, "delay": delay, "error": error})
            case Dead(event_id=event_id, attempts=attempts, error=error):
                values = {"id": event_id, "attempts": attempts, "error": error[:_LONGEST_ERROR]}
                connection.execute(_BURY, values)
                gone.append(event_id)
    connection.execute(_REMOVE, {"ids": gone})
