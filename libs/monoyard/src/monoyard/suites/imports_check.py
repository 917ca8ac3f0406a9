"""Declared against imported dependencies inside the workspace: a part of `lint`."""

from __future__ import annotations

from collections.abc import Iterator

from monoyard.results import Finding, Severity
from monoyard.workspace import Edge, Package, Workspace, zone_of


def internal_findings(workspace: Workspace, package: Package) -> tuple[Finding, ...]:
    """Return where imports and declarations of workspace packages differ, and cycles.

    An import without a declaration breaks whoever installs the package alone, so it is an error. A
    declaration that nothing imports is a warning: plugins are found by entry points.
    """
    if package.is_root and workspace.settings.root_package is not None:
        return ()
    return (
        *_undeclared(workspace, package),
        *_unused(workspace, package),
        *_cycles(workspace, package),
    )


def _edges(workspace: Workspace, package: Package) -> tuple[Edge, ...]:
    """Return its edges but for those of a `package.json` beside: no Python import is meant."""
    edges = workspace.graph.edges_from[package.name]
    return tuple(
        edge for edge in edges if edge.how == "imported" or edge.where == package.manifest_path
    )


def _undeclared(workspace: Workspace, package: Package) -> Iterator[Finding]:
    edges = _edges(workspace, package)
    for_sources = {edge.target for edge in edges if edge.how == "declared" and not edge.is_test}
    for_tests = {edge.target for edge in edges if edge.how == "declared"}
    seen = set()
    for edge in edges:
        allowed = for_tests if edge.is_test else for_sources
        if edge.how == "imported" and edge.target not in allowed and edge.target not in seen:
            seen.add(edge.target)
            name = workspace.packages[edge.target].manifest.name
            where = "a dependency group" if edge.is_test else "`dependencies`"
            message = f"imports `{name}`, which {package.manifest_path} does not name in {where}"
            # Examples are read, not installed: what they import beyond is a remark.
            is_example = zone_of(package.inside(edge.where)) == "document"
            severity = Severity.WARNING if is_example else Severity.ERROR
            yield Finding(edge.where, message, "undeclared-dependency", severity=severity)


def _unused(workspace: Workspace, package: Package) -> Iterator[Finding]:
    if package.kind != "python":
        return
    edges = _edges(workspace, package)
    imported = {edge.target for edge in edges if edge.how == "imported"}
    for edge in edges:
        if edge.how == "declared" and not edge.is_test and edge.target not in imported:
            name = workspace.packages[edge.target].manifest.name
            message = f"declares `{name}` but imports nothing of it"
            yield Finding(edge.where, message, "unused-dependency", severity=Severity.WARNING)


def _cycles(workspace: Workspace, package: Package) -> Iterator[Finding]:
    for ring in workspace.graph.cycles:
        if package.name in ring:
            message = f"packages need each other in a ring: {' -> '.join(ring)}"
            yield Finding(package.manifest_path, message, "dependency-cycle")
