"""What a run came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from monoyard.plan import Plan
from monoyard.results import Outcome, TaskResult, TestCounts, Verdict
from monoyard.run.flaky import FlakyTask
from monoyard.run.timeline import Timeline


@dataclass(frozen=True)
class RunSummary:
    """The end of a run.

    Attributes:
        run_id: Name of its record.
        plan: What was planned.
        results: Task id to result, for every selected task.
        seconds: Wall time.
        interrupted: SIGINT or SIGTERM ended it.
        reasons: Task id to why it had to run, for those that did.
        notes: What a person should know: the store, files that changed while tasks ran.
        flaky: Tasks that ended otherwise under the same key, in this run or before.
        timeline: What ran when.
    """

    run_id: str
    plan: Plan
    results: Mapping[str, TaskResult]
    seconds: float
    interrupted: bool
    reasons: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    flaky: tuple[FlakyTask, ...] = ()
    timeline: Timeline = field(default_factory=Timeline)

    @property
    def verdict(self) -> Verdict:
        """`pass` only where something was selected and everything that could run passed."""
        outcomes = {result.outcome for result in self.results.values()}
        if Outcome.ERROR in outcomes:
            return Verdict.ERROR
        if Outcome.FAIL in outcomes:
            return Verdict.FAIL
        if self.interrupted or Outcome.NOT_RUN in outcomes:
            return Verdict.INCONCLUSIVE
        if outcomes == {Outcome.SKIP}:
            return Verdict.INCONCLUSIVE
        return Verdict.PASS

    @property
    def tests(self) -> TestCounts:
        """Tests of all tasks together."""
        counts = TestCounts()
        for result in self.results.values():
            if result.tests is not None:
                counts += result.tests
        return counts

    def to_data(self) -> dict[str, Any]:
        """Return the run as JSON-able data."""
        return {
            "schema": "https://monoyard.dev/schemas/run.json",
            "version": 1,
            "run": self.run_id,
            "verdict": self.verdict.value,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "notes": list(self.notes),
            "flaky": [asdict(item) for item in self.flaky],
            "plan": self.plan.to_data(),
            "results": [
                {**result.to_data(), "why": list(self.reasons.get(result.task, ()))}
                for result in self.results.values()
            ],
        }
