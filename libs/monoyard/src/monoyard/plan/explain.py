"""Why a task has to run: the difference between its key and that of its last success."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monoyard.cache import Difference, Store
from monoyard.plan.causes import LOCK_PARTS, locked_version
from monoyard.plan.keys import is_listing
from monoyard.plan.plan import PlannedTask

_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Explanation:
    """What differs from the last success.

    Attributes:
        lines: One line for each difference, or a few and a count.
        problem: Why nothing can be compared; empty where something was.
    """

    lines: tuple[str, ...] = ()
    problem: str = ""


def explain(
    tasks: Iterable[PlannedTask], store: Store, workspace_id: str
) -> dict[str, Explanation]:
    """Compare the keys of tasks with those of their last successes, part by part.

    The manifests of the tasks are stored on the way, because that is where parts are compared.
    """
    tasks = [planned for planned in tasks if planned.manifest is not None]
    remember(tasks, store)
    successes = store.history.last_successes(workspace_id)
    keys = {planned.task.id: successes.get(planned.task.id) for planned in tasks}
    earlier = store.manifests.get_many([key for key in keys.values() if key is not None])
    found = {}
    for planned in tasks:
        key = keys[planned.task.id]
        found[planned.task.id] = _one(planned, key, earlier.get(key or ""), store)
    return found


def remember(tasks: Iterable[PlannedTask], store: Store) -> None:
    """Store what the keys of tasks were made from."""
    manifests, parts = {}, {}
    for planned in tasks:
        manifest = planned.manifest
        if manifest is not None:
            manifests[manifest.key] = dict(manifest.parts)
            for name, digest in manifest.parts.items():
                if digest not in parts:
                    parts[digest] = manifest.entries(name)
    store.manifests.put(manifests, parts)


def _one(
    planned: PlannedTask, key: str | None, old: dict[str, str] | None, store: Store
) -> Explanation:
    if planned.manifest is None or key is None:
        return Explanation(problem="it has not passed here yet")
    if key == planned.manifest.key:
        return Explanation(problem="its key is that of the last success")
    if old is None:
        return Explanation(problem="what stood behind its last success is no longer kept")
    return Explanation(_lines(old, planned.manifest.parts, store))


def explain_against(planned: PlannedTask, parts: Mapping[str, str], store: Store) -> Explanation:
    """Compare the key of a task with the parts of another one.

    Args:
        planned: The task.
        parts: Part name to digest, as they were elsewhere. What stood behind a digest is told where
            this store knows it.
        store: Where parts are compared.
    """
    if planned.manifest is None:
        return Explanation(problem="it has no key here")
    remember([planned], store)
    return Explanation(_lines(dict(parts), planned.manifest.parts, store))


def _lines(old: dict[str, str], new: Mapping[str, str], store: Store) -> tuple[str, ...]:
    found = store.manifests.difference(old, new)
    lines = tuple(dict.fromkeys(difference_line(item) for item in _files_first(found)))
    if len(lines) > _SHOWN:
        lines = (*lines[:_SHOWN], f"... and {len(lines) - _SHOWN} more differences")
    return lines


def _files_first(found: Iterable[Difference]) -> list[Difference]:
    return sorted(found, key=lambda item: "files" not in item.part and "sources" not in item.part)


def difference_line(item: Difference) -> str:
    """Return a difference of two keys in words."""
    if not item.label:  # the part as a whole
        return f"{item.part} {item.change}"
    if is_listing(item.part):
        word = {"added": "new", "removed": "gone"}.get(item.change, item.change)
        return f"{word}: {item.label}"
    if item.part in LOCK_PARTS:
        return f"lock: {item.label} {_version(item.old)} -> {_version(item.new)}"
    return f"{item.part}: {item.label} {item.change}"


def _version(value: str | None) -> str:
    return locked_version(value) if value else "absent"
