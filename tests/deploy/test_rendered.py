"""What is deployed fits the services: read from the snapshots, which `lint` keeps true.

No tool is needed here, so these promises hold wherever tests run.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic_settings import BaseSettings

from eventflow_api.settings import ApiSettings
from eventflow_identity.settings import IdentitySettings
from eventflow_notifications.settings import NotificationsSettings
from eventflow_servicekit.metrics import ServiceMetrics
from eventflow_worker.event_queue import Backlog
from eventflow_worker.metrics import WorkerMetrics
from eventflow_worker.outcomes import Effects, Later
from eventflow_worker.settings import WorkerSettings
from monoyard.charts import Object, label, parse, pods
from monoyard.delivery.capabilities import Right
from monoyard.deployment.gates import read_gates
from monoyard.deployment.promql import floors
from monoyard.diagnosis import needed_rights

ROOT: Final = Path(__file__).parents[2]
SNAPSHOTS: Final = ROOT / "deploy" / "snapshots"
ENVIRONMENTS: Final = ("dev", "staging", "prod")
SETTINGS: Final[dict[str, type[BaseSettings]]] = {
    "api": ApiSettings,
    "identity": IdentitySettings,
    "notifications": NotificationsSettings,
    "worker": WorkerSettings,
}
SERVICES: Final = (*SETTINGS, "web")
EVERYWHERE: Final = [(env, service) for env in ENVIRONMENTS for service in SERVICES]
WORDS: Final = frozenset(
    {"and", "avg", "by", "clamp_min", "histogram_quantile", "le", "max", "offset", "or", "sum"}
)


def rendered(environment: str, service: str) -> dict[str, Object]:
    """Return the objects of a service, by kind and name."""
    text = (SNAPSHOTS / environment / f"{service}.yaml").read_text("utf-8")
    return {label(thing): thing for thing in parse(text)}


def queries(environment: str, service: str) -> Iterator[str]:
    """Yield every Prometheus query of a service."""
    for thing in rendered(environment, service).values():
        if thing["kind"] == "AnalysisTemplate":
            for metric in thing["spec"]["metrics"]:
                if "prometheus" in metric["provider"]:
                    yield metric["provider"]["prometheus"]["query"]


def exported() -> dict[str, set[str]]:
    """Return what services let be measured: name of a series to its labels."""
    metrics = ServiceMetrics(service="x", release="y")
    metrics.observe_request(method="GET", route="/", status=200, duration_seconds=0.1)
    worker = WorkerMetrics(metrics.registry)
    worker.show_backlog(Backlog(1, 2.0))
    worker.count(Later(UUID(int=1), Effects(), 1.0, "why"), is_ours=True)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def container(environment: str, service: str) -> dict[str, Any]:
    """Return the container that serves."""
    thing = rendered(environment, service)[f"Rollout/{service}"]
    (found,) = thing["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_every_query_asks_for_what_is_exported(environment: str, service: str) -> None:
    """A gate on a metric or a label that no service has would never pass, and never fail."""
    known = exported()
    asked = list(queries(environment, service))

    assert asked
    for query in asked:
        bare = re.sub(r'"(?:\\.|[^"\\])*"', '""', query)
        for name, selector in re.findall(r"([a-z_]+)\{([^}]*)\}", bare):
            assert name in known
            labels = set(re.findall(r"([a-z_]+)[=!]", selector))
            assert labels - {"namespace", "revision"} <= known[name]
        outside = re.sub(r"\{[^}]*\}", "", bare)
        names = set(re.findall(r"[a-z_]{2,}", outside))
        assert names <= WORDS | set(known)


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_what_a_gate_needs_can_be_read(environment: str, service: str) -> None:
    """`invoke deploy --plan` tells how many samples a gate of failures needs, and in which time."""
    gates = read_gates(service, rendered(environment, service).values())
    counted = [gate for gate in gates if gate.name in ("errors", "failures", "latency")]

    assert counted
    for gate in counted:
        found = floors(gate.query)
        assert all(floor.least >= 60 for floor in found)
        assert all(floor.window >= gate.interval > 0 for floor in found)
        assert {gate.is_of_new(floor.counted) for floor in found} >= {True}


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_too_little_is_neither_a_success_nor_a_failure(environment: str, service: str) -> None:
    """No series, or no number, meets no condition: the gate is inconclusive, and pauses."""
    for thing in rendered(environment, service).values():
        if thing["kind"] != "AnalysisTemplate" or thing["metadata"]["name"].endswith("-smoke"):
            continue
        for metric in thing["spec"]["metrics"]:
            for condition in (metric["successCondition"], metric["failureCondition"]):
                assert condition.startswith("len(result) > 0 && !isNaN(result[0]) && ")
            if "count" in metric:
                # More poor measurements than may be, before too few good ones could be enough.
                assert (
                    metric["count"] - metric["inconclusiveLimit"]
                    <= (metric["consecutiveSuccessLimit"])
                )


@pytest.mark.parametrize(("environment", "service"), [
    (env, service) for env, service in EVERYWHERE if service in SETTINGS
])  # fmt: skip
def test_every_variable_is_a_setting_and_every_setting_is_there(
    environment: str, service: str
) -> None:
    """A service finds what it cannot start without, and nothing is set that it does not read."""
    fields = SETTINGS[service].model_fields
    variables = {item["name"].lower() for item in container(environment, service)["env"]}
    required = {name for name, item in fields.items() if item.is_required()}

    assert variables <= set(fields)
    assert required <= variables


@pytest.mark.parametrize(("environment", "service"), EVERYWHERE)
def test_nothing_is_killed_at_work(environment: str, service: str) -> None:
    """The kubelet waits longer than the service needs to drain, to answer and to finish."""
    pod = rendered(environment, service)[f"Rollout/{service}"]["spec"]["template"]["spec"]
    said = {item["name"]: item.get("value") for item in container(environment, service)["env"]}
    needed = sum(
        float(said.get(name) or 0)
        for name in ("DRAIN_SECONDS", "SHUTDOWN_GRACE_SECONDS", "STOP_PATIENCE_SECONDS")
    )

    assert pod["terminationGracePeriodSeconds"] > needed


@pytest.mark.parametrize(("environment", "service"), EVERYWHERE)
def test_an_autoscaler_owns_the_replicas(environment: str, service: str) -> None:
    """From staging on there is an autoscaler and no number of replicas; before, the other way."""
    things = rendered(environment, service)
    spec = things[f"Rollout/{service}"]["spec"]
    scaler = things.get(f"HorizontalPodAutoscaler/{service}")

    if environment == "dev":
        assert (spec["replicas"], scaler) == (1, None)
        return
    assert scaler is not None
    assert "replicas" not in spec
    assert scaler["spec"]["minReplicas"] >= 2
    assert scaler["spec"]["maxReplicas"] == 10
    assert [item["resource"]["name"] for item in scaler["spec"]["metrics"]] == ["cpu"]
    assert scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("service", ["api", "notifications"])
def test_weights_are_made_apart_from_releases(environment: str, service: str) -> None:
    """Argo Rollouts is the only writer of weights: the service's chart has none of them."""
    own = rendered(environment, service)
    made = rendered(environment, "environment")[f"TraefikService/{service}"]
    canary = own[f"Rollout/{service}"]["spec"]["strategy"]["canary"]

    assert not [name for name in own if name.startswith("TraefikService/")]
    assert canary["trafficRouting"]["traefik"]["weightedTraefikServiceName"] == service
    assert made["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert [item["name"] for item in made["spec"]["weighted"]["services"]] == [
        canary["stableService"], canary["canaryService"],
    ]  # fmt: skip
    assert [step["setWeight"] for step in canary["steps"] if "setWeight" in step] == [5, 25, 100]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("service", ["api", "notifications"])
def test_callers_inside_go_through_traefik_too(environment: str, service: str) -> None:
    """Whoever calls a canary by its name in the cluster is shared out as everybody else is."""
    own = rendered(environment, service)
    host = f"{service}.eventflow-{environment}"

    assert own[f"Service/{service}"]["spec"]["type"] == "ExternalName"
    (route,) = own[f"IngressRoute/{service}-internal"]["spec"]["routes"]
    assert f"Host(`{host}`)" in route["match"]
    assert route["services"] == [{"kind": "TraefikService", "name": service}]


@pytest.mark.parametrize(("environment", "service"), EVERYWHERE)
def test_every_rollout_aborts_and_waits_by_itself(environment: str, service: str) -> None:
    """A version that gets nowhere is taken back by the cluster, and its pods stay for evidence."""
    spec = rendered(environment, service)[f"Rollout/{service}"]["spec"]
    strategy = spec["strategy"].get("canary") or spec["strategy"]["blueGreen"]

    assert spec["progressDeadlineAbort"] is True
    assert strategy["abortScaleDownDelaySeconds"] >= 600
    if "canary" in spec["strategy"]:
        assert strategy["steps"][-1] == {"pause": {}}
    else:
        assert strategy["autoPromotionEnabled"] is False
        assert strategy["scaleDownDelaySeconds"] >= 600


@pytest.mark.parametrize(("environment", "service"), EVERYWHERE)
def test_a_smoke_test_comes_before_any_weight(environment: str, service: str) -> None:
    """No request and no event reaches a version whose own smoke test has not passed."""
    strategy = rendered(environment, service)[f"Rollout/{service}"]["spec"]["strategy"]
    smoke = {"templates": [{"templateName": f"{service}-smoke"}]}

    if "blueGreen" in strategy:
        assert strategy["blueGreen"]["prePromotionAnalysis"] == smoke
        return
    steps = strategy["canary"]["steps"]
    first = next(number for number, step in enumerate(steps) if "setWeight" in step)
    assert {"analysis": smoke} in steps[:first]


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize("service", ["api", "notifications", "worker"])
def test_the_watch_begins_with_the_first_weight(environment: str, service: str) -> None:
    """What looks on in the background does not ask before there is anything to see."""
    canary = rendered(environment, service)[f"Rollout/{service}"]["spec"]["strategy"]["canary"]

    assert "setWeight" in canary["steps"][canary["analysis"]["startingStep"]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_analysis_that_is_named_is_there(environment: str) -> None:
    """A Rollout that names an AnalysisTemplate which does not exist is refused by Argo."""
    for service in SERVICES:
        things = rendered(environment, service)
        text = str(things[f"Rollout/{service}"])
        named = set(re.findall(r"'templateName': '([a-z-]+)'", text))
        assert named == {
            name.partition("/")[2] for name in things if name.startswith("AnalysisTemplate/")
        }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_smoke_test_is_never_sent_requests(environment: str) -> None:
    """Pods of tests carry labels of their own, so that no Service of the platform finds them."""
    for service in SERVICES:
        things = rendered(environment, service)
        selectors = [
            thing["spec"]["selector"]
            for thing in things.values()
            if thing["kind"] == "Service" and "selector" in thing["spec"]
        ]
        template = things[f"AnalysisTemplate/{service}-smoke"]
        (metric,) = template["spec"]["metrics"]
        labels = metric["provider"]["job"]["spec"]["template"]["metadata"]["labels"]
        assert selectors
        assert not [item for item in selectors if item.items() <= labels.items()]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_deployer_reads_weights_and_writes_none(environment: str) -> None:
    """The Role lets deployers change what charts render, and the weights not."""
    things = rendered(environment, "environment")
    rules = things["Role/deployer"]["rules"]

    def verbs(resource: str) -> set[str]:
        return {verb for rule in rules if resource in rule["resources"] for verb in rule["verbs"]}

    assert verbs("traefikservices") == {"get", "list", "watch"}
    assert {"create", "patch", "delete"} <= verbs("rollouts")
    assert "patch" in verbs("rollouts/status")
    assert not verbs("roles")
    assert not verbs("*")
    assert things["RoleBinding/deployer"]["subjects"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_deployer_may_do_what_a_deployment_does(environment: str) -> None:
    """What `invoke doctor` asks for is what the Role gives."""
    rules = rendered(environment, "environment")["Role/deployer"]["rules"]
    given = {
        Right(verb, group, resource)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    services = [thing for name in SERVICES for thing in rendered(environment, name).values()]

    assert set(needed_rights(services)) <= given


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_deployer_sees_which_cluster_it_is(environment: str) -> None:
    """Outside of the namespace deployers read kube-system, whose UID is the pin, and metrics."""
    things = rendered(environment, "environment")
    name = f"eventflow-{environment}-deployer"
    pin, *measured = things[f"ClusterRole/{name}"]["rules"]
    assert pin == {
        "apiGroups": [""],
        "resources": ["namespaces"],
        "resourceNames": ["kube-system"],
        "verbs": ["get"],
    }
    proxy = {"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get"]}
    has_gates = environment != "dev"
    assert measured == ([{**proxy, "resourceNames": ["prometheus:9090"]}] if has_gates else [])
    binding = things[f"ClusterRoleBinding/{name}"]
    assert binding["subjects"] == things["RoleBinding/deployer"]["subjects"]
    assert binding["roleRef"]["name"] == name


def test_every_image_of_a_service_has_a_values_file() -> None:
    """A service of this repository that is not deployed anywhere was forgotten."""
    services = {path.name for path in (ROOT / "services").iterdir() if path.is_dir()}

    assert services == {path.stem for path in (ROOT / "deploy" / "services").glob("*.yaml")}
    for environment in ENVIRONMENTS:
        path = ROOT / "deploy" / "environments" / environment / "environment.toml"
        assert set(tomllib.loads(path.read_text("utf-8"))["services"]) == services


def test_pods_are_found_in_every_snapshot() -> None:
    """The checks of pods are about something: each service has its own and that of its test."""
    for environment, service in EVERYWHERE:
        found = [pod for thing in rendered(environment, service).values() for pod in pods(thing)]
        assert len(found) >= 2
