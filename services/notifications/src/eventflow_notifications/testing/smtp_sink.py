"""A mail server on the loopback that keeps what it takes; needs the package `aiosmtpd`."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

ACCEPTED = "250 OK"


@dataclass
class SmtpSink:
    """A mail server, listening inside of `with` at `host` and `port`.

    `replies` are given to the next letters, one each, before it accepts again. With `tls` it
    demands STARTTLS; with `login` (name, password) it demands that too.
    """

    replies: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    letters: list[EmailMessage] = field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        self._arrival = threading.Condition()
        self._open: set[SMTP] = set()
        self._listener = _Listener(self._session)

    def __enter__(self) -> Self:
        self.port = self._listener.start(self.host)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()

    # The name and the arguments are aiosmtpd's.
    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take or turn away one letter."""
        reply = self.replies.pop(0) if self.replies else ACCEPTED
        if reply == ACCEPTED:
            content = cast("bytes", envelope.content)
            with self._arrival:
                self.letters.append(message_from_bytes(content, policy=policy.default))
                self._arrival.notify_all()
        return reply

    def wait_for(self, count: int, *, seconds: float = 90.0) -> list[EmailMessage]:
        """Return the letters once there are `count`; raise TimeoutError after `seconds`."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self.letters) >= count, seconds):
                raise TimeoutError(f"{len(self.letters)} of {count} letters arrived")
            return list(self.letters)

    def wait_until_idle(self, *, seconds: float = 90.0) -> None:
        """Return once no connection is open; raise TimeoutError after `seconds`."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: not self._open, seconds):
                raise TimeoutError("a connection to the mail server is still open")

    def connected(self, session: SMTP, *, is_open: bool) -> None:
        """Note that a connection has begun or ended; it may be told twice."""
        with self._arrival:
            (self._open.add if is_open else self._open.discard)(session)
            self._arrival.notify_all()

    def _session(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return _Session(
            self,
            hostname="sink",
            loop=loop,
            tls_context=self.tls,
            require_starttls=self.tls is not None,
            authenticator=self._authenticate if self.login else None,
            auth_required=self.login is not None,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        is_known = isinstance(data, LoginPassword) and self.login == (
            data.login.decode(),
            data.password.decode(),
        )
        return AuthResult(success=is_known, handled=False)


class _Session(SMTP):
    """Tells the sink, which is its handler, when a connection begins and ends."""

    event_handler: SmtpSink

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.event_handler.connected(self, is_open=True)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.connected(self, is_open=False)


class _Listener:
    """Runs a server of asyncio in a thread, on a port that the system chooses."""

    def __init__(self, session: Callable[[asyncio.AbstractEventLoop], SMTP]) -> None:
        self._session = session
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail sink")

    def start(self, host: str) -> int:
        self._thread.start()
        opening = asyncio.run_coroutine_threadsafe(self._open(host), self._loop)
        self._server = opening.result(timeout=10)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, host: str) -> asyncio.Server:
        return await self._loop.create_server(lambda: self._session(self._loop), host, 0)

    async def _close(self) -> None:
        self._server.close()
        # Each connection of aiosmtpd is a task that waits for the next command.
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
