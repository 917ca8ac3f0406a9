"""Keys: the hash of everything that can change a task's result, with the manifest behind it.

A manifest names its parts (`files`, `files of LIB`, `lock`, `tools`, ...) with a digest each; the
key is the hash of those. Parts are shared between tasks, so that a thousand packages cost a
thousand listings, not a thousand times their dependencies.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Final

from monoyard import __version__
from monoyard.cache import part_digest
from monoyard.plan.reading import is_unread, pattern_for, patterns_for
from monoyard.plan.task import Entries, Task
from monoyard.workspace import Tree, Workspace, compile_globs, files_on_disk, zone_of

_ENGINE: Final = Path(__file__).resolve().parent.parent
_KEY_MAKING_ROOMS: Final = (
    "changes", "config", "images", "install", "locks", "plan", "process", "recall", "results",
    "run", "suites", "testing/plugins", "tools", "workspace",
)  # fmt: skip
_LISTINGS: Final = ("files of ", "all files of ", "sources of ", "unowned files", "files for ")


@dataclass(frozen=True)
class Manifest:
    """What stands behind a key.

    Attributes:
        key: 64 hexadecimal digits.
        parts: Part name to digest, in the order they were hashed.
        entries: Returns the (label, value) pairs of a part by name.
    """

    key: str
    parts: Mapping[str, str]
    entries: Callable[[str], Entries]


class Keys:
    """Makes the keys of one workspace.

    Args:
        workspace: The work tree's workspace.
        covered: Paths outside packages whose content reaches the tasks by other parts.
        base: The tree of the base, for inputs that are read as they were there.
    """

    def __init__(self, workspace: Workspace, covered: frozenset[str], base: Tree | None) -> None:
        self._workspace = workspace
        self._covered = covered
        self._base = base
        self._parts: dict[str, tuple[str, Callable[[], Entries]]] = {}

    def manifest(self, task: Task, resolution: Entries = (), made: Entries = ()) -> Manifest:
        """Return the key of a task and the manifest it was made from.

        Args:
            task: The task.
            resolution: What stands in for a lock where there is none; a part of its own.
            made: Tasks whose files it may read, with their keys.
        """
        inputs = task.inputs
        names: dict[str, str] = {"engine": self._digest("engine", self._engine)}
        names["unowned files"] = self._digest("unowned files", self._unowned)
        names[f"files for {task.suite}"] = self._digest(
            f"files for {task.suite}", lambda: self._named_for(task.suite)
        )
        if inputs.own:
            kind = "all files of" if inputs.unread else "files of"
            names[f"{kind} {task.package}"] = self._digest(
                f"{kind} {task.package}", lambda: self._own(task.package, unread=inputs.unread)
            )
        for package in sorted(inputs.around):
            names[f"files of {package}"] = self._digest(
                f"files of {package}", partial(self._own, package, unread=False)
            )
        for package in sorted(inputs.packages):
            names[f"sources of {package}"] = self._digest(
                f"sources of {package}", partial(self._sources, package)
            )
        if inputs.files:
            # Listed once: what git ignores may be another when it is asked for again.
            listing = cache(partial(self._declared, inputs.files))
            names["inputs"] = self._digest(_inputs_label(task), listing)
        if inputs.base_files:
            label = f"base {json.dumps(inputs.base_files)}"
            names["base files"] = self._digest(label, lambda: self._at_base(inputs.base_files))
        own = dict(inputs.parts)
        if resolution:
            own["resolution"] = resolution
        if made:
            own["needs"] = made
        for name, entries in own.items():
            names[name] = part_digest(entries)
        text = json.dumps([task.id, list(names.items())])
        key = hashlib.sha256(text.encode()).hexdigest()
        return Manifest(key, names, lambda name: self._entries(task, names, own, name))

    def _entries(
        self, task: Task, names: Mapping[str, str], own: Mapping[str, Entries], name: str
    ) -> Entries:
        if name in own:
            return own[name]
        if name == "inputs":
            return self._parts[_inputs_label(task)][1]()
        if name == "base files":
            return self._at_base(task.inputs.base_files)
        return self._parts[name][1]() if name in self._parts and name in names else ()

    def _digest(self, name: str, entries: Callable[[], Entries]) -> str:
        if name not in self._parts:
            self._parts[name] = (part_digest(entries()), entries)
        return self._parts[name][0]

    def _engine(self) -> Entries:
        return (("version", __version__), ("rooms", engine_digest()))

    @cached_property
    def _loose(self) -> tuple[str, ...]:
        """Files that no package owns and no task part was made from."""
        owned = {path for paths in self._workspace.files.values() for path in paths}
        return tuple(
            path for path in self._workspace.tree.paths
            if path not in owned and path not in self._covered
        )  # fmt: skip

    def _unowned(self) -> Entries:
        settings = self._workspace.settings
        return self._listing(path for path in self._loose if pattern_for(path, settings) is None)

    def _named_for(self, suite: str) -> Entries:
        expression = compile_globs(patterns_for(suite, self._workspace.settings))
        return self._listing(path for path in self._loose if expression.match(path))

    def _own(self, package: str, *, unread: bool) -> Entries:
        paths = self._workspace.files[package]
        if not unread and self._workspace.packages[package].is_root:
            table = self._workspace.settings.files
            paths = tuple(path for path in paths if not is_unread(path, table))
        return self._listing(paths)

    def _sources(self, package: str) -> Entries:
        found = self._workspace.packages[package]
        return self._listing(
            path
            for path in self._workspace.files[package]
            if zone_of(found.inside(path)) == "source"
        )

    def _declared(self, patterns: tuple[str, ...]) -> Entries:
        tree = self._workspace.tree
        expression = compile_globs(patterns)
        found = {path for path in tree.paths if expression.match(path)}
        # Ignored files count where they are declared, so the disk is asked as well.
        found.update(files_on_disk(tree.top, patterns))
        return self._listing(sorted(found))

    def _at_base(self, paths: tuple[str, ...]) -> Entries:
        if self._base is None:
            return tuple((path, "no base") for path in paths)
        return tuple((path, self._base.entries.get(path, "absent")) for path in paths)

    def _listing(self, paths: Iterable[str]) -> Entries:
        tree = self._workspace.tree
        rows: list[tuple[str, str]] = []
        for path in paths:
            rows.append((path, tree.digest(path) or "absent"))
            if path in tree.links:
                rows.extend(
                    (f"{path} -> {target}", entry) for target, entry in tree.behind_link(path)
                )
        return tuple(rows)


def is_listing(part: str) -> bool:
    """Say whether the labels of a part of a manifest are files, from the top.

    One of a symbolic link is followed by ` -> ` and what that leads to.
    """
    return part == "inputs" or part.startswith(_LISTINGS)


def _inputs_label(task: Task) -> str:
    return f"inputs {json.dumps(task.inputs.files)}"


def engine_digest() -> str:
    """Return a digest of the engine's own files that make keys, commands or results.

    Every file counts, whatever its kind: what tasks are made from is not only Python.
    """
    digest = hashlib.sha256()
    for room in _KEY_MAKING_ROOMS:
        for directory, inner, names in os.walk(_ENGINE / room):
            inner[:] = sorted(name for name in inner if name != "__pycache__")
            for name in sorted(names):
                path = Path(directory, name)
                digest.update(f"{path.relative_to(_ENGINE).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def is_engine_file(path: str, top: Path) -> bool:
    """Say whether a path of a workspace is one of the files behind `engine_digest`.

    True only where the engine that runs is developed in that very workspace.
    """
    if not _ENGINE.is_relative_to(top):
        return False
    engine = _ENGINE.relative_to(top).as_posix()
    rooms = tuple(f"{engine}/{room}/" for room in _KEY_MAKING_ROOMS)
    return path.startswith(rooms)
