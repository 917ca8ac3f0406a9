"""Asks a registry what tags name, over connections that are kept: many questions, no processes.

Only what is beyond doubt is answered here. Everything else (a proxy, a registry that is down or
refuses, credentials that are not taken) is left to crane, which repeats, and says why.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import json
import re
import socket
import ssl
import urllib.request
import weakref
from collections.abc import Callable
from typing import Final

from monoyard.process import cut_short

_MANIFESTS: Final = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)
_CONNECT_SECONDS: Final = 5.0  # an interrupt has to wait for it
_SECONDS: Final = 30.0
_ATTEMPTS: Final = 2  # a connection that was kept may have been closed by the other side
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LOOPBACK: Final = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::\d+)?")


class UnansweredError(Exception):
    """The registry has to be asked by crane."""


class Probe:
    """Questions to one registry, from any thread.

    Args:
        host: `HOST[:PORT]`.
        ask_crane: Calls crane with words and returns what it prints; empty where it fails.
    """

    def __init__(self, host: str, ask_crane: Callable[[tuple[str, ...]], str]) -> None:
        self._host = host
        self._ask_crane = ask_crane
        self._is_plain = _LOOPBACK.fullmatch(host) is not None
        self._kept: list[http.client.HTTPConnection] = []
        self._authorizations: dict[str, str] = {}
        proxies = urllib.request.getproxies()
        scheme = "http" if self._is_plain else "https"
        self._is_proxied = scheme in proxies and not urllib.request.proxy_bypass(host)
        weakref.finalize(self, _close, self._kept)

    def digest(self, repository: str, tag: str) -> str | None:
        """Return what a tag names, or None where there is no such tag.

        Args:
            repository: Without the host.
            tag: The tag.

        Raises:
            UnansweredError: Nothing is sure.
        """
        if self._is_proxied:
            raise UnansweredError
        status, headers = self._head(repository, tag)
        if status == http.HTTPStatus.UNAUTHORIZED and repository not in self._authorizations:
            challenge = str(headers["WWW-Authenticate"])
            self._authorizations[repository] = self._authorization(repository, challenge)
            status, headers = self._head(repository, tag)
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        found = str(headers["Docker-Content-Digest"])
        if status != http.HTTPStatus.OK or not _DIGEST.fullmatch(found):
            raise UnansweredError
        return found

    def _head(self, repository: str, tag: str) -> tuple[int, http.client.HTTPMessage]:
        headers = {"Accept": _MANIFESTS}
        if known := self._authorizations.get(repository):
            headers["Authorization"] = known
        for _ in range(_ATTEMPTS):
            connection = self._connection()
            try:
                with cut_short(functools.partial(_cut, connection)):
                    if connection.sock is None:
                        _connect(connection)
                    connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers=headers)
                    answer = connection.getresponse()
                    answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            self._kept.append(connection)
            return answer.status, answer.headers
        raise UnansweredError

    def _connection(self) -> http.client.HTTPConnection:
        with contextlib.suppress(IndexError):
            return self._kept.pop()
        if self._is_plain:
            return http.client.HTTPConnection(self._host, timeout=_CONNECT_SECONDS)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, timeout=_CONNECT_SECONDS, context=context)

    def _authorization(self, repository: str, challenge: str) -> str:
        """Return the header that crane would send; it knows helpers, tokens and their exchange."""
        scheme = challenge.partition(" ")[0].lower()
        if scheme == "bearer":
            said = self._ask_crane(("auth", "token", "--header", f"{self._host}/{repository}"))
            return said.strip().removeprefix("Authorization: ")
        if scheme == "basic":
            with contextlib.suppress(KeyError, TypeError, ValueError):
                found = json.loads(self._ask_crane(("auth", "get", self._host)))
                pair = f"{found['Username']}:{found['Secret']}".encode()
                return f"Basic {base64.b64encode(pair).decode()}"
        return ""


def _connect(connection: http.client.HTTPConnection) -> None:
    """Connect; answers may take longer than that."""
    connection.connect()
    connection.sock.settimeout(_SECONDS)


def _cut(connection: http.client.HTTPConnection) -> None:
    """End what another thread waits for."""
    with contextlib.suppress(AttributeError, OSError):  # not connected, or not any more
        connection.sock.shutdown(socket.SHUT_RDWR)


def _close(connections: list[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()
