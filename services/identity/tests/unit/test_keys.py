"""Signing keys: read, named, published."""

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from eventflow_identity.keys import KeyFormatError, key_id, key_ring, new_signing_key_pem

# The key of RFC 8037, appendix A, and its thumbprint there.
RFC_8037_X = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
RFC_8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def public_pem(private_pem: str) -> str:
    """Return the public half of a private key, both in PEM."""
    key = key_ring(private_pem).signing_key.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def test_key_id_is_the_thumbprint_of_the_standard() -> None:
    """The id of RFC 8037's key is RFC 8037's thumbprint."""
    assert key_id(Ed25519PublicKey.from_public_bytes(RFC_8037_X)) == RFC_8037_THUMBPRINT


def test_retired_keys_are_published_but_do_not_sign() -> None:
    """The key set holds the signing key and all retired ones, and only the first signs."""
    old, older, new = (new_signing_key_pem() for _ in range(3))
    ring = key_ring(new, public_pem(old) + "\n" + public_pem(older))
    assert ring.signing_key_id == key_ring(new).signing_key_id
    assert set(ring.public_keys) == {key_ring(pem).signing_key_id for pem in (old, older, new)}


def test_key_set_is_readable_by_others() -> None:
    """A JWT library reads the published set and verifies a signature with it."""
    ring = key_ring(new_signing_key_pem())
    (key,) = jwt.PyJWKSet.from_dict(ring.jwks()).keys
    token = jwt.encode({"a": 1}, ring.signing_key, algorithm="EdDSA")
    assert jwt.decode(token, key, algorithms=["EdDSA"]) == {"a": 1}


def test_private_half_is_not_published() -> None:
    """The key set has no private part."""
    (key,) = key_ring(new_signing_key_pem()).jwks()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize("pem", ["", "secret-not-a-key", "rsa"])
def test_other_key_is_refused_without_repeating_it(pem: str) -> None:
    """Anything but an Ed25519 private key is an error that does not hold the text."""
    if pem == "rsa":
        pem = (
            generate_private_key(65537, 2048)
            .private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            .decode()
        )
    with pytest.raises(KeyFormatError, match="is not an Ed25519 private key") as caught:
        key_ring(pem)
    assert "secret-not-a-key" not in str(caught.value)


def test_broken_key_among_retired_ones_is_refused() -> None:
    """A broken block among the retired keys is an error."""
    with pytest.raises(KeyFormatError):
        key_ring(new_signing_key_pem(), "-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----")
