"""Passwords and client secrets as Argon2id hashes (RFC 9106)."""

import secrets
import threading
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


@dataclass(frozen=True)
class PasswordCheck:
    """Whether a password fits; `renewed_hash` is set when the stored one should be replaced."""

    is_right: bool
    renewed_hash: str | None = None


class Passwords:
    """Makes and checks hashes, at most `checks_at_once` at the same time.

    `memory` is in KiB per check, `passes` and `lanes` are Argon2's time cost and parallelism.
    """

    def __init__(self, *, memory: int, passes: int, lanes: int, checks_at_once: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
        self._turns = threading.BoundedSemaphore(checks_at_once)
        # Checked in place of the hash that an unknown name does not have.
        self._nobody = self._hasher.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """Return the encoded hash of `password`, with its own salt and parameters in it."""
        with self._turns:
            return self._hasher.hash(password)

    def check(self, password: str, stored_hash: str | None) -> PasswordCheck:
        """Compare `password` with a stored hash; None is never right and takes as long."""
        is_right = self._fits(password, stored_hash or self._nobody)
        if stored_hash is None or not is_right:
            return PasswordCheck(is_right=False)
        if self._hasher.check_needs_rehash(stored_hash):
            return PasswordCheck(is_right=True, renewed_hash=self.hash(password))
        return PasswordCheck(is_right=True)

    def _fits(self, password: str, stored_hash: str) -> bool:
        with self._turns:
            try:
                return self._hasher.verify(stored_hash, password)
            except (VerificationError, InvalidHashError):
                return False
