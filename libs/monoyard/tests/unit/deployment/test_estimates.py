"""What a plan would take: by the traffic of now, by what was before, and no part of the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from monoyard.charts import ChartCall, Object, Rendered, ServicePort
from monoyard.delivery import Kind
from monoyard.delivery.objects import POD, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.deployment.estimates import Estimate, GateEstimate, TableSize, estimate
from monoyard.deployment.gates import read_stages
from monoyard.deployment.promql import floors, seconds_of
from monoyard.errors import DeliveryError
from monoyard.migrations import Effect
from monoyard.report.estimates import estimate_lines
from monoyard.testing import FakeCapabilities

from .yard import NEW, OLD, FakeCharts, Yard, digest

PROMETHEUS = ServicePort("monitoring", "prometheus", "9090")
ADDRESS = "http://prometheus.monitoring.svc:9090"
GROWN = 'sum(requests{{h="{}"}} - requests{{h="{}"}} offset 30s)'
NEW_GROWN = GROWN.format("{{args.new}}", "{{args.new}}")
OLD_GROWN = GROWN.format("{{args.stable}}", "{{args.stable}}")
ERRORS = f"(failed / {NEW_GROWN}) and {NEW_GROWN} >= 60"
LATENCY = f"slow and {NEW_GROWN} >= 60 and {OLD_GROWN} >= 1300"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("a / b", []),
        ("a > 5", [("a", 5, 0)]),
        ("(a and b > 1) and sum(c[5m]) >= 60", [("sum(c[5m])", 60, 300)]),
        ("a and b offset 1m30s > 10 and c >= 1e2", [("b offset 1m30s", 10, 90), ("c", 100, 0)]),
        ("a and on (x) b > bool 1", []),
        ("a > b", []),
        ('a{x="1 and 2"} >= 3', [('a{x="1 and 2"}', 3, 0)]),
        ("a >= 30s", []),
        ("max_over_time(a[1h:1m]) >= 1", [("max_over_time(a[1h:1m])", 1, 3600)]),
    ],
)
def test_floor_of_a_query_is_found(query: str, found: list[tuple[str, float, float]]) -> None:
    """What is counted, how many have to be, and in which time, as far as it stands at the end."""
    assert [(item.counted, item.least, item.window) for item in floors(query)] == found


@pytest.mark.parametrize(
    ("said", "seconds"), [("5s", 5), ("1h30m", 5400), ("500ms", 0.5), ("", 0), ("soon", 0)]
)
def test_durations_are_those_of_go(said: str, seconds: float) -> None:
    """Several units may stand in a row."""
    assert seconds_of(said) == seconds


def metric(name: str, query: str) -> dict[str, Any]:
    """Return a metric that passes by three good measurements, five seconds apart."""
    return {
        "name": name, "interval": "5s", "count": 12, "consecutiveSuccessLimit": 3,
        "provider": {"prometheus": {"address": ADDRESS, "query": query}},
    }  # fmt: skip


class GatedCharts(FakeCharts):
    """A chart whose api has gates at 5, 25 and 100 percent."""

    is_routed = True

    def render(self, call: ChartCall, environment: str, service: str) -> Rendered:
        """Render the chart."""
        rendered = super().render(call, environment, service)
        if service != "api":
            return rendered
        return replace(rendered, objects=tuple(self._gated(rendered.objects)))

    def _gated(self, objects: tuple[Object, ...]) -> list[Object]:
        args = [
            {"name": word, "valueFrom": {"podTemplateHashValue": hashed}}
            for word, hashed in (("new", "Latest"), ("stable", "Stable"))
        ]

        def analysis(name: str) -> dict[str, Any]:
            return {"analysis": {"templates": [{"templateName": name}], "args": args}}

        steps = [
            {"setWeight": 5}, analysis("gates"), {"pause": {"duration": "10s"}},
            {"setWeight": 25}, analysis("gates"), {"setWeight": 100}, analysis("alone"),
            {"pause": {}},
        ]  # fmt: skip
        kind = Kind(ROLLOUT.group, ROLLOUT.version, "AnalysisTemplate", "analysistemplates")
        templates = {"gates": [metric("errors", ERRORS), metric("latency", LATENCY)],
                     "alone": [metric("errors", ERRORS)]}  # fmt: skip
        found: list[Object] = []
        for thing in objects:
            if thing["kind"] != ROLLOUT.name:
                found.append(thing)
                continue
            routing: dict[str, Any] = {"trafficRouting": {"traefik": {}}} if self.is_routed else {}
            canary = {"steps": steps, **routing}
            found.append({**thing, "spec": {**thing["spec"], "strategy": {"canary": canary}}})
        found += [
            {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name},
             "spec": {"metrics": metrics}}
            for name, metrics in templates.items()
        ]  # fmt: skip
        return found


class Traffic:
    """A Prometheus that counts so many requests in a window, of whatever it is asked."""

    def __init__(self, count: float | None) -> None:
        self.count = count
        self.asked: list[str] = []

    def __call__(self, path: str, query: Mapping[str, str]) -> bytes:
        """Answer."""
        del path
        self.asked.append(query["query"])
        result = [] if self.count is None else [{"metric": {}, "value": [0, str(self.count)]}]
        data = {"resultType": "vector", "result": result}
        return json.dumps({"status": "success", "data": data}).encode()


class Desk:
    """Somebody who looks at a plan."""

    def __init__(self) -> None:
        self.yard = Yard()
        self.yard.deploy()
        self.yard.charts = GatedCharts()
        self.capabilities = FakeCapabilities()

    def traffic(self, count: float | None) -> Traffic:
        """Have so many requests come in a window."""
        found = Traffic(count)
        self.capabilities.answer(PROMETHEUS, found)
        return found

    def look(self, commit: str = NEW, **asked: Any) -> dict[str, Estimate]:
        """Return the estimates by service."""
        plan = self.yard.plan(commit, **asked)
        before = plan.hash
        found = {item.service: item for item in estimate(self.yard.world, plan, self.capabilities)}
        assert plan.hash == before
        return found


@pytest.fixture
def desk() -> Desk:
    """An environment in which a version runs, and the next one would have gates."""
    return Desk()


def test_gates_take_as_long_as_their_samples(desk: Desk) -> None:
    """At each weight: until the slower version has its samples, and then the measurements."""
    traffic = desk.traffic(2400)
    found = desk.look()["api"]
    assert [(item.weight, item.needed, item.expected, item.seconds) for item in found.gates] == [
        (5, 1300, 2280, 30 * 1300 / 2280 + 15),
        (25, 1300, 1800, 30 * 1300 / 1800 + 15),
        (100, 60, 2400, 30 * 60 / 2400 + 15),
    ]
    assert found.pauses == 10
    assert found.seconds == pytest.approx(10 + 32.105 + 36.667 + 15.75, abs=0.01)
    assert all("{{" not in query for query in traffic.asked)


def test_stable_version_needs_samples_as_well(desk: Desk) -> None:
    """What is compared with it counts with the share that is left to it."""
    desk.traffic(1400)
    found = desk.look()["api"].gates
    assert [(item.weight, item.needed, item.seconds is None) for item in found] == [
        (5, 1300, False), (25, 1300, True), (100, 60, False),
    ]  # fmt: skip
    assert found[1].expected == pytest.approx(1050)


@pytest.mark.parametrize("count", [None, 0.0, float("nan")])
def test_no_traffic_never_passes(desk: Desk, count: float | None) -> None:
    """No series, no requests and no number are the same: too little."""
    desk.traffic(count)
    found = desk.look()["api"]
    assert [item.seconds for item in found.gates] == [None] * 3
    assert found.seconds is None


def test_prometheus_that_does_not_answer_is_told(desk: Desk) -> None:
    """An estimate that cannot be made stops no plan."""
    desk.capabilities.answer(PROMETHEUS, None)
    found = desk.look()["api"]
    assert found.problem == "the Service prometheus:9090 does not answer"
    assert found.gates == ()


def test_first_version_has_nothing_to_measure_by() -> None:
    """Where nothing runs, that is said."""
    desk = Desk()
    desk.yard = Yard()
    desk.yard.charts = GatedCharts()
    desk.traffic(100)
    found = desk.look(OLD)
    assert found["api"].problem == "no version of it runs that could be measured"
    assert (found["web"].problem, found["web"].back) == ("", None)


def test_way_back_is_a_switch_or_a_start_of_pods(desk: Desk) -> None:
    """Weights take a second; without them the old pods are started, as long as those took."""
    desk.traffic(100)
    assert desk.look()["api"].back == 1.0
    desk.yard.charts.is_routed = False  # type: ignore[attr-defined]
    assert desk.look()["api"].back is None
    for number in range(5):
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-22T10:00:08Z"}
        labels = {"monoyard.dev/service": "api"}
        pod = new(POD, f"api-{number}", labels=labels, status={"conditions": [ready]})
        pod["metadata"]["creationTimestamp"] = "2026-11-22T10:00:00Z"
        desk.yard.cluster.create(POD, pod)
    found = desk.look()["api"]
    assert (found.back, found.because) == (24.0, "5 pods start again, each in 8 s")


def test_way_back_that_was_gone_is_remembered(desk: Desk) -> None:
    """What starts pods is estimated by the last time that it happened."""
    desk.traffic(100)
    desk.yard.charts.is_routed = False  # type: ignore[attr-defined]
    desk.yard.argo.bad.add(digest("api-2"))
    with pytest.raises(DeliveryError):
        desk.yard.deploy(NEW)
    found = desk.look(again=True)["api"]
    assert found.because == "it took that long in deployment 2"
    assert found.back is not None


def test_tables_that_a_migration_touches_have_a_size(desk: Desk) -> None:
    """By the newest backup that tells; what none tells is named."""
    yard = Yard()
    yard.back_up(backup="always")
    yard.commits.migrations["api"] = {OLD: {"one"}, NEW: {"one", "two"}}
    yard.jobs.largest = {"orders": {"rows": 1200, "bytes": 81920}}
    yard.deploy()
    desk.yard = yard
    yard.histories.effects["two"] = (Effect.LOSES,)
    found = desk.look(allow_downtime=True)["api"]
    assert found.tables == (TableSize("orders", 1200, 81920, "2026-11-22T10:11:12Z"),)
    yard.jobs.largest = {}
    assert found.unknown == ()


def test_size_that_no_backup_tells_is_unknown(desk: Desk) -> None:
    """Without a backup nobody says how large a table is."""
    desk.yard.charts = FakeCharts()
    desk.yard.commits.migrations["api"] = {NEW: {"two"}}
    desk.yard.histories.effects["two"] = (Effect.LOSES,)
    found = desk.look(allow_downtime=True)["api"]
    assert (found.tables, found.unknown) == ((), ("orders.total",))


def test_stages_are_read_of_either_strategy() -> None:
    """Pauses without an end are no time of their own; blue-green is measured with all traffic."""

    def rollout(**strategy: Any) -> dict[str, Any]:
        return {"kind": "Rollout", "metadata": {"name": "x"}, "spec": {"strategy": strategy}}

    steps = [{"pause": {}}, {"pause": {"duration": 20}}, {"pause": {"duration": "1m"}}]
    assert [item.pause for item in read_stages([rollout(canary={"steps": steps})])] == [20, 60]
    analysis = {"templates": [{"templateName": "alone"}]}
    [stage] = read_stages([rollout(blueGreen={"postPromotionAnalysis": analysis})])
    assert (stage.weight, stage.templates) == (100, ("alone",))


def test_estimates_are_told_in_lines() -> None:
    """Each with its unit, and what too little traffic would come to."""
    found = [
        Estimate(
            "api",
            (
                GateEstimate(5, None, 60, 30, 12, "api-gates/errors"),
                GateEstimate(25, 31, 60, 30, 120, "api-gates/errors"),
                GateEstimate(100, 15, gate="api-gates-alone/cpu"),
            ),
            back=1.0,
            because="it is the switch alone",
            tables=(TableSize("orders", 1200000, 3 << 20, "then"),
                    TableSize("blobs", None, 5 << 40, "then")),
            unknown=("new",),
        ),
        Estimate("web", problem="nobody answers"),
        Estimate("worker", (GateEstimate(100, 90, 1, 30, 2, "w"),), pauses=10),
    ]  # fmt: skip
    assert list(estimate_lines(found, 1800)) == [
        "estimates (at the traffic of now; no part of the plan):",
        "  api: its gates and pauses would not end by themselves",
        "      at 5 %: TOO LITTLE TRAFFIC: api-gates/errors needs 60 samples in 30 s, and about 12 "
        "come; it would pause, and go back after 30 min 00 s",
        "      at 25 %: about 31 s; api-gates/errors needs 60 samples in 30 s, and about 120 come",
        "      at 100 %: about 15 s",
        "  api: going back takes about 1.0 s: it is the switch alone",
        "  api: a migration touches orders: 1,200,000 rows, 3.0 MiB at then",
        "  api: a migration touches blobs: 5.0 TiB at then",
        "  api: no backup tells the size of new",
        "  web: its gates cannot be estimated: nobody answers",
        "  worker: gates and pauses take about 1 min 40 s",
        "      at 100 %: about 1 min 30 s; w needs 1 sample in 30 s, and about 2 come",
    ]
    assert list(estimate_lines([Estimate("web")], 1800)) == []
