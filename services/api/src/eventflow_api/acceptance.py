"""Accepting events: stored and queued in one transaction, once for each key of a caller."""

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, sessionmaker

from eventflow_api.messages import StoredEvent
from eventflow_api.tables import EventRow, IdempotencyRow, QueueRow
from eventflow_events import Event, event_document


class KeyReusedError(Exception):
    """The caller has used the key for something else."""


@dataclass(frozen=True)
class Acceptance:
    """The stored events, and whether they had been stored by an earlier, equal request."""

    events: tuple[StoredEvent, ...]
    is_replayed: bool


class EventIntake:
    """Accepts events into the database behind `sessions`; `clock` returns the time in UTC."""

    def __init__(self, sessions: sessionmaker[Session], clock: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._clock = clock

    def accept(self, caller: str, key: str, events: Sequence[Event]) -> Acceptance:
        """Store and queue `events`, all or none, and return them as stored.

        When `caller` has used `key` for equal events, nothing is stored and the earlier answer
        is returned; when for other events, KeyReusedError is raised.
        """
        documents = [event_document(event) for event in events]
        stored = self._stored(events, documents)
        answer = [event.model_dump(mode="json") for event in stored]
        digest = _digest(documents)
        with self._sessions.begin() as session:
            if not _claim(session, caller, key, digest, answer):
                return _earlier(session, caller, key, digest)
            rows = [
                _event_row(caller, event, document)
                for event, document in zip(stored, documents, strict=True)
            ]
            session.execute(insert(EventRow), rows)
            session.execute(insert(QueueRow), [{"event_id": event.id} for event in stored])
        return Acceptance(stored, is_replayed=False)

    def _stored(
        self, events: Sequence[Event], documents: Sequence[dict[str, Any]]
    ) -> tuple[StoredEvent, ...]:
        now = self._clock()
        # A microsecond apart, so that lists keep the order of a batch.
        return tuple(
            StoredEvent(
                id=uuid.uuid4(),
                received_at=now + timedelta(microseconds=position),
                type=event.type,
                version=event.version,
                source=event.source,
                subject=event.subject,
                occurred_at=event.occurred_at,
                correlation_id=event.correlation_id,
                data=document["data"],
            )
            for position, (event, document) in enumerate(zip(events, documents, strict=True))
        )


def _claim(
    session: Session, caller: str, key: str, digest: str, answer: list[dict[str, Any]]
) -> bool:
    """Write the key with its answer; return False when it is there already.

    Two requests with one key at the same time wait for each other here.
    """
    row = {
        "client_id": caller,
        "key": key,
        "request_digest": digest,
        "response": {"items": answer},
    }
    claimed = session.execute(
        postgresql.insert(IdempotencyRow)
        .values(row)
        .on_conflict_do_nothing()
        .returning(IdempotencyRow.key)
    )
    return claimed.first() is not None


def _earlier(session: Session, caller: str, key: str, digest: str) -> Acceptance:
    kept = session.execute(
        select(IdempotencyRow.request_digest, IdempotencyRow.response).where(
            IdempotencyRow.client_id == caller, IdempotencyRow.key == key
        )
    ).one()
    if kept.request_digest != digest:
        raise KeyReusedError
    items = kept.response["items"]
    return Acceptance(tuple(map(StoredEvent.model_validate, items)), is_replayed=True)


def _digest(documents: Sequence[dict[str, Any]]) -> str:
    canonical = json.dumps(documents, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _event_row(caller: str, event: StoredEvent, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": event.id,
        "client_id": caller,
        "type": event.type,
        "version": event.version,
        "source": event.source,
        "subject": event.subject,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "document": document,
    }
