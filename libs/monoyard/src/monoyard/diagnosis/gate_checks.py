"""Checks of what gates measure: is Prometheus there, and has it every series that a gate names.

A gate without an answer is neither good nor bad: the rollout pauses, and goes back when nobody
came. That is known here before it happens.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monoyard.charts import in_cluster
from monoyard.delivery import Object
from monoyard.delivery.prometheus import find_prometheus
from monoyard.delivery.rollouts import ROLLOUT, read_rollout
from monoyard.delivery.workloads import list_known
from monoyard.deployment.gates import Gate, read_gates
from monoyard.diagnosis.finding import Finding, State
from monoyard.diagnosis.subject import Subject
from monoyard.errors import ClusterError, DeliveryError

_OF_RELEASE: Final = "meta.helm.sh/release-name"
_JOB: Final = "job"
_ANYTHING: Final = "vector(1)"
_NAMES: Final = "is it misspelled, or is the service not scraped (`metrics.enabled`)?"
_LABELS: Final = "are its labels those of the query? `prometheus.hashLabel` of its values is one"
_SAMPLES: Final = "`gates.minimumSamples` and `gates.windowSeconds` of its values say what it needs"

Query = Callable[[str], tuple[float, ...]]
"""Asks a Prometheus, in PromQL."""


def check_prometheus(subject: Subject) -> Iterator[Finding]:
    """See that every Prometheus answers that gates ask."""
    addresses = {gate.address for gate in _gates(subject) if gate.address}
    if not addresses:
        yield Finding("prometheus", "ok", "no gate asks one: what is rolled out is not measured")
    for address in sorted(addresses):
        try:
            find_prometheus(address, subject.seen.capabilities).query(_ANYTHING)
        except (ClusterError, DeliveryError) as error:
            yield _unreachable(address, error)
        else:
            yield Finding("prometheus", "ok", f"{address} answers")


def check_gates(subject: Subject) -> Iterator[Finding]:
    """See that every metric that a gate names has series of the version that runs."""
    revisions = _revisions(subject)
    by_address: dict[str, list[Gate]] = {}
    for gate in _gates(subject):
        if gate.address:
            by_address.setdefault(gate.address, []).append(gate)
        elif gate.provider != _JOB:
            said = f"{gate.label} is measured by {gate.provider}, which is not looked at"
            yield Finding("gates", "unknown", said, about=gate.service)
    for address, gates in by_address.items():
        prometheus = find_prometheus(address, subject.seen.capabilities)
        # Templates of a service ask much the same.
        query = functools.cache(prometheus.query)
        yield from _of_one(gates, revisions, subject.environment.max_pause, query)


def _of_one(
    gates: Sequence[Gate], revisions: Mapping[str, str], pause: float, query: Query
) -> Iterator[Finding]:
    """Yield what there is to say of the gates that ask one Prometheus."""
    try:
        query(_ANYTHING)
    except (ClusterError, DeliveryError) as error:
        said = f"they cannot be looked at (metrics: {len(gates)}): {error.message}"
        yield Finding("gates", "unknown", said)
        return
    for service in dict.fromkeys(gate.service for gate in gates):
        own = [gate for gate in gates if gate.service == service]
        asked = [_Asked(gate, revisions.get(service, ""), pause, query) for gate in own]
        problems = [item for each in asked for item in each.problems()]
        yield from problems
        if not revisions.get(service):
            said = f"its gates are looked at once a version of it runs (metrics: {len(own)})"
            yield Finding("gates", "unknown", said, about=service)
            continue
        amiss = {item.message.partition(":")[0] for item in problems}
        yield from (each.whole() for each in asked if each.gate.label not in amiss)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A gate that is looked at.

    Attributes:
        gate: The gate.
        revision: Hash of the pods of the version that runs; empty where none does.
        pause: Seconds that it may hold a rollout without an answer.
        query: Asks its Prometheus.
    """

    gate: Gate
    revision: str
    pause: float
    query: Query

    def problems(self) -> Iterator[Finding]:
        """Yield the metrics of it that nobody exports, or not with those labels."""
        for name, selector in self.gate.metrics(self.revision).items():
            asked = selector.loose(frozenset(selector.matchers))
            if self.query(f"count({asked})"):
                continue
            known = bool(self.query(f"count({name})"))
            if known and self.revision:
                said = f"there are no current series of {asked}: {self._outcome}"
                yield self._said("problem", said, _LABELS)
            elif not known:
                state: State = "problem" if self.revision else "warning"
                yield self._said(state, f"nobody exports {name}: {self._outcome}", _NAMES)

    def whole(self) -> Finding:
        """Return what it would say of the version that runs."""
        try:
            values = self.query(self.gate.asked_of(self.revision))
        except DeliveryError as error:
            said = error.context[0] if error.context else error.message
            return self._said("problem", f"it is refused: {said}: {self._outcome}")
        if values and not any(math.isnan(value) for value in values):
            return self._said("ok", f"comes to {values[0]:.4g} for the version that runs")
        said = "comes to no number now" if values else "has too little to go by now"
        return self._said("warning", f"{said}: {self._outcome}, unless there is more traffic then",
                          _SAMPLES)  # fmt: skip

    @property
    def _outcome(self) -> str:
        """What Argo Rollouts makes of a gate without an answer, and we of that."""
        if self.gate.is_background:
            return "it would never take a bad version back"
        return f"the rollout would pause there, and go back after {self.pause:.0f} s (`max-pause`)"

    def _said(self, state: State, words: str, hint: str = "") -> Finding:
        return Finding("gates", state, f"{self.gate.label}: {words}", hint, self.gate.service)


def _gates(subject: Subject) -> list[Gate]:
    return [gate for name, things in subject.objects.items() for gate in read_gates(name, things)]


def _revisions(subject: Subject) -> Mapping[str, str]:
    """Return the hash of the pods that serve, by service."""
    found = {}
    for thing in list_known(subject.namespace, ROLLOUT):
        state = read_rollout(thing)
        found[_service(thing)] = state.stable or state.current
    return found


def _service(thing: Object) -> str:
    annotations = thing["metadata"].get("annotations") or {}
    return str(annotations.get(_OF_RELEASE) or thing["metadata"]["name"])


def _unreachable(address: str, error: DeliveryError) -> Finding:
    said = error.message if not error.context else f"{error.message}: {error.context[0]}"
    port = in_cluster(address)
    if error.code == "refused" and port is not None:
        return Finding(
            "prometheus",
            "unknown",
            f"we may not ask {address} through the API server",
            f"a Role in `{port.namespace}` with `get` of `services/proxy` named "
            f"`{port.resource_name}` lets us",
        )
    return Finding(
        "prometheus",
        "problem",
        f"{address} does not answer: {said}",
        "without it gates have nothing to go by",
    )
