"""Tasks that leave files for others: who reads those follows from who made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from monoyard.plan.causes import Cause, NeedAffected
from monoyard.plan.keys import Manifest
from monoyard.plan.task import Entries, Task


def find_makers(tasks: Iterable[Task]) -> dict[str, tuple[str, ...]]:
    """Return task id to the tasks it needs, at any distance, that leave files; most need none."""
    by_id = {task.id: task for task in tasks}
    found = {}
    for task in by_id.values():
        needed: set[str] = set()
        queue = list(task.needs)
        while queue:
            name = queue.pop()
            if name not in needed:
                needed.add(name)
                queue.extend(by_id[name].needs)
        if makers := tuple(sorted(name for name in needed if by_id[name].outputs)):
            found[task.id] = makers
    return found


def spread_causes(
    causes: Mapping[str, tuple[Cause, ...]], makers: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Cause, ...]]:
    """Return the causes, with those of tasks that may read what an affected task makes."""
    return {
        name: own + tuple(NeedAffected(maker) for maker in makers.get(name, ()) if causes[maker])
        for name, own in causes.items()
    }


def make_manifests(
    tasks: Iterable[Task],
    wanted: Callable[[Task], bool],
    makers: Mapping[str, tuple[str, ...]],
    make: Callable[[Task, Entries], Manifest],
) -> dict[str, Manifest]:
    """Return the manifests of wanted tasks; who reads what others make has their keys in its own.

    Args:
        tasks: All tasks; no two need each other.
        wanted: Says whose manifests are asked for.
        makers: As `find_makers` returns.
        make: Makes one manifest, given the (task, key) pairs of its makers.
    """
    by_id = {task.id: task for task in tasks}
    chosen = [name for name, task in by_id.items() if wanted(task)]
    needed = {maker for name in chosen for maker in makers.get(name, ())}
    found: dict[str, Manifest] = {}
    # A maker's own makers are fewer than those of whoever needs it, so they come before it.
    for name in sorted({*chosen, *needed}, key=lambda name: len(makers.get(name, ()))):
        made = tuple((maker, found[maker].key) for maker in makers.get(name, ()))
        found[name] = make(by_id[name], made)
    return {name: found[name] for name in chosen}
