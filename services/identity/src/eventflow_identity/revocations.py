"""Tokens that ended before their time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from eventflow_identity.tables import RevokedTokenRow
from eventflow_identity.tokens import Token, TokenMint
from eventflow_servicekit.bearer import Caller, TokenRefusedError


class Revocations:
    """The revoked tokens in the database behind `sessions`."""

    def __init__(self, sessions: sessionmaker[Session], clock: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._clock = clock

    def revoke(self, token: Token) -> None:
        """End `token` now; again is harmless. Forgets tokens that have expired meanwhile."""
        row = {"token_id": token.token_id, "expires_at": token.expires_at}
        with self._sessions.begin() as session:
            session.execute(insert(RevokedTokenRow).values(row).on_conflict_do_nothing())
            expired = RevokedTokenRow.expires_at <= self._clock()
            session.execute(delete(RevokedTokenRow).where(expired))

    def is_revoked(self, token: Token) -> bool:
        """Tell whether `token` was ended."""
        with self._sessions.begin() as session:
            return session.get(RevokedTokenRow, token.token_id) is not None


@dataclass(frozen=True)
class LiveTokens:
    """Reads tokens with everything that identity knows about them, revocation included."""

    mint: TokenMint
    revocations: Revocations

    def token(self, token: str) -> Token:
        """Return what a good token says; raise TokenRefusedError for any other."""
        read = self.mint.read(token)
        if self.revocations.is_revoked(read):
            raise TokenRefusedError("the token was revoked")
        return read

    def read(self, token: str) -> Caller:
        """Return the caller of a good token; raise TokenRefusedError for any other."""
        return self.token(token).caller()
