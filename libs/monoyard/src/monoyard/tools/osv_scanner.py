"""osv-scanner: known vulnerabilities of what a lock or an SBOM lists. Tested with 2.5.

It is given a database by path; with none of an ecosystem that it meets it ends with an error, and
so do we: what nobody looked at has not passed. The variable for that path is gone in 2.5.0
(google/osv-scanner#2983), the option is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from monoyard.results import SecurityFinding

DIRECTORY: Final = "osv-scalibr"
"""Folder of the database's directory that holds `ECOSYSTEM/all.zip`."""
LOCKS: Final = frozenset(
    {
        "Cargo.lock", "Pipfile.lock", "package-lock.json", "pdm.lock", "pnpm-lock.yaml",
        "poetry.lock", "pylock.toml", "uv.lock", "yarn.lock",
    }
)  # fmt: skip
"""Names of lock files that it knows by their names."""
FOUND: Final = 1
"""Exit status for vulnerabilities that were found."""
NOTHING_TO_SCAN: Final = 128

_SCORES: Final = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))


def scan(program: Path, database: Path, file: Path, *, is_fetching: bool) -> tuple[str, ...]:
    """Return the call that scans one lock or SBOM.

    Args:
        program: osv-scanner.
        database: Directory of the database.
        file: A lock, or an SBOM whose name ends as its format demands (`.spdx.json`).
        is_fetching: Bring the database up to date first; otherwise nothing is asked of a network.
    """
    # What has no name that tells its format is a file of requirements.
    form = "requirements.txt:" if file.suffix == ".txt" else ""
    network = ("--offline-vulnerabilities", "--download-offline-databases")
    return (
        str(program), "scan", "source", *(network if is_fetching else ("--offline",)),
        f"--local-db-path={database}", "--no-ignore", "--no-resolve", "--all-vulns",
        "--format=json", "--verbosity=error", f"--lockfile={form}{file}",
    )  # fmt: skip


def parse(said: bytes) -> tuple[SecurityFinding, ...]:
    """Return what a scan found, advisories with shared names as one.

    Raises:
        ValueError: It is no result.
    """
    data = json.loads(said)
    if not isinstance(data, dict) or not isinstance(data.get("results"), list):
        raise ValueError("no result of osv-scanner")  # noqa: TRY004  a fault of what was read
    return tuple(
        finding
        for result in data["results"]
        for package in result.get("packages", ())
        for finding in _of_package(package)
    )


def _of_package(found: Mapping[str, Any]) -> Iterable[SecurityFinding]:
    package = found["package"]
    records = {record["id"]: record for record in found.get("vulnerabilities", ())}
    for group in found.get("groups", ()):
        ids = [name for name in group["ids"] if name in records]
        aliases = [*group["ids"], *(group.get("aliases") or ())]
        fixed = (_fixed(records[name], package) for name in ids)
        summaries = (str(records[name].get("summary", "")) for name in ids)
        yield SecurityFinding(
            scanner="osv-scanner",
            ids=tuple(dict.fromkeys(aliases)),
            ecosystem=package["ecosystem"],
            package=package["name"],
            version=package["version"],
            severity=severity_of(str(group.get("max_severity", ""))),
            fixed=tuple(dict.fromkeys(version for some in fixed for version in some)),
            message=next((text for text in summaries if text), ""),
        )


def severity_of(score: str) -> str:
    """Return the word for a CVSS score, by the bands of its standard; empty for no score."""
    try:
        number = float(score)
    except ValueError:
        return ""
    return next((word for least, word in _SCORES if number >= least), "")


def _fixed(record: Mapping[str, Any], package: Mapping[str, Any]) -> Iterable[str]:
    ecosystem = str(package["ecosystem"]).partition(":")[0]
    for affected in record.get("affected", ()):
        named = affected.get("package", {})
        if str(named.get("ecosystem", "")).partition(":")[0] != ecosystem:
            continue
        for span in affected.get("ranges", ()):
            if span.get("type") == "GIT":
                continue
            yield from (event["fixed"] for event in span.get("events", ()) if "fixed" in event)
