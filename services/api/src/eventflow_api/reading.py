"""Reading stored events back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session, sessionmaker

from eventflow_api.cursors import Cursor
from eventflow_api.messages import EventPage, StoredEvent
from eventflow_api.tables import EventRow


@dataclass(frozen=True)
class EventFilter:
    """What the events of a list have in common; None is everything."""

    type: str | None = None
    source: str | None = None
    subject: str | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the filter as conditions on events."""
        wanted = {
            EventRow.type: self.type,
            EventRow.source: self.source,
            EventRow.subject: self.subject,
        }
        conditions = [column == value for column, value in wanted.items() if value is not None]
        if self.received_from is not None:
            conditions.append(EventRow.received_at >= self.received_from)
        if self.received_before is not None:
            conditions.append(EventRow.received_at < self.received_before)
        return conditions


class EventArchive:
    """The stored events in the database behind `sessions`."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def find(self, event_id: UUID) -> StoredEvent | None:
        """Return the event called `event_id`, or None."""
        with self._sessions.begin() as session:
            row = session.get(EventRow, event_id)
        return _stored(row) if row is not None else None

    def page(self, wanted: EventFilter, cursor: Cursor | None, limit: int) -> EventPage:
        """Return up to `limit` events, newest first, from `cursor` on."""
        place = tuple_(EventRow.received_at, EventRow.id)
        query = select(EventRow).where(*wanted.conditions())
        if cursor is not None:
            query = query.where(place < (cursor.received_at, cursor.event_id))
        query = query.order_by(EventRow.received_at.desc(), EventRow.id.desc())
        with self._sessions.begin() as session:
            # One more than asked for tells whether there is a next page.
            rows = session.scalars(query.limit(limit + 1)).all()
        shown = rows[:limit]
        more = len(rows) > limit
        following = Cursor(shown[-1].received_at, shown[-1].id).encode() if more else None
        return EventPage(items=list(map(_stored, shown)), next_cursor=following)


def _stored(row: EventRow) -> StoredEvent:
    return StoredEvent(
        id=row.id,
        received_at=row.received_at,
        type=row.type,
        version=row.version,
        source=row.source,
        subject=row.subject,
        occurred_at=row.occurred_at,
        correlation_id=row.document.get("correlation_id"),
        data=row.document["data"],
    )
