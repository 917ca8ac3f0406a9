"""What ran when, on which worker, and what the end of the run waited for."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monoyard.results import Outcome
from monoyard.run.events import AttemptFailed, BatchEnded, BatchStarted, Event, Prepared, TaskEnded

# Clocks are read before and after what they time.
_AT_ONCE = 0.002


@dataclass(frozen=True, slots=True)
class Share:
    """What a task had of a stretch: its seconds, and how it ended there."""

    task: str
    seconds: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tasks that ran together.

    Attributes:
        batch: Number of the batch.
        worker: Which of those that run at once, from 1.
        began: Seconds since the first task could begin.
        ended: When it was over.
        tasks: Their ids.
        shares: What came of them; a task that had to run again by itself has none.
        is_critical: The end of the run waited for it.
    """

    batch: int
    worker: int
    began: float
    ended: float
    tasks: tuple[str, ...]
    shares: tuple[Share, ...] = ()
    is_critical: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """What ran when.

    Attributes:
        origin: When the first task could begin, in seconds of the monotonic clock.
        stretches: In the order of their beginnings.
        preparations: What was fetched or made ahead, for longer than a moment.
    """

    origin: float = 0.0
    stretches: tuple[Stretch, ...] = ()
    preparations: tuple[Prepared, ...] = ()

    def to_data(self) -> list[dict[str, Any]]:
        """Return, as JSON-able data, what came of each task, an attempt that failed too."""
        return [
            {
                "task": share.task,
                "batch": item.batch,
                "worker": item.worker,
                "began": round(item.began, 3),
                "end": round(item.ended, 3),
                "seconds": share.seconds,
                "outcome": share.outcome.value,
                "is_critical": item.is_critical,
            }
            for item in self.stretches
            for share in item.shares
        ]

    @property
    def critical(self) -> tuple[Stretch, ...]:
        """The stretches that the end of the run waited for, in their order."""
        return tuple(item for item in self.stretches if item.is_critical)


@dataclass
class Recorder:
    """Makes a timeline of events.

    Attributes:
        origin: As `Timeline` has it.
    """

    origin: float
    _free: list[int] = field(default_factory=list)
    _open: dict[int, Stretch] = field(default_factory=dict)
    _ended: dict[int, Stretch] = field(default_factory=dict)
    _preparations: list[Prepared] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, BatchStarted):
            worker = heapq.heappop(self._free) if self._free else len(self._open) + 1
            self._open[event.batch] = Stretch(event.batch, worker, event.at, event.at, event.tasks)
        elif isinstance(event, BatchEnded):
            stretch = self._open.pop(event.batch)
            heapq.heappush(self._free, stretch.worker)
            self._ended[event.batch] = replace(stretch, ended=event.at)
        elif isinstance(event, TaskEnded | AttemptFailed) and event.batch in self._ended:
            stretch = self._ended[event.batch]
            result = event.result
            share = Share(result.task, result.seconds, result.outcome)
            self._ended[event.batch] = replace(stretch, shares=(*stretch.shares, share))
        elif isinstance(event, Prepared) and event.ended - event.began > _AT_ONCE:
            self._preparations.append(event)

    def timeline(self) -> Timeline:
        """Return what was told so far."""
        stretches = sorted(self._ended.values(), key=lambda item: (item.began, item.batch))
        critical = _critical(stretches)
        marked = (replace(item, is_critical=item.batch in critical) for item in stretches)
        return Timeline(self.origin, tuple(marked), tuple(self._preparations))


def _critical(stretches: Sequence[Stretch]) -> frozenset[int]:
    """Return the batches from the last to end back to the first.

    A batch begins when what it needs has passed or when another one makes room. Either way it
    waited for the last one that ended before.
    """
    found: list[Stretch] = []
    rest = sorted(stretches, key=lambda item: (item.ended, item.batch))
    while rest:
        found.append(rest.pop())
        while rest and rest[-1].ended > found[-1].began + _AT_ONCE:
            rest.pop()
    return frozenset(item.batch for item in found)
