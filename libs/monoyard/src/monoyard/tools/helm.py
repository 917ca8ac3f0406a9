"""Helm: renders charts, and keeps what was rendered as releases. Tested with 3.22 and 4.3.

It is never told to wait: it knows nothing of Rollouts, whose state is watched by the deployer.
Whatever rendered objects are sent to the API server, Helm 3 merges on its own side; Helm 4 would
leave that to the server on a first installation, and refuse an upgrade wherever anybody else wrote
a field since. Here it does what Helm 3 does, so that both do the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ACCEPTED: Final = (3, 4)
"""Major versions that are understood."""

PENDING: Final = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})
"""States that only a call in flight has; one that was killed leaves them behind."""

KEPT_REVISIONS: Final = 20
"""How many revisions of a release are kept, so that it can be taken back to them."""

_FOURTH: Final = 4
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_COMPLAINT: Final = re.compile(r"^(Error: |\[ERROR\] )")
_NO_RELEASE: Final = re.compile(r"release: not found")
# What client-go says of a server that is down, ends, or comes up, or of its store that does.
_NO_SERVER: Final = re.compile(
    r"cluster unreachable|connection refused|connection reset|\bEOF\b|TLS handshake timeout"
    r"|i/o timeout|connection lost|etcdserver: |unable to handle the request|shutting down"
    r"|GOAWAY|broken pipe|no route to host|context deadline exceeded|apiserver not ready"
)
_REFUSAL: Final = re.compile(r"\bis forbidden: |\bUnauthorized\b|client to provide credentials")


@dataclass(frozen=True, slots=True)
class Place:
    """Where releases are.

    Attributes:
        namespace: The namespace.
        context: Context of the kubeconfig; empty for its current one.
        kubeconfig: File; None for the usual one.
    """

    namespace: str
    context: str = ""
    kubeconfig: Path | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a release.

    Attributes:
        name: Of the release.
        revision: Its number, from 1.
        status: `deployed`, `superseded`, `failed`, `uninstalled`, or one of `PENDING`.
        chart: Name and version, such as `service-1.0.0`.
        description: What Helm says of it.
    """

    name: str
    revision: int
    status: str
    chart: str
    description: str = ""

    @property
    def is_interrupted(self) -> bool:
        """Whether a call that made it never came to its end, or is still at it."""
        return self.status in PENDING


def version(program: Path) -> tuple[str, ...]:
    """Return the call that prints the version."""
    return (str(program), "version", "--template", "{{.Version}}")


def parse_version(said: str) -> tuple[int, int, int]:
    """Return a version as numbers.

    Raises:
        ValueError: It is none.
    """
    found = _VERSION.search(said)
    if found is None:
        raise ValueError(f"no version of Helm: {said!r}")
    return int(found[1]), int(found[2]), int(found[3])


def lint(program: Path, chart: str, values: Iterable[str], namespace: str) -> tuple[str, ...]:
    """Return the call that looks for faults of a chart with these values, its schema included."""
    return (
        str(program), "lint", chart, "--strict", "--quiet", f"--namespace={namespace}",
        *_files(values),
    )  # fmt: skip


def template(
    program: Path, name: str, chart: str, values: Iterable[str], namespace: str, kubernetes: str
) -> tuple[str, ...]:
    """Return the call that renders a chart without a cluster.

    Args:
        program: Helm.
        name: Of the release.
        chart: Directory of the chart.
        values: Files of values, the last one wins; `-` reads them from standard input.
        namespace: Where it would be.
        kubernetes: Version of Kubernetes that the chart is to think of, such as `1.34.4`.
    """
    return (
        str(program), "template", name, chart, f"--namespace={namespace}",
        f"--kube-version={kubernetes}", "--skip-tests", *_files(values),
    )  # fmt: skip


def upgrade(
    program: Path,
    name: str,
    chart: str,
    values: Iterable[str],
    place: Place,
    *,
    major: int,
    labels: Mapping[str, str],
    description: str,
    seconds: float,
    dry_run: bool = False,
) -> tuple[str, ...]:
    """Return the call that installs or upgrades a release and returns when all is sent.

    Args:
        program: Helm.
        name: Of the release.
        chart: Directory of the chart.
        values: Files of values, the last one wins; nothing is kept of the values before.
        place: Where it is.
        major: Major version of the program.
        labels: Kept with the release, to find it by.
        description: Kept with the revision.
        seconds: For one request, and for hooks.
        dry_run: Ask the API server whether it would take it; nothing is kept.
    """
    return (
        str(program), "upgrade", name, chart, "--install", "--reset-values",
        f"--history-max={KEPT_REVISIONS}",
        *_files(values), *_place(place), "--output=json", f"--description={description}",
        f"--timeout={seconds:.0f}s",
        *((f"--labels={_pairs(labels)}",) if labels else ()),
        *(("--dry-run=server", "--hide-secret") if dry_run else ()),
        *(("--server-side=false",) if major >= _FOURTH else ()),
    )  # fmt: skip


def rollback(
    program: Path, name: str, revision: int, place: Place, *, major: int, seconds: float
) -> tuple[str, ...]:
    """Return the call that sends what an earlier revision rendered; that is a new revision."""
    return (
        str(program), "rollback", name, str(revision), *_place(place),
        f"--history-max={KEPT_REVISIONS}",
        f"--timeout={seconds:.0f}s",
        *(("--server-side=false",) if major >= _FOURTH else ()),
    )  # fmt: skip


def uninstall(program: Path, name: str, place: Place, *, seconds: float) -> tuple[str, ...]:
    """Return the call that removes a release; its history stays."""
    return (
        str(program), "uninstall", name, *_place(place), "--keep-history", "--ignore-not-found",
        f"--timeout={seconds:.0f}s",
    )  # fmt: skip


def manifest(program: Path, name: str, place: Place, revision: int = 0) -> tuple[str, ...]:
    """Return the call that prints what a revision rendered; 0 for the newest."""
    return (str(program), "get", "manifest", name, *_place(place), *_revision(revision))


def values_of(program: Path, name: str, place: Place, revision: int = 0) -> tuple[str, ...]:
    """Return the call that prints the values given to a revision, as JSON; 0 for the newest."""
    return (
        str(program), "get", "values", name, "--output=json", *_place(place), *_revision(revision)
    )  # fmt: skip


def history(program: Path, name: str, place: Place) -> tuple[str, ...]:
    """Return the call that prints the revisions of a release."""
    return (
        str(program),
        "history",
        name,
        "--output=json",
        f"--max={KEPT_REVISIONS}",
        *_place(place),
    )


def releases(
    program: Path, place: Place, *, major: int, labels: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the call that prints the releases of a namespace, in whatever state they are."""
    return (
        str(program), "list", "--output=json", "--max=0", *_place(place),
        # Helm 4 lists every state by itself, and knows the option no more.
        *(("--all",) if major < _FOURTH else ()),
        *((f"--selector={_pairs(labels)}",) if labels else ()),
    )  # fmt: skip


def parse_history(said: bytes, name: str) -> tuple[Release, ...]:
    """Return the revisions of a release, the oldest first.

    Raises:
        ValueError: It is no history.
    """
    found = [
        Release(name, int(item["revision"]), item["status"], item["chart"],
                item.get("description", ""))
        for item in _list(said)
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda item: item.revision))


def parse_releases(said: bytes) -> tuple[Release, ...]:
    """Return the releases of a namespace, each in its newest revision.

    Raises:
        ValueError: It is no list of releases.
    """
    return tuple(
        Release(item["name"], int(item["revision"]), item["status"], item["chart"])
        for item in _list(said)
    )


def parse_values(said: bytes) -> dict[str, Any]:
    """Return values; none were given where it says `null`.

    Raises:
        ValueError: They are none.
    """
    found = json.loads(said)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError("values are no table")  # noqa: TRY004  what was printed is at fault
    return found


def is_unreachable(said: str) -> bool:
    """Say whether a call failed for want of the API server; what it changed by then is open."""
    return _NO_SERVER.search(said) is not None


def is_refused(said: str) -> bool:
    """Say whether a call failed because the API server lets whoever asked not do that."""
    return _REFUSAL.search(said) is not None


def is_missing(said: str) -> bool:
    """Say whether a call failed for want of the release."""
    return _NO_RELEASE.search(said) is not None


def complaints(said: str) -> tuple[str, ...]:
    """Return what Helm complains of: the lines from its first `Error:` or `[ERROR]` on."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if _COMPLAINT.match(line):
            kept = (_COMPLAINT.sub("", line).strip() for line in lines[number:])
            return tuple(
                line for line in kept
                if line and not line.startswith("Use --debug") and "chart(s) linted" not in line
            )  # fmt: skip
    return tuple(lines[-1:])


def _list(said: bytes) -> Sequence[Mapping[str, Any]]:
    found = json.loads(said)
    if not isinstance(found, list):
        raise ValueError("Helm printed no list")  # noqa: TRY004  as above
    return found


def _files(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for file in values for word in ("--values", file))


def _place(place: Place) -> tuple[str, ...]:
    return (
        f"--namespace={place.namespace}",
        *((f"--kube-context={place.context}",) if place.context else ()),
        *((f"--kubeconfig={place.kubeconfig}",) if place.kubeconfig else ()),
    )


def _revision(revision: int) -> tuple[str, ...]:
    return (f"--revision={revision}",) if revision else ()


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
