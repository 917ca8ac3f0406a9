"""What a plan would take: time of gates at the traffic of now, time of the way back, table sizes.

Estimates, for people: nothing is decided by them, and the hash of a plan does not know them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from monoyard.charts import Given, Object
from monoyard.delivery import Record
from monoyard.delivery.capabilities import Capabilities
from monoyard.delivery.prometheus import find_prometheus
from monoyard.delivery.rollouts import ROLLOUT, read_rollout
from monoyard.delivery.workloads import list_known, read_workload
from monoyard.deployment.gates import Gate, Stage, read_gates, read_stages
from monoyard.deployment.plan import DeployPlan, ServicePlan
from monoyard.deployment.pods import pods_of
from monoyard.deployment.ports import World
from monoyard.deployment.promql import floors
from monoyard.errors import DeliveryError, MonoyardError

_AT_ONCE: Final = 4
_WHOLE: Final = 100
# What Argo Rollouts and Deployments start at a time, where nothing says otherwise.
_SURGE: Final = 0.25
_SWITCHED: Final = frozenset({"a change of weights", "the selector of one Service"})

Query = Callable[[str], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class GateEstimate:
    """How long the analyses of one step take.

    Attributes:
        weight: Percent of the traffic that the new version has.
        seconds: About how long; None where it would not pass at the traffic of now.
        needed: Samples that it needs within its window, where a gate has too few or the most.
        window: Seconds of that window.
        expected: How many come in it at the traffic of now.
        gate: The metric that this is of.
    """

    weight: int
    seconds: float | None
    needed: float = 0.0
    window: float = 0.0
    expected: float = 0.0
    gate: str = ""


@dataclass(frozen=True, slots=True)
class TableSize:
    """How large a table was that a migration touches.

    Attributes:
        table: Its name.
        rows: How many; None where the backup did not look through it.
        bytes: Without its indexes.
        at: When the backup was taken that says so.
    """

    table: str
    rows: int | None
    bytes: int
    at: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a service's part of a plan would take.

    Attributes:
        service: Its name.
        gates: Each step with analyses, in order.
        pauses: Seconds of its pauses that end by themselves.
        problem: Why nothing can be said of its gates; empty where it can.
        back: About how many seconds going back takes; None where nobody knows.
        because: What that goes by.
        tables: Existing tables that its migrations touch.
        unknown: Those of which no backup tells the size.
    """

    service: str
    gates: tuple[GateEstimate, ...] = ()
    pauses: float = 0.0
    problem: str = ""
    back: float | None = None
    because: str = ""
    tables: tuple[TableSize, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def seconds(self) -> float | None:
        """About how long gates and pauses take; None where one would not pass, or nobody knows."""
        if self.problem or any(item.seconds is None for item in self.gates):
            return None
        return self.pauses + sum(item.seconds or 0.0 for item in self.gates)

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "seconds": self.seconds}


def estimate(world: World, plan: DeployPlan, capabilities: Capabilities) -> tuple[Estimate, ...]:
    """Return what the services of a plan would take.

    What cannot be found out is told in the estimate; nothing is changed.

    Args:
        world: What is asked.
        plan: The plan.
        capabilities: Reach the Prometheus of gates inside the cluster.

    Raises:
        ClusterError: The cluster does not say.
    """
    history = world.ledger.history()
    revisions = {
        read_workload(ROLLOUT, thing).service: read_rollout(thing)
        for thing in list_known(world.namespace, ROLLOUT)
    }
    queries = functools.cache(
        lambda address: functools.cache(find_prometheus(address, capabilities).query)
    )

    def of_one(item: ServicePlan) -> Estimate:
        state = revisions.get(item.name)
        revision = (state.stable or state.current) if state else ""
        tables, unknown = _tables(item, history)
        back, because = _way_back(world, item, history)
        try:
            gates, pauses = _gates(_rendered(world, item), item.name, revision, queries)
        except MonoyardError as error:
            said = error.message if not error.context else f"{error.message}: {error.context[0]}"
            return Estimate(item.name, (), 0.0, said, back, because, tables, unknown)
        return Estimate(item.name, gates, pauses, "", back, because, tables, unknown)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(of_one, plan.changed))


def _rendered(world: World, item: ServicePlan) -> Sequence[Object]:
    given = Given(
        item.repository, item.digest, item.commit, "0", item.versions, item.previous, item.smoke
    )
    call = world.charts.of_service(world.environment, item.name, given)
    return world.charts.render(call, world.environment.name, item.name).objects


def _gates(
    objects: Sequence[Object], service: str, revision: str, queries: Callable[[str], Query]
) -> tuple[tuple[GateEstimate, ...], float]:
    """Return how long the analyses take one by one, and the timed pauses in all."""
    stages = read_stages(objects)
    gates = [gate for gate in read_gates(service, objects) if gate.address]
    pauses = sum(stage.pause for stage in stages)
    measured = [stage for stage in stages if any(g.template in stage.templates for g in gates)]
    if measured and not revision:
        raise DeliveryError("no version of it runs that could be measured")
    found = (
        _of_stage(stage, [g for g in gates if g.template in stage.templates], revision, queries)
        for stage in measured
    )
    return tuple(found), pauses


def _of_stage(
    stage: Stage, gates: Iterable[Gate], revision: str, queries: Callable[[str], Query]
) -> GateEstimate:
    """Return how long a step takes: as long as the slowest of its metrics."""
    found = [_of_gate(gate, stage.weight, revision, queries(gate.address)) for gate in gates]
    stuck = [item for item in found if item.seconds is None]
    return max(stuck or found, key=lambda item: (item.seconds or 0.0, item.needed))


def _of_gate(gate: Gate, weight: int, revision: str, query: Query) -> GateEstimate:
    """Return how long a metric takes to pass, if all it measures is good."""
    measuring = (gate.successes or gate.measurements or 1) * gate.interval
    slowest = GateEstimate(weight, measuring, gate=gate.label)
    for floor in floors(gate.query):
        share = weight if gate.is_of_new(floor.counted) else _WHOLE - weight
        counted = query(gate.asked_of(revision, floor.counted))
        now = counted[0] if counted and math.isfinite(counted[0]) else 0.0
        expected = now * share / _WHOLE
        if expected < floor.least:
            return GateEstimate(weight, None, floor.least, floor.window, expected, gate.label)
        filling = floor.window * floor.least / expected
        if filling + measuring > (slowest.seconds or 0.0):
            slowest = GateEstimate(
                weight, filling + measuring, floor.least, floor.window, expected, gate.label
            )
    return slowest


def _way_back(
    world: World, item: ServicePlan, history: Iterable[Record]
) -> tuple[float | None, str]:
    """Return about how long it takes until the old version has all traffic again."""
    if not item.base.revision:
        return None, ""
    if item.way_back in _SWITCHED:
        return 1.0, "its pods are still there, so it is the switch alone"
    for record in history:
        done, begun = record.done(f"back:{item.name}"), _intent(record, f"back:{item.name}")
        if done is not None and begun and done.facts.get("revision"):
            seconds = (_instant(done.at) - _instant(begun)).total_seconds()
            return seconds, f"it took that long in deployment {record.number}"
    pods = pods_of(world.namespace, item.name)
    starts = [start for pod in pods if (start := _start(pod)) is not None]
    if not starts:
        return None, ""
    batches = math.ceil(len(starts) / max(1, math.ceil(len(starts) * _SURGE)))
    said = f"{len(starts)} pods start again, each in {max(starts):.0f} s"
    return batches * max(starts), said


def _intent(record: Record, step: str) -> str:
    return next((e.at for e in record.entries if e.step == step and e.state == "intent"), "")


def _start(pod: Object) -> float | None:
    """Return how long a pod took to be ready; None where it is not, or nothing says."""
    made = str(pod["metadata"].get("creationTimestamp") or "")
    for item in (pod.get("status") or {}).get("conditions") or ():
        if item.get("type") == "Ready" and item.get("status") == "True" and made:
            return (_instant(str(item["lastTransitionTime"])) - _instant(made)).total_seconds()
    return None


def _instant(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _tables(
    item: ServicePlan, history: Iterable[Record]
) -> tuple[tuple[TableSize, ...], tuple[str, ...]]:
    """Return sizes of the tables that migrations lock or lose, by the newest backup that tells."""
    wanted = dict.fromkeys(
        name
        for each in (item.migrations if item.migrates else ())
        for name in (*(lock.partition(":")[0] for lock in each.locks), *each.loses)
    )
    known, at = _sizes(history, item.name)
    found: dict[str, TableSize] = {}
    unknown = []
    for name in wanted:
        table = name if name in known else name.rpartition(".")[0]
        if table in known:
            size: Mapping[str, int] = known[table]
            found[table] = TableSize(table, size.get("rows"), int(size["bytes"]), at)
        else:
            unknown.append(name)
    return tuple(found.values()), tuple(unknown)


def _sizes(history: Iterable[Record], service: str) -> tuple[Mapping[str, Mapping[str, int]], str]:
    for record in history:
        taken = record.done(f"backup:{service}")
        if taken is not None and taken.facts.get("largest"):
            return taken.facts["largest"], str(taken.facts.get("taken_at") or taken.at)
    return {}, ""
