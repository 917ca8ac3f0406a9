"""How services are rolled out, by what is rendered of them."""

from __future__ import annotations

from typing import Any

import pytest

from monoyard.deployment.strategy import read_strategy


def workload(kind: str, **strategy: Any) -> dict[str, Any]:
    """Return a workload with a strategy."""
    return {"kind": kind, "metadata": {"name": "api"}, "spec": {"strategy": strategy}}


ROUTED = {"steps": [{"setWeight": 5}, {"analysis": {}}, {"setWeight": 100}], "trafficRouting": {}}


@pytest.mark.parametrize(
    ("thing", "words", "back"),
    [
        (workload("Rollout", blueGreen={}), "blue-green: all traffic at once", "the selector"),
        (
            workload("Rollout", canary={**ROUTED, "trafficRouting": {"traefik": {}}}),
            "canary: 5 -> 100 % of requests, 1 analysis on the way",
            "a change of weights",
        ),
        (
            workload("Rollout", canary=ROUTED),
            "canary: 5 -> 100 % of pods, 1 analysis on the way",
            "the old pods",
        ),
        (workload("Rollout", canary={"steps": [{"pause": {}}]}), "rolling, pod by pod", "the old"),
        (workload("Deployment"), "rolling, pod by pod", "the old pods are started again"),
    ],
)
def test_strategies_are_told(thing: dict[str, Any], words: str, back: str) -> None:
    """Exact weights are told apart from shares of pods, and each has its way back."""
    found = read_strategy([thing])
    assert found.words == words
    assert found.way_back.startswith(back)
    assert found.workloads == (f"{thing['kind']}/api",)


def test_what_a_chart_cannot_do_is_told() -> None:
    """A Deployment has no gates; what is not watched is named; nothing at all counts as done."""
    assert "no gates" in read_strategy([workload("Deployment")]).notes[0]
    notes = read_strategy([workload("StatefulSet")]).notes
    assert notes[0] == "StatefulSet/api is sent and not watched"
    assert notes[1].startswith("it has nothing that is watched")
    assert read_strategy([workload("Rollout", blueGreen={})]).notes == ()
