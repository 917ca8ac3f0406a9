"""One place where every request is measured, logged, and saved from an unexpected exception."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eventflow_servicekit.metrics import ServiceMetrics
from eventflow_servicekit.problems import internal_problem

UNMATCHED_ROUTE = "unmatched"

_log = logging.getLogger("eventflow.requests")


class ObservationMiddleware:
    """ASGI middleware: counts, times and logs each request, and answers 500 to a defect.

    `clock` returns seconds and never goes back.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: ServiceMetrics,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP exchange and note it; other ASGI traffic passes unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock()
        status: int | None = None

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            _log.exception("request met a defect")
            if status is not None:
                # The answer has begun: cutting the connection is all that tells the caller.
                raise
            await internal_problem()(scope, receive, send_and_note)
        finally:
            self._note(scope, status, self._clock() - started)

    def _note(self, scope: Scope, status: int | None, duration_seconds: float) -> None:
        route = route_template(scope)
        answered = status if status is not None else HTTPStatus.INTERNAL_SERVER_ERROR.value
        self._metrics.observe_request(
            method=scope["method"], route=route, status=answered, duration_seconds=duration_seconds
        )
        # Probes and scrapes come every few seconds and would drown what matters.
        level = logging.DEBUG if route.startswith(("/health/", "/metrics")) else logging.INFO
        fields = {
            "method": scope["method"],
            "route": route,
            "status": answered,
            "duration_milliseconds": round(duration_seconds * 1000, 1),
        }
        _log.log(level, "request answered", extra=fields)


def route_template(scope: Scope) -> str:
    """Return the template of the route that took the request, or `unmatched`."""
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else UNMATCHED_ROUTE
