"""The keys that sign tokens (Ed25519), and their public halves as a JWKS (RFC 7517, RFC 8037)."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PEM_END = "-----END PUBLIC KEY-----"


class KeyFormatError(ValueError):
    """Text that should hold an Ed25519 key in PEM does not; the text is never repeated."""


@dataclass(frozen=True)
class KeyRing:
    """The key that signs, and all public keys that are good, by key id.

    A retired key stays in `public_keys` until the last token it signed has expired.
    """

    signing_key: Ed25519PrivateKey
    signing_key_id: str
    public_keys: Mapping[str, Ed25519PublicKey]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JSON Web Key Set."""
        extra = {"use": "sig", "alg": "EdDSA"}
        keys = ({**_jwk(key), **extra, "kid": kid} for kid, key in self.public_keys.items())
        return {"keys": list(keys)}


def key_ring(signing_key_pem: str, retired_public_keys_pem: str = "") -> KeyRing:
    """Return the ring of a private key and of any number of retired public keys, all in PEM.

    Raises KeyFormatError.
    """
    signing_key = read_private_key(signing_key_pem)
    public_keys = [signing_key.public_key(), *read_public_keys(retired_public_keys_pem)]
    by_id = {key_id(key): key for key in public_keys}
    return KeyRing(signing_key, key_id(signing_key.public_key()), by_id)


def read_private_key(pem: str) -> Ed25519PrivateKey:
    """Return the Ed25519 private key in `pem`; raise KeyFormatError for anything else."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFormatError("is not an Ed25519 private key in PEM")
    return key


def read_public_keys(pems: str) -> Iterable[Ed25519PublicKey]:
    """Yield the Ed25519 public keys in `pems`, one PEM block after the other."""
    for block in pems.split(_PEM_END)[:-1]:
        try:
            key = serialization.load_pem_public_key((block.strip() + "\n" + _PEM_END).encode())
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFormatError("holds something other than Ed25519 public keys in PEM")
        yield key


def new_signing_key_pem() -> str:
    """Return a new private key in PEM (PKCS 8, not encrypted)."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def key_id(key: Ed25519PublicKey) -> str:
    """Return the key's thumbprint (RFC 7638): the same on every replica, without coordination."""
    canonical = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes_raw())}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
