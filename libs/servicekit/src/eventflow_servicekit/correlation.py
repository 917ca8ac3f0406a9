"""Request and correlation ids, carried in context variables and in headers.

A request id names one HTTP exchange. A correlation id names everything one user action caused,
across services; callers pass it on in `X-Correlation-ID`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_HEADER = "X-Request-ID"
CORRELATION_HEADER = "X-Correlation-ID"

# Ids end up in logs of other systems: anything else could forge a log line or blow an index.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def current_request_id() -> str | None:
    """Return the id of the HTTP exchange being answered, or None outside of one."""
    return _request_id.get()


def current_correlation_id() -> str | None:
    """Return the id that joins the work of several services, or None where nothing set one."""
    return _correlation_id.get()


def is_acceptable_id(text: str) -> bool:
    """Tell whether `text` may be used as an id: 1 to 64 letters, digits, dots, `_` or `-`."""
    return _ACCEPTED_ID.fullmatch(text) is not None


@contextmanager
def correlated(correlation_id: str, *, request_id: str | None = None) -> Iterator[None]:
    """Run the block with these ids; a worker wraps the handling of one event in it."""
    correlation_token = _correlation_id.set(correlation_id)
    request_token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(request_token)
        _correlation_id.reset(correlation_token)


class CorrelationMiddleware:
    """ASGI middleware: accepts or makes both ids, and answers with them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP exchange with its ids set; other ASGI traffic passes unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _accepted(headers.get(REQUEST_HEADER)) or uuid4().hex
        correlation_id = _accepted(headers.get(CORRELATION_HEADER)) or request_id

        async def send_with_ids(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered[REQUEST_HEADER] = request_id
                answered[CORRELATION_HEADER] = correlation_id
            await send(message)

        with correlated(correlation_id, request_id=request_id):
            await self._app(scope, receive, send_with_ids)


def _accepted(text: str | None) -> str | None:
    return text if text is not None and is_acceptable_id(text) else None
