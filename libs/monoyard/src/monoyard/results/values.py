"""Outcomes, findings and test cases, with their JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a task ended.

    `error` means that the check could not be made (a crash, a missing tool), `fail` that it was
    made and found something. Neither a skip nor a task that was not run ever counts as a pass.
    """

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    ERROR = "error"
    SKIP = "skip"
    NOT_RUN = "not-run"


class Verdict(StrEnum):
    """How a whole run ended."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Severity(StrEnum):
    """How much a finding weighs: a warning never fails a task."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check says about a place in the code.

    Attributes:
        path: From the top of the repository; empty where it concerns no file.
        message: One sentence.
        rule: The tool's name for the rule.
        line: From 1; 0 for the whole file.
        column: From 1; 0 for the whole line.
        severity: Whether it fails the task.
        is_fixable: `nox -s fix` can mend it.
    """

    path: str
    message: str
    rule: str = ""
    line: int = 0
    column: int = 0
    severity: Severity = Severity.ERROR
    is_fixable: bool = False


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test that did not pass.

    Attributes:
        name: pytest's node id, or the tool's full name of the test.
        outcome: `fail`, `error` or `skip`.
        message: The reason, shortened by the tool.
        path: File from the top of the repository; may be empty.
        line: From 1; 0 where unknown.
        details: The tool's own report of the failure.
    """

    name: str
    outcome: Outcome
    message: str = ""
    path: str = ""
    line: int = 0
    details: str = ""


@dataclass(frozen=True, slots=True)
class TestCounts:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0

    def __add__(self, other: TestCounts) -> TestCounts:
        return TestCounts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.errors + other.errors,
            self.skipped + other.skipped,
        )

    @property
    def total(self) -> int:
        """All tests that were collected and reported."""
        return self.passed + self.failed + self.errors + self.skipped


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How one task ended.

    Attributes:
        task: Task id, such as `api:unit`.
        outcome: How it ended.
        reason: Why it was skipped, not run, or could not be made; a short line otherwise empty.
        seconds: Wall time of the task itself; its share where it ran in a batch.
        findings: What the check says of the code.
        tests: Counts, for suites of tests.
        cases: Tests that did not pass (skips included).
        log: What the tool printed, shortened.
        is_cached: Replayed from the store.
        max_rss: Peak memory in bytes; 0 where unknown.
        files: Name to path of what the task made (JUnit, coverage), for artifacts.
        earlier: The results of earlier attempts in the same run, none of which passed.
    """

    task: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    tests: TestCounts | None = None
    cases: tuple[TestCase, ...] = ()
    log: str = ""
    is_cached: bool = False
    max_rss: int = 0
    files: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[TaskResult, ...] = ()

    @property
    def is_flaky(self) -> bool:
        """Whether it passed only after it had failed in the same run."""
        return self.outcome is Outcome.PASS and bool(self.earlier)

    @property
    def flaky_cases(self) -> tuple[TestCase, ...]:
        """Tests that failed in an earlier attempt and not in the last, each as it failed first."""
        if self.tests is None:  # the last attempt does not say which tests passed
            return ()
        still = {case.name for case in self.cases}
        found: dict[str, TestCase] = {}
        for attempt in self.earlier:
            for case in attempt.cases:
                if case.outcome is not Outcome.SKIP and case.name not in still:
                    found.setdefault(case.name, case)
        return tuple(found.values())

    def to_data(self) -> dict[str, Any]:
        """Return the result as JSON-able data."""
        return {
            "task": self.task,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "seconds": self.seconds,
            "findings": [asdict(finding) for finding in self.findings],
            "tests": asdict(self.tests) if self.tests else None,
            "cases": [asdict(case) for case in self.cases],
            "log": self.log,
            "is_cached": self.is_cached,
            "max_rss": self.max_rss,
            "files": dict(self.files),
            "earlier": [attempt.to_data() for attempt in self.earlier],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> TaskResult:
        """Rebuild a result.

        Raises:
            KeyError, TypeError, ValueError: The data has another shape.
        """
        values = dict(data)
        values["outcome"] = Outcome(values["outcome"])
        values["findings"] = tuple(
            Finding(**{**item, "severity": Severity(item["severity"])})
            for item in values["findings"]
        )
        values["cases"] = tuple(
            TestCase(**{**item, "outcome": Outcome(item["outcome"])}) for item in values["cases"]
        )
        values["earlier"] = tuple(cls.from_data(item) for item in values["earlier"])
        values["tests"] = TestCounts(**values["tests"]) if values["tests"] else None
        return cls(**values)

    def replayed(self) -> TaskResult:
        """Return the result marked as coming from the store."""
        return replace(self, is_cached=True)
