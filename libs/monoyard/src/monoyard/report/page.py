"""A run as one page of HTML that needs nothing else, and in which nothing can run.

What tests print stands in it, and is anybody's: text is escaped where elements are made, and the
page forbids scripts and every request besides.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from monoyard.plan import PlannedTask, State
from monoyard.report.graphs import STYLE, causes_by_package, causes_graph
from monoyard.report.markup import element
from monoyard.report.profile import critical_line
from monoyard.report.timeline_chart import timeline_chart
from monoyard.report.verdict import last_line, place
from monoyard.report.words import count, flaky_line, headline, rerun
from monoyard.results import Finding, Outcome, TaskResult, TestCase, duration
from monoyard.run import RunSummary

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
_FINDINGS: Final = 200
_LINES: Final = 400
_SLOWEST: Final = 10
_OPEN: Final = 3


def page(summary: RunSummary) -> str:
    """Return the page of a run: failures first, then what ran when, why, and for how long."""
    style = Path(__file__).with_name("page.css").read_text("utf-8") + STYLE
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{summary.verdict.value}: {summary.run_id}"),
        element("style", style),
    )
    sections = [section for section in _sections(summary) if section is not None]
    links = [element("a", section[0].text or "", href=f"#{section.get('id')}")
             for section in sections]  # fmt: skip
    body = element("body", _header(summary), element("nav", *links), *sections)
    text = ElementTree.tostring(element("html", head, body, lang="en"), "unicode", "html")
    return f"<!DOCTYPE html>\n{text}\n"


def _sections(summary: RunSummary) -> Iterator[Element | None]:
    failures = [item for item in summary.results.values()
                if item.outcome in {Outcome.FAIL, Outcome.ERROR}]  # fmt: skip
    shown = [_failure(item, summary, is_open=place < _OPEN) for place, item in enumerate(failures)]
    yield _section("Failures", *shown) if shown else None
    flaky = [element("p", flaky_line(item), class_="flaky") for item in summary.flaky]
    yield _section("Flaky", *flaky) if flaky else None
    yield _timeline(summary)
    yield _causes(summary)
    yield _slowest(summary)
    yield _tasks(summary)


def _section(title: str, *content: Element | str) -> Element:
    return element("section", element("h2", title), *content, id=title.split(maxsplit=1)[0].lower())


def _header(summary: RunSummary) -> Element:
    base = summary.plan.base
    since = f"since {base.how} ({base.commit[:12]})" if base.commit else f"base: {base.unknown}"
    notes = [element("p", f"note: {note}") for note in summary.notes]
    words = f"run {summary.run_id}, changes {since}"
    title = element("h1", last_line(summary))
    run = element("p", words, class_="faint")
    return element("header", title, run, *notes, class_=summary.verdict.value)


def _failure(result: TaskResult, summary: RunSummary, *, is_open: bool) -> Element:
    cases = [case for case in result.cases if case.outcome is not Outcome.SKIP]
    opened = {"open": "open"} if is_open else {}
    return element(
        "details",
        element("summary", headline(result), class_=result.outcome.value),
        *(element("p", f"ran because: {words}") for words in summary.reasons.get(result.task, ())),
        *_findings(result.findings),
        *(item for case in cases for item in _case(result, case)),
        *_log(result.log, is_all=not cases and not result.findings),
        *(() if cases else (_again(rerun(result)),)),
        **opened,
    )


def _findings(findings: tuple[Finding, ...]) -> Iterator[Element]:
    if findings:
        lines = [f"{place(item)}{item.severity.value}: {item.message} {item.rule}".rstrip()
                 for item in findings[:_FINDINGS]]  # fmt: skip
        if len(findings) > _FINDINGS:
            lines.append(f"... and {len(findings) - _FINDINGS} more")
        yield _output("\n".join(lines))


def _case(result: TaskResult, case: TestCase) -> Iterator[Element]:
    yield element("p", element("code", case.name), f": {case.message}")
    if case.details:
        yield _output(case.details)
    yield _again(rerun(result, case))


def _log(text: str, *, is_all: bool) -> Iterator[Element]:
    """Yield what a tool printed, out of the way where its results are told already."""
    if text and is_all:
        yield _output(text)
    elif text:
        yield element("details", element("summary", "all output"), _output(text))


def _output(text: str) -> Element:
    lines = text.splitlines()
    if len(lines) > _LINES:
        lines = [f"... {count(len(lines) - _LINES, 'line')} before", *lines[-_LINES:]]
    return element("pre", "\n".join(lines), tabindex=0)


def _again(command: str) -> Element:
    return element("p", "again: ", element("code", command))


def _timeline(summary: RunSummary) -> Element:
    if not summary.timeline.stretches:
        return _section("Timeline", element("p", "Nothing ran."))
    chart = element("div", timeline_chart(summary.timeline), class_="scroll", tabindex=0)
    words = f"{critical_line(summary)} (thick outline)"
    return _section("Timeline", element("p", words, class_="faint"), chart)


def _causes(summary: RunSummary) -> Element:
    graph = causes_graph(summary.plan)
    if graph is None:
        return _section("Causes", element("p", "No package is affected by a change."))
    listed = [
        element(
            "details",
            element("summary", package),
            *(element("p", str(cause)) for cause in causes),
        )
        for package, causes in causes_by_package(summary.plan).items()
    ]
    return _section("Causes", element("div", graph, class_="scroll", tabindex=0), *listed)


def _slowest(summary: RunSummary) -> Element | None:
    ran = [item for item in summary.results.values() if not item.is_cached and item.seconds > 0]
    ran = sorted(ran, key=lambda item: -item.seconds)[:_SLOWEST]
    rows = [
        element(
            "tr",
            element("td", item.task, class_="id"),
            element("td", duration(item.seconds), class_="time"),
            element("td", _meter(item.seconds / ran[0].seconds)),
        )
        for item in ran
    ]
    return _section("Slowest tasks", element("table", *rows)) if rows else None


def _meter(share: float) -> Element:
    return element("div", element("div", style=f"width: {100 * share:.0f}%"), class_="meter")


def _tasks(summary: RunSummary) -> Element:
    heads = ("task", "result", "time", "why")
    head = element("thead", element("tr", *(element("th", word) for word in heads)))
    rows = [_row(planned, summary) for planned in summary.plan.selected
            if planned.task.id in summary.results]  # fmt: skip
    table = element("table", head, element("tbody", *rows), class_="tasks")
    left_out = summary.plan.in_state(State.NOT_SELECTED)
    rest = [element("p", f"not selected: {words}", class_="faint") for words in _grouped(left_out)]
    return _section("Tasks", table, *rest)


def _row(planned: PlannedTask, summary: RunSummary) -> Element:
    result = summary.results[planned.task.id]
    told = f"{result.outcome.value}, cached" if result.is_cached else result.outcome.value
    is_flaky = any(item.task == result.task for item in summary.flaky)
    kind = "flaky" if is_flaky else result.outcome.value
    return element(
        "tr",
        element("td", result.task, class_="id"),
        element("td", f"{told}, flaky" if is_flaky else told, class_=kind),
        element("td", duration(result.seconds), class_="time"),
        element("td", *_why(planned, result, summary)),
    )


def _why(planned: PlannedTask, result: TaskResult, summary: RunSummary) -> Iterator[Element]:
    if result.is_cached and planned.stored is not None:
        at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(planned.stored.created_at))
        yield element("div", f"hit: nothing it reads differs from its pass of {at} UTC")
    reasons = summary.reasons.get(result.task, ())
    yield from (element("div", f"miss: {words}") for words in reasons)
    if result.reason:
        yield element("div", result.reason)


def _grouped(tasks: Iterable[PlannedTask]) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for planned in tasks:
        by_reason.setdefault(planned.reason, []).append(planned.task.id)
    for reason, names in by_reason.items():
        yield f"{count(len(names), 'task')}: {reason}"
