"""Tasks that fail and run once more."""

from typing import TYPE_CHECKING

import pytest

from monoyard import results
from monoyard.results import Outcome, TaskResult
from monoyard.run import AttemptFailed, TaskEnded

if TYPE_CHECKING:
    from .conftest import Bench

# Fails as often as told, and then passes: each attempt leaves a file.
UNSTEADY = (
    "mkdir -p attempts.{name}; n=$(ls attempts.{name} | wc -l); touch attempts.{name}/$n; "
    "[ $n -ge {failures} ]"
)


def unsteady(name: str, failures: int) -> str:
    """Return a script that fails that often before it passes."""
    return UNSTEADY.format(name=name, failures=failures)


def test_pass_after_failures_is_flaky(bench: "Bench") -> None:
    """A task that passes in its third attempt has passed, with both failures beside it."""
    result = bench.run(bench.task("a", unsteady("a", 2)), retries=2)["a:unit"]
    assert (result.outcome, result.is_flaky) == (Outcome.PASS, True)
    assert [attempt.outcome for attempt in result.earlier] == [Outcome.FAIL, Outcome.FAIL]
    told = [event for event in bench.events if isinstance(event, AttemptFailed | TaskEnded)]
    assert [type(event) for event in told] == [AttemptFailed, AttemptFailed, TaskEnded]
    assert [event.left for event in told if isinstance(event, AttemptFailed)] == [2, 1]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_failure_stays_one(bench: "Bench", retries: int) -> None:
    """A task that passes in no attempt fails, after as many as were asked for."""
    result = bench.run(bench.task("a", "exit 1"), retries=retries)["a:unit"]
    assert (result.outcome, result.is_flaky) == (Outcome.FAIL, False)
    assert len(result.earlier) == retries


def test_steady_task_runs_once(bench: "Bench") -> None:
    """What passes at once is not flaky, and does not run again."""
    result = bench.run(bench.task("a"), retries=3)["a:unit"]
    assert (result.is_flaky, result.earlier, bench.story) == (False, (), ["+a", "-a"])


def test_followers_wait_for_the_last_attempt(bench: "Bench") -> None:
    """What needs a flaky task starts when it has passed, and not after its failure."""
    tasks = (bench.task("next", "true", "a"), bench.task("a", unsteady("a", 1)))
    assert bench.outcomes(*tasks, retries=1) == {"a": "pass", "next": "pass"}
    assert bench.story == ["+a", "+a", "-a", "+next", "-next"]


def test_fail_fast_counts_the_last_attempt(bench: "Bench") -> None:
    """A failure stops the run when no attempt is left, and not before."""
    tasks = (bench.task("a", unsteady("a", 1)), bench.task("b", "exit 1", "a"),
             bench.task("c", "true", "b"))  # fmt: skip
    ended = bench.run(*tasks, retries=1, fail_fast=True)
    assert ended["a:unit"].is_flaky
    assert len(ended["b:unit"].earlier) == 1
    assert ended["c:unit"].outcome is Outcome.NOT_RUN


def test_crash_is_tried_again(bench: "Bench") -> None:
    """A process that dies is tried again like one that fails."""
    crash = f"{unsteady('a', 1)} || kill -SEGV $$"
    result = bench.run(bench.task("a", crash), retries=1)["a:unit"]
    assert (result.is_flaky, result.earlier[0].outcome) == (True, Outcome.ERROR)


def test_nothing_is_tried_again_in_a_run_that_stops(bench: "Bench") -> None:
    """A task that is stopped after another one's last failure is not run, and not tried again."""
    tasks = (bench.task("bad", "exit 1"), bench.task("slow", "sleep 600"))
    ended = bench.run(*tasks, retries=1, fail_fast=True)
    assert len(ended["bad:unit"].earlier) == 1
    assert (ended["slow:unit"].outcome, ended["slow:unit"].earlier) == (Outcome.NOT_RUN, ())


def test_flaky_tests_are_those_that_failed_and_then_did_not() -> None:
    """Of the tests that failed once, those that fail in the last attempt are not flaky."""
    one, two, skipped = (
        results.TestCase(f"t.py::{name}", outcome)
        for name, outcome in (("one", Outcome.FAIL), ("two", Outcome.ERROR), ("x", Outcome.SKIP))
    )
    first = TaskResult(
        "a:unit", Outcome.FAIL, tests=results.TestCounts(failed=2), cases=(one, two, skipped)
    )
    last = TaskResult(
        "a:unit",
        Outcome.FAIL,
        tests=results.TestCounts(1, 1),
        cases=(two, skipped),
        earlier=(first, first),
    )
    assert (last.is_flaky, last.flaky_cases) == (False, (one,))
    crashed = TaskResult("a:unit", Outcome.ERROR, earlier=(first,))
    assert crashed.flaky_cases == ()
    assert TaskResult.from_data(last.to_data()) == last
