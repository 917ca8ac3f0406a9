"""Who brings a dependency in: the packages that need it, and the dependency of theirs it is of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from monoyard.locks import Lock, normalise


class Dependents:
    """Answers for one graph of dependencies.

    Args:
        edges: Name of a dependency to the names it needs.
        direct: Name of a package of the workspace to the dependencies that it declares.
    """

    def __init__(
        self, edges: Mapping[str, Iterable[str]], direct: Mapping[str, Iterable[str]]
    ) -> None:
        self._edges = edges
        self._direct = direct

    @classmethod
    def of_lock(cls, lock: Lock, direct: Mapping[str, Iterable[str]]) -> Dependents:
        """Return the answers that a Python lock gives."""
        edges = {
            name: [dependency.name for dependency in item.dependencies]
            for name, item in lock.distributions.items()
        }
        named = {package: [normalise(name) for name in names] for package, names in direct.items()}
        return cls(edges, named)

    @classmethod
    def of_npm(cls, content: bytes, package: str) -> Dependents:
        """Return the answers that an npm lock gives; none where it cannot be read."""
        try:
            entries: dict[str, Any] = json.loads(content)["packages"]
        except (ValueError, KeyError, TypeError):
            return cls({}, {})
        edges: dict[str, set[str]] = {}
        for place, entry in entries.items():
            name = place.rpartition("node_modules/")[2]
            needs = {**entry.get("dependencies", {}), **entry.get("optionalDependencies", {})}
            edges.setdefault(name, set()).update(needs)
        root = entries.get("", {})
        direct = {**root.get("dependencies", {}), **root.get("devDependencies", {})}
        return cls(edges, {package: direct})

    @property
    def has_any(self) -> bool:
        """Whether any package declares a dependency."""
        return any(True for names in self._direct.values() for _ in names)

    def of(self, name: str) -> tuple[str, ...]:
        """Return who needs a dependency: `api`, or `api through fastapi`."""
        return tuple(
            package if first == name else f"{package} through {first}"
            for package, firsts in sorted(self._direct.items())
            for first in sorted(firsts)
            if name in self._reach(first)
        )

    def _reach(self, first: str) -> set[str]:
        found, left = {first}, [first]
        while left:
            for name in self._edges.get(left.pop(), ()):
                if name not in found:
                    found.add(name)
                    left.append(name)
        return found
