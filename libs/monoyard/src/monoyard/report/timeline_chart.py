"""What ran when, by worker, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from monoyard.report.markup import element
from monoyard.report.words import count
from monoyard.results import Outcome, duration
from monoyard.run import Stretch, Timeline

_WIDTH: Final = 960
_LEFT: Final = 80
_ROW: Final = 26
_BAR: Final = 18
_TOP: Final = 24
_CHARACTER: Final = 7.2
_TICKS: Final = 8
_SHOWN: Final = 12
_STEPS: Final = (1, 2, 5)


def timeline_chart(timeline: Timeline) -> Element:
    """Return a row for each worker with a bar for each batch; the critical path is outlined."""
    end = max((item.ended for item in timeline.stretches), default=0.0) or 1.0
    scale = (_WIDTH - _LEFT - 8) / end
    workers = max((item.worker for item in timeline.stretches), default=0)
    height = _TOP + workers * _ROW + 6
    drawn = element(
        "svg", element("title", "Tasks by worker"), class_="timeline", role="img",
        viewBox=f"0 0 {_WIDTH} {height}", width=_WIDTH, height=height,
    )  # fmt: skip
    drawn.extend(_axis(end, scale, height))
    for worker in range(1, workers + 1):
        y = _TOP + (worker - 1) * _ROW + 14
        drawn.append(element("text", f"worker {worker}", x=0, y=y))
    drawn.extend(_bar(item, scale) for item in timeline.stretches)
    return drawn


def _axis(end: float, scale: float, height: int) -> Iterator[Element]:
    """Yield a line at each of a few round numbers of seconds."""
    step = _step(end)
    for number in range(int(end / step) + 1):
        x = f"{_LEFT + number * step * scale:.1f}"
        yield element("line", x1=x, x2=x, y1=_TOP - 6, y2=height)
        yield element("text", f"{number * step:g} s", x=x, y=12, class_="tick")


def _step(end: float) -> float:
    """Return the least of 1, 2 and 5 and their tens and tenths that makes few enough steps."""
    power = -3
    while True:
        for digit in _STEPS:
            if end / (digit * 10.0**power) <= _TICKS:
                return digit * 10.0**power
        power += 1


def _bar(item: Stretch, scale: float) -> Element:
    x, y = _LEFT + item.began * scale, _TOP + (item.worker - 1) * _ROW
    width = max(1.5, (item.ended - item.began) * scale - 0.5)
    outcomes = {share.outcome for share in item.shares}
    failed = outcomes & {Outcome.FAIL, Outcome.ERROR}
    kind = "bad" if failed else "good" if outcomes == {Outcome.PASS} else "other"
    critical = " critical" if item.is_critical else ""
    first, *rest = item.tasks
    label = f"{first} +{len(rest)}" if rest else first
    fits = len(label) * _CHARACTER < width - 6
    return element(
        "g",
        element("title", "\n".join(_words(item))),
        element(
            "rect", x=f"{x:.1f}", y=y, width=f"{width:.1f}", height=_BAR, rx=2,
            class_=f"{kind}{critical}",
        ),
        *((element("text", label, x=f"{x + 4:.1f}", y=y + 13, class_="bar"),) if fits else ()),
    )  # fmt: skip


def _words(item: Stretch) -> Iterator[str]:
    began, took = duration(item.began), duration(item.ended - item.began)
    yield f"{count(len(item.tasks), 'task')}, {took} from {began} on"
    outcomes = {share.task: share for share in item.shares}
    for task in item.tasks[:_SHOWN]:
        share = outcomes.get(task)
        yield f"{task}: {share.outcome.value}" if share else f"{task}: runs again by itself"
    if len(item.tasks) > _SHOWN:
        yield f"... and {len(item.tasks) - _SHOWN} more"
    if item.is_critical:
        yield "the end of the run waited for it"
