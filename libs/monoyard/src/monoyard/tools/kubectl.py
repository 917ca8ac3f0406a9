"""kubectl: asks and changes a cluster. Tested with 1.34."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FIELD_MANAGER = "monoyard"


@dataclass(frozen=True, slots=True)
class Target:
    """Which cluster is meant.

    Attributes:
        program: kubectl.
        kubeconfig: File with contexts; None: what kubectl itself would take.
        context: One of them; empty: the current one.
    """

    program: Path
    kubeconfig: Path | None = None
    context: str = ""

    def argv(self, *words: str) -> tuple[str, ...]:
        """Return a call that goes to this cluster."""
        chosen = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        chosen += [f"--context={self.context}"] if self.context else []
        return (str(self.program), *chosen, *words)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps an object from being ready.

    Attributes:
        name: `namespace/name`, or the name alone.
        reason: In the cluster's words.
    """

    name: str
    reason: str

    @property
    def namespace(self) -> str:
        """Where the object is; empty: it is in none."""
        return self.name.rpartition("/")[0]

    @property
    def is_crash(self) -> bool:
        """Whether it is a pod whose program ends again and again."""
        return self.reason.startswith("CrashLoopBackOff")


def last_words(target: Target, trouble: Trouble, lines: int = 30) -> tuple[str, ...]:
    """Return the call that prints the last lines of a pod."""
    pod = trouble.name.rpartition("/")[2]
    return target.argv(
        "logs", f"--namespace={trouble.namespace}", pod, "--all-containers", f"--tail={lines}",
        "--request-timeout=15s",
    )  # fmt: skip


def apply(target: Target, namespace: str = "") -> tuple[str, ...]:
    """Return the call that makes what standard input declares; it may be repeated.

    Args:
        target: Where.
        namespace: Of what names none itself; kubectl refuses what names another. Empty: each
            object says its own.
    """
    chosen = (f"--namespace={namespace}",) if namespace else ()
    return target.argv(
        "apply", "--server-side", "--force-conflicts", f"--field-manager={_FIELD_MANAGER}",
        *chosen, "--filename=-",
    )  # fmt: skip


def ready(target: Target) -> tuple[str, ...]:
    """Return the call that asks the API server whether it is ready."""
    return target.argv("get", "--raw=/readyz", "--request-timeout=5s")


def uid(target: Target) -> tuple[str, ...]:
    """Return the call that prints the UID of namespace `kube-system`."""
    return target.argv(
        "get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}",
        "--request-timeout=15s",
    )  # fmt: skip


def get(target: Target, kinds: Sequence[str]) -> tuple[str, ...]:
    """Return the call that prints all objects of some kinds as JSON."""
    return target.argv(
        "get", ",".join(kinds), "--all-namespaces", "--output=json", "--request-timeout=15s"
    )


def parse_troubles(said: str) -> tuple[Trouble, ...]:
    """Return which nodes, pods, Deployments and API services of a JSON list are not ready, and why.

    Pods that have ended well are no trouble.
    """
    return tuple(
        Trouble(_name(item["metadata"]), reason)
        for item in json.loads(said)["items"]
        if (reason := _reason(item))
    )


def _name(metadata: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _reason(item: Mapping[str, Any]) -> str:
    status = item.get("status", {})
    if status.get("phase") == "Succeeded":
        return ""
    if item["kind"] == "Deployment":
        return _reason_of_deployment(item, status)
    wanted = "Available" if item["kind"] == "APIService" else "Ready"
    conditions = {found["type"]: found for found in status.get("conditions", ())}
    if conditions.get(wanted, {}).get("status") == "True":
        return ""
    told = next(_told_by_containers(status), "")
    found = conditions.get(wanted) or conditions.get("PodScheduled") or {}
    said = ": ".join(filter(None, (found.get("reason"), found.get("message"))))
    return told or said or f"it is {status.get('phase', 'not there yet')}"


def _reason_of_deployment(item: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """Say what its pods cannot tell: that some are not there yet, or still there."""
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 0):
        return "it was changed just now"
    wanted = item["spec"].get("replicas", 1)
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    if counts == [wanted] * len(counts):
        return ""
    return f"{counts[2]} of {wanted} pods are ready, {counts[0] - counts[1]} are of before"


def _told_by_containers(status: Mapping[str, Any]) -> Iterator[str]:
    for container in (
        *status.get("initContainerStatuses", ()), *status.get("containerStatuses", ()),
    ):  # fmt: skip
        state = container.get("state", {})
        for kind in ("waiting", "terminated"):
            found = state.get(kind)
            if found and found.get("reason") not in {None, "Completed", "PodInitializing"}:
                yield ": ".join(filter(None, (found["reason"], found.get("message"))))
