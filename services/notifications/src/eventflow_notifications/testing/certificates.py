"""Certificates for servers on the loopback; needs the package `trustme`."""

import ssl
from dataclasses import dataclass

import trustme


@dataclass(frozen=True)
class Certificates:
    """What a server shows, and what a client trusts."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def issue(*names: str) -> Certificates:
    """Return certificates for `names` (host names and addresses) from an authority of their own."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Certificates(server, client)
