"""Tells an API server that has yet to read its roles from one that refuses us.

For half a second after its start (measured with Kubernetes 1.34) an API server knows no role and
answers 403 to everybody who needs one. `/readyz` is refused then as well, which every account may
read otherwise: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_READY: Final = 200


class Readiness:
    """What one connection knows of how ready its API server is.

    Args:
        ask: Returns the status that `/readyz` answers; 0 where nothing does.
    """

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._was_seen: bool | None = None

    def note_answer(self) -> None:
        """Take note that the API server has answered: whether we may look is seen once."""
        if self._was_seen is None:
            self._was_seen = self._ask() == _READY

    @property
    def is_lost(self) -> bool:
        """It was ready before this, and is not now; False where we may not look."""
        return bool(self._was_seen) and self._ask() != _READY
