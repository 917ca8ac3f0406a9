"""Traces of runs, for Perfetto."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from monoyard.report.profile import critical_line, trace_data
from monoyard.results import Outcome, Phases, Span, TaskResult
from monoyard.run import Prepared, RunSummary, Share, Stretch, Timeline

Summarize = Callable[..., RunSummary]

LINT = Stretch(
    1, 1, 0.0, 2.0, ("a:lint", "b:lint"),
    (Share("a:lint", 0.5, Outcome.PASS), Share("b:lint", 9.0, Outcome.FAIL)), is_critical=True,
)  # fmt: skip
UNIT = Stretch(2, 1, 2.0, 5.0, ("a:unit",), (Share("a:unit", 3.0, Outcome.PASS),), is_critical=True)
BESIDE = Stretch(3, 2, 0.5, 1.0, ("b:unit",), (Share("b:unit", 0.5, Outcome.PASS),))
TIMELINE = Timeline(
    101.0, (LINT, BESIDE, UNIT),
    (Prepared(("a:lint",), 0.0, 1.0), Prepared(("a:unit",), 0.5, 2.0),
     Prepared(("b:unit",), 1.0, 1.5)),
)  # fmt: skip
SPANS = (Span("make keys", 100.5, 101.0), Span("plan", 100.0, 101.0), Span("run", 101.0, 106.0))


@pytest.fixture
def trace(summarize: Summarize) -> dict[str, Any]:
    """The trace of a run of three batches on two workers."""
    summary = replace(summarize(TaskResult("a:unit", Outcome.PASS)), timeline=TIMELINE)
    return trace_data(summary, SPANS)


def rows(trace: dict[str, Any]) -> dict[str, list[tuple[str, float, float]]]:
    """Return the slices of each named row, in seconds."""
    names = {
        event["tid"]: event["args"]["name"]
        for event in trace["traceEvents"]
        if event["name"] == "thread_name"
    }
    found: dict[str, list[tuple[str, float, float]]] = {}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            at = (event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)
            found.setdefault(f"{event['tid']} {names[event['tid']]}", []).append(
                (event["name"], *at)
            )
    return found


def test_rows_have_steps_preparations_and_tasks(trace: dict[str, Any]) -> None:
    """The engine, each worker and what is prepared have rows; the critical path has its own."""
    lint = "a:lint and 1 more task"
    assert rows(trace) == {
        "1 critical path": [(lint, 1.0, 3.0), ("a:unit", 3.0, 6.0)],
        "2 engine": [("plan", 0.0, 1.0), ("make keys", 0.5, 1.0), ("run", 1.0, 6.0)],
        "10 preparation": [("prepare a:lint", 1.0, 2.0), ("prepare b:unit", 2.0, 2.5)],
        "11 preparation": [("prepare a:unit", 1.5, 3.0)],
        "101 worker 1": [
            (lint, 1.0, 3.0), ("a:lint", 1.0, 1.5), ("b:lint", 1.5, 3.0), ("a:unit", 3.0, 6.0),
        ],
        "102 worker 2": [("b:unit", 1.5, 2.0)],
    }  # fmt: skip


def test_slices_of_a_row_lie_beside_or_within_each_other(trace: dict[str, Any]) -> None:
    """No two slices of one row overlap in part, which a viewer would refuse to draw."""
    for slices in rows(trace).values():
        for _, began, ended in slices:
            for _, start, end in slices:
                apart = end <= began or start >= ended
                within = (began <= start and end <= ended) or (start <= began and ended <= end)
                assert apart or within


def test_tasks_tell_how_they_ended(trace: dict[str, Any]) -> None:
    """A task's slice has its outcome, and whether the end of the run waited for it."""
    told = {event["name"]: event["args"] for event in trace["traceEvents"] if event["tid"] > 100}
    assert told["a:unit"] == {"tasks": ["a:unit"], "critical": True, "outcome": "pass"}
    assert told["b:unit"]["critical"] is False
    assert told["b:lint"] == {"outcome": "fail"}


def test_critical_path_in_words(summarize: Summarize) -> None:
    """The line says how much of the run its longest chain took, and names the tasks."""
    summary = replace(summarize(TaskResult("a:unit", Outcome.PASS)), timeline=TIMELINE)
    words = "critical path: 5.0 s of 12 s in tasks: a:lint and 1 more task -> a:unit"
    assert critical_line(summary) == words
    many = tuple(replace(UNIT, batch=number) for number in range(9))
    line = critical_line(replace(summary, timeline=Timeline(0.0, many)))
    assert line.endswith(": a:unit -> a:unit -> ... -> a:unit -> a:unit")
    assert critical_line(summarize()) == "critical path: nothing ran"


def test_steps_are_timed_also_where_they_fail() -> None:
    """A step within another ends first; one that raises has its time, too."""
    now = iter((1.0, 2.0, 3.0, 4.0))
    phases = Phases(lambda: next(now))
    with pytest.raises(ValueError, match="no"), phases.during("outer"), phases.during("inner"):
        raise ValueError("no")
    assert phases.spans == [Span("inner", 2.0, 3.0), Span("outer", 1.0, 4.0)]
