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
from monoyard.deployment.promql import UNKNOWN, Selector, seconds_of, selectors, widest

TEMPLATE: Final = "AnalysisTemplate"
_WHOLE: Final = 100
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
        interval: Seconds between two measurements; 0 where nothing says, as the rest.
        measurements: How many are made at most.
        successes: How many good ones in a row let it pass.
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
    interval: float = 0.0
    measurements: int = 0
    successes: int = 0

    @property
    def label(self) -> str:
        """What a person calls it, such as `api-gates/errors`."""
        return f"{self.template}/{self.name}"

    def asked_of(self, revision: str, query: str = "") -> str:
        """Return the query as it would be if both versions were the one of a hash.

        Args:
            revision: Hash of the pods of a version; empty where nobody knows one.
            query: A part of it; empty for all.
        """

        def put(found: re.Match[str]) -> str:
            name = found[1]
            if name in self.hashes:
                return revision or UNKNOWN
            return self.values.get(name, UNKNOWN)

        return _ARGUMENT.sub(put, query or self.query)

    def is_of_new(self, query: str) -> bool:
        """Say whether a part of the query is of the new version, and not of the stable one."""
        named = _ARGUMENT.findall(query)
        return not any(name in self.hashes and not self.hashes[name] for name in named)

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


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a rollout that takes time by itself.

    Attributes:
        weight: Percent of the traffic that the new version has by then.
        templates: Names of the analyses that have to pass.
        pause: Seconds that it waits; 0 for an analysis.
    """

    weight: int
    templates: tuple[str, ...] = ()
    pause: float = 0.0


def read_stages(objects: Iterable[Object]) -> tuple[Stage, ...]:
    """Return the analyses and timed pauses of a service's rollouts, in their order."""
    return tuple(
        stage for thing in objects if thing["kind"] == ROLLOUT.name for stage in _stages(thing)
    )


def _stages(rollout: Object) -> Iterator[Stage]:
    strategy = (rollout.get("spec") or {}).get("strategy") or {}
    weight = 0
    for step in (strategy.get("canary") or {}).get("steps") or ():
        weight = int(step.get("setWeight", weight))
        duration = (step.get("pause") or {}).get("duration")
        if step.get("analysis"):
            yield Stage(weight, _templates(step["analysis"]))
        elif duration is not None:
            said = str(duration)
            yield Stage(weight, (), float(said) if said.isdigit() else seconds_of(said))
    switch = (strategy.get("blueGreen") or {}).get("postPromotionAnalysis")
    if switch:
        yield Stage(_WHOLE, _templates(switch))


def _templates(analysis: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(item.get("templateName", "") for item in analysis.get("templates") or ())


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
        address=_ARGUMENT.sub(
            lambda found: values.get(found[1], UNKNOWN), str(prometheus.get("address") or "")
        ),
        provider=next(iter(provider), "nothing"),
        query=str(prometheus.get("query") or ""),
        is_background=use.is_background,
        hashes=hashes,
        values=values,
        interval=seconds_of(str(metric.get("interval") or "")),
        measurements=_number(metric.get("count")),
        successes=_number(metric.get("consecutiveSuccessLimit")),
    )


def _number(said: Any) -> int:
    """Return a number, which may stand as text; 0 for an argument, and where there is none."""
    return int(said) if str(said or "").isdigit() else 0
