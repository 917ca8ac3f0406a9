"""Which files the key of a task covers: those it was made from, and those it would be made from."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from monoyard.plan import (
    Plan,
    PlannedTask,
    find_makers,
    is_engine_file,
    is_listing,
    is_unread,
    pattern_for,
)
from monoyard.workspace import compile_globs, zone_of


class Covering:
    """Answers for the tasks of one plan.

    Args:
        plan: A plan with keys.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._workspace = plan.workspace

    def of(self, planned: PlannedTask) -> Covered:
        """Return what the key of a task covers."""
        return Covered(self._plan, planned, self._made_for(planned))

    @cached_property
    def settings(self) -> frozenset[str]:
        """Files that reach keys by what they say to tools, not by their bytes."""
        return self._plan.covered

    @cached_property
    def _makers(self) -> dict[str, tuple[str, ...]]:
        return find_makers(planned.task for planned in self._plan.tasks)

    def _made_for(self, planned: PlannedTask) -> tuple[str, ...]:
        """Return the globs of what a task and those that it needs make, from the top."""
        names = {planned.task.id, *self._makers.get(planned.task.id, ())}
        return tuple(
            self._workspace.packages[other.task.package].path(pattern)
            for other in self._plan.tasks if other.task.id in names
            for pattern in other.task.outputs
        )  # fmt: skip


class Covered:
    """What the key of one task covers. Paths are from the top of the repository."""

    def __init__(self, plan: Plan, planned: PlannedTask, made: Iterable[str]) -> None:
        self._workspace = plan.workspace
        self._settings = plan.covered
        self._planned = planned
        self._directory = plan.workspace.packages[planned.task.package].directory
        self._made = compile_globs(tuple(made))
        self._declared = compile_globs(planned.task.inputs.files)

    def file(self, path: str, *, is_ours: bool) -> bool:
        """Say whether the key would be another if a file that is there were another.

        Args:
            path: The file.
            is_ours: The repository's own code reads it, not a tool that goes by its settings.
        """
        if path in self._labels or is_engine_file(path, self._workspace.top):
            return True
        return bool(self._made.match(path)) or (path in self._settings and not is_ours)

    def absence(self, path: str) -> bool:
        """Say whether the key would be another if a file were there that is not."""
        task, inputs, workspace = self._planned.task, self._planned.task.inputs, self._workspace
        if is_engine_file(path, workspace.top):
            return True
        if self._declared.match(path) or self._made.match(path) or path in self._settings:
            return True
        owner = workspace.owner(path)
        if owner is None:
            found = pattern_for(path, workspace.settings)
            return found is None or task.suite in found[1]
        package = workspace.packages[owner]
        if owner == task.package and inputs.own:
            is_left_out = package.is_root and is_unread(path, workspace.settings.files)
            return inputs.unread or not is_left_out
        if owner in inputs.around:
            return not (package.is_root and is_unread(path, workspace.settings.files))
        return owner in inputs.packages and zone_of(package.inside(path)) == "source"

    def listing(self, directory: str, *, is_ours: bool) -> bool:
        """Say whether the key would be another if a file of a directory came or went.

        Args:
            directory: The directory; empty for the top.
            is_ours: The repository's own code lists it. A tool looks there for names that it knows,
                and those of the files that are there are none of them, or it would read them.
        """
        prefix = f"{directory}/" if directory else ""
        below = self._workspace.tree.under(directory)
        children = [path for path in below if "/" not in path[len(prefix) :]]
        names = {f"monoyard-new{_suffix(path)}" for path in children} or {"monoyard-new"}
        if not is_ours and f"{self._directory}/".startswith(prefix):
            return True  # it looks how the names of directories above its own are written
        if is_ours and not all(self.file(path, is_ours=False) for path in children):
            return False
        return all(self.absence(f"{prefix}{name}") for name in names)

    @cached_property
    def _labels(self) -> frozenset[str]:
        manifest = self._planned.manifest
        if manifest is None:
            raise ValueError(f"{self._planned.task.id} has no key")
        listings = (manifest.entries(part) for part in manifest.parts if is_listing(part))
        labels = (label for entries in listings for label, _ in entries)
        return frozenset(label.rpartition(" -> ")[2] for label in labels)


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    _, dot, suffix = name.rpartition(".")
    return dot + suffix
