"""Says what happens and what came of it: subscribers of run events, and the plan in print."""

from monoyard.report.coverage import PackageCoverage, coverage_lines, measure_coverage
from monoyard.report.github import annotation_lines, write_summary
from monoyard.report.junit import junit_document, write_junit
from monoyard.report.plain import PlainReport
from monoyard.report.plans import (
    affected_lines,
    explain_lines,
    graph_dot,
    graph_mermaid,
    plan_lines,
)
from monoyard.report.verdict import last_line, pytest_line, verdict_lines

__all__ = [
    "PackageCoverage",
    "PlainReport",
    "affected_lines",
    "annotation_lines",
    "coverage_lines",
    "explain_lines",
    "graph_dot",
    "graph_mermaid",
    "junit_document",
    "last_line",
    "measure_coverage",
    "plan_lines",
    "pytest_line",
    "verdict_lines",
    "write_junit",
    "write_summary",
]
