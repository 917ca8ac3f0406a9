"""What the models of images use, as `models.py` prints it and images carry it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from monoyard.errors import ToolError
from monoyard.migrations.reading import SCRIPTS
from monoyard.migrations.values import ColumnUse, Usage
from monoyard.process import Command, capture

_SECONDS = 120.0


def read_usage(
    python: Path,
    directory: Path,
    environment: Mapping[str, str],
    search: Iterable[str],
    metadata: str = "",
) -> Usage:
    """Return the tables and columns that a service's models use, read in its own venv.

    Args:
        python: Interpreter that has what the service requires.
        directory: Where its alembic project is.
        environment: Variables that its `env.py` needs.
        search: Directories of the workspace's packages.
        metadata: `MODULE:ATTRIBUTE`, where there is no alembic project.

    Raises:
        ToolError: It has no models, or they cannot be loaded.
    """
    words = ("--metadata", metadata) if metadata else (str(directory),)
    variables = {**environment, "PYTHONPATH": ":".join(search), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = (str(python), str(SCRIPTS), "models", *words)
    done = capture(Command(argv, directory, variables, timeout=_SECONDS))
    if done.status != 0:
        raise ToolError(
            f"the models of {directory.name} cannot be read",
            code="models-unreadable",
            context=(done.text.strip(), *done.last_lines),
            hint="`target_metadata` in its env.py names them",
        )
    return parse_usage(json.loads(done.text))


def parse_usage(data: Mapping[str, Any]) -> Usage:
    """Return the use that the JSON of `models.py` tells."""
    return {
        table: {
            name: ColumnUse(use["nullable"], use["default"], use["server_default"])
            for name, use in columns.items()
        }
        for table, columns in data["tables"].items()
    }


def merge_usage(parts: Iterable[Usage | None]) -> Usage | None:
    """Return what several running versions use together; one that is not known uses everything."""
    known: list[Usage] = []
    for part in parts:
        if part is None:
            return None
        known.append(part)
    merged: dict[str, dict[str, ColumnUse]] = {}
    for part in known:
        for table, columns in part.items():
            into = merged.setdefault(table, {})
            for name, use in columns.items():
                into[name] = _worse(use, into.get(name, use))
    return _with_omissions(merged, known)


def _worse(one: ColumnUse, other: ColumnUse) -> ColumnUse:
    return ColumnUse(
        one.is_nullable or other.is_nullable,
        one.has_default and other.has_default,
        one.has_server_default or other.has_server_default,
    )


def _with_omissions(merged: dict[str, dict[str, ColumnUse]], parts: Iterable[Usage]) -> Usage:
    """A version that writes to a table without a column of it leaves that one empty."""
    for part in parts:
        for table, columns in part.items():
            for name in set(merged[table]) - set(columns):
                use = merged[table][name]
                merged[table][name] = ColumnUse(
                    is_nullable=True, has_default=False, has_server_default=use.has_server_default
                )
    return merged
