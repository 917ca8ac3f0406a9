"""The verdict: each failure once, with what to do; nothing that was not run counts as passed."""

from collections.abc import Callable

import pytest

from monoyard import results
from monoyard.report.verdict import last_line, pytest_line, verdict_lines
from monoyard.results import Finding, Outcome, Severity, TaskResult
from monoyard.run import RunSummary

Summarize = Callable[..., RunSummary]

PASSED = TaskResult("alpha:unit", Outcome.PASS, seconds=1.0, tests=results.TestCounts(passed=3))
REPLAYED = PASSED.replayed()
CASE = results.TestCase(
    "tests/test_it.py::test_sum[a b]", Outcome.FAIL, "assert 2 == 3", "libs/beta/tests/test_it.py",
    4, "def test_sum():\n>   assert 2 == 3",
)  # fmt: skip
FAILED = TaskResult(
    "beta:unit", Outcome.FAIL, seconds=2.0, tests=results.TestCounts(passed=1, failed=1),
    cases=(CASE, results.TestCase("t.py::test_left", Outcome.SKIP, "later")),
)  # fmt: skip
LINTED = TaskResult(
    "beta:lint", Outcome.FAIL, seconds=0.2,
    findings=(Finding("libs/beta/x.py", "unused", "F401", 3, 8, is_fixable=True),
              Finding("", "a ring", "cycle")),
)  # fmt: skip
CRASHED = TaskResult("gamma:unit", Outcome.ERROR, "crashed with SIGSEGV", 0.1, log="one\ntwo")
SKIPPED = TaskResult("delta:unit", Outcome.SKIP, "Python 3.12 was not found")
NOT_RUN = TaskResult("omega:unit", Outcome.NOT_RUN, "needs beta:lint, which did not pass")


def test_whole_verdict(summarize: Summarize) -> None:
    """Failures with reasons and commands, then skips, notes, suites, and one closing line."""
    summary = summarize(
        PASSED, FAILED, LINTED, CRASHED, SKIPPED, NOT_RUN,
        left_out={"alpha:lint": "the suite was not named"},
        reasons={"beta:unit": ("changed: libs/beta/x.py",)}, notes=("the store is full",),
    )  # fmt: skip
    assert (
        "\n".join(verdict_lines(summary))
        == """
FAIL  beta:unit (1 failed, 1 passed) in 2.0 s
  ran because: changed: libs/beta/x.py
  tests/test_it.py::test_sum[a b]: assert 2 == 3
    def test_sum():
    >   assert 2 == 3
    rerun: nox -s unit -- beta -- 'tests/test_it.py::test_sum[a b]'

FAIL  beta:lint in 0.2 s
  libs/beta/x.py:3:8: error: unused [F401]
  error: a ring [cycle]
  rerun: nox -s lint -- beta

ERROR gamma:unit - crashed with SIGSEGV in 0.1 s
    one
    two
  rerun: nox -s unit -- gamma

mend what can be mended: nox -s fix -- beta
skipped: delta:unit: Python 3.12 was not found
not run: omega:unit: needs beta:lint, which did not pass
not selected: alpha:lint: the suite was not named
note: the store is full
unit         1 of 5 passed, 3.1 s of work
lint         0 of 1 passed, 0.2 s of work
ERROR: 6 tasks, 2 failed, 1 error, 1 not run, 1 skipped, 0 from cache, tests: 1 failed, 4 passed \
in 12 s"""
    )


@pytest.mark.parametrize(
    ("ended", "interrupted", "verdict"),
    [
        ([PASSED, REPLAYED], False, "pass"),
        ([PASSED, SKIPPED], False, "pass"),
        ([PASSED], True, "inconclusive"),
        ([PASSED, NOT_RUN], False, "inconclusive"),
        ([SKIPPED], False, "inconclusive"),
        ([PASSED, FAILED, NOT_RUN], True, "fail"),
        ([FAILED, CRASHED], False, "error"),
        ([], False, "pass"),
    ],
)
def test_verdict_of_outcomes(
    summarize: Summarize, ended: list[TaskResult], verdict: str, *, interrupted: bool
) -> None:
    """Only a run in which something was selected, and all that could run passed, is a pass."""
    named = [TaskResult(f"p{n}:unit", item.outcome) for n, item in enumerate(ended)]
    assert summarize(*named, interrupted=interrupted).verdict.value == verdict


def test_empty_run_says_so(summarize: Summarize) -> None:
    """A run that selected nothing says that in its verdict."""
    assert last_line(summarize()) == "PASS (empty): nothing was selected in 12 s"


def test_replayed_results_are_counted(summarize: Summarize) -> None:
    """Results from the store are counted, and their time is no work of this run."""
    lines = list(verdict_lines(summarize(REPLAYED)))
    assert lines[-2:] == [
        "unit         1 of 1 passed, 1 from cache",
        "PASS: 1 task, 1 from cache, tests: 3 passed in 12 s",
    ]


def test_warning_of_a_pass_is_told_once(summarize: Summarize) -> None:
    """A warning of a task that passed is told when it ran, and not again from the store."""
    warning = Finding("a.py", "careful", severity=Severity.WARNING, line=2)
    result = TaskResult("alpha:lint", Outcome.PASS, findings=(warning,))
    line = "alpha:lint: a.py:2: warning: careful"
    assert line in list(verdict_lines(summarize(result)))
    assert line not in list(verdict_lines(summarize(result.replayed())))


def test_long_lists_are_cut(summarize: Summarize) -> None:
    """Of many findings thirty are told, of a long log its end, and of many names the first two."""
    many = tuple(Finding(f"{number}.py", "bad") for number in range(35))
    crashed = TaskResult("beta:unit", Outcome.ERROR, log="\n".join(map(str, range(100))))
    summary = summarize(
        TaskResult("alpha:lint", Outcome.FAIL, findings=many), crashed,
        left_out={f"p{number}:unit": "the package was not named" for number in range(9)},
    )  # fmt: skip
    lines = list(verdict_lines(summary))
    assert "  ... and 5 more" in lines
    assert "    99" in lines
    assert "    59" not in lines
    assert "not selected: 9 tasks (p0:unit, p1:unit, ...): the package was not named" in lines


@pytest.mark.parametrize(
    ("ended", "line"),
    [
        ([PASSED], "3 passed in 12.34s"),
        ([PASSED, FAILED, CRASHED], "1 failed, 4 passed, 1 error in 12.34s"),
        ([SKIPPED], "no tests ran in 12.34s"),
    ],
)
def test_pytest_line(summarize: Summarize, ended: list[TaskResult], line: str) -> None:
    """All tests together are counted as pytest counts; a task that broke is an error."""
    assert pytest_line(summarize(*ended)) == line
