"""A task: one node of the plan, with all that can change its result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from monoyard.workspace import Workspace

Entries = tuple[tuple[str, str], ...]

EVERY_PROCESSOR: Final = 1 << 16
"""As many workers as a run has processors: more than any machine has."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a task reads.

    Attributes:
        own: Whether the files of its package count.
        unread: Whether those that no test reads (noxfile, README at the root) count as well.
        packages: Packages whose sources (not tests or documents) count.
        around: Packages of which every file counts, as if it were the task's own.
        files: Globs from the top for further files, tracked or not.
        base_files: Paths from the top, read as they are at the base.
        parts: Everything that is not a file: name of the part to its (label, value) pairs, such as
            `settings`, `lock`, `tools`, `interpreter`, `command`, `environment`.
    """

    own: bool = True
    unread: bool = False
    packages: frozenset[str] = frozenset()
    around: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    base_files: tuple[str, ...] = ()
    parts: tuple[tuple[str, Entries], ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One suite of one package.

    Attributes:
        id: `PACKAGE:SUITE`, with `@INTERPRETER` where there are several.
        package: Package name.
        suite: Suite name.
        inputs: What it reads.
        needs: Ids of tasks that must pass first.
        work: How it is executed; opaque here, understood by the suite's executor.
        timeout: Seconds, for the task alone.
        cpus: Processors it keeps busy.
        memory: Bytes it needs at its peak; where it has workers, each of them.
        workers: Processes that it deals its work out to, at most; 0 for a task that is one. There
            are fewer where the run has fewer processors, or less memory.
        is_cacheable: Whether its result may be stored and replayed.
        skip: Why it cannot run on this machine; empty where it can.
        outputs: Globs of files it makes, from the package's directory.
        estimate: Seconds for a task that never ran.
    """

    id: str
    package: str
    suite: str
    inputs: Inputs
    needs: tuple[str, ...] = ()
    work: object = None
    timeout: float = 600.0
    cpus: int = 1
    memory: int = 256 * 1024 * 1024
    workers: int = 0
    is_cacheable: bool = True
    skip: str = ""
    outputs: tuple[str, ...] = ()
    estimate: float = 2.0


@dataclass(frozen=True, slots=True)
class Sourced:
    """What a source of tasks returns.

    Attributes:
        tasks: The tasks.
        covered: Paths outside all packages that some task's parts were made from; when one changes,
            the parts are compared instead of selecting everything.
        notes: What a person should know, such as a missing lock.
    """

    tasks: tuple[Task, ...]
    covered: frozenset[str] = frozenset()
    notes: tuple[str, ...] = field(default=())


class TaskSource(Protocol):
    """Makes tasks of a workspace; it must not look at anything but the workspace's tree."""

    def tasks(self, workspace: Workspace) -> Sourced:
        """Return every task of the workspace."""


def gather(sources: Iterable[TaskSource], workspace: Workspace) -> Sourced:
    """Return the tasks of all sources together."""
    found = [source.tasks(workspace) for source in sources]
    return Sourced(
        tuple(task for item in found for task in item.tasks),
        frozenset(path for item in found for path in item.covered),
        tuple(dict.fromkeys(note for item in found for note in item.notes)),
    )
