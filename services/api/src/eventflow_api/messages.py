"""What is said over HTTP: the bodies of requests and answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from eventflow_events import Event

LARGEST_BATCH = 500


class Message(BaseModel):
    """The base of all bodies."""

    model_config = ConfigDict(frozen=True)


class EventBatch(Message):
    """Events that are accepted together or not at all."""

    events: list[Event] = Field(min_length=1, max_length=LARGEST_BATCH)


class StoredEvent(Message):
    """An event as it was accepted."""

    id: UUID = Field(description="The name of the event from now on")
    received_at: datetime = Field(description="When it was accepted, in UTC")
    type: str = Field(description="Such as `order.placed`")
    version: int = Field(description="The version of the type")
    source: str = Field(description="The system that saw it happen")
    subject: str | None = Field(description="What it happened to")
    occurred_at: datetime = Field(description="When it happened, in UTC")
    correlation_id: str | None = Field(description="Joins what one user action caused")
    data: dict[str, Any] = Field(description="What the type and version say")


class StoredBatch(Message):
    """The events of a batch, in the order in which they were sent."""

    items: list[StoredEvent]


class EventPage(Message):
    """Events, newest first."""

    items: list[StoredEvent]
    next_cursor: str | None = Field(description="Where older events begin; null at the end")
