"""A proxy in front of a registry that stops, refuses or loses a request that a test names."""

from __future__ import annotations

import http.client
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .yard import LocalRegistry

_ANSWER_SECONDS = 60.0
_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}


@dataclass
class Rule:
    """What becomes of requests; the first ones that match may pass.

    Attributes:
        method: Method to match.
        path: Pattern that is searched in the path.
        passing: How many matching requests pass before.
        status: Answer with this status instead of asking the registry; 0 lets a request wait until
            the rule is over, and then loses it.
        then: Called with the request held, before it goes on; instead of the above.
    """

    method: str
    path: str
    passing: int = 0
    status: int = 0
    then: Callable[[], None] | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    is_over: threading.Event = field(default_factory=threading.Event)

    def takes(self, method: str, path: str) -> bool:
        """Say whether a request is one to stop, and count it."""
        if self.is_over.is_set() or method not in self.method.split("|"):
            return False
        if not re.search(self.path, path):
            return False
        self.passing -= 1
        return self.passing < 0


class Proxy:
    """What the proxy has seen, and what it does.

    Args:
        registry: Where requests go.

    Attributes:
        seen: Method, path and status of what was answered.
        rule: What becomes of some requests.
        challenge: How whoever has no credentials is told to get them.
        wanted: The header that credentials have to make; empty asks nobody.
    """

    def __init__(self, registry: LocalRegistry) -> None:
        self.registry = registry
        self.seen: list[tuple[str, str, int]] = []
        self.rule: Rule | None = None
        self.challenge = ""
        self.wanted = ""
        self._lock = threading.Lock()
        self.port = 0

    @property
    def address(self) -> str:
        """What stands in front of the names of images."""
        return f"127.0.0.1:{self.port}/yard"

    def count(self, method: str, path: str, status: int) -> int:
        """Return how many requests had an answer."""
        return sum(
            seen[0] == method and seen[2] == status and re.search(path, seen[1]) is not None
            for seen in self.seen
        )

    def match(self, method: str, path: str) -> Rule | None:
        """Return the rule for a request, if it has one."""
        with self._lock:
            return self.rule if self.rule and self.rule.takes(method, path) else None


@contextmanager
def proxied(registry: LocalRegistry) -> Iterator[Proxy]:
    """Have a proxy on a port of its own."""
    proxy = Proxy(registry)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = _body(self)
            if self.path.startswith("/token"):
                proxy.seen.append((self.command, self.path, 200))
                _say(self, 200, b'{"token": "given"}')
                return
            if proxy.wanted and self.headers.get("Authorization", "") != proxy.wanted:
                proxy.seen.append((self.command, self.path, 401))
                _refuse(self, 401, proxy.challenge)
                return
            rule = proxy.match(self.command, self.path)
            if rule is not None:
                rule.reached.set()
                if rule.status:
                    proxy.seen.append((self.command, self.path, rule.status))
                    _refuse(self, rule.status)
                    return
                if rule.then is None:
                    rule.is_over.wait()
                    self.close_connection = True
                    return
                rule.then()
            _forward(self, registry.port, body, proxy.seen)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # the client was killed
                self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.port = int(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        if proxy.rule is not None:
            proxy.rule.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _body(handler: http.server.BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    parts = []
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        parts.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(parts)


def _forward(
    handler: http.server.BaseHTTPRequestHandler,
    port: int,
    body: bytes,
    seen: list[tuple[str, str, int]],
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    headers = {
        name: value for name, value in handler.headers.items() if name.lower() not in _HOP_BY_HOP
    }
    try:
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    # Before whoever asked can know: it may look here next.
    seen.append((handler.command, handler.path, answer.status))
    handler.send_response(answer.status)
    for name, value in answer.getheaders():
        if name.lower() not in _HOP_BY_HOP:
            handler.send_header(name, value)
    size = answer.headers["Content-Length"] if handler.command == "HEAD" else str(len(data))
    handler.send_header("Content-Length", size or "0")
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(data)


def _refuse(handler: http.server.BaseHTTPRequestHandler, status: int, challenge: str = "") -> None:
    handler.send_response(status)
    if challenge:
        handler.send_header("WWW-Authenticate", challenge)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _say(handler: http.server.BaseHTTPRequestHandler, status: int, data: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
