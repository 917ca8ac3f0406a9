"""Advisories that are fetched: osv-scanner asks a twin of osv.dev's server, on loopback."""

from __future__ import annotations

import http.server
import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from monoyard.errors import MachineError, ToolError
from monoyard.supply import Database, Scanners
from monoyard.supply.findings import read_young

from .yard import program, write_database

HOST = "osv-vulnerabilities.storage.googleapis.com"
LOCK = {
    "name": "page", "lockfileVersion": 3,
    "packages": {"": {}, "node_modules/preact": {"version": "11.2.0"}},
}  # fmt: skip


@dataclass
class Bucket:
    """What is served, and what was asked for."""

    files: Path
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A server with the layout of osv.dev's exports, behind a proxy that leads nowhere else."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on PATH")
    key, certificate = tmp_path / "server.key", tmp_path / "server.pem"
    subprocess.run(
        (
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
            "-keyout", str(key), "-out", str(certificate),
        ),
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    made = Bucket(tmp_path / "served")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            self.send_response(200 if self.path == f"{HOST}:443" else 403)
            self.end_headers()
            if self.path == f"{HOST}:443":
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", buffering=0)

        def do_GET(self) -> None:
            made.asked.append(self.path)
            path = made.files / "osv-scalibr" / self.path.strip("/")
            data = path.read_bytes() if path.is_file() else b"not there"
            self.send_response(200 if path.is_file() else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET  # noqa: N815  the name that http.server looks for

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # the client ended
                self.close_connection = True

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_advisories_are_fetched_where_they_are_needed(bucket: Bucket, tmp_path: Path) -> None:
    """What a lock needs is fetched and found, and a statement about it is one of today."""
    write_database(bucket.files, "npm")
    (tmp_path / "package-lock.json").write_text(json.dumps(LOCK), encoding="utf-8")
    scanners = Scanners(tmp_path, program)
    known = Database.find("download", tmp_path, tmp_path / "kept")
    (found,) = scanners.dependencies(known, tmp_path / "package-lock.json")
    assert (found.package, found.fixed) == ("preact", ("12.0.0",))
    assert set(bucket.asked) == {"/npm/all.zip"}
    now = time.time()
    identity, moment = known.described(now)
    kept = Database.find(str(tmp_path / "kept"), tmp_path, tmp_path)
    assert (identity, moment) == (kept.identity, now)


def test_attested_findings_of_fetched_advisories_are_young(bucket: Bucket, tmp_path: Path) -> None:
    """A database that was fetched for the scan is as new as the scan, and has an identity."""
    write_database(bucket.files, "npm")
    sbom = {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "page", "documentNamespace": "https://example.org/page",
        "creationInfo": {"created": "2026-11-01T00:00:00Z", "creators": ["Tool: test"]},
        "packages": [
            {
                "name": "preact", "SPDXID": "SPDXRef-1", "versionInfo": "11.2.0",
                "downloadLocation": "NOASSERTION",
                "externalRefs": [
                    {
                        "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                        "referenceLocator": "pkg:npm/preact@11.2.0",
                    }
                ],
            }
        ],
    }  # fmt: skip
    known = Database.find("download", tmp_path, tmp_path / "kept")
    scanners = Scanners(tmp_path, program)
    said = scanners.state_findings(known, "page", sbom)
    assert said["scanner"]["db"]["version"].startswith("sha256:")
    attested = read_young({"predicate": said}, "page", 3600.0, time.time())
    assert attested is not None
    assert [item.package for item in attested.found] == ["preact"]


def test_advisories_that_cannot_be_fetched_are_an_error(bucket: Bucket, tmp_path: Path) -> None:
    """A server without what is needed is no pass, although nothing is known to be wrong."""
    (tmp_path / "package-lock.json").write_text(json.dumps(LOCK), encoding="utf-8")
    known = Database.find("download", tmp_path, tmp_path / "kept")
    scanners = Scanners(tmp_path, program)
    with pytest.raises((MachineError, ToolError)):
        scanners.dependencies(known, tmp_path / "package-lock.json")
    assert bucket.asked
