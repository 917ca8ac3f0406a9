"""An HTTP server on the loopback that keeps what is posted to it."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Posted:
    """One request that arrived; the names of `headers` are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class WebhookSink:
    """A receiver of webhooks, listening inside of `with` at `url`.

    `statuses` answer the next requests, one each, before it answers 204 again; `headers` are added
    to every answer. `silent` closes connections without an answer. With `tls` it speaks HTTPS.
    `when_called` runs before each answer.
    """

    statuses: list[int] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    tls: ssl.SSLContext | None = None
    when_called: Callable[[], None] = field(default=lambda: None)
    posted: list[Posted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, posted: Posted) -> int | None:
        self.posted.append(posted)
        self.when_called()
        if self.silent:
            return None
        return self.statuses.pop(0) if self.statuses else HTTPStatus.NO_CONTENT.value

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = sink._answer(Posted(self.path, headers, body))
                if status is None:
                    return
                self.send_response(status)
                for name, value in sink.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the output of tests is not a log."""

        return Receiver
