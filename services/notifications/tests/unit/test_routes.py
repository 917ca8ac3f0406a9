"""The HTTP interface, as far as it needs no receiver."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from eventflow_notifications.application import create_notifications
from eventflow_notifications.settings import NotificationsSettings

TOKEN = "a token of some length"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k-1"}
# The address is refused by rule, so this is settled without reaching anyone.
BODY: dict[str, Any] = {
    "template": "user-registered",
    "values": {"plan": "team"},
    "destinations": [{"channel": "webhook", "url": "https://127.0.0.1/hook"}],
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Yield a client of the application."""
    settings = NotificationsSettings(
        caller_token=SecretStr(TOKEN), webhook_secret=SecretStr("a secret of some length")
    )
    with TestClient(create_notifications(settings)) as client:
        yield client


def test_the_answer_tells_how_each_delivery_ended(client: TestClient) -> None:
    """A refused destination is settled, with the reason."""
    answer = client.post("/v1/notifications", json=BODY, headers=HEADERS)
    assert answer.status_code == 200
    assert answer.json() == {
        "settled": True,
        "results": [
            {
                "channel": "webhook",
                "outcome": "refused",
                "attempts": 1,
                "reason": "the address is not a public one",
            }
        ],
    }


@pytest.mark.parametrize("token", ["", "another", TOKEN + "x", "ä" * 20])
def test_callers_must_show_the_token(client: TestClient, token: str) -> None:
    """Nobody else can send in our name."""
    headers = {
        b"Authorization": f"Bearer {token}".encode(),
        b"Idempotency-Key": b"k-1",
    }
    answer = client.post("/v1/notifications", json=BODY, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_cannot_be_used_twice_for_different_things(client: TestClient) -> None:
    """The same key with other content is a conflict."""
    headers = {**HEADERS, "Idempotency-Key": "k-conflict"}
    assert client.post("/v1/notifications", json=BODY, headers=headers).status_code == 200
    other = {**BODY, "values": {"plan": "free"}}
    answer = client.post("/v1/notifications", json=other, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (409, "idempotency-key-reused")


@pytest.mark.parametrize(
    "change",
    [
        {"template": "none"},
        {"values": {}},
        {"values": {"plan": ["a", "list"]}},
        {"values": {"__class__": "x", "plan": "team"}},
        {"destinations": []},
        {"destinations": [{"channel": "pigeon"}]},
        {"destinations": [{"channel": "email", "address": "ada@example.org\r\nBcc: eve@x.org"}]},
        {"destinations": [{"channel": "email", "address": "ada@example.org, eve@example.org"}]},
        {"destinations": [{"channel": "webhook", "url": "gopher://example.org/"}]},
    ],
)
def test_requests_that_cannot_be_right_are_refused(
    client: TestClient, change: dict[str, Any]
) -> None:
    """A request at fault gets 422 and sends nothing."""
    headers = {**HEADERS, "Idempotency-Key": "k-fault"}
    answer = client.post("/v1/notifications", json={**BODY, **change}, headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize("key", [None, "", "with space", "x" * 201])
def test_a_key_is_needed(client: TestClient, key: str | None) -> None:
    """Without a usable key a repeated request would send again."""
    headers = {"Authorization": HEADERS["Authorization"]}
    if key is not None:
        headers["Idempotency-Key"] = key
    assert client.post("/v1/notifications", json=BODY, headers=headers).status_code == 422
