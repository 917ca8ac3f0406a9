"""Brings lost tables and columns of a backup back into a database in use.

    python monoyard_database recover --from FILE --manifest FILE --identity FILE [--plan]

with DATABASE_URL, the database that lost something, and SCRATCH_URL, an empty database into which
the backup is restored and proven first. What is lost is what the manifest has and the database has
not. Tables come back whole, with their constraints, indexes and owned sequences; columns come back
as they were for the rows that are still there, found by primary key. Nothing that is there is
replaced. Tables are one transaction, columns another; what was brought back is not lost any more,
so it can be run again. JSON lines on standard output; --plan only tells.

Exit status: those of `restore` for SCRATCH_URL, and
    0    nothing is lost any more; `untouched` lines tell what has to be looked at by a person
    6    it could not be brought back, or not all of it: a line tells what was
    10   a column's table has no primary key, so its rows cannot be found
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from . import manifest
from .backup import stop_on_sigterm
from .database import address, asking, connect, describe, libpq_environment
from .lines import Lines, one_line
from .restore import DIFFERS, DONE, FAILED, NOTHING, RestoreError, parse_files, proof, restore

KEYLESS = 10
_LOCK_SECONDS = 10
_KEY = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indisprimary AND i.indrelid = to_regclass(%s)
    ORDER BY array_position(i.indkey::int2[], a.attnum)
"""
_TYPE = """
    SELECT format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attname = %s
"""


@dataclass(frozen=True)
class Lost:
    """What a backup has and the database has not.

    Attributes:
        tables: Tables, without the schema `public`.
        columns: Columns by the table that lost them.
        definitions: Constraints and indexes of tables that are still there.
    """

    tables: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    definitions: Mapping[str, str]

    def __bool__(self) -> bool:
        """Say whether there is something to bring back."""
        return bool(self.tables or self.columns)


def find_lost(backup: Mapping[str, Any], ask: manifest.Ask) -> Lost:
    """Compare what there is with a backup's manifest; the rows are not looked at."""
    manifest.take(ask, objects=())  # sets how definitions are written
    now = manifest.columns(ask)
    before = backup["database"]["columns"]
    tables = tuple(name for name in before if name not in now)
    columns = {
        name: missing
        for name, there in before.items()
        if name in now and (missing := tuple(one for one in there if one not in now[name]))
    }
    there = describe(ask)["definitions"]
    old = backup["database"]["definitions"]
    gone = {
        name: entry["text"]
        for name, entry in old.items()
        if name not in there and entry["table"] not in tables
    }
    return Lost(tables, columns, gone)


class Recovery:
    """Brings back what is lost.

    Args:
        connection: To the database that lost it; the caller commits.
        scratch: To the restored backup.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], scratch: psycopg.Connection[Any]
    ) -> None:
        self._connection = connection
        self._scratch = scratch

    def column(self, table: str, names: tuple[str, ...]) -> dict[str, Any]:
        """Add columns again, with what the backup has for the rows that are still there.

        Returns:
            `rows` that got their values back, `new` ones that have none, and `gone` ones of the
            backup that the database has no more.

        Raises:
            RestoreError: The table has no primary key.
        """
        key = self._connection.execute(_KEY, [_quoted(table)]).fetchall()
        if not key:
            raise RestoreError(KEYLESS, f"{table} has no primary key: its rows cannot be found")
        place = sql.SQL(_quoted(table))
        kept = sql.Identifier("monoyard_recovered")
        types = [(name, self._type(table, name)) for name in names]
        held = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in (*key, *types)
        )
        self._connection.execute(
            sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(kept, held)
        )
        all_names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in (*key, *types))
        self._copy(place, kept, all_names)
        for name, kind in types:
            self._connection.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                    place, sql.Identifier(name), sql.SQL(kind)
                )
            )
        told = self._fill(place, kept, [name for name, _ in key], names)
        self._connection.execute(sql.SQL("DROP TABLE {}").format(kept))
        return told

    def _copy(self, place: sql.Composable, kept: sql.Composable, names: sql.Composable) -> None:
        out = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, place)
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(kept, names)
        with (
            self._scratch.cursor().copy(out) as source,
            self._connection.cursor().copy(into) as target,
        ):
            for block in source:
                target.write(block)

    def _fill(
        self, place: sql.Composable, kept: sql.Composable, key: list[str], names: tuple[str, ...]
    ) -> dict[str, Any]:
        same = sql.SQL(" AND ").join(
            sql.SQL("t.{0} = k.{0}").format(sql.Identifier(name)) for name in key
        )
        values = sql.SQL(", ").join(
            sql.SQL("{0} = k.{0}").format(sql.Identifier(name)) for name in names
        )
        update = sql.SQL("UPDATE {} t SET {} FROM {} k WHERE {}")
        filled = self._connection.execute(update.format(place, values, kept, same)).rowcount
        count = sql.SQL("SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {})")
        row = self._connection.execute(count.format(place, kept)).fetchone() or (0, 0)
        return {"rows": filled, "new": row[0] - filled, "gone": row[1] - filled}

    def _type(self, table: str, column: str) -> str:
        row = self._scratch.execute(_TYPE, [_quoted(table), column]).fetchone()
        if row is None:
            raise RestoreError(FAILED, f"the backup has no column {column} in {table}")
        return str(row[0])


def _quoted(table: str) -> str:
    schema, _, name = table.replace('"', '""').rpartition(".")
    return f'"{schema or "public"}"."{name}"'


def bring_tables(url: str, scratch: str, tables: tuple[str, ...]) -> None:
    """Make tables again, with all that belongs to them and all of their rows, or none of it.

    Raises:
        RestoreError: A program failed, with what it said.
    """
    chosen = [f"--table={_quoted(name)}" for name in tables]
    dump = (_program("pg_dump"), "--format=plain", "--no-password", *chosen)
    run = (
        _program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--single-transaction",
        "--set=ON_ERROR_STOP=1", f"--command=SET lock_timeout = '{_LOCK_SECONDS}s'", "--file=-",
    )  # fmt: skip
    with tempfile.TemporaryFile() as script, tempfile.TemporaryFile() as said:
        done = subprocess.run(
            dump, env={**os.environ, **libpq_environment(scratch)}, check=False, stdout=script,
            stderr=said,
        )  # fmt: skip
        if done.returncode == 0:
            script.seek(0)
            done = subprocess.run(
                run, env={**os.environ, **libpq_environment(url)}, check=False, stdin=script,
                stdout=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
        if done.returncode:
            said.seek(0)
            words = " ".join(said.read().decode("utf-8", "replace").split())
            raise RestoreError(FAILED, f"{Path(done.args[0]).name}: {words}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RestoreError(NOTHING, f"{name} is not on PATH")
    return found


def main(words: list[str]) -> int:
    """Bring back what is lost; return the exit status."""
    parser = argparse.ArgumentParser(description="Brings lost tables and columns back.")
    parser.add_argument("--plan", action="store_true", help="only tell what is lost")
    options = parse_files(parser, words)
    stop_on_sigterm()
    lines = Lines()
    try:
        return _recover(options, lines)
    except RestoreError as error:
        status, message = error.status, str(error)
    except psycopg.OperationalError as error:
        status, message = NOTHING, one_line(error)
    except (OSError, psycopg.Error) as error:
        status, message = FAILED, one_line(error)
    lines.write("failed", status=status, message=message)
    return status


def _recover(options: argparse.Namespace, lines: Lines) -> int:
    url, backup = address("DATABASE_URL"), options.backup
    with connect(url) as connection:
        lost = find_lost(backup, asking(connection))
    lines.write("lost", tables=lost.tables, columns=lost.columns)
    for name, text in lost.definitions.items():
        lines.write("untouched", name=name, message=f"is gone; in the backup it was: {text}")
    if options.plan or not lost:
        return DONE
    scratch = address("SCRATCH_URL")
    restore(scratch, Path(options.source), backup, options.keys)
    if found := proof(scratch, backup):
        for line in found:
            lines.write("differs", message=line)
        return DIFFERS
    if lost.tables:
        bring_tables(url, scratch, lost.tables)
        for name in lost.tables:
            lines.write("table", name=name, rows=backup["data"]["tables"][name].get("rows"))
    with connect(url) as connection, connect(scratch) as copy:
        connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'".encode())
        recovery = Recovery(connection, copy)
        told = [(name, recovery.column(name, names)) for name, names in lost.columns.items()]
    for name, counts in told:
        lines.write("column", name=name, columns=lost.columns[name], **counts)
    return DONE
