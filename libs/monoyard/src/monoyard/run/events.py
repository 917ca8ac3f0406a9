"""What happens during a run, as values; reports subscribe to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monoyard.results import TaskResult


@dataclass(frozen=True, slots=True)
class Preparing:
    """Something slow is fetched or made first, in one line."""

    words: str


@dataclass(frozen=True, slots=True)
class BatchStarted:
    """Tasks began to run together.

    Attributes:
        tasks: Their ids.
        batch: Number of the batch.
        at: Seconds since the run began.
    """

    tasks: tuple[str, ...]
    batch: int
    at: float


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task has its result.

    Attributes:
        result: The result.
        batch: Number of the batch it ran in; 0 where it needed no process.
        at: Seconds since the run began.
        estimate: What the task was expected to take, in seconds.
    """

    result: TaskResult
    batch: int
    at: float
    estimate: float = 0.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that tasks need is on the machine, or cannot be had.

    Attributes:
        tasks: Their ids.
        began: Seconds since the run began, when that was looked into.
        ended: When it was over.
    """

    tasks: tuple[str, ...]
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """Tasks that began to run together have ended, one way or another; results follow.

    Attributes:
        batch: Number of the batch.
        at: Seconds since the run began.
    """

    batch: int
    at: float


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """A task did not pass, and runs once more.

    Attributes:
        result: The result of this attempt.
        batch: Number of the batch it ran in.
        at: Seconds since the run began.
        left: How many attempts are left.
    """

    result: TaskResult
    batch: int
    at: float
    left: int


@dataclass(frozen=True, slots=True)
class Stopping:
    """The run was asked to stop; a second request kills at once."""

    why: str


Event = Preparing | Prepared | BatchStarted | BatchEnded | AttemptFailed | TaskEnded | Stopping
Subscriber = Callable[[Event], None]
