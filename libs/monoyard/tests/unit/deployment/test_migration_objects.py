"""What a migration needs in the cluster, from what the chart of its service renders."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from monoyard.deployment.job_pods import JobObjects, Pattern
from monoyard.deployment.jobs import LIST, RECOVER, VERIFY, Role, Wanted
from monoyard.deployment.migration_objects import Revisions, migration_objects
from monoyard.errors import DeliveryError
from monoyard.migrations import SCRIPTS

IMAGE = "registry.example/api@sha256:11"
WANTED = Wanted("dev", "api", 7, IMAGE, 90.5)
LABELS = {
    "app.kubernetes.io/managed-by": "monoyard", "monoyard.dev/environment": "dev",
    "monoyard.dev/deployment": "7", "monoyard.dev/service": "api", "monoyard.dev/role": "migrate",
}  # fmt: skip
OWN = {name: value for name, value in LABELS.items() if name.startswith("monoyard.dev/")}


def _thing(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "annotations": {"helm.sh/x": "1", "cloud/role": "reader"}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}


def _rendered() -> list[dict[str, Any]]:
    """Return what the chart of a foreign team may come to."""
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
            {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "api", "key": "level"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "api"}}, {"configMapRef": {"name": "elsewhere"}}],
        "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {"runAsUser": 10, "capabilities": {"add": ["NET_ADMIN"]}},
        "livenessProbe": {"httpGet": {"port": 80}},
        "ports": [{"containerPort": 80}],
        "volumeMounts": [
            {"name": "files", "mountPath": "/etc/api"}, {"name": "data", "mountPath": "/data"},
        ],
    }  # fmt: skip
    pod = {
        "serviceAccountName": "api",
        "securityContext": {"runAsNonRoot": True},
        "nodeSelector": {"disk": "fast"},
        "terminationGracePeriodSeconds": 300,
        "containers": [{"name": "proxy", "image": "proxy@sha256:22"}, container],
        "volumes": [
            {"name": "files", "configMap": {"name": "api"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        ],
    }
    template = {"metadata": {"labels": {"app": "api"}}, "spec": pod}
    selector = {"matchLabels": {"app": "api"}}
    egress = [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
    return [
        _thing("ConfigMap", "api", data={"level": "info"}),
        _thing("ServiceAccount", "api", secrets=[{"name": "token"}]),
        _thing("Service", "api", spec={"selector": {"app": "api"}}),
        _thing("Service", "outside", spec={"externalName": "x"}),
        _thing("NetworkPolicy", "api", spec={
            "podSelector": selector, "policyTypes": ["Ingress", "Egress"], "ingress": [{}],
            "egress": egress}),
        _thing("NetworkPolicy", "in", spec={"podSelector": selector, "ingress": [{}]}),
        _thing("NetworkPolicy", "web", spec={
            "podSelector": {"matchLabels": {"app": "web"}}, "egress": egress}),
        _thing("NetworkPolicy", "odd", spec={
            "podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
            "egress": egress}),
        _thing("Job", "hook", spec={"template": {"spec": {"containers": [{"image": IMAGE}]}}}),
        _thing("Deployment", "api", spec={"selector": selector, "template": template}),
    ]  # fmt: skip


def _made(**changes: Any) -> JobObjects:
    rendered = _rendered()
    before = copy.deepcopy(rendered)
    made = migration_objects(
        WANTED, Revisions(), rendered, changes.pop("has_account", lambda _: False)
    )
    assert rendered == before
    return made


def _pod(made: JobObjects) -> dict[str, Any]:
    pod: dict[str, Any] = made.job["spec"]["template"]["spec"]
    return pod


def test_job_is_one_try_in_the_new_image() -> None:
    """Named and labelled by deployment and service, tried once, bounded in time, by digest."""
    job = _made().job
    assert job["metadata"] == {"name": "migrate-7-api", "labels": LABELS}
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] == 90
    assert job["spec"]["template"]["metadata"]["labels"] == OWN
    (container,) = _pod(_made())["containers"]
    assert container["image"] == IMAGE
    assert container["command"] == [
        "python3", "-B", "/opt/monoyard/monoyard_database", "migrate", "--deployment", "7",
        "--directory", ".", "--deadline", "81",
    ]  # fmt: skip
    assert _pod(_made())["restartPolicy"] == "Never"


def test_pod_is_as_its_service_runs_it() -> None:
    """Settings, secrets, limits and place are the service's; probes, ports and claims are not."""
    pod = _pod(_made())
    (container,) = pod["containers"]
    assert container["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "db", "key": "url"}
    assert container["resources"] == {"limits": {"memory": "1Gi"}}
    assert pod["nodeSelector"] == {"disk": "fast"}
    assert not container.keys() & {"livenessProbe", "ports"}
    assert "terminationGracePeriodSeconds" not in pod
    assert [item["name"] for item in pod["volumes"]] == [
        "files", "monoyard-temporary", "monoyard-database",
    ]  # fmt: skip
    assert [item["mountPath"] for item in container["volumeMounts"]] == [
        "/etc/api", "/tmp", "/opt/monoyard/monoyard_database",  # noqa: S108 - in a pod
    ]  # fmt: skip


def test_pod_is_held_down() -> None:
    """Whatever the service is allowed, a migration has no capability and writes to no root."""
    pod = _pod(_made())
    assert pod["securityContext"] == {"runAsNonRoot": True}
    assert pod["containers"][0]["securityContext"] == {
        "runAsUser": 10, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip


def test_program_goes_with_it() -> None:
    """The Job has the whole program beside it, and the service's own /tmp where it has one."""
    (kind, scripts), *_ = _made().ahead
    assert (kind.name, scripts["metadata"]["name"]) == ("ConfigMap", "migrate-7-api")
    assert set(scripts["data"]) == {path.name for path in SCRIPTS.glob("*.py")}
    assert {"__main__.py", "migrate.py"} <= scripts["data"].keys()
    assert sum(map(len, scripts["data"].values())) < 1_000_000
    rendered = _rendered()
    mounts = rendered[-1]["spec"]["template"]["spec"]["containers"][1]["volumeMounts"]
    mounts[0]["mountPath"] = "/tmp"  # noqa: S108 - in a pod
    volumes = _pod(migration_objects(WANTED, Revisions(), rendered, bool))["volumes"]
    assert [item["name"] for item in volumes] == ["files", "monoyard-database"]


def test_what_the_chart_renders_goes_ahead_as_copies() -> None:
    """Settings, account and ways out of the new version are there before Helm makes them."""
    made = _made()
    copies = {(kind.name, thing["metadata"]["name"]): thing for kind, thing in made.ahead[1:]}
    assert list(copies) == [
        ("ConfigMap", "migrate-7-api-0"), ("ServiceAccount", "migrate-7-api-1"),
        ("NetworkPolicy", "migrate-7-api-2"),
    ]  # fmt: skip
    (container,) = _pod(made)["containers"]
    assert container["envFrom"] == [
        {"configMapRef": {"name": "migrate-7-api-0"}}, {"configMapRef": {"name": "elsewhere"}},
    ]  # fmt: skip
    assert container["env"][1]["valueFrom"]["configMapKeyRef"]["name"] == "migrate-7-api-0"
    assert _pod(made)["volumes"][0] == {"name": "files", "configMap": {"name": "migrate-7-api-0"}}
    assert copies["ConfigMap", "migrate-7-api-0"]["data"] == {"level": "info"}
    account = copies["ServiceAccount", "migrate-7-api-1"]
    assert _pod(made)["serviceAccountName"] == "migrate-7-api-1"
    assert account["metadata"]["annotations"] == {"cloud/role": "reader"}
    assert "secrets" not in account
    assert copies["NetworkPolicy", "migrate-7-api-2"]["spec"] == {
        "podSelector": {"matchLabels": OWN}, "policyTypes": ["Egress"],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    }  # fmt: skip
    assert all(thing["metadata"]["labels"] == LABELS for thing in copies.values())


def test_account_that_is_there_is_used() -> None:
    """Whoever gives access to a database may go by the account's name."""
    made = _made(has_account=lambda name: name == "api")
    assert _pod(made)["serviceAccountName"] == "api"
    assert [kind.name for kind, _ in made.ahead] == ["ConfigMap", "ConfigMap", "NetworkPolicy"]
    rendered = [thing for thing in _rendered() if thing["kind"] != "ServiceAccount"]
    others = migration_objects(WANTED, Revisions(), rendered, lambda _: False)
    assert _pod(others)["serviceAccountName"] == "api"


def test_pod_that_a_service_would_select_is_refused() -> None:
    """Nobody is ever sent to a pod that migrates, and no workload counts it."""
    rendered = _rendered()
    rendered[2]["spec"]["selector"] = {"monoyard.dev/service": "api"}
    with pytest.raises(DeliveryError, match="Service/api would take the pod") as error:
        migration_objects(WANTED, Revisions(), rendered, bool)
    assert error.value.code == "no-migration-pod"
    rendered = _rendered()
    rendered[-1]["spec"]["selector"] = {"matchLabels": {"monoyard.dev/service": "api"}}
    with pytest.raises(DeliveryError, match="Deployment/api would take the pod"):
        migration_objects(WANTED, Revisions(), rendered, bool)


def test_chart_without_the_image_is_refused() -> None:
    """Without a pod of the new image nobody can say how to run it."""
    with pytest.raises(DeliveryError, match="renders no pod with") as error:
        migration_objects(WANTED, Revisions(), _rendered()[:-1], bool)
    assert error.value.hint is not None
    assert "--migrated" in error.value.hint


@pytest.mark.parametrize("role", [LIST, VERIFY, RECOVER])
def test_hint_is_one_that_the_task_has(role: Role) -> None:
    """Whoever asks between deployments is told of nothing that only a deployment can be told."""
    with pytest.raises(DeliveryError, match="renders no pod with") as error:
        Pattern(Wanted("dev", "api", 0, IMAGE, 9, role, "ab12"), _rendered()[:-1])
    assert error.value.hint is not None
    assert "--migrated" not in error.value.hint


def test_long_names_stay_apart() -> None:
    """A name that Kubernetes would refuse is cut, and stays unlike that of another service."""
    names = {Wanted("dev", f"{'s' * 60}{end}", 7, IMAGE, 9).name for end in "ab"}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)
