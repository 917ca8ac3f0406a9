"""Brings lost tables and columns of a backup back into a database in use.

    python monoyard_database recover --from FILE --manifest FILE --identity FILE [--plan]

with DATABASE_URL, the database that lost something, and SCRATCH_URL, an empty database into which
the backup is restored and proven first. What is lost is what the manifest has and the database has
not. Tables come back whole, with their constraints, indexes and owned sequences; columns come back
as they were for the rows that are still there, found by primary key, with their default, and with
NOT NULL where no row lacks a value. Nothing that is there is replaced, and no trigger runs. Tables
are one transaction, columns another; what was brought back is not lost any more, so it can be run
again. JSON lines on standard output; --plan only tells.

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

from . import manifest
from .backup import stop_on_sigterm
from .database import address, asking, connect, describe, libpq_environment, quoted_name
from .lines import Lines, one_line
from .lost_columns import Recovery
from .restore import RestoreError, parse_files, proof, restore
from .statuses import DIFFERS, DONE, FAILED, NOTHING

_LOCK_SECONDS = 10


@dataclass(frozen=True)
class Lost:
    """What a backup has and the database has not.

    Attributes:
        tables: Tables, without the schema `public`.
        columns: Columns by the table that lost them.
        definitions: Constraints and indexes of tables that are still there; not the NOT NULL of a
            lost column, which comes back with it or is told then.
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
        if name not in there
        and entry["table"] not in tables
        and _required(entry["text"]) not in columns.get(entry["table"], ())
    }
    return Lost(tables, columns, gone)


def _required(text: str) -> str:
    """Return the column that a definition says is NOT NULL, as PostgreSQL 18 defines it."""
    name = text.removeprefix("NOT NULL ")
    if name == text:
        return ""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def bring_tables(url: str, scratch: str, tables: tuple[str, ...]) -> None:
    """Make tables again, with all that belongs to them and all of their rows, or none of it.

    Raises:
        RestoreError: A program failed, with what it said.
    """
    chosen = [f"--table={quoted_name(name)}" for name in tables]
    dump = (find_program("pg_dump"), "--format=plain", "--no-password", *chosen)
    run = (
        find_program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--single-transaction",
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


def find_program(name: str) -> str:
    """Return where a program lies.

    Raises:
        RestoreError: It is not on PATH.
    """
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
    _tell_untouched(lines, lost.definitions)
    if options.plan or not lost:
        return DONE
    scratch = address("SCRATCH_URL")
    restore(scratch, Path(options.source), backup, options.keys)
    if found := proof(scratch, backup):
        for line in found:
            lines.write("differs", message=line)
        raise RestoreError(DIFFERS, f"the copy differs: {found[0]}")
    if lost.tables:
        bring_tables(url, scratch, lost.tables)
        for name in lost.tables:
            lines.write("table", name=name, rows=backup["data"]["tables"][name].get("rows"))
    with connect(url) as connection, connect(scratch) as copy:
        connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'".encode())
        recovery = Recovery(connection, copy)
        told = [(name, recovery.columns(name, names)) for name, names in lost.columns.items()]
    for name, returned in told:
        lines.write("column", name=name, columns=lost.columns[name], **returned.counts)
        _tell_untouched(lines, returned.left)
    return DONE


def _tell_untouched(lines: Lines, definitions: Mapping[str, str]) -> None:
    for name, text in definitions.items():
        lines.write("untouched", name=name, message=f"is gone; in the backup it was: {text}")
