"""Prints the tables and columns that a service's models use; needs no database.

    python monoyard_database models [DIRECTORY]
    python monoyard_database models --metadata MODULE:ATTRIBUTE

They are the `target_metadata` of its `env.py`, or what a service without migrations names.

`{"version": 1, "tables": {"events.queue": {"event_id": {"nullable": false, "default": false,
"server_default": false}}}}`: `default` says that the model gives a value itself, `server_default`
that it relies on the database for one. Exit status 2 where there are no models.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from .alembic_project import read_config
from .lines import Lines, one_line


def describe(metadata: Any) -> dict[str, Any]:
    """Return table to column to its use, of one MetaData or several."""
    tables = {}
    for item in metadata if isinstance(metadata, list | tuple) else [metadata]:
        for table in item.tables.values():
            schema = "" if table.schema in {None, "public"} else f"{table.schema}."
            tables[f"{schema}{table.name}"] = {
                column.name: {
                    "nullable": bool(column.nullable),
                    "default": column.default is not None,
                    "server_default": column.server_default is not None
                    or column.identity is not None
                    or column is table.autoincrement_column,
                }
                for column in table.columns
            }
    return tables


def of_project(directory: Path) -> Any:
    """Return the `target_metadata` of the alembic project in a directory, None without one."""
    config = read_config(directory)
    script = ScriptDirectory.from_config(config)
    found: list[Any] = []

    def look(_heads: object, context: MigrationContext) -> Iterable[Any]:
        found.append(context.opts.get("target_metadata"))
        return ()

    with EnvironmentContext(config, script, fn=look, as_sql=True, destination_rev="heads"):
        script.run_env()
    return found[0] if found else None


def of_name(name: str) -> Any:
    """Return what `MODULE:ATTRIBUTE.ATTRIBUTE` names."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def main(words: list[str]) -> int:
    """Print the models; return the exit status."""
    lines = Lines()
    try:
        if words[:1] == ["--metadata"]:
            metadata = of_name(words[1])
        else:
            metadata = of_project(Path(words[0]) if words else Path())
    except (Exception, SystemExit) as error:
        lines.write("problem", message=one_line(error))
        return 2
    if metadata is None:
        lines.write("problem", message="env.py names no target_metadata")
        return 2
    lines.write("models", version=1, tables=describe(metadata))
    return 0
