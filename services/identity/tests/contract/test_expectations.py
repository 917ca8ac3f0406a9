"""What consumers expect of identity, played against identity."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from eventflow_identity.application import create_accounts, create_identity
from eventflow_identity.keys import new_signing_key_pem
from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.database import create_database_engine
from eventflow_servicekit.testing.expectations import (
    Answer,
    Interaction,
    play,
    read_expectations,
)

SERVICES = Path(__file__).parents[3]
INTERACTIONS = list(
    read_expectations([SERVICES / "web/contracts/identity.json"], "eventflow-identity")
)
VARIABLES = {"username": "consumer@example.org", "password": "correct horse battery"}


@pytest.fixture(scope="module")
def client(postgres_url: str) -> Iterator[TestClient]:
    """Yield a client of an identity that has the account of the variables."""
    settings = IdentitySettings.model_validate(
        {
            "database_url": postgres_url,
            "signing_key": new_signing_key_pem(),
            "password_hash_memory": 8,
            "password_hash_passes": 1,
            "password_hash_lanes": 1,
        }
    )
    engine = create_database_engine(settings, application_name="test")
    create_accounts(settings, engine).add_user(
        VARIABLES["username"], VARIABLES["password"], ["events:read", "events:write"]
    )
    engine.dispose()
    with TestClient(create_identity(settings)) as client:
        yield client


def send(client: TestClient, request: Mapping[str, Any]) -> Answer:
    """Send what an expectation says."""
    answer = client.request(
        request["method"],
        request["path"],
        params=request.get("query"),
        headers=request.get("headers"),
        json=request.get("body"),
    )
    return Answer(answer.status_code, answer.json() if answer.content else None)


def test_consumers_are_heard() -> None:
    """The page's expectations are found, so that this suite cannot pass by finding none."""
    assert {interaction.consumer for interaction in INTERACTIONS} >= {"eventflow-web"}


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=lambda i: f"{i.consumer}: {i.name}")
def test_expectation_is_met(client: TestClient, interaction: Interaction) -> None:
    """Identity answers as the consumer expects."""
    assert play(interaction, functools.partial(send, client), VARIABLES) == ()
