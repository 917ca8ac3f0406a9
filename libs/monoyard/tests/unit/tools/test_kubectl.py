"""What kubectl and kubeadm are asked, and what they say."""

import json
from pathlib import Path

import pytest

from monoyard.tools import kubeadm, kubectl

HERE = kubectl.Target(Path("/bin/kubectl"), Path("/k"))


def test_calls_name_their_cluster() -> None:
    """Every call says which kubeconfig or context it goes to, or leaves both to kubectl."""
    assert kubectl.ready(HERE) == (
        "/bin/kubectl", "--kubeconfig=/k", "get", "--raw=/readyz", "--request-timeout=5s",
    )  # fmt: skip
    other = kubectl.Target(Path("kubectl"), context="kind-one")
    assert other.argv("version") == ("kubectl", "--context=kind-one", "version")
    assert kubectl.Target(Path("kubectl")).argv("version") == ("kubectl", "version")


def test_manifests_are_applied_by_the_server() -> None:
    """What is declared comes from standard input, in a namespace for what names none."""
    assert kubectl.apply(HERE, "one")[2:] == (
        "apply", "--server-side", "--force-conflicts", "--field-manager=monoyard",
        "--namespace=one", "--filename=-",
    )  # fmt: skip
    assert "--namespace=" not in " ".join(kubectl.apply(HERE))
    assert kubectl.get(HERE, ("nodes", "pods"))[2:4] == ("get", "nodes,pods")


def item(kind: str, name: str, *conditions: tuple[str, str, str], **status: object) -> object:
    """Return one object as the API server prints it."""
    listed = [
        {"type": kind, "status": state, "reason": reason, "message": "why"}
        for kind, state, reason in conditions
    ]
    metadata = {"name": name} | ({"namespace": "dev"} if kind == "Pod" else {})
    return {"kind": kind, "metadata": metadata, "status": {"conditions": listed, **status}}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (item("Pod", "a", ("Ready", "True", ""), phase="Running"), None),
        (item("Pod", "a", ("Ready", "False", "PodCompleted"), phase="Succeeded"), None),
        (item("Node", "n", ("Ready", "False", "KubeletNotReady")), "KubeletNotReady: why"),
        (item("Node", "n", ("Ready", "Unknown", "NodeStatusUnknown")), "NodeStatusUnknown: why"),
        (item("APIService", "m", ("Available", "False", "NoEndpoints")), "NoEndpoints: why"),
        (
            item("Pod", "a", ("PodScheduled", "False", "Unschedulable"), phase="Pending"),
            "Unschedulable: why",
        ),
        (item("Pod", "a", phase="Pending"), "it is Pending"),
        (
            item(
                "Pod", "a", ("Ready", "False", "ContainersNotReady"), phase="Pending",
                containerStatuses=[
                    {"state": {"waiting": {"reason": "PodInitializing"}}},
                    {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no image"}}},
                ],
            ),
            "ImagePullBackOff: no image",
        ),
        (
            item(
                "Pod", "a", ("Ready", "False", "ContainersNotReady"), phase="Running",
                initContainerStatuses=[{"state": {"terminated": {"reason": "Completed"}}}],
                containerStatuses=[{"state": {"terminated": {"reason": "OOMKilled"}}}],
            ),
            "OOMKilled",
        ),
    ],
)  # fmt: skip
def test_troubles_have_their_reason(found: object, reason: str | None) -> None:
    """What is not ready is named with the most telling reason; what has ended well is none."""
    troubles = kubectl.parse_troubles(json.dumps({"items": [found]}))
    assert [trouble.reason for trouble in troubles] == ([] if reason is None else [reason])
    assert all(trouble.name in {"dev/a", "n", "m"} for trouble in troubles)


def test_kubeadm_works_in_phases() -> None:
    """Each call names the configuration; skipped phases are one word."""
    settings = Path("/s/kubeadm.yaml")
    assert kubeadm.phase(Path("kubeadm"), "certs", "all", configuration=settings) == (
        "kubeadm", "init", "phase", "certs", "all", "--config=/s/kubeadm.yaml",
    )  # fmt: skip
    assert kubeadm.init(Path("kubeadm"), settings, ("a", "b")) == (
        "kubeadm", "init", "--config=/s/kubeadm.yaml", "--skip-phases=a,b", "--skip-token-print",
    )  # fmt: skip
    assert kubeadm.user_kubeconfig(Path("kubeadm"), settings, "system:kube-proxy")[1:3] == (
        "kubeconfig", "user",
    )  # fmt: skip


def test_flags_of_the_kubelet_are_read() -> None:
    """Arguments come out of the quoted line that kubeadm wrote, also those with quotes inside."""
    text = "KUBELET_KUBEADM_ARGS=\"--node-ip=10.244.0.1 --node-labels='a=b c'\"\n"
    assert kubeadm.parse_kubelet_flags(text) == ("--node-ip=10.244.0.1", "--node-labels=a=b c")
    with pytest.raises(ValueError, match="no arguments"):
        kubeadm.parse_kubelet_flags("")


def deployment(generation: int, **status: int) -> str:
    """Return a list with one Deployment of two pods."""
    item = {
        "kind": "Deployment",
        "metadata": {"name": "traefik", "namespace": "platform", "generation": generation},
        "spec": {"replicas": 2},
        "status": status,
    }
    return json.dumps({"items": [item]})


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 1}, "it was changed just now"),
        ({"observedGeneration": 2}, "0 of 2 pods are ready, 0 are of before"),
        (
            {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2},
            "2 of 2 pods are ready, 1 are of before",
        ),
    ],
)
def test_a_deployment_is_ready_when_its_pods_are_the_new_ones(
    status: dict[str, int], reason: str
) -> None:
    """Neither pods that are not made yet nor pods of the version before pass for ready."""
    (trouble,) = kubectl.parse_troubles(deployment(2, **status))
    assert (trouble.namespace, trouble.reason) == ("platform", reason)
    full = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    assert kubectl.parse_troubles(deployment(2, observedGeneration=2, **full)) == ()
