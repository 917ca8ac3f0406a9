"""Whether a run can be told again without a plan, and how it is remembered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from monoyard.bindings.arguments import Arguments
from monoyard.bindings.engine import Engine, venv_of
from monoyard.bindings.remembering import NO_TIME
from monoyard.config import IMAGE_SUITE
from monoyard.install import is_ci
from monoyard.plan import Plan, State
from monoyard.recall import Look, Memory, RememberedRun
from monoyard.report.junit import junit_document
from monoyard.report.verdict import verdict_lines
from monoyard.results import Outcome, TaskResult, Verdict
from monoyard.run import RunSummary, Timeline, record_data

_REMEMBERED: Final = frozenset(
    {"packages", "suites", "exclude", "fail_fast", "keep_going", "retries"}
)
_NO_SECONDS: Final = " in 0.0 s"
_LAST_OF_HEAD: Final = "interrupted"


def remember(
    engine: Engine, look: Look, words: Sequence[str], arguments: Arguments, summary: RunSummary
) -> None:
    """Remember a run that would come to the same without a task, if nothing speaks against it.

    Args:
        engine: Planned it.
        look: The checkout, as the plan's tree was read from it.
        words: The session's suites and what was typed.
        arguments: The same, parsed.
        summary: The run.
    """
    state = summary.plan.workspace.tree.state
    if not state or not look.is_settled() or not _is_usual(engine, arguments):
        return
    if not _is_clean(summary) or not _are_memorable(engine, summary.plan):
        return
    keys = [planned.manifest.key for planned in summary.plan.selected if planned.manifest]
    if len(keys) != len(summary.plan.selected) or not engine.store.has_all(keys):
        return
    again = _as_replayed(summary)
    *lines, last = verdict_lines(again)
    data = record_data(again)
    names = list(data)
    names = names[: names.index(_LAST_OF_HEAD) + 1]
    head = {name: data.pop(name) for name in names}
    junit = junit_document(again)
    if not last.endswith(_NO_SECONDS) or NO_TIME not in junit:
        raise AssertionError("a run that takes no time says so")
    Memory(engine.state).remember(
        look.static, words, RememberedRun(
            state, str(engine.kept / "store"), tuple(keys), tuple(lines),
            last.removesuffix("0.0 s"), head,
            json.dumps(data, separators=(",", ":")).encode()[1:], junit,
        ),
    )  # fmt: skip


def _is_usual(engine: Engine, arguments: Arguments) -> bool:
    """Say whether nothing was asked for but tasks, at a desk."""
    usual = Arguments()
    asked = replace(arguments, **{name: getattr(usual, name) for name in _REMEMBERED})
    return asked == usual and not is_ci(engine.environment) and not engine.event.kind


def _is_clean(summary: RunSummary) -> bool:
    """Say whether all passed, and nothing is to be told of how."""
    return (
        summary.verdict is Verdict.PASS
        and not summary.flaky
        and not summary.plan.narrowed
        and summary.notes == summary.plan.notes
        and all(result.outcome is Outcome.PASS for result in summary.results.values())
    )


def _are_memorable(engine: Engine, plan: Plan) -> bool:
    """Say whether what the tasks hang on is all in the state of the checkout.

    What git ignores is not, nor are other interpreters, what an index resolves, images.
    """
    own = engine.interpreters.default()
    for planned in plan.selected:
        task = planned.task
        if task.inputs.files or task.outputs or task.suite == IMAGE_SUITE:
            return False
        if task.skip or not task.is_cacheable:
            return False
        venv = venv_of(task)
        if venv is not None and (
            venv.interpreter != own or (venv.requirements and not venv.lock_path)
        ):
            return False
    return True


def _as_replayed(summary: RunSummary) -> RunSummary:
    """Return the run as it would be if every result came from the store, in no time."""
    results = {
        name: TaskResult.from_data({**result.to_data(), "files": {}}).replayed()
        for name, result in summary.results.items()
    }
    return RunSummary(
        summary.run_id, _as_hits(summary.plan), results, 0.0, False, {}, summary.notes,
        timeline=Timeline(),
    )  # fmt: skip


def _as_hits(plan: Plan) -> Plan:
    return replace(
        plan,
        tasks=tuple(
            replace(planned, state=State.HIT, estimate=0.0)
            if planned.state is State.RUN else planned
            for planned in plan.tasks
        ),
    )  # fmt: skip
