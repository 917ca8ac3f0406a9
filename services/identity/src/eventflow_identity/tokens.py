"""Signed access tokens (RFC 9068: JWT, `typ` `at+jwt`), made and read."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from eventflow_identity.keys import KeyRing
from eventflow_servicekit.bearer import Caller, TokenRefusedError

_ALGORITHM = "EdDSA"
_TYPE = "at+jwt"
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "jti", "scope"]


@dataclass(frozen=True)
class Token:
    """What a token says: whom it speaks for, what it allows, and for how long."""

    token_id: str
    subject: str
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime

    def caller(self) -> Caller:
        """Return the caller that the token speaks for."""
        return Caller(subject=self.subject, scopes=frozenset(self.scopes))


@dataclass(frozen=True)
class TokenMint:
    """Signs tokens and reads them back; `clock` returns the time with its zone."""

    keys: KeyRing
    issuer: str
    audience: str
    lifetime: timedelta
    clock: Callable[[], datetime]

    def issue(self, subject: str, scopes: tuple[str, ...]) -> str:
        """Return a new signed token for `subject`."""
        now = self.clock()
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + self.lifetime,
            "jti": uuid.uuid4().hex,
        }
        headers = {"kid": self.keys.signing_key_id, "typ": _TYPE}
        return jwt.encode(claims, self.keys.signing_key, algorithm=_ALGORITHM, headers=headers)

    def read(self, token: str) -> Token:
        """Return what a token of ours says; raise TokenRefusedError when it is not good now.

        Revocation is not looked at.
        """
        try:
            header = jwt.get_unverified_header(token)
            key = self.keys.public_keys.get(header.get("kid", ""))
            if key is None or header.get("typ") != _TYPE:
                raise TokenRefusedError("the token was not issued here")
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            raise TokenRefusedError("the token was not issued here") from None
        read = Token(
            token_id=claims["jti"],
            subject=claims["sub"],
            scopes=tuple(claims["scope"].split()),
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
        # Checked here and not by the library, whose clock cannot be given.
        if read.expires_at <= self.clock():
            raise TokenRefusedError("the token has expired")
        return read
