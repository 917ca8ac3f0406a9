"""The repository as a workspace: its packages, their dependency graph, their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from monoyard.config import Faults, WorkspaceSettings, raise_faults, suggest
from monoyard.errors import UsageError
from monoyard.workspace.discovery import Discovery, discover
from monoyard.workspace.file_imports import scan_files
from monoyard.workspace.globs import compile_globs, files_on_disk, matches
from monoyard.workspace.graph import Edge, Graph
from monoyard.workspace.imports import ModuleIndex, scan_imports
from monoyard.workspace.manifests import Manifest, dependency_groups
from monoyard.workspace.memo import Memo
from monoyard.workspace.package import ROOT_PACKAGE_PATHS, Package, zone_of
from monoyard.workspace.repository import Repository
from monoyard.workspace.requirements import normalize, split_requirement
from monoyard.workspace.snapshot import take_snapshot
from monoyard.workspace.tree import CommittedTree, Tree

__all__ = [
    "ROOT_PACKAGE_PATHS",
    "CommittedTree",
    "Edge",
    "Graph",
    "Manifest",
    "Memo",
    "ModuleIndex",
    "Package",
    "Repository",
    "Tree",
    "Workspace",
    "compile_globs",
    "dependency_groups",
    "files_on_disk",
    "load",
    "matches",
    "normalize",
    "scan_files",
    "scan_imports",
    "split_requirement",
    "take_snapshot",
    "zone_of",
]

_PATHS: Final = ("file", "link", "portal")
"""Words before the `:` of an npm dependency that is a directory."""


@dataclass(frozen=True)
class Workspace:
    """The packages of one tree (the work tree, or a commit) and what is known of them.

    Attributes:
        tree: The files it was read from.
        settings: The root table.
        document: The parsed root `pyproject.toml`.
        packages: Packages by name, sorted by name.
        files: Package name to the paths it owns, sorted.
        graph: The dependency graph.
        notes: What a person should know about how it was read.
    """

    tree: Tree
    settings: WorkspaceSettings
    document: Mapping[str, Any]
    packages: Mapping[str, Package]
    files: Mapping[str, tuple[str, ...]]
    graph: Graph
    notes: tuple[str, ...] = ()

    @property
    def top(self) -> Path:
        """Root directory of the work tree."""
        return self.tree.top

    @cached_property
    def _owners(self) -> dict[str, str]:
        return {path: name for name, paths in self.files.items() for path in paths}

    @cached_property
    def by_project(self) -> Mapping[tuple[str, str], str]:
        """(kind, normalised project name) to package name; what several are called is left out."""
        return {
            project: names[0] for project, names in _called(self.packages).items()
            if len(names) == 1
        }  # fmt: skip

    @cached_property
    def module_index(self) -> ModuleIndex:
        """Which package provides which module."""
        return ModuleIndex({name: package.modules for name, package in self.packages.items()})

    def owner(self, path: str) -> str | None:
        """Return the package that owns a path, which need not exist any more, or None."""
        if (name := self._owners.get(path)) is not None:
            return name
        directory = path.rpartition("/")[0]
        while directory:
            if (found := self._by_directory.get(directory)) is not None:
                return found
            directory = directory.rpartition("/")[0]
        root = self._by_directory.get("")
        if root is not None and self.settings.root_package and matches(path, ROOT_PACKAGE_PATHS):
            return root
        return None

    @cached_property
    def _by_directory(self) -> dict[str, str]:
        return {package.directory: name for name, package in self.packages.items()}

    def find(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the packages that words name: by name, project name or path.

        Raises:
            UsageError: A word names no package; near misses are suggested.
        """
        found = []
        for word in words:
            path = word.rstrip("/").removeprefix("./")
            candidates = (
                path if path in self.packages else None,
                self._by_directory.get(path),
                self.by_project.get(("python", normalize(path))),
                self.by_project.get(("typescript", path.lower())),
            )
            name = next((item for item in candidates if item is not None), None)
            if name is None:
                raise UsageError(
                    f"there is no package `{word}`{suggest(word, self.packages)}",
                    code="unknown-package",
                    hint="`invoke graph` lists all packages",
                )
            found.append(name)
        return tuple(dict.fromkeys(found))


def load(tree: Tree, memo: Memo) -> Workspace:
    """Read the workspace of a tree.

    Raises:
        ConfigurationError: Manifests or tables have faults; all are listed.
    """
    faults: Faults = []
    discovery = discover(tree, memo, faults)
    raise_faults(faults)
    graph = Graph(discovery.packages, _edges(discovery, faults))
    raise_faults(faults)
    return Workspace(
        tree, discovery.settings, discovery.document, discovery.packages, discovery.files,
        graph, discovery.notes,
    )  # fmt: skip


def _called(packages: Mapping[str, Package]) -> Mapping[tuple[str, str], list[str]]:
    """Return the packages that have a project name, by kind and name: examples may share one."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, package in packages.items():
        if package.manifest.name:
            found.setdefault((package.kind, package.manifest.name), []).append(name)
    return found


def _edges(discovery: Discovery, faults: Faults) -> Iterable[Edge]:
    packages = discovery.packages
    by_project = _called(packages)
    by_directory = {package.directory: name for name, package in packages.items()}
    index = ModuleIndex({name: package.modules for name, package in packages.items()})
    for name, package in packages.items():
        if package.is_root and discovery.settings.root_package is not None:
            for other in packages:
                if other != name:
                    yield Edge(
                        name, other, is_test=True, how="declared", where=package.manifest_path
                    )
        manifest = package.manifest
        for requirements, is_test in _requirement_sets(manifest):
            for requirement in requirements:
                targets = _internal(package, requirement, by_project, by_directory)
                if len(targets) > 1 and name not in targets:
                    faults.append(
                        f"{package.manifest_path}: `{requirement}` may mean any of "
                        f"{', '.join(targets)}, which are called the same; a path says which"
                    )
                elif targets and name not in targets:
                    yield Edge(name, targets[0], is_test, "declared", package.manifest_path)
        for imports, is_test in ((package.imports, False), (package.test_imports, True)):
            for dotted, path in imports.items():
                owner = index.owner(dotted)
                if owner is not None and owner != name:
                    yield Edge(name, owner, is_test, "imported", path)


def _requirement_sets(manifest: Manifest) -> Iterable[tuple[Iterable[str], bool]]:
    yield manifest.requirements, False
    for requirements in manifest.extras.values():
        yield requirements, False
    for requirements in manifest.groups.values():
        yield requirements, True


def _internal(
    package: Package,
    requirement: str,
    by_project: Mapping[tuple[str, str], Sequence[str]],
    by_directory: Mapping[str, str],
) -> Sequence[str]:
    """Return the workspace packages that a requirement may mean: none for a third-party one."""
    if package.kind == "typescript":
        return _internal_of_npm(package, requirement, by_project, by_directory)
    head = split_requirement(requirement)
    if head is None:
        return ()
    source = package.manifest.sources.get(head[0])
    if source is not None and source != "workspace":
        found = by_directory.get(_joined(package.directory, source))
        if found is not None:
            return (found,)
    return by_project.get(("python", head[0]), ())


def _internal_of_npm(
    package: Package,
    requirement: str,
    by_project: Mapping[tuple[str, str], Sequence[str]],
    by_directory: Mapping[str, str],
) -> Sequence[str]:
    """Return the workspace packages that `NAME@RANGE` may mean, by its path or its name elsewhere.

    Args:
        package: Who requires it.
        requirement: A key and a value of a table of dependencies: the value may be a range, or
            `file:DIRECTORY`, `link:`, `portal:`, `workspace:` and `npm:` with another name.
        by_project: Kind and project name to the packages called so.
        by_directory: Directory to package.
    """
    # The first character may be the "@" of a scope.
    name, _, wanted = requirement[1:].partition("@")
    kind, _, rest = wanted.partition(":")
    found: Sequence[str] = ()
    if kind in _PATHS or (kind == "workspace" and rest.startswith(".")):
        place = by_directory.get(_joined(package.directory, rest))
        found = () if place is None else (place,)
    elif kind in ("npm", "workspace"):
        found = by_project.get(("typescript", (rest.rpartition("@")[0] or rest).lower()), ())
    return found or by_project.get(("typescript", f"{requirement[:1]}{name}".lower()), ())


def _joined(directory: str, path: str) -> str:
    """Return a path that is relative to a directory, as one of the repository."""
    parts: list[str] = []
    for part in f"{directory}/{path}".split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
