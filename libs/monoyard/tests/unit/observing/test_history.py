"""Which tasks have to end alike from one commit to the next, and what it means if they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monoyard.observing import Commit, Outlook, Steps
from monoyard.report.histories import history_data, history_lines
from monoyard.results import Outcome, TaskResult

if TYPE_CHECKING:
    from monoyard.observing import Judged, Pair, Results

PASS, FAIL, ERROR, SKIP = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.SKIP


def outlook(number: int, there: str, affected: str = "", **more: object) -> Outlook:
    """Return what is said of a commit, tasks by their names with spaces between."""
    commit = Commit(f"{number}" * 40, f"{number - 1}" * 40, f"change {number}")
    sets = {"there": frozenset(there.split()), "affected": frozenset(affected.split())}
    return Outlook(commit, **{**sets, **more}, changed=("a/data.txt",))  # type: ignore[arg-type]


def ended(**outcomes: Outcome | None) -> Results:
    """Return how tasks ended; None for one that does not exist."""
    return {
        name: TaskResult(name, outcome, log=f"{name} said {outcome.value}\n")
        for name, outcome in outcomes.items()
        if outcome is not None
    }


def judge(before: Results, after: Results, pair: Pair | None = None, **more: object) -> Judged:
    """Judge a step from `a b` that affects `a`; where it runs again it ends as `pair` says."""
    steps = Steps([outlook(1, "a b"), outlook(2, "a b c", "a c", **more)])
    asked: list[frozenset[str]] = []

    def again(tasks: frozenset[str]) -> Pair:
        asked.append(tasks)
        return pair or (before, after)

    judged = steps.judge(1, before, after, again)
    seen = {item.task for item in (*judged.found, *judged.unstable)}
    assert asked == ([frozenset(seen)] if seen else []), "only what differs runs again"
    return judged


def test_each_task_runs_once_at_a_commit() -> None:
    """It runs for the step to the commit and for the one from it; what is affected does not."""
    steps = Steps([
        outlook(1, "a b c"), outlook(2, "a b c", "a"), outlook(3, "a b c", "a b c"),
        outlook(4, "a b c d", "a b"),
    ])  # fmt: skip
    ran = [" ".join(sorted(steps.to_run(number))) for number in range(4)]
    assert ran == ["b c", "b c", "c", "c d"]


def test_no_step_is_judged_where_the_repository_cannot_be_read() -> None:
    """A commit with faults is compared with neither of its neighbours."""
    steps = Steps([outlook(1, "a"), outlook(2, "", problem="faults"), outlook(3, "a")])
    assert [steps.to_run(number) for number in range(3)] == [frozenset()] * 3


def test_what_cannot_run_before_is_not_compared() -> None:
    """A task that was skipped on the older side has nothing to be held against."""
    steps = Steps([outlook(1, "a", skipped={"b": "no interpreter"}), outlook(2, "a b")])
    assert steps.compared(1) == {"a"}


@pytest.mark.parametrize(
    ("before", "after", "words", "lines"),
    [
        (PASS, FAIL, ("pass", "fail"), ["b said fail"]),
        (PASS, ERROR, ("pass", "error"), ["b said error"]),
        (FAIL, PASS, ("fail", "pass"), ["b said fail"]),
        (PASS, SKIP, ("pass", "skip"), ["b said skip"]),
        (SKIP, FAIL, ("skip", "fail"), ["b said fail"]),
        (None, FAIL, ("absent", "fail"), ["b said fail"]),
        (None, PASS, ("absent", "pass"), []),
    ],
)
def test_a_task_outside_that_ends_otherwise_is_found(
    before: Outcome | None, after: Outcome, words: tuple[str, str], lines: list[str]
) -> None:
    """In either direction, with both verdicts and the last lines of the side that failed."""
    judged = judge(ended(b=before), ended(b=after))
    (found,) = judged.found
    assert (found.task, found.before, found.after, found.commit.id) == ("b", *words, "2" * 40)
    assert judged.unstable == ()
    (data,) = history_data([judged])["findings"]
    assert (data["rule"], data["lines"]) == ("outside-affected", lines)


@pytest.mark.parametrize(
    ("before", "after"), [(PASS, PASS), (FAIL, FAIL), (FAIL, ERROR), (SKIP, SKIP)]
)
def test_what_ends_alike_is_no_finding(before: Outcome, after: Outcome) -> None:
    """A task that fails on both sides is named, because nothing is shown of it."""
    judged = judge(ended(b=before), ended(b=after))
    assert (judged.found, judged.unstable, judged.compared) == ((), (), 1)
    assert judged.failing == (("b",) if before is FAIL else ())
    told = list(history_lines([judged]))
    assert told[-1] == (
        "PASS: 1 commit, 1 comparison, nothing ended otherwise outside of what was affected"
    )
    assert any("failed on both sides: b" in line for line in told) is (before is FAIL)


def test_an_affected_task_may_end_otherwise() -> None:
    """What the engine said to be affected is not held against anything."""
    judged = judge(ended(a=PASS, b=PASS), ended(a=FAIL, b=PASS, c=FAIL))
    assert (judged.found, judged.unstable) == ((), ())


@pytest.mark.parametrize(
    ("old", "new"), [(PASS, PASS), (FAIL, FAIL), (FAIL, PASS)], ids=["fails once", "broken", "both"]
)
def test_what_does_not_repeat_itself_is_unstable(old: Outcome, new: Outcome) -> None:
    """Only a difference that is the same when both sides run again is a finding."""
    judged = judge(ended(b=PASS), ended(b=FAIL), (ended(b=old), ended(b=new)))
    assert judged.found == ()
    (item,) = judged.unstable
    assert (item.task, item.before, item.after) == ("b", "pass", "fail")
    told = list(history_lines([judged]))
    assert told[0].startswith("unstable: b at 222222222222 (change 2): pass -> fail")
    assert told[-1].startswith("PASS: ")


def test_another_kind_of_failure_repeats_the_difference() -> None:
    """A task that fails once and breaks down once has twice not passed."""
    judged = judge(ended(b=PASS), ended(b=FAIL), (ended(b=PASS), ended(b=ERROR)))
    assert [item.task for item in judged.found] == ["b"]


def test_what_reads_the_base_may_pass_again() -> None:
    """It failed against the commit before; that it begins to fail counts all the same."""
    reads = frozenset({"b"})
    assert judge(ended(b=FAIL), ended(b=PASS), reads_base=reads).found == ()
    assert len(judge(ended(b=PASS), ended(b=FAIL), reads_base=reads).found) == 1


def test_nothing_compared_is_said() -> None:
    """An audit in which everything was affected does not look like a proof."""
    steps = Steps([outlook(1, "a"), outlook(2, "a", "a")])
    judged = steps.judge(1, {}, {}, lambda _: ({}, {}))
    assert list(history_lines([judged])) == [
        "PASS (empty): 1 commit, 0 comparisons: there was no task outside of what was affected"
    ]
