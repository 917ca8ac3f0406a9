"""What checks found as SARIF 2.1.0, which code hosts show beside the code.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from monoyard import __version__
from monoyard.results import Finding
from monoyard.run import RunSummary


def findings_sarif(summary: RunSummary) -> dict[str, Any]:
    """Return the findings of a run, those that were replayed too.

    A finding that concerns no file is put at the manifest of its package: readers refuse a result
    without a place.
    """
    results = list(_results(summary))
    rules = sorted({result["ruleId"] for result in results})
    driver = {"name": "monoyard", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [
                    {**result, "ruleIndex": rules.index(result["ruleId"])} for result in results
                ],
            }
        ],
    }


def _results(summary: RunSummary) -> Iterator[dict[str, Any]]:
    packages = summary.plan.workspace.packages
    for planned in summary.plan.selected:
        result = summary.results.get(planned.task.id)
        package = packages[planned.task.package]
        for finding in result.findings if result else ():
            path = finding.path or package.manifest_path
            yield {
                "ruleId": f"{planned.task.suite}/{finding.rule or 'finding'}",
                "level": finding.severity.value,
                "message": {"text": finding.message},
                "locations": [{"physicalLocation": _place(finding, path)}],
                "properties": {"task": planned.task.id, "fixable": finding.is_fixable},
            }


def _place(finding: Finding, path: str) -> dict[str, Any]:
    uri = quote(path.encode("utf-8", "surrogateescape"))
    place: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}}
    if finding.path and finding.line:
        column = {"startColumn": finding.column} if finding.column else {}
        place["region"] = {"startLine": finding.line, **column}
    return place
