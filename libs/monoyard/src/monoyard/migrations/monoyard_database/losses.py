"""What a database would lose if a backup took its place, row by row; psycopg.

The backup is there as a restored copy. The rows of the database go there as keys and hashes, so
that it is read once and nothing is written to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from . import manifest
from .database import asking
from .lost_columns import primary_key
from .objects import find_objects

_KEYED: Final = """
    SELECT count(*) FILTER (WHERE b.key IS NULL),
        count(*) FILTER (WHERE b.key = n.key AND (b.sum <> n.sum OR n.more)),
        count(*) FILTER (WHERE n.key IS NULL)
    FROM monoyard_now n FULL JOIN (SELECT {} AS key, {} AS sum FROM ONLY {} t) b ON b.key = n.key
"""
# Rows that are alike in all columns are told apart by how many there are.
_KEYLESS: Final = """
    SELECT coalesce(sum(greatest(coalesce(n.rows, 0) - coalesce(b.rows, 0), 0)), 0)::bigint, 0,
        coalesce(sum(greatest(coalesce(b.rows, 0) - coalesce(n.rows, 0), 0)), 0)::bigint
    FROM (SELECT CASE WHEN more THEN NULL ELSE sum END AS sum, count(*) AS rows
          FROM monoyard_now GROUP BY 1) n
    FULL JOIN (SELECT {} AS sum, count(*) AS rows FROM ONLY {} t GROUP BY 1) b ON b.sum = n.sum
"""


@dataclass(frozen=True)
class TableLoss:
    """What becomes of a table's rows.

    Attributes:
        name: The table.
        now: Rows that it has; None where it is not there.
        backup: Rows that the backup has; None where it has no such table.
        new: Rows of now that the backup has not.
        changed: Rows that are otherwise in the backup, by primary key.
        gone: Rows of the backup that are not there now, and come back.
        columns: Those that only the table of now has.
        by: `key` where rows were found by primary key, `content` where by all of their columns.
    """

    name: str
    now: int | None
    backup: int | None
    new: int
    changed: int
    gone: int
    columns: tuple[str, ...] = ()
    by: str = "content"

    @property
    def differs(self) -> bool:
        """Whether anything of it is otherwise in the backup."""
        moved = self.new or self.changed or self.gone or self.columns
        return bool(moved) or self.now is None or self.backup is None


@dataclass(frozen=True)
class Losses:
    """What a database would lose.

    Attributes:
        tables: Those of the database and of the backup.
        sequences: Last numbers now and in the backup, where they differ; empty: never used.
        objects: What else only the database of now has, such as `view shop.totals`.
    """

    tables: tuple[TableLoss, ...]
    sequences: Mapping[str, tuple[str, str]]
    objects: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows, as they are now, would be no more."""
        return sum(table.new + table.changed for table in self.tables)

    @property
    def is_nothing(self) -> bool:
        """Whether the database has all of the backup, and nothing but it."""
        moved = any(table.differs for table in self.tables)
        return not (moved or self.sequences or self.objects)


@dataclass(frozen=True)
class _Table:
    quoted: str
    columns: tuple[str, ...]


def find_losses(connection: psycopg.Connection[Any], scratch: psycopg.Connection[Any]) -> Losses:
    """Compare a database with a restored backup; both connections stay in their transactions."""
    ask, ask_scratch = asking(connection), asking(scratch)
    for each in (ask, ask_scratch):
        manifest.take(each, objects=())  # sets how values are written
    now, before = _tables(ask), _tables(ask_scratch)
    tables = []
    for name in sorted({*now, *before}):
        if name in now and name in before:
            pair = now[name], before[name]
            tables.append(_compare(connection, scratch, name, *pair))
        elif name in now:
            rows = _count(connection, now[name])
            tables.append(TableLoss(name, rows, None, rows, 0, 0))
        else:
            rows = _count(scratch, before[name])
            tables.append(TableLoss(name, None, rows, 0, 0, rows))
    return Losses(
        tuple(tables),
        _moved(manifest.sequences(ask), manifest.sequences(ask_scratch)),
        tuple(sorted({*_others(ask)} - {*_others(ask_scratch)})),
    )


def _tables(ask: manifest.Ask) -> dict[str, _Table]:
    quoted, columns = manifest.quoted_names(ask), manifest.columns(ask)
    return {name: _Table(quoted[name], tuple(columns[name])) for name in quoted}


def _moved(now: Mapping[str, str], before: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {
        name: (now[name], before[name])
        for name in sorted(now)
        if name in before and now[name] != before[name]
    }


def _others(ask: manifest.Ask) -> list[str]:
    """Return all but tables and what numbers their rows, which are told of by themselves."""
    return [item.words for item in find_objects(ask) if item.kind not in ("table", "sequence")]


def _count(connection: psycopg.Connection[Any], table: _Table) -> int:
    row = _run(connection, "SELECT count(*) FROM ONLY {} t", sql.SQL(table.quoted)).fetchone()
    return int(row[0]) if row else 0


def _compare(
    connection: psycopg.Connection[Any],
    scratch: psycopg.Connection[Any],
    name: str,
    now: _Table,
    before: _Table,
) -> TableLoss:
    both = [column for column in before.columns if column in now.columns]
    more = tuple(column for column in now.columns if column not in before.columns)
    keys = [
        primary_key(each, table.quoted) for each, table in ((connection, now), (scratch, before))
    ]
    key = [column for column, _ in keys[0]] if keys[0] == keys[1] else []
    digest = sql.SQL("hashtextextended({}::text, 0)").format(_row(both))
    _run(scratch, "CREATE TEMP TABLE monoyard_now (key text, sum bigint, more boolean)")
    _send(connection, scratch, (now, key, digest, more))
    place = sql.SQL(before.quoted)
    found = (
        _run(scratch, _KEYED, sql.SQL("{}::text").format(_row(key)), digest, place)
        if key
        else _run(scratch, _KEYLESS, digest, place)
    ).fetchone() or (0, 0, 0)
    new, changed, gone = map(int, found)
    row = _run(scratch, "SELECT count(*) FROM monoyard_now").fetchone() or (0,)
    _run(scratch, "DROP TABLE monoyard_now")
    return TableLoss(
        name, int(row[0]), _count(scratch, before), new, changed, gone, more,
        "key" if key else "content",
    )  # fmt: skip


def _send(
    connection: psycopg.Connection[Any],
    scratch: psycopg.Connection[Any],
    what: tuple[_Table, Sequence[str], sql.Composable, Sequence[str]],
) -> None:
    table, key, digest, more = what
    has_more = sql.SQL(" OR ").join(
        sql.SQL("t.{} IS DISTINCT FROM NULL").format(sql.Identifier(name)) for name in more
    )
    out = sql.SQL("COPY (SELECT {}::text, {}, {} FROM ONLY {} t) TO STDOUT").format(
        _row(key), digest, has_more if more else sql.SQL("false"), sql.SQL(table.quoted)
    )
    into = "COPY monoyard_now FROM STDIN"
    with connection.cursor().copy(out) as source, scratch.cursor().copy(into) as target:
        for block in source:
            target.write(block)


def _row(columns: Sequence[str]) -> sql.Composed:
    names = (sql.SQL("t.{}").format(sql.Identifier(name)) for name in columns)
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(names))


def _run(
    connection: psycopg.Connection[Any], statement: Any, *parts: sql.Composable
) -> psycopg.Cursor[Any]:
    return connection.execute(sql.SQL(statement).format(*parts))
