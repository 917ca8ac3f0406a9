"""What an audit of past commits came to, in print and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from monoyard.observing import Difference, Judged, Outlook
from monoyard.report.verdict import place
from monoyard.report.words import count
from monoyard.results import Outcome, TaskResult

_VERSION: Final = 1
_LINES: Final = 15
_PATHS: Final = 5
_TASKS: Final = 8


def outlook_line(outlook: Outlook) -> str:
    """Return what is said of a commit before anything runs."""
    said = f"{outlook.commit}: "
    if outlook.problem:
        return f"{said}cannot be planned, so nothing is compared with it: {outlook.problem}"
    affected = f"{len(outlook.affected)} of {count(len(outlook.there), 'task')} affected"
    if not outlook.outside:
        return f"{said}{affected}, so there is nothing to compare"
    return f"{said}{affected}, {len(outlook.outside)} to compare"


def history_lines(judged: Sequence[Judged]) -> Iterator[str]:
    """Yield what was found, then what it is worth, in one last line.

    Args:
        judged: The steps, the oldest first.
    """
    found = [item for step in judged for item in step.found]
    for item in found:
        yield f"outside-affected: {_sentence(item)}"
        yield from (f"  {line}" for line in _details(item))
        yield ""
    for step in judged:
        for item in step.unstable:
            yield f"unstable: {_sentence(item)}; not so when both sides ran again"
    for step in judged:
        if step.outlook.problem:
            yield f"passed over: {outlook_line(step.outlook)}"
    failing = sorted({task for step in judged for task in step.failing})
    if failing:
        yield f"of these nothing is shown where they failed on both sides: {_some(failing)}"
    skipped = {task: why for step in judged for task, why in step.outlook.skipped.items()}
    for reason in dict.fromkeys(skipped.values()):
        yield f"not compared: {_some([t for t, why in skipped.items() if why == reason])}: {reason}"
    yield _last_line(judged, found)


def history_data(judged: Sequence[Judged]) -> dict[str, Any]:
    """Return it as JSON-able data."""
    return {
        "schema": "https://monoyard.dev/schemas/audit-affected.json",
        "version": _VERSION,
        "commits": [
            {
                "commit": step.outlook.commit.id,
                "parent": step.outlook.commit.parent,
                "subject": step.outlook.commit.subject,
                "problem": step.outlook.problem,
                "tasks": len(step.outlook.there),
                "affected": len(step.outlook.affected),
                "compared": step.compared,
                "failing": list(step.failing),
                "skipped": dict(step.outlook.skipped),
            }
            for step in judged
        ],
        "findings": [_data("outside-affected", item) for step in judged for item in step.found],
        "unstable": [_data("unstable", item) for step in judged for item in step.unstable],
    }


def _data(rule: str, item: Difference) -> dict[str, Any]:
    return {
        "rule": rule,
        "commit": item.commit.id,
        "task": item.task,
        "before": item.before,
        "after": item.after,
        "changed": list(item.changed),
        "lines": _last_lines(item.failure),
    }


def _sentence(item: Difference) -> str:
    return f"{item.task} at {item.commit}: {item.before} -> {item.after}"


def _details(item: Difference) -> Iterator[str]:
    more = len(item.changed) - _PATHS
    changed = ", ".join(item.changed[:_PATHS]) + (f" and {more} more" if more > 0 else "")
    yield f"changed there, and not known to be read by it: {changed or 'no file'}"
    yield from (f"| {line}" for line in _last_lines(item.failure))
    package, _, suite = item.task.rpartition(":")
    yield f"what it reads beyond its key: nox -s {suite.partition('@')[0]} -- {package} --audit"


def _last_lines(result: TaskResult | None) -> list[str]:
    """Return the end of what is known of a failure."""
    if result is None or result.outcome is Outcome.PASS:
        return []
    lines = [f"{place(item)}{item.message}" for item in result.findings]
    for case in result.cases:
        if case.outcome is not Outcome.SKIP:
            lines += [*case.details.splitlines(), f"{case.name}: {case.message}"]
    lines = lines or result.log.rstrip().splitlines()
    return [*lines, *([result.reason] if result.reason else [])][-_LINES:]


def _last_line(judged: Sequence[Judged], found: Sequence[Difference]) -> str:
    compared = sum(step.compared for step in judged)
    said = f"{count(len(judged), 'commit')}, {count(compared, 'comparison')}"
    if found:
        return f"FAIL: {said}, {len(found)} ended otherwise outside of what was affected"
    if not compared:
        return f"PASS (empty): {said}: there was no task outside of what was affected"
    return f"PASS: {said}, nothing ended otherwise outside of what was affected"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_TASKS]) + (", ..." if len(names) > _TASKS else "")
