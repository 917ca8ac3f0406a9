"""Runners that are killed at a write of their cluster, or at a call of Helm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from monoyard.charts import ChartCall
from monoyard.delivery import Kind, Object
from monoyard.delivery.objects import CONFIG_MAP, JOB
from monoyard.errors import DeliveryError
from monoyard.testing import FakeNamespace, FakeReleases

from .yard import Yard, objects


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


class DeadlyReleases(FakeReleases):
    """A Helm that is killed with its runner before, after or amid one of its calls."""

    fatal: int | None = None
    moment = "before"

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.refused: set[str] = set()

    def upgrade(self, call: ChartCall, labels: Mapping[str, str], description: str) -> None:
        """Upgrade, or be the moment of the kill."""
        self._die(lambda: super(DeadlyReleases, self).upgrade(call, labels, description), call.name)

    def rollback(self, name: str, revision: int) -> None:
        """Go back, or be the moment of the kill, or refuse."""
        if name in self.refused:
            raise DeliveryError(f"{name} cannot be taken back", code="helm")
        self._die(lambda: super(DeadlyReleases, self).rollback(name, revision), "")

    def _die(self, do: Callable[[], None], name: str) -> None:
        if self.fatal is not None:
            self.fatal -= 1
            if self.fatal == -1:
                if self.moment == "amid" and name:
                    self.fail_next(name, "pending-upgrade")
                    with pytest.raises(DeliveryError):
                        do()
                elif self.moment == "after":
                    do()
                raise KilledError
        do()


class Deadly(Yard):
    """An environment in which runners are killed.

    Attributes:
        deadly: Where they are killed at writes to the cluster.
        helm: Where they are killed at calls of Helm.
    """

    def __init__(self) -> None:
        self.deadly = DeadlyCluster("shop-dev")
        super().__init__(self.deadly)
        self.helm = DeadlyReleases(self.cluster, lambda call: list(objects(call))[:-1])
        self.releases = self.helm
