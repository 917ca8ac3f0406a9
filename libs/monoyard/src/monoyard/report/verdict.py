"""The verdict: the last thing a person reads, each failure once, with what to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from monoyard.plan import State
from monoyard.report.words import count, errors, flaky_line, headline, rerun, tests
from monoyard.results import Finding, Outcome, TaskResult, Verdict, duration
from monoyard.run import RunSummary

_FINDINGS_SHOWN = 30
_LOG_LINES = 40
_CASE_LINES = 60


def verdict_lines(summary: RunSummary) -> Iterator[str]:
    """Yield the lines of the verdict."""
    yield from _warnings(summary)
    failures = [
        result for result in summary.results.values()
        if result.outcome in {Outcome.FAIL, Outcome.ERROR}
    ]  # fmt: skip
    for result in failures:
        yield ""
        yield from _failure(result, summary.reasons.get(result.task, ()))
    yield ""
    yield from _fixable(failures)
    yield from _skips(summary)
    yield from (flaky_line(item) for item in summary.flaky)
    if summary.flaky:
        yield "what is flaky, with its history: invoke flaky"
    yield from (f"note: {note}" for note in summary.notes)
    yield from _suites(summary)
    yield last_line(summary)


def last_line(summary: RunSummary) -> str:
    """Return the verdict in one line."""
    results = summary.results.values()
    cached = sum(result.is_cached for result in results)
    parts = [count(len(summary.results), "task")]
    outcomes = Counter(result.outcome for result in results)
    for outcome, word in (
        (Outcome.FAIL, "failed"), (Outcome.ERROR, errors(outcomes[Outcome.ERROR])),
        (Outcome.NOT_RUN, "not run"), (Outcome.SKIP, "skipped"),
    ):  # fmt: skip
        if outcomes[outcome]:
            parts.append(f"{outcomes[outcome]} {word}")
    if summary.flaky:
        parts.append(f"{len(summary.flaky)} flaky")
    parts.append(f"{cached} from cache")
    if summary.tests.total:
        parts.append(f"tests: {tests(summary.tests)}")
    what = "nothing was selected" if not summary.results else ", ".join(parts)
    word = summary.verdict.value.upper()
    if not summary.results and summary.verdict is Verdict.PASS:
        word = "PASS (empty)"
    return f"{word}: {what} in {duration(summary.seconds)}"


def pytest_line(summary: RunSummary) -> str:
    """Return pytest's closing line for all tests of the run together."""
    counts = summary.tests
    broken = sum(
        result.outcome in {Outcome.FAIL, Outcome.ERROR}
        and not (result.tests and (result.tests.failed or result.tests.errors))
        for result in summary.results.values()
    )
    said = [
        f"{number} {word}" for number, word in (
            (counts.failed, "failed"), (counts.passed, "passed"), (counts.skipped, "skipped"),
            (counts.errors + broken, errors(counts.errors + broken)),
        ) if number
    ]  # fmt: skip
    return f"{', '.join(said) or 'no tests ran'} in {summary.seconds:.2f}s"


def _failure(result: TaskResult, reasons: Iterable[str]) -> Iterator[str]:
    yield headline(result)
    for reason in list(reasons)[:3]:
        yield f"  ran because: {reason}"
    yield from _findings(result.findings)
    shown = False
    for case in result.cases:
        if case.outcome is Outcome.SKIP:
            continue
        shown = True
        yield f"  {case.name}: {case.message}"
        yield from (f"    {line}" for line in case.details.splitlines()[-_CASE_LINES:])
        yield f"    rerun: {rerun(result, case)}"
    if not shown and result.log:
        yield from (f"    {line}" for line in result.log.splitlines()[-_LOG_LINES:])
    if not shown:
        yield f"  rerun: {rerun(result)}"


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    for finding in findings[:_FINDINGS_SHOWN]:
        yield f"  {place(finding)}{finding.severity.value}: {finding.message}{_rule(finding)}"
    if len(findings) > _FINDINGS_SHOWN:
        yield f"  ... and {len(findings) - _FINDINGS_SHOWN} more"


def place(finding: Finding) -> str:
    """Return `path:line:column: ` as far as it is known."""
    parts = [finding.path, *(str(number) for number in (finding.line, finding.column) if number)]
    return ":".join(parts) + ": " if finding.path else ""


def _rule(finding: Finding) -> str:
    return f" [{finding.rule}]" if finding.rule else ""


def _fixable(failures: Iterable[TaskResult]) -> Iterator[str]:
    packages = [
        result.task.partition(":")[0] for result in failures
        if any(finding.is_fixable for finding in result.findings)
    ]  # fmt: skip
    if packages:
        yield f"mend what can be mended: nox -s fix -- {' '.join(dict.fromkeys(packages))}"


def _warnings(summary: RunSummary) -> Iterator[str]:
    for result in summary.results.values():
        if result.outcome is Outcome.PASS and not result.is_cached:
            for finding in result.findings:
                yield f"{result.task}: {place(finding)}{finding.severity.value}: {finding.message}"


def _skips(summary: RunSummary) -> Iterator[str]:
    for outcome, word in ((Outcome.SKIP, "skipped"), (Outcome.NOT_RUN, "not run")):
        by_reason: dict[str, list[str]] = defaultdict(list)
        for result in summary.results.values():
            if result.outcome is outcome:
                by_reason[result.reason].append(result.task)
        for reason, names in by_reason.items():
            yield f"{word}: {_some(names)}: {reason}"
    left_out: dict[str, list[str]] = defaultdict(list)
    for planned in summary.plan.in_state(State.NOT_SELECTED):
        left_out[planned.reason].append(planned.task.id)
    for reason, names in left_out.items():
        yield f"not selected: {_some(names)}: {reason}"


def _some(names: list[str]) -> str:
    if len(names) <= 4:  # noqa: PLR2004  more than four names hide the reason
        return ", ".join(names)
    return f"{count(len(names), 'task')} ({names[0]}, {names[1]}, ...)"


def _suites(summary: RunSummary) -> Iterator[str]:
    by_suite: dict[str, list[TaskResult]] = defaultdict(list)
    for result in summary.results.values():
        by_suite[result.task.rpartition(":")[2].partition("@")[0]].append(result)
    for suite, results in by_suite.items():
        passed = sum(result.outcome is Outcome.PASS for result in results)
        cached = sum(result.is_cached for result in results)
        ran = sum(result.seconds for result in results if not result.is_cached)
        said = f"{passed} of {len(results)} passed"
        said += f", {cached} from cache" if cached else ""
        yield f"{suite:12} {said}" + (f", {duration(ran)} of work" if ran else "")
