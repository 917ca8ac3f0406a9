"""Accounts made from the command line."""

import io
import os

import pytest

from eventflow_identity.application import create_accounts
from eventflow_identity.provision import main
from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.database import create_database_engine


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


def test_a_given_secret_is_the_clients(settings: IdentitySettings) -> None:
    """A secret that something else made is read from standard input, and not repeated."""
    name, stdout = f"smoke-{os.getpid()}", io.StringIO()
    given = "s" * 32
    assert main(["client", name, "--given"], stdin=io.StringIO(given + "\n"), stdout=stdout) == 0
    assert stdout.getvalue() == f"{name}\n"
    engine = create_database_engine(settings, application_name="test")
    try:
        assert create_accounts(settings, engine).prove_client(name, given).scopes == ()
    finally:
        engine.dispose()


def test_a_short_secret_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A secret that could be guessed makes no account, and is not repeated."""
    name, stdout = f"short-{os.getpid()}", io.StringIO()
    assert main(["client", name, "--given"], stdin=io.StringIO("sesame\n"), stdout=stdout) == 2
    told = capsys.readouterr().err
    assert told == "secret: it has fewer than 32 characters\n"
    assert main(["client", name], stdout=stdout) == 0


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
