"""How things are said: durations, counts, the command that reruns just one thing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monoyard.results import Outcome, TaskResult, TestCase, TestCounts, duration

if TYPE_CHECKING:
    from monoyard.run import FlakyTask

_FAILURES_NAMED = 3
_KIBI = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def count(number: int, noun: str) -> str:
    """Return `1 task` or `3 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: int) -> str:
    """Return a number of bytes as `512 B` or `1.5 MiB`."""
    value, unit = float(number), 0
    while value >= _KIBI and unit < len(_UNITS) - 1:
        value, unit = value / _KIBI, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{number} B"


def errors(number: int) -> str:
    """Return `error` or `errors`, as pytest says it."""
    return "error" if number == 1 else "errors"


def tests(counts: TestCounts) -> str:
    """Return `12 passed, 1 failed, 2 skipped`."""
    said = [
        f"{number} {word}"
        for number, word in (
            (counts.failed, "failed"), (counts.errors, errors(counts.errors)),
            (counts.passed, "passed"), (counts.skipped, "skipped"),
        )
        if number
    ]  # fmt: skip
    return ", ".join(said) or "no tests"


def rerun(result: TaskResult, case: TestCase | None = None) -> str:
    """Return the command that runs just this task, or just this test, again."""
    package, _, suite = result.task.rpartition(":")
    suite = suite.partition("@")[0]
    is_named = case is not None and ("::" in case.name or case.name.endswith(".py"))
    tail = f" -- {shlex.quote(case.name)}" if case is not None and is_named else ""
    return f"nox -s {suite} -- {package}{tail}"


def headline(result: TaskResult) -> str:
    """Return one line for a task that ended."""
    parts = [f"{result.outcome.value.upper():5}", result.task]
    if result.tests is not None and result.tests.total:
        parts.append(f"({tests(result.tests)})")
    if result.reason:
        parts.append(f"- {result.reason}")
    if result.outcome in {Outcome.PASS, Outcome.FAIL, Outcome.ERROR}:
        parts.append("cached" if result.is_cached else f"in {duration(result.seconds)}")
    return " ".join(parts)


def flaky_line(item: FlakyTask) -> str:
    """Return that a task is flaky, with the tests that passed in a later attempt."""
    cases = ", ".join(case.name for case in item.cases)
    said = "passed in a later attempt" if item.is_retried else "ends otherwise now and then"
    counts = f"under one key it failed {_times(item.failed)} and passed {_times(item.passed)}"
    return f"flaky: {item.task} {said}: {counts}" + (f": {cases}" if cases else "")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def announce(result: TaskResult) -> Iterator[str]:
    """Yield what is said when a task ends: its headline, and what failed first, by name.

    The verdict tells all of it; who watches a long run wants to know now.
    """
    yield headline(result)
    broken = [case for case in result.cases if case.outcome is not Outcome.SKIP]
    for case in broken[:_FAILURES_NAMED]:
        yield f"      {case.name}: {case.message}"
    if len(broken) > _FAILURES_NAMED:
        yield f"      ... and {len(broken) - _FAILURES_NAMED} more"
