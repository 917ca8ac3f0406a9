"""What is asked of a cluster about itself and about us, to know beforehand what would be refused.

A fake and the real API server pass one conformance suite. Nothing is changed by asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from monoyard.charts import ServicePort
from monoyard.delivery.objects import Kind

SILENT: Final = "silent-service"
"""Code of the error that a Service of the cluster does not answer, though the API server does."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Something that may be done in a namespace.

    Attributes:
        verb: As RBAC has it: `get`, `create`, `patch`.
        group: API group; empty for the core.
        resource: Plural name, with its part where there is one: `rollouts/status`.
    """

    verb: str
    group: str
    resource: str

    @classmethod
    def of(cls, verb: str, kind: Kind, part: str = "") -> Right:
        """Return the right to do something with objects of a kind, or with a part of them."""
        return cls(verb, kind.group, f"{kind.plural}/{part}" if part else kind.plural)


class Capabilities(Protocol):
    """What a cluster is, and what we may do in one namespace of it.

    Every method raises ClusterError where the API server does not answer or refuses.
    """

    def close(self) -> None:
        """Close the connections; it can be used no more."""

    def version(self) -> str:
        """Return the version of the API server, such as `v1.34.4`."""

    def account(self) -> str:
        """Return the name by which the API server knows us."""

    def may(self, right: Right) -> bool:
        """Say whether we may do something in the namespace."""

    def versions(self, group: str) -> tuple[str, ...]:
        """Return the versions of a group that are served; none where the group is not known."""

    def kinds(self, api_version: str) -> frozenset[str]:
        """Return the plural names of the kinds of a group and version; none where there are none.

        Args:
            api_version: As in `apiVersion:`.
        """

    def read(self, port: ServicePort, path: str, query: Mapping[str, str]) -> bytes:
        """Have the API server ask a Service of the cluster (GET); return what that answers.

        An answer that the Service itself gives is returned whatever its status is.

        Args:
            port: What is asked.
            path: Path of the address, without a slash in front.
            query: Parameters.
        """
