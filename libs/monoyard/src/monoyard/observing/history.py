"""Whether what a commit does not affect ends as it did before that commit.

The proof is about the steps from one commit to the next along first parents. In each, a task that
no change affects has to pass on both sides, or on neither. Only such tasks have to run, each once
at a commit: what ended there is the end of the step to it and the beginning of the next. So a
step that affects everything costs nothing by itself, and steps are never taken together: a change
that breaks something and one that mends it would cancel out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from monoyard.plan import Plan, State
from monoyard.results import Outcome, TaskResult

Results = Mapping[str, TaskResult]
"""Task to how it ended at a commit; one that does not exist there is missing."""
Pair = tuple[Results, Results]
"""How tasks ended at the two ends of a step."""

ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit.

    Attributes:
        id: Its id.
        parent: Its first parent; empty where it has none, or where this clone ends.
        subject: The first line of its message.
    """

    id: str
    parent: str
    subject: str

    def __str__(self) -> str:
        return f"{self.id[:12]} ({self.subject})"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the engine says of the step from a commit's parent to it, before anything runs.

    Attributes:
        commit: The commit.
        problem: Why nothing can be said; then there are no tasks.
        there: Tasks that are selected and can run.
        affected: Those of them that the step affects.
        reads_base: Those that read files of the commit before.
        skipped: Task to why it cannot run on this machine.
        changed: Paths that the step changed.
    """

    commit: Commit
    problem: str = ""
    there: frozenset[str] = frozenset()
    affected: frozenset[str] = frozenset()
    reads_base: frozenset[str] = frozenset()
    skipped: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()

    @classmethod
    def of(cls, commit: Commit, plan: Plan) -> Outlook:
        """Return what a plan says in which everything that is asked for is selected."""
        planned = plan.in_state(State.RUN)
        return cls(
            commit,
            there=frozenset(item.task.id for item in planned),
            affected=frozenset(item.task.id for item in planned if item.causes),
            reads_base=frozenset(item.task.id for item in planned if item.task.inputs.base_files),
            skipped={item.task.id: item.reason for item in plan.in_state(State.SKIP)},
            changed=tuple(sorted(plan.changed)),
        )

    @property
    def outside(self) -> frozenset[str]:
        """Tasks that the step does not affect."""
        return self.there - self.affected


@dataclass(frozen=True, slots=True)
class Difference:
    """A task that a step does not affect, and that ended otherwise after it all the same.

    Attributes:
        task: Its id.
        commit: The commit that the step leads to.
        before: How it ended at the commit before.
        after: How it ended at the commit.
        changed: Paths that the step changed.
        failure: What is said of the side that did not pass; the newer one where none did.
    """

    task: str
    commit: Commit
    before: str
    after: str
    changed: tuple[str, ...]
    failure: TaskResult | None

    @property
    def direction(self) -> tuple[str, str, str]:
        """What has to repeat itself to be believed."""
        return (self.task, _weight(self.before), _weight(self.after))


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a step.

    Attributes:
        outlook: What was said of it before.
        compared: How many tasks ran on both sides of it, or are new and outside.
        failing: Those that passed on neither side: of them nothing is shown.
        found: Those that ended otherwise, twice.
        unstable: Those that ended otherwise once, and not when both sides ran again.
    """

    outlook: Outlook
    compared: int = 0
    failing: tuple[str, ...] = ()
    found: tuple[Difference, ...] = ()
    unstable: tuple[Difference, ...] = ()


class Steps:
    """The steps of a piece of history.

    Args:
        outlooks: Of its commits, the oldest first; the first is only where the first step begins.
    """

    def __init__(self, outlooks: Sequence[Outlook]) -> None:
        self._outlooks = outlooks

    def compared(self, number: int) -> frozenset[str]:
        """Return the tasks that are to end alike on both sides of the step to a commit.

        One that only the commit has is among them, although no change is said to affect it. One
        that only its parent has is not: what does not exist cannot fail. Nothing is said of a step
        at one end of which the repository cannot be read.
        """
        if number == 0:
            return frozenset()
        before, after = self._outlooks[number - 1 : number + 1]
        if before.problem or after.problem:
            return frozenset()
        return after.outside - before.skipped.keys()

    def to_run(self, number: int) -> frozenset[str]:
        """Return the tasks that have to run at a commit, for the steps to it and from it."""
        to_it = self.compared(number)
        from_it = self.compared(number + 1) if number + 1 < len(self._outlooks) else frozenset()
        return to_it | (from_it & self._outlooks[number].there)

    def differences(self, number: int, before: Results, after: Results) -> Iterator[Difference]:
        """Yield the tasks that ended otherwise on one side of the step to a commit.

        Args:
            number: Which commit.
            before: How tasks ended at the one before.
            after: How they ended at it.
        """
        outlook = self._outlooks[number]
        for task in sorted(self.compared(number)):
            old, new = before.get(task), after.get(task)
            if not _is_alike(old, new, reads_base=task in outlook.reads_base):
                failure = old if _word(new) == Outcome.PASS else new
                yield Difference(
                    task, outlook.commit, _word(old), _word(new), outlook.changed, failure
                )

    def judge(
        self, number: int, before: Results, after: Results, again: Callable[[frozenset[str]], Pair]
    ) -> Judged:
        """Judge the step to a commit.

        Args:
            number: Which commit.
            before: How tasks ended at the one before.
            after: How they ended at it.
            again: Runs tasks once more, at the one before and at it.
        """
        compared = self.compared(number)
        seen = tuple(self.differences(number, before, after))
        repeated: set[tuple[str, str, str]] = set()
        if seen:
            pair = again(frozenset(item.task for item in seen))
            repeated = {item.direction for item in self.differences(number, *pair)}
        failing = (
            task for task in sorted(compared)
            if {_weight(_word(side.get(task))) for side in (before, after)} == {Outcome.FAIL}
        )  # fmt: skip
        return Judged(
            self._outlooks[number], len(compared), tuple(failing),
            tuple(item for item in seen if item.direction in repeated),
            tuple(item for item in seen if item.direction not in repeated),
        )  # fmt: skip


def _is_alike(old: TaskResult | None, new: TaskResult | None, *, reads_base: bool) -> bool:
    before, after = _word(old), _word(new)
    # What was held against the commit before that one, and failed, is held against another now.
    return _weight(before) == _weight(after) or (reads_base and _weight(before) is Outcome.FAIL)


def _weight(word: str) -> str:
    """Return a word for all that come to the same: a check that breaks down is not passed."""
    return Outcome.FAIL if word == Outcome.ERROR else word


def _word(result: TaskResult | None) -> str:
    return ABSENT if result is None else result.outcome
