"""Runners that are killed at a write of their cluster."""

from __future__ import annotations

from collections.abc import Callable

from monoyard.delivery import Kind, Object
from monoyard.delivery.objects import CONFIG_MAP, JOB
from monoyard.testing import FakeNamespace

from .yard import Yard


class KilledError(BaseException):
    """SIGKILL: nothing that the runner does hears of it."""


class DeadlyCluster(FakeNamespace):
    """A cluster at one of whose writes of records or Jobs the runner is killed.

    Attributes:
        fatal: The write at which it is killed, counted from now; None for none.
        is_written: Whether that write is still done.
    """

    fatal: int | None = None
    is_written = False

    def replace(self, kind: Kind, thing: Object) -> Object:
        """Replace an object, or be the moment of the kill."""
        return self._die(kind, lambda: super(DeadlyCluster, self).replace(kind, thing))

    def apply(self, kind: Kind, thing: Object) -> Object:
        """Apply an object, or be the moment of the kill."""
        return self._die(kind, lambda: super(DeadlyCluster, self).apply(kind, thing))

    def create(self, kind: Kind, thing: Object) -> Object:
        """Make an object, or be the moment of the kill."""
        return self._die(kind, lambda: super(DeadlyCluster, self).create(kind, thing))

    def _die(self, kind: Kind, do: Callable[[], Object]) -> Object:
        if self.fatal is None or kind not in (CONFIG_MAP, JOB):
            return do()
        self.fatal -= 1
        is_fatal = self.fatal == -1
        if is_fatal and not self.is_written:
            raise KilledError
        made = do()
        if is_fatal:
            raise KilledError
        return made


class Deadly(Yard):
    """An environment in which runners are killed."""

    def __init__(self) -> None:
        self.deadly = DeadlyCluster("shop-dev")
        super().__init__(self.deadly)
