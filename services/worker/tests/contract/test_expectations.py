"""The worker's side of its contract with notifications: it asks and understands as it says."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from eventflow_worker.notices import Notice
from eventflow_worker.notifications import HttpNotifications, RefusedNoticeError
from eventflow_worker.testing.notifications_server import NotificationsServer

CONTRACT = json.loads(
    (Path(__file__).parents[2] / "contracts/notifications.json").read_text(encoding="utf-8")
)
INTERACTIONS: list[dict[str, Any]] = CONTRACT["interactions"]
SUCCESS = 200


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=lambda found: found["name"])
def test_the_worker_asks_and_understands_as_in_its_contract(interaction: dict[str, Any]) -> None:
    """The client makes exactly the request of each interaction and can use the example answer."""
    request, response = interaction["request"], interaction["response"]
    notice = Notice(
        request["body"]["template"],
        request["body"]["values"],
        tuple(request["body"]["destinations"]),
    )
    with NotificationsServer([(response["status"], response["body"]["examples"][0])]) as server:
        client = HttpNotifications(server.url, SecretStr("{token}"), timeout=60)
        try:
            if response["status"] == SUCCESS:
                client.send(request["headers"]["Idempotency-Key"], notice)
            else:
                with pytest.raises(RefusedNoticeError):
                    client.send(request["headers"]["Idempotency-Key"], notice)
        finally:
            client.close()
    (received,) = server.received
    assert (received.path, received.body) == (request["path"], request["body"])
    for name, value in request["headers"].items():
        assert received.headers[name.lower()] == value


def test_every_template_of_the_rules_is_in_the_contract() -> None:
    """A rule that asks for a template which notifications does not know would fail unseen."""
    asked = {interaction["request"]["body"]["template"] for interaction in INTERACTIONS}
    assert asked >= {"order-placed", "payment-failed", "user-registered"}
