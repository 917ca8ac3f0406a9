"""How a task becomes processes, and their output becomes results.

The values that pass between the suites, which know the tools, and the run, which starts processes.
Nothing here starts anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from monoyard.plan import Task
from monoyard.process import Exit
from monoyard.results import Finding, Severity, TaskResult
from monoyard.suites.venvs import VenvSpec

BULK: Final = "bulk"
"""Folder of a batch's scratch directory that no record keeps: it goes when results are stored."""


@dataclass(frozen=True, slots=True)
class Step:
    """One process of a batch.

    Attributes:
        cwd: Working directory.
        env: Its whole environment.
        argv: Program and arguments, or empty with `module`.
        module: Module to run as `python -m`, in a fork of the warm interpreter of `venv`.
        arguments: The module's arguments.
        path: Directories in front of `sys.path` for the module.
        venv: Which warm interpreter to fork.
        is_last_on_failure: Later steps of the batch make no sense when this one fails.
        stops_after: Seconds until it is stopped.
    """

    cwd: Path
    env: Mapping[str, str]
    argv: tuple[str, ...] = ()
    module: str = ""
    arguments: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    venv: VenvSpec | None = None
    is_last_on_failure: bool = False
    stops_after: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A step that has ended: how, and what it printed."""

    step: Step
    exit: Exit
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Both streams as text; bytes that are not UTF-8 become replacement characters."""
        streams = [self.stdout.decode("utf-8", "replace"), self.stderr.decode("utf-8", "replace")]
        if self.exit.dropped:
            streams.append(f"... {self.exit.dropped} further bytes of output were dropped")
        return "\n".join(stream.rstrip() for stream in streams if stream.strip())

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is wrong with how it ended, although that fails nothing."""
        if not self.exit.leftovers or self.exit.timed_out or self.exit.stopped:
            return ()
        names = ", ".join(f"`{name}`" for name in self.exit.leftovers)
        message = f"left {names} running, which was ended"
        return (Finding("", message, "leftover-process", severity=Severity.WARNING),)


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be on the machine before a batch can start.

    Attributes:
        venvs: Venvs to have.
        tools: Names of tools, each in a venv of its own, from the pins that ship with the engine.
        node_modules: Directories (from the top) whose npm lock has to be installed.
        resources: Servers to start.
        base_files: Files of the base revision, from the top, put below `scratch / "base"`.
    """

    venvs: tuple[VenvSpec, ...] = ()
    tools: tuple[str, ...] = ()
    node_modules: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    base_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What the output of a batch means.

    Attributes:
        results: Task id to result, for every task that is decided.
        again: Groups of tasks that have to run once more, each without the others.
    """

    results: Mapping[str, TaskResult]
    again: tuple[tuple[Task, ...], ...] = ()


class Surroundings(Protocol):
    """What a suite may ask of the run that executes it."""

    @property
    def top(self) -> Path:
        """Root of the work tree."""

    @property
    def scratch(self) -> Path:
        """An empty directory for this batch."""

    @property
    def state(self) -> Path:
        """A directory of this checkout that stays between runs, for the tools' own caches."""

    @property
    def kept(self) -> Path:
        """A directory that all checkouts share."""

    @property
    def workers(self) -> int:
        """Processors this batch may keep busy."""

    @property
    def overlays(self) -> Mapping[str, tuple[str, ...]]:
        """Package to the directories that put it on `sys.path`, metadata included."""

    def own_directory(self, name: str) -> Path:
        """Return a directory for a tool's own cache that no other run uses at the same time."""

    def copies(self, cache: Path) -> Mapping[str, str]:
        """Return Python files that a tool's cache may be wrong about, each with a copy.

        It may be where it goes by size and second of modification; the copy's is another one.

        Args:
            cache: A directory of its own, empty or filled while this was asked each time.
        """

    def venv(self, spec: VenvSpec) -> Path:
        """Return the directory of a venv."""

    def modules(self, spec: VenvSpec) -> Mapping[str, tuple[str, ...]]:
        """Return top-level module to the distributions of a venv that provide it."""

    def pytest_plugins(self, spec: VenvSpec) -> Mapping[str, tuple[str, ...]]:
        """Return distribution to the pytest plugins that it registers in a venv."""

    def tool(self, name: str) -> Path:
        """Return the path of a tool's program."""

    def environment(self, declared: Sequence[str]) -> dict[str, str]:
        """Return the environment of a task that declares these variables."""

    def outputs(self, task: str) -> Mapping[str, str]:
        """Return what a task left, as path from its package's directory to digest (SHA-256)."""

    def resource(self, name: str) -> Mapping[str, str]:
        """Return the environment variables that tell a task where a server is."""


class Executor(Protocol):
    """One kind of work."""

    def batch(self, task: Task) -> object:
        """Return a value that tasks of one batch share; a task's own id keeps it alone."""

    def needs(self, tasks: Sequence[Task]) -> Needs:
        """Return what has to be there first."""

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        """Return the processes to run, in order."""

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        """Attribute what the processes said to the tasks."""
