"""Accounts made from the command line."""

import io
import os

import pytest

from eventflow_identity.provision import main
from eventflow_identity.settings import IdentitySettings


@pytest.fixture(autouse=True)
def environment(settings: IdentitySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables that the command reads."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("SIGNING_KEY", settings.signing_key.get_secret_value())
    monkeypatch.setenv("PASSWORD_HASH_MEMORY", "8")
    monkeypatch.setenv("PASSWORD_HASH_PASSES", "1")
    monkeypatch.setenv("PASSWORD_HASH_LANES", "1")


def test_secret_of_a_new_client_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A new client's secret goes to standard output, and a second client of the name fails."""
    name = f"worker-{os.getpid()}"
    first, again = io.StringIO(), io.StringIO()
    assert main(["client", name, "--scope", "events:read"], stdout=first) == 0
    assert len(first.getvalue().strip()) == 43
    assert main(["client", name], stdout=again) == 1
    assert again.getvalue() == ""
    assert "has an account already" in capsys.readouterr().err


def test_weak_password_is_refused_here_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The rules for passwords hold for provisioned users, and the password is not repeated."""
    stdout = io.StringIO()
    assert main(["user", "eve@example.org"], stdin=io.StringIO("hunter2\n"), stdout=stdout) == 2
    told = capsys.readouterr().err
    assert told.startswith("password: ")
    assert "hunter2" not in told


def test_missing_settings_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its settings the command ends with code 10 and names the variable."""
    monkeypatch.delenv("SIGNING_KEY")
    assert main(["client", "worker"], stdout=io.StringIO()) == 10
    assert "SIGNING_KEY: " in capsys.readouterr().err
