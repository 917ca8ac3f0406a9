"""The namespaces of the cluster and the way into them, with root but without Kubernetes."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.cluster.enclosure import HOLDER, Enclosure
from monoyard.cluster.forward import Way
from monoyard.cluster.place import NODE_ADDRESS, Place
from monoyard.cluster.records import Records, mount_namespace_of, of_namespace
from monoyard.errors import ToolError

if TYPE_CHECKING:
    from .conftest import Machine

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(shutil.which("ip", path="/usr/sbin:/sbin") is None, reason="no iproute2"),
]
INSIDE = 8123


@pytest.fixture
def enclosure(tmp_path: Path) -> Iterator[Enclosure]:
    """Open namespaces; they are closed afterwards."""
    place = Place(tmp_path / "state", 5000)
    place.directory.mkdir()
    made = Enclosure(place, Records(place.directory / "processes"))
    try:
        yield made
    finally:
        made.records.stop("forward")
        made.close()
        made.remove_mount_points()


def until(holds: Callable[[], object], failure: str) -> None:
    """Wait until something holds; after a minute, fail."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, failure
        time.sleep(0.1)


def fetch(port: int) -> str:
    """Return what a port of loopback answers, as soon as it does."""
    said: list[str] = []

    def asked() -> list[str]:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer,
        ):
            said.append(answer.read().decode())
        return said

    until(asked, "nothing answers")
    return said[0]


def test_nothing_of_it_is_seen_outside(
    enclosure: Enclosure, machine: Callable[[], Machine]
) -> None:
    """Mounts, links and settings exist inside alone, and go when the processes are killed."""
    before = machine()
    enclosure.open()
    assert "monoyard0" in enclosure.run(("ip", "link"))
    assert enclosure.run(("cat", "/proc/sys/kernel/panic")) == "10\n"
    assert "/etc/kubernetes" in enclosure.run(("cat", "/proc/self/mounts"))
    during = machine()
    assert (during.mounts, during.links, during.tunables) == (
        before.mounts, before.links, before.tunables,
    )  # fmt: skip
    holder = enclosure.holder
    assert holder is not None
    name = mount_namespace_of(holder)
    enclosure.records.start("other", enclosure.wrap(("sleep", "600")))
    until(lambda: len(of_namespace(name)) == 2, "the other one did not enter")
    enclosure.records.stop(HOLDER)
    assert of_namespace(name), "the other one is still there, and found without the holder"
    enclosure.close()
    enclosure.remove_mount_points()
    assert not of_namespace(name)
    assert machine() == before


def test_it_is_opened_once(enclosure: Enclosure) -> None:
    """A second call keeps the namespaces; after the holder was lost they are made anew."""
    enclosure.open()
    first = enclosure.holder
    enclosure.open()
    assert enclosure.holder == first
    enclosure.records.stop(HOLDER)
    enclosure.open()
    assert enclosure.holder not in {None, first}


def test_nothing_gets_out(enclosure: Enclosure) -> None:
    """Inside, an address of elsewhere is unreachable, and so is loopback of the machine."""
    enclosure.open()
    with socket.create_server(("127.0.0.1", 0)) as server:
        for address, port in (("192.0.2.1", 80), ("127.0.0.1", server.getsockname()[1])):
            program = f"import socket; socket.create_connection(({address!r}, {port}), 5)"
            with pytest.raises(ToolError) as raised:
                enclosure.run((sys.executable, "-c", program))
            assert any(word in raised.value.context[-1] for word in ("unreachable", "refused")), (
                raised.value.context
            )


def test_ports_lead_in_and_out(enclosure: Enclosure, tmp_path: Path) -> None:
    """A server inside is reached from loopback, and one of loopback from inside; both whole."""
    big = "x" * 3_000_000
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text(big, encoding="utf-8")
    enclosure.open()
    serve = (sys.executable, "-m", "http.server", f"--directory={tmp_path / 'www'}")
    enclosure.records.start(
        "server", enclosure.wrap((*serve, f"--bind={NODE_ADDRESS}", str(INSIDE)))
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ways = (Way(False, port, "127.0.0.1", port), Way(True, port, NODE_ADDRESS, INSIDE))
    source = str(Path(sys.modules["monoyard"].__path__[0]).parent)
    program = ("env", f"PYTHONPATH={source}", sys.executable, "-m", "monoyard.cluster.forward")
    enclosure.records.start(
        "forward", (*program, f"/proc/{enclosure.holder}/ns/net", *map(str, ways))
    )
    assert fetch(port) == big
    # From inside, the same port leads out to this machine's loopback, and so in again.
    asks = f"import urllib.request as u; print(len(u.urlopen('http://127.0.0.1:{port}/').read()))"
    assert enclosure.run((sys.executable, "-c", asks)) == f"{len(big)}\n"
