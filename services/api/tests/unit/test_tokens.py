"""Tokens of identity, checked by its keys."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from eventflow_api.jwks import KeyCache, KeyPolicy
from eventflow_api.tokens import JwksTokenReader
from eventflow_servicekit.bearer import TokenRefusedError
from eventflow_servicekit.testing.issuer import Issuer


@pytest.fixture
def reader(issuer: Issuer) -> JwksTokenReader:
    """Return a reader of the issuer's tokens."""
    keys = KeyCache(issuer.jwks, KeyPolicy())
    return JwksTokenReader(keys, "https://identity.eventflow", "eventflow")


def test_good_token_gives_its_caller(reader: JwksTokenReader, issuer: Issuer) -> None:
    """Subject and scopes of a good token are the caller's."""
    caller = reader.read(issuer.token("events:read", "events:write", subject="user:7"))
    assert caller.subject == "user:7"
    assert caller.scopes == {"events:read", "events:write"}


def test_token_is_good_until_its_last_moment(issuer: Issuer) -> None:
    """A token is refused from the second it expires, by the given clock."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    token = issuer.token(exp=now)
    keys = KeyCache(issuer.jwks, KeyPolicy())

    def read_at(moment: datetime) -> str:
        reader = JwksTokenReader(keys, "https://identity.eventflow", "eventflow", lambda: moment)
        return reader.read(token).subject

    assert read_at(now - timedelta(seconds=1)) == "user:1"
    with pytest.raises(TokenRefusedError, match="expired"):
        read_at(now)


@pytest.mark.parametrize(
    "claims", [{"iss": "https://other"}, {"aud": "other"}, {"scope": None}, {"sub": None}]
)
def test_token_for_others_is_refused(
    reader: JwksTokenReader, issuer: Issuer, claims: dict[str, Any]
) -> None:
    """A token of another issuer or audience, or without a claim, is refused."""
    with pytest.raises(TokenRefusedError, match="not one of identity"):
        reader.read(issuer.token(**claims))


def test_unknown_key_is_refused(reader: JwksTokenReader, issuer: Issuer) -> None:
    """A token of a key that is not published is refused."""
    with pytest.raises(TokenRefusedError):
        reader.read(issuer.token(key_id="k9"))


def test_signature_of_another_key_is_refused(reader: JwksTokenReader, issuer: Issuer) -> None:
    """Naming a published key does not help without its signature."""
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    headers = {"kid": "k1", "typ": "at+jwt"}
    other = Ed25519PrivateKey.generate()
    with pytest.raises(TokenRefusedError):
        reader.read(jwt.encode(claims, other, algorithm="EdDSA", headers=headers))


def test_public_key_as_shared_secret_is_refused(reader: JwksTokenReader, issuer: Issuer) -> None:
    """A token signed by HMAC with the published key is refused."""
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    secret = issuer.key.public_key().public_bytes_raw()
    headers = {"kid": "k1", "typ": "at+jwt"}
    with pytest.raises(TokenRefusedError):
        reader.read(jwt.encode(claims, secret, algorithm="HS256", headers=headers))


def test_token_of_another_kind_is_refused(reader: JwksTokenReader, issuer: Issuer) -> None:
    """A JWT that is no access token is refused although the signature is right (RFC 9068)."""
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    headers = {"kid": "k1", "typ": "JWT"}
    with pytest.raises(TokenRefusedError):
        reader.read(jwt.encode(claims, issuer.key, algorithm="EdDSA", headers=headers))


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "EdDSA"}, {"kid": 7}, []])
def test_odd_header_is_refused(
    reader: JwksTokenReader, issuer: Issuer, header: dict[str, object]
) -> None:
    """A token whose header lacks something, or has odd values, is refused and not crashed on."""
    _, body, signature = issuer.token().split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenRefusedError):
        reader.read(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü.ü.ü"])
def test_what_is_no_token_is_refused(reader: JwksTokenReader, token: str) -> None:
    """Text that is no JWT is refused."""
    with pytest.raises(TokenRefusedError):
        reader.read(token)
