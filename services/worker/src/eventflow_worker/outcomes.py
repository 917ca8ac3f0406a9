"""What the worker takes from the queue, and what it makes of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class TakenEvent:
    """An event that this worker holds for a while; `attempts` counts this one."""

    event_id: UUID
    attempts: int
    document: dict[str, Any]


@dataclass(frozen=True)
class Count:
    """One event more of `event_type` in the hour that begins at `hour` (UTC)."""

    event_type: str
    hour: datetime


@dataclass(frozen=True)
class Effects:
    """What an event does: it is counted, and `notice` names what someone was told."""

    count: Count | None = None
    notice: str | None = None


@dataclass(frozen=True)
class Done:
    """The event has had all its effects."""

    event_id: UUID
    effects: Effects


@dataclass(frozen=True)
class Later:
    """The event is to be tried again after `delay_seconds`; what it did so far stays done."""

    event_id: UUID
    effects: Effects
    delay_seconds: float
    error: str


@dataclass(frozen=True)
class Dead:
    """The event is given up after `attempts`, for a person to look at."""

    event_id: UUID
    effects: Effects
    attempts: int
    error: str


Outcome = Done | Later | Dead
