"""Tests of several packages in one process (`isolation = "shared"`): whose result is whose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from monoyard.plan import Task
from monoyard.results import Outcome, TaskResult
from monoyard.suites.execution import Finished, Interpretation
from monoyard.tools import pytest

_WHOLE = {0, pytest.FAILED, pytest.NOTHING_COLLECTED}


def join_paths(directory: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return a package's paths as they are called from the repository's root."""
    return tuple(f"{directory}/{path}" if directory else path for path in paths)


def divide(
    tasks: Sequence[Task], directories: Mapping[str, str], report: Path, finished: Finished
) -> Interpretation:
    """Give each task its tests of a common report.

    Args:
        tasks: Who shared the process.
        directories: Task id to the package's directory.
        report: The JUnit report; may be missing.
        finished: The process.

    Returns:
        The results; or, where the process did not come to its end, its report is not whole or no
        test in it accounts for the failure, the tasks one by one: nobody pays for another's crash.
    """
    is_whole = finished.exit.status in _WHOLE and not finished.exit.is_cut_short
    parts = None
    if is_whole and report.exists():
        parts = pytest.split_junit(report.read_bytes(), sorted(directories.values()))
    one_by_one = Interpretation({}, tuple((task,) for task in tasks))
    if parts is None:
        return one_by_one
    results = {
        task.id: _result(task.id, directories[task.id], parts, report.parent, finished)
        for task in tasks
    }
    failed = any(result.outcome is Outcome.FAIL for result in results.values())
    is_explained = failed or finished.exit.status != pytest.FAILED
    return Interpretation(results) if is_explained else one_by_one


def _result(
    task: str, directory: str, parts: Mapping[str, bytes], place: Path, finished: Finished
) -> TaskResult:
    own = place / f"{directory.replace('/', '.')}.xml"
    own.write_bytes(parts[directory])
    counts, cases = pytest.parse_junit(parts[directory], f"{directory}/" if directory else "") or (
        None, (),
    )  # fmt: skip
    if counts is None or not counts.total:
        return TaskResult(task, Outcome.SKIP, "no tests were collected")
    passed = not counts.failed and not counts.errors
    return TaskResult(
        task, Outcome.PASS if passed else Outcome.FAIL, "", pytest.junit_seconds(parts[directory]),
        findings=finished.warnings, tests=counts, cases=cases, max_rss=finished.exit.max_rss,
        files={"junit": str(own)},
    )  # fmt: skip
