"""E-mail to a real mail server."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from eventflow_notifications.delivery import FailedDeliveryError, Letter
from eventflow_notifications.email_channel import EmailChannel, EmailTarget, MailServer
from eventflow_notifications.testing.certificates import Certificates
from eventflow_notifications.testing.smtp_sink import SmtpSink

LETTER = Letter("d-1", "order-placed", "Ihre Bestellung €", "Grüße", "<p>Grüße</p>", {})
TARGET = EmailTarget("ada@example.org")


def server_of(sink: SmtpSink) -> MailServer:
    """Return how to reach `sink` without encryption."""
    return MailServer(
        sink.host, sink.port, "none", ssl.create_default_context(), "EventFlow <a@example.org>"
    )


def deliver(server: MailServer, sink: SmtpSink | None = None) -> None:
    """Send the letter; with `sink`, wait for the end of the connection, which TLS negotiates."""

    async def deliver_and_part() -> None:
        try:
            await EmailChannel(server).deliver(LETTER, TARGET)
        finally:
            if sink is not None:
                await asyncio.to_thread(sink.wait_until_idle)

    asyncio.run(deliver_and_part())


def test_the_letter_arrives_whole() -> None:
    """Sender, receiver, subject, both bodies, and an id that repeats arrive as they were sent."""
    with SmtpSink() as sink:
        deliver(server_of(sink))
        deliver(server_of(sink))
        letter, again = sink.wait_for(2)
    assert letter["From"] == "EventFlow <a@example.org>"
    assert letter["To"] == "ada@example.org"
    assert letter["Subject"] == "Ihre Bestellung €"
    assert letter["Message-ID"] == again["Message-ID"] == "<d-1@eventflow>"
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert (plain.get_content().strip(), html.get_content().strip()) == ("Grüße", "<p>Grüße</p>")


@pytest.fixture
def guarded(certificates: Certificates) -> Iterator[tuple[SmtpSink, MailServer]]:
    """Yield a mail server that demands STARTTLS and a login, and the right way to reach it."""
    with SmtpSink(tls=certificates.server, login=("sender", "hunter2")) as sink:
        server = replace(
            server_of(sink),
            security="starttls",
            tls=certificates.client,
            username="sender",
            password=SecretStr("hunter2"),
        )
        yield sink, server


def test_starttls_and_login(guarded: tuple[SmtpSink, MailServer]) -> None:
    """With encryption and the right password the letter is taken."""
    sink, server = guarded
    deliver(server, sink)
    assert len(sink.wait_for(1)) == 1


def test_a_wrong_password_is_ours_to_mend(guarded: tuple[SmtpSink, MailServer]) -> None:
    """A login that fails is a failure that may pass, and does not repeat the password."""
    sink, server = guarded
    with pytest.raises(FailedDeliveryError, match="does not let us in") as caught:
        deliver(replace(server, password=SecretStr("hunter3")), sink)
    assert "hunter3" not in repr(caught.value)


def test_a_certificate_nobody_vouches_for_is_not_talked_to(
    guarded: tuple[SmtpSink, MailServer],
) -> None:
    """An unknown certificate ends the attempt before the login."""
    sink, server = guarded
    with pytest.raises(FailedDeliveryError):
        deliver(replace(server, tls=ssl.create_default_context()), sink)
    assert sink.letters == []


def test_encryption_is_not_given_up_silently() -> None:
    """A server without STARTTLS gets no letter when the settings ask for it."""
    with SmtpSink() as sink:
        with pytest.raises(FailedDeliveryError):
            deliver(replace(server_of(sink), security="starttls"))
        assert sink.letters == []


def test_a_server_that_is_away_may_come_back() -> None:
    """A refused connection is a failure that may pass."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    tls = ssl.create_default_context()
    with pytest.raises(FailedDeliveryError, match="no answer"):
        deliver(MailServer("127.0.0.1", port, "none", tls, "a@example.org"))


def test_a_server_that_says_nothing_is_given_up() -> None:
    """A server that accepts the connection and stays silent costs the timeout, no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tls = ssl.create_default_context()
        port = silent.getsockname()[1]
        server = MailServer("127.0.0.1", port, "none", tls, "a@example.org", timeout=0.1)
        with pytest.raises(FailedDeliveryError, match="no answer"):
            deliver(server)
