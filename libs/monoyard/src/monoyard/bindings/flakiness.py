"""`invoke flaky`: tasks that passed and failed under one key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.report.flakiness import flaky_lines

_VERSION: Final = 1


def show_flaky(directory: Path, target: str | None) -> None:
    """Print the flaky tasks of this workspace, those of the latest runs first.

    Args:
        directory: A directory of the repository.
        target: Where JSON goes, as `answer` takes it.
    """
    engine = Engine(directory, announce)
    # The store is shared by all repositories of the machine.
    plan = engine.plan(replace(engine.selection(parse_arguments([])), use_cache=False))
    known = {planned.task.id for planned in plan.tasks}
    found = [_history(engine, item.task, item.key)
             for item in engine.store.history.flaky() if item.task in known]  # fmt: skip
    answer(flaky_lines(found), {"version": _VERSION, "flaky": found}, target)


def _history(engine: Engine, task: str, key: str) -> dict[str, Any]:
    outcomes = engine.store.history.outcomes(key, task)
    tests: dict[str, None] = {}
    for run in dict.fromkeys(item.run for item in outcomes if not item.passed):
        tests.update(dict.fromkeys(_failed_tests(engine.state / "runs" / run / "run.json", task)))
    return {
        "task": task,
        "key": key,
        "passed": sum(item.passed for item in outcomes),
        "failed": sum(not item.passed for item in outcomes),
        "tests": list(tests),
        "history": [{"run": item.run, "at": item.at, "passed": item.passed} for item in outcomes],
    }


def _failed_tests(record: Path, task: str) -> Iterator[str]:
    """Yield the tests of a task that failed in a run, where its record is still there."""
    try:
        results = json.loads(record.read_bytes())["results"]
    except (OSError, ValueError, KeyError):
        return
    for result in results:
        if result["task"] == task:
            for attempt in (*result.get("earlier", ()), result):
                yield from (case["name"] for case in attempt["cases"] if case["outcome"] != "skip")
