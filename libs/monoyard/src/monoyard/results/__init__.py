"""What tasks and runs come to: values without behaviour, shared by all rooms above."""

from monoyard.results.security import SEVERITIES, SecurityFinding, merge_findings
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
    "SEVERITIES",
    "Finding",
    "Outcome",
    "SecurityFinding",
    "Severity",
    "TaskResult",
    "TestCase",
    "TestCounts",
    "Verdict",
    "merge_findings",
]
