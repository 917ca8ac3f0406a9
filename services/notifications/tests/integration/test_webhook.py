"""Webhooks to a real HTTP server."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Sequence

import httpx
import pytest

from eventflow_notifications.delivery import FailedDeliveryError, Letter, RefusedDeliveryError
from eventflow_notifications.signature import is_genuine
from eventflow_notifications.targets import TargetGuard
from eventflow_notifications.testing.certificates import Certificates
from eventflow_notifications.testing.webhook_sink import WebhookSink
from eventflow_notifications.webhook_channel import WebhookChannel, WebhookTarget

# Reading it takes long enough to do it once.
PUBLIC_TRUST = ssl.create_default_context()
SECRET = "a secret of some length"
LETTER = Letter("d-1", "order-placed", "Order", "text", "html", {"order_id": "o-1", "count": 2})


async def to_loopback(_host: str, _port: int) -> Sequence[str]:
    """Resolve every name to this machine."""
    return ["127.0.0.1"]


def post(
    url: str, *, tls: ssl.SSLContext = PUBLIC_TRUST, allow_private: bool = True, timeout: float = 5
) -> None:
    """Deliver the letter to `url`, whose name stands for this machine."""

    async def deliver() -> None:
        async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=timeout) as client:
            guard = TargetGuard(allow_private=allow_private, resolve=to_loopback)
            channel = WebhookChannel(client, guard, secret=SECRET)
            await channel.deliver(LETTER, WebhookTarget(url))

    asyncio.run(deliver())


def test_the_receiver_can_read_and_trust_it() -> None:
    """The body holds id, kind and data; the signature is genuine; the delivery's id is there."""
    with WebhookSink() as sink:
        post(sink.url + "?a=b")
    (posted,) = sink.posted
    assert posted.path == "/hook?a=b"
    assert json.loads(posted.body) == {
        "id": "d-1",
        "kind": "order-placed",
        "data": {"order_id": "o-1", "count": 2},
    }
    assert posted.headers["eventflow-delivery"] == "d-1"
    signature = posted.headers["eventflow-signature"]
    assert is_genuine(signature, posted.body, SECRET, now=time.time())


def test_the_certificate_is_checked_against_the_name(certificates: Certificates) -> None:
    """The connection goes to the checked address, and the receiver must prove the name."""
    with WebhookSink(tls=certificates.server) as sink:
        post(f"https://hook.example.org:{sink.port}/hook", tls=certificates.client)
        with pytest.raises(FailedDeliveryError):
            post(f"https://other.example.org:{sink.port}/hook", tls=certificates.client)
        with pytest.raises(FailedDeliveryError):
            post(f"https://hook.example.org:{sink.port}/hook")
    (posted,) = sink.posted
    assert posted.headers["host"] == f"hook.example.org:{sink.port}"


def test_private_addresses_are_not_called(certificates: Certificates) -> None:
    """Without the setting for tests the receiver on this machine hears nothing."""
    with WebhookSink(tls=certificates.server) as sink:
        with pytest.raises(RefusedDeliveryError, match="not a public one"):
            post(
                f"https://hook.example.org:{sink.port}/hook",
                tls=certificates.client,
                allow_private=False,
            )
        assert sink.posted == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    """A redirect could lead inside, so it is a refusal, and nothing arrives at its end."""
    with (
        WebhookSink() as inside,
        WebhookSink(statuses=[status], headers={"Location": inside.url}) as sink,
    ):
        with pytest.raises(RefusedDeliveryError, match=f"answered {status}"):
            post(sink.url)
        assert inside.posted == []


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_faults_of_the_request_are_refusals(status: int) -> None:
    """An answer that will not change is not worth another try."""
    with WebhookSink(statuses=[status]) as sink, pytest.raises(RefusedDeliveryError):
        post(sink.url)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_faults_of_the_moment_are_failures(status: int) -> None:
    """An answer that may change is worth another try."""
    with WebhookSink(statuses=[status]) as sink, pytest.raises(FailedDeliveryError):
        post(sink.url)


def test_a_receiver_that_hangs_up_may_answer_later() -> None:
    """A connection that ends without an answer is a failure that may pass."""
    with WebhookSink(silent=True) as sink, pytest.raises(FailedDeliveryError, match="no answer"):
        post(sink.url)


def test_a_receiver_that_says_nothing_is_given_up() -> None:
    """A receiver that accepts the connection and stays silent costs the timeout, no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(FailedDeliveryError, match="Timeout"):
            post(url, timeout=0.1)


def test_an_answer_without_end_is_not_read() -> None:
    """Only the status counts: a body that claims to be huge holds nobody up."""
    with WebhookSink(statuses=[200], headers={"Content-Length": str(10**12)}) as sink:
        post(sink.url)
