"""Settings that cannot work are refused at the start."""

import pytest

from eventflow_notifications.settings import NotificationsSettings
from eventflow_servicekit.settings import SettingsError, load_settings

REQUIRED = {"CALLER_TOKEN": "a token of some length", "WEBHOOK_SECRET": "a secret of some length"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what is required and return the means to set more."""
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def faults() -> str:
    """Load the settings and return what is wrong with them."""
    with pytest.raises(SettingsError) as caught:
        load_settings(NotificationsSettings)
    return str(caught.value)


def test_required_settings_are_enough() -> None:
    """Everything else has a default, and the defaults are the safe ones."""
    settings = load_settings(NotificationsSettings)
    assert settings.smtp_security == "starttls"
    assert settings.webhook_allow_private is False


@pytest.mark.parametrize("name", REQUIRED)
def test_secrets_must_be_given(environment: pytest.MonkeyPatch, name: str) -> None:
    """Without a token anybody could send; without a secret nobody could trust a webhook."""
    environment.delenv(name)
    assert name in faults()
    environment.setenv(name, "short")
    assert name in faults()


def test_half_a_login_is_refused(environment: pytest.MonkeyPatch) -> None:
    """A name without a password is a mistake."""
    environment.setenv("SMTP_USERNAME", "sender")
    assert "belong together" in faults()


def test_a_password_is_never_sent_in_the_clear(environment: pytest.MonkeyPatch) -> None:
    """A login needs an encrypted connection."""
    environment.setenv("SMTP_USERNAME", "sender")
    environment.setenv("SMTP_PASSWORD", "hunter2")
    environment.setenv("SMTP_SECURITY", "none")
    told = faults()
    assert "SMTP_SECURITY" in told
    assert "hunter2" not in told
