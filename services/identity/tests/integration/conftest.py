"""Identity on a real PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from eventflow_identity.application import create_accounts, create_identity
from eventflow_identity.keys import new_signing_key_pem
from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.database import create_database_engine


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time it was set to."""
        return self.now


class Identity:
    """A running identity, and a way to make accounts in it."""

    def __init__(self, settings: IdentitySettings) -> None:
        self.clock = Clock()
        self.settings = settings
        self.client = TestClient(create_identity(settings, clock=self.clock))
        self.engine = create_database_engine(settings, application_name="test")
        self.accounts = create_accounts(settings, self.engine)

    def token(self, username: str, password: str) -> str:
        """Sign in and return the token."""
        grant = {"grant_type": "password", "username": username, "password": password}
        answer = self.client.post("/v1/tokens", json=grant)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def headers_with(self, scope: str) -> dict[str, str]:
        """Make a client with one scope and return headers with its token."""
        _, secret = self.accounts.add_client(f"c-{scope.replace(':', '-')}", [scope])
        grant = {
            "grant_type": "client_credentials",
            "client_id": f"c-{scope.replace(':', '-')}",
            "client_secret": secret,
        }
        token = self.client.post("/v1/tokens", json=grant).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def settings(postgres_url: str) -> IdentitySettings:
    """Return settings for the test's database, with hashes that cost almost nothing."""
    return IdentitySettings.model_validate(
        {
            "database_url": postgres_url,
            "signing_key": new_signing_key_pem(),
            "password_hash_memory": 8,
            "password_hash_passes": 1,
            "password_hash_lanes": 1,
        }
    )


@pytest.fixture
def identity(settings: IdentitySettings) -> Iterator[Identity]:
    """Yield an identity without accounts."""
    made = Identity(settings)
    with made.engine.begin() as connection:
        connection.execute(
            text("TRUNCATE identity.users, identity.clients, identity.revoked_tokens")
        )
    with made.client:
        yield made
    made.engine.dispose()
