"""What scanners find: one shape for code, secrets, Dockerfiles and dependencies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

SEVERITIES: Final = ("low", "medium", "high", "critical")

_PLACE: Final = ("ecosystem", "package", "version", "path", "line", "commit")
_BEST_KNOWN: Final = ("CVE-", "GHSA-", "PYSEC-", "DSA-", "DEBIAN-")


@dataclass(frozen=True, slots=True)
class SecurityFinding:
    """One thing that a scanner found.

    Attributes:
        scanner: Which one.
        ids: Rule, or all names of an advisory.
        severity: One of `SEVERITIES`; empty where nobody says.
        message: What it is, in a line.
        path: File from the top, or empty.
        line: Line in that file, or 0.
        commit: Commit that brought it in; empty for the work tree.
        ecosystem: `PyPI`, `npm`, `Debian:12`; empty where it is no dependency.
        package: The dependency.
        version: Its version.
        fixed: Versions of it that mend it.
        images: Images it is in.
        brought_by: What needs the dependency directly.
    """

    scanner: str
    ids: tuple[str, ...]
    severity: str
    message: str
    path: str = ""
    line: int = 0
    commit: str = ""
    ecosystem: str = ""
    package: str = ""
    version: str = ""
    fixed: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    brought_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The best known of its names."""
        for prefix in _BEST_KNOWN:
            for known in self.ids:
                if known.startswith(prefix):
                    return known
        return self.ids[0]

    @property
    def weight(self) -> int:
        """Its severity as a number; one that nobody states is held as high."""
        return SEVERITIES.index(self.severity or "high")

    @property
    def can_be_mended(self) -> bool:
        """Whether something can be done about it: code can be changed, some versions cannot."""
        return bool(self.fixed) or not self.ecosystem


def merge_findings(findings: Iterable[SecurityFinding]) -> tuple[SecurityFinding, ...]:
    """Return findings with those of one advisory and dependency, or of one place, as one.

    Advisories are the same where they share a name, also through a third one.
    """
    places: dict[tuple[object, ...], list[SecurityFinding]] = {}
    for finding in findings:
        place = tuple(getattr(finding, name) for name in _PLACE)
        known = places.setdefault(place, [])
        same = [item for item in known if {*item.ids} & {*finding.ids}]
        places[place] = [item for item in known if item not in same]
        places[place].append(_join((*same, finding)))
    merged = (finding for known in places.values() for finding in known)
    return tuple(
        sorted(merged, key=lambda item: (-item.weight, item.package, item.path, item.name))
    )


def _join(findings: tuple[SecurityFinding, ...]) -> SecurityFinding:
    worst = max(findings, key=lambda item: (bool(item.severity), item.weight))

    def together(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for item in findings for word in getattr(item, name)))

    return replace(
        worst,
        ids=together("ids"),
        fixed=together("fixed"),
        images=together("images"),
        brought_by=together("brought_by"),
    )
