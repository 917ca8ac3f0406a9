"""The repository as a workspace: its packages, their dependency graph, their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from monoyard.config import Faults, WorkspaceSettings, raise_faults, suggest
from monoyard.errors import UsageError
from monoyard.workspace.discovery import discover
from monoyard.workspace.edges import called, find_edges
from monoyard.workspace.file_imports import scan_files
from monoyard.workspace.globs import compile_globs, files_on_disk, matches
from monoyard.workspace.graph import Edge, Graph
from monoyard.workspace.imports import scan_imports
from monoyard.workspace.manifests import Manifest, dependency_groups
from monoyard.workspace.memo import Memo
from monoyard.workspace.package import ROOT_PACKAGE_PATHS, Package, zone_of
from monoyard.workspace.repository import Repository
from monoyard.workspace.requirements import normalize, split_requirement
from monoyard.workspace.side_tree import SideTree
from monoyard.workspace.snapshot import take_snapshot
from monoyard.workspace.tree import CommittedTree, Tree

__all__ = [
    "ROOT_PACKAGE_PATHS",
    "CommittedTree",
    "Edge",
    "Graph",
    "Manifest",
    "Memo",
    "Package",
    "Repository",
    "SideTree",
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
    def projects(self) -> frozenset[tuple[str, str]]:
        """(kind, normalised project name) of all packages."""
        return frozenset(called(self.packages))

    @cached_property
    def by_project(self) -> Mapping[tuple[str, str], str]:
        """(kind, normalised project name) to package name; what several are called is left out."""
        return {
            project: names[0] for project, names in called(self.packages).items()
            if len(names) == 1
        }  # fmt: skip

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
    graph = Graph(discovery.packages, find_edges(discovery, faults))
    raise_faults(faults)
    return Workspace(
        tree, discovery.settings, discovery.document, discovery.packages, discovery.files,
        graph, discovery.notes,
    )  # fmt: skip
