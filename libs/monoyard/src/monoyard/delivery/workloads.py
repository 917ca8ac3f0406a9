"""What runs in a namespace, by what its API server says: Rollouts and Deployments alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from monoyard.delivery.cluster import ABSENT, Namespace
from monoyard.delivery.objects import (
    DEPLOYMENT,
    DEPLOYMENT_LABEL,
    RELEASE_LABEL,
    Kind,
    Object,
    labels_of,
    name_of,
)
from monoyard.delivery.rollouts import ROLLOUT, Phase, read_rollout
from monoyard.errors import ClusterError

WATCHED: Final = (ROLLOUT, DEPLOYMENT)
"""Kinds whose way to a new version can be watched."""

# Helm writes it onto everything that it makes, whatever the chart.
_OWNER: Final = "meta.helm.sh/release-name"
_DIGEST: Final = re.compile(r"@(sha256:[0-9a-f]{64})$")

HELD: Final = "held by a person"
"""What is said of a rollout that somebody paused."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Something whose pods serve.

    Attributes:
        kind: `Rollout` or `Deployment`.
        name: Its name.
        service: Name of the Helm release that it is of, which is that of its service; empty where
            nothing says.
        digests: Of the images of its pods' containers.
        commit: What they were made from, by its labels; empty where nothing says.
        deployment: Number of the deployment that sent it last, likewise.
        phase: Where it is.
        message: What its controller says.
        weight: Percent of the traffic that the new version gets; None where nothing says.
        step: How many steps of the strategy are behind it.
        steps: How many there are.
        pods: How many are ready.
        is_between: There are an old version and a new one, and neither has it alone.
        is_held: A person holds it where it is.
        deadline: Seconds within which its pods have to get on; None where nothing says.
        progressed: When they got on last, as its controller writes it.
    """

    kind: str
    name: str
    service: str
    digests: tuple[str, ...]
    commit: str
    deployment: str
    phase: Phase
    message: str = ""
    weight: int | None = None
    step: int = 0
    steps: int = 0
    pods: int = 0
    is_between: bool = False
    is_held: bool = False
    deadline: float | None = None
    progressed: str = ""


def read_workloads(namespace: Namespace) -> tuple[Workload, ...]:
    """Return what runs, by kind and name; a cluster without Argo Rollouts has Deployments only.

    Raises:
        ClusterError: It does not answer, or refuses to.
    """
    return tuple(
        read_workload(kind, thing) for kind in WATCHED for thing in list_known(namespace, kind)
    )


def list_known(namespace: Namespace, kind: Kind) -> list[Object]:
    """Return all objects of a kind; none where the cluster does not have the kind.

    Raises:
        ClusterError: It does not answer, or refuses to.
    """
    try:
        return namespace.list(kind, {})
    except ClusterError as error:
        if error.code != ABSENT:
            raise
        return []


def read_workload(kind: Kind, thing: Object) -> Workload:
    """Return what an object of a watched kind says."""
    read = _rollout if kind == ROLLOUT else _deployment
    labels = labels_of(thing)
    return Workload(
        kind=kind.name,
        name=name_of(thing),
        service=str((thing["metadata"].get("annotations") or {}).get(_OWNER) or ""),
        digests=tuple(_digests(thing)),
        commit=labels.get(RELEASE_LABEL, ""),
        deployment=labels.get(DEPLOYMENT_LABEL, ""),
        pods=int((thing.get("status") or {}).get("readyReplicas") or 0),
        **read(thing),
    )


def _rollout(thing: Object) -> dict[str, Any]:
    state = read_rollout(thing)
    return {
        "phase": state.phase, "message": state.message, "weight": state.weight,
        "step": state.step, "steps": state.steps,
        "is_held": state.is_held, "deadline": state.deadline, "progressed": state.progressed,
        "is_between": bool(state.stable and state.current and state.stable != state.current),
    }  # fmt: skip


def _deployment(thing: Object) -> dict[str, Any]:
    """Return what `kubectl rollout status` would make of a Deployment."""
    spec, status = thing["spec"], thing.get("status") or {}
    wanted = spec.get("replicas", 1)
    seen = status.get("observedGeneration") == thing["metadata"].get("generation")
    conditions: dict[str, Mapping[str, Any]] = {
        item["type"]: item for item in status.get("conditions") or ()
    }
    progressing = conditions.get("Progressing") or {}
    updated, ready = (status.get(name) or 0 for name in ("updatedReplicas", "availableReplicas"))
    phase: Phase = "progressing"
    if seen and progressing.get("reason") == "ProgressDeadlineExceeded":
        phase = "bad"
    elif seen and updated == wanted and ready >= wanted and status.get("replicas", 0) == wanted:
        phase = "completed"
    return {"phase": phase, "message": str(progressing.get("message") or "")}


def _digests(thing: Object) -> Iterator[str]:
    pod = ((thing["spec"].get("template") or {}).get("spec")) or {}
    for container in pod.get("containers") or ():
        found = _DIGEST.search(str(container.get("image") or ""))
        if found:
            yield found[1]
