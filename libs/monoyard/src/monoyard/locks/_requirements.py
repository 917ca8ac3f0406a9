"""Requirements files as pip-compile and `uv pip compile` write them.

Their edges stand the wrong way round: every entry names its parents in a `# via` comment, on one
line or on several. Entries without one cannot be placed, and then nothing can be left out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from monoyard.locks._requirement_lines import Entry, RequirementsFile, collect
from monoyard.locks._values import (
    Dependency,
    Lock,
    LockedDistribution,
    merge,
    normalise,
    seal,
    split_requirement,
    without_credentials,
)

_EDITABLE: Final = re.compile(r"^(?:-e|--editable)(?:\s+|=)")
_LOCAL: Final = re.compile(r"(?:\.{1,2}(?:/|$)|/|file:)")
_REMOTE: Final = re.compile(r"(?!file:)[a-z+]+:")
_EGG: Final = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_Named = list[tuple[Entry, LockedDistribution]]


def parse_requirements(path: str, text: str) -> Lock:
    """Return the lock that `text` is; `problem` says what keeps its closures from being known."""
    file = collect(text)
    named = [(entry, _distribution(entry)) for entry in file.entries]
    problem, is_readable = _problem(file, named)
    grouped: dict[str, list[LockedDistribution]] = {}
    for _, distribution in named:
        if distribution.name:
            grouped.setdefault(distribution.name, []).append(distribution)
    distributions = {name: merge(name, grouped[name]) for name in sorted(grouped)}
    edges = _edges([(entry, found) for entry, found in named if found.name])
    for parent in edges.keys() & distributions.keys():
        children = tuple(edges.pop(parent))
        distributions[parent] = replace(distributions[parent], dependencies=children)
    return Lock(
        path=path,
        kind="requirements",
        distributions=distributions,
        projects={parent: tuple(edges[parent]) for parent in sorted(edges)},
        python=file.python,
        platform=file.platform,
        options=tuple(file.options),
        problem=problem,
        is_readable=is_readable,
    )


def _distribution(entry: Entry) -> LockedDistribution:
    requirement, _, marker = (part.strip() for part in entry.text.partition(" ;"))
    hashes = tuple(sorted(set(entry.hashes)))
    address = _EDITABLE.sub("", requirement)
    if address != requirement or _LOCAL.match(address) or _REMOTE.match(address):
        return _addressed(address, hashes, marker or None)
    parts = split_requirement(requirement)
    if parts is None:
        return LockedDistribution("", requirement)
    name, extras, rest = parts
    if not marker:
        rest, _, marker = (part.strip() for part in rest.partition(";"))
    version, is_local = _version(rest)
    return LockedDistribution(
        name=name,
        version=version,
        hashes=hashes,
        extras=extras,
        marker=marker or None,
        is_local=is_local,
        proof=seal(hashes, marker),
    )


def _version(rest: str) -> tuple[str, bool]:
    """Return the version or address behind a name, and whether it is a place on this machine."""
    if rest.startswith("@"):
        address = rest[1:].strip()
        return without_credentials(address), _LOCAL.match(address) is not None
    return rest.removeprefix("===").removeprefix("==").strip(), False


def _addressed(address: str, hashes: tuple[str, ...], marker: str | None) -> LockedDistribution:
    egg = _EGG.search(address)
    shown = without_credentials(address)
    return LockedDistribution(
        name=normalise(egg[1]) if egg else shown,
        version=shown,
        hashes=hashes,
        marker=marker,
        is_local=_REMOTE.match(address) is None,
        is_anonymous=egg is None,
        proof=seal(hashes, marker),
    )


def _edges(named: _Named) -> dict[str, list[Dependency]]:
    """Turn `# via` round: parent to children."""
    edges: dict[str, dict[Dependency, None]] = {}
    for entry, distribution in named:
        child = Dependency(distribution.name, distribution.extras, distribution.marker)
        for parent in _parents(entry):
            edges.setdefault(parent, {})[child] = None
    return {parent: list(children) for parent, children in edges.items()}


def _parents(entry: Entry) -> list[str]:
    """Return the parents by normalised name, or as `-r file`.

    Constraints are none, and neither is a remark that somebody wrote between them.
    """
    found = []
    for parent in entry.parents:
        if parent.startswith(("-r ", "--requirement ")):
            found.append(f"-r {parent.split(maxsplit=1)[1]}")
        elif (parts := split_requirement(parent)) and (not parts[2] or parts[2][0] == "("):
            found.append(parts[0])
    return found


def _problem(file: RequirementsFile, named: _Named) -> tuple[str | None, bool]:
    """Say what is wrong, and whether all that is locked is known none the less."""
    if file.includes:
        return f"it includes another file ({file.includes[0]}), which is not read", False
    for entry, distribution in named:
        if not distribution.name:
            return f"line {entry.line} could not be read", False
    for entry, distribution in named:
        if not _is_pinned(entry, distribution):
            return f"line {entry.line} does not pin {distribution.name} to one version", True
    if named and not any(entry.has_via for entry, _ in named):
        return "it has no `# via` comments, so no closure can be told apart", True
    for entry, distribution in named:
        is_root_project = distribution.is_local and not entry.has_via
        if not _parents(entry) and not is_root_project:
            return f"{distribution.name} names no parent in a `# via` comment", True
    return None, True


def _is_pinned(entry: Entry, distribution: LockedDistribution) -> bool:
    if distribution.is_anonymous or distribution.is_local or "@" in entry.text:
        return True
    parts = split_requirement(entry.text)
    if parts is None:
        return False
    rest = parts[2].partition(";")[0].strip()
    return rest.startswith("==") and "*" not in rest and "," not in rest
