"""Which process answered, in a header: whoever counts the shares of two versions reads it there."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SERVED_BY_HEADER = "X-Served-By"


class ServedByMiddleware:
    """ASGI middleware: answers with the name of the pod, which holds the hash of its version."""

    def __init__(self, app: ASGIApp, *, pod_name: str) -> None:
        self._app = app
        self._pod_name = pod_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP exchange with the name; other ASGI traffic passes unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_name(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[SERVED_BY_HEADER] = self._pod_name
            await send(message)

        await self._app(scope, receive, send_with_name)
