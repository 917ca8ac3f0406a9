"""Puts the rooms together for one call: repository, store, workspace, plan, run."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Container, Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path

from monoyard.bindings.arguments import Arguments
from monoyard.bindings.collecting import uncollected
from monoyard.cache import Store
from monoyard.changes import Changes, Event, find_changes, read_event
from monoyard.config import (
    WorkspaceSettings,
    parse_toml,
    raise_faults,
    read_workspace_settings,
)
from monoyard.images import ImageSource, LayerCache, engine_problem, find_layer_cache
from monoyard.install import LocalInterpreters, Tools, Venvs, is_ci
from monoyard.plan import (
    Entries,
    Manifest,
    Plan,
    Reads,
    Selection,
    Sourced,
    Task,
    TaskSource,
    gather,
    make_plan,
    remake_manifests,
)
from monoyard.recall import Look, Memory, cache_directory, state_directory
from monoyard.results import Phases
from monoyard.suites import CommandWork, LintWork, SuiteSource, TestWork, TypeWork, VenvSpec
from monoyard.workspace import Repository, Workspace, load, take_snapshot

Announce = Callable[[str], None]


class Engine:
    """Everything about one repository, made when first asked for.

    Args:
        directory: A directory inside the repository.
        announce: Says what is fetched or made.
        environment: Default: this process's own.
        look: What git was asked already; the first reading of the work tree takes it.

    Attributes:
        phases: How long its steps took.
    """

    def __init__(
        self,
        directory: Path,
        announce: Announce,
        environment: Mapping[str, str] | None = None,
        look: Look | None = None,
    ) -> None:
        self.environment = os.environ if environment is None else environment
        self.announce = announce
        self._directory = directory
        self._look = look
        self.phases = Phases()

    @cached_property
    def repository(self) -> Repository:
        """The git repository."""
        if self._look is not None and (place := self._look.place):
            return Repository(Path(place[0]), Path(place[1]), Path(place[2]), place[3])
        return Repository.locate(self._directory)

    @cached_property
    def kept(self) -> Path:
        """The directory that all checkouts share."""
        return cache_directory(self.environment)

    @cached_property
    def state(self) -> Path:
        """The checkout's state directory."""
        return state_directory(self.repository.top)

    @cached_property
    def event(self) -> Event:
        """The CI event, empty at a desk."""
        return read_event(self.environment)

    @cached_property
    def store(self) -> Store:
        """The local store, opened for this event's scope."""
        scope = "trusted" if self.event.is_trusted else "untrusted"
        with self.phases.during("open the store"):
            return Store.open(self.kept / "store", limit_bytes=self._limit, scope=scope)

    @cached_property
    def settings(self) -> WorkspaceSettings:
        """The root table, for what needs nothing else of the workspace.

        Raises:
            ConfigurationError: It has faults.
        """
        faults: list[str] = []
        found = self._settings(faults)
        raise_faults(faults)
        return found

    @cached_property
    def _limit(self) -> int:
        """Bytes the store may hold; read before the workspace, which is read through it."""
        return self._settings([]).cache_limit

    def _settings(self, faults: list[str]) -> WorkspaceSettings:
        documents = []
        for name in ("pyproject.toml", "monoyard.toml"):
            path = self.repository.top / name
            data = path.read_bytes() if path.is_file() else None
            documents.append(None if data is None else parse_toml(data, name, faults))
        return read_workspace_settings(documents[0] or {}, documents[1], faults)

    @cached_property
    def workspace(self) -> Workspace:
        """The work tree's workspace."""
        self.began = time.time_ns() if self._look is None else self._look.began
        memo = self.store.memo
        with self.phases.during("read the workspace"), uncollected():
            return load(take_snapshot(self.repository, memo, self._look), memo)

    @cached_property
    def workspace_id(self) -> str:
        """Names this repository in the store; linked worktrees share it."""
        return hashlib.sha256(os.fsencode(self.repository.common_directory)).hexdigest()[:16]

    @cached_property
    def interpreters(self) -> LocalInterpreters:
        """Finds interpreters."""
        return LocalInterpreters()

    @cached_property
    def venvs(self) -> Venvs:
        """Makes venvs."""
        return Venvs(self.kept, self.repository.top, self.announce)

    @cached_property
    def tools(self) -> Tools:
        """Finds and installs tools."""
        return Tools(self.venvs, self.interpreters)

    @property
    def layer_cache(self) -> LayerCache | None:
        """The registry that keeps layers of images; None without images, or where none is named.

        Raises:
            ConfigurationError: It is no address.
        """
        settings = self.workspace.settings
        address = self.environment.get("MONOYARD_IMAGE_CACHE") or settings.images.cache
        return find_layer_cache(
            address,
            self.repository,
            self.event,
            self.environment,
            default_branch=settings.default_branch,
            is_ci=is_ci(self.environment),
        )

    def changes(self, since: str | None) -> Changes:
        """Compare the work tree with its base."""
        workspace = self.workspace
        with self.phases.during("find changes"):
            return find_changes(
                self.repository, workspace, self.store.memo, since=since, event=self.event
            )

    def plan(self, selection: Selection, *, has_engine: bool = False) -> Plan:
        """Make a plan.

        Args:
            selection: What is asked for.
            has_engine: Images get their keys although no container engine may answer here: they
                may be in a registry.
        """
        sources = self._sources(str if has_engine else partial(engine_problem, self.environment))
        return self._make_plan(selection, self.changes(selection.since), sources)

    def plan_of_causes(self, selection: Selection) -> Plan:
        """Make a plan of which nothing is asked but causes; it may know its tasks by reads alone.

        Args:
            selection: What is asked for, without the store.
        """
        workspace, changes = self.workspace, self.changes(selection.since)
        sources = self._sources(partial(engine_problem, self.environment))
        if changes.before is not None or self._look is None or not workspace.tree.state:
            return self._make_plan(selection, changes, sources)
        memory, static = Memory(self.state), self._look.static
        with uncollected():
            data = memory.recall_reads(static)
            known = Reads.from_bytes(data) if data else None
            sourced = known.tasks(workspace) if known is not None else None
            if sourced is None:
                sourced = gather(sources, workspace)
                reads = Reads.of(sourced, workspace)
                if reads is not None and self._look.is_settled():
                    memory.remember_reads(static, reads.to_bytes())
        return self._make_plan(selection, changes, sources, sourced)

    def _make_plan(
        self,
        selection: Selection,
        changes: Changes,
        sources: tuple[TaskSource, ...],
        known: Sourced | None = None,
    ) -> Plan:
        workspace = self.workspace
        with uncollected():
            return make_plan(
                workspace, changes, sources, self.store, selection, self.event, self._resolve,
                self.workspace_id, during=self.phases.during, known=known,
            )  # fmt: skip

    def look_again(self, plan: Plan, wanted: Container[str]) -> Mapping[str, Manifest]:
        """Return the manifests that tasks of a plan have in the work tree as it is now.

        Args:
            plan: The plan.
            wanted: Ids of tasks; one that is none any more is missing in the answer.

        Raises:
            ConfigurationError: By now the workspace has faults.
        """
        workspace = load(take_snapshot(self.repository, self.store.memo), self.store.memo)
        return remake_manifests(plan, workspace, self._sources(str), wanted, self._resolve)

    def _sources(self, problem_of_images: Callable[[], str]) -> tuple[TaskSource, ...]:
        is_refreshing = self.environment.get("MONOYARD_BASE_LOCK") == "refresh"
        return (
            SuiteSource(self.interpreters, self.environment),
            ImageSource(self.interpreters, problem_of_images, is_refreshing=is_refreshing),
        )

    def selection(self, arguments: Arguments, suites: Iterable[str] = ()) -> Selection:
        """Turn what was typed into a selection; names become package names.

        Raises:
            UsageError: A name is no package.
        """
        return Selection(
            packages=self.workspace.find(arguments.packages),
            suites=(*suites, *arguments.suites),
            exclude=self.workspace.find(arguments.exclude),
            since=arguments.since,
            only_affected=arguments.affected,
            force=arguments.force or arguments.audit is not None,
            use_cache=arguments.use_cache,
        )

    def _resolve(self, task: Task) -> Entries:
        spec = venv_of(task)
        if spec is None or spec.lock_path or not spec.requirements:
            return ()
        text = self.venvs.resolve(spec)
        pins = (line.partition(" ")[0] for line in text.splitlines())
        return tuple(tuple(pin.split("==", 1)) for pin in pins if "==" in pin)  # type: ignore[misc]


def venv_of(task: Task) -> VenvSpec | None:
    """Return the venv that a task's work names, or None."""
    work = task.work.also if isinstance(task.work, LintWork) else task.work
    return work.venv if isinstance(work, CommandWork | TestWork | TypeWork) else None
