"""`type` of Python packages: one mypy for all that share a venv and settings."""

from __future__ import annotations

import hashlib
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monoyard.plan import Task
from monoyard.results import Finding, Outcome, Severity, TaskResult
from monoyard.suites.execution import Finished, Interpretation, Needs, Step, Surroundings
from monoyard.suites.venvs import VenvSpec
from monoyard.tools import mypy

_BLOCKED = 2  # mypy's status when it stops before all files were checked


@dataclass(frozen=True, slots=True)
class TypeWork:
    """Check the types of one package.

    Attributes:
        package: Its name.
        paths: What mypy is given, from the top.
        venv: Venv with the distributions it imports.
        has_own_mypy: The venv holds mypy (with the plugins that its settings name).
        config: Configuration file from the top, or empty.
        directory: Where mypy runs, from the top: settings with paths are relative to it.
        search: Source roots, from the top, of everything it may import.
        is_alone: Checked by a process of its own, because its directory cannot be a package name.
        has_workers: mypy may start workers where processors are free.
        checked: What all tasks of types together are given, from the top: a finding there is told
            by the task it belongs to, in this process or another.
        unchecked: Directory, from the top, and name of each Python package without such a task.
    """

    package: str
    paths: tuple[str, ...]
    venv: VenvSpec
    has_own_mypy: bool
    config: str
    directory: str
    search: tuple[str, ...]
    is_alone: bool = False
    has_workers: bool = True
    checked: frozenset[str] = frozenset()
    unchecked: tuple[tuple[str, str], ...] = ()


class TypeExecutor:
    """Runs mypy once for a venv and settings; what stops it is named, the rest checked again."""

    def batch(self, task: Task) -> object:
        """Return venv and settings; the cache directory follows from them."""
        work = _work(task)
        alone = work.package if work.is_alone else ""
        return ("type", work.venv, work.config, work.directory, alone)

    def needs(self, tasks: Sequence[Task]) -> Needs:
        """Return the venv, and mypy where the venv has none."""
        work = _work(tasks[0])
        return Needs(venvs=(work.venv,), tools=() if work.has_own_mypy else ("mypy",))

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        """Return one process over the files of all packages."""
        work = _work(tasks[0])
        venv = around.venv(work.venv)
        program = venv / "bin" / "mypy" if work.has_own_mypy else around.tool("mypy")
        group = hashlib.sha256(repr(self.batch(tasks[0])).encode()).hexdigest()[:16]
        prefix = f"{work.directory}/" if work.directory else ""
        search = dict.fromkeys(root for task in tasks for root in _work(task).search)
        environment = around.environment(())
        environment["MYPYPATH"] = ":".join(str(around.top / root) for root in search)
        cache = around.own_directory(f"mypy/{group}")
        argv = mypy.check(
            str(program),
            python=str(venv / "bin" / "python"),
            cache=str(cache),
            config=work.config.removeprefix(prefix) or None,
            workers=around.workers if work.has_workers else 1,
            paths=[path.removeprefix(prefix) for task in tasks for path in _work(task).paths],
            copies=around.copies(cache),
        )
        return [Step(around.top / work.directory, environment, argv=argv)]

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        """Give each finding to its package; after a fatal one, decide only who caused it.

        An error that no task of the workspace tells is told by all that may have led mypy there.
        """
        step = finished[0]
        if step.exit.dropped and len(tasks) > 1:
            return Interpretation({}, tuple((task,) for task in tasks))
        prefix = _work(tasks[0]).directory
        findings, other = mypy.parse(step.stdout, f"{prefix}/" if prefix else "")
        by_task: dict[str, list[Finding]] = defaultdict(list)
        blockers = (
            []
            if findings
            else mypy.parse_blockers([*other, *step.stderr.decode("utf-8", "replace").splitlines()])
        )
        for finding in [_from_top(item, around) for item in findings]:
            for teller in _tellers(finding, tasks):
                by_task[teller].append(_explained(finding, tasks[0]))
        for finding in blockers:  # text that may be about a file of nobody, or about no file
            if (owner := _owner(finding.path, tasks)) is not None:
                by_task[owner].append(finding)
        seconds = step.exit.seconds / len(tasks)
        if _is_whole(step, findings):
            return Interpretation({t.id: _result(t, by_task[t.id], seconds) for t in tasks})
        if mypy.lost_workers(step.text) and _work(tasks[0]).has_workers:
            return Interpretation({}, (tuple(map(_without_workers, tasks)),))
        return _after_a_stop(tasks, by_task, step, seconds)


def _after_a_stop(
    tasks: Sequence[Task], by_task: dict[str, list[Finding]], step: Finished, seconds: float
) -> Interpretation:
    """Fail whoever stopped mypy; all others have to be checked again, never passed."""
    culprits = {task.id for task in tasks if _has_error(by_task[task.id])}
    if step.exit.status != _BLOCKED or not culprits or len(tasks) == 1:
        return Interpretation(
            {task.id: _stopped(task, by_task[task.id], step, seconds) for task in tasks}
        )
    results = {
        task.id: _result(task, by_task[task.id], seconds) for task in tasks if task.id in culprits
    }
    others = tuple(task for task in tasks if task.id not in culprits)
    return Interpretation(results, (others,) if others else ())


def _without_workers(task: Task) -> Task:
    return replace(task, work=replace(_work(task), has_workers=False))


def _stopped(task: Task, findings: list[Finding], step: Finished, seconds: float) -> TaskResult:
    if _has_error(findings):
        return _result(task, findings, seconds)
    return TaskResult(task.id, Outcome.ERROR, "mypy could not finish", seconds, log=step.text)


def _result(task: Task, findings: Sequence[Finding], seconds: float) -> TaskResult:
    outcome = Outcome.FAIL if _has_error(findings) else Outcome.PASS
    return TaskResult(task.id, outcome, "", seconds, tuple(findings))


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def _is_whole(step: Finished, findings: Iterable[Finding]) -> bool:
    """Say whether mypy checked everything and said all of it: status 1 is that of an error."""
    if step.exit.is_cut_short or step.exit.dropped:
        return False
    return step.exit.status == 0 or (step.exit.status == 1 and _has_error(findings))


def _from_top(finding: Finding, around: Surroundings) -> Finding:
    """Return a finding with its path from the top: mypy's is absolute above where it runs."""
    path = posixpath.normpath(finding.path).removeprefix(f"{around.top}/")
    return finding if path == finding.path else replace(finding, path=path)


def _tellers(finding: Finding, tasks: Sequence[Task]) -> Sequence[str]:
    """Return the tasks that have to tell a finding: whose it is, else who may have led to it."""
    if (owner := _owner(finding.path, tasks)) is not None:
        return [owner]
    is_elsewhere = any(_is_inside(finding.path, place) for place in _work(tasks[0]).checked)
    if is_elsewhere or finding.severity is not Severity.ERROR:
        return []
    searching = [
        task.id for task in tasks
        if any(_is_inside(finding.path, root) for root in _work(task).search)
    ]  # fmt: skip
    return searching or [task.id for task in tasks]


def _explained(finding: Finding, task: Task) -> Finding:
    """Say why an error is told that is in a package whose types nobody asked for."""
    names = [name for place, name in _work(task).unchecked if _is_inside(finding.path, place)]
    if not names or finding.severity is not Severity.ERROR:
        return finding
    words = (
        f"{finding.message} (`{names[0]}` has no suite `type`, but is imported here, and mypy "
        "follows imports: `ignore_errors` for its modules in mypy's settings silences it)"
    )
    return replace(finding, message=words)


def _owner(path: str, tasks: Sequence[Task]) -> str | None:
    best = ""
    found = None
    for task in tasks:
        for place in _work(task).paths:
            if _is_inside(path, place) and len(place) >= len(best):
                best, found = place, task.id
    return found


def _is_inside(path: str, place: str) -> bool:
    return path == place or path.startswith(place + "/")


def _work(task: Task) -> TypeWork:
    if not isinstance(task.work, TypeWork):
        raise TypeError(f"{task.id} is no type task")
    return task.work
