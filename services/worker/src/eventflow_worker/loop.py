"""Works on the queue, batch after batch, until it is told to stop."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eventflow_worker.backoff import Backoff
from eventflow_worker.event_queue import EventQueue
from eventflow_worker.metrics import WorkerMetrics
from eventflow_worker.outcomes import Outcome, TakenEvent
from eventflow_worker.processing import Processor

Clock = Callable[[], float]
"""Returns seconds and never goes back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoopPolicy:
    """How the loop goes; durations are in seconds.

    `working_time` is how long after taking a batch an event of it may still be begun; what is left
    of the lease must be enough to finish it.
    """

    batch: int
    working_time: float
    idle_pause: float
    backlog_interval: float = 5.0


class WorkerLoop:
    """Takes batches and settles them; one thread calls `run`, others may ask `idle_seconds`."""

    def __init__(
        self,
        queue: EventQueue,
        processor: Processor,
        metrics: WorkerMetrics,
        policy: LoopPolicy,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._queue = queue
        self._processor = processor
        self._metrics = metrics
        self._policy = policy
        self._clock = clock
        self._beat = clock()
        self._measured_at = float("-inf")

    def idle_seconds(self) -> float:
        """Return how long ago the loop last showed that it goes on."""
        return self._clock() - self._beat

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a fault is logged and followed by a growing pause."""
        faults = 0
        pauses = Backoff(first=self._policy.idle_pause, longest=30.0)
        while not stop.is_set():
            try:
                worked = self.turn(stop)
            except Exception:  # noqa: BLE001 - leases run out, and the next turn may go better
                faults += 1
                _log.exception("the worker met a fault", extra={"faults": faults})
                stop.wait(pauses.delay(faults))
                continue
            faults = 0
            if worked == 0:
                stop.wait(self._policy.idle_pause)

    def turn(self, stop: threading.Event) -> int:
        """Take one batch and work on it; return how many events it held.

        When `stop` is set or time is short, the event in hand is finished and the others are given
        back.
        """
        self._show_backlog()
        taken = self._queue.take(self._policy.batch)
        end = self._clock() + self._policy.working_time
        unsettled: list[Outcome] = []
        for place, event in enumerate(taken):
            self._beat = self._clock()
            if stop.is_set() or self._beat >= end:
                self._queue.give_back([left.event_id for left in taken[place:]])
                break
            unsettled.append(self._process(event))
            # What was done outside of the database is written down at once: a kill before that
            # would do it again.
            if unsettled[-1].effects.notice is not None:
                self._settle(unsettled)
                unsettled = []
        self._settle(unsettled)
        return len(taken)

    def _process(self, event: TakenEvent) -> Outcome:
        started = self._clock()
        outcome = self._processor.process(event)
        self._metrics.observe_duration(self._clock() - started)
        return outcome

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        held = self._queue.settle(outcomes)
        for outcome in outcomes:
            self._metrics.count(outcome, is_ours=outcome.event_id in held)

    def _show_backlog(self) -> None:
        self._beat = self._clock()
        if self._beat - self._measured_at >= self._policy.backlog_interval:
            self._measured_at = self._beat
            self._metrics.show_backlog(self._queue.backlog())
