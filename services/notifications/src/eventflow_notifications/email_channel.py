"""Delivers letters over SMTP."""

import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

import aiosmtplib
from pydantic import SecretStr

from eventflow_notifications.delivery import FailedDeliveryError, Letter, RefusedDeliveryError

Security = Literal["none", "starttls", "tls"]

# RFC 5321, section 4.2.1: the first digit 5 means that the same will never be accepted.
_PERMANENT = 500


@dataclass(frozen=True)
class EmailTarget:
    """Whom to write to."""

    address: str


@dataclass(frozen=True)
class MailServer:
    """How to reach the server that takes our mail; `timeout` is in seconds, for each step."""

    host: str
    port: int
    security: Security
    tls: ssl.SSLContext
    sender: str
    username: str | None = None
    password: SecretStr | None = None
    timeout: float = 5.0


class EmailChannel:
    """Hands each letter to a mail server; delivered means that the server took it."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def deliver(self, letter: Letter, target: EmailTarget) -> None:
        """Send `letter`; a permanent reply to it is a refusal, anything else may pass."""
        try:
            await self._send(self._message(letter, target))
        except aiosmtplib.SMTPAuthenticationError:
            # Ours to mend: the letter itself is not at fault.
            raise FailedDeliveryError("the mail server does not let us in") from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _replied(max(refusal.code for refusal in error.recipients)) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _replied(error.code) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise FailedDeliveryError(f"no answer: {type(error).__name__}") from None

    async def _send(self, message: EmailMessage) -> None:
        server = self._server
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else server.tls,
            username=server.username,
            password=server.password.get_secret_value() if server.password else None,
            timeout=server.timeout,
        )

    def _message(self, letter: Letter, target: EmailTarget) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = target.address
        message["Subject"] = letter.subject
        # The same for each sending of one letter: mailboxes drop a repeated one.
        message["Message-ID"] = f"<{letter.delivery_id}@eventflow>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message


def _replied(code: int) -> FailedDeliveryError | RefusedDeliveryError:
    reason = f"the mail server replied {code}"
    return RefusedDeliveryError(reason) if code >= _PERMANENT else FailedDeliveryError(reason)
