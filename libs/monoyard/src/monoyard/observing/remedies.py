"""How a read outside of a key is told, with the line that puts it into the key."""

from __future__ import annotations

import json
from typing import Final

from monoyard.observing.comparison import ABSENCE, FILE, LISTING, VARIABLE, Unkeyed
from monoyard.plan import Task
from monoyard.workspace import Package

_WORDS: Final = {
    FILE: "reads `{}`",
    ABSENCE: "looks for `{}` (not there)",
    LISTING: "lists `{}`",
    VARIABLE: "reads the environment variable `{}`",
}


def remedy(task: Task, package: Package, item: Unkeyed) -> str:
    """Return one sentence: what was read, and what to add to which table.

    Args:
        task: Who read it.
        package: The task's package.
        item: What was read.
    """
    words = _WORDS[item.rule].format(item.what or ".")
    said = f"{words}, which the key of {task.id} does not cover"
    if item.what == ".git" or item.what.startswith(".git/"):
        return f"{said}: what git keeps there is no input; let it read a repository of its own"
    name = "env" if item.rule == VARIABLE else "inputs"
    return f"{said}: add {json.dumps(_value(package, item))} to `{name}` {_table(task, package)}"


def _value(package: Package, item: Unkeyed) -> str:
    if item.rule == VARIABLE:
        return item.what
    path = item.what
    if item.rule == LISTING:
        path = f"{path}/*" if path else "*"
    inside = f"{package.directory}/"
    return (
        path.removeprefix(inside) if package.directory and path.startswith(inside) else f"/{path}"
    )


def _table(task: Task, package: Package) -> str:
    if not package.directory:
        return f"in [tool.monoyard.packages.{package.name}.suites.{task.suite}] of pyproject.toml"
    if package.kind == "typescript":
        return f"of `{task.suite}` below `monoyard.suites` in {package.manifest_path}"
    return f"in [tool.monoyard.suites.{task.suite}] of {package.manifest_path}"
