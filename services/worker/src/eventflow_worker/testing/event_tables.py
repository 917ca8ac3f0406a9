"""The tables the worker works on, as a test fills and reads them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, text

_CLEAR = text("TRUNCATE events.events CASCADE; TRUNCATE events.hourly_counts")
_ADD = text("""
    WITH added AS (
        INSERT INTO events.events
            (id, client_id, type, version, source, occurred_at, document)
        SELECT CAST(document->>'id' AS uuid), 'user:1', document->'event'->>'type',
            CAST(document->'event'->>'version' AS int), document->'event'->>'source',
            CAST(document->'event'->>'occurred_at' AS timestamptz), document->'event'
        FROM jsonb_array_elements(CAST(:documents AS jsonb)) AS given(document)
        RETURNING id
    )
    INSERT INTO events.queue (event_id) SELECT id FROM added
""")


class EventTables:
    """Events, their queue, and what became of them, in the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def clear(self) -> None:
        """Remove everything."""
        with self.engine.begin() as connection:
            connection.execute(_CLEAR)

    def add(self, *documents: Mapping[str, Any]) -> list[UUID]:
        """Accept and queue these documents as the api does; return the ids of the events."""
        ids = [uuid4() for _ in documents]
        given = [
            {"id": str(i), "event": document} for i, document in zip(ids, documents, strict=True)
        ]
        with self.engine.begin() as connection:
            connection.execute(_ADD, {"documents": json.dumps(given)})
        return ids

    def rows(self, statement: str, **values: object) -> Sequence[tuple[Any, ...]]:
        """Return what a query finds."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def change(self, statement: str, **values: object) -> None:
        """Run a statement that changes rows."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def queued(self) -> int:
        """Return how many events are in the queue."""
        return int(self.rows("SELECT count(*) FROM events.queue")[0][0])

    def dead_letters(self) -> dict[UUID, tuple[int, str]]:
        """Return attempts and error of the events that were given up."""
        found = self.rows("SELECT event_id, attempts, last_error FROM events.dead_letters")
        return {event_id: (attempts, error) for event_id, attempts, error in found}

    def effects(self, event_id: UUID) -> set[str]:
        """Return what an event has done."""
        statement = "SELECT effect FROM events.effects WHERE event_id = :id"
        return {effect for (effect,) in self.rows(statement, id=event_id)}

    def counts(self) -> Counter[tuple[str, datetime]]:
        """Return the counts by type and hour."""
        found = self.rows("SELECT event_type, hour, count FROM events.hourly_counts")
        return Counter({(kind, hour): count for kind, hour, count in found})
