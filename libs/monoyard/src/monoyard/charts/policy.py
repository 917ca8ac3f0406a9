"""What no rendered object may do, whoever wrote its chart.

The rules for pods are those of Kubernetes' Pod Security Standard `restricted`, plus what a
deployment relies on: images by digest, limits, a root file system that cannot be written, and no
secret in what is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from monoyard.charts.objects import Object, PodPlace, pods

Remark = tuple[str, str, str]
"""Rule, field, message."""

_BY_DIGEST: Final = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")
_AMOUNTS: Final = ("cpu", "memory")
_SERVING: Final = frozenset({"DaemonSet", "Deployment", "Rollout", "StatefulSet"})
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")


def remarks(thing: Object) -> Iterator[Remark]:
    """Yield what the policy refuses in an object."""
    if thing["kind"] == "Secret":
        yield "no-secrets", "", "secrets are named by charts, never rendered"
    for pod in pods(thing):
        yield from _host(pod)
        for path, container in pod.containers():
            yield from _container(pod, path, container)
    if thing["kind"] in _SERVING:
        for pod in pods(thing):
            for path, container in pod.containers():
                if ".containers[" in path and "readinessProbe" not in container:
                    yield (
                        "probes",
                        f"{path}.readinessProbe",
                        "it is sent requests before it can answer",
                    )


def _host(pod: PodPlace) -> Iterator[Remark]:
    for key in _HOST:
        if pod.spec.get(key):
            yield "no-host", f"{pod.path}.{key}", "a pod has no part of its host"
    for number, volume in enumerate(pod.spec.get("volumes") or ()):
        if "hostPath" in volume:
            yield (
                "no-host",
                f"{pod.path}.volumes[{number}].hostPath",
                "a pod has no part of its host",
            )


def _container(pod: PodPlace, path: str, container: Mapping[str, Any]) -> Iterator[Remark]:
    for check in _CHECKS:
        for rule, field, message in check(pod.spec, container):
            yield rule, f"{path}.{field}", message


def _image(_: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Remark]:
    image = container.get("image")
    if not isinstance(image, str) or not _BY_DIGEST.fullmatch(image):
        yield "digest", "image", f"`{image}` is not named by digest (`NAME@sha256:...`)"
    elif ":latest@" in image:
        yield "digest", "image", "`latest` says nothing beside a digest"


def _limits(_: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Remark]:
    resources = container.get("resources") or {}
    for part in ("requests", "limits"):
        for amount in _AMOUNTS:
            if not (resources.get(part) or {}).get(amount):
                yield "limits", f"resources.{part}.{amount}", "not set"


def _user(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Remark]:
    own = container.get("securityContext") or {}
    whole = pod.get("securityContext") or {}
    if own.get("runAsNonRoot", whole.get("runAsNonRoot")) is not True:
        yield "non-root", "securityContext.runAsNonRoot", "not true"
    user = own.get("runAsUser", whole.get("runAsUser"))
    # A name in the image cannot be checked by the kubelet, and 0 is root whatever else is said.
    if isinstance(user, bool) or not isinstance(user, int) or user < 1:
        yield "non-root", "securityContext.runAsUser", f"{user!r} is no user id above 0"


def _rights(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Remark]:
    own = container.get("securityContext") or {}
    capabilities = own.get("capabilities") or {}
    if own.get("privileged"):
        yield "no-privileges", "securityContext.privileged", "true"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "no-privileges", "securityContext.allowPrivilegeEscalation", "not false"
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "no-privileges", "securityContext.capabilities.drop", "ALL is not among them"
    if capabilities.get("add"):
        yield "no-privileges", "securityContext.capabilities.add", "capabilities are added"
    profile = own.get("seccompProfile") or (pod.get("securityContext") or {}).get("seccompProfile")
    if (profile or {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "no-privileges", "securityContext.seccompProfile", "no profile"


def _file_system(_: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Remark]:
    if (container.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
        yield "read-only-root", "securityContext.readOnlyRootFilesystem", "not true"


def _host_ports(_: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Remark]:
    for number, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort"):
            yield "no-host", f"ports[{number}].hostPort", "a pod has no part of its host"


Check = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Remark]]

_CHECKS: Final[tuple[Check, ...]] = (_image, _limits, _user, _rights, _file_system, _host_ports)
RULES: Final = (
    "digest", "limits", "no-host", "no-privileges", "no-secrets", "non-root", "probes",
    "read-only-root",
)  # fmt: skip
"""Rules that an environment can take back for a service, with a reason."""
