"""One JUnit file for the whole run: every task is a suite, every test or finding a case.

A test that passed in a later attempt is a case with `flakyFailure`, as Maven Surefire writes it.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from monoyard.report.verdict import place
from monoyard.results import Outcome, TaskResult
from monoyard.run import RunSummary


def write_junit(summary: RunSummary, path: Path) -> None:
    """Write the run in the form that CI systems read."""
    path.write_bytes(junit_document(summary))


def junit_document(summary: RunSummary) -> bytes:
    """Return the run in the form that CI systems read."""
    root = ElementTree.Element("testsuites", name="monoyard", time=f"{summary.seconds:.3f}")
    for result in summary.results.values():
        root.append(_suite(result))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _suite(result: TaskResult) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=result.task, time=f"{result.seconds:.3f}")
    failures = 0
    for case in result.cases:
        element = ElementTree.SubElement(suite, "testcase", classname=result.task, name=case.name)
        kind = {Outcome.FAIL: "failure", Outcome.ERROR: "error"}.get(case.outcome, "skipped")
        failures += kind != "skipped"
        _add(element, kind, case.message, case.details)
    for case in result.flaky_cases:
        element = ElementTree.SubElement(suite, "testcase", classname=result.task, name=case.name)
        _add(element, "flakyFailure", case.message, case.details)
    if result.outcome in {Outcome.FAIL, Outcome.ERROR} and not failures:
        element = ElementTree.SubElement(suite, "testcase", classname=result.task, name=result.task)
        lines = [f"{place(item)}{item.message} [{item.rule}]" for item in result.findings]
        text = "\n".join(lines) or result.log
        message = result.reason or f"{len(lines)} findings"
        _add(element, "failure", message, text)
        failures = 1
    elif not len(suite) or (result.is_flaky and not result.flaky_cases):
        element = ElementTree.SubElement(suite, "testcase", classname=result.task, name=result.task)
        if result.outcome is not Outcome.PASS:
            _add(element, "skipped", result.reason, "")
        for attempt in result.earlier:
            _add(element, "flakyFailure", attempt.reason or "failed", attempt.log)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    return suite


def _add(element: ElementTree.Element, kind: str, message: str, text: str) -> None:
    ElementTree.SubElement(element, kind, message=_plain(message)).text = _plain(text)


def _plain(text: str) -> str:
    """Drop the control characters that XML 1.0 cannot hold."""
    return "".join(char for char in text if char in "\t\n" or ord(char) >= 0x20)  # noqa: PLR2004
