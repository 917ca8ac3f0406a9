"""The plan: every task of the workspace with its key, causes, cache state and expected time."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from monoyard.cache import Store, StoredResult
from monoyard.changes import Base, Changes, Event
from monoyard.errors import ConfigurationError
from monoyard.plan.affected import Affected
from monoyard.plan.causes import Cause, cause_data
from monoyard.plan.keys import Keys, Manifest
from monoyard.plan.needs import find_makers, make_manifests, spread_causes
from monoyard.plan.selection import Selection, left_out_tasks
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
        covered: Paths that reach the tasks by other parts of their keys than files, now or at the
            base.
    """

    tasks: tuple[PlannedTask, ...]
    base: Base
    changed: frozenset[str]
    notes: tuple[str, ...]
    narrowed: bool
    workspace: Workspace
    base_tree: Tree | None
    covered: frozenset[str] = frozenset()

    def restricted(
        self, keep: Callable[[Task], bool], reason: str = "not part of this session"
    ) -> Plan:
        """Return the plan in which tasks that are not wanted are not selected, and why."""
        return replace(
            self,
            tasks=tuple(
                planned if keep(planned.task) or planned.state is State.NOT_SELECTED
                else replace(planned, state=State.NOT_SELECTED, reason=reason)
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
    *,
    during: Callable[[str], AbstractContextManager[object]] = nullcontext,
    known: Sourced | None = None,
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
            as the resolution of requirements without a lock.
        workspace_id: Names this workspace in the store, for durations.
        during: Told of each step while it lasts.
        known: The tasks, where they were made already. For a plan without keys, of changes that
            leave the shape of the workspace as it is, what they read is enough.
    """
    sources = tuple(sources)
    with during("make tasks"):
        sourced = gather(sources, workspace) if known is None else known
        covered = sourced.covered
        changes, earlier = _gather_earlier(sources, changes)
    before = {task.id: task for task in earlier.tasks} if earlier is not None else None
    covered |= earlier.covered if earlier is not None else frozenset()
    with during("find what is affected"):
        affected = Affected(workspace, changes, before, covered)
        makers = find_makers(sourced.tasks)
        causes = spread_causes({task.id: affected.causes(task) for task in sourced.tasks}, makers)
    narrowed = selection.narrows_by_change(event)
    left_out = left_out_tasks(sourced.tasks, selection, causes if narrowed else None, changes.base)
    with during("make keys"):
        keys = Keys(workspace, covered, changes.tree)
        manifests = make_manifests(
            sourced.tasks,
            lambda task: selection.use_cache and task.id not in left_out and not task.skip,
            makers,
            lambda task, made: keys.manifest(task, resolve(task), made),
        )
    with during("look up results"):
        stored = _look_up(sourced.tasks, manifests, selection, store)
        estimates = store.history.estimates(workspace_id)
    planned = tuple(
        _planned(task, causes, left_out, manifests, stored, estimates) for task in sourced.tasks
    )
    notes = tuple(dict.fromkeys((*workspace.notes, *sourced.notes)))
    return Plan(
        planned, changes.base, changes.paths, notes, narrowed, workspace, changes.tree, covered
    )


def remake_manifests(
    plan: Plan,
    workspace: Workspace,
    sources: Iterable[TaskSource],
    wanted: Container[str],
    resolve: Callable[[Task], Entries],
) -> dict[str, Manifest]:
    """Return the manifests of tasks by id as they would be in a plan that is made now.

    Args:
        plan: The plan as it was made.
        workspace: The workspace of the work tree as it is now.
        sources: As for `make_plan`.
        wanted: Ids of tasks; one that is none any more is missing in the answer.
        resolve: As for `make_plan`.
    """
    sourced = gather(sources, workspace)
    keys = Keys(workspace, sourced.covered | plan.covered, plan.base_tree)
    return make_manifests(
        sourced.tasks,
        lambda task: task.id in wanted,
        find_makers(sourced.tasks),
        lambda task, made: keys.manifest(task, resolve(task), made),
    )


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
        return PlannedTask(task, State.HIT, why, manifest, found)
    return PlannedTask(task, State.RUN, why, manifest, None, estimate)
