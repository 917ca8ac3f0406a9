"""`nox -s fix`: mends what lint can mend, in all packages or the named ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from monoyard.bindings.arguments import HELP, Arguments, refuse_audit
from monoyard.bindings.checks import Checks
from monoyard.errors import ChecksFailedError, UsageError
from monoyard.plan import Task
from monoyard.process import Command, run_in_foreground
from monoyard.run import BatchSurroundings, Machinery
from monoyard.suites import EXECUTORS, CommandWork, LintWork, Step, command_steps, fix_steps


def fix(directory: Path, arguments: Arguments) -> None:
    """Run the mending commands of every selected package, in the foreground.

    Raises:
        UsageError: A name is no package, or words for a tool or `--audit` were given.
        ChecksFailedError: Something is left that has to be mended by hand.
    """
    if arguments.wants_help:
        print(HELP, end="")
        return
    if arguments.tool is not None:
        raise UsageError("`fix` has no tool of its own to hand words to")
    refuse_audit(arguments, "fix", "what it runs has no key")
    checks = Checks(directory)
    plan = checks.engine.plan(checks.engine.selection(arguments, ("lint",)))
    tasks = [planned.task for planned in plan.selected if not planned.task.skip]
    machinery = checks.machinery(plan, arguments)
    scratch = checks.records.begin(checks.records.new_id(time.time()))
    around = BatchSurroundings(machinery, scratch, 1)
    left = [
        step for step in _steps(tasks, machinery, around)
        if run_in_foreground(Command(step.argv, step.cwd, step.env)) != 0
    ]  # fmt: skip
    if left:
        raise ChecksFailedError("something is left that has to be mended by hand")


def _steps(tasks: Sequence[Task], machinery: Machinery, around: BatchSurroundings) -> list[Step]:
    python = [task for task in tasks if isinstance(task.work, LintWork)]
    steps = []
    if python:
        machinery.prepare(EXECUTORS[LintWork].needs(python), around.scratch)
        steps += fix_steps(python, around)
    for task in tasks:
        if isinstance(task.work, CommandWork) and task.work.fix:
            machinery.prepare(EXECUTORS[CommandWork].needs([task]), around.scratch)
            steps += command_steps(task.work, around, task.work.fix)
    return steps
