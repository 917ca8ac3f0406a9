"""Does the steps of a deployment, one after the other, each between its entries in the ledger.

A step is done at most once as far as anybody can see: its effects carry the deployment's number, so
that a step which finds them adopts them instead of doing them again. That is all that resuming
takes: whoever resumes runs the same steps, and those that are done are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from monoyard.delivery.clock import Clock
from monoyard.delivery.cluster import UNREACHABLE
from monoyard.delivery.lease import Lease
from monoyard.delivery.ledger import Ledger, Outcome, Record
from monoyard.errors import ClusterError, DeliveryError, LeaseLostError, MonoyardError

# For an API server that starts anew. While it is gone the Lease bounds it, too.
_PATIENCE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 1.0
# What a record has room for: an entry that it refuses would leave the deployment where it is.
_MOST_LINES: Final = 40
_LONGEST_LINE: Final = 500


class Step(Protocol):
    """A part of a deployment."""

    @property
    def name(self) -> str:
        """As in the ledger: `migrate:api`."""

    def do(self, record: Record) -> Mapping[str, Any]:
        """Have it done, or find that it was, and return what is known of it.

        Args:
            record: The deployment so far; facts of earlier steps are in it.

        Raises:
            MonoyardError: It cannot be done.
        """


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened in a deployment, for whoever watches.

    Attributes:
        step: Name of the step.
        state: `begun`, `done`, `failed`, `waiting`: for a cluster that does not answer; or
            `adopted`: it was done by an earlier runner.
        facts: What is known of it.
    """

    step: str
    state: str
    facts: Mapping[str, Any]


class Runner:
    """Runs the steps of one deployment under a Lease.

    Args:
        ledger: Keeps what was done.
        lease: Held by this runner for all of the time.
        tell: Is told what happens, as it happens.
        clock: Says what time it is, and waits.
    """

    def __init__(
        self, ledger: Ledger, lease: Lease, tell: Callable[[Told], None], clock: Clock
    ) -> None:
        self._ledger = ledger
        self._lease = lease
        self._tell = tell
        self._clock = clock

    def run(
        self, record: Record, steps: Sequence[Step], way_back: Callable[[Record], Sequence[Step]]
    ) -> Record:
        """Do what is left of the steps; where one fails, do what goes back.

        Args:
            record: The deployment, as far as it came.
            steps: All of its steps in order, also those that are done.
            way_back: Returns the steps that undo what the ledger says was begun.

        Returns:
            The closed record: completed or gone back.

        Raises:
            DeliveryError: Going back failed too: somebody has to look.
            LeaseLostError: The environment is not ours any more; nothing was written after that.
        """
        failure = record.failure
        if failure is None:
            record, failure = self._all(record, steps)
        if failure is None:
            return self._ledger.close(self._lease, record, "completed", "")
        record, second = self._all(record, way_back(record))
        outcome: Outcome = "went-back" if second is None else "failed"
        record = self._ledger.close(self._lease, record, outcome, failure)
        if second is not None:
            raise DeliveryError(
                "the deployment failed, and so did going back",
                code="not-back",
                context=(failure, second),
                hint="`invoke status` shows what runs; `invoke deploy --resume` tries again",
            )
        return record

    def _all(self, record: Record, steps: Sequence[Step]) -> tuple[Record, str | None]:
        for step in steps:
            if (entry := record.done(step.name)) is not None:
                self._tell(Told(step.name, "adopted", entry.facts))
                continue
            last = record.last(step.name)
            if last is None or last.state == "failed":
                record = self._ledger.append(self._lease, record, step.name, "intent", {})
            self._tell(Told(step.name, "begun", {}))
            try:
                facts = self._do(step, record)
            except LeaseLostError:
                raise
            except MonoyardError as error:
                facts = _facts_of(error)
                record = self._ledger.append(self._lease, record, step.name, "failed", facts)
                self._tell(Told(step.name, "failed", facts))
                return record, f"{step.name}: {error.message}"
            record = self._ledger.append(self._lease, record, step.name, "done", facts)
            self._tell(Told(step.name, "done", facts))
        return record, None

    def _do(self, step: Step, record: Record) -> Mapping[str, Any]:
        """Do a step; one that lost the cluster on its way finds what it did, and does the rest."""
        until: float | None = None
        while True:
            try:
                return step.do(record)
            except ClusterError as error:
                now = self._clock.now()
                if error.code != UNREACHABLE or (until is not None and now >= until):
                    raise
                if until is None:
                    until = now + _PATIENCE_SECONDS
                    self._tell(Told(step.name, "waiting", {"message": error.message}))
                self._clock.sleep(_PAUSE_SECONDS)
                self._lease.check()


def _facts_of(error: MonoyardError) -> dict[str, Any]:
    facts: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.context:
        facts["context"] = [_cut(line) for line in error.context[-_MOST_LINES:]]
    if error.hint:
        facts["hint"] = error.hint
    return facts


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..."
