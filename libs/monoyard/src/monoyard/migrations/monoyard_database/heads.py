"""Says which revisions the version that runs was made for; alembic. Needs no database.

    python monoyard_database heads --to FILE [--directory DIRECTORY]

FILE gets `heads` and `version_table` (as `SCHEMA.TABLE`, or `TABLE`; empty where `env.py` has no
offline mode), as JSON. Exit status: 0; 8 where there is no alembic project.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from .alembic_project import read_config
from .lines import Lines, one_line
from .statuses import DONE, NOTHING


def version_table(config: Any, script: ScriptDirectory) -> str:
    """Return where a project keeps the revisions of a database; empty where it does not say."""
    found: list[str] = []

    def tell(_heads: object, context: MigrationContext) -> Iterable[Any]:
        schema, table = context.version_table_schema, context.version_table
        found.append(f"{schema}.{table}" if schema else table)
        return ()

    config.output_buffer = io.StringIO()
    try:
        with EnvironmentContext(config, script, fn=tell, as_sql=True, destination_rev="heads"):
            script.run_env()
    except (Exception, SystemExit):
        return ""
    return found[0] if len(found) == 1 else ""


def main(words: list[str]) -> int:
    """Write what the version was made for; return the exit status."""
    parser = argparse.ArgumentParser(description="Says which revisions a version was made for.")
    parser.add_argument("--to", required=True, help="file that it is written to")
    parser.add_argument("--directory", default=".", help="with alembic.ini or pyproject.toml")
    options = parser.parse_args(words)
    lines = Lines()
    try:
        config = read_config(Path(options.directory))
        script = ScriptDirectory.from_config(config)
        said = {"heads": list(script.get_heads()), "version_table": version_table(config, script)}
        Path(options.to).write_text(json.dumps(said), "utf-8")
    except (CommandError, OSError) as error:
        lines.write("failed", status=NOTHING, message=one_line(error))
        return NOTHING
    lines.write("version", **said)
    return DONE
