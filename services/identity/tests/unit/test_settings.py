"""Settings of identity."""

import pytest

from eventflow_identity.keys import new_signing_key_pem
from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a database, which every settings object needs."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere/none")


def test_key_on_one_line_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key whose newlines are spelled out is the same key."""
    pem = new_signing_key_pem()
    monkeypatch.setenv("SIGNING_KEY", pem)
    expected = load_settings(IdentitySettings).key_ring().signing_key_id
    monkeypatch.setenv("SIGNING_KEY", pem.replace("\n", "\\n"))
    assert load_settings(IdentitySettings).key_ring().signing_key_id == expected


def test_unusable_key_is_told_at_start_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong key is a fault of its variable, and its text is not shown."""
    monkeypatch.setenv("SIGNING_KEY", "hunter2")
    with pytest.raises(SettingsError) as caught:
        load_settings(IdentitySettings)
    assert caught.value.faults == (
        "SIGNING_KEY: Value error, is not an Ed25519 private key in PEM",
    )


def test_key_does_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """The representation of the settings does not hold the key."""
    pem = new_signing_key_pem()
    monkeypatch.setenv("SIGNING_KEY", pem)
    assert pem.splitlines()[1] not in repr(load_settings(IdentitySettings))


def test_too_little_memory_for_the_lanes_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash cost that Argon2 would refuse at the first sign-in is a fault of the settings."""
    monkeypatch.setenv("SIGNING_KEY", new_signing_key_pem())
    monkeypatch.setenv("PASSWORD_HASH_MEMORY", "31")
    with pytest.raises(SettingsError) as caught:
        load_settings(IdentitySettings)
    assert caught.value.faults == (
        "settings: Value error, PASSWORD_HASH_MEMORY is less than 8 KiB for each lane",
    )
    monkeypatch.setenv("PASSWORD_HASH_MEMORY", "32")
    load_settings(IdentitySettings)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (
            {"GIVEN_CLIENT_ID": "smoke"},
            "settings: Value error, GIVEN_CLIENT_ID and GIVEN_CLIENT_SECRET go together",
        ),
        (
            {"GIVEN_CLIENT_ID": "smoke", "GIVEN_CLIENT_SECRET": "sesame"},
            "GIVEN_CLIENT_SECRET: Value error, has fewer than 32 characters",
        ),
        (
            {"GIVEN_CLIENT_SCOPES": "events:read events:eat"},
            "GIVEN_CLIENT_SCOPES: Value error, there is no scope events:eat",
        ),
    ],
)
def test_half_a_given_client_is_told_at_start(
    given: dict[str, str], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client without a secret or with one that can be guessed, and unknown scopes, are faults."""
    monkeypatch.setenv("SIGNING_KEY", new_signing_key_pem())
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(IdentitySettings)
    assert caught.value.faults == (fault,)
