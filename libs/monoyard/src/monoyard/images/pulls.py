"""A registry on loopback that a container engine pulls layouts from.

The engine that tries an image gets the bytes that are pushed later, checked by their digests; an
archive for `docker load` would be another form of them.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from monoyard.images.layouts import Layout

_REQUEST: Final = re.compile(r"^/v2/([a-z0-9._/-]+)/(manifests|blobs)/(sha256:[0-9a-f]{64})$")
_CHUNK: Final = 1 << 20


@contextlib.contextmanager
def serve(layouts: Mapping[str, Layout]) -> Iterator[str]:
    """Answer pulls of layouts, by repository name, on a loopback port while the block runs.

    Yields:
        `HOST:PORT`, in front of the repository's name.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pulls, layouts))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Pulls(BaseHTTPRequestHandler):
    """The reading half of the OCI distribution protocol."""

    protocol_version = "HTTP/1.1"

    def __init__(self, layouts: Mapping[str, Layout], *arguments: Any) -> None:
        self._layouts = layouts
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Send what is asked for."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send its size and kind."""
        self._answer(with_body=False)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, *, with_body: bool) -> None:
        if self.path == "/v2/":
            self._send(200, "application/json", Path(), b"{}", with_body=with_body)
            return
        match = _REQUEST.match(self.path)
        layout = self._layouts.get(match[1]) if match else None
        path = layout.blob(match[3]) if layout and match else Path()
        if not path.is_file() or not match or not layout:
            self._send(404, "application/json", Path(), b'{"errors":[]}', with_body=with_body)
            return
        kind = "application/octet-stream"
        if match[2] == "manifests":
            kind = str(json.loads(path.read_bytes()).get("mediaType"))
        self._send(200, kind, path, b"", with_body=with_body, digest=match[3])

    def _send(
        self, status: int, kind: str, path: Path, body: bytes, *, with_body: bool, digest: str = ""
    ) -> None:
        size = path.stat().st_size if digest else len(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if not with_body:
            return
        if not digest:
            self.wfile.write(body)
            return
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                self.wfile.write(chunk)
