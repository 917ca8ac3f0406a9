"""Checks tokens of identity by its published keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from eventflow_api.jwks import KeyCache
from eventflow_servicekit.bearer import Caller, TokenRefusedError

_ALGORITHM = "EdDSA"
_TYPE = "at+jwt"
_REFUSED = "the token is not one of identity for this service"


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class JwksTokenReader:
    """Reads tokens that `issuer` made for `audience`; `clock` returns the time with its zone."""

    keys: KeyCache
    issuer: str
    audience: str
    clock: Callable[[], datetime] = utc_now

    def read(self, token: str) -> Caller:
        """Return whom a good token speaks for.

        Raises TokenRefusedError for any other token, and TokensUncheckedError while the keys
        are not known.
        """
        try:
            claims = self._verified(token)
        except jwt.InvalidTokenError:
            raise TokenRefusedError(_REFUSED) from None
        # Checked here and not by the library, whose clock cannot be given.
        if claims["exp"] <= self.clock().timestamp():
            raise TokenRefusedError("the token has expired")
        return Caller(subject=claims["sub"], scopes=frozenset(claims["scope"].split()))

    def _verified(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != _TYPE or "kid" not in header:
            raise TokenRefusedError(_REFUSED)
        key = self.keys.key(header["kid"])
        if key is None:
            raise TokenRefusedError(_REFUSED)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=self.audience,
            issuer=self.issuer,
            options={
                "require": ["iss", "sub", "aud", "exp", "scope"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        return claims
