"""Where webhooks may go."""

import asyncio
from collections.abc import Sequence

import pytest

from eventflow_notifications.delivery import FailedDeliveryError, RefusedDeliveryError
from eventflow_notifications.targets import Endpoint, TargetGuard, is_public

PUBLIC = "93.184.216.34"


def endpoint(url: str, *addresses: str, allow_private: bool = False) -> Endpoint:
    """Ask a guard for whom every name stands for `addresses`."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    guard = TargetGuard(allow_private=allow_private, resolve=resolve)
    return asyncio.run(guard.endpoint(url))


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::93.184.216.34"]
)
def test_public_addresses(address: str) -> None:
    """Addresses of the public internet are public."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - asked about, not listened on
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "64:ff9b::10.0.0.1",
        "2001:db8::1",
    ],
)
def test_other_addresses(address: str) -> None:
    """Loopback, private, link-local, shared and multicast ones are not, however written."""
    assert not is_public(address)


def test_the_checked_address_is_the_one_to_connect_to() -> None:
    """The endpoint keeps the name for the request and the address for the connection."""
    found = endpoint("https://hooks.example.org:8443/a?b=c", PUBLIC, "2606:4700::1111")
    assert str(found.url) == "https://hooks.example.org:8443/a?b=c"
    assert found.address == PUBLIC


def test_one_private_address_among_public_ones_is_refused() -> None:
    """A name that also stands for an inside address is not called."""
    with pytest.raises(RefusedDeliveryError, match="not a public one"):
        endpoint("https://hooks.example.org/", PUBLIC, "10.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "https://ada:secret@hooks.example.org/",
        "https:///path",
        "hooks.example.org",
    ],
)
def test_urls_that_are_never_called(url: str) -> None:
    """Only HTTPS URLs with a host and without credentials are called."""
    with pytest.raises(RefusedDeliveryError):
        endpoint(url, PUBLIC)


def test_private_targets_can_be_allowed() -> None:
    """The setting for tests lifts the rule for addresses and for plain HTTP."""
    assert endpoint("http://127.0.0.1:1/", "127.0.0.1", allow_private=True).address == "127.0.0.1"


def test_an_unknown_name_may_be_known_later() -> None:
    """A name that does not resolve is a failure that may pass."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        raise OSError("not known")

    guard = TargetGuard(allow_private=False, resolve=resolve)
    with pytest.raises(FailedDeliveryError, match="not known"):
        asyncio.run(guard.endpoint("https://hooks.example.org/"))
    with pytest.raises(FailedDeliveryError, match="not known"):
        endpoint("https://hooks.example.org/")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost", "[::1]"])
def test_other_spellings_of_the_loopback(host: str) -> None:
    """The system's resolver decides what a name stands for, so no spelling slips through."""
    guard = TargetGuard(allow_private=False)
    with pytest.raises(RefusedDeliveryError):
        asyncio.run(guard.endpoint(f"https://{host}/"))
