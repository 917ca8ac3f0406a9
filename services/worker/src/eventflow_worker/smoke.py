"""The smoke test of a new version: `python -m eventflow_worker.smoke`.

Works on one event in a queue of its own: inside of one transaction, which is taken back at the end.
No other worker ever sees the event, this one sees no event but it, and nothing is left behind.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from eventflow_servicekit.database import create_database_engine
from eventflow_servicekit.settings import SettingsError, load_settings
from eventflow_servicekit.smoke import SmokeError, run
from eventflow_worker.event_queue import COUNTED, EventQueue
from eventflow_worker.notices import Notice, NoticeRules
from eventflow_worker.outcomes import Done
from eventflow_worker.processing import Processor
from eventflow_worker.settings import WorkerSettings, unique_name

# Before all others in the queue, so that it is the one that is taken.
_ADD = text("""
    WITH added AS (
        INSERT INTO events.events (id, client_id, type, version, source, occurred_at, document)
        VALUES (:id, 'smoke', 'page.viewed', 1, 'smoke', now(), CAST(:document AS jsonb))
        RETURNING id
    )
    INSERT INTO events.queue (event_id, available_at) SELECT id, '-infinity' FROM added
""")
_QUEUED = text("SELECT count(*) FROM events.queue WHERE event_id = :id")
_EFFECTS = text("SELECT effect FROM events.effects WHERE event_id = :id")


class _OneTransaction:
    """Gives a queue one connection; what it commits is a savepoint of the transaction there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self._connection.begin_nested():
            yield self._connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        yield self._connection


class _Nobody:
    """Is told nothing: the event of a smoke test is for no person."""

    def send(self, key: str, notice: Notice) -> None:
        raise SmokeError(f"somebody would be told: {notice.template}, {key}")


def smoke(_: Mapping[str, str]) -> None:
    """Raise SmokeError unless one event is taken, worked on, counted and taken out of the queue."""
    try:
        settings = load_settings(WorkerSettings)
    except SettingsError as error:
        raise SmokeError(str(error)) from error
    engine = create_database_engine(settings, application_name=f"{settings.service_name}-smoke")
    try:
        with engine.connect() as connection:
            transaction = connection.begin()
            try:
                _work(connection, settings)
            finally:
                transaction.rollback()
    finally:
        engine.dispose()


def _work(connection: Connection, settings: WorkerSettings) -> None:
    queue = EventQueue(
        _OneTransaction(connection), worker=unique_name(), lease_seconds=settings.lease_seconds
    )
    processor = Processor(
        rules=NoticeRules(settings.payments_webhook_url),
        notifications=_Nobody(),
        backoff=settings.backoff(),
        max_attempts=settings.max_attempts,
    )
    event_id = _add(connection)
    taken = queue.take(1)
    if [event.event_id for event in taken] != [event_id]:
        raise SmokeError("the event was not taken")
    outcome = processor.process(taken[0])
    if not isinstance(outcome, Done):
        raise SmokeError(f"the event was not done: {outcome.error}")
    if event_id not in queue.settle([outcome]):
        raise SmokeError("the event was lost while it was worked on")
    if connection.scalar(_QUEUED, {"id": event_id}):
        raise SmokeError("the event is still in the queue")
    if set(connection.scalars(_EFFECTS, {"id": event_id})) != {COUNTED}:
        raise SmokeError("the event was not counted")


def _add(connection: Connection) -> UUID:
    event_id = uuid4()
    document = {
        "type": "page.viewed",
        "version": 1,
        "source": "smoke",
        "occurred_at": datetime.now(UTC).isoformat(),
        "data": {"path": "/smoke", "visitor_id": "smoke"},
    }
    connection.execute(_ADD, {"id": event_id, "document": json.dumps(document)})
    return event_id


if __name__ == "__main__":
    raise SystemExit(run(smoke))
