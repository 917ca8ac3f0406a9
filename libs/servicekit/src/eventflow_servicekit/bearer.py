"""Who is calling: bearer tokens (RFC 6750) as FastAPI dependencies.

How a token is read is each service's own: identity asks its database, others ask identity's
published keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from eventflow_servicekit.problems import ProblemError

_SCHEME = HTTPBearer(auto_error=False, bearerFormat="JWT", description="A token of identity")


@dataclass(frozen=True)
class Caller:
    """Whom a valid token speaks for, and what it may do."""

    subject: str
    scopes: frozenset[str]


class TokenRefusedError(Exception):
    """The token is malformed, expired, revoked, or not ours."""


class TokensUncheckedError(Exception):
    """Nobody can tell now whether the token is good: what is needed to check it is missing."""


class TokenReader(Protocol):
    """Turns a token into the caller it speaks for."""

    def read(self, token: str) -> Caller:
        """Return the caller; raise TokenRefusedError or TokensUncheckedError."""


def caller_with(reader: TokenReader, scope: str) -> Callable[..., Caller]:
    """Return a dependency that gives the Caller whose token has `scope`.

    It ends the request with 401 without a good token, 403 without the scope, and 503 while tokens
    cannot be checked.
    """

    def dependency(
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)],
    ) -> Caller:
        if credentials is None:
            raise _unauthorized("missing-token", "a bearer token is needed", error=None)
        try:
            caller = reader.read(credentials.credentials)
        except TokenRefusedError as error:
            raise _unauthorized("invalid-token", str(error), error="invalid_token") from None
        except TokensUncheckedError as error:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "tokens-unchecked",
                str(error),
                headers={"Retry-After": "5"},
            ) from error
        if scope not in caller.scopes:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "missing-scope",
                f"the token lacks the scope {scope}",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            )
        return caller

    return dependency


def _unauthorized(code: str, detail: str, *, error: str | None) -> ProblemError:
    challenge = "Bearer" if error is None else f'Bearer error="{error}"'
    return ProblemError(
        HTTPStatus.UNAUTHORIZED, code, detail, headers={"WWW-Authenticate": challenge}
    )
