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
SERVICE_LABEL: Final = "monoyard.dev/service"
"""Label of every pod that the shared chart renders, those of smoke tests included."""
RELEASE_LABEL: Final = "monoyard.dev/release"
"""Label of what the shared chart renders, with the commit that its image was made from."""


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
DEPLOYMENT: Final = Kind("apps", "v1", "Deployment", "deployments")
JOB: Final = Kind("batch", "v1", "Job", "jobs")
LEASE: Final = Kind("coordination.k8s.io", "v1", "Lease", "leases")
NAMESPACE: Final = Kind("", "v1", "Namespace", "namespaces", is_namespaced=False)
POD: Final = Kind("", "v1", "Pod", "pods")
SECRET: Final = Kind("", "v1", "Secret", "secrets")
WEIGHTS: Final = Kind("traefik.io", "v1alpha1", "TraefikService", "traefikservices")
"""What shares traffic out between two versions; Argo Rollouts alone writes it."""

# Of those that charts render; every other kind is one of a namespace.
_CLUSTER_WIDE: Final = frozenset(
    {
        "APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition",
        "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume",
        "PriorityClass", "RuntimeClass", "StorageClass", "ValidatingWebhookConfiguration",
    }
)  # fmt: skip


def kind_of(thing: Object) -> Kind:
    """Return the kind of a rendered object.

    Its plural is guessed by the rule of Kubernetes' own `UnsafeGuessKindToResource`
    (apimachinery, `pkg/api/meta/restmapper.go`), which holds for every kind in wide use.

    Raises:
        ValueError: It says no kind, or no version.
    """
    name, version = str(thing.get("kind") or ""), str(thing.get("apiVersion") or "")
    if not name or not version:
        raise ValueError("an object without `kind` and `apiVersion`")
    group, _, number = version.rpartition("/")
    return Kind(group, number, name, _plural(name.lower()), name not in _CLUSTER_WIDE)


def _plural(name: str) -> str:
    if name == "endpoints":
        return name
    if name.endswith("s"):
        return f"{name}es"
    return f"{name.removesuffix('y')}ies" if name.endswith("y") else f"{name}s"


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
