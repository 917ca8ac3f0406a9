"""The shared chart with other values than our own: what it renders, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from monoyard.charts import ChartCall, ChartError, Charts, Given, Object, label
from monoyard.config import DeliverySettings
from monoyard.config.environments import read_environments
from monoyard.install import is_ci

ROOT: Final = Path(__file__).parents[2]
GIVEN: Final = Given("registry.invalid/x", "sha256:" + "a" * 64, "b" * 40, "7", previous="")
ENVIRONMENT: Final = b'namespace = "shop"\ncluster = "local"\n[services.NAME]\n'

Render = Callable[..., dict[str, Object]]


@pytest.fixture(scope="module")
def charts() -> Charts:
    """Our charts, and the real Helm."""
    program = shutil.which("helm")
    if program is None and is_ci(os.environ):
        pytest.fail("helm is not on PATH")
    if program is None:
        pytest.skip("helm is not on PATH: `nox -s integration -- workspace` puts it there")
    return Charts(ROOT, DeliverySettings(), Path(program), "1.34.4")


@pytest.fixture
def render(charts: Charts) -> Render:
    """Render a service with further values; what stands there is merged with the service's own."""

    def run(service: str, given: Given = GIVEN, **further: Any) -> dict[str, Object]:
        text = ENVIRONMENT.replace(b"NAME", service.encode())
        environment = read_environments({"test": ("test", text)}).named("test")
        call = charts.of_service(environment, service, given)
        told = json.loads(json.dumps(call.given))
        for path, value in further.items():
            *parents, last = path.split("__")
            place = told
            for word in parents:
                place = place.setdefault(word, {})
            place[last] = value
        complete = ChartCall(call.name, call.chart, call.files, told, call.namespace)
        things = charts.render(complete, "test", service).objects
        return {label(thing): thing for thing in things}

    return run


ALONE: Final[dict[str, Any]] = {
    "rollouts": False,
    "ingress__kind": "ingress",
    "ingress__host": "shop.test",
    "ingress__tlsSecret": "tls",
    "network__enabled": False,
    "gates__enabled": True,
    "autoscaling__enabled": False,
}
OUTSIDE: Final[dict[str, Any]] = {
    "network__outside": {
        "database": {"cidr": "10.0.0.0/8"}, "traefik": {"namespace": "traefik"},
        "mail": {"namespace": "mail"}, "webhooks": {"cidr": "0.0.0.0/0"},
    },
    "ingress__host": "shop.test",
    "ingress__tlsSecret": "tls",
}  # fmt: skip


def template(things: dict[str, Object], service: str) -> Any:
    """Return the pods that a Rollout makes."""
    return things[f"Rollout/{service}"]["spec"]["template"]


@pytest.mark.parametrize("service", ["api", "identity", "notifications", "worker", "web"])
def test_without_any_controller_there_is_a_plain_deployment(render: Render, service: str) -> None:
    """No Argo Rollouts, Traefik or Prometheus: only kinds that every cluster has."""
    things = render(service, **ALONE)

    assert f"Deployment/{service}" in things
    groups = {str(thing["apiVersion"]).rpartition("/")[0] for thing in things.values()}
    assert groups <= {"", "apps", "networking.k8s.io"}
    spec = things[f"Deployment/{service}"]["spec"]
    assert spec["strategy"]["type"] == "RollingUpdate"
    assert spec["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


def test_a_plain_ingress_has_tls(render: Render) -> None:
    """The team's own ingress controller gets host, path, Service and certificate."""
    ingress = render("api", **ALONE)["Ingress/api"]["spec"]

    assert ingress["tls"] == [{"hosts": ["shop.test"], "secretName": "tls"}]
    (rule,) = ingress["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": "api", "port": {"name": "http"}}


@pytest.mark.parametrize(
    ("further", "said"),
    [
        ({"image__digest": "latest"}, "images are deployed by digest alone"),
        ({"image__digest": ""}, "images are deployed by digest alone"),
        ({"ingress__kind": "none"}, "a canary needs Traefik's weights"),
        ({"ingress__tlsSecret": ""}, "nothing is served without TLS"),
        ({"network__outside": {}}, "the environment does not say where"),
        ({"smoke__command": []}, "a smoke test needs a command"),
        (
            {
                "gates__enabled": True, "prometheus__address": "http://p",
                "gates__measurements": 3, "gates__successes": 3,
            },
            "one poor measurement pauses a rollout",
        ),
        ({"replicas": -1}, "/replicas"),
        ({"user": 0}, "/user"),
        ({"port": 80}, "/port"),
        ({"strategy__kind": "sometimes"}, "/strategy/kind"),
        ({"strategy__weights": [5, 101]}, "/strategy/weights"),
        ({"resources__limits": None}, "/resources"),
        ({"settings": {"lower": "x"}}, "/settings"),
        ({"secrets": {"TOKEN": "in clear"}}, "/secrets/TOKEN"),
        ({"autoscaling__cpu": 170}, "/autoscaling/cpu"),
        ({"replica": 2}, "replica"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(
    render: Render, further: dict[str, Any], said: str
) -> None:
    """What the chart cannot mean is refused before anything is sent, with the value's name."""
    with pytest.raises(ChartError) as caught:
        render("api", **{**OUTSIDE, **further})

    assert said in "\n".join(caught.value.context)


def test_a_secret_that_changed_starts_new_pods(render: Render) -> None:
    """The versions of secrets in use stand in the pods' template, and nothing of their content."""
    before = render("api", Given(**{**_given(), "versions": {"api-database": "1"}}), **OUTSIDE)
    again = render("api", Given(**{**_given(), "versions": {"api-database": "1"}}), **OUTSIDE)
    after = render("api", Given(**{**_given(), "versions": {"api-database": "2"}}), **OUTSIDE)

    assert template(before, "api") == template(again, "api")
    assert template(before, "api") != template(after, "api")


def test_a_setting_that_changed_starts_new_pods(render: Render) -> None:
    """Each version of a service keeps the settings it was started with: they stand in its pods."""
    before = render("api", **OUTSIDE, settings={"LOG_LEVEL": "INFO"})
    after = render("api", **OUTSIDE, settings={"LOG_LEVEL": "DEBUG"})

    assert template(before, "api") != template(after, "api")


def test_another_deployment_of_the_same_starts_none(render: Render) -> None:
    """The id of a deployment is on every object, and not in the pods' template."""
    before = render("api", **OUTSIDE)
    after = render("api", Given(**{**_given(), "deployment": "8"}), **OUTSIDE)

    assert template(before, "api") == template(after, "api")
    assert all(
        thing["metadata"]["labels"]["monoyard.dev/deployment"] == "8" for thing in after.values()
    )


def test_files_of_the_version_before_stay(render: Render) -> None:
    """Files are named by their content and kept: old pods that start again still find theirs."""
    things = render("api", **OUTSIDE, files={"flags.json": "{}"})
    other = render("api", **OUTSIDE, files={"flags.json": "[]"})
    (name,) = [name for name in things if name.startswith("ConfigMap/")]
    (other_name,) = [name for name in other if name.startswith("ConfigMap/")]

    assert name != other_name
    assert things[name]["immutable"] is True
    assert things[name]["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    volumes = template(things, "api")["spec"]["volumes"]
    assert {"name": "files", "configMap": {"name": name.partition("/")[2]}} in volumes


def test_memory_can_be_looked_at_as_well(render: Render) -> None:
    """An autoscaler that also goes by memory has both targets."""
    things = render("api", **OUTSIDE, autoscaling={"enabled": True, "memory": 80})
    metrics = things["HorizontalPodAutoscaler/api"]["spec"]["metrics"]

    assert [item["resource"]["name"] for item in metrics] == ["cpu", "memory"]
    assert metrics[1]["resource"]["target"]["averageUtilization"] == 80


def test_the_first_release_has_no_release_before(render: Render) -> None:
    """Without an image of the release before, the page has one version of its files."""
    things = render("web", **OUTSIDE)
    with_previous = render("web", Given(**{**_given(), "previous": GIVEN.digest}), **OUTSIDE)

    assert not [name for name in things if name.endswith("-previous")]
    assert "Deployment/web-previous" in with_previous
    assert "Service/web-previous" in with_previous
    errors = with_previous["Middleware/web-previous"]["spec"]["errors"]
    assert errors["service"] == {"name": "web-previous", "port": 80}


def test_without_prometheus_there_are_no_gates(render: Render) -> None:
    """Where nothing is measured, steps go on after their pauses and no analysis is named."""
    things = render("api", **OUTSIDE, gates={"enabled": True}, strategy={"pauseSeconds": 30})
    canary = things["Rollout/api"]["spec"]["strategy"]["canary"]

    assert "analysis" not in canary
    assert "AnalysisTemplate/api-gates" not in things
    assert [step["pause"] for step in canary["steps"] if "pause" in step] == [
        {"duration": "30s"}, {"duration": "30s"}, {},
    ]  # fmt: skip


def _given() -> dict[str, Any]:
    return {name: getattr(GIVEN, name) for name in GIVEN.__dataclass_fields__}
