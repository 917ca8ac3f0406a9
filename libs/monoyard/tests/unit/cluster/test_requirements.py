"""What a machine has to have."""

import os
import socket

import pytest

from monoyard.cluster import requirements
from monoyard.cluster.requirements import check_machine, check_root, is_answering
from monoyard.errors import MachineError


def test_missing_packages_are_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is missing is named at once, with the line that installs it."""
    needed = {"no-such-program": "one", "/no/such/path": "two", "sh": "dash"}
    monkeypatch.setattr(requirements, "_NEEDED", needed)
    with pytest.raises(MachineError) as raised:
        check_machine(())
    assert raised.value.code == "program-missing"
    assert raised.value.hint == "apt-get install --no-install-recommends one two"


def test_taken_ports_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports that others listen on are told before anything is started."""
    monkeypatch.setattr(requirements, "_NEEDED", {})
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_answering(port)
        with pytest.raises(MachineError, match=f"in use: {port}$"):
            check_machine((port,))
    check_machine((port,))
    assert not is_answering(port)


def test_root_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root there is one error that names both ways out."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MachineError) as raised:
        check_root("up")
    assert raised.value.code == "root-needed"
    assert "sudo" in str(raised.value.hint)
    assert "--context" in str(raised.value.hint)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    check_root("up")
