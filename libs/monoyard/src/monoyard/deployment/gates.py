"""The gates that a chart renders: what each measures, of which Prometheus, and when it stops.

Read from the `AnalysisTemplate`s themselves, so that charts of any make are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from monoyard.charts import Object
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.deployment.promql import UNKNOWN, Selector, selectors, widest

TEMPLATE: Final = "AnalysisTemplate"
_ARGUMENT: Final = re.compile(r"\{\{\s*args\.([\w.-]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Gate:
    """One metric of an analysis.

    Attributes:
        service: The service that it is of.
        template: Name of the `AnalysisTemplate`.
        name: Of the metric in it.
        address: Of the Prometheus, as pods reach it; empty for another provider.
        provider: What measures.
        query: In PromQL, with what is put in by a rollout as `{{args.NAME}}`.
        is_background: It looks on beside the steps and only ever ends a rollout.
        hashes: Arguments that are a hash of pods, with whether it is that of the new version.
        values: Arguments that are known beforehand.
    """

    service: str
    template: str
    name: str
    address: str
    provider: str
    query: str
    is_background: bool
    hashes: Mapping[str, bool]
    values: Mapping[str, str]

    @property
    def label(self) -> str:
        """What a person calls it, such as `api-gates/errors`."""
        return f"{self.template}/{self.name}"

    def asked_of(self, revision: str) -> str:
        """Return the query as it would be if both versions were the one of a hash.

        Args:
            revision: Hash of the pods of a version; empty where nobody knows one.
        """

        def put(found: re.Match[str]) -> str:
            name = found[1]
            if name in self.hashes:
                return revision or UNKNOWN
            return self.values.get(name, UNKNOWN)

        return _ARGUMENT.sub(put, self.query)

    def metrics(self, revision: str) -> Mapping[str, Selector]:
        """Return the metrics that it names, each with the conditions that always hold for it."""
        return widest(selectors(self.asked_of(revision)))


def read_gates(service: str, objects: Iterable[Object]) -> tuple[Gate, ...]:
    """Return the gates of a service: all metrics of the analyses that its rollouts name.

    Args:
        service: Its name.
        objects: What its chart comes to.
    """
    things = list(objects)
    templates = {
        thing["metadata"]["name"]: thing["spec"] for thing in things if thing["kind"] == TEMPLATE
    }
    found: dict[tuple[str, str], Gate] = {}
    for use in _uses(things):
        for named in use.analysis.get("templates") or ():
            spec = templates.get(named.get("templateName"), {})
            for metric in spec.get("metrics") or ():
                gate = _gate(service, named["templateName"], spec, metric, use)
                found.setdefault((gate.template, gate.name), gate)
    return tuple(found.values())


def has_gates(objects: Iterable[Object]) -> bool:
    """Say whether anything that is rendered asks a Prometheus."""
    return any(gate.address for gate in read_gates("", objects))


@dataclass(frozen=True, slots=True)
class _Use:
    analysis: Mapping[str, Any]
    is_background: bool


def _uses(things: Iterable[Object]) -> Iterator[_Use]:
    """Yield where rollouts name analyses."""
    for thing in things:
        if thing["kind"] != ROLLOUT.name:
            continue
        strategy = (thing.get("spec") or {}).get("strategy") or {}
        canary, switch = strategy.get("canary") or {}, strategy.get("blueGreen") or {}
        for step in canary.get("steps") or ():
            if step.get("analysis"):
                yield _Use(step["analysis"], is_background=False)
        for name in ("prePromotionAnalysis", "postPromotionAnalysis"):
            if switch.get(name):
                yield _Use(switch[name], is_background=False)
        if canary.get("analysis"):
            yield _Use(canary["analysis"], is_background=True)


def _gate(
    service: str, template: str, spec: Mapping[str, Any], metric: Mapping[str, Any], use: _Use
) -> Gate:
    provider: Mapping[str, Any] = metric.get("provider") or {}
    prometheus: Mapping[str, Any] = provider.get("prometheus") or {}
    given = [*(spec.get("args") or ()), *(use.analysis.get("args") or ())]
    hashes, values = {}, {}
    for item in given:
        hashed = (item.get("valueFrom") or {}).get("podTemplateHashValue")
        if hashed:
            hashes[item["name"]] = hashed == "Latest"
        elif item.get("value") is not None:
            values[item["name"]] = str(item["value"])
    return Gate(
        service=service,
        template=template,
        name=str(metric.get("name") or ""),
        address=str(prometheus.get("address") or ""),
        provider=next(iter(provider), "nothing"),
        query=str(prometheus.get("query") or ""),
        is_background=use.is_background,
        hashes=hashes,
        values=values,
    )
