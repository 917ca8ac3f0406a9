"""`nox -s tests`: every pytest suite, measured, with one closing line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monoyard.bindings.arguments import HELP, Arguments
from monoyard.bindings.checks import Checks
from monoyard.errors import ChecksFailedError
from monoyard.report.verdict import pytest_line
from monoyard.suites import TestWork


def run_all_tests(directory: Path, arguments: Arguments) -> None:
    """Run `unit`, `integration` and `contract` of all Python packages, `tests/` included.

    What passed with the same key is replayed as everywhere; `--no-cache` runs it all. The last
    line has pytest's form, for tools that read it.

    Raises:
        ChecksFailedError: A test did not pass, or there was none.
    """
    if arguments.wants_help:
        print(HELP, end="")
        return
    checks = Checks(directory)
    summary = checks.run(
        replace(arguments, coverage=True),
        keep=lambda task: isinstance(task.work, TestWork),
        closing=pytest_line,
    )
    if summary is not None and not summary.tests.total:
        raise ChecksFailedError("there was no test to run")
