"""What no object may do: each rule refuses its own bad pod, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from monoyard.charts import RULES, remarks

Change = Callable[[dict[str, Any]], object]

GOOD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api"},
    "spec": {
        "template": {
            "spec": {
                "securityContext": {
                    "runAsNonRoot": True, "runAsUser": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "api",
                        "image": "registry.invalid/api@sha256:" + "a" * 64,
                        "ports": [{"containerPort": 8000}],
                        "readinessProbe": {"httpGet": {"path": "/", "port": 8000}},
                        "resources": {
                            "requests": {"cpu": "1", "memory": "1Mi"},
                            "limits": {"cpu": "1", "memory": "1Mi"},
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
                "volumes": [{"name": "temporary", "emptyDir": {}}],
            }
        }
    },
}  # fmt: skip
POD = "spec.template.spec"
ONE = f"{POD}.containers[0]"


def pod(thing: dict[str, Any]) -> dict[str, Any]:
    """Return the pod of an object."""
    found: dict[str, Any] = thing["spec"]["template"]["spec"]
    return found


def first(thing: dict[str, Any]) -> dict[str, Any]:
    """Return the first container of an object."""
    found: dict[str, Any] = pod(thing)["containers"][0]
    return found


def security(thing: dict[str, Any]) -> dict[str, Any]:
    """Return the security context of the first container."""
    found: dict[str, Any] = first(thing)["securityContext"]
    return found


BAD: list[tuple[str, str, Change]] = [
    ("digest", f"{ONE}.image", lambda thing: first(thing).update(image="api")),
    ("digest", f"{ONE}.image", lambda thing: first(thing).update(image="api:latest")),
    ("digest", f"{ONE}.image", lambda thing: first(thing).update(image="api:v1.2@sha256:abc")),
    (
        "digest", f"{ONE}.image",
        lambda thing: first(thing).update(image="api:latest@sha256:" + "a" * 64),
    ),
    ("digest", f"{ONE}.image", lambda thing: first(thing).pop("image")),
    (
        "limits", f"{ONE}.resources.limits.memory",
        lambda thing: first(thing)["resources"]["limits"].pop("memory"),
    ),
    (
        "limits", f"{ONE}.resources.requests.cpu",
        lambda thing: first(thing)["resources"]["requests"].pop("cpu"),
    ),
    (
        "non-root", f"{ONE}.securityContext.runAsNonRoot",
        lambda thing: pod(thing)["securityContext"].pop("runAsNonRoot"),
    ),
    (
        "non-root", f"{ONE}.securityContext.runAsUser",
        lambda thing: pod(thing)["securityContext"].update(runAsUser=0),
    ),
    (
        "non-root", f"{ONE}.securityContext.runAsUser",
        lambda thing: security(thing).update(runAsUser=0),
    ),
    (
        "non-root", f"{ONE}.securityContext.runAsUser",
        lambda thing: pod(thing)["securityContext"].update(runAsUser="nobody"),
    ),
    (
        "read-only-root", f"{ONE}.securityContext.readOnlyRootFilesystem",
        lambda thing: security(thing).update(readOnlyRootFilesystem=False),
    ),
    (
        "no-privileges", f"{ONE}.securityContext.privileged",
        lambda thing: security(thing).update(privileged=True),
    ),
    (
        "no-privileges", f"{ONE}.securityContext.allowPrivilegeEscalation",
        lambda thing: security(thing).pop("allowPrivilegeEscalation"),
    ),
    (
        "no-privileges", f"{ONE}.securityContext.capabilities.drop",
        lambda thing: security(thing).pop("capabilities"),
    ),
    (
        "no-privileges", f"{ONE}.securityContext.capabilities.add",
        lambda thing: security(thing)["capabilities"].update(add=["NET_ADMIN"]),
    ),
    (
        "no-privileges", f"{ONE}.securityContext.seccompProfile",
        lambda thing: pod(thing)["securityContext"].update(seccompProfile={"type": "Unconfined"}),
    ),
    ("no-host", f"{POD}.hostNetwork", lambda thing: pod(thing).update(hostNetwork=True)),
    ("no-host", f"{POD}.hostPID", lambda thing: pod(thing).update(hostPID=True)),
    ("no-host", f"{POD}.hostIPC", lambda thing: pod(thing).update(hostIPC=True)),
    (
        "no-host", f"{POD}.volumes[1].hostPath",
        lambda thing: pod(thing)["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    ),
    (
        "no-host", f"{ONE}.ports[0].hostPort",
        lambda thing: first(thing)["ports"][0].update(hostPort=80),
    ),
    ("probes", f"{ONE}.readinessProbe", lambda thing: first(thing).pop("readinessProbe")),
]  # fmt: skip


def refused(thing: dict[str, Any]) -> list[tuple[str, str]]:
    """Return rule and field of everything that is refused."""
    return [(rule, field) for rule, field, _ in remarks(thing)]


def test_a_good_pod_is_not_remarked_on() -> None:
    """What keeps every rule has no finding."""
    assert refused(GOOD) == []


@pytest.mark.parametrize(("rule", "field", "change"), BAD)
def test_each_rule_refuses_its_own_bad_pod(rule: str, field: str, change: Change) -> None:
    """One thing done wrong is one finding, of that rule, with the field it is about."""
    thing = copy.deepcopy(GOOD)
    change(thing)

    assert refused(thing) == [(rule, field)]


def test_a_rendered_secret_is_refused() -> None:
    """Secrets are named; one in a manifest would stand in Helm's history as well."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {}}

    assert refused(secret) == [("no-secrets", "")]


@pytest.mark.parametrize("place", ["initContainers", "ephemeralContainers"])
def test_every_container_of_a_pod_is_looked_at(place: str) -> None:
    """What prepares a pod is held to the same rules as what serves."""
    thing = copy.deepcopy(GOOD)
    pod(thing)[place] = [{**first(thing), "image": "busybox:latest"}]

    assert refused(thing) == [("digest", f"{POD}.{place}[0].image")]


def test_pods_are_found_wherever_they_stand() -> None:
    """A job inside of an analysis makes pods as well."""
    bad = {**first(GOOD), "image": "curl:8"}
    job = {"template": {"spec": {**pod(GOOD), "containers": [bad]}}}
    analysis = {
        "kind": "AnalysisTemplate",
        "metadata": {"name": "smoke"},
        "spec": {"metrics": [{"name": "smoke", "provider": {"job": {"spec": job}}}]},
    }

    assert refused(analysis) == [
        ("digest", "spec.metrics[0].provider.job.spec.template.spec.containers[0].image")
    ]


def test_every_rule_has_a_bad_example() -> None:
    """A rule that can be taken back is one that is known to refuse something."""
    assert {rule for rule, _, _ in BAD} | {"no-secrets"} == set(RULES)
