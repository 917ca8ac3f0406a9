"""Prometheus metrics: request counts and latencies, and a registry for a service's own.

Labels stay few: the route is its template (`/v1/events/{event_id}`), never the path that was
asked for, and unknown paths and methods share one value.
"""

from fastapi import APIRouter
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.responses import Response

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LATENCY_BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServiceMetrics:
    """The metrics of one process, in a registry of their own; `registry` takes more."""

    def __init__(self, *, service: str, release: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Info("service", "What is running", registry=self.registry).info(
            {"service": service, "release": release}
        )
        self._requests = Counter(
            "http_requests",
            "HTTP requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "http_request_duration_seconds",
            "Time from the first byte of a request to the last of its answer",
            ("method", "route"),
            buckets=_LATENCY_BUCKETS_SECONDS,
            registry=self.registry,
        )

    def observe_request(
        self, *, method: str, route: str, status: int, duration_seconds: float
    ) -> None:
        """Count one answered request; `route` is the route's template."""
        known_method = method if method in _METHODS else "other"
        self._requests.labels(known_method, route, str(status)).inc()
        self._latency.labels(known_method, route).observe(duration_seconds)

    def render(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self.registry)


def metrics_router(metrics: ServiceMetrics) -> APIRouter:
    """Return the route `/metrics`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    def render_metrics() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return router
