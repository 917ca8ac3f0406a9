"""Suites that are commands: npm scripts, wheels, and whatever a table names."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monoyard.plan import Task
from monoyard.results import Outcome, TaskResult
from monoyard.suites.execution import Finished, Interpretation, Needs, Step, Surroundings
from monoyard.suites.venvs import VenvSpec
from monoyard.tools import pytest

_LOG_LIMIT = 60_000
_TOOL = re.compile(r"\{tool:([a-z0-9-]+)\}")


@dataclass(frozen=True, slots=True)
class CommandWork:
    """Run commands one after the other until one fails.

    Attributes:
        package: Package name.
        directory: Where they run, from the top.
        commands: Programs with arguments. The first word may be `{uv}`, and any word may contain
            `{scratch}` (an empty directory), `{python}`, `{engine}` (the interpreter that runs the
            engine, to call `-m monoyard` with), or `{tool:NAME}` (a tool of the engine).
        venv: Venv in front of PATH, or None.
        packages: Packages whose modules the commands can import.
        env: Declared environment variables.
        node_modules: Directory (from the top) of the npm lock to install, or None.
        resources: Servers the commands need.
        tools: Tools of the engine that are put on PATH.
        constants: Environment variables with fixed values.
        base_files: Files of the base revision, from the top.
        fix: Commands that mend what these find.
    """

    package: str
    directory: str
    commands: tuple[tuple[str, ...], ...]
    venv: VenvSpec | None = None
    packages: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    node_modules: str | None = None
    resources: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    base_files: tuple[str, ...] = ()
    fix: tuple[tuple[str, ...], ...] = ()


class CommandExecutor:
    """Runs the commands of one task; their exit status decides."""

    def batch(self, task: Task) -> object:
        """Return the task's own id: commands are never shared."""
        return ("command", task.id)

    def needs(self, tasks: Sequence[Task]) -> Needs:
        """Return the venv, Node with its modules, and the servers."""
        work = _work(tasks[0])
        return Needs(
            venvs=(work.venv,) if work.venv else (),
            tools=(
                *(("node",) if work.node_modules is not None else ()),
                *named_tools(work.commands),
                *work.tools,
            ),
            node_modules=(work.node_modules,) if work.node_modules is not None else (),
            resources=work.resources,
            base_files=work.base_files,
        )

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        """Return one step for each command."""
        return command_steps(_work(tasks[0]), around)

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        """Pass when every command ended with status 0."""
        task = tasks[0]
        result = command_result(task, _work(task), finished)
        report = around.scratch / "junit.xml"
        if report.exists():
            prefix = f"{_work(task).directory}/"
            if parsed := pytest.parse_junit(report.read_bytes(), prefix):
                files = {**result.files, "junit": str(report)}
                result = replace(result, tests=parsed[0], cases=parsed[1], files=files)
        return Interpretation({task.id: result})


def named_tools(commands: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return the tools that commands name with `{tool:NAME}`."""
    found = (_TOOL.findall(word) for command in commands for word in command)
    return tuple(dict.fromkeys(name for names in found for name in names))


def command_steps(
    work: CommandWork, around: Surroundings, commands: Sequence[tuple[str, ...]] | None = None
) -> list[Step]:
    """Return the processes of a work of commands, or of others in the same surroundings."""
    commands = work.commands if commands is None else commands
    environment = around.environment(work.env)
    search = [environment.get("PATH", "")]
    search[:0] = dict.fromkeys(str(around.tool(name).parent) for name in work.tools)
    words = {
        "{scratch}": str(around.scratch), "{uv}": "", "{python}": "python",
        "{engine}": sys.executable,
    }  # fmt: skip
    if work.venv is not None:
        venv = around.venv(work.venv)
        search.insert(0, str(venv / "bin"))
        words["{python}"] = str(venv / "bin" / "python")
        environment["VIRTUAL_ENV"] = str(venv)
    if work.node_modules is not None:
        search.insert(0, str(around.tool("node").parent))
    words |= {f"{{tool:{name}}}": str(around.tool(name)) for name in named_tools(commands)}
    if any(word == "{uv}" for command in commands for word in command):
        words["{uv}"] = str(around.tool("uv"))
    environment["PATH"] = ":".join(search)
    path = [place for name in work.packages for place in around.overlays[name]]
    if path:
        environment["PYTHONPATH"] = ":".join(dict.fromkeys(path))
    environment["MONOYARD_BASE_DIR"] = str(around.scratch / "base")
    for name in work.resources:
        environment.update(around.resource(name))
    environment.update(work.constants)
    directory = around.top / work.directory
    return [
        Step(directory, environment, argv=_argv(command, words, search), is_last_on_failure=True)
        for command in commands
    ]


def command_result(task: Task, work: CommandWork, finished: Sequence[Finished]) -> TaskResult:
    """Return what the commands came to; the log is that of the one that failed."""
    seconds = sum(step.exit.seconds for step in finished)
    memory = max((step.exit.max_rss for step in finished), default=0)
    last = finished[-1]
    log = last.text[-_LOG_LIMIT:]
    shown = " ".join(work.commands[len(finished) - 1])
    outcome, reason = Outcome.PASS, ""
    if last.exit.timed_out:
        outcome, reason = Outcome.FAIL, f"stopped after {last.exit.seconds:.0f} s (timeout)"
    elif last.exit.lost:
        outcome, reason = Outcome.ERROR, "its process was killed from outside"
    elif last.exit.stopped:
        outcome, reason = Outcome.NOT_RUN, "stopped with the run"
    elif last.exit.status < 0:
        outcome, reason = Outcome.ERROR, f"`{shown}` crashed with signal {-last.exit.status}"
    elif last.exit.status == 127:  # noqa: PLR2004  the shell's word for a missing program
        outcome, reason = Outcome.ERROR, f"`{shown}`: the program was not found"
    elif last.exit.status:
        outcome, reason = Outcome.FAIL, f"`{shown}` ended with status {last.exit.status}"
    findings = tuple(warning for step in finished for warning in step.warnings)
    return TaskResult(task.id, outcome, reason, seconds, findings, log=log, max_rss=memory)


def _argv(command: Sequence[str], words: dict[str, str], search: Sequence[str]) -> tuple[str, ...]:
    filled = []
    for word in command:
        for name, value in words.items():
            word = word.replace(name, value)  # noqa: PLW2901  one substitution after the other
        filled.append(word)
    if "/" not in filled[0]:
        for directory in ":".join(search).split(":"):
            if directory and (Path(directory) / filled[0]).is_file():
                filled[0] = str(Path(directory) / filled[0])
                break
    return tuple(filled)


def _work(task: Task) -> CommandWork:
    if not isinstance(task.work, CommandWork):
        raise TypeError(f"{task.id} is no task of commands")
    return task.work
