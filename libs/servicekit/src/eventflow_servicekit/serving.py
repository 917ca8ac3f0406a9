"""Runs an application under uvicorn until SIGTERM, then stops it without losing a request."""

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from eventflow_servicekit.health import Readiness
from eventflow_servicekit.logs import configure_logging
from eventflow_servicekit.settings import ServiceSettings

START_FAILED = 3
_BACKLOG = 2048
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


def serve(app: FastAPI, settings: ServiceSettings) -> int:
    """Serve `app` until SIGTERM or SIGINT and return the exit code of the process.

    The code is 0 after a clean stop and 3 when the application did not start. Once
    requests are answered, the address is logged as field `url` of the message `listening`.
    Raises OSError when the address cannot be bound.
    """
    configure_logging(
        service=settings.service_name, release=settings.release, level=settings.log_level
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
    )
    server = _DrainingServer(config, app.state.readiness, settings.drain_seconds)
    with _listen(settings.host, settings.port) as listener:
        server.run(sockets=[listener])
    return 0 if server.started else START_FAILED


class _DrainingServer(uvicorn.Server):
    """Reports `draining` for a while before it stops; a second signal stops it at once."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness, drain_seconds: float) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._drain_seconds = drain_seconds
        self._drain: threading.Timer | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            for listener in sockets or ():
                _log.info("listening", extra={"url": _url(listener)})

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again at the end, so that a service that stopped as asked
        # would report death by signal.
        before = {number: signal.signal(number, self.handle_exit) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._readiness.begin_drain()
        if self._drain is None and self._drain_seconds > 0:
            stop = super().handle_exit
            self._drain = threading.Timer(self._drain_seconds, stop, args=(sig, frame))
            self._drain.daemon = True
            self._drain.start()
            return
        if self._drain is not None:
            self._drain.cancel()
        super().handle_exit(sig, frame)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
