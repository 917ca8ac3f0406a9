"""GitHub Actions: annotations beside the code, a summary on the run's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from monoyard.report.verdict import last_line
from monoyard.report.words import flaky_line, rerun, tests
from monoyard.results import Outcome, TaskResult, duration
from monoyard.run import FlakyTask, RunSummary

_ANNOTATIONS = 50  # GitHub shows no more of one step


def annotation_lines(summary: RunSummary) -> Iterator[str]:
    """Yield workflow commands, one for each finding and failed test."""
    failures = (
        line for result in summary.results.values()
        if result.outcome in {Outcome.FAIL, Outcome.ERROR} for line in _of_result(result)
    )  # fmt: skip
    flaky = (line for item in summary.flaky for line in _of_flaky(item))
    yield from islice(chain(failures, flaky), _ANNOTATIONS)


def write_summary(summary: RunSummary, environment: Mapping[str, str]) -> None:
    """Append a Markdown summary to the file that GitHub names, if it names one."""
    if target := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.write("\n".join(_summary(summary)) + "\n")


def _of_result(result: TaskResult) -> Iterator[str]:
    title = _property(result.task)
    for finding in result.findings:
        place = f"file={_property(finding.path)},line={max(1, finding.line)},"
        rule = f" [{finding.rule}]" if finding.rule else ""
        yield f"::{finding.severity.value} {place}title={title}::{_data(finding.message + rule)}"
    cases = [case for case in result.cases if case.outcome is not Outcome.SKIP]
    for case in cases:
        place = f"file={_property(case.path)},line={max(1, case.line)},"
        yield f"::error {place}title={title}::{_data(f'{case.name}: {case.message}')}"
    if not result.findings and not cases:
        yield f"::error title={title}::{_data(result.reason or 'failed')}"


def _of_flaky(item: FlakyTask) -> Iterator[str]:
    title = f"title={_property(item.task)} is flaky"
    for case in item.cases:
        place = f"file={_property(case.path)},line={max(1, case.line)},"
        yield f"::warning {place}{title}::{_data(f'{case.name}: {case.message}')}"
    if not item.cases:
        yield f"::warning {title}::{_data(flaky_line(item))}"


def _summary(summary: RunSummary) -> Iterator[str]:
    yield f"### {last_line(summary)}"
    yield ""
    yield "| task | result | time | rerun |"
    yield "| --- | --- | --- | --- |"
    for result in summary.results.values():
        if result.outcome is Outcome.PASS:
            continue
        said = result.reason or (tests(result.tests) if result.tests else "")
        cell = f"{result.outcome.value}: {said}".replace("|", "\\|")
        yield f"| {result.task} | {cell} | {duration(result.seconds)} | `{rerun(result)}` |"
    for item in summary.flaky:
        result = summary.results[item.task]
        cell = flaky_line(item).replace("|", "\\|")
        yield f"| {item.task} | {cell} | {duration(result.seconds)} | `{rerun(result)}` |"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
