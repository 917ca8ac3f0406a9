"""What `invoke doctor` finds, in an environment in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from monoyard.charts import Object, ServicePort
from monoyard.delivery import ABSENT, Kind, Lease
from monoyard.delivery.capabilities import Right
from monoyard.delivery.objects import CONFIG_MAP, JOB, NAMESPACE, SECRET, WEIGHTS, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.diagnosis import (
    NOT_YET,
    Check,
    Finding,
    Once,
    Seen,
    Subject,
    checks_of,
    demand_ready,
    examine,
)
from monoyard.errors import (
    ClusterError,
    ConfigurationError,
    DeliveryError,
    MachineError,
    MonoyardError,
    RegistryError,
)
from monoyard.testing import FakeCapabilities, FakeNamespace

from .yard import OLD, SERVICE, Yard

PROMETHEUS = ServicePort("monitoring", "prometheus", "9090")
ADDRESS = "http://prometheus.monitoring.svc:9090"
QUERY = (
    'sum(requests{revision="{{args.new}}",status=~"5.."}) / sum(requests{revision="{{args.new}}"})'
)
HASH = "abc123"


@dataclass
class Measured:
    """A Prometheus that knows some queries.

    Attributes:
        known: Query to its values; what is not there has no series.
        asked: What was asked, in order.
        refused: Queries that it does not understand.
    """

    known: dict[str, list[float]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def answer(self, path: str, query: Mapping[str, str]) -> bytes:
        """Answer a query as Prometheus does."""
        assert path == "api/v1/query"
        text = query["query"]
        self.asked.append(text)
        if text in self.refused:
            return json.dumps({"status": "error", "error": "parse error"}).encode()
        values = [1.0] if text == "vector(1)" else self.known.get(text, [])
        result = [{"metric": {}, "value": [0, str(value)]} for value in values]
        data = {"resultType": "vector", "result": result}
        return json.dumps({"status": "success", "data": data}).encode()


class Ward:
    """An environment that is well, and what examines it."""

    def __init__(self) -> None:
        self.yard = Yard()
        self.yard.cluster.create(NAMESPACE, new(NAMESPACE, "shop-dev"))
        self.capabilities = FakeCapabilities()
        self.capabilities.serve("v1", "services")
        self.capabilities.serve(ROLLOUT.api_version, ROLLOUT.plural, "analysistemplates")
        self.prometheus = Measured()
        self.capabilities.answer(PROMETHEUS, self.prometheus.answer)
        self.further: dict[str, list[Object]] = {}
        self.programs: dict[str, Callable[[], str]] = {"helm": lambda: "4.3.1"}
        self.enter: Callable[[], Seen] = lambda: Seen("here", self.yard.cluster, self.capabilities)
        self.charts: Callable[[], Mapping[str, tuple[Object, ...]]] = self.rendered

    def rendered(self) -> dict[str, tuple[Object, ...]]:
        """Return a Service for each service, and what was added."""
        return {
            name: (
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {}},
                *self.further.get(name, ()),
            )
            for name in self.yard.services
        }

    def roll_out(self, service: str, **canary: Any) -> None:
        """Have a service be a Rollout."""
        self.add(service, ROLLOUT, service, strategy={"canary": canary})

    def add(self, service: str, kind: Kind, name: str, **spec: Any) -> None:
        """Have a chart render something more."""
        thing = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name},
                 "spec": spec}  # fmt: skip
        self.further.setdefault(service, []).append(thing)

    def gate(self, service: str, query: str = QUERY, provider: str = "prometheus") -> None:
        """Have a service with one gate."""
        args = [{"name": "new", "valueFrom": {"podTemplateHashValue": "Latest"}}]
        analysis = {"templates": [{"templateName": "gates"}], "args": args}
        self.roll_out(service, steps=[{"setWeight": 5}, {"analysis": analysis}])
        metric = {"name": "errors", "provider": {provider: {"address": ADDRESS, "query": query}}}
        kind = Kind(ROLLOUT.group, ROLLOUT.version, "AnalysisTemplate", "analysistemplates")
        self.add(service, kind, "gates", metrics=[metric])

    def run(self, service: str) -> None:
        """Have a version of a service run, whose pods have the hash."""
        status = {"stableRS": HASH, "currentPodHash": HASH, "observedGeneration": "1"}
        labels = {"meta.helm.sh/release-name": service}
        thing = new(ROLLOUT, service, annotations=labels, status=status,
                    spec={"strategy": {}, "template": {}})  # fmt: skip
        self.yard.cluster.create(ROLLOUT, thing)

    def subject(self) -> Subject:
        """Return what is looked at."""
        yard = self.yard
        return Subject(
            environment=replace(yard.environment, max_pause=600.0),
            commit=OLD,
            clock=yard.clock,
            enter=Once(self.enter),
            rendered=Once(self.charts),
            kubernetes=lambda: "1.34.4",
            releases=lambda: yard.releases,
            images=lambda: yard.images,
            recipients=lambda: yard.data.recipients,
            programs=self.programs,
        )

    def findings(self) -> tuple[tuple[str, Finding], ...]:
        """Examine it."""
        return examine(checks_of(self.subject()))

    def told(self, check: str) -> list[tuple[str, str]]:
        """Return state and sentence of what a check found."""
        return [
            (item.state, f"{item.about}: {item.message}" if item.about else item.message)
            for _, item in self.findings()
            if item.check == check
        ]

    def states(self) -> dict[str, set[str]]:
        """Return the states of each check."""
        found: dict[str, set[str]] = {}
        for _, item in self.findings():
            found.setdefault(item.check, set()).add(item.state)
        return found


@pytest.fixture
def ward() -> Ward:
    """An environment of two services that nothing is wrong with."""
    return Ward()


def test_a_foreign_cluster_without_controllers_is_ready(ward: Ward) -> None:
    """Without Argo Rollouts, Traefik and Prometheus, which nothing names, what is lost is told."""
    ward.capabilities.served.pop(ROLLOUT.api_version)
    ward.yard.cluster.forget(ROLLOUT)
    assert ward.states() == {
        check: {"ok"}
        for check in (
            "programs", "charts", "cluster", "version", "namespace", "account", "rights", "kinds",
            "argo-rollouts", "traefik", "registry", "secrets", "backups", "prometheus",
            "releases", "ledger", "lock",
        )
    }  # fmt: skip
    assert "without weights and gates" in ward.told("argo-rollouts")[0][1]
    assert "is not measured" in ward.told("prometheus")[0][1]
    demand_ready("dev", ward.findings())


def test_nothing_is_changed_by_looking(ward: Ward) -> None:
    """No Lease, no record and no Job is made, and Helm is told nothing."""
    ward.findings()
    assert [ward.yard.cluster.list(kind, {}) for kind in (CONFIG_MAP, JOB)] == [[], []]
    assert Lease(ward.yard.cluster, "dev", "", ward.yard.clock).look() is None
    assert ward.yard.releases.calls == []


def test_another_cluster_is_a_problem_and_is_not_looked_at(ward: Ward) -> None:
    """What needs the cluster is unknown then; the rest is looked at anyway."""

    def refuse() -> Seen:
        raise ClusterError("leads to another cluster", code="other-cluster", hint="the pin")

    ward.enter = refuse
    states = ward.states()
    assert states["cluster"] == {"problem"}
    assert ward.told("ledger") == [("unknown", "not looked at, for want of the cluster")]
    ward.yard.releases.history = None  # type: ignore[assignment]
    assert ward.told("releases") == [("unknown", "not looked at, for want of the cluster")]
    assert {name for name, found in states.items() if found == {"ok"}} == {
        "programs", "charts", "registry", "backups", "argo-rollouts", "traefik", "prometheus",
    }  # fmt: skip
    assert {name for name, found in states.items() if found == {"unknown"}} >= {
        "namespace", "account", "rights", "secrets", "ledger", "lock", "releases",
    }  # fmt: skip


def test_rights_that_are_missing_are_named(ward: Ward) -> None:
    """Verb and kind of what we may not do, for what charts render as well."""
    ward.roll_out("api")
    ward.capabilities.deny(
        Right.of("create", JOB), Right.of("delete", JOB), Right.of("patch", ROLLOUT, "status"),
        Right.of("patch", SERVICE),
    )  # fmt: skip
    [(state, said)] = ward.told("rights")
    assert state == "problem"
    assert said == "we may not create/delete jobs, patch services, patch rollouts/status"


def test_kinds_that_are_missing_are_named(ward: Ward) -> None:
    """A kind that the cluster lacks, or has in another version alone, would not be taken."""
    monitor = Kind("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors")
    ward.add("api", monitor, "api")
    ward.roll_out("web")
    ward.capabilities.served[ROLLOUT.api_version].clear()
    ward.capabilities.serve("monitoring.coreos.com/v2", "servicemonitors")
    assert ward.told("kinds") == [
        ("problem", "the cluster does not know Rollout of argoproj.io/v1alpha1; it has v1alpha1 of "
         "that group"),
        ("problem", "the cluster does not know ServiceMonitor of monitoring.coreos.com/v1; it has "
         "v2 of that group"),
    ]  # fmt: skip
    assert ward.told("argo-rollouts") == [("problem", "it is not installed, and web want it")]


def test_controller_that_sleeps_is_told(ward: Ward) -> None:
    """A Rollout whose last change nobody saw would never move."""
    ward.roll_out("api")
    ward.run("api")
    assert ward.states()["argo-rollouts"] == {"ok"}
    ward.yard.cluster.merge(ROLLOUT, "api", {"spec": {"paused": True}}, status=False)
    [(state, said)] = ward.told("argo-rollouts")
    assert (state, said) == (
        "problem", "its controller has not looked at the last change of api",
    )  # fmt: skip


def test_weights_that_were_never_made_are_told(ward: Ward) -> None:
    """A canary without its TraefikService would be refused."""
    ward.roll_out("api", trafficRouting={"traefik": {"weightedTraefikServiceName": "api"}})
    assert ward.states()["traefik"] == {"problem"}  # no kind of it
    ward.capabilities.serve(WEIGHTS.api_version, WEIGHTS.plural)
    assert ward.told("traefik") == [
        ("problem", "api: there is no TraefikService `api`, whose weights its canary moves")
    ]
    ward.yard.cluster.create(WEIGHTS, new(WEIGHTS, "api"))
    assert ward.told("traefik") == [("ok", "the weights of api are there")]


def test_namespace_and_version_are_looked_at(ward: Ward) -> None:
    """A namespace that nobody made is a problem, another minor version a warning."""
    ward.yard.cluster.delete(NAMESPACE, "shop-dev")
    ward.capabilities.number = "v1.31.2+k3s1"
    assert ward.told("namespace") == [("problem", "there is no namespace `shop-dev`")]
    assert ward.told("version") == [
        ("warning", "Kubernetes 1.31.2+k3s1, and charts are checked for 1.34.4")
    ]


class Narrow(FakeNamespace):
    """A namespace of somebody who may look at nothing outside of it."""

    def get(self, kind: Kind, name: str) -> Object | None:
        """Return an object."""
        if kind == NAMESPACE:
            raise ClusterError("the cluster refuses to answer", code="refused")
        return super().get(kind, name)


def test_deployer_need_not_see_the_namespace_itself(ward: Ward) -> None:
    """What every namespace has says that it is there."""
    cluster = Narrow("shop-dev")
    ward.enter = lambda: Seen("here", cluster, ward.capabilities)
    assert ward.told("namespace") == [("problem", "there is no namespace `shop-dev`")]
    cluster.create(CONFIG_MAP, new(CONFIG_MAP, "kube-root-ca.crt"))
    assert ward.told("namespace") == [("ok", "`shop-dev` is there")]


def test_server_that_does_not_say_who_we_are_is_no_problem(ward: Ward) -> None:
    """Older ones cannot."""

    class Older(FakeCapabilities):
        def account(self) -> str:
            raise ClusterError("the cluster refuses to answer", code=ABSENT)

    ward.capabilities = Older()
    assert ward.told("account") == [("unknown", "the API server does not say who we are")]


def test_secrets_are_looked_at_by_name_and_key(ward: Ward) -> None:
    """What is missing is named with its service."""
    names = [{"name": "URL", "valueFrom": {"secretKeyRef": {"name": "api-database", "key": "no"}}}]
    pod = {"containers": [{"name": "main", "env": names}]}
    ward.roll_out("api")
    ward.add("api", Kind("", "v1", "Pod", "pods"), "api", **pod)
    ward.further["api"][-1] = {**ward.further["api"][-1], "spec": pod}
    assert ward.told("secrets") == [("problem", "api: the Secret `api-database` has no `no`")]
    ward.yard.cluster.delete(SECRET, "api-database")
    assert ward.told("secrets") == [("problem", "api: there is no Secret `api-database`")]


def test_backups_are_looked_at_as_far_as_can_be(ward: Ward) -> None:
    """Settings and Secrets are seen; the store itself only by what the ledger says of it."""
    ward.yard.back_up()
    assert ward.states()["backups"] == {"ok"}
    assert ward.states()["store"] == {"unknown"}
    ward.yard.cluster.delete(SECRET, "backup-identity")
    assert ward.told("backups") == [("problem", "there is no Secret `backup-identity`")]
    ward.yard.data = replace(ward.yard.data, store=None, recipients=("one",), image="")
    assert [state for state, _ in ward.told("backups")] == ["problem"] * 3


def test_a_backup_that_was_taken_speaks_for_the_store(ward: Ward) -> None:
    """The newest one is named."""
    ward.yard.back_up(backup="always")
    ward.yard.commits.migrations["api"] = {OLD: {"one"}}
    ward.yard.deploy()
    [(state, said)] = ward.told("store")
    assert state == "ok"
    assert said.startswith("it took a backup last: of api, by deployment 1 at ")


def test_registry_and_programs_are_looked_at(ward: Ward) -> None:
    """Images that nobody published are a warning, a registry that does not answer a problem."""

    def missing() -> str:
        raise MachineError("it is not on PATH", code="program-missing")

    def later() -> str:
        raise MachineError("it is not here yet", code=NOT_YET)

    ward.programs |= {"crane": missing, "cosign": later}
    assert ward.told("programs") == [
        ("ok", "helm: 4.3.1"), ("problem", "crane: it is not on PATH"),
        ("warning", "cosign: it is not here yet"),
    ]  # fmt: skip
    assert ward.told("registry") == [("ok", f"it has all 2 images of {OLD[:12]}")]
    del ward.yard.images.published["web", OLD]
    assert ward.states()["registry"] == {"warning"}

    def refuse(service: str, commit: str) -> str | None:
        raise RegistryError(f"{service}:{commit[:4]} cannot be looked up", context=("401",))

    ward.yard.images.digest = refuse  # type: ignore[method-assign]
    assert ward.told("registry") == [("problem", "api:1111 cannot be looked up: 401")]


def test_charts_that_cannot_be_rendered_are_one_problem(ward: Ward) -> None:
    """What goes by them is unknown, and the rest is looked at."""

    def refuse() -> Mapping[str, tuple[Object, ...]]:
        raise ConfigurationError("the chart cannot be rendered", context=("line 3",))

    ward.charts = refuse
    states = ward.states()
    assert ward.told("charts") == [("problem", "the chart cannot be rendered: line 3")]
    assert states["kinds"] == states["gates"] == {"unknown"}
    assert ward.told("secrets") == [("unknown", "not looked at: charts are not rendered")]
    assert states["ledger"] == states["registry"] == {"ok"}


def test_gate_on_a_metric_that_nobody_exports_is_told(ward: Ward) -> None:
    """Metric, gate and service are named, and what the rollout would come to."""
    ward.gate("api")
    ward.run("api")
    assert ward.told("gates") == [
        ("problem", "api: gates/errors: nobody exports requests: the rollout would pause there, "
         "and go back after 600 s (`max-pause`)")
    ]  # fmt: skip


def test_gate_on_other_labels_is_told(ward: Ward) -> None:
    """A metric that is there, but not for the pods that run, is as good as none."""
    ward.gate("api")
    ward.run("api")
    ward.prometheus.known["count(requests)"] = [3]
    [(state, said)] = ward.told("gates")
    assert state == "problem"
    assert said.startswith(
        f'api: gates/errors: there are no current series of requests{{revision="{HASH}"}}: '
    )


@pytest.mark.parametrize(
    ("values", "state", "said"),
    [
        ([0.25], "ok", "comes to 0.25 for the version that runs"),
        ([], "warning", "has too little to go by now"),
        ([float("nan")], "warning", "comes to no number now"),
    ],
)
def test_gate_is_asked_of_what_runs(ward: Ward, values: list[float], state: str, said: str) -> None:
    """Its whole query is asked for the version that runs: a number, none, or too little."""
    ward.gate("api")
    ward.run("api")
    ward.prometheus.known[f'count(requests{{revision="{HASH}"}})'] = [3]
    ward.prometheus.known[QUERY.replace("{{args.new}}", HASH)] = values
    [(found, words)] = ward.told("gates")
    assert found == state
    assert words.startswith(f"api: gates/errors: {said}")


def test_gate_that_prometheus_does_not_understand_is_told(ward: Ward) -> None:
    """A query that is refused has no answer either."""
    ward.gate("api", "sum(requests")
    ward.run("api")
    ward.prometheus.known["count(requests)"] = [3]
    ward.prometheus.refused.add("sum(requests")
    [(state, said)] = ward.told("gates")
    assert (state, said.partition(": the")[0]) == (
        "problem", "api: gates/errors: it is refused: parse error",
    )  # fmt: skip


def test_gates_of_what_does_not_run_yet_are_unknown(ward: Ward) -> None:
    """Nothing is measured before the first version, but a name that nobody exports is a warning."""
    ward.gate("api")
    ward.prometheus.known["count(requests)"] = [3]
    assert ward.told("gates") == [
        ("unknown", "api: its gates are looked at once a version of it runs (metrics: 1)")
    ]
    ward.prometheus.known.clear()
    assert [state for state, _ in ward.told("gates")] == ["warning", "unknown"]


def test_prometheus_that_does_not_answer_is_told_once(ward: Ward) -> None:
    """Its gates cannot be looked at then; without the right to ask it, that is no problem."""
    ward.gate("api")
    ward.gate("web")
    ward.run("api")
    ward.capabilities.answer(PROMETHEUS, None)
    assert [state for state, _ in ward.told("prometheus")] == ["problem"]
    [(state, said)] = ward.told("gates")
    assert (state, said.partition("):")[0]) == ("unknown", "they cannot be looked at (metrics: 2")
    ward.capabilities.refuse(PROMETHEUS)
    assert [state for state, _ in ward.told("prometheus")] == ["unknown"]


def test_gates_by_another_provider_are_unknown(ward: Ward) -> None:
    """What is measured elsewhere is said not to be looked at; a smoke test is no measurement."""
    ward.gate("api", provider="datadog")
    ward.further["api"][-1]["spec"]["metrics"][0]["provider"] = {"datadog": {}}
    assert ward.told("gates") == [
        ("unknown", "api: gates/errors is measured by datadog, which is not looked at")
    ]
    ward.further["api"][-1]["spec"]["metrics"][0]["provider"] = {"job": {}}
    assert ward.told("gates") == []


def held(ward: Ward) -> None:
    """Have somebody hold the environment."""
    Lease(ward.yard.cluster, "dev", "jane@desk", ward.yard.clock).acquire(0, print)


def test_deployment_under_way_is_no_problem(ward: Ward) -> None:
    """Whoever holds the environment ends what is open; without a holder `--resume` does."""
    lease = Lease(ward.yard.cluster, "dev", "jane@desk", ward.yard.clock)
    lease.acquire(0, print)
    ward.yard.ledger.begin(lease, {"commit": OLD, "services": {}})
    assert ward.told("lock") == [("warning", "jane@desk holds the environment")]
    assert ward.told("ledger") == [("warning", "deployment 1 is under way")]
    with lease.kept(lambda: None):
        pass  # and it is given up
    [finding] = [item for _, item in ward.findings() if item.check == "ledger"]
    assert (finding.state, finding.message) == ("problem", "deployment 1 was not ended")
    assert finding.hint == "`invoke deploy --env dev --resume` goes on with it"


def test_killed_call_of_helm_is_told(ward: Ward) -> None:
    """A release that is pending while nobody deploys was left by a kill."""
    ward.yard.releases.fail_next("api", "pending-upgrade")
    with pytest.raises(DeliveryError):
        ward.yard.send(ward.yard.plan())
    assert ward.told("releases") == [
        ("problem", "api: a call of Helm was killed: revision 1 is pending-upgrade")
    ]
    held(ward)
    assert ward.told("releases") == [
        ("warning", "api: a call of Helm is under way: pending-upgrade")
    ]


def test_checks_do_not_wait_for_each_other() -> None:
    """One that fails by itself and one that never ends are told, and hide nothing."""
    never = threading.Event()

    def wait() -> Iterator[Finding]:
        never.wait()
        yield Finding("slow", "ok", "it is done")

    def break_down() -> Iterator[Finding]:
        raise ValueError("a fault of ours")

    def refuse() -> Iterator[Finding]:
        raise MachineError("no disk", hint="buy one", context=("sda",))

    checks = [
        Check("slow", "machine", wait),
        Check("broken", "machine", break_down),
        Check("refused", "machine", refuse),
        Check("well", "machine", lambda: [Finding("well", "ok", "all is well")]),
    ]
    found = [(item.check, item.state, item.message) for _, item in examine(checks, 1)]
    never.set()
    assert found == [
        ("slow", "unknown", "it did not end within 1 s"),
        ("broken", "unknown", "the check failed by itself: ValueError: a fault of ours"),
        ("refused", "unknown", "no disk: sda"),
        ("well", "ok", "all is well"),
    ]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (("delivery",), DeliveryError),
        (("delivery", "registry"), RegistryError),
        (("registry", "cluster"), ClusterError),
        (("cluster", "configuration"), ConfigurationError),
        (("delivery", "machine"), MachineError),
    ],
)
def test_exit_code_is_that_of_the_first_field(
    fields: tuple[str, ...], kind: type[MonoyardError]
) -> None:
    """Whoever reads the exit code learns where to look first."""
    found = [(name, Finding(name, "problem", "it is bad")) for name in fields]
    with pytest.raises(kind) as error:
        demand_ready("dev", found)
    assert error.value.exit_code == kind.exit_code
    assert error.value.code == "not-ready"
    assert len(error.value.context) == len(fields)
