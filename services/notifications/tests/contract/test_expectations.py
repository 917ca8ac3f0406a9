"""What consumers expect of notifications, played against a running one with real receivers."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from eventflow_notifications.application import create_notifications
from eventflow_notifications.settings import NotificationsSettings
from eventflow_notifications.testing.smtp_sink import SmtpSink
from eventflow_servicekit.testing.expectations import (
    Answer,
    Interaction,
    play,
    read_expectations,
)

SERVICES = Path(__file__).parents[3]
INTERACTIONS = list(
    read_expectations([SERVICES / "worker/contracts/notifications.json"], "eventflow-notifications")
)
TOKEN = "a token of some length"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Yield a client of a service that hands its mail to a real server."""
    with SmtpSink() as sink:
        settings = NotificationsSettings(
            caller_token=SecretStr(TOKEN),
            webhook_secret=SecretStr("a secret of some length"),
            smtp_host=sink.host,
            smtp_port=sink.port,
            smtp_security="none",
        )
        with TestClient(create_notifications(settings)) as client:
            yield client


def send(client: TestClient, request: Mapping[str, Any]) -> Answer:
    """Send what an expectation says."""
    answer = client.request(
        request["method"],
        request["path"],
        headers=request.get("headers"),
        json=request.get("body"),
    )
    return Answer(answer.status_code, answer.json() if answer.content else None)


def test_consumers_are_heard() -> None:
    """The worker's expectations are found, so that this suite cannot pass by finding none."""
    assert {interaction.consumer for interaction in INTERACTIONS} >= {"eventflow-worker"}


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=lambda i: f"{i.consumer}: {i.name}")
def test_expectation_is_met(client: TestClient, interaction: Interaction) -> None:
    """Notifications answers as the consumer expects."""
    assert play(interaction, functools.partial(send, client), {"token": TOKEN}) == ()


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=lambda i: f"{i.consumer}: {i.name}")
def test_examples_meet_the_expectation(interaction: Interaction) -> None:
    """The example that the consumer tests itself with is one that notifications could answer."""
    schema = interaction.response["body"]
    assert schema["examples"]
    for example in schema["examples"]:
        jsonschema.validate(example, schema)
