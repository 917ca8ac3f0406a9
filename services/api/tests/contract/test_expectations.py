"""What consumers expect of the api, played against the api."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from eventflow_servicekit.testing.expectations import (
    Answer,
    Interaction,
    play,
    read_expectations,
)
from eventflow_servicekit.testing.issuer import Issuer

SERVICES = Path(__file__).parents[3]
CONTRACTS = [
    SERVICES / "web/contracts/api.json",
    *sorted((SERVICES / "worker/contracts").glob("*.json")),
]
INTERACTIONS = list(read_expectations(CONTRACTS, "eventflow-api"))


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
def test_expectation_is_met(client: TestClient, issuer: Issuer, interaction: Interaction) -> None:
    """The api answers as the consumer expects."""
    variables = {"token": issuer.token("events:read", "events:write")}
    assert play(interaction, functools.partial(send, client), variables) == ()
