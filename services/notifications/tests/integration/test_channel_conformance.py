"""What every channel promises, checked on the real ones and on the scripted one that tests use."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from eventflow_notifications.delivery import (
    Channel,
    FailedDeliveryError,
    Letter,
    Outcome,
    RefusedDeliveryError,
)
from eventflow_notifications.email_channel import EmailChannel, EmailTarget, MailServer
from eventflow_notifications.targets import TargetGuard
from eventflow_notifications.testing.scripted_channel import ScriptedChannel
from eventflow_notifications.testing.smtp_sink import SmtpSink
from eventflow_notifications.testing.webhook_sink import WebhookSink
from eventflow_notifications.webhook_channel import WebhookChannel, WebhookTarget

LETTER = Letter("d-1", "order-placed", "Your order", "text", "<p>html</p>", {"order_id": "o-1"})
REPLIES = {"delivered": "250 OK", "refused": "550 no such user", "failed": "451 try later"}
STATUSES = {"delivered": 204, "refused": 410, "failed": 503}

Receiver = Callable[[list[Outcome]], "Scene"]


@dataclass
class Scene:
    """A channel to a receiver that ends deliveries as it was told."""

    deliver: Callable[[], None]
    arrived: Callable[[], int]


def scripted(outcomes: list[Outcome], _stack: ExitStack) -> Scene:
    """Use the fake."""
    channel = ScriptedChannel(outcomes)
    return Scene(lambda: asyncio.run(channel.deliver(LETTER, None)), lambda: len(channel.arrived))


def email(outcomes: list[Outcome], stack: ExitStack) -> Scene:
    """Use a real mail server."""
    sink = stack.enter_context(SmtpSink(replies=[REPLIES[outcome] for outcome in outcomes]))
    tls = ssl.create_default_context()
    server = MailServer(sink.host, sink.port, "none", tls, sender="a@example.org")
    channel: Channel[EmailTarget] = EmailChannel(server)
    target = EmailTarget("ada@example.org")
    return Scene(lambda: asyncio.run(channel.deliver(LETTER, target)), lambda: len(sink.letters))


def webhook(outcomes: list[Outcome], stack: ExitStack) -> Scene:
    """Use a real HTTP server."""
    sink = stack.enter_context(WebhookSink(statuses=[STATUSES[outcome] for outcome in outcomes]))
    accepted: list[int] = []

    async def deliver() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            guard = TargetGuard(allow_private=True)
            channel: Channel[WebhookTarget] = WebhookChannel(client, guard, secret="secret")
            await channel.deliver(LETTER, WebhookTarget(sink.url))
        accepted.append(1)

    return Scene(lambda: asyncio.run(deliver()), lambda: len(accepted))


@pytest.fixture(params=[scripted, email, webhook], ids=lambda maker: maker.__name__)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    """Yield what makes a scene; its servers stop at the end."""
    with ExitStack() as stack:
        yield lambda outcomes: request.param(outcomes, stack)


def test_a_delivery_that_works_returns(receiver: Receiver) -> None:
    """A letter that was accepted has arrived once."""
    scene = receiver([])
    scene.deliver()
    assert scene.arrived() == 1


def test_a_refusal_is_told_as_one(receiver: Receiver) -> None:
    """What the receiver will never accept raises RefusedDeliveryError, and nothing arrived."""
    scene = receiver(["refused"])
    with pytest.raises(RefusedDeliveryError):
        scene.deliver()
    assert scene.arrived() == 0


def test_a_failure_can_be_followed_by_success(receiver: Receiver) -> None:
    """What may pass raises FailedDeliveryError, and the next try is a new one."""
    scene = receiver(["failed", "delivered"])
    with pytest.raises(FailedDeliveryError):
        scene.deliver()
    scene.deliver()
    assert scene.arrived() == 1
