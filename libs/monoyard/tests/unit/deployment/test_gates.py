"""Which series the gates of a chart ask for."""

from __future__ import annotations

from typing import Any

import pytest

from monoyard.deployment.gates import read_gates
from monoyard.deployment.promql import UNKNOWN, selectors, widest


@pytest.mark.parametrize(
    ("query", "metrics"),
    [
        ("up", ["up"]),
        ("sum by (le) (rate(seconds_bucket[5m]))", ["seconds_bucket"]),
        ("sum(a) by (le, route) / on (pod) group_left (x) b", ["a", "b"]),
        ("histogram_quantile(0.95, a) and b >= 60 or c unless d", ["a", "b", "c", "d"]),
        ('a{x="b{c}",y!~"d.*"} offset 30s > bool 1e3', ["a"]),
        ("rate(a[5m] offset 1w) @ start()", ["a"]),
        ('{__name__="a",x="y"} # and b', ["a"]),
        ('{__name__=~"a.*"}', [""]),
        ('{"a.b", x="y"}', ["a.b"]),
        ("job:a:rate5m / Inf + NaN", ["job:a:rate5m"]),
        ("1 + vector(0)", []),
        ("a{x='1'} - (a{x='1'} offset 30s or a{x='1'} * 0)", ["a", "a", "a"]),
    ],
)
def test_metrics_of_a_query_are_found(query: str, metrics: list[str]) -> None:
    """Names of series are told from functions, keywords, labels, texts and durations."""
    assert [item.metric for item in selectors(query)] == metrics


def test_conditions_that_always_hold_are_kept() -> None:
    """Where one selector is narrower than another of the same metric, the wider one is asked."""
    query = 'a{n="1",s="500"} / a{n="1",r!~"x"} + b{n="1",s="500"} + c{n="' + UNKNOWN + '"}'
    wide = widest(selectors(query))
    everything = {name: item.loose(frozenset(item.matchers)) for name, item in wide.items()}
    assert everything == {"a": 'a{n="1"}', "b": 'b{n="1",s="500"}', "c": "c"}


def chart(steps: list[Any], templates: dict[str, list[Any]]) -> list[Any]:
    """Return a Rollout with steps, and analyses that it may name."""
    strategy = {"canary": {"steps": steps, "analysis": {"templates": [{"templateName": "watch"}]}}}
    rollout = {"kind": "Rollout", "metadata": {"name": "api"}, "spec": {"strategy": strategy}}
    return [
        rollout,
        *(
            {"kind": "AnalysisTemplate", "metadata": {"name": name},
             "spec": {"metrics": metrics, "args": [{"name": "least", "value": "60"}]}}
            for name, metrics in templates.items()
        ),
    ]  # fmt: skip


def measured(name: str, query: str) -> dict[str, Any]:
    """Return a metric of Prometheus."""
    return {"name": name, "provider": {"prometheus": {"address": "http://p.m.svc", "query": query}}}


def test_gates_are_those_that_a_rollout_names() -> None:
    """A template that nothing names is no gate; a job is one without a query; the watch is told."""
    args = [{"name": "new", "valueFrom": {"podTemplateHashValue": "Latest"}}]
    steps = [
        {"setWeight": 5},
        {"analysis": {"templates": [{"templateName": "smoke"}]}},
        {"analysis": {"templates": [{"templateName": "gates"}], "args": args}},
        {"analysis": {"templates": [{"templateName": "gates"}], "args": args}},
    ]
    query = 'sum(a{h="{{args.new}}"}) > {{ args.least }} + {{args.other}}'
    found = read_gates(
        "api",
        chart(steps, {
            "smoke": [{"name": "smoke", "provider": {"job": {}}}],
            "gates": [measured("errors", query)],
            "watch": [measured("errors", query)],
            "unused": [measured("errors", query)],
        }),
    )  # fmt: skip
    assert [(gate.label, gate.provider, gate.is_background) for gate in found] == [
        ("smoke/smoke", "job", False),
        ("gates/errors", "prometheus", False),
        ("watch/errors", "prometheus", True),
    ]
    gate = found[1]
    assert gate.asked_of("abc") == f'sum(a{{h="abc"}}) > 60 + {UNKNOWN}'
    assert gate.metrics("abc")["a"].matchers == (("h", "=", '"abc"'),)
    assert gate.metrics("")["a"].matchers == ()


def test_address_may_be_an_argument() -> None:
    """What the template says of it itself is put in."""
    given = measured("errors", "up")
    given["provider"]["prometheus"]["address"] = "http://p.m.svc:{{args.least}}"
    found = read_gates("api", chart([], {"watch": [given]}))
    assert found[0].address == "http://p.m.svc:60"


def test_blue_green_has_gates_as_well() -> None:
    """Analyses before and after the switch are gates."""
    spec = {"metrics": [measured("errors", "up")]}
    switch = {"postPromotionAnalysis": {"templates": [{"templateName": "alone"}]}}
    rollout = {"strategy": {"blueGreen": switch}}
    found = read_gates(
        "id",
        [
            {"kind": "Rollout", "metadata": {"name": "id"}, "spec": rollout},
            {"kind": "AnalysisTemplate", "metadata": {"name": "alone"}, "spec": spec},
        ],
    )
    assert [gate.label for gate in found] == ["alone/errors"]


def test_a_chart_without_rollouts_has_none() -> None:
    """A plain Deployment has nothing that measures it."""
    assert read_gates("api", [{"kind": "Deployment", "metadata": {"name": "api"}}]) == ()
