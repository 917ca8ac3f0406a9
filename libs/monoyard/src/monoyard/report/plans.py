"""The plan in print: tables, explanations, graphs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from monoyard.plan import Explanation, Plan, PlannedTask, State
from monoyard.report.words import count
from monoyard.results import duration
from monoyard.workspace import Workspace

_CAUSES_SHOWN = 3


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the plan as a table, tasks that will run first."""
    yield from _head(plan)
    order = {State.RUN: 0, State.HIT: 1, State.SKIP: 2, State.NOT_SELECTED: 3}
    width = max((len(planned.task.id) for planned in plan.tasks), default=0)
    for planned in sorted(plan.tasks, key=lambda item: (order[item.state], item.task.id)):
        if planned.state is State.NOT_SELECTED:
            continue
        detail = planned.reason or "; ".join(str(cause) for cause in planned.causes[:1])
        time = duration(planned.estimate) if planned.state is State.RUN else ""
        yield f"{planned.state.value:5} {planned.task.id:{width}} {time:>12}  {detail}".rstrip()
    counts = Counter(planned.state for planned in plan.tasks)
    said = ", ".join(f"{counts[state]} {state.value}" for state in order if counts[state])
    work = sum(planned.estimate for planned in plan.in_state(State.RUN))
    yield f"{count(len(plan.tasks), 'task')}: {said or 'none'}; about {duration(work)} of work"


def affected_lines(plan: Plan, asked: Collection[str]) -> Iterator[str]:
    """Yield affected packages with their suites and causes.

    Args:
        plan: The plan.
        asked: Names of the packages that the question is about.
    """
    yield from _head(plan)
    by_package: dict[str, list[PlannedTask]] = defaultdict(list)
    for planned in plan.affected:
        if planned.state is not State.NOT_SELECTED and planned.task.package in asked:
            by_package[planned.task.package].append(planned)
    for package, tasks in by_package.items():
        suites = " ".join(planned.task.id.partition(":")[2] for planned in tasks)
        yield f"{package}  ({suites})"
        causes = dict.fromkeys(str(cause) for planned in tasks for cause in planned.causes)
        yield from (f"  {cause}" for cause in list(causes)[:_CAUSES_SHOWN])
        if len(causes) > _CAUSES_SHOWN:
            yield f"  ... and {count(len(causes) - _CAUSES_SHOWN, 'more cause')}"
    yield f"{len(by_package)} of {count(len(asked), 'package')} affected"


def explain_lines(planned: PlannedTask, explanation: Explanation) -> Iterator[str]:
    """Yield why a task is in its state."""
    reason = f" ({planned.reason})" if planned.reason else ""
    yield f"{planned.task.id}: {planned.state.value}{reason}"
    if planned.manifest is not None:
        yield f"key {planned.manifest.key}"
    for cause in planned.causes:
        yield f"affected: {cause}"
    if not planned.causes:
        yield "affected: no, nothing it reads changed since the base"
    yield from (f"changed since the last success: {line}" for line in explanation.lines)
    if explanation.problem:
        yield explanation.problem


def graph_dot(workspace: Workspace) -> Iterator[str]:
    """Yield the package graph in DOT; test edges are dashed."""
    yield "digraph workspace {"
    yield '  rankdir="LR"; node [shape="box"];'
    for name in workspace.packages:
        yield f'  "{name}";'
    for source, target, is_test in _edges(workspace):
        yield f'  "{source}" -> "{target}"{" [style=dashed]" if is_test else ""};'
    yield "}"


def graph_mermaid(workspace: Workspace) -> Iterator[str]:
    """Yield the package graph in Mermaid; test edges are dotted."""
    yield "graph LR"
    numbers = {name: f"p{number}" for number, name in enumerate(workspace.packages)}
    for name, node in numbers.items():
        yield f'  {node}["{name}"]'
    for source, target, is_test in _edges(workspace):
        yield f"  {numbers[source]} {'-.->' if is_test else '-->'} {numbers[target]}"


def _edges(workspace: Workspace) -> Iterator[tuple[str, str, bool]]:
    graph = workspace.graph
    for source in graph.packages:
        for target in graph.direct[source]:
            yield source, target, target not in graph.runtime[source]


def _head(plan: Plan) -> Iterator[str]:
    if plan.base.commit:
        changed = count(len(plan.changed), "path")
        yield f"base {plan.base.commit[:12]}: {plan.base.how}; {changed} changed"
    else:
        yield f"base unknown: {plan.base.unknown}"
    yield from (f"note: {note}" for note in plan.notes)
