"""Decides where a webhook may go: a caller's URL must not reach what only we can reach.

The name is resolved once and the connection goes to the address that was checked; resolving it
again would let its owner answer with another one (DNS rebinding). See OWASP, "Server-Side Request
Forgery Prevention Cheat Sheet".
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from eventflow_notifications.delivery import FailedDeliveryError, RefusedDeliveryError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Takes a host name and a port; returns IP addresses, or raises OSError."""

_PORTS = {"http": 80, "https": 443}
# RFC 6052: an IPv4 address behind a translator is written into an IPv6 address.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Endpoint:
    """Where a webhook goes: its URL, and the checked address to connect to."""

    url: httpx.URL
    address: str


class TargetGuard:
    """Accepts HTTPS to public addresses; with `allow_private` also HTTP, and any address."""

    def __init__(self, *, allow_private: bool, resolve: Resolve | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or resolve_with_system

    async def endpoint(self, url: str) -> Endpoint:
        """Return where `url` leads.

        Raises RefusedDeliveryError if it must not be called and FailedDeliveryError if its name is
        not known now.
        """
        parsed = self._parsed(url)
        port = parsed.port or _PORTS[parsed.scheme]
        try:
            addresses = await self._resolve(parsed.host, port)
        except (OSError, UnicodeError):
            raise FailedDeliveryError("the host name is not known") from None
        if not addresses:
            raise FailedDeliveryError("the host name is not known")
        # One private address among public ones is no accident either.
        if not self._allow_private and not all(map(is_public, addresses)):
            raise RefusedDeliveryError("the address is not a public one")
        return Endpoint(parsed, addresses[0])

    def _parsed(self, url: str) -> httpx.URL:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise RefusedDeliveryError("the URL is not one") from None
        allowed = ("https", "http") if self._allow_private else ("https",)
        if parsed.scheme not in allowed:
            raise RefusedDeliveryError(f"the scheme is not {' or '.join(allowed)}")
        if not parsed.host:
            raise RefusedDeliveryError("the URL names no host")
        if parsed.userinfo:
            raise RefusedDeliveryError("the URL holds credentials")
        return parsed


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet, also behind IPv6 notations."""
    return all(
        part.is_global and not part.is_multicast and not part.is_reserved
        for part in _embedded(ipaddress.ip_address(address))
    )


def _embedded(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> Sequence[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return the IPv4 addresses that `address` stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _TRANSLATED:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)


async def resolve_with_system(host: str, port: int) -> Sequence[str]:
    """Resolve as the system does; the order is the one to try in (RFC 6724)."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
