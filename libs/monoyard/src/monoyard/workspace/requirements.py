"""Names in dependency declarations: PEP 503 normalisation and the head of a PEP 508 string."""

from __future__ import annotations

import re
from functools import cache

_SEPARATORS = re.compile(r"[-_.]+")
_HEAD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")


@cache
def normalize(name: str) -> str:
    """Return a distribution name in the form that compares equal (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


@cache
def split_requirement(requirement: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the normalised name and the extras of a PEP 508 requirement, or None.

    Only the head is read: versions and markers belong to resolvers and lock files.
    """
    match = _HEAD.match(requirement)
    if match is None:
        return None
    extras = tuple(
        normalize(extra.strip()) for extra in (match[2] or "").split(",") if extra.strip()
    )
    return normalize(match[1]), extras
