"""Which third-party distributions a package's suites need, from manifests alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from monoyard.config import SuiteSettings
from monoyard.workspace import (
    Package,
    Workspace,
    dependency_groups,
    normalize,
    split_requirement,
    zone_of,
)

TEST_SUITES: Final = ("unit", "integration", "contract")
_DEFAULT_GROUPS: Final = ("test", "tests", "testing", "dev", "hatch.test", "hatch.default")
_TEST_TOOLS: Final = ("pytest", "pytest-cov", "pytest-xdist")


def suite_roots(
    workspace: Workspace, package: Package, suite: str, settings: SuiteSettings
) -> tuple[str, ...]:
    """Return the third-party requirements of a suite, as written, sorted.

    They are the package's run-time requirements and those of every package it needs (but for
    examples, which are read and not run), its own development groups (the table's, else those that
    exist of the usual names), the workspace's group for the suite, and what the table adds.
    """
    found = list(settings.requirements or ())
    found += root_group(workspace, suite)
    found += package.manifest.requirements
    for extra in package.manifest.extras.values():
        found += extra
    for name in chosen_groups(package, settings):
        found += package.manifest.groups.get(name, ())
    for name in _installed_with(workspace, package):
        needed = workspace.packages[name]
        if needed.kind == "python":
            found += needed.manifest.requirements
            found += [item for extra in needed.manifest.extras.values() for item in extra]
    return third_party(workspace, found)


def _installed_with(workspace: Workspace, package: Package) -> frozenset[str]:
    """Return the packages whose requirements go into a package's venv.

    An import in an example brings nothing: one line of a README-like script would otherwise install
    all that the imported package needs wherever the tests of this one run.
    """
    graph = workspace.graph
    direct = graph.direct[package.name]
    if direct == graph.runtime[package.name]:
        return graph.closure[package.name]
    wanted = {
        edge.target for edge in graph.edges_from[package.name]
        if zone_of(package.inside(edge.where)) != "document"
    }  # fmt: skip
    further = (graph.runtime_closure[name] for name in wanted)
    return frozenset(wanted.union(*further) - {package.name})


def with_test_tools(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return requirements with pytest and its plugins added where they are not named."""
    listed = list(requirements)
    names = {head[0] for item in listed if (head := split_requirement(item))}
    return tuple(sorted({*listed, *(tool for tool in _TEST_TOOLS if tool not in names)}))


def chosen_groups(package: Package, settings: SuiteSettings) -> tuple[str, ...]:
    """Return the development groups of a package that a suite installs.

    hatch's default group is for packages without a test group: others inherit it where it counts.
    """
    if settings.groups is not None:
        return tuple(
            name if name.startswith("hatch.") else normalize(name) for name in settings.groups
        )
    found = tuple(name for name in _DEFAULT_GROUPS if name in package.manifest.groups)
    return tuple(name for name in found if name != "hatch.default" or "hatch.test" not in found)


def root_group(workspace: Workspace, suite: str) -> tuple[str, ...]:
    """Return the requirements of the root's dependency groups that the settings give a suite."""
    key = "test" if suite in TEST_SUITES and suite not in workspace.settings.groups else suite
    return tuple(
        requirement
        for group in workspace.settings.groups.get(key, ())
        for requirement in root_groups(workspace).get(normalize(group), ())
    )


def root_groups(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Return the root's dependency groups, with the groups that they include."""
    return dependency_groups(workspace.document)


def declared_names(workspace: Workspace, package: Package) -> tuple[frozenset[str], frozenset[str]]:
    """Return the distributions a package's sources may import, and those its tests may.

    Extras count for sources: they are guarded by the caller. Root groups count for tests.
    """
    manifest = package.manifest
    runtime = [
        *manifest.requirements,
        *(item for extra in manifest.extras.values() for item in extra),
    ]
    tests = [*runtime, *(item for group in manifest.groups.values() for item in group)]
    tests += [item for group in root_groups(workspace).values() for item in group]
    return _names(runtime) | {manifest.name}, _names(tests) | {manifest.name}


def third_party(workspace: Workspace, requirements: Iterable[str]) -> tuple[str, ...]:
    """Return requirements without those that packages of the workspace meet, sorted."""
    return tuple(
        sorted(
            {
                requirement
                for requirement in requirements
                if (head := split_requirement(requirement))
                and ("python", head[0]) not in workspace.projects
            }
        )
    )


def _names(requirements: Iterable[str]) -> frozenset[str]:
    return frozenset(head[0] for item in requirements if (head := split_requirement(item)))
