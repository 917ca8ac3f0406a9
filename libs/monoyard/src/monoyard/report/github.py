"""GitHub Actions: annotations beside the code, a summary on the run's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from monoyard.report.verdict import last_line
from monoyard.report.words import duration, rerun, tests
from monoyard.results import Outcome, TaskResult
from monoyard.run import RunSummary

_ANNOTATIONS = 50  # GitHub shows no more of one step


def annotation_lines(summary: RunSummary) -> Iterator[str]:
    """Yield workflow commands, one for each finding and failed test."""
    said = 0
    for result in summary.results.values():
        if result.outcome not in {Outcome.FAIL, Outcome.ERROR}:
            continue
        for line in _of_result(result):
            said += 1
            if said <= _ANNOTATIONS:
                yield line


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


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
