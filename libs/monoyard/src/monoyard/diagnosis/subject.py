"""What checks look at: an environment, and all that a deployment to it would ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from monoyard.charts import Object
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.delivery import Clock, Lease, Ledger, Namespace
from monoyard.delivery.capabilities import Capabilities
from monoyard.deployment import Images, Releases
from monoyard.errors import ClusterError, ConfigurationError, MonoyardError

Value = TypeVar("Value")

_WANTING: Final = "wanting"


class Once(Generic[Value]):
    """A value that is made when the first thread asks for it; its error is every thread's.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[Value] = []
        self._error: Exception | None = None

    def __call__(self) -> Value:
        """Return the value.

        Raises:
            Exception: It could not be made.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._made:
                try:
                    self._made.append(self._make())
                except Exception as error:
                    self._error = error
                    raise
            return self._made[0]


@dataclass(frozen=True, slots=True)
class Seen:
    """A cluster that was seen to be the pinned one.

    Attributes:
        context: Context of the kubeconfig that leads there.
        namespace: The environment's objects.
        capabilities: What it is, and what we may do.
    """

    context: str
    namespace: Namespace
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Subject:
    """What checks look at; each part is asked for by whoever needs it, and may raise.

    Attributes:
        environment: Its settings.
        commit: What would be deployed.
        clock: Says what time it is.
        enter: Returns the cluster; raises where it is not the pinned one.
        rendered: Returns what the chart of each service comes to.
        kubernetes: Returns the version that charts are checked for, such as `1.34.4`.
        releases: Returns what Helm sent.
        images: Returns what was published.
        recipients: Returns the public keys that backups are encrypted to.
        programs: Name of each program that a deployment runs, to what returns its version.
    """

    environment: EnvironmentSettings
    commit: str
    clock: Clock
    enter: Callable[[], Seen]
    rendered: Callable[[], Mapping[str, tuple[Object, ...]]]
    kubernetes: Callable[[], str]
    releases: Callable[[], Releases]
    images: Callable[[], Images]
    recipients: Callable[[], tuple[str, ...]]
    programs: Mapping[str, Callable[[], str]]

    @property
    def seen(self) -> Seen:
        """The cluster, for whatever needs it; why it is not to be had is told once, elsewhere."""
        try:
            return self.enter()
        except MonoyardError as error:
            raise ClusterError("not looked at, for want of the cluster", code=_WANTING) from error

    @property
    def objects(self) -> Mapping[str, tuple[Object, ...]]:
        """What charts come to, for whatever needs it; what is wrong with them is told once."""
        try:
            return self.rendered()
        except MonoyardError as error:
            raise ConfigurationError("not looked at: charts are not rendered", code=_WANTING) from (
                error
            )

    @property
    def namespace(self) -> Namespace:
        """The environment's objects."""
        return self.seen.namespace

    @property
    def ledger(self) -> Ledger:
        """What was done to it."""
        return Ledger(self.namespace, self.environment.name, self.clock)

    @property
    def holder(self) -> str:
        """Who holds it; empty where nobody does."""
        found = Lease(self.namespace, self.environment.name, "", self.clock).look()
        return found.name if found else ""
