"""`lint` of Python packages: ruff over all of them at once, and imports against declarations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monoyard.plan import Task
from monoyard.results import Finding, Outcome, Severity, TaskResult
from monoyard.suites.commands import CommandWork, command_steps, named_tools
from monoyard.suites.execution import Finished, Interpretation, Needs, Step, Surroundings
from monoyard.suites.venvs import VenvSpec
from monoyard.tools import ruff


@dataclass(frozen=True, slots=True)
class LintWork:
    """Lint one package.

    Attributes:
        paths: What ruff is given, from the top.
        venv: Venv that holds ruff, or None for the engine's own pin.
        findings: What the plan already knows: imports inside the workspace against declarations.
        imports: Imported module and one file that imports it, where third-party imports are to be
            held against declarations; the venv must then be the package's own.
        declared: Distributions the package may import.
        also: Further commands of the package's table.
        version: Version of the ruff in the venv, as its lock says.
    """

    paths: tuple[str, ...]
    venv: VenvSpec | None
    findings: tuple[Finding, ...] = ()
    imports: tuple[tuple[str, str], ...] = ()
    declared: frozenset[str] = frozenset()
    also: CommandWork | None = None
    version: str = ""


class LintExecutor:
    """Runs ruff once for all packages that share a version of it."""

    def batch(self, task: Task) -> object:
        """Return the venv: one ruff for all."""
        return ("lint", _work(task).venv)

    def needs(self, tasks: Sequence[Task]) -> Needs:
        """Return ruff's venv, or ruff itself."""
        works = [_work(task) for task in tasks]
        venvs = {work.venv for work in works} | {work.also.venv for work in works if work.also}
        return Needs(
            venvs=tuple(venv for venv in venvs if venv is not None),
            tools=(
                *(() if works[0].venv else ("ruff",)),
                *named_tools(command for also in _also(tasks) for command in also.commands),
            ),
        )

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        """Return the check, the comparison of layouts, then what the tables add."""
        paths = [path for task in tasks for path in _work(task).paths]
        program = _ruff(tasks[0], around)
        environment = around.environment(())
        return [
            Step(around.top, environment, argv=ruff.check(program, paths)),
            Step(
                around.top,
                environment,
                argv=ruff.format_check(program, paths, as_json=_tells_layouts(tasks[0])),
            ),
            *(
                replace(step, is_last_on_failure=False)
                for also in _also(tasks)
                for step in command_steps(also, around)
            ),
        ]

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        """Give each finding to the package whose file it is about.

        Where ruff could not finish, as with settings it cannot read, each half is tried alone.
        """
        owners = _Owners(tasks)
        by_task: dict[str, list[Finding]] = defaultdict(list)
        broken = ""
        logs = _failed_commands(tasks, finished[2:], by_task)
        for number, step in enumerate(finished[:2]):
            found = _found(step, around.top, is_text=number == 1 and not _tells_layouts(tasks[0]))
            if found is None:
                broken = step.text or f"ruff ended with status {step.exit.status}"
                continue
            for finding in found:
                by_task[owners.of(finding.path)].append(finding)
        if broken and len(tasks) > 1:
            middle = len(tasks) // 2
            return Interpretation({}, (tuple(tasks[:middle]), tuple(tasks[middle:])))
        seconds = sum(step.exit.seconds for step in finished) / len(tasks)
        results = {}
        for task in tasks:
            seen = dict.fromkeys(by_task[task.id])  # both steps tell what is no Python
            findings = (*_work(task).findings, *_undeclared(task, around), *seen)
            result = _result(task, findings, broken, seconds)
            results[task.id] = replace(result, log=result.log or logs.get(task.id, ""))
        return Interpretation(results)


def fix_steps(tasks: Sequence[Task], around: Surroundings) -> list[Step]:
    """Return the commands that mend what ruff can mend in the packages of these tasks."""
    paths = [path for task in tasks for path in _work(task).paths]
    program = _ruff(tasks[0], around)
    environment = around.environment(())
    return [Step(around.top, environment, argv=argv) for argv in ruff.fix(program, paths)]


def _result(task: Task, findings: Sequence[Finding], broken: str, seconds: float) -> TaskResult:
    if broken:
        return TaskResult(task.id, Outcome.ERROR, "ruff could not finish", seconds, log=broken)
    fails = any(finding.severity is Severity.ERROR for finding in findings)
    ordered = sorted(findings, key=lambda item: (item.path, item.line, item.column, item.rule))
    return TaskResult(task.id, Outcome.FAIL if fails else Outcome.PASS, "", seconds, tuple(ordered))


def _found(step: Finished, top: Path, *, is_text: bool) -> list[Finding] | None:
    """Return what a step of ruff found, or None where it did not look at every file.

    Its status 2 may mean no more than a syntax error.
    """
    if step.exit.is_cut_short:
        return None
    if is_text:
        return ruff.parse_layouts(step.stdout, step.stderr, step.exit.status)
    found = ruff.parse(step.stdout, str(top))
    if step.exit.status in {0, 1} or any(item.rule == ruff.SYNTAX for item in found or ()):
        return found
    return None


def _tells_layouts(task: Task) -> bool:
    return ruff.tells_layouts_as_json(_work(task).version)


def _also(tasks: Sequence[Task]) -> list[CommandWork]:
    return [also for task in tasks if (also := _work(task).also) is not None]


def _failed_commands(
    tasks: Sequence[Task], finished: Sequence[Finished], by_task: dict[str, list[Finding]]
) -> dict[str, str]:
    """Turn each further command that did not succeed into a finding; return the logs by task."""
    logs = {}
    remaining = iter(finished)
    for task in tasks:
        also = _work(task).also
        for command in also.commands if also else ():
            step = next(remaining, None)  # a run that stops leaves out the last ones
            if problem := _problem(step):
                logs[task.id] = step.text if step else ""
                message = f"`{' '.join(command)}` {problem}"
                by_task[task.id].append(Finding("", message, "command"))
    return logs


def _problem(step: Finished | None) -> str:
    if step is None:
        return "was not run"
    if step.exit.timed_out:
        return f"was stopped after {step.exit.seconds:.0f} s (timeout)"
    return "failed" if step.exit.has_failed else ""


def _undeclared(task: Task, around: Surroundings) -> list[Finding]:
    """Return third-party imports whose distribution the package does not declare."""
    work = _work(task)
    if not work.imports or work.venv is None:
        return []
    providers = around.modules(work.venv)
    found = {}
    for dotted, path in work.imports:
        names = providers.get(dotted.partition(".")[0], ())
        if names and not work.declared.intersection(names):
            message = f"imports `{names[0]}`, which the package does not declare"
            found[names[0], path] = Finding(path, message, "undeclared-dependency")
    return list(found.values())


class _Owners:
    """Finds the task whose paths a file lies in; the longest path wins."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._places = sorted(
            ((path, task.id) for task in tasks for path in _work(task).paths), reverse=True
        )
        self._default = tasks[0].id

    def of(self, path: str) -> str:
        """Return the task id."""
        for place, task in self._places:
            if path == place or path.startswith(place + "/"):
                return task
        return self._default


def _work(task: Task) -> LintWork:
    if not isinstance(task.work, LintWork):
        raise TypeError(f"{task.id} is no lint task")
    return task.work


def _ruff(task: Task, around: Surroundings) -> str:
    venv = _work(task).venv
    program: Path = around.venv(venv) / "bin" / "ruff" if venv else around.tool("ruff")
    return str(program)
