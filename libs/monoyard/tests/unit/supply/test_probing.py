"""Questions to a registry that does not answer."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from monoyard.errors import InterruptedRunError
from monoyard.process import kill_running
from monoyard.supply.probing import Probe

if TYPE_CHECKING:
    from collections.abc import Iterator

import pytest


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_question_without_an_answer_is_cut_short(silent: socket.socket) -> None:
    """An interrupt does not wait until a registry that hangs has had its time."""
    probe = Probe(f"127.0.0.1:{silent.getsockname()[1]}", lambda _: "")
    said: list[str] = []

    def ask() -> None:
        try:
            probe.digest("yard/shop", "in-1")
        except InterruptedRunError as error:
            said.append(error.message)

    asking = threading.Thread(target=ask)
    asking.start()
    connection, _ = silent.accept()
    with connection:
        assert connection.recv(4) == b"HEAD"
        kill_running()
        asking.join(20)
        assert not asking.is_alive()
    assert said == ["the run was asked to stop"]
