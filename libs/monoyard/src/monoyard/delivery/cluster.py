"""What this room asks of a cluster. A fake and the real API server pass one conformance suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from monoyard.delivery.objects import Kind, Object
from monoyard.errors import ClusterError

UNREACHABLE: Final = "unreachable"
"""Code of the error that says nothing about the cluster, but that it did not answer."""


ABSENT: Final = "absent"
"""Code of the error that what is named is not there. Of a list: the cluster lacks the kind."""


class ConflictError(ClusterError):
    """The object is there already, or it is no longer the version that was read."""

    code = "conflict"


class Namespace(Protocol):
    """The objects of one namespace.

    Every method raises ClusterError where the API server does not answer or refuses. Objects that
    come back are copies: changing them changes nothing in the cluster.
    """

    name: str

    def close(self) -> None:
        """Close the connections; it can be used no more."""

    def get(self, kind: Kind, name: str) -> Object | None:
        """Return an object, or None where there is none."""

    def list(self, kind: Kind, labels: Mapping[str, str]) -> list[Object]:
        """Return the objects that carry all of these labels, by name."""

    def create(self, kind: Kind, thing: Object) -> Object:
        """Make an object and return it as it is now.

        Raises:
            ConflictError: There is one of this name.
        """

    def replace(self, kind: Kind, thing: Object) -> Object:
        """Put an object in the place of the version that was read, which its metadata names.

        Raises:
            ConflictError: Somebody changed or removed it since.
        """

    def apply(self, kind: Kind, thing: Object) -> Object:
        """Make an object be so, by server-side apply; fields that others own are left to them.

        Raises:
            ConflictError: Another owner disagrees about a field.
        """

    def preview(self, kind: Kind, thing: Object) -> Object:
        """Return what `apply` would make of an object, whoever owns its fields; nothing changes.

        Raises:
            ClusterError: The API server would not take it, or does not know the kind.
        """

    def merge(self, kind: Kind, name: str, change: Mapping[str, Any], *, status: bool) -> Object:
        """Change some fields of an object, or of its status, by a merge patch (RFC 7396)."""

    def delete(self, kind: Kind, name: str) -> bool:
        """Remove an object; what it owns follows. Say whether there was one."""

    def log(self, pod: str, container: str, lines: int) -> str:
        """Return the last lines that a container of a pod printed; nothing before it started."""
