"""What a call knows of a checkout before anything is made of it: files, settings, changes.

Few imports: who asks what an edit affects pays for no more. `Engine` is the rest.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from monoyard.bindings.arguments import Arguments
from monoyard.bindings.collecting import uncollected
from monoyard.cache import Store
from monoyard.changes import Changes, Event, find_changes, read_event
from monoyard.config import WorkspaceSettings, parse_toml, raise_faults, read_workspace_settings
from monoyard.plan import Plan, Reads, Selection, make_plan
from monoyard.recall import Look, Memory, cache_directory, state_directory
from monoyard.results import Phases
from monoyard.workspace import Repository, Workspace, load, take_snapshot

Announce = Callable[[str], None]


class Checkout:
    """One checkout, read when first asked for.

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
        self.directory = directory
        self.announce = announce
        self.environment = os.environ if environment is None else environment
        self.look = look
        self.phases = Phases()
        self._changes: dict[str | None, Changes] = {}

    @cached_property
    def repository(self) -> Repository:
        """The git repository."""
        if self.look is not None and (place := self.look.place):
            return Repository(Path(place[0]), Path(place[1]), Path(place[2]), place[3])
        return Repository.locate(self.directory)

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
        self.began = time.time_ns() if self.look is None else self.look.began
        memo = self.store.memo
        with self.phases.during("read the workspace"), uncollected():
            return load(take_snapshot(self.repository, memo, self.look), memo)

    @cached_property
    def workspace_id(self) -> str:
        """Names this repository in the store; linked worktrees share it."""
        return hashlib.sha256(os.fsencode(self.repository.common_directory)).hexdigest()[:16]

    def changes(self, since: str | None) -> Changes:
        """Compare the work tree with its base."""
        if since not in self._changes:
            workspace = self.workspace
            with self.phases.during("find changes"):
                self._changes[since] = find_changes(
                    self.repository, workspace, self.store.memo, since=since, event=self.event
                )
        return self._changes[since]

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

    def may_recall(self, changes: Changes) -> bool:
        """Say whether what tasks read may be known by what they read before."""
        is_whole = self.look is not None and bool(self.workspace.tree.state)
        return is_whole and changes.before is None

    def recalled_causes(self, selection: Selection) -> Plan | None:
        """Return a plan of which nothing is asked but causes, where its tasks need not be made.

        Args:
            selection: What is asked for, without the store.
        """
        changes = self.changes(selection.since)
        if self.look is None or not self.may_recall(changes):
            return None
        with uncollected():
            data = Memory(self.state).recall_reads(self.look.static)
            known = Reads.from_bytes(data) if data else None
            sourced = known.tasks(self.workspace) if known is not None else None
            if sourced is None:
                return None
            return make_plan(
                self.workspace, changes, (), self.store, selection, self.event, lambda _: (),
                self.workspace_id, during=self.phases.during, known=sourced,
            )  # fmt: skip
