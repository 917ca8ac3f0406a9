"""The smoke test of a page, against a small server."""

import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from eventflow_servicekit.smoke import SmokeError, ask, run
from eventflow_servicekit.smoke_page import smoke

PAGE = b"""<!doctype html><link rel="stylesheet" href="./assets/s-1.css">
<script type="module" src="./assets/m-2.js"></script>
<link rel="help" href="https://elsewhere.example/help">"""
FILES = {"/": PAGE, "/assets/s-1.css": b"body{}", "/assets/m-2.js": b"1"}


class Site:
    """A site that serves files from memory; `fallback` answers for what is not there."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = dict(FILES)
        self.fallback: bytes | None = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.files.get(self.path, site.fallback)
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.environment = {"SMOKE_URL": f"http://127.0.0.1:{self.server.server_port}"}


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a site on loopback; it is gone at the end."""
    made = Site()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def fault(environment: Mapping[str, str]) -> str:
    """Return what the smoke test says of a site."""
    with pytest.raises(SmokeError) as caught:
        smoke(environment)
    return str(caught.value)


def test_a_whole_page_passes(site: Site) -> None:
    """The page and every file of its own are there; other people's are not asked for."""
    smoke(site.environment)


def test_a_missing_file_is_caught(site: Site) -> None:
    """A page without its script shows nothing."""
    del site.files["/assets/m-2.js"]

    assert fault(site.environment) == "./assets/m-2.js: 404, not 200"


def test_a_page_in_place_of_a_file_is_caught(site: Site) -> None:
    """A server that answers every path with the page hides that a file is missing."""
    del site.files["/assets/m-2.js"]
    site.fallback = PAGE

    assert fault(site.environment) == "./assets/m-2.js: the page itself"


def test_an_empty_file_is_caught(site: Site) -> None:
    """A file with nothing in it is as bad as none."""
    site.files["/assets/s-1.css"] = b""

    assert fault(site.environment) == "./assets/s-1.css: empty"


def test_a_page_without_files_is_caught(site: Site) -> None:
    """An error page that answers 200 names no script."""
    site.files["/"] = b"<h1>nginx</h1>"

    assert fault(site.environment) == "the page names no file of its own"


def test_nothing_there_is_said_in_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that does not answer is a failure with its reason, and no traceback."""
    monkeypatch.setenv("SMOKE_URL", "http://127.0.0.1:1")

    assert run(smoke) == 1
    assert capsys.readouterr().err == ("the smoke test failed: nothing answers: URLError\n")


def test_a_variable_that_is_missing_is_named() -> None:
    """A smoke test that cannot run has not passed."""
    assert fault({}) == "SMOKE_URL is not set"


def test_only_http_is_asked() -> None:
    """An address that names a file is refused."""
    with pytest.raises(SmokeError, match="none of HTTP"):
        ask("GET", "file:///etc/hostname")
