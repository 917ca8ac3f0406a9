"""One notification through several channels."""

import asyncio
import json
import logging
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from eventflow_notifications.delivery import Outcome
from eventflow_notifications.email_channel import EmailTarget
from eventflow_notifications.idempotency import KeyMemory, KeyReusedError
from eventflow_notifications.notifier import Notification, Notifier
from eventflow_notifications.retrying import Retrying, RetryPolicy
from eventflow_notifications.templates import MissingValueError
from eventflow_notifications.testing.scripted_channel import ScriptedChannel
from eventflow_notifications.webhook_channel import WebhookTarget

NOTIFICATION = Notification(
    template="order-placed",
    values={"order_id": "o-1", "total": "12.00 EUR"},
    targets=(EmailTarget("ada@example.org"), WebhookTarget("https://example.org/hook")),
)


class Desk:
    """A notifier between two scripted channels, without retries of its own."""

    def __init__(self, *, email: Sequence[Outcome] = (), webhook: Sequence[Outcome] = ()) -> None:
        self.email = ScriptedChannel(list(email))
        self.webhook = ScriptedChannel(list(webhook))
        self.registry = CollectorRegistry()
        self._notifier = Notifier(
            email=self.email,
            webhook=self.webhook,
            retrying=Retrying(RetryPolicy(attempts=1)),
            memory=KeyMemory(capacity=10, lifetime=60),
            registry=self.registry,
        )

    def notify(self, key: str = "k-1", notification: Notification = NOTIFICATION) -> list[Outcome]:
        """Send and return the outcomes."""
        results = asyncio.run(self._notifier.notify(key, notification))
        return [result.outcome for result in results]


def test_every_destination_gets_the_letter() -> None:
    """Both channels deliver the filled template, each to its target."""
    desk = Desk()
    assert desk.notify() == ["delivered", "delivered"]
    ((letter, target),) = desk.email.arrived
    assert (letter.subject, target) == ("Your order o-1", NOTIFICATION.targets[0])
    ((letter, target),) = desk.webhook.arrived
    assert (letter.data, target) == (NOTIFICATION.values, NOTIFICATION.targets[1])


def test_repeating_a_settled_notification_sends_nothing() -> None:
    """The same key with the same content gets the same answer, and nobody gets a second letter."""
    desk = Desk(email=["refused"])
    assert desk.notify() == desk.notify() == ["refused", "delivered"]
    assert (desk.email.tried, desk.webhook.tried) == (1, 1)


def test_repeating_sends_only_what_failed() -> None:
    """After a failure a repeated key tries that destination again and leaves the others alone."""
    desk = Desk(webhook=["failed"])
    assert desk.notify() == ["delivered", "failed"]
    assert desk.notify() == ["delivered", "delivered"]
    assert (desk.email.tried, desk.webhook.tried) == (1, 2)


def test_delivery_ids_come_from_the_key() -> None:
    """A receiver sees one id for one key however often it is sent, and others for other places."""

    def ids(key: str) -> list[str]:
        desk = Desk()
        desk.notify(key)
        return [channel.arrived[0][0].delivery_id for channel in (desk.email, desk.webhook)]

    assert ids("k-1") == ids("k-1")
    assert len({*ids("k-1"), *ids("k-2")}) == 4


@pytest.mark.parametrize(
    "other",
    [
        Notification("order-placed", {"order_id": "o-2", "total": "1"}, NOTIFICATION.targets),
        Notification("order-placed", NOTIFICATION.values, NOTIFICATION.targets[:1]),
        Notification("payment-failed", {**NOTIFICATION.values, "amount": "1", "reason": "x"}, ()),
    ],
)
def test_a_key_cannot_be_used_for_something_else(other: Notification) -> None:
    """Other values, destinations or templates under a used key are an error."""
    desk = Desk()
    desk.notify()
    with pytest.raises(KeyReusedError):
        desk.notify("k-1", other)
    assert desk.email.tried == 1


def test_a_template_that_cannot_be_filled_sends_nothing() -> None:
    """A missing value ends the request before any destination is tried, and frees the key."""
    desk = Desk()
    with pytest.raises(MissingValueError):
        desk.notify("k-1", Notification("order-placed", {}, NOTIFICATION.targets))
    assert desk.notify("k-1") == ["delivered", "delivered"]


def test_outcomes_are_counted() -> None:
    """Metrics tell how deliveries end, by channel."""
    desk = Desk(webhook=["failed", "refused"])
    desk.notify()
    desk.notify()

    def count(channel: str, outcome: str) -> float | None:
        labels = {"channel": channel, "outcome": outcome}
        return desk.registry.get_sample_value("notifications_deliveries_total", labels)

    assert count("email", "delivered") == 1
    assert count("webhook", "failed") == 1
    assert count("webhook", "refused") == 1


def test_logs_name_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A delivery is logged with its id, without the address or the content."""
    with caplog.at_level(logging.INFO):
        Desk(email=["refused"]).notify()
    logged = json.dumps([vars(record) for record in caplog.records], default=str)
    assert "delivery_id" in logged
    for word in ("ada@", "example.org", "12.00"):
        assert word not in logged
