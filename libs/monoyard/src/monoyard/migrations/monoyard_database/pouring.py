"""Makes a database what a restored copy is, within one transaction; psycopg, pg_dump, pg_restore.

Definitions come from the copy's own schema, rows straight from it: no row touches a disk on the
way. Extensions, and what belongs to them, stay as they are.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from .database import asking, libpq_environment
from .objects import find_lasting, remove_all
from .recover import find_program
from .restore import RestoreError
from .statuses import FAILED

_MATERIALIZED: Final = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid
"""
_SEQUENCES: Final = "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences ORDER BY 1"
_EXTENSIONS: Final = "SELECT extname FROM pg_extension"
_TABLES: Final = """
    SELECT format('%I.%I', n.nspname, c.relname), coalesce((
        SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ), '{}') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
        AND n.nspname NOT LIKE 'pg\\_%' AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
    ORDER BY 1
"""
# Of an archive's list: `5; 2615 16386 SCHEMA - shop owner`, `9; 0 0 COMMENT - EXTENSION citext`.
_ENTRY: Final = re.compile(
    r"\d+; \d+ \d+ (?:COMMENT - )?(?P<kind>SCHEMA|EXTENSION) (?:- )?(?P<name>\S+)"
)
# PostgreSQL's own word to psql around a script.
_TO_PSQL: Final = re.compile(rb"^\\(?:un)?restrict [A-Za-z0-9]+\n", re.MULTILINE)


def pour(connection: psycopg.Connection[Any], scratch: psycopg.Connection[Any], url: str) -> None:
    """Remove what a database has, and make it what a copy is; the caller commits.

    Args:
        connection: To the database, in its transaction.
        scratch: To the copy.
        url: Address of the copy.

    Raises:
        RestoreError: A program failed.
        psycopg.Error: The database refuses something.
    """
    ask = asking(connection)
    remove_all(ask)
    there = {str(name) for (name,) in ask(_EXTENSIONS)}
    with _definitions(url, find_lasting(ask), there) as section:
        connection.execute(section("pre-data"))
        for table, columns in asking(scratch)(_TABLES):
            _copy(connection, scratch, str(table), list(columns))
        _number(connection, scratch)
        for (view,) in asking(scratch)(_MATERIALIZED):
            ask(f"REFRESH MATERIALIZED VIEW {view}")
        connection.execute(section("post-data"))


def _copy(
    connection: psycopg.Connection[Any],
    scratch: psycopg.Connection[Any],
    table: str,
    columns: Iterable[str],
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    place = sql.SQL(table)
    out = sql.SQL("COPY (SELECT {} FROM ONLY {}) TO STDOUT").format(names, place)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(place, names)
    if not names.as_string():
        into = sql.SQL("COPY {} FROM STDIN").format(place)
    with scratch.cursor().copy(out) as source, connection.cursor().copy(into) as target:
        for block in source:
            target.write(block)


def _number(connection: psycopg.Connection[Any], scratch: psycopg.Connection[Any]) -> None:
    ask = asking(scratch)
    for (name,) in ask(_SEQUENCES):
        ((last, is_used),) = ask(f"SELECT last_value, is_called FROM {name}")  # noqa: S608  quoted by the server
        connection.execute("SELECT setval(%s::regclass, %s, %s)", [name, last, is_used])


@contextmanager
def _definitions(
    url: str, schemas: Collection[str], extensions: Collection[str]
) -> Iterator[Callable[[str], bytes]]:
    """Give what returns a section of a database's definitions, as SQL without rows.

    Args:
        url: Address of the database.
        schemas: Those that are not made, as they are there.
        extensions: Those that are not made, as they are there.
    """
    there = {"SCHEMA": schemas, "EXTENSION": extensions}
    with tempfile.TemporaryDirectory() as place:
        archive, chosen = Path(place) / "archive", Path(place) / "list"
        _run(
            "pg_dump", "--format=custom", "--schema-only", "--no-password", f"--file={archive}",
            env={**os.environ, **libpq_environment(url)},
        )  # fmt: skip
        listed = _run("pg_restore", "--list", str(archive)).decode().splitlines(keepends=True)
        chosen.write_text("".join(line for line in listed if _is_made(line, there)), "utf-8")

        def section(name: str) -> bytes:
            words = (f"--section={name}", f"--use-list={chosen}", "--file=-", str(archive))
            return _TO_PSQL.sub(b"", _run("pg_restore", *words))

        yield section


def _is_made(line: str, there: Mapping[str, Collection[str]]) -> bool:
    """Say whether an entry of an archive's list is of something that is not there."""
    found = _ENTRY.match(line)
    return found is None or found["name"] not in there[found["kind"]]


def _run(*words: str, env: dict[str, str] | None = None) -> bytes:
    argv = (find_program(words[0]), *words[1:])
    done = subprocess.run(argv, env=env, check=False, capture_output=True)
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise RestoreError(FAILED, f"{words[0]}: {said}")
    return done.stdout
