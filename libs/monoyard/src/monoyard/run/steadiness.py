"""Says whether the inputs of a task stood still while it ran: all that its key was made from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from monoyard.plan import Manifest, Plan, PlannedTask, find_makers, is_listing
from monoyard.workspace import compile_globs


class Steadiness:
    """Compares manifests of before and after, and looks for files that were written in between.

    The latter finds what was edited and put back, of which a task may have read either. What was
    looked at once is not looked at again: one of these serves for one moment.

    Args:
        plan: What is run.
        began: Unix nanoseconds before the plan's tree was read.
    """

    def __init__(self, plan: Plan, began: int) -> None:
        self._plan = plan
        self._began = began
        self._tasks = {planned.task.id: planned.task for planned in plan.tasks}
        self._makers = find_makers(self._tasks.values())
        self._written: dict[str, tuple[str, ...]] = {}

    def changed(self, planned: PlannedTask, now: Manifest | None) -> str:
        """Return one input of a task that did not stand still; empty where all did.

        Args:
            planned: The task with its manifest of before it ran.
            now: Its manifest as things are; None where there is no such task any more.
        """
        before = planned.manifest
        if before is None or now is None:
            return "its package"
        for part in {**before.parts, **now.parts}:
            if before.parts.get(part) != now.parts.get(part):
                labels = {label for label, _ in {*before.entries(part)} ^ {*now.entries(part)}}
                found = self._not_made(planned, part, labels)
                if found or not labels:
                    return found[0] if found else part
        for part in filter(is_listing, before.parts):
            if found := self._not_made(planned, part, self._written_in(before, part)):
                return found[0]
        return self._written_settings

    def _not_made(self, planned: PlannedTask, part: str, labels: Iterable[str]) -> list[str]:
        """Leave out what the task makes, or one that it needs: that is to change meanwhile."""
        if part != "inputs":
            return sorted(labels)
        packages = self._plan.workspace.packages
        makers = (planned.task.id, *self._makers.get(planned.task.id, ()))
        globs = (
            packages[task.package].path(glob)
            for task in (self._tasks[name] for name in makers) for glob in task.outputs
        )  # fmt: skip
        made, tracked = compile_globs(tuple(globs)), self._plan.workspace.tree.entries
        return sorted(label for label in labels if label in tracked or not made.match(label))

    def _written_in(self, manifest: Manifest, part: str) -> tuple[str, ...]:
        digest = manifest.parts[part]
        if digest not in self._written:
            labels = (label for label, _ in manifest.entries(part))
            self._written[digest] = tuple(filter(self._is_written, labels))
        return self._written[digest]

    @cached_property
    def _written_settings(self) -> str:
        """A file that was written and reaches tasks by other parts than listings: it may be any."""
        return next(filter(self._is_written, sorted(self._plan.covered)), "")

    def _is_written(self, label: str) -> bool:
        """Say whether a file was written since the run began; of a link, what it leads to."""
        path, arrow, target = label.partition(" -> ")
        top = self._plan.workspace.top
        if self._is_later(top / path, follows=False):
            return True
        if not arrow:
            return False
        if target in self._plan.workspace.tree.entries:
            return self._is_later(top / target, follows=False)
        # It leads out of the tree, of which no label names single files.
        below = (Path(place, name) for place, _, names in os.walk(top / path) for name in names)
        return any(self._is_later(item, follows=True) for item in (top / path, *below))

    def _is_later(self, place: Path, *, follows: bool) -> bool:
        try:
            return place.stat(follow_symlinks=follows).st_ctime_ns > self._began
        except OSError:
            return False
