"""Makes the tasks of a workspace: which suites each package has, and what each of them reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Final

from monoyard.config import SUITES, PackageSettings, SuiteSettings, raise_faults, suggest, table_at
from monoyard.errors import ConfigurationError
from monoyard.plan import EVERY_PROCESSOR, Entries, Inputs, Sourced, Task
from monoyard.suites.lock_slices import WorkspaceLock
from monoyard.suites.python import PythonSuites
from monoyard.suites.python_type import TypeWork
from monoyard.suites.suite import Draft
from monoyard.suites.typescript import TypescriptSuites, unrun_scripts
from monoyard.suites.venvs import Interpreter, Interpreters
from monoyard.workspace import Package, Workspace

_DEFAULT_TIMEOUT: Final = {"lint": 300.0, "type": 900.0}
_ESTIMATES: Final = {"lint": 0.2, "type": 2.0, "unit": 2.0, "integration": 6.0, "contract": 6.0}


class SuiteSource:
    """The source of check tasks.

    Args:
        interpreters: Finds Python interpreters on this machine.
        environment: Where the values of declared environment variables come from.
    """

    def __init__(self, interpreters: Interpreters, environment: Mapping[str, str]) -> None:
        self._interpreters = interpreters
        self._environment = environment

    def tasks(self, workspace: Workspace) -> Sourced:
        """Return the tasks of every package.

        Raises:
            ConfigurationError: An `also` stands where nobody runs it, a `needs` names a task that
                does not exist, an output lies outside of its package, or `workers` has no
                pytest-xdist.
        """
        _check_also(workspace)
        lock = WorkspaceLock.find(workspace)
        python = PythonSuites(workspace, lock, self._environment.get("HOME", ""))
        typescript = TypescriptSuites(workspace)
        tasks: list[Task] = []
        for package in workspace.packages.values():
            suites = python if package.kind == "python" else typescript
            for interpreter, suffix, problem in self._interpreters_of(package):
                for name in SUITES:
                    settings = package.settings.suites.get(name, SuiteSettings())
                    draft = suites.draft(package, name, settings, interpreter)
                    if draft is not None and settings.enabled is not False:
                        tasks.append(
                            self._task(workspace, package, name + suffix, draft, settings, problem)
                        )
        _check_needs(tasks)
        _check_workers(tasks, lock)
        _check_outputs(tasks)
        _tell_what_is_checked(workspace, tasks)
        covered = {
            "pyproject.toml",
            "monoyard.toml",
            *lock.paths,
            *python.covered,
            *typescript.covered,
        }
        has_python = any(package.kind == "python" for package in workspace.packages.values())
        notes = (
            *(lock.notes if has_python else ()),
            *python.notes,
            *unrun_scripts(workspace),
        )
        return Sourced(tuple(tasks), frozenset(covered), notes)

    def _interpreters_of(self, package: Package) -> Iterable[tuple[Interpreter, str, str]]:
        """Return (interpreter, task suffix, why it cannot be used) for each one to check with."""
        if package.kind != "python":
            yield self._interpreters.default(), "", ""
            return
        wanted = package.settings.pythons or ()
        if not wanted:
            found = self._interpreters.newest_allowed(package.manifest.requires_python)
            problem = "" if found else f"no Python {package.manifest.requires_python} was found"
            yield found or self._interpreters.default(), "", problem
        for minor in wanted:
            found = self._interpreters.find(minor)
            suffix = f"@{minor}" if len(wanted) > 1 else ""
            yield (
                found or self._interpreters.default(),
                suffix,
                "" if found else f"Python {minor} was not found",
            )

    def _task(
        self,
        workspace: Workspace,
        package: Package,
        suite_and_suffix: str,
        draft: Draft,
        settings: SuiteSettings,
        problem: str,
    ) -> Task:
        suite = suite_and_suffix.partition("@")[0]
        closure = workspace.graph.closure[package.name]
        reads_packages = (
            draft.reads_packages if settings.dependencies is None else settings.dependencies
        )
        env = (*workspace.settings.env, *(settings.env or ()))
        outputs = settings.outputs if settings.outputs is not None else draft.outputs
        parts = (
            *draft.parts,
            ("environment", self._environment_entries(env)),
            ("outputs", tuple((glob, "kept") for glob in outputs)),
        )
        further = (workspace.graph.closure[name] for name in draft.around)
        inputs = Inputs(
            own=True,
            unread=suite in {"lint", "type"},
            packages=closure.union(*further) - {package.name} if reads_packages else frozenset(),
            around=draft.around,
            files=(*(package.path(pattern) for pattern in settings.inputs or ()), *draft.files),
            base_files=tuple(package.path(path) for path in settings.base_inputs or ()),
            parts=tuple((name, entries) for name, entries in parts if entries),
        )
        return Task(
            id=f"{package.name}:{suite_and_suffix}",
            package=package.name,
            suite=suite,
            inputs=inputs,
            needs=tuple(_expand(package, closure, settings.needs or ())),
            work=draft.work,
            timeout=settings.timeout or _DEFAULT_TIMEOUT.get(suite, 600.0),
            cpus=settings.cpus or 1,
            memory=settings.memory or 256 * 1024 * 1024,
            workers=_workers(settings) if draft.is_divisible else 0,
            is_cacheable=settings.cache is not False,
            skip=problem or draft.skip,
            outputs=outputs,
            estimate=_ESTIMATES.get(suite, 2.0),
        )

    def _environment_entries(self, names: Iterable[str]) -> Entries:
        """Return declared variables with a digest of their value: a secret never shows."""
        entries = {}
        for name in names:
            matching = (
                [key for key in self._environment if key.startswith(name[:-1])]
                if name.endswith("*") else [name]
            )  # fmt: skip
            for key in matching:
                entries[key] = _value_digest(self._environment.get(key))
        return tuple(sorted(entries.items()))


def _check_also(workspace: Workspace) -> None:
    """Hold further commands to suites that run them: pytest, mypy and wheels have none.

    Raises:
        ConfigurationError: One stands elsewhere, where it would be in the key and never be run.
    """
    faults = [
        f"{_place_of_also(workspace, package, name)}: only lint and suites with a command take "
        "further commands"
        for package in workspace.packages.values()
        for name in SUITES
        if package.kind == "python" and name != "lint"
        if (settings := package.settings.suites.get(name)) is not None
        if settings.also and settings.command is None and settings.enabled is not False
    ]
    raise_faults(tuple(dict.fromkeys(faults)))


def _place_of_also(workspace: Workspace, package: Package, suite: str) -> str:
    """Return file and key of the layer that wins."""
    key, root = f"suites.{suite}.also", workspace.settings
    own = table_at(package.manifest.settings, "suites", suite) if package.directory else {}
    if "also" in own:
        return f"{package.manifest_path}: {key}"
    named = root.packages.get(package.name, PackageSettings()).suites.get(suite)
    if named is not None and named.also is not None:
        return f"{root.source}: packages.{package.name}.{key}"
    return f"{root.source}: {key}"


def _tell_what_is_checked(workspace: Workspace, tasks: list[Task]) -> None:
    """Tell each task of types what all of them check: the rest has nobody else to tell it."""
    works = [(number, task.work) for number, task in enumerate(tasks)]
    typed = [(number, work) for number, work in works if isinstance(work, TypeWork)]
    checked = frozenset(path for _, work in typed for path in work.paths)
    missing = workspace.packages.keys() - {work.package for _, work in typed}
    unchecked = tuple(
        (package.directory, name)
        for name, package in workspace.packages.items()
        if name in missing and package.kind == "python" and package.directory
    )
    for number, work in typed:
        told = replace(work, checked=checked, unchecked=unchecked)
        tasks[number] = replace(tasks[number], work=told)


def _workers(settings: SuiteSettings) -> int:
    if isinstance(settings.workers, str):
        return EVERY_PROCESSOR
    return settings.workers or 0


@cache
def _value_digest(value: str | None) -> str:
    return "unset" if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()[:16]


def _expand(package: Package, closure: Iterable[str], needs: Iterable[str]) -> Iterable[str]:
    for need in needs:
        if need.startswith("^"):
            yield from (f"{name}:{need[1:]}?" for name in sorted(closure))
        else:
            yield need if ":" in need else f"{package.name}:{need}"


def _check_outputs(tasks: Iterable[Task]) -> None:
    """Hold outputs to their packages: they are stored, removed and put back there.

    Raises:
        ConfigurationError: One leads out of its package.
    """
    faults = [
        f"{task.id}: output `{glob}` lies outside of the package"
        for task in tasks
        for glob in task.outputs
        if glob.startswith("/") or ".." in glob.split("/")
    ]
    if faults:
        raise ConfigurationError("`outputs` has faults", context=tuple(faults))


def _check_workers(tasks: Iterable[Task], lock: WorkspaceLock) -> None:
    """Hold tasks with workers to a lock that has what deals tests out to them.

    Raises:
        ConfigurationError: It has no pytest-xdist.
    """
    if not lock.is_there or lock.has("pytest-xdist"):
        return
    if divided := [task.id for task in tasks if task.workers]:
        raise ConfigurationError(
            f"`workers` needs pytest-xdist, which {lock.paths[0]} does not have",
            hint="add it to the requirements of the tests, and run `invoke lock`",
            context=tuple(divided),
        )


def _check_needs(tasks: list[Task]) -> None:
    """Resolve `needs`; one that a dependency merely lacks (`^SUITE`) is dropped.

    Raises:
        ConfigurationError: One names a task that does not exist.
    """
    known = {task.id for task in tasks}
    faults = []
    for position, task in enumerate(tasks):
        if not task.needs:
            continue
        kept = []
        for need in task.needs:
            if need.rstrip("?") in known:
                kept.append(need.rstrip("?"))
            elif not need.endswith("?"):
                faults.append(
                    f"{task.id}: needs `{need}`, which does not exist{suggest(need, known)}"
                )
        tasks[position] = replace(task, needs=tuple(kept))
    try:
        TopologicalSorter({task.id: task.needs for task in tasks if task.needs}).prepare()
    except CycleError as error:
        faults.append(f"tasks need each other in a ring: {' -> '.join(error.args[1])}")
    if faults:
        raise ConfigurationError("`needs` has faults", context=tuple(faults))
