"""Brings lost columns of a table back: values of a restored backup, default and NOT NULL; psycopg.

Triggers do not see it: whoever wrote one meant changes by use, and it may change other columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from .database import quoted_name
from .restore import RestoreError
from .statuses import FAILED

KEYLESS: Final = 10
_KEY: Final = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indisprimary AND i.indrelid = to_regclass(%s)
    ORDER BY array_position(i.indkey::int2[], a.attnum)
"""
_COLUMN: Final = """
    SELECT format_type(a.atttypid, a.atttypmod), coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
        a.attnotnull, a.attidentity::text, a.attgenerated::text
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = to_regclass(%s) AND a.attname = %s
"""
_IDENTITIES: Final = {"a": "ALWAYS", "d": "BY DEFAULT"}
_GENERATED: Final = {"s": "STORED", "v": "VIRTUAL"}
_TRIGGERS: Final = """
    SELECT tgname, tgenabled::text FROM pg_trigger
    WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled <> 'D'
"""
_ENABLE: Final = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


@dataclass(frozen=True)
class Column:
    """A column as the backup has it.

    Attributes:
        name: Its name.
        type: Its type, as SQL has it.
        expression: What its default is, or what it is generated from; empty: neither.
        is_required: It is NOT NULL.
        identity: `a` or `d`, as in `pg_attribute`; empty: it is none.
        generated: `s` or `v`, as in `pg_attribute`; empty: it is not.
    """

    name: str
    type: str
    expression: str
    is_required: bool
    identity: str
    generated: str


@dataclass(frozen=True)
class Returned:
    """What came of bringing columns back.

    Attributes:
        counts: `rows` that got their values back, `new` ones that have none, and `gone` ones of
            the backup that the database has no more.
        left: What did not come back with them, by its name, with how it was.
    """

    counts: Mapping[str, int]
    left: Mapping[str, str]


class Recovery:
    """Brings back columns.

    Args:
        connection: To the database that lost them; the caller commits.
        scratch: To the restored backup.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], scratch: psycopg.Connection[Any]
    ) -> None:
        self._connection = connection
        self._scratch = scratch

    def columns(self, table: str, names: tuple[str, ...]) -> Returned:
        """Add columns of a table again, with what the backup has for the rows still there.

        Raises:
            RestoreError: The table has no primary key.
        """
        key = primary_key(self._connection, quoted_name(table))
        if not key:
            raise RestoreError(KEYLESS, f"{table} has no primary key: its rows cannot be found")
        place, kept = sql.SQL(quoted_name(table)), sql.Identifier("monoyard_recovered")
        found = [self._column(table, name) for name in names]
        all_of_them = [*key, *((column.name, column.type) for column in found)]
        held = _listed("{} {}", all_of_them)
        self._run("CREATE TEMP TABLE {} ({}) ON COMMIT DROP", kept, held)
        self._copy(place, kept, _listed("{}", ((name,) for name, _ in all_of_them)))
        for column in found:
            name, kind = sql.Identifier(column.name), sql.SQL(column.type)
            self._run("ALTER TABLE {} ADD COLUMN {} {}", place, name, kind)
        triggers = self._connection.execute(_TRIGGERS, [quoted_name(table)]).fetchall()
        for trigger, _ in triggers:
            self._run("ALTER TABLE {} DISABLE TRIGGER {}", place, sql.Identifier(trigger))
        counts = self._fill(place, kept, [name for name, _ in key], names)
        for trigger, enabled in triggers:
            how = sql.SQL(_ENABLE[enabled])
            self._run("ALTER TABLE {} {} TRIGGER {}", place, how, sql.Identifier(trigger))
        self._run("DROP TABLE {}", kept)
        left = {
            f"{what} {table}.{column.name}": was
            for column in found
            for what, was in self._define(place, column)
        }
        return Returned(counts, left)

    def _run(self, statement: str, *parts: sql.Composable) -> psycopg.Cursor[Any]:
        return self._connection.execute(sql.SQL(statement).format(*parts))

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
    ) -> dict[str, int]:
        same = sql.SQL(" AND ").join(
            sql.SQL("t.{0} = k.{0}").format(sql.Identifier(name)) for name in key
        )
        values = sql.SQL(", ").join(
            sql.SQL("{0} = k.{0}").format(sql.Identifier(name)) for name in names
        )
        update = "UPDATE {} t SET {} FROM {} k WHERE {}"
        filled = self._run(update, place, values, kept, same).rowcount
        count = "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {})"
        row = self._run(count, place, kept).fetchone() or (0, 0)
        return {"rows": filled, "new": row[0] - filled, "gone": row[1] - filled}

    def _define(self, place: sql.Composable, column: Column) -> Iterator[tuple[str, str]]:
        """Make a filled column what it was; yield what cannot be had again, and how it was."""
        name = sql.Identifier(column.name)
        if column.generated:
            kind = _GENERATED[column.generated]
            yield "generation", f"GENERATED ALWAYS AS ({column.expression}) {kind}"
        elif column.expression:
            try:
                with self._connection.transaction():
                    default = sql.SQL(column.expression)
                    self._run("ALTER TABLE {} ALTER {} SET DEFAULT {}", place, name, default)
            except (psycopg.ProgrammingError, psycopg.DataError) as error:
                # It names what is not there: its sequence went with the column, for one.
                yield "default", f"{column.expression}; {error.diag.message_primary}"
        if column.identity:
            yield "identity", f"GENERATED {_IDENTITIES[column.identity]} AS IDENTITY"
        if column.is_required:
            count = "SELECT count(*) - count({}) FROM {}"
            (without,) = self._run(count, name, place).fetchone() or (0,)
            if without:
                rows = "1 row has" if without == 1 else f"{without} rows have"
                yield "not null", f"NOT NULL; {rows} no value"
            else:
                self._run("ALTER TABLE {} ALTER {} SET NOT NULL", place, name)

    def _column(self, table: str, name: str) -> Column:
        # Types and functions are written out in full where nothing is on the search path.
        self._scratch.execute("SET LOCAL search_path = pg_catalog")
        row = self._scratch.execute(_COLUMN, [quoted_name(table), name]).fetchone()
        if row is None:
            raise RestoreError(FAILED, f"the backup has no column {name} in {table}")
        return Column(name, *row)


def primary_key(connection: psycopg.Connection[Any], quoted: str) -> list[tuple[str, str]]:
    """Return the columns of a table's primary key, with their types; none where it has none."""
    return list(connection.execute(_KEY, [quoted]).fetchall())


def _listed(form: str, items: Any) -> sql.Composed:
    """Return a name for each item, and its type where the form has a place for it."""
    return sql.SQL(", ").join(
        sql.SQL(form).format(sql.Identifier(name), *map(sql.SQL, kind)) for name, *kind in items
    )
