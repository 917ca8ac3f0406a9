"""What the rendered workloads of a service say of how it is rolled out, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from monoyard.charts import Object
from monoyard.delivery.workloads import WATCHED

_WATCHED: Final = frozenset(kind.name for kind in WATCHED)
_NOT_WATCHED: Final = frozenset({"StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "CronJob", "Job"})


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a service is rolled out.

    Attributes:
        workloads: `Kind/name` of what is watched.
        words: How traffic moves to the new version.
        way_back: How it gets back.
        notes: What is lost with this chart.
    """

    workloads: tuple[str, ...]
    words: str
    way_back: str
    notes: tuple[str, ...]


def read_strategy(objects: Iterable[Object]) -> Strategy:
    """Return how the workloads of a service are rolled out."""
    found = list(objects)
    watched = [thing for thing in found if thing["kind"] in _WATCHED]
    notes = [
        f"{thing['kind']}/{thing['metadata']['name']} is sent and not watched"
        for thing in found
        if thing["kind"] in _NOT_WATCHED
    ]
    told = [_of(thing) for thing in watched]
    if any(thing["kind"] == "Deployment" for thing in watched):
        notes.append("a Deployment: no weights, no gates, and nothing waits for the other services")
    if not watched:
        notes.append("it has nothing that is watched: what is sent counts as rolled out")
    return Strategy(
        tuple(f"{thing['kind']}/{thing['metadata']['name']}" for thing in watched),
        "; ".join(dict.fromkeys(words for words, _ in told)),
        "; ".join(dict.fromkeys(back for _, back in told)),
        tuple(notes),
    )


def _of(thing: Object) -> tuple[str, str]:
    if thing["kind"] == "Deployment":
        return "rolling, pod by pod", "the old pods are started again"
    strategy = (thing.get("spec") or {}).get("strategy") or {}
    if "blueGreen" in strategy:
        return "blue-green: all traffic at once", "the selector of one Service"
    canary: Mapping[str, Any] = strategy.get("canary") or {}
    steps = canary.get("steps") or ()
    weights = [str(step["setWeight"]) for step in steps if "setWeight" in step]
    gates = sum("analysis" in step for step in steps)
    gated = f", {gates} {'analysis' if gates == 1 else 'analyses'} on the way" if gates else ""
    if canary.get("trafficRouting"):
        return f"canary: {' -> '.join(weights)} % of requests{gated}", "a change of weights"
    if not weights:
        return f"rolling, pod by pod{gated}", "the old pods are started again"
    return f"canary: {' -> '.join(weights)} % of pods{gated}", "the old pods are started again"
