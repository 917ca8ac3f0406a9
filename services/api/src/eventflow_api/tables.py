"""The tables of schema `events`, as the newest migration leaves them.

The worker reads and writes some of them through its own SQL; README.md says which.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from eventflow_servicekit.schema import SchemaNeed

SCHEMA = "events"
# What readiness asks of the database; a test holds `head` to the newest migration.
SCHEMA_NEED = SchemaNeed(SCHEMA, head="0006", minimum="0003")


class Table(DeclarativeBase):
    """The base of all tables; names its constraints so that migrations can speak of them."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        },
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy declares the attribute
        datetime: TIMESTAMP(timezone=True),
        str: Text(),
        dict[str, Any]: JSONB(none_as_null=True),
    }


class EventRow(Table):
    """One accepted event; `document` is the event as `eventflow_events` writes it."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_received_at_id_idx", "received_at", "id"),
        Index("events_type_received_at_id_idx", "type", "received_at", "id"),
        Index("events_source_received_at_id_idx", "source", "received_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    type: Mapped[str]
    version: Mapped[int]
    source: Mapped[str]
    subject: Mapped[str | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    document: Mapped[dict[str, Any]]


class QueueRow(Table):
    """An event that waits for the worker, or that a worker has taken for a while."""

    __tablename__ = "queue"
    __table_args__ = (Index("queue_available_at_idx", "available_at"),)

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey(EventRow.id, ondelete="CASCADE"), primary_key=True
    )
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]
    locked_by: Mapped[str | None]
    last_error: Mapped[str | None]


class IdempotencyRow(Table):
    """The answer that a client's key has been given, kept to be given again."""

    __tablename__ = "idempotency_keys"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    response: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EffectRow(Table):
    """That the worker did one thing for one event; the key makes twice impossible."""

    __tablename__ = "effects"

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey(EventRow.id, ondelete="CASCADE"), primary_key=True
    )
    effect: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class HourlyCountRow(Table):
    """How many events of a type happened in the hour that begins at `hour`."""

    __tablename__ = "hourly_counts"

    event_type: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class DeadLetterRow(Table):
    """An event that the worker gave up on."""

    __tablename__ = "dead_letters"

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey(EventRow.id, ondelete="CASCADE"), primary_key=True
    )
    attempts: Mapped[int]
    last_error: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(server_default=func.now())
