"""The plan: every task of the workspace with its key, causes, cache state and expected time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from monoyard.cache import Store, StoredResult
from monoyard.changes import Base, Changes, Event
from monoyard.errors import ConfigurationError
from monoyard.plan.affected import Affected
from monoyard.plan.causes import Cause, cause_data
from monoyard.plan.keys import Keys, Manifest
from monoyard.plan.task import Entries, Sourced, Task, TaskSource, gather
from monoyard.workspace import Tree, Workspace

SCHEMA_VERSION: Final = 1


class State(StrEnum):
    """What will happen to a task."""

    HIT = "hit"
    RUN = "run"
    SKIP = "skip"
    NOT_SELECTED = "not-selected"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person or an event asks for.

    Attributes:
        packages: Package names; empty means all.
        suites: Suite names; empty means all.
        exclude: Package names to leave out.
        since: Ref to count changes from; None lets the event or the branch decide.
        only_affected: Select only what a change can alter.
        force: Run although the result is known, and store it again.
        use_cache: Read and store results.
    """

    packages: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    since: str | None = None
    only_affected: bool = False
    force: bool = False
    use_cache: bool = True

    def narrows_by_change(self, event: Event) -> bool:
        """Whether what no change affects is left out."""
        return self.only_affected or self.since is not None or event.narrows


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task and what the plan says of it.

    Attributes:
        task: The task.
        state: What will happen to it.
        causes: Why a change since the base can alter its result; empty where none can.
        manifest: Its key and what stands behind it; None where it is not needed: the task is not
            selected, or the store is not used.
        stored: The known result, for a hit.
        estimate: Expected seconds.
        reason: Why it is skipped or not selected.
    """

    task: Task
    state: State
    causes: tuple[Cause, ...] = ()
    manifest: Manifest | None = None
    stored: StoredResult | None = None
    estimate: float = 0.0
    reason: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return the task as JSON-able data."""
        return {
            "id": self.task.id,
            "package": self.task.package,
            "suite": self.task.suite,
            "state": self.state.value,
            "reason": self.reason,
            "key": self.manifest.key if self.manifest else None,
            "needs": list(self.task.needs),
            "causes": [cause_data(cause) for cause in self.causes],
            "estimated_seconds": round(self.estimate, 3),
        }


@dataclass(frozen=True)
class Plan:
    """One plan of one workspace; nothing about it changes after it was made.

    Attributes:
        tasks: Every task of the workspace, selected or not.
        base: What changes are counted from.
        changed: Paths that differ from the base.
        notes: What a person should know about how it was made.
        narrowed: Whether only what a change affects was selected.
        workspace: The workspace it is about.
        base_tree: Files of the base, where a task reads them.
    """

    tasks: tuple[PlannedTask, ...]
    base: Base
    changed: frozenset[str]
    notes: tuple[str, ...]
    narrowed: bool
    workspace: Workspace
    base_tree: Tree | None

    def restricted(self, keep: Callable[[Task], bool]) -> Plan:
        """Return the plan in which tasks that are not wanted are not selected."""
        return replace(
            self,
            tasks=tuple(
                planned if keep(planned.task) or planned.state is State.NOT_SELECTED
                else replace(planned, state=State.NOT_SELECTED, reason="not part of this session")
                for planned in self.tasks
            ),
        )  # fmt: skip

    def in_state(self, state: State) -> tuple[PlannedTask, ...]:
        """Return the tasks of one state."""
        return tuple(task for task in self.tasks if task.state is state)

    @property
    def selected(self) -> tuple[PlannedTask, ...]:
        """The tasks that are part of the run."""
        return tuple(task for task in self.tasks if task.state is not State.NOT_SELECTED)

    @property
    def affected(self) -> tuple[PlannedTask, ...]:
        """The tasks that a change since the base can alter, selected or not."""
        return tuple(task for task in self.tasks if task.causes)

    def to_data(self) -> dict[str, Any]:
        """Return the plan as JSON-able data, as `docs/reference/plan.schema.json` describes it."""
        return {
            "schema": "https://monoyard.dev/schemas/plan.json",
            "version": SCHEMA_VERSION,
            "base": {
                "commit": self.base.commit,
                "how": self.base.how,
                "unknown": self.base.unknown,
            },
            "changed": sorted(
                path.encode("utf-8", "backslashreplace").decode() for path in self.changed
            ),
            "narrowed": self.narrowed,
            "notes": list(self.notes),
            "tasks": [task.to_data() for task in self.tasks],
        }


def make_plan(
    workspace: Workspace,
    changes: Changes,
    sources: Iterable[TaskSource],
    store: Store,
    selection: Selection,
    event: Event,
    resolve: Callable[[Task], Entries],
    workspace_id: str,
) -> Plan:
    """Make the plan.

    Args:
        workspace: The work tree's workspace.
        changes: What differs from the base.
        sources: Who makes tasks.
        store: Where results are looked up.
        selection: What is asked for.
        event: The CI event, empty at a desk.
        resolve: Returns a further part of a selected task's key that only the machine knows, such
        as
            the resolution of requirements without a lock.
        workspace_id: Names this workspace in the store, for durations.
    """
    sources = tuple(sources)
    sourced = gather(sources, workspace)
    covered = sourced.covered
    changes, earlier = _gather_earlier(sources, changes)
    before = {task.id: task for task in earlier.tasks} if earlier is not None else None
    covered |= earlier.covered if earlier is not None else frozenset()
    affected = Affected(workspace, changes, before, covered)
    causes = {task.id: affected.causes(task) for task in sourced.tasks}
    narrowed = selection.narrows_by_change(event)
    left_out = _left_out(sourced.tasks, selection, causes if narrowed else None, changes.base)
    keys = Keys(workspace, covered, changes.tree)
    manifests = {
        task.id: keys.manifest(task, resolve(task))
        for task in sourced.tasks
        if selection.use_cache and task.id not in left_out and not task.skip
    }
    stored = _look_up(sourced.tasks, manifests, selection, store)
    estimates = store.history.estimates(workspace_id)
    planned = tuple(
        _planned(task, causes, left_out, manifests, stored, estimates) for task in sourced.tasks
    )
    notes = tuple(dict.fromkeys((*workspace.notes, *sourced.notes)))
    return Plan(planned, changes.base, changes.paths, notes, narrowed, workspace, changes.tree)


def _gather_earlier(
    sources: Iterable[TaskSource], changes: Changes
) -> tuple[Changes, Sourced | None]:
    """Return the tasks of the base, where they matter; with faults in them the base is unknown."""
    if changes.before is None:
        return changes, None
    try:
        return changes, gather(sources, changes.before)
    except ConfigurationError as error:
        reason = f"the configuration at the base has faults: {error.context[0]}"
        return Changes(Base(None, "", reason), changes.paths), None


def _left_out(
    tasks: Iterable[Task],
    selection: Selection,
    causes: Mapping[str, tuple[Cause, ...]] | None,
    base: Base,
) -> dict[str, str]:
    """Return task id to the reason why it is no part of the run."""
    tasks = tuple(tasks)
    reasons: dict[str, str] = {}
    for task in tasks:
        if selection.packages and task.package not in selection.packages:
            reasons[task.id] = "the package was not named"
        elif task.package in selection.exclude:
            reasons[task.id] = "excluded on the command line"
        elif selection.suites and task.suite not in selection.suites:
            reasons[task.id] = "the suite was not named"
        elif causes is not None and not causes[task.id]:
            reasons[task.id] = f"no change since {base.how} affects it"
    by_id = {task.id: task for task in tasks}
    queue = [need for task in tasks if task.id not in reasons for need in task.needs]
    while queue:
        need = queue.pop()
        if reasons.pop(need, None) is not None:
            queue.extend(by_id[need].needs)
    return reasons


def _look_up(
    tasks: Iterable[Task],
    manifests: Mapping[str, Manifest],
    selection: Selection,
    store: Store,
) -> Mapping[str, StoredResult]:
    if selection.force or not selection.use_cache:
        return {}
    keys = [manifests[task.id].key for task in tasks if task.is_cacheable and task.id in manifests]
    return store.lookup_many(keys)


def _planned(
    task: Task,
    causes: Mapping[str, tuple[Cause, ...]],
    left_out: Mapping[str, str],
    manifests: Mapping[str, Manifest],
    stored: Mapping[str, StoredResult],
    estimates: Mapping[str, float],
) -> PlannedTask:
    estimate = estimates.get(task.id, task.estimate)
    why = causes[task.id]
    if task.id in left_out:
        return PlannedTask(task, State.NOT_SELECTED, why, None, None, estimate, left_out[task.id])
    if task.skip:
        return PlannedTask(task, State.SKIP, why, None, None, 0.0, task.skip)
    manifest = manifests.get(task.id)
    found = stored.get(manifest.key) if manifest is not None else None
    if found is not None and found.task == task.id:
        return PlannedTask(task, State.HIT, why, manifest, found, 0.0)
    return PlannedTask(task, State.RUN, why, manifest, None, estimate)
