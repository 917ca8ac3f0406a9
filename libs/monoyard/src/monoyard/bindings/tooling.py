"""The tools tasks of the invoke door."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from monoyard.bindings.engine import Engine
from monoyard.config import suggest
from monoyard.errors import UsageError
from monoyard.install import TABLE


def show_tools(directory: Path) -> None:
    """Print the table of tools; one that is not here yet is not fetched for it."""
    engine = Engine(directory, lambda words: print(f"{words} ...", file=sys.stderr))
    here = {tool.name: engine.tools.installed_version(tool.name) for tool in TABLE}
    width, version_width = max(map(len, here)), max(map(len, here.values()))
    for tool in TABLE:
        said = f"{tool.purpose}; from {tool.found}"
        print(f"{tool.name:{width}}  {here[tool.name]:{version_width}}  {said}")


def set_up_tools(directory: Path, names: Sequence[str]) -> None:
    """Fetch tools.

    Args:
        directory: A directory of the repository.
        names: Which ones; none means all.

    Raises:
        UsageError: There is no tool of that name.
    """
    known = [tool.name for tool in TABLE]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no tool `{name}`{suggest(name, known)}")
    engine = Engine(directory, lambda words: print(f"{words} ...", file=sys.stderr))
    for name in names or known:
        engine.tools.ensure(name)
    show_tools(directory)
