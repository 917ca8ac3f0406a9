"""Settings: from the environment, complete faults, no secret repeated."""

import pytest
from pydantic import ValidationError

from eventflow_servicekit.settings import (
    DatabaseSettings,
    ServiceSettings,
    SettingsError,
    load_settings,
)


class ExampleSettings(ServiceSettings, DatabaseSettings):
    """A service with a database."""


def test_environment_is_read_by_field_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable named as the field in capitals sets the field."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone@db/app")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings(ExampleSettings)
    assert settings.port == 9001
    assert settings.database_url.get_secret_value() == "postgresql://someone@db/app"


def test_secret_is_redacted_when_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The representation of settings never holds the database password."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:hunter2@db/app")
    assert "hunter2" not in repr(load_settings(ExampleSettings))


def test_all_faults_come_at_once_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wrong variable is named in one error that repeats no value."""
    monkeypatch.setenv("PORT", "very-secret-99999")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SettingsError) as caught:
        load_settings(ExampleSettings)
    assert {fault.split(":")[0] for fault in caught.value.faults} == {
        "DATABASE_URL",
        "LOG_LEVEL",
        "PORT",
    }
    assert "very-secret" not in str(caught.value)


def test_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable leaves the default in place."""
    monkeypatch.setenv("PORT", "")
    assert load_settings(ServiceSettings).port == 8000


def test_settings_do_not_change_after_start() -> None:
    """Assigning to a loaded setting fails."""
    settings = ServiceSettings()
    with pytest.raises(ValidationError):
        settings.port = 1
