"""Questions to the plan, from the invoke door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import HELP, Arguments, parse_arguments, question_of
from monoyard.bindings.engine import Engine
from monoyard.bindings.sharding import matrix, shard_of
from monoyard.config import suggest
from monoyard.errors import UsageError
from monoyard.plan import Explanation, Plan, Selection, explain
from monoyard.report.plans import (
    explain_lines,
    graph_dot,
    graph_mermaid,
    plan_lines,
)


def show_plan(directory: Path, words: Sequence[str], since: str | None, target: str | None) -> None:
    """Print the plan; the arguments are those of `show_affected`."""
    arguments = question_of(words, since)
    if arguments.wants_help:
        print(HELP, end="")
        return
    plan, _ = _plan(directory, arguments)
    plan = shard_of(plan, arguments)
    answer(plan_lines(plan), plan.to_data, arguments.json if target is None else target)


def show_shards(
    directory: Path, words: Sequence[str], since: str | None, target: str | None, shards: str
) -> None:
    """Print into which shards the tasks of the plan are divided; as JSON, a matrix in one line.

    Args:
        directory: A directory of the repository.
        words: What stands after `--`.
        since: Ref to count changes from.
        target: As `show_affected` takes it.
        shards: How many, as typed.
    """
    arguments = replace(question_of(words, since), use_cache=False)
    if arguments.shard is not None:
        raise UsageError("`--shards` shows all shards, and `--shard` takes one: use one of them")
    plan, _ = _plan(directory, arguments)
    lines, data = matrix(plan, shards)
    target = arguments.json if target is None else target
    if target:
        Path(target).write_text(f"{data}\n", encoding="utf-8")
    else:
        print("\n".join(lines) if target is None else data)


def show_explanation(directory: Path, name: str, target: str | None) -> None:
    """Print why a task is in its state.

    Raises:
        UsageError: There is no such task.
    """
    engine = Engine(directory, announce)
    plan = engine.plan(engine.selection(parse_arguments([])))
    found = next((planned for planned in plan.tasks if planned.task.id == name), None)
    if found is None:
        known = [planned.task.id for planned in plan.tasks]
        raise UsageError(f"there is no task `{name}`{suggest(name, known)}", code="unknown-task")
    explained = explain([found], engine.store, engine.workspace_id)
    explanation = explained.get(name) or Explanation(problem=found.reason)
    data = {
        **found.to_data(),
        "differences": list(explanation.lines),
        "problem": explanation.problem,
    }
    answer(explain_lines(found, explanation), data, target)


def show_graph(directory: Path, form: str, since: str | None) -> None:
    """Print the package graph.

    Args:
        directory: A directory of the repository.
        form: `mermaid`, `dot` or `svg`; the last one marks what changes affect.
        since: Ref to count changes from.

    Raises:
        UsageError: The form is unknown, or does not tell of changes.
    """
    forms = {"mermaid": graph_mermaid, "dot": graph_dot}
    if form == "svg":
        from monoyard.report.graphs import packages_svg

        plan, _ = _plan(directory, replace(question_of((), since), use_cache=False))
        print(packages_svg(plan), end="")
        return
    if form not in forms:
        known = (*forms, "svg")
        raise UsageError(
            f"there is no format `{form}`{suggest(form, known)}", hint="mermaid, dot or svg"
        )
    if since:
        raise UsageError(f"`{form}` does not tell of changes", hint="`--format svg` does")
    for line in forms[form](Engine(directory, announce).workspace):
        print(line)


def _plan(directory: Path, arguments: Arguments) -> tuple[Plan, Selection]:
    engine = Engine(directory, announce)
    selection = engine.selection(arguments)
    return engine.plan(selection), selection
