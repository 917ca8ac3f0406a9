"""A `Lock` as compact JSON-able data and back, for whoever remembers parsed locks by content."""

from __future__ import annotations

from typing import Any, Final

from monoyard.locks._values import Dependency, Lock, LockedDistribution

# Part of the data, so that what an older engine remembered is parsed anew.
_SHAPE: Final = 1

Data = list[Any]


def to_data(lock: Lock) -> Data:
    """Return lists, strings and None that `from_data` turns into an equal lock."""
    return [
        _SHAPE,
        lock.path,
        lock.kind,
        [_pack_distribution(found) for found in lock.distributions.values()],
        [[name, _pack_edges(edges)] for name, edges in lock.projects.items()],
        lock.python,
        lock.platform,
        list(lock.options),
        lock.problem,
        lock.is_readable,
    ]


def from_data(data: object) -> Lock:
    """Return the lock that `to_data` packed.

    Raises:
        ValueError: the data has another shape; parse the file instead.

    """
    row: Any = data
    try:
        shape, path, kind, distributions, projects, python, platform, options, *rest = row
        problem, is_readable = rest
        if shape != _SHAPE:
            raise ValueError("the data was packed by another version")
        found = [_unpack_distribution(row) for row in distributions]
        edges = {name: _unpack_edges(rows) for name, rows in projects}
    except (TypeError, AttributeError) as error:
        raise ValueError("the data is not a packed lock") from error
    return Lock(
        path=path,
        kind=kind,
        distributions={one.name: one for one in found},
        projects=edges,
        python=python,
        platform=platform,
        options=tuple(options),
        problem=problem,
        is_readable=is_readable,
    )


def _pack_distribution(found: LockedDistribution) -> Data:
    return [
        found.name,
        found.version,
        found.proof,
        " ".join(found.hashes),
        _pack_edges(found.dependencies),
        list(found.extras),
        found.marker,
        found.is_local,
        found.is_anonymous,
    ]


def _unpack_distribution(row: Data) -> LockedDistribution:
    name, version, proof, hashes, edges, extras, marker, is_local, is_anonymous = row
    return LockedDistribution(
        name=name,
        version=version,
        hashes=tuple(hashes.split()),
        dependencies=_unpack_edges(edges),
        extras=tuple(extras),
        marker=marker,
        is_local=is_local,
        is_anonymous=is_anonymous,
        proof=proof,
    )


def _pack_edges(edges: tuple[Dependency, ...]) -> Data:
    """Pack an edge as its bare name where it is nothing else, which most are."""
    return [
        edge.name
        if edge == Dependency(edge.name)
        else [edge.name, list(edge.extras), edge.marker, edge.for_extra, edge.for_group]
        for edge in edges
    ]


def _unpack_edges(rows: Data) -> tuple[Dependency, ...]:
    return tuple([_unpack_edge(row) for row in rows])


def _unpack_edge(row: str | Data) -> Dependency:
    if isinstance(row, str):
        return Dependency(row)
    name, extras, marker, for_extra, for_group = row
    return Dependency(name, tuple(extras), marker, for_extra, for_group)
