"""What a plan would take, in print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monoyard.deployment import Estimate, GateEstimate, TableSize
from monoyard.report.words import count, size
from monoyard.results import duration


def estimate_lines(found: Iterable[Estimate], max_pause: float) -> Iterator[str]:
    """Yield what each service would take.

    Args:
        found: The estimates.
        max_pause: Seconds that a gate without an answer may hold a rollout.
    """
    lines = [line for item in found for line in _service(item, max_pause)]
    if lines:
        yield "estimates (at the traffic of now; no part of the plan):"
        yield from lines


def _service(item: Estimate, max_pause: float) -> Iterator[str]:
    if item.problem:
        yield f"  {item.service}: its gates cannot be estimated: {item.problem}"
    elif item.seconds:
        yield f"  {item.service}: gates and pauses take about {duration(item.seconds)}"
    elif item.seconds is None:
        yield f"  {item.service}: its gates and pauses would not end by themselves"
    for gate in item.gates:
        yield f"      at {gate.weight} %: {_gate(gate, max_pause)}"
    if item.back is not None:
        yield f"  {item.service}: going back takes about {duration(item.back)}: {item.because}"
    for table in item.tables:
        yield f"  {item.service}: {_table(table)}"
    if item.unknown:
        yield f"  {item.service}: no backup tells the size of {', '.join(item.unknown)}"


def _gate(gate: GateEstimate, max_pause: float) -> str:
    samples = f"{count(round(gate.needed), 'sample')} in {gate.window:.0f} s"
    if gate.seconds is None:
        return (
            f"TOO LITTLE TRAFFIC: {gate.gate} needs {samples}, and about {gate.expected:.0f} come; "
            f"it would pause, and go back after {duration(max_pause)}"
        )
    if not gate.needed:
        return f"about {duration(gate.seconds)}"
    return (
        f"about {duration(gate.seconds)}; {gate.gate} needs {samples}, and about "
        f"{gate.expected:.0f} come"
    )


def _table(table: TableSize) -> str:
    rows = f"{table.rows:,} rows, " if table.rows is not None else ""
    return f"a migration touches {table.table}: {rows}{size(table.bytes)} at {table.at}"
