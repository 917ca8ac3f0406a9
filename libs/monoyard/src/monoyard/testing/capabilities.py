"""A cluster's word on itself and on us in memory, which passes the suite of the real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monoyard.charts import ServicePort
from monoyard.delivery import ABSENT, UNREACHABLE
from monoyard.delivery.capabilities import SILENT, Right
from monoyard.errors import ClusterError

Answer = Callable[[str, Mapping[str, str]], bytes]


class FakeCapabilities:
    """What a cluster in memory is, and what we may do there: everything, until it is denied."""

    def __init__(self) -> None:
        self.name = "jane"
        self.number = "v1.34.4"
        self.served: dict[str, set[str]] = {}
        self._denied: set[Right] = set()
        self._only: frozenset[Right] | None = None
        self._services: dict[ServicePort, Answer | None] = {}
        self._refused: set[ServicePort] = set()
        self._is_down = False
        self.is_closed = False

    def close(self) -> None:
        """Be used no more."""
        self.is_closed = True

    def serve(self, api_version: str, *plurals: str) -> None:
        """Have kinds of a group and version."""
        self.served.setdefault(api_version, set()).update(plurals)

    def deny(self, *rights: Right) -> None:
        """Be somebody who may not do this."""
        self._denied.update(rights)

    def allow_only(self, *rights: Right) -> None:
        """Be somebody who may do this alone."""
        self._only = frozenset(rights)

    def answer(self, port: ServicePort, answer: Answer | None) -> None:
        """Have a Service that answers; None for one behind which nothing is."""
        self._services[port] = answer

    def refuse(self, port: ServicePort) -> None:
        """Be somebody for whom the API server asks no such Service."""
        self._refused.add(port)

    def stop_answering(self) -> None:
        """Be an API server that is down."""
        self._is_down = True

    def version(self) -> str:
        """Return the version of the API server."""
        self._check()
        return self.number

    def account(self) -> str:
        """Return the name by which the API server knows us."""
        self._check()
        return self.name

    def may(self, right: Right) -> bool:
        """Say whether we may do something in the namespace."""
        self._check()
        return right not in self._denied and (self._only is None or right in self._only)

    def versions(self, group: str) -> tuple[str, ...]:
        """Return the versions of a group that are served."""
        self._check()
        found = (name.rpartition("/") for name in sorted(self.served))
        return tuple(version for of, _, version in found if of == group)

    def kinds(self, api_version: str) -> frozenset[str]:
        """Return the plural names of the kinds of a group and version."""
        self._check()
        return frozenset(self.served.get(api_version, ()))

    def read(self, port: ServicePort, path: str, query: Mapping[str, str]) -> bytes:
        """Ask a Service; return what it answers."""
        self._check()
        if port in self._refused:
            raise ClusterError("the cluster refuses to answer", code="refused")
        if port not in self._services:
            raise ClusterError("the cluster refuses to answer", code=ABSENT)
        answer = self._services[port]
        if answer is None:
            raise ClusterError(f"the Service {port.resource_name} does not answer", code=SILENT)
        return answer(path, query)

    def _check(self) -> None:
        if self._is_down:
            raise ClusterError("the cluster does not answer", code=UNREACHABLE)
