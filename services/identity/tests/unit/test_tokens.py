"""Tokens: what they say, and which are refused."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from eventflow_identity.keys import KeyRing, key_ring, new_signing_key_pem
from eventflow_identity.tokens import TokenMint
from eventflow_servicekit.bearer import TokenRefusedError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = key_ring(new_signing_key_pem())


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """Return the time it was set to."""
        return self.now


def mint(
    clock: Clock | None = None,
    *,
    keys: KeyRing = KEYS,
    issuer: str = "https://id",
    audience: str = "eventflow",
) -> TokenMint:
    """Return a mint whose tokens live for fifteen minutes."""
    return TokenMint(keys, issuer, audience, timedelta(minutes=15), clock or Clock())


def forged(**changes: object) -> str:
    """Return a token signed with the right key whose claims are changed."""
    claims = {
        "iss": "https://id",
        "aud": "eventflow",
        "sub": "user:1",
        "scope": "",
        "iat": NOON,
        "exp": NOON + timedelta(minutes=5),
        "jti": "1",
        **changes,
    }
    headers = {"kid": KEYS.signing_key_id, "typ": "at+jwt"}
    known = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(known, KEYS.signing_key, algorithm="EdDSA", headers=headers)


def test_issued_token_is_read_back() -> None:
    """A token says whom it speaks for, what it allows, and until when."""
    token = mint().read(mint().issue("user:1", ("events:read", "events:write")))
    assert token.subject == "user:1"
    assert token.scopes == ("events:read", "events:write")
    assert (token.issued_at, token.expires_at) == (NOON, NOON + timedelta(minutes=15))


def test_every_token_has_its_own_id() -> None:
    """Two tokens for one subject can be told apart."""
    first, second = (mint().read(mint().issue("user:1", ())) for _ in range(2))
    assert first.token_id != second.token_id


def test_token_is_good_until_its_last_moment() -> None:
    """A token is accepted until it expires and refused from then on, by the given clock."""
    clock = Clock()
    issued = mint(clock).issue("user:1", ())
    clock.now = NOON + timedelta(minutes=15, seconds=-1)
    mint(clock).read(issued)
    clock.now = NOON + timedelta(minutes=15)
    with pytest.raises(TokenRefusedError, match="expired"):
        mint(clock).read(issued)


def test_token_of_a_retired_key_is_still_good() -> None:
    """After a change of keys, tokens of the old one are read with its public half."""
    issued = mint().issue("user:1", ())
    fresh = key_ring(new_signing_key_pem())
    both = KeyRing(
        fresh.signing_key, fresh.signing_key_id, {**fresh.public_keys, **KEYS.public_keys}
    )
    assert mint(keys=both).read(issued).subject == "user:1"
    with pytest.raises(TokenRefusedError):
        mint(keys=fresh).read(issued)


def test_unsigned_token_is_refused() -> None:
    """A token that says it needs no signature is refused."""
    header = {"alg": "none", "typ": "at+jwt", "kid": KEYS.signing_key_id}
    _, body, _ = forged().split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenRefusedError):
        mint().read(f"{head}.{body}.")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "Bearer x",
        forged(iss="https://other"),
        forged(aud="other"),
        forged(jti=None),
        forged(scope=None),
        forged(exp=None),
        forged()[:-4] + "AAAA",
        jwt.encode({"sub": "user:1"}, KEYS.signing_key, algorithm="EdDSA"),
    ],
)
def test_token_of_others_is_refused(token: str) -> None:
    """Anything that was not issued here, for this audience, with all claims, is refused."""
    with pytest.raises(TokenRefusedError, match="was not issued here"):
        mint().read(token)


def test_token_of_another_kind_is_refused() -> None:
    """A JWT that is no access token is refused although the signature is right (RFC 9068)."""
    headers = {"kid": KEYS.signing_key_id, "typ": "JWT"}
    claims = jwt.decode(forged(), options={"verify_signature": False})
    with pytest.raises(TokenRefusedError):
        mint().read(jwt.encode(claims, KEYS.signing_key, algorithm="EdDSA", headers=headers))
