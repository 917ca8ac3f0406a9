"""What joins the ports, within this process and between one network and itself."""

import asyncio
import os
import socket

import pytest

from monoyard.cluster.forward import Networks, Way, serve

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root enters a network")


def free_port() -> int:
    """Return a port of loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect as soon as somebody listens."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)


async def ask(port: int, said: bytes) -> bytes:
    """Say something, end it, and return the whole answer."""
    reader, writer = await connected(port)
    writer.write(said)
    writer.write_eof()
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    return answer


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what was said, once all of it was."""
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


def test_bytes_and_their_end_are_handed_on() -> None:
    """Both ways of joining carry all of what is said, and that it ended, in both directions."""

    async def talk() -> tuple[bytes, bytes]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        there: int = server.sockets[0].getsockname()[1]
        ways = [Way(inward, free_port(), "127.0.0.1", there) for inward in (True, False)]
        joining = asyncio.create_task(serve(Networks("/proc/self/ns/net"), ways))
        big = b"x" * 2_000_000
        try:
            return await ask(ways[0].port, big), await ask(ways[1].port, b"short")
        finally:
            joining.cancel()
            server.close()

    first, second = asyncio.run(talk())
    assert first == b"x" * 2_000_000
    assert second == b"short"


def test_where_nobody_answers_the_connection_ends() -> None:
    """A caller is told at once by the end of the connection, and the others go on."""

    async def talk() -> bytes:
        way = Way(True, free_port(), "127.0.0.1", free_port())
        joining = asyncio.create_task(serve(Networks("/proc/self/ns/net"), [way]))
        try:
            reader, writer = await connected(way.port)
            async with asyncio.timeout(30):
                answer = await reader.read()
            writer.close()
            return answer
        finally:
            joining.cancel()

    assert asyncio.run(talk()) == b""


def test_a_network_that_is_not_there_is_an_error() -> None:
    """A path that is no network is refused by the kernel, and said in its words."""
    networks = Networks("/dev/null")
    with pytest.raises(OSError, match="Invalid argument"):
        networks.socket(inside=True)
