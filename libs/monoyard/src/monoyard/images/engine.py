"""Whether a container engine answers; the planning path asks, so nothing heavy is imported."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_DEFAULT: Final = "unix:///var/run/docker.sock"
_BY_NETWORK: Final = frozenset({"http", "https", "tcp"})
_SECONDS: Final = 2.0
_PING: Final = b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n"


def engine_problem(environment: Mapping[str, str]) -> str:
    """Return why images cannot be made here, or nothing where they can.

    An engine that is reached by TCP or SSH is taken at its word until it is used.
    """
    address = environment.get("DOCKER_HOST") or _DEFAULT
    if address.startswith("unix://") and not _answers(Path(address.removeprefix("unix://"))):
        return f"no container engine answers at {address} (`invoke tools.start docker` starts one)"
    if os.geteuid() != 0:
        return "the engine's BuildKit needs root"
    return ""


def engine_host(environment: Mapping[str, str]) -> str:
    """Return the name of the machine that an engine is on; empty for this one.

    An engine elsewhere, as beside a job of a CI system, can pull nothing from here, and what it
    publishes for its own loopback is not there for us.
    """
    address = urlsplit(environment.get("DOCKER_HOST") or _DEFAULT)
    host = address.hostname or ""
    if address.scheme not in _BY_NETWORK or host == "localhost":
        return ""
    try:
        return "" if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return host


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(str(path))
            connection.sendall(_PING)
            return connection.recv(64).startswith(b"HTTP/1.")
    except OSError:
        return False
