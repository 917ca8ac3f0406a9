"""What runs, in the words of Kubernetes' own objects."""

from __future__ import annotations

from typing import Any

import pytest

from monoyard.delivery.objects import DEPLOYMENT, Kind, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.delivery.workloads import read_workloads
from monoyard.errors import ClusterError
from monoyard.testing import FakeNamespace

DIGEST = "sha256:" + "a" * 64
POD = {"spec": {"containers": [{"name": "api", "image": f"r.example/api@{DIGEST}"},
                               {"name": "side", "image": "r.example/side:1"}]}}  # fmt: skip


def workload(kind: Kind, name: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a workload as Helm and its controller leave it."""
    thing = new(
        kind,
        name,
        labels={"monoyard.dev/release": "c0ffee", "monoyard.dev/deployment": "7"},
        annotations={"meta.helm.sh/release-name": name},
        spec={"template": POD, **spec},
        status={"observedGeneration": 3, **status},
    )
    thing["metadata"]["generation"] = 3
    return thing


def deployment(updated: int, ready: int, total: int, reason: str = "") -> dict[str, Any]:
    """Return a Deployment of two pods in some state."""
    return workload(
        DEPLOYMENT,
        "api",
        {
            "updatedReplicas": updated, "availableReplicas": ready, "readyReplicas": ready,
            "replicas": total,
            "conditions": [{"type": "Progressing", "reason": reason, "message": "so it is"}],
        },
        replicas=2,
    )  # fmt: skip


def test_rollouts_and_deployments_are_told_alike() -> None:
    """Service, digest, commit, deployment and pods are read off both kinds."""
    cluster = FakeNamespace()
    cluster.create(DEPLOYMENT, deployment(2, 2, 2))
    status = {"phase": "Healthy", "readyReplicas": 3}
    cluster.create(ROLLOUT, workload(ROLLOUT, "web", status))
    web, api = read_workloads(cluster)
    assert (web.kind, web.service, web.phase, web.pods) == ("Rollout", "web", "completed", 3)
    assert (api.kind, api.service, api.phase, api.pods) == ("Deployment", "api", "completed", 2)
    for item in (web, api):
        assert item.digests == (DIGEST,)
        assert (item.commit, item.deployment) == ("c0ffee", "7")


@pytest.mark.parametrize(
    ("updated", "ready", "total", "reason", "phase"),
    [
        (2, 2, 2, "NewReplicaSetAvailable", "completed"),
        (1, 2, 2, "ReplicaSetUpdated", "progressing"),
        (2, 2, 3, "ReplicaSetUpdated", "progressing"),
        (2, 1, 2, "ReplicaSetUpdated", "progressing"),
        (1, 2, 3, "ProgressDeadlineExceeded", "bad"),
    ],
)
def test_deployment_is_done_when_every_pod_is_new_and_ready(
    updated: int, ready: int, total: int, reason: str, phase: str
) -> None:
    """Old pods that serve, or new ones that are not ready, are progress; a deadline is bad."""
    cluster = FakeNamespace()
    cluster.create(DEPLOYMENT, deployment(updated, ready, total, reason))
    assert [item.phase for item in read_workloads(cluster)] == [phase]


def test_state_of_an_earlier_generation_says_nothing() -> None:
    """What the controller did not see yet is under way, however good the old state was."""
    cluster = FakeNamespace()
    thing = deployment(2, 2, 2, "ProgressDeadlineExceeded")
    thing["metadata"]["generation"] = 4
    cluster.create(DEPLOYMENT, thing)
    assert [item.phase for item in read_workloads(cluster)] == ["progressing"]


def test_cluster_without_argo_rollouts_has_deployments() -> None:
    """A kind that is not installed is no error; a cluster that does not answer is one."""
    cluster = FakeNamespace()
    cluster.forget(ROLLOUT)
    cluster.create(DEPLOYMENT, deployment(2, 2, 2))
    assert [item.name for item in read_workloads(cluster)] == ["api"]
    cluster.stop_answering()
    with pytest.raises(ClusterError):
        read_workloads(cluster)
