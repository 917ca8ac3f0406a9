"""What the worker lets be measured."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from eventflow_worker.event_queue import Backlog
from eventflow_worker.outcomes import Outcome


class WorkerMetrics:
    """Counts events by what became of them: done, later, dead, or lost to another worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "worker_events", "Events worked on, by outcome", ("outcome",), registry=registry
        )
        self._duration = Histogram(
            "worker_event_duration_seconds", "Time to work on one event", registry=registry
        )
        self._backlog = Gauge(
            "worker_backlog_events", "Events that could be worked on now", registry=registry
        )
        self._oldest = Gauge(
            "worker_backlog_oldest_seconds",
            "How long the oldest of them has waited",
            registry=registry,
        )

    def observe_duration(self, seconds: float) -> None:
        """Note how long one event took."""
        self._duration.observe(seconds)

    def count(self, outcome: Outcome, *, is_ours: bool) -> None:
        """Count one outcome; `is_ours` is false when the lease was lost."""
        kind = type(outcome).__name__.lower() if is_ours else "lost"
        self._events.labels(kind).inc()

    def show_backlog(self, backlog: Backlog) -> None:
        """Show what waits."""
        self._backlog.set(backlog.events)
        self._oldest.set(backlog.oldest_seconds)
