"""Whether a container engine answers."""

import os
import socket
import threading
from pathlib import Path

import pytest

from monoyard.images import engine_problem, required
from monoyard.images.engine import engine_host


def test_no_engine_is_told_with_its_address(tmp_path: Path) -> None:
    """A socket that is not there, or that nobody listens on, is a reason and a hint."""
    path = tmp_path / "docker.sock"
    said = f"no container engine answers at unix://{path} (`invoke tools.start docker` starts one)"
    assert engine_problem({"DOCKER_HOST": f"unix://{path}"}) == said
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert engine_problem({"DOCKER_HOST": f"unix://{path}"}) == said


@pytest.mark.skipif(os.geteuid() != 0, reason="without root there is no BuildKit to ask for")
def test_engine_that_answers_is_no_problem(tmp_path: Path) -> None:
    """One that speaks HTTP on its socket is enough; one that says something else is not."""
    path = tmp_path / "docker.sock"
    for answer, is_good in ((b"HTTP/1.0 200 OK\r\n\r\nOK", True), (b"220 smtp\r\n", False)):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()

            def reply(words: bytes = answer, server: socket.socket = listener) -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(1024)
                    connection.sendall(words)

            thread = threading.Thread(target=reply)
            thread.start()
            assert (engine_problem({"DOCKER_HOST": f"unix://{path}"}) == "") is is_good
            thread.join()
        path.unlink()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("", ""), ("unix:///run/docker.sock", ""), ("tcp://127.0.0.1:2375", ""),
        ("tcp://localhost:2376", ""), ("tcp://[::1]:2375", ""), ("tcp://docker:2375", "docker"),
        ("tcp://10.0.0.7:2376", "10.0.0.7"), ("https://[2001:db8::7]:2376", "2001:db8::7"),
    ],
)  # fmt: skip
def test_engine_of_another_machine(address: str, host: str) -> None:
    """An engine is elsewhere where its address is of the network, and not the loopback's."""
    assert engine_host({"DOCKER_HOST": address}) == host


@pytest.mark.parametrize(
    ("text", "found"),
    [("", set()), ("images", {"images"}), ("images, cluster", {"images", "cluster"})],
)
def test_required_kinds(text: str, found: set[str]) -> None:
    """`MONOYARD_REQUIRE` lists kinds, by commas or spaces."""
    assert required({"MONOYARD_REQUIRE": text}) == found
