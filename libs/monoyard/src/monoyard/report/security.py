"""What scanners found: lines for a person, annotations for GitHub, SARIF for everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from monoyard import __version__
from monoyard.results import SecurityFinding, Verdict
from monoyard.supply import Judged, Ruling

_LEVELS: Final = {"low": "note", "medium": "warning", "high": "error", "critical": "error"}
_SHOWN: Final = 200
_RULINGS: Final = {
    Verdict.PASS: "is accepted by `{}`",
    Verdict.FAIL: "is refused by `{}`",
    Verdict.ERROR: "could not be judged for `{}`",
}


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


def ruling_lines(image: str, ruling: Ruling) -> Iterator[str]:
    """Yield what an environment says of an image, with every check.

    Args:
        image: Name of the image.
        ruling: What the environment says.
    """
    digest = ruling.reference.partition("@")[2]
    how = _RULINGS[ruling.verdict].format(ruling.environment)
    yield f"{image}@{digest} {how}"
    for check in ruling.checks:
        word = "not asked" if check.verdict is Verdict.INCONCLUSIVE else check.verdict.value
        yield f"  {check.name:10} {word:9}  {check.reason}"
    for item in ruling.findings:
        if item.is_refused:
            yield f"  REFUSED {_subject(item.finding)}: {item.reason}"
            yield from (f"          {line}" for line in _details(item.finding))


def ruling_json(image: str, ruling: Ruling) -> dict[str, Any]:
    """Return what an environment says of an image, as data."""
    accepted = ruling.accepted
    said: dict[str, Any] = {
        "image": image, "digest": ruling.reference.partition("@")[2],
        "environment": ruling.environment, "verdict": ruling.verdict.value,
        "checks": [
            {
                "name": check.name, "verdict": check.verdict.value, "reason": check.reason,
                "code": check.refusal.code if check.refusal else "",
            }
            for check in ruling.checks
        ],
        "findings": [
            {**asdict(item.finding), "is_refused": item.is_refused, "reason": item.reason}
            for item in ruling.findings
        ],
    }  # fmt: skip
    if accepted is None:
        return said
    claim = accepted.claim
    return {
        **said, "signer": accepted.signer, "level": accepted.level, "commit": claim.commit,
        "source": claim.source, "builder": claim.builder, "key": claim.key,
    }  # fmt: skip


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
