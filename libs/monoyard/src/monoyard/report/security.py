"""What scanners found: lines for a person, annotations for GitHub, SARIF for everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from monoyard import __version__
from monoyard.results import SecurityFinding, Verdict
from monoyard.supply import Judged

_LEVELS: Final = {"low": "note", "medium": "warning", "high": "error", "critical": "error"}
_SHOWN: Final = 200


def scan_lines(
    judged: Sequence[Judged], errors: Sequence[str], environment: str, verdict: Verdict
) -> Iterator[str]:
    """Yield a line for each accepted finding, a block for each refused one, and the verdict.

    Args:
        judged: Every finding with what becomes of it.
        errors: What could not be scanned.
        environment: Name of the environment that was asked.
        verdict: What it comes to.
    """
    for item in sorted(judged, key=lambda item: item.is_refused)[-_SHOWN:]:
        finding = item.finding
        yield f"{'REFUSED ' if item.is_refused else 'accepted'}  {_subject(finding)}: {item.reason}"
        if not item.is_refused:
            continue
        if finding.message:
            yield f"          {finding.message}"
        yield from (f"          {line}" for line in _details(finding))
    for error in errors:
        yield f"ERROR     {error}"
    refused = sum(item.is_refused for item in judged)
    count = f"{len(judged)} findings, {refused} refused"
    if errors:
        count += "; not everything could be scanned"
    yield f"{verdict.value.upper()}: `{environment}`: {count}"


def scan_annotations(judged: Sequence[Judged]) -> Iterator[str]:
    """Yield workflow commands of GitHub for what is refused."""
    for item in judged:
        if item.is_refused:
            finding = item.finding
            place = f"file={finding.path},line={max(1, finding.line)}," if finding.path else ""
            said = f"{_subject(finding)}: {item.reason}".replace("\n", " ").replace("%", "%25")
            yield f"::error {place}title={finding.scanner}::{said}"


def sarif(judged: Sequence[Judged]) -> dict[str, Any]:
    """Return all findings as SARIF 2.1.0, accepted ones as suppressed."""
    rules = {item.finding.name: item.finding for item in judged}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "monoyard",
                        "version": __version__,
                        "rules": [_rule(name, rules[name]) for name in sorted(rules)],
                    }
                },
                "results": [_result(item) for item in judged],
            }
        ],
    }


def _subject(finding: SecurityFinding) -> str:
    if finding.ecosystem:
        return f"{finding.name} in {finding.package} {finding.version}"
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    commit = f" (in {finding.commit[:12]})" if finding.commit else ""
    return f"{finding.name} at {place}{commit}"


def _details(finding: SecurityFinding) -> Iterator[str]:
    if finding.ecosystem:
        yield f"mended in {', '.join(finding.fixed)}" if finding.fixed else "no version mends it"
    if finding.brought_by:
        yield f"needed by {', '.join(finding.brought_by)}"
    if finding.images:
        yield f"in image {', '.join(finding.images)}"
    others = [name for name in finding.ids if name != finding.name]
    if others:
        yield f"also {', '.join(others)}"


def _rule(name: str, finding: SecurityFinding) -> dict[str, Any]:
    return {
        "id": name,
        "shortDescription": {"text": finding.message or name},
        "properties": {"tags": ["security", finding.scanner]},
    }


def _result(item: Judged) -> dict[str, Any]:
    finding = item.finding
    said: dict[str, Any] = {
        "ruleId": finding.name,
        "level": _LEVELS[finding.severity or "high"],
        "message": {"text": f"{_subject(finding)}: {item.reason}"},
    }
    if finding.path:
        region = {"region": {"startLine": finding.line}} if finding.line else {}
        said["locations"] = [
            {"physicalLocation": {"artifactLocation": {"uri": finding.path}, **region}}
        ]
    if not item.is_refused:
        said["suppressions"] = [{"kind": "external", "justification": item.reason}]
    return said
