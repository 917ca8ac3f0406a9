"""What is kept of pods that did not serve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monoyard.config.environment_values import ServiceSettings
from monoyard.delivery.objects import DEPLOYMENT, POD, SECRET, new
from monoyard.deployment.evidence import gather
from monoyard.errors import DeliveryError
from monoyard.testing import FakeNamespace

from .yard import NEW, OLD, Yard, digest


def pod(name: str, *, at: str = "", ready: bool = False, **state: Any) -> dict[str, Any]:
    """Return a pod of the api with one container."""
    container = {"name": "main", "state": state, "restartCount": 1}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"phase": "Pending", "containerStatuses": [container], "conditions": conditions}
    thing = new(POD, name, labels={"monoyard.dev/service": "api", "app": "api"}, status=status)
    thing["metadata"]["creationTimestamp"] = at
    return thing


def test_only_what_failed_says_something() -> None:
    """Pods that are ready or ended well are left out; of the others the newest three are asked."""
    cluster = FakeNamespace()
    cluster.create(POD, pod("fine", ready=True))
    done = pod("done")
    done["status"]["phase"] = "Succeeded"
    cluster.create(POD, done)
    for number in range(4):
        at = f"2026-01-0{number + 1}"
        cluster.create(POD, pod(f"bad-{number}", at=at, waiting={"reason": "ImagePullBackOff"}))
    found = gather(cluster, ["api"], "")
    assert [line for line in found if line.startswith("pod")] == [
        "pod bad-3: Pending", "pod bad-2: Pending", "pod bad-1: Pending",
    ]  # fmt: skip
    assert found[1] == "  main: ImagePullBackOff, 1 restarts"
    assert gather(cluster, ["web"], "") == ()


def test_tests_that_failed_before_are_evidence_of_another_deployment() -> None:
    """A pod that ended before this one began is left out; one that still does not serve is not."""
    cluster = FakeNamespace()
    for name, phase in (("smoke-before", "Failed"), ("waits", "Pending"), ("smoke", "Failed")):
        thing = pod(name, at="2026-01-02T10:00:00Z" if name == "smoke" else "2026-01-01T10:00:00Z")
        thing["status"]["phase"] = phase
        cluster.create(POD, thing)
    found = gather(cluster, ["api"], "2026-01-02T10:00:00Z")
    assert found == ("pod smoke: Failed", "pod waits: Pending")


def test_pod_that_no_node_takes_says_why() -> None:
    """What the scheduler says stands in the evidence: the pod itself never printed anything."""
    cluster = FakeNamespace()
    thing = pod("waits")
    said = {"type": "PodScheduled", "status": "False", "message": "Insufficient cpu."}
    thing["status"] = {"phase": "Pending", "conditions": [said]}
    cluster.create(POD, thing)
    assert gather(cluster, ["api"], "") == (
        "pod waits: Pending", "  no node takes it: Insufficient cpu.",
    )  # fmt: skip


def test_pods_of_any_chart_are_found_by_their_workload() -> None:
    """Without the shared chart's labels, the selector of a Deployment leads to them."""
    cluster = FakeNamespace()
    thing = pod("foreign", terminated={"reason": "Error", "exitCode": 3})
    thing["metadata"]["labels"] = {"app": "theirs"}
    cluster.create(POD, thing)
    cluster.print_log("foreign", "main", "so it ends\n")
    owner = {"meta.helm.sh/release-name": "theirs"}
    spec = {"selector": {"matchLabels": {"app": "theirs"}}}
    cluster.create(DEPLOYMENT, new(DEPLOYMENT, "theirs", annotations=owner, spec=spec))
    assert gather(cluster, ["theirs"], "") == (
        "pod foreign: Pending",
        "  main: Error with status 3, 1 restarts",
        "  main | so it ends",
    )


def chatty(cluster: FakeNamespace, service: str, letter: str) -> None:
    """Have three pods of a service that are not ready and print long lines, in two containers."""
    for number in range(3):
        name = f"{service}-bad-{number}"
        thing = pod(name, waiting={"reason": "CrashLoopBackOff"})
        thing["metadata"]["labels"] = {"monoyard.dev/service": service}
        first = thing["status"]["containerStatuses"][0]
        thing["status"]["containerStatuses"] = [first, {**first, "name": "side"}]
        cluster.create(POD, thing)
        for container in ("main", "side"):
            cluster.print_log(name, container, f"{letter * 5000}\n" * 20)


def test_much_evidence_keeps_nobody_from_going_back(yard: Yard) -> None:
    """Long lines of many containers are cut to what a record holds, and that is told."""
    yard.services["ops"] = ServiceSettings()
    yard.cluster.create(SECRET, new(SECRET, "ops-database", data={"url": "c2VjcmV0"}))
    yard.images.publish(OLD, ops="web-1")
    yard.deploy()
    yard.images.publish(NEW, api="api-2", web="web-2", ops="web-3")
    for service in ("api", "web", "ops"):
        chatty(yard.cluster, service, "x")
    yard.argo.bad.add(digest("web-2"))
    with pytest.raises(DeliveryError, match="went back"):
        yard.deploy(NEW)
    record = yard.ledger.read(2)
    assert record.outcome == "went-back"
    entry = record.done("evidence")
    assert entry is not None
    lines = entry.facts["lines"]
    assert sum(line.startswith("pod") for line in lines) >= 3
    assert sum("cut" in line for line in lines) == 3


@pytest.mark.parametrize("letter", ["x", "\U0001f480", '"'])
def test_evidence_is_bounded(letter: str) -> None:
    """Whatever pods print and however it is written down, each service has its share of 64 KiB."""
    cluster = FakeNamespace()
    chatty(cluster, "api", letter)
    chatty(cluster, "web", letter)
    found = gather(cluster, ["api", "web", "silent"], "")
    assert 65_536 * 0.9 <= len(json.dumps(found)) <= 65_536
    assert {line[4:7] for line in found if line.startswith("pod")} == {"api", "web"}
    assert max(map(len, found)) < 600


def test_silent_cluster_stops_nothing() -> None:
    """Evidence that cannot be had is told to be so, and going back goes on."""
    cluster = FakeNamespace()
    cluster.stop_answering()
    assert gather(cluster, ["api"], "") == ("nothing more is known: the cluster does not answer",)
