"""Whether an image fits a database: by a floor and a minimum, never by equality."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of `monoyard_schema`.

    Attributes:
        revision: A revision that the database has.
        parents: What it follows or depends on.
        breaks: Why versions without it cannot live with it; empty where they can.
    """

    revision: str
    parents: tuple[str, ...] = ()
    breaks: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer, with the reason where it is no."""

    fits: bool
    why: str = ""


def fits(
    applied: Collection[Applied], current: Collection[str], head: str, minimum: str = ""
) -> Fit:
    """Say whether an image may run on a database.

    It may where the database has the oldest revision that the image can live with, and no revision
    after the image's own raises the floor. A database that is ahead fits otherwise, and so does one
    that is behind the head but has the minimum.

    Args:
        applied: The rows of `monoyard_schema`.
        current: The heads in alembic's version table.
        head: The newest revision that the image knows.
        minimum: The oldest revision that it can live with; empty means its head.
    """
    known = {item.revision: item for item in applied}
    minimum = minimum or head
    if not set(current) <= set(known):
        # Migrated past the record, or never with it: nothing is known but the names.
        if set(current) <= {head, minimum}:
            return Fit(fits=True)
        found = ", ".join(sorted(current)) or "no revision"
        return Fit(fits=False, why=f"the database is at {found}, of which nothing is recorded")
    if minimum not in known:
        return Fit(fits=False, why=f"the database lacks {minimum}, which the image needs")
    if head not in known:
        return Fit(fits=True)
    behind = _ancestors(known, head)
    for item in applied:
        if item.breaks and item.revision not in behind:
            why = f"{item.revision} is the floor: {item.breaks}"
            return Fit(fits=False, why=f"{why}; the image ends at {head}")
    return Fit(fits=True)


def _ancestors(known: Mapping[str, Applied], head: str) -> set[str]:
    found: set[str] = set()
    left = [head]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += known[name].parents if name in known else ()
    return found
