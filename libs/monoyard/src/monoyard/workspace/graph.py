"""The dependency graph: who needs whom, how that is known, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter


@dataclass(frozen=True, slots=True)
class Edge:
    """One package needs another.

    Attributes:
        source: The package that needs.
        target: The package that is needed.
        is_test: Only its tests need it, so its own dependents do not.
        how: `declared` or `imported`.
        where: The manifest or the importing file.

    """

    source: str
    target: str
    is_test: bool
    how: str
    where: str


class Graph:
    """Packages and the edges between them.

    Args:
        packages: All package names.
        edges: Edges between them; several for one pair are fine.

    """

    def __init__(self, packages: Iterable[str], edges: Iterable[Edge]) -> None:
        self.packages = tuple(packages)
        self.edges = tuple(edges)

    @cached_property
    def edges_from(self) -> Mapping[str, tuple[Edge, ...]]:
        """Package to the edges that begin at it."""
        found: dict[str, list[Edge]] = {package: [] for package in self.packages}
        for edge in self.edges:
            found.setdefault(edge.source, []).append(edge)
        return {package: tuple(edges) for package, edges in found.items()}

    @cached_property
    def runtime(self) -> Mapping[str, tuple[str, ...]]:
        """Package to the packages that its sources need, directly."""
        return self._direct(include_tests=False)

    @cached_property
    def direct(self) -> Mapping[str, tuple[str, ...]]:
        """Package to the packages that its sources or its tests need, directly."""
        return self._direct(include_tests=True)

    @cached_property
    def runtime_closure(self) -> Mapping[str, frozenset[str]]:
        """Package to all packages that its sources need, at any distance; never itself."""
        closures: dict[str, frozenset[str]] = {}
        for package in self.packages:
            found: set[str] = set()
            queue = list(self.runtime[package])
            while queue:
                name = queue.pop()
                if name in closures:
                    found |= {name, *closures[name]}
                elif name not in found:
                    found.add(name)
                    queue.extend(self.runtime[name])
            closures[package] = frozenset(found - {package})
        return closures

    @cached_property
    def closure(self) -> Mapping[str, frozenset[str]]:
        """Package to all packages whose sources can change the results of its suites."""
        return {
            package: frozenset(
                {name for target in self.direct[package]
                 for name in (target, *self.runtime_closure[target])} - {package},
            )
            for package in self.packages
        }  # fmt: skip

    def edge(self, source: str, target: str) -> Edge | None:
        """Return the edge that shows best why one package needs another directly."""
        found = [edge for edge in self.edges_from.get(source, ()) if edge.target == target]
        return min(found, key=lambda edge: (edge.is_test, edge.how), default=None)

    def path(self, source: str, target: str) -> tuple[str, ...]:
        """Return a shortest chain of packages from one that needs to one that is needed."""
        previous: dict[str, str] = {}
        queue = [source]
        for name in queue:
            for following in self.direct[name] if name == source else self.runtime[name]:
                if following not in previous and following != source:
                    previous[following] = name
                    queue.append(following)
        if target not in previous:
            return ()
        chain = [target]
        while chain[-1] != source:
            chain.append(previous[chain[-1]])
        return tuple(reversed(chain))

    @cached_property
    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Every group of packages that need each other in a ring, each as a whole.

        A group is a strongly connected component (Tarjan 1972), listed as one closed walk through
        all its members, so that every step is an edge; a member may stand there twice.
        """
        try:
            TopologicalSorter(self.runtime).prepare()
        except CycleError:
            pass
        else:
            return ()
        rings = []
        seen: set[str] = set()
        for package in self.packages:
            if package in seen or package not in self._reachable(package):
                continue
            ring = {name for name in self._reachable(package) if package in self._reachable(name)}
            seen |= ring
            rings.append(self._ring_through(package, ring))
        return tuple(rings)

    def _reachable(self, package: str) -> set[str]:
        found: set[str] = set()
        queue = list(self.runtime[package])
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                queue.extend(self.runtime[name])
        return found

    def _ring_through(self, start: str, members: set[str]) -> tuple[str, ...]:
        walk = [start]
        left = members - {start}
        while left:
            walk += self._steps(walk[-1], left, members)
            left -= set(walk)
        return (*walk, *self._steps(walk[-1], {start}, members))

    def _steps(self, source: str, wanted: set[str], members: set[str]) -> list[str]:
        """Return a shortest way among members to the nearest one wanted, without its beginning."""
        ways = {source: list[str]()}
        queue = [source]
        for name in queue:
            if name in wanted:
                return ways[name]
            for following in self.runtime[name]:
                if following in members and following not in ways:
                    ways[following] = [*ways[name], following]
                    queue.append(following)
        return []

    def _direct(self, *, include_tests: bool) -> dict[str, tuple[str, ...]]:
        known = set(self.packages)
        found: dict[str, set[str]] = {package: set() for package in self.packages}
        for edge in self.edges:
            is_wanted = include_tests or not edge.is_test
            if is_wanted and {edge.source, edge.target} <= known and edge.source != edge.target:
                found[edge.source].add(edge.target)
        return {package: tuple(sorted(targets)) for package, targets in found.items()}
