"""A run as a trace in the Trace Event Format, which Perfetto and chrome://tracing show.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from monoyard.report.words import count
from monoyard.results import Span, duration
from monoyard.run import Prepared, RunSummary, Share, Stretch, Timeline

_PROCESS: Final = 1
_CRITICAL, _ENGINE, _PREPARATION, _WORKER = 1, 2, 10, 100
_MICROSECONDS: Final = 1_000_000
_NAMED: Final = 5


def trace_data(summary: RunSummary, spans: Iterable[Span]) -> dict[str, Any]:
    """Return a run as a trace: the engine's steps, preparations, and tasks by worker.

    What the end of the run waited for is a row of its own, and marked where it ran.

    Args:
        summary: The run.
        spans: The engine's steps.
    """
    spans = list(spans)
    timeline = summary.timeline
    zero = min((span.began for span in spans), default=timeline.origin)
    events = [*_names(timeline), *_steps(spans, zero), *_work(timeline, timeline.origin - zero)]
    return {
        "displayTimeUnit": "ms",
        "otherData": {"run": summary.run_id, "verdict": summary.verdict.value},
        "traceEvents": events,
    }


def critical_line(summary: RunSummary) -> str:
    """Return what the end of the run waited for, in words."""
    path = summary.timeline.critical
    if not path:
        return "critical path: nothing ran"
    took = sum(item.ended - item.began for item in path)
    names = [_title(item) for item in path]
    if len(names) > _NAMED:
        names[2:-2] = ["..."]
    whole = duration(summary.seconds)
    return f"critical path: {duration(took)} of {whole} in tasks: {' -> '.join(names)}"


def _names(timeline: Timeline) -> Iterator[dict[str, Any]]:
    rows = {_CRITICAL: "critical path", _ENGINE: "engine"}
    rows |= {_PREPARATION + lane: "preparation" for lane, _ in _lanes(timeline.preparations)}
    rows |= {_WORKER + item.worker: f"worker {item.worker}" for item in timeline.stretches}
    yield _metadata("process_name", 0, {"name": "monoyard"})
    for row, name in sorted(rows.items()):
        yield _metadata("thread_name", row, {"name": name})
        yield _metadata("thread_sort_index", row, {"sort_index": row})


def _steps(spans: Iterable[Span], zero: float) -> Iterator[dict[str, Any]]:
    for span in sorted(spans, key=lambda span: (span.began, -span.ended)):
        yield _slice(span.name, "engine", _ENGINE, span.began - zero, span.ended - zero)


def _work(timeline: Timeline, shift: float) -> Iterator[dict[str, Any]]:
    for lane, item in _lanes(timeline.preparations):
        name = f"prepare {item.tasks[0]}"
        times = (item.began + shift, item.ended + shift)
        yield _slice(name, "preparation", _PREPARATION + lane, *times, tasks=list(item.tasks))
    for stretch in timeline.stretches:
        row = _WORKER + stretch.worker
        began, ended = stretch.began + shift, stretch.ended + shift
        told = {"tasks": list(stretch.tasks), "critical": stretch.is_critical}
        if len(stretch.shares) == 1:
            told["outcome"] = stretch.shares[0].outcome.value
        yield _slice(_title(stretch), "task", row, began, ended, **told)
        if stretch.is_critical:
            yield _slice(_title(stretch), "critical", _CRITICAL, began, ended, **told)
        if len(stretch.tasks) > 1:
            for share, start, end in _parted(stretch, shift):
                yield _slice(share.task, "task", row, start, end, outcome=share.outcome.value)


def _parted(stretch: Stretch, shift: float) -> Iterator[tuple[Share, float, float]]:
    """Yield the tasks of a batch one after the other: who was busy when, nobody knows."""
    at, end = stretch.began, stretch.ended
    for share in stretch.shares:
        until = min(end, at + share.seconds)
        yield share, at + shift, until + shift
        at = until


def _lanes(items: Iterable[Prepared]) -> Iterator[tuple[int, Prepared]]:
    """Yield what was prepared with a row for it, where nothing overlaps."""
    busy: list[float] = []
    for item in sorted(items, key=lambda item: item.began):
        lane = next((lane for lane, until in enumerate(busy) if until <= item.began), len(busy))
        busy[lane : lane + 1] = [item.ended]
        yield lane, item


def _title(stretch: Stretch) -> str:
    first, *rest = stretch.tasks
    return f"{first} and {count(len(rest), 'more task')}" if rest else first


def _slice(
    name: str, category: str, row: int, began: float, ended: float, **told: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "cat": category,
        "ph": "X",
        "pid": _PROCESS,
        "tid": row,
        "ts": round(began * _MICROSECONDS),
        "dur": max(1, round((ended - began) * _MICROSECONDS)),
        "args": told,
    }


def _metadata(kind: str, row: int, told: dict[str, Any]) -> dict[str, Any]:
    return {"name": kind, "ph": "M", "pid": _PROCESS, "tid": row, "args": told}
