"""A database as programs beside it see it: connections, its own words, and what it consists of."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.pq import Conninfo

from .manifest import Ask, columns, plain_name

# Names in definitions are written out in full where nothing is on the search path.
_DEFINITIONS: Final = """
    SELECT 'constraint ' || conrelid::regclass || '.' || conname, t.nspname || '.' || r.relname,
        pg_get_constraintdef(c.oid) || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END
    FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
    JOIN pg_namespace t ON t.oid = r.relnamespace
    WHERE t.nspname <> 'information_schema' AND t.nspname NOT LIKE 'pg\\_%'
    UNION ALL
    SELECT 'index ' || i.indexrelid::regclass, t.nspname || '.' || r.relname,
        pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
    FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid
    JOIN pg_namespace t ON t.oid = r.relnamespace
    WHERE t.nspname <> 'information_schema' AND t.nspname NOT LIKE 'pg\\_%' ORDER BY 1
"""
# Owners, those who were granted something, and the superuser that the server was made with: what
# that one owns is recorded nowhere.
_ROLES: Final = """
    SELECT rolname FROM pg_roles WHERE oid = 10 OR oid IN (
        SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND (
            dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            OR (classid = 'pg_database'::regclass
                AND objid = (SELECT oid FROM pg_database WHERE datname = current_database()))))
    ORDER BY 1
"""
_FACTS: Final = """
    SELECT current_setting('server_version_num')::int / 10000, pg_encoding_to_char(encoding),
        datcollate, pg_database_size(oid), pg_get_userbyid(datdba), current_user,
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    FROM pg_database WHERE datname = current_database()
"""
_EXTENSIONS: Final = "SELECT extname FROM pg_extension ORDER BY 1"
_VERSION_TABLES: Final = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = 'alembic_version' AND c.relkind = 'r' ORDER BY 1
"""


def plain_url(url: str) -> str:
    """Return an address as libpq reads it, without the driver that SQLAlchemy wants named."""
    scheme, separator, rest = url.partition("://")
    return scheme.partition("+")[0] + separator + rest


def quoted_name(table: str) -> str:
    """Return a table's name, written without the schema `public`, as SQL has it."""
    schema, _, name = table.replace('"', '""').rpartition(".")
    return f'"{schema or "public"}"."{name}"'


def address(variable: str) -> str:
    """Return the address of a database from the environment.

    Raises:
        psycopg.OperationalError: There is none, or it is none; it is not repeated, for it may hold
            a password.
    """
    url = os.environ.get(variable, "")
    if not url:
        raise psycopg.OperationalError(f"{variable} is not set: the address of a database")
    try:
        Conninfo.parse(plain_url(url).encode())
    except psycopg.OperationalError:
        said = f"{variable} is no address, such as postgresql://user:password@host/name"
        raise psycopg.OperationalError(said) from None
    return url


def connect(url: str) -> psycopg.Connection[Any]:
    """Connect.

    Raises:
        psycopg.OperationalError: Nothing answers, or it refuses.
    """
    return psycopg.connect(plain_url(url), connect_timeout=15)


def asking(connection: psycopg.Connection[Any]) -> Ask:
    """Return what runs statements on a connection."""

    def ask(statement: str) -> list[Any]:
        done = connection.execute(statement.encode())
        return list(done.fetchall()) if done.description else []

    return ask


def libpq_environment(url: str) -> dict[str, str]:
    """Return an address as variables: a password has no place among the words of a command."""
    found = Conninfo.parse(plain_url(url).encode())
    return {
        option.envvar.decode(): option.val.decode()
        for option in found
        if option.envvar and option.val
    }


def describe(ask: Ask) -> dict[str, Any]:
    """Return what a database is made of, beside its rows.

    Args:
        ask: Runs a statement, in a transaction in which `manifest.take` was called.

    Returns:
        `major`, `encoding`, `collation`, `bytes`, `owner`, `user` (who looks: `name`, and whether
        that is a `superuser`), `roles`, `extensions`, `revisions` (alembic's heads), `columns` by
        table, and `definitions` of constraints and indexes by name, each with its `table` and
        `text`.
    """
    ((major, encoding, collation, size, owner, user, is_super),) = ask(_FACTS)
    heads = [
        str(row[0])
        for (table,) in ask(_VERSION_TABLES)
        for row in ask(f"SELECT version_num FROM {table}")  # noqa: S608  quoted by the server
    ]
    return {
        "major": int(major),
        "encoding": encoding,
        "collation": collation,
        "bytes": int(size),
        "owner": owner,
        "user": {"name": user, "superuser": bool(is_super)},
        "roles": [row[0] for row in ask(_ROLES)],
        "extensions": [row[0] for row in ask(_EXTENSIONS)],
        "revisions": sorted(heads),
        "columns": columns(ask),
        "definitions": {
            name: {"table": plain_name(table), "text": text}
            for name, table, text in ask(_DEFINITIONS)
        },
    }


def definition_differences(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Return how constraints and indexes differ, one line for each."""
    found = []
    for name in sorted({*before, *after}):
        old, new = (side.get(name, {}).get("text", "nothing") for side in (before, after))
        if old != new:
            found.append(f"{name}: {old} in the backup, {new} now")
    return found


def read_manifest(text: str) -> dict[str, Any]:
    """Read a backup's manifest.

    Raises:
        ValueError: It is none.
    """
    data = json.loads(text)
    if not isinstance(data, dict) or not {"object", "data", "database"} <= {*data}:
        raise ValueError("this is no manifest of a backup")
    return data
