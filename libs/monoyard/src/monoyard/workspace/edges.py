"""Who needs whom: what manifests declare, and what Python files import."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import takewhile
from typing import Final

from monoyard.config import Faults
from monoyard.workspace.discovery import Discovery
from monoyard.workspace.graph import Edge
from monoyard.workspace.imports import ModuleIndex
from monoyard.workspace.manifests import MANIFEST_NAMES, Manifest
from monoyard.workspace.package import Package
from monoyard.workspace.requirements import split_requirement

_PATHS: Final = ("file", "link", "portal")
"""Words before the `:` of an npm dependency that is a directory."""


def called(packages: Mapping[str, Package]) -> Mapping[tuple[str, str], list[str]]:
    """Return the packages that have a name, by (kind, project name): examples may share one."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, package in packages.items():
        for manifest in package.manifests:
            if manifest.name:
                found.setdefault((manifest.kind, manifest.name), []).append(name)
    return found


def find_edges(discovery: Discovery, faults: Faults) -> Iterator[Edge]:
    """Yield the edges between packages; a need that may mean several is added to `faults`."""
    packages = discovery.packages
    declared = tuple(_declared(packages, faults))
    yield from declared
    if discovery.settings.root_package is not None:
        yield from _of_root(packages)
    needed: dict[str, set[str]] = defaultdict(set)
    for edge in declared:
        needed[edge.source].add(edge.target)
    index = ModuleIndex({name: package.modules for name, package in packages.items()})
    for name, package in packages.items():
        for imports, is_test in ((package.imports, False), (package.test_imports, True)):
            for dotted, path in imports.items():
                for target in _meant(name, index.owners(dotted), needed[name], packages):
                    yield Edge(name, target, is_test, "imported", path)


def _meant(
    importer: str, owners: Sequence[str], needed: AbstractSet[str], packages: Mapping[str, Package]
) -> Sequence[str]:
    """Return whom an import means, of those who have the module; examples often share names.

    That is the importer's own, which is no edge, else what it declares, else the nearest; several
    that are equally near all count, for an edge too many is better than one too few.
    """
    if importer in owners:
        return ()
    if len(owners) <= 1:
        return owners
    if declared := [name for name in owners if name in needed]:
        return declared
    here = packages[importer].directory
    shared = {name: _shared_parts(here, packages[name].directory) for name in owners}
    return [name for name in owners if shared[name] == max(shared.values())]


def _shared_parts(one: str, other: str) -> int:
    """Return how many directories two paths have in common from the top."""
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _of_root(packages: Mapping[str, Package]) -> Iterator[Edge]:
    """Yield the needs of a root that is declared a package: its tests are about everything."""
    for name, package in packages.items():
        if package.is_root:
            for other in packages:
                if other != name:
                    where = package.manifest_path
                    yield Edge(name, other, is_test=True, how="declared", where=where)


def _declared(packages: Mapping[str, Package], faults: Faults) -> Iterator[Edge]:
    by_project = called(packages)
    by_directory = {package.directory: name for name, package in packages.items()}
    for name, package in packages.items():
        for manifest in package.manifests:
            where = package.path(MANIFEST_NAMES[manifest.kind == "typescript"])
            find = _internal_of_npm if manifest.kind == "typescript" else _internal
            for requirements, is_test in _requirement_sets(manifest):
                for requirement in requirements:
                    targets = find(package, requirement, by_project, by_directory)
                    if len(targets) > 1 and name not in targets:
                        faults.append(
                            f"{where}: `{requirement}` may mean any of {', '.join(targets)}, "
                            "which are called the same; a path says which"
                        )
                    elif targets and name not in targets:
                        yield Edge(name, targets[0], is_test, "declared", where)


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
