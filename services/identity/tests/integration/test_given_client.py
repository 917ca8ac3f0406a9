"""A client that the settings give is there when identity is ready."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from eventflow_identity.application import create_identity
from eventflow_identity.settings import IdentitySettings

from .conftest import Identity

SECRET, OTHER_SECRET = "s" * 32, "o" * 32
Ready = Callable[..., TestClient]


@pytest.fixture
def ready(identity: Identity) -> Ready:
    """Start another process of identity with a given client, and see that it is ready."""

    def begin(secret: str = SECRET, scopes: str = "events:read") -> TestClient:
        given = {
            "given_client_id": "smoke",
            "given_client_secret": secret,
            "given_client_scopes": scopes,
        }
        settings = IdentitySettings.model_validate(
            {**identity.settings.model_dump(exclude_unset=True), **given}
        )
        client = TestClient(create_identity(settings))
        answer = client.get("/health/ready")
        assert answer.status_code == 200, answer.text
        assert answer.json()["checks"]["given-client"] == "ok"
        return client

    return begin


def _granted(client: TestClient, secret: str) -> str | None:
    """Return the scopes that a sign-in brings; None where it is refused."""
    grant = {"grant_type": "client_credentials", "client_id": "smoke", "client_secret": secret}
    answer = client.post("/v1/tokens", json=grant)
    return answer.json()["scope"] if answer.status_code == 200 else None


def test_it_is_there_in_an_empty_database(ready: Ready) -> None:
    """Once identity is ready the client signs in, and nobody had to make it."""
    assert _granted(ready(), SECRET) == "events:read"


def test_new_secret_and_scopes_take_the_place_of_the_old_ones(ready: Ready) -> None:
    """A process that is given another secret or other scopes sets them when it starts."""
    ready()
    client = ready(OTHER_SECRET, "events:write events:read")
    assert _granted(client, SECRET) is None
    assert _granted(client, OTHER_SECRET) == "events:read events:write"


def test_old_process_does_not_set_its_secret_again(ready: Ready) -> None:
    """While a new secret is rolled out, processes that have the old one leave it in place."""
    old = ready()
    new = ready(OTHER_SECRET)
    assert old.get("/health/ready").status_code == 200
    assert _granted(new, OTHER_SECRET) == "events:read"


def test_it_is_made_again_when_it_is_lost(ready: Ready, identity: Identity) -> None:
    """After a database was restored that did not have it yet, it comes back by itself."""
    client = ready()
    with identity.engine.begin() as connection:
        connection.execute(text("TRUNCATE identity.clients"))
    assert _granted(client, SECRET) is None
    assert client.get("/health/ready").status_code == 200
    assert _granted(client, SECRET) == "events:read"


def test_disabled_one_stays_disabled(ready: Ready, identity: Identity) -> None:
    """Who disabled it meant it: no start of a process lets it in again."""
    ready()
    with identity.engine.begin() as connection:
        connection.execute(text("UPDATE identity.clients SET disabled_at = now()"))
    assert _granted(ready(OTHER_SECRET), OTHER_SECRET) is None


def test_where_none_is_given_none_is_made(identity: Identity) -> None:
    """Without these settings identity makes no account."""
    assert "given-client" not in identity.client.get("/health/ready").json()["checks"]
    assert not identity.accounts.has_client("smoke")
