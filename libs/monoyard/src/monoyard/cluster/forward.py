"""Joins this machine's loopback with the cluster's network, which no wire leads into.

    python -m monoyard.cluster.forward NETWORK in:10443=10.96.0.80:443 out:5000=127.0.0.1:5000

A socket belongs to the network it was made in, whoever uses it later: one process can listen in
one network and connect in another. `in` listens on this machine and connects inside, `out` the
other way round. Both listen on 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_NETWORK_NAMESPACE: Final = 0x40000000  # CLONE_NEWNET
_CHUNK: Final = 1 << 18
_BACKLOG: Final = 1024


@dataclass(frozen=True, slots=True)
class Way:
    """One port and where it leads.

    Attributes:
        is_inward: It listens on this machine, and leads into the cluster.
        port: Port on 127.0.0.1 of the side that listens.
        address: Address on the other side.
        there: Port of that address.
    """

    is_inward: bool
    port: int
    address: str
    there: int

    def __str__(self) -> str:
        kind = "in" if self.is_inward else "out"
        return f"{kind}:{self.port}={self.address}:{self.there}"

    @classmethod
    def parse(cls, text: str) -> Way:
        """Read what `str` wrote.

        Raises:
            ValueError: It is no way.
        """
        kind, _, rest = text.partition(":")
        port, _, target = rest.partition("=")
        address, _, there = target.rpartition(":")
        if kind not in {"in", "out"} or not address:
            raise ValueError(f"no way: {text!r}")
        return cls(kind == "in", int(port), address, int(there))


class Networks:
    """The machine's network and the cluster's, for sockets to be made in.

    Args:
        inside: Path of the cluster's network namespace.
    """

    def __init__(self, inside: str) -> None:
        self._inside = os.open(inside, os.O_RDONLY)
        self._outside = os.open("/proc/self/ns/net", os.O_RDONLY)

    def socket(self, *, inside: bool) -> socket.socket:
        """Return a new socket of one of the two."""
        if not inside:
            return socket.socket()
        with self._entered():
            return socket.socket()

    @contextlib.contextmanager
    def _entered(self) -> Iterator[None]:
        _enter(self._inside)
        try:
            yield
        finally:
            _enter(self._outside)


async def serve(networks: Networks, ways: Sequence[Way]) -> None:
    """Join the networks until the process is ended."""
    servers = []
    for way in ways:
        listening = networks.socket(inside=not way.is_inward)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", way.port))
        servers.append(
            await asyncio.start_server(_Joiner(networks, way), sock=listening, backlog=_BACKLOG)
        )
    await asyncio.gather(*(server.serve_forever() for server in servers))


@dataclass(frozen=True, slots=True)
class _Joiner:
    networks: Networks
    way: Way

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await self._reach()
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        for stream in (writer, far_writer):
            stream.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = self.networks.socket(inside=self.way.is_inward)
        try:
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, (self.way.address, self.way.there))
            return await asyncio.open_connection(sock=connection)
        except OSError:
            connection.close()
            raise


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what one side sends, and its end."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


def _enter(descriptor: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, _NETWORK_NAMESPACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    asyncio.run(serve(Networks(sys.argv[1]), [Way.parse(word) for word in sys.argv[2:]]))
