"""The attempts of tasks that may run more than once."""

from __future__ import annotations

from dataclasses import replace

from monoyard.results import Outcome, Severity, TaskResult


class Attempts:
    """What tasks came to before they ran once more.

    Args:
        retries: How often a task that did not pass runs once more.
    """

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._earlier: dict[str, tuple[TaskResult, ...]] = {}

    def allow_another(self, result: TaskResult) -> bool:
        """Say whether another attempt may come to something else: what a tool found stays so."""
        is_found = any(finding.severity is Severity.ERROR for finding in result.findings)
        has_failed = result.outcome in {Outcome.FAIL, Outcome.ERROR} and not is_found
        return has_failed and self._left(result) > 0

    def note(self, result: TaskResult) -> int:
        """Keep a result that is not the last one of its task; return how many attempts are left."""
        left = self._left(result)
        self._earlier[result.task] = (*self._earlier.get(result.task, ()), result)
        return left

    def with_earlier(self, result: TaskResult) -> TaskResult:
        """Return the last result of a task, which tells of the attempts before it."""
        return replace(result, earlier=self._earlier.get(result.task, ()))

    def _left(self, result: TaskResult) -> int:
        return self._retries - len(self._earlier.get(result.task, ()))
