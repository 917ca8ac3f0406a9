"""How each suite of each kind of package becomes tasks and commands, and output becomes results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monoyard.suites.commands import CommandExecutor, CommandWork, command_steps
from monoyard.suites.execution import (
    BULK,
    Executor,
    Finished,
    Interpretation,
    Needs,
    Step,
    Surroundings,
)
from monoyard.suites.lock_slices import WorkspaceLock
from monoyard.suites.python_lint import LintExecutor, LintWork, fix_steps
from monoyard.suites.python_test import TestExecutor, TestWork, test_step
from monoyard.suites.python_type import TypeExecutor, TypeWork
from monoyard.suites.requirements import root_groups, third_party
from monoyard.suites.source import SuiteSource
from monoyard.suites.venvs import Interpreter, Interpreters, VenvSpec
from monoyard.suites.versions import allows

__all__ = [
    "BULK",
    "EXECUTORS",
    "CommandWork",
    "Executor",
    "Finished",
    "Interpretation",
    "Interpreter",
    "Interpreters",
    "LintWork",
    "Needs",
    "Step",
    "SuiteSource",
    "Surroundings",
    "TestExecutor",
    "TestWork",
    "TypeWork",
    "VenvSpec",
    "WorkspaceLock",
    "allows",
    "command_steps",
    "fix_steps",
    "root_groups",
    "test_step",
    "third_party",
]

EXECUTORS: Final[Mapping[type, Executor]] = {
    CommandWork: CommandExecutor(),
    LintWork: LintExecutor(),
    TestWork: TestExecutor(),
    TypeWork: TypeExecutor(),
}
"""Kind of work to what executes it."""
