"""Settings that cannot work are refused at the start."""

import pytest

from eventflow_servicekit.settings import SettingsError, load_settings
from eventflow_worker.settings import WorkerSettings, unique_name

REQUIRED = {
    "DATABASE_URL": "postgresql://nowhere/none",
    "NOTIFICATIONS_TOKEN": "a token of some length",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what is required and return the means to set more."""
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("name", REQUIRED)
def test_required_settings_are_named(environment: pytest.MonkeyPatch, name: str) -> None:
    """A worker without a database or a token does not start."""
    environment.delenv(name)
    with pytest.raises(SettingsError, match=name):
        load_settings(WorkerSettings)


def test_a_lease_outlasts_an_event(environment: pytest.MonkeyPatch) -> None:
    """A lease that ends while an event is worked on would make others work on it too."""
    load_settings(WorkerSettings)
    environment.setenv("LEASE_SECONDS", "20")
    with pytest.raises(SettingsError, match="LEASE_SECONDS"):
        load_settings(WorkerSettings)


def test_an_event_is_begun_only_while_the_lease_can_cover_it(
    environment: pytest.MonkeyPatch,
) -> None:
    """The time to begin events ends before the lease does, by the time that a call may take."""
    environment.setenv("LEASE_SECONDS", "30")
    environment.setenv("NOTIFICATIONS_TIMEOUT_SECONDS", "10")
    assert load_settings(WorkerSettings).loop_policy().working_time == 20


def test_a_process_has_a_name_of_its_own() -> None:
    """Two processes with the same id, one after the other, do not share leases."""
    assert unique_name() != unique_name()
