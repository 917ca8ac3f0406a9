"""Programs that stay after the command that started them."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monoyard.errors import MachineError, UsageError
from monoyard.install import Daemons, Tools

# Listens where the configuration says, as a registry does.
LISTENS = """\
#!{python}
import re, socket, sys, time
port = int(re.search(r"addr: 127.0.0.1:(\\d+)", open(sys.argv[2]).read())[1])
listener = socket.create_server(("127.0.0.1", port))
while True:
    listener.accept()[0].close()
"""
ENDS = "#!/bin/sh\necho the disk is full\nexit 1\n"


class OneTool(Tools):
    """Knows one program."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def ensure(self, _name: str) -> Path:
        """Return the program."""
        return self._program


def daemons(place: Path, script: str) -> Daemons:
    """Return daemons whose registry is a script, on a port that was free."""
    program = place / "registry-program"
    program.write_text(script.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return Daemons(OneTool(program), place / "kept", port)


def answers(found: Daemons) -> bool:
    """Say whether the registry's port is open."""
    try:
        with socket.create_connection(("127.0.0.1", found.registry_port), timeout=1):
            return True
    except OSError:
        return False


def record_of(found: Daemons) -> Path:
    """Return where the process of a registry on another port than the usual one is noted."""
    return found.kept / f"registry-{found.registry_port}.pid"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Daemons]:
    """A registry that works and is stopped in the end."""
    found = daemons(tmp_path, LISTENS)
    yield found
    found.stop("registry")


def test_started_daemon_answers_until_it_is_stopped(registry: Daemons) -> None:
    """A second start finds the first; a stop ends it; a second stop finds nothing to end."""
    address = f"127.0.0.1:{registry.registry_port}"
    assert registry.start("registry") == address
    first = record_of(registry).read_text("utf-8")
    assert registry.start("registry") == address
    assert record_of(registry).read_text("utf-8") == first
    assert registry.stop("registry")
    assert not answers(registry)
    assert not registry.stop("registry")


def test_registries_on_two_ports_are_two(registry: Daemons, tmp_path: Path) -> None:
    """One that is started for another port does not take the first one's place, nor its images."""
    other = daemons(tmp_path, LISTENS)
    registry.start("registry")
    try:
        other.start("registry")
        assert answers(registry)
        assert answers(other)
        assert registry.stop("registry")
        assert answers(other)
    finally:
        assert other.stop("registry")


def test_daemon_that_ends_is_an_error_with_its_words(tmp_path: Path) -> None:
    """What it said last is repeated, and where the rest of it stands; nobody waits a minute."""
    found = daemons(tmp_path, ENDS)
    began = time.monotonic()
    with pytest.raises(MachineError, match="registry did not start") as raised:
        found.start("registry")
    assert raised.value.context == ("the disk is full",)
    assert str(record_of(found).with_suffix(".log")) in str(raised.value.hint)
    assert time.monotonic() - began < 50


def test_process_that_took_a_number_over_is_left_alone(registry: Daemons) -> None:
    """A record whose process ended long ago names a stranger by now, who is not stopped."""
    registry.start("registry")
    record = record_of(registry)
    true = record.read_text("utf-8")
    record.write_text(f"{true.split()[0]} 12", encoding="utf-8")
    assert not registry.stop("registry")
    assert answers(registry)
    record.write_text(true, encoding="utf-8")


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_unknown_daemon_is_a_usage_error(tmp_path: Path, verb: str) -> None:
    """A name that is none is told with those that are."""
    found = daemons(tmp_path, ENDS)
    with pytest.raises(UsageError, match="`podman` is not one of docker, registry"):
        getattr(found, verb)("podman")
