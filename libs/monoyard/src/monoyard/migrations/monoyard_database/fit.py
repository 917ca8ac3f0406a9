"""Whether the version that runs can live with a restored backup; psycopg's connection asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .floor import Applied, fits
from .manifest import Ask

_TABLES: Final = """
    SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname),
        to_regclass(format('%I.monoyard_schema', n.nspname)) IS NOT NULL
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'version_num'
    WHERE c.relkind = 'r' ORDER BY 1, 2
"""
_USUAL: Final = "alembic_version"


def misfit(ask: Ask, version: Mapping[str, Any]) -> str:
    """Return why a version cannot run on a database; empty where it can.

    It can where the database has the version's own head, and no revision after that raises the
    floor. How much older a database may be nobody knows here but the version.

    Args:
        ask: Asks the database.
        version: `heads` and `version_table`, as `heads` writes them.
    """
    schema, _, table = str(version["version_table"] or _USUAL).rpartition(".")
    found = [row for row in ask(_TABLES) if row[1] == table and schema in ("", row[0])]
    if len(found) != 1:
        where = f"{schema}.{table}" if schema else table
        many = "more than one table" if found else "no table"
        return f"the backup has {many} {where}, so nobody can say which revision it is at"
    name, _, quoted, is_recorded = found[0]
    current = [str(row[0]) for row in ask(f"SELECT version_num FROM {quoted}")]  # noqa: S608  quoted by the server
    applied = _applied(ask, str(name)) if is_recorded else []
    for head in version["heads"]:
        fit = fits(applied, current, head)
        if not fit.fits:
            return fit.why
    return ""


def _applied(ask: Ask, schema: str) -> list[Applied]:
    quoted = schema.replace('"', '""')
    rows = ask(f'SELECT revision, parents, breaks FROM "{quoted}".monoyard_schema')  # noqa: S608  quoted
    return [Applied(str(row[0]), tuple(row[1]), row[2] or "") for row in rows]
