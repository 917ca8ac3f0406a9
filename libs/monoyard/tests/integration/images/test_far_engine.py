"""An engine on another machine, which reaches nothing of this one."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import docker
import pytest

if TYPE_CHECKING:
    from .conftest import Yard

REFUSED = b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n"
BODY = b'{"message":"cannot be there"}'
NEAR = (b"/images/create?", b'"HostIp": "127.0.0.1"')
"""What asks an engine for the loopback of whoever asks."""


class FarEngine:
    """The engine of this machine by TCP, as far away as another machine's.

    It listens on loopback alone, so that nobody else can use it. It is called by an address that
    leads there and is no address of the loopback.
    """

    def __init__(self) -> None:
        self.refused: list[bytes] = []
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.address = f"tcp://0.0.0.0:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect("/var/run/docker.sock")
            for pump in (self._ask, self._answer):
                thread = threading.Thread(target=pump, args=(client, engine))
                thread.start()
                self._threads.append(thread)

    def _ask(self, client: socket.socket, engine: socket.socket) -> None:
        while data := _received(client):
            if near := [item for item in NEAR if item in data]:
                self.refused += near
                client.sendall(REFUSED + BODY)
                break
            engine.sendall(data)
        engine.shutdown(socket.SHUT_RDWR)

    def _answer(self, client: socket.socket, engine: socket.socket) -> None:
        while data := _received(engine):
            client.sendall(data)
        client.close()
        engine.close()


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""


@pytest.fixture
def far_engine() -> Iterator[FarEngine]:
    """The usual engine, far away."""
    if (
        os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        != "unix:///var/run/docker.sock"
    ):
        pytest.skip("the engine is not at the usual socket")
    started = FarEngine()
    yield started
    started.close()


def test_images_are_tried_by_an_engine_elsewhere(yard: Yard, far_engine: FarEngine) -> None:
    """It is handed the image, asked where it is, and keeps nothing; a bad image is seen there."""
    yard.service("shop")
    yard.service("broken", status=500)
    yard.checkout.commit()
    environment = {"DOCKER_HOST": far_engine.address}
    outcomes = yard.checkout.outcomes("images", env=environment)
    assert far_engine.refused == []
    assert outcomes == {"shop:image": "pass", "broken:image": "fail"}
    assert "status 500" in yard.checkout.result("broken:image")["reason"]
    client = docker.from_env()
    try:
        tags = [tag for image in client.api.images() for tag in image.get("RepoTags") or ()]
    finally:
        client.close()
    assert not [tag for tag in tags if tag.startswith("monoyard-trial")]
