"""An HTTP server on the loopback that stands in for notifications."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, Any]
SETTLED: Answer = (200, {"settled": True})


@dataclass(frozen=True)
class Received:
    """One request; the names of `headers` are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.headers["idempotency-key"]


class _Server(ThreadingHTTPServer):
    # Several workers connect at the same moment.
    request_queue_size = 128


@dataclass
class NotificationsServer:
    """Listens inside of `with` at `url` and settles what it is asked to send.

    `answers` (status and JSON body) are given to the next requests, one each, first; None hangs up
    without an answer. `when_called` runs before each answer.
    """

    answers: list[Answer | None] = field(default_factory=list)
    when_called: Callable[[Received], None] = field(default=lambda _: None)
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, received: Received) -> Answer | None:
        with self._lock:
            self.received.append(received)
            answer = self.answers.pop(0) if self.answers else SETTLED
        self.when_called(received)
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Notifications(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = server._take(Received(self.path, headers, body))
                if answer is None:
                    return
                content = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the output of tests is not a log."""

        return Notifications
