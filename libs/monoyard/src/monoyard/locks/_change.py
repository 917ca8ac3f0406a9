"""What a new lock changes, and for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monoyard.locks._closure import Closure, Closures, slice_entries
from monoyard.locks._values import Lock, LockedDistribution

Versions = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class ClosureChange:
    """How the closure of one package changed.

    Args:
        names: What was added, removed or replaced in it, sorted; empty when that is unknown.
        reason: Why the whole lock was compared instead of the closures.

    """

    names: tuple[str, ...]
    reason: str | None = None


def difference(old: Lock, new: Lock) -> dict[str, Versions]:
    """Return, by name, the version before and now; None where there is none.

    Two equal versions mean that other files or another marker stand behind the same version.
    """
    changed: dict[str, Versions] = {}
    for name in sorted(old.distributions.keys() | new.distributions.keys()):
        before, after = old.distributions.get(name), new.distributions.get(name)
        if before is None or after is None or _identity(before) != _identity(after):
            changed[name] = (
                before.version if before is not None else None,
                after.version if after is not None else None,
            )
    return changed


def _identity(found: LockedDistribution) -> tuple[str, str, tuple[str, ...]]:
    return found.version, found.proof, found.extras


def affected_roots(
    old: Lock, new: Lock, roots: Mapping[str, Iterable[str]]
) -> dict[str, ClosureChange]:
    """Return the packages whose closures changed.

    Args:
        old: The lock of the base.
        new: The lock now.
        roots: By package, its requirements, as for `Closures.of`.

    Returns:
        The affected packages with what changed for each. When a lock cannot be read these are
        all packages; when closures cannot be told apart, all of them if anything changed.

    """
    for lock in (old, new):
        if not lock.is_readable:
            reason = f"{lock.path}: {lock.problem}"
            return {package: ClosureChange((), reason) for package in roots}
    before, after = Closures(old), Closures(new)
    affected: dict[str, ClosureChange] = {}
    for package, requirements in roots.items():
        wanted = tuple(requirements)
        change = _change(before.of(wanted), after.of(wanted), old, new)
        if change is not None:
            affected[package] = change
    return affected


def _change(before: Closure, after: Closure, old: Lock, new: Lock) -> ClosureChange | None:
    if before.complete and after.complete:
        names = _changed_names(before, after)
        return ClosureChange(names) if names else None
    changed = tuple(difference(old, new))
    if not changed and old.options == new.options:
        return None
    return ClosureChange(changed, before.reason or after.reason)


def _changed_names(before: Closure, after: Closure) -> tuple[str, ...]:
    old, new = dict(slice_entries(before)), dict(slice_entries(after))
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return tuple(sorted(changed))
