"""Which tasks a change affects, and why: the plan's inputs matched against what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from monoyard.changes import Changes
from monoyard.plan.causes import (
    LOCK_PARTS,
    BaseUnknown,
    Cause,
    ChangedFile,
    ConfigChanged,
    DependsOn,
    EngineChanged,
    GlobalInput,
    LockChanged,
    NewTask,
    OwnerChanged,
    UnownedFile,
    locked_version,
)
from monoyard.plan.keys import is_engine_file
from monoyard.plan.reading import is_unread, pattern_for
from monoyard.plan.task import Entries, Task
from monoyard.workspace import Workspace, compile_globs, files_on_disk, zone_of


class Affected:
    """Answers, for each task, which changes can alter its result.

    Args:
        workspace: The work tree's workspace.
        changes: What differs from the base.
        before: Tasks of the base by id; None where nothing that shapes tasks changed.
        covered: Paths outside packages whose content reaches the tasks by their parts.
    """

    def __init__(
        self,
        workspace: Workspace,
        changes: Changes,
        before: Mapping[str, Task] | None,
        covered: frozenset[str],
    ) -> None:
        self._workspace = workspace
        self._changes = changes
        self._before = before
        self._own: dict[str, list[str]] = defaultdict(list)
        self._sources: dict[str, list[str]] = defaultdict(list)
        self._everything: list[Cause] = []
        self._named: dict[str, list[Cause]] = defaultdict(list)
        self._ignored: dict[tuple[str, ...], tuple[Cause, ...]] = {}
        self._moved: dict[str, list[Cause]] = defaultdict(list)
        for path in sorted(changes.paths):
            if is_engine_file(path, workspace.top):
                self._everything.append(EngineChanged(path))
            self._sort_in(path, covered)
        if changes.before is not None:
            self._compare_owners(changes.before)

    def causes(self, task: Task) -> tuple[Cause, ...]:
        """Return why the task is affected; empty where it is not."""
        if self._changes.base.commit is None:
            return (BaseUnknown(self._changes.base.unknown),)
        found: list[Cause] = []
        for name in self._whole(task):
            found.extend(self._files_of(name, task))
            found.extend(self._moved[name])
        found.extend(self._declared(task))
        found.extend(self._parts(task))
        found.extend(self._dependencies(task))
        found.extend(self._named[task.suite])
        found.extend(self._everything)
        return tuple(dict.fromkeys(found))

    def _sort_in(self, path: str, covered: frozenset[str]) -> None:
        owners = self._owners(path)
        for name, zone in owners:
            self._own[name].append(path)
            if zone == "source":
                self._sources[name].append(path)
        if owners or path in covered:
            return
        found = pattern_for(path, self._workspace.settings)
        if found is None:
            self._everything.append(UnownedFile(path))
        else:
            for suite in found[1]:
                self._named[suite].append(GlobalInput(path, found[0]))

    def _compare_owners(self, before: Workspace) -> None:
        """Note the files that other packages own than before, though nobody changed them."""
        old, new = _files_by_directory(before), _files_by_directory(self._workspace)
        borders = [place for place in old.keys() | new.keys() if old.get(place) != new.get(place)]
        moved = {
            path for place in borders for path in {*old.get(place, ())} ^ {*new.get(place, ())}
        }
        for path in sorted(moved - self._changes.paths):
            owners = [before.owner(path), self._workspace.owner(path)]
            cause = OwnerChanged(path, owners[0] or "", owners[1] or "")
            for name, zone in self._owners(path):
                self._moved[name].append(cause)
                if zone == "source":
                    self._sources[name].append(path)

    def _owners(self, path: str) -> set[tuple[str, str]]:
        """Return who owns the path now and who did at the base, with the zone it lies in."""
        found = set()
        for workspace in (self._workspace, self._changes.before):
            if workspace is not None and (name := workspace.owner(path)) is not None:
                found.add((name, zone_of(workspace.packages[name].inside(path))))
        return found

    def _whole(self, task: Task) -> tuple[str, ...]:
        """Return the packages of which every file counts for a task."""
        return (*((task.package,) if task.inputs.own else ()), *sorted(task.inputs.around))

    def _files_of(self, package: str, task: Task) -> Iterable[Cause]:
        table = self._workspace.settings.files
        is_root = self._workspace.packages[package].is_root
        for path in self._own[package]:
            if task.inputs.unread or not is_root or not is_unread(path, table):
                yield ChangedFile(path)

    def _declared(self, task: Task) -> Iterable[Cause]:
        if task.inputs.files:
            expression = compile_globs(task.inputs.files)
            for path in sorted(self._changes.paths):
                if expression.match(path):
                    yield ChangedFile(path)
            yield from self._unknown_to_git(task.inputs.files)

    def _unknown_to_git(self, patterns: tuple[str, ...]) -> tuple[Cause, ...]:
        """Return declared files that git ignores: the base does not have them, so they are new."""
        if patterns not in self._ignored:
            known = self._workspace.tree.entries
            found = files_on_disk(self._workspace.top, patterns)
            self._ignored[patterns] = tuple(
                ChangedFile(path) for path in found if path not in known
            )
        return self._ignored[patterns]

    def _dependencies(self, task: Task) -> Iterable[Cause]:
        earlier = (self._before or {}).get(task.id)
        names = task.inputs.packages | (earlier.inputs.packages if earlier else frozenset())
        for name in sorted(names):
            if paths := self._sources.get(name):
                yield DependsOn(name, self._way(task.package, name), paths[0])

    def _way(self, source: str, target: str) -> tuple[str, ...]:
        for workspace in (self._workspace, self._changes.before):
            known = workspace is not None and {source, target} <= workspace.packages.keys()
            if workspace is not None and known and (way := workspace.graph.path(source, target)):
                return way
        return (source, target)

    def _parts(self, task: Task) -> Iterable[Cause]:
        if self._before is None:
            return
        earlier = self._before.get(task.id)
        if earlier is None:
            yield NewTask(task.id)
            return
        old, new = dict(earlier.inputs.parts), dict(task.inputs.parts)
        for part in sorted(old.keys() | new.keys()):
            before, after = _by_label(old.get(part, ())), _by_label(new.get(part, ()))
            for label in sorted(before.keys() | after.keys()):
                if before.get(label) != after.get(label):
                    yield _difference(part, label, before.get(label, [""]), after.get(label, [""]))


def _by_label(entries: Entries) -> dict[str, list[str]]:
    """Return every value of each label, for a package may import another from several files."""
    found: dict[str, list[str]] = defaultdict(list)
    for label, value in entries:
        found[label].append(value)
    return found


def _difference(part: str, label: str, before: list[str], after: list[str]) -> Cause:
    if part not in LOCK_PARTS:
        return ConfigChanged(part, label)
    return LockChanged(label, locked_version(before[0]), locked_version(after[0]))


def _files_by_directory(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    return {workspace.packages[name].directory: files for name, files in workspace.files.items()}
