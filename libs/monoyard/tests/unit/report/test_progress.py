"""What is said while a run goes on."""

import io

import pytest

from monoyard import results
from monoyard.report import words
from monoyard.report.plain import PlainReport
from monoyard.results import Outcome, TaskResult
from monoyard.run import BatchStarted, Preparing, Stopping, TaskEnded


def test_plain_lines() -> None:
    """Every event is one line; what needed no process, and batches of many, the verdict tells."""
    stream = io.StringIO()
    report = PlainReport(stream)
    passed = TaskResult("alpha:unit", Outcome.PASS, seconds=0.51)
    report(Preparing("installing ruff"))
    report(BatchStarted(("alpha:unit",), 1, 0.0))
    report(BatchStarted(("alpha:lint", "beta:lint"), 2, 0.0))
    report(TaskEnded(passed.replayed(), 0, 0.0))
    report(TaskEnded(TaskResult("beta:unit", Outcome.SKIP, "no interpreter"), 0, 0.0))
    report(TaskEnded(passed, 1, 0.0))
    report(Stopping("the run was interrupted"))
    report.close()
    assert stream.getvalue().splitlines() == [
        "installing ruff ...", "RUN   alpha:unit", "PASS  alpha:unit in 0.5 s",
        "stopping: the run was interrupted",
    ]  # fmt: skip


def test_failures_are_named_when_they_happen() -> None:
    """The first tests that failed stand under their task's line, long before the verdict."""
    stream = io.StringIO()
    cases = tuple(results.TestCase(f"t.py::{name}", Outcome.FAIL, "assert 0") for name in "abcd")
    skipped = results.TestCase("t.py::e", Outcome.SKIP, "not here")
    failed = TaskResult("alpha:unit", Outcome.FAIL, seconds=1.0, cases=(skipped, *cases))
    PlainReport(stream)(TaskEnded(failed, 1, 0.0))
    assert stream.getvalue().splitlines() == [
        "FAIL  alpha:unit in 1.0 s",
        "      t.py::a: assert 0", "      t.py::b: assert 0", "      t.py::c: assert 0",
        "      ... and 1 more",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"),
        (59.6, "1 min 00 s"), (185.0, "3 min 05 s"), (3599.8, "60 min 00 s"),
    ],
)  # fmt: skip
def test_durations_in_words(seconds: float, said: str) -> None:
    """Below ten seconds the tenth is told, below a minute the second, then minutes too."""
    assert results.duration(seconds) == said


def test_counts_in_words() -> None:
    """One thing is singular; outcomes are told worst first, without those that are none."""
    assert (words.count(1, "task"), words.count(0, "task")) == ("1 task", "0 tasks")
    counts = results.TestCounts(passed=2, failed=1, errors=1, skipped=3)
    assert words.tests(counts) == "1 failed, 1 error, 2 passed, 3 skipped"
    assert words.tests(results.TestCounts()) == "no tests"
