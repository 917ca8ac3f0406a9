"""Puts the declared outputs of known results back where their tasks leave them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monoyard.cache import Store, StoredFile, StoredResult
from monoyard.plan import Plan, PlannedTask, State


def put_back_outputs(plan: Plan, store: Store) -> Plan:
    """Make the outputs of every hit what its result says.

    Returns:
        The plan in which a hit whose outputs cannot be put back is to be run.
    """
    lost = {
        planned.task.id
        for planned in plan.in_state(State.HIT)
        if planned.stored is not None and not _put_back(plan, planned, planned.stored, store)
    }
    if not lost:
        return plan
    return replace(
        plan,
        tasks=tuple(
            _to_be_run(planned) if planned.task.id in lost else planned for planned in plan.tasks
        ),
    )


def _to_be_run(planned: PlannedTask) -> PlannedTask:
    seconds = planned.stored.duration_seconds if planned.stored else 0.0
    return replace(planned, state=State.RUN, stored=None, estimate=seconds)


def _put_back(plan: Plan, planned: PlannedTask, stored: StoredResult, store: Store) -> bool:
    if not stored.outputs:
        return True
    workspace = plan.workspace
    package = workspace.top / workspace.packages[planned.task.package].directory
    if all(_is_at(package / file.path, file) for file in stored.outputs):
        return True
    return store.restore(stored, package)


def _is_at(path: Path, file: StoredFile) -> bool:
    try:
        return not path.is_symlink() and StoredFile.of_file(file.path, path) == file
    except OSError:
        return False
