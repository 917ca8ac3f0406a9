"""What the machine has to have before a native cluster is made of it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from monoyard.cluster.runtime import CNI_PROGRAMS
from monoyard.errors import MachineError

# Program, or path, to the Debian package that has it.
_NEEDED: Final[Mapping[str, str]] = {
    "containerd": "containerd",
    "runc": "runc",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "ipset": "ipset",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "openssl": "openssl",
    str(CNI_PROGRAMS / "bridge"): "containernetworking-plugins",
}
_PATH: Final = "/usr/sbin:/sbin"


def missing_packages() -> list[str]:
    """Return the Debian packages of what is not here."""
    path = f"{os.environ.get('PATH', '')}:{_PATH}"
    return sorted(
        package
        for program, package in _NEEDED.items()
        if not (Path(program).exists() if "/" in program else shutil.which(program, path=path))
    )


def check_root(verb: str) -> None:
    """Refuse without root.

    Raises:
        MachineError: This is not root.
    """
    if os.geteuid() != 0:
        raise MachineError(
            f"{verb} the native cluster needs root: it makes namespaces and mounts",
            code="root-needed",
            hint=f"`sudo -E env PATH=$PATH invoke cluster.{verb}`, or use a cluster you have: "
            "`invoke cluster.up --context NAME`",
        )


def check_machine(ports: Iterable[int]) -> None:
    """Refuse a machine that cannot carry the cluster.

    Args:
        ports: Ports on loopback that have to be free.

    Raises:
        MachineError: Something is missing; all of it is named at once.
    """
    if sys.platform != "linux":
        raise MachineError(
            "a native cluster needs Linux",
            code="machine",
            hint="`invoke cluster.up --context NAME` uses a cluster you have, such as kind's",
        )
    if packages := missing_packages():
        raise MachineError(
            f"{len(packages)} Debian packages are missing",
            code="program-missing",
            context=tuple(packages),
            hint=f"apt-get install --no-install-recommends {' '.join(packages)}",
        )
    taken = [str(port) for port in ports if _is_taken(port)]
    if taken:
        raise MachineError(
            f"ports of 127.0.0.1 are in use: {', '.join(taken)}",
            code="port-in-use",
            hint="`ss -ltnp` names the programs that listen there",
        )


def is_answering(port: int) -> bool:
    """Say whether something listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
