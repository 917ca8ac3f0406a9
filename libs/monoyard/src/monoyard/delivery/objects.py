"""Objects of Kubernetes as this room speaks of them: kinds, names, and who owns what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]
"""An object of the API, as its JSON: `apiVersion`, `kind`, `metadata` and what the kind adds."""

OWNER_LABEL: Final = "app.kubernetes.io/managed-by"
OWNER: Final = "monoyard"
ENVIRONMENT_LABEL: Final = "monoyard.dev/environment"
DEPLOYMENT_LABEL: Final = "monoyard.dev/deployment"
"""Label of everything that a deployment made, with its number."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        group: API group; empty for the core.
        version: Version in the group.
        name: As in `kind:`.
        plural: As in addresses.
        is_namespaced: Objects live in a namespace.
    """

    group: str
    version: str
    name: str
    plural: str
    is_namespaced: bool = True

    @property
    def api_version(self) -> str:
        """What stands in `apiVersion:`."""
        return f"{self.group}/{self.version}" if self.group else self.version


CONFIG_MAP: Final = Kind("", "v1", "ConfigMap", "configmaps")
JOB: Final = Kind("batch", "v1", "Job", "jobs")
LEASE: Final = Kind("coordination.k8s.io", "v1", "Lease", "leases")
NAMESPACE: Final = Kind("", "v1", "Namespace", "namespaces", is_namespaced=False)
POD: Final = Kind("", "v1", "Pod", "pods")
SECRET: Final = Kind("", "v1", "Secret", "secrets")


def new(
    kind: Kind,
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return an object that we own.

    Args:
        kind: What it is.
        name: Its name in the namespace.
        labels: Labels besides the owner's.
        annotations: Annotations.
        fields: What the kind adds, such as `spec` or `data`.
    """
    metadata: dict[str, Any] = {"name": name, "labels": {OWNER_LABEL: OWNER, **(labels or {})}}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **fields}


def name_of(thing: Object) -> str:
    """Return an object's name."""
    return str(thing["metadata"]["name"])


def labels_of(thing: Object) -> Mapping[str, str]:
    """Return an object's labels."""
    labels: Mapping[str, str] = thing["metadata"].get("labels") or {}
    return labels
