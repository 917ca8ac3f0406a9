"""What tasks and runs come to: values without behaviour, shared by all rooms above."""

from monoyard.results.values import (
    Finding,
    Outcome,
    Severity,
    TaskResult,
    TestCase,
    TestCounts,
    Verdict,
)

__all__ = [
    "Finding",
    "Outcome",
    "Severity",
    "TaskResult",
    "TestCase",
    "TestCounts",
    "Verdict",
]
