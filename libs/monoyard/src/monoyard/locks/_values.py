"""One value for every kind of lock file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["requirements", "uv", "pylock"]

_REQUIREMENT: Final = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?"
)
_SEPARATORS: Final = re.compile(r"[-_.]+")
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge to a distribution.

    Args:
        name: The normalised name that is needed.
        extras: The extras of it that are needed.
        marker: The condition as text, where the lock states one; it is never evaluated.
        for_extra: Needed only when this extra of the parent is.
        for_group: Needed only by those who work on the parent (a dependency group).

    """

    name: str
    extras: tuple[str, ...] = ()
    marker: str | None = None
    for_extra: str | None = None
    for_group: str | None = None


@dataclass(frozen=True, slots=True)
class LockedDistribution:
    """What a lock says about one name.

    A lock may hold several versions of a name for different markers. They are one value here, with
    all versions, hashes and edges: a closure then holds too much rather than too little.

    Args:
        name: Normalised (PEP 503). What has no name in the lock is named by its text and is
            `is_anonymous`.
        version: The version, or several joined by ` | `, or the address it comes from.
        hashes: The accepted hashes, sorted, as `sha256:...`.
        dependencies: What it needs, as far as the lock knows.
        extras: The extras that the lock asks for.
        marker: The condition of the entry as text, where there is one.
        is_local: Its files are on this machine; the lock says nothing about their bytes.
        is_anonymous: The lock has a path or an address and no name.
        proof: A short digest of hashes, markers and origins; see `seal`.

    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    extras: tuple[str, ...] = ()
    marker: str | None = None
    is_local: bool = False
    is_anonymous: bool = False
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, read.

    Args:
        path: Where it was, for messages.
        kind: Its format.
        distributions: What it holds, by normalised name.
        projects: Parents that the lock names without locking them (a workspace package, or
            `-r api.in`), with their direct dependencies.
        python: For which Python it was made, as the lock words it.
        platform: For which platform, as the lock words it; None when it does not say.
        options: Settings of the installer that the lock carries, credentials left out.
        problem: Why closures cannot be told apart, or nothing could be read; in one sentence.
        is_readable: Whether `distributions` is all that the file locks.

    """

    path: str
    kind: Kind
    distributions: Mapping[str, LockedDistribution] = field(default_factory=dict)
    projects: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    python: str | None = None
    platform: str | None = None
    options: tuple[str, ...] = ()
    problem: str | None = None
    is_readable: bool = True


def normalise(name: str) -> str:
    """Return a project name as PEP 503 compares it."""
    return _SEPARATORS.sub("-", name).lower()


def split_requirement(text: str) -> tuple[str, tuple[str, ...], str] | None:
    """Return the normalised name, the sorted extras and the rest of a requirement.

    None when the text does not begin with a name.
    """
    match = _REQUIREMENT.match(text)
    if match is None:
        return None
    extras = match[2].split(",") if match[2] else ()
    named = sorted({normalise(extra.strip()) for extra in extras if extra.strip()})
    return normalise(match[1]), tuple(named), text[match.end() :].strip()


def without_credentials(text: str) -> str:
    """Return `text` without the user and password of addresses in it."""
    return _CREDENTIALS.sub("", text)


def seal(hashes: Iterable[str], *statements: str | None) -> str:
    """Return 16 hexadecimal digits that change with the files behind a version, or "" for none."""
    parts = [*hashes, *(f"# {text}" for text in statements if text)]
    if not parts:
        return ""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def merge(name: str, entries: Iterable[LockedDistribution]) -> LockedDistribution:
    """Return several entries of one name as one value."""
    all_entries = sorted(entries, key=lambda entry: (entry.version, entry.marker or ""))
    if len(all_entries) == 1:
        return all_entries[0]
    hashes = tuple(sorted({hash_ for entry in all_entries for hash_ in entry.hashes}))
    edges = {edge: None for entry in all_entries for edge in entry.dependencies}
    markers = [f"{entry.version}: {entry.marker}" for entry in all_entries if entry.marker]
    return LockedDistribution(
        name=name,
        version=" | ".join(dict.fromkeys(entry.version for entry in all_entries)),
        hashes=hashes,
        dependencies=tuple(edges),
        extras=tuple(sorted({extra for entry in all_entries for extra in entry.extras})),
        marker=" | ".join(markers) or None,
        is_local=any(entry.is_local for entry in all_entries),
        is_anonymous=any(entry.is_anonymous for entry in all_entries),
        proof=seal([entry.proof for entry in all_entries], *markers),
    )
