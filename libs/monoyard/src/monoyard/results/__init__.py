"""What tasks and runs come to: values without behaviour, shared by all rooms above."""

from monoyard.results.security import SEVERITIES, SecurityFinding, merge_findings
from monoyard.results.timing import Phases, Span, duration
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
    "Phases",
    "SecurityFinding",
    "Severity",
    "Span",
    "TaskResult",
    "TestCase",
    "TestCounts",
    "Verdict",
    "duration",
    "merge_findings",
]
