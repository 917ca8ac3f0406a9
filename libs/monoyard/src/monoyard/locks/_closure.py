"""What a set of requirements needs of a lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from monoyard.locks._values import (
    Dependency,
    Lock,
    LockedDistribution,
    seal,
    split_requirement,
)

OPTIONS_LABEL: Final = "(options)"

_Node = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Closure:
    """The part of a lock that some requirements need.

    Args:
        distributions: What is needed, sorted by name.
        complete: Whether this was worked out; otherwise it is the whole lock.
        reason: Why it had to be the whole lock.
        missing: Requirements that the lock does not have, as they were given, sorted. A lock for
            one platform leaves out what another needs, so this is a finding and no fault.
        options: What the lock tells the installer about all of it.

    """

    distributions: tuple[LockedDistribution, ...]
    complete: bool
    reason: str | None = None
    missing: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def local_names(self) -> tuple[str, ...]:
        """Names whose bytes the lock does not pin, because they are on this machine."""
        return tuple(found.name for found in self.distributions if found.is_local)


@dataclass(frozen=True, slots=True)
class _Reach:
    """What one requirement leads to."""

    names: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    doubt: str | None = None


class Closures:
    """The closures of one lock; what one requirement leads to is worked out once."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._reached: dict[str, _Reach] = {}

    def of(self, roots: Iterable[str]) -> Closure:
        """Return what `roots` need.

        Args:
            roots: Requirements (`httpx[http2]>=0.28`; only name and extras count), names of
                workspace packages that the lock knows, or `-r file` as its comments have it. A
                workspace package brings its dependency groups along.

        Returns:
            The closure. Markers are not evaluated, and whatever is doubtful makes it everything.

        """
        if self._lock.problem is not None:
            return self._everything(f"{self._lock.path}: {self._lock.problem}")
        reached = [self._reach(root) for root in dict.fromkeys(roots)]
        for found in reached:
            if found.doubt is not None:
                return self._everything(f"{self._lock.path}: {found.doubt}")
        names = frozenset[str]().union(*(found.names for found in reached))
        return Closure(
            distributions=tuple([self._lock.distributions[name] for name in sorted(names)]),
            complete=True,
            missing=tuple(sorted({one for found in reached for one in found.missing})),
            options=self._lock.options,
        )

    def _everything(self, reason: str) -> Closure:
        return Closure(
            distributions=tuple(
                self._lock.distributions[name] for name in sorted(self._lock.distributions)
            ),
            complete=False,
            reason=reason,
            options=self._lock.options,
        )

    def _reach(self, root: str) -> _Reach:
        if root not in self._reached:
            self._reached[root] = self._walk(root)
        return self._reached[root]

    def _walk(self, root: str) -> _Reach:
        name, extras = _root_name(root)
        edges = self._edges_of_root(name)
        if edges is None:
            return _Reach(missing=(root,))
        known = {edge.for_extra for edge in edges}
        missing = (root,) if self._knows_extras and not known.issuperset(extras) else ()
        seen: set[_Node] = {(name, extra) for extra in (None, *extras)}
        waiting = [edge for edge in edges if edge.for_extra is None or edge.for_extra in extras]
        while waiting:
            edge = waiting.pop()
            found = self._lock.distributions.get(edge.name)
            if found is None:
                return _Reach(doubt=f"it needs {edge.name} and does not lock it")
            if found.is_anonymous:
                return _Reach(doubt=f"`{found.name}` has no name to find it by")
            for node in _nodes(edge):
                if node not in seen:
                    seen.add(node)
                    waiting += _edges_for(found, node[1])
        return _Reach(
            frozenset(name for name, _ in seen if name in self._lock.distributions), missing
        )

    @property
    def _knows_extras(self) -> bool:
        return self._lock.kind == "uv"

    def _edges_of_root(self, name: str) -> tuple[Dependency, ...] | None:
        if (found := self._lock.distributions.get(name)) is not None:
            return found.dependencies
        return self._lock.projects.get(name)


def _root_name(root: str) -> tuple[str, tuple[str, ...]]:
    name, extras, _ = split_requirement(root) or (root, (), "")
    return name, extras


def _nodes(edge: Dependency) -> Iterator[_Node]:
    yield edge.name, None
    for extra in edge.extras:
        yield edge.name, extra


def _edges_for(found: LockedDistribution, extra: str | None) -> list[Dependency]:
    return [
        edge for edge in found.dependencies if edge.for_extra == extra and edge.for_group is None
    ]


def closure(lock: Lock, roots: Iterable[str]) -> Closure:
    """Return what `roots` need of `lock`; use `Closures` to ask for many."""
    return Closures(lock).of(roots)


def slice_entries(part: Closure) -> tuple[tuple[str, str], ...]:
    """Return the entries of a key's manifest for a closure, sorted by label.

    Returns:
        Pairs of a name and its `version proof`, where `proof` stands for hashes and markers.

    """
    entries = [
        (found.name, f"{found.version} {found.proof}".strip()) for found in part.distributions
    ]
    if part.options:
        entries.insert(0, (OPTIONS_LABEL, seal(part.options)))
    return tuple(entries)
