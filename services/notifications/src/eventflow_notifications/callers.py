"""Who may send: whoever shows the token that is shared with this service's callers."""

import hmac

from pydantic import SecretStr

from eventflow_servicekit.bearer import Caller, TokenRefusedError

SCOPE = "notifications:send"


class SharedToken:
    """Reads the one token there is."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def read(self, token: str) -> Caller:
        """Return the caller; raise TokenRefusedError for any other token."""
        # Bytes: comparing text fails on characters beyond ASCII.
        if not hmac.compare_digest(token.encode(), self._token.get_secret_value().encode()):
            raise TokenRefusedError("the token is not the one that callers share")
        return Caller(subject="service:internal", scopes=frozenset({SCOPE}))
