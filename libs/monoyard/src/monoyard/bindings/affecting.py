"""`invoke affected`: what changes can break; the rest of the engine is imported where needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import HELP, question_of
from monoyard.bindings.checkout import Checkout
from monoyard.plan import Plan, Selection
from monoyard.recall import Look
from monoyard.report.plans import affected_lines


def show_affected(
    directory: Path,
    words: Sequence[str],
    since: str | None,
    target: str | None,
    look: Look | None = None,
) -> None:
    """Print the affected packages with their causes; no key is needed for that.

    Args:
        directory: A directory of the repository.
        words: What stands after `--`.
        since: Ref to count changes from.
        target: None for lines, empty for JSON on standard output, else a file for JSON.
        look: What git was asked already.
    """
    arguments = replace(question_of(words, since), use_cache=False)
    if arguments.wants_help:
        print(HELP, end="")
        return
    target = arguments.json if target is None else target
    checkout = Checkout(directory, announce, look=look)
    selection = checkout.selection(arguments)
    if target is None:
        plan = plan_of_causes(checkout, selection)
    else:
        from monoyard.bindings.engine import Engine

        plan = Engine.of(checkout).plan(selection)
    asked = selection.packages or plan.workspace.packages
    lines = affected_lines(plan, [name for name in asked if name not in selection.exclude])
    answer(lines, plan.to_data, target)


def plan_of_causes(checkout: Checkout, selection: Selection) -> Plan:
    """Return a plan of which nothing is asked but causes; it may know its tasks by reads alone.

    Args:
        checkout: The checkout.
        selection: What is asked for, without the store.
    """
    plan = checkout.recalled_causes(selection)
    if plan is None:
        from monoyard.bindings.engine import Engine

        plan = Engine.of(checkout).plan_of_causes(selection)
    return plan
