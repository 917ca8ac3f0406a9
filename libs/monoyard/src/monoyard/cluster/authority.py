"""The local certificate authority, and the certificate that the ingress answers with."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.cluster.place import Place
from monoyard.errors import ToolError
from monoyard.process import Command, capture, clean

NAMES: Final = (
    "localhost",
    "*.localhost",
    "*.dev.localhost",
    "*.staging.localhost",
    "*.prod.localhost",
)

_DAYS: Final = "365"
_CURVE: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs for names that lead to this machine or nowhere (RFC 6761), and for nothing else.

    Attributes:
        place: The state directory; keys are readable by root alone.
        names: What the ingress answers to, besides names of localhost.
    """

    place: Place
    names: tuple[str, ...] = ()

    def ensure(self) -> None:
        """Make the authority, and a certificate of the ingress with these names.

        Names that it has already stay: checkouts that share the cluster have names of their own.

        Raises:
            ToolError: openssl failed.
        """
        directory = self.place.authority.parent
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.place.authority.is_file():
            _openssl(
                directory, "req", "-x509", *_CURVE, "-keyout", "ca.key", "-out", "ca.new",
                "-days", _DAYS, "-subj", "/CN=monoyard local cluster",
                "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-addext", "nameConstraints=critical,permitted;DNS:localhost,"
                "permitted;DNS:test,permitted;IP:127.0.0.0/255.0.0.0",
            )  # fmt: skip
            (directory / "ca.new").rename(self.place.authority)
        named = directory / "names"
        before = named.read_text("utf-8").split(",") if named.is_file() else []
        wanted = (*(f"DNS:{name}" for name in (*NAMES, *self.names)), "IP:127.0.0.1")
        if not {*wanted} <= {*before}:
            names = ",".join(dict.fromkeys((*before, *wanted)))
            self._certify(directory, names)
            named.write_text(names, encoding="utf-8")

    def _certify(self, directory: Path, names: str) -> None:
        _openssl(
            directory, "req", *_CURVE, "-keyout", "tls.key", "-out", "tls.csr",
            "-subj", "/CN=localhost", "-addext", f"subjectAltName={names}",
        )  # fmt: skip
        _openssl(
            directory, "x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "tls.crt", "-days", _DAYS, "-copy_extensions", "copy",
        )  # fmt: skip

    def secret(self, file: str) -> str:
        """Return a file of the authority as a Secret holds it."""
        return base64.b64encode((self.place.authority.parent / file).read_bytes()).decode()


def _openssl(directory: Path, *words: str) -> None:
    previous = os.umask(0o077)
    try:
        done = capture(Command(("openssl", *words), directory, clean(), timeout=60))
    finally:
        os.umask(previous)
    if done.status != 0:
        raise ToolError("openssl failed", context=done.last_lines)
