"""What a database holds, in numbers: rows and checksums of tables, sequences; and the comparison.

    python manifest.py [--limit-bytes N] [--snapshot ID]         with DATABASE_URL set

A backup keeps this beside its dump. The restored copy has to give the same, and before a revision
removes anything, what it removes has to be as it is in the backup.

The checksum of a table is a sum of hashes of its rows as text, and so is that of a column: made by
the server in one pass, whatever the order. Equal data gives equal sums within one major version of
PostgreSQL. It tells changes by accident and by use, not those of an attacker.

Sequences belong to no snapshot: a dump may hold any number that one came by while it was made. So
they are read before it and after it, and what a copy has must be of what lies between.

Standard library only; the connection is whatever answers a statement with rows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

Ask = Callable[[str], list[Any]]
"""Runs a statement and returns its rows; none for one that gives no rows."""

VERSION: Final = 1
LIMIT_BYTES: Final = 8 * 1024**3
# How values look as text must not depend on who connects.
_TEXT_SETTINGS: Final = (
    ("TimeZone", "UTC"), ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"), ("bytea_output", "hex"), ("search_path", "pg_catalog"),
)  # fmt: skip
_TABLES: Final = """
    SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), pg_table_size(c.oid),
        coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
        AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2
"""
_SEQUENCES: Final = """
    SELECT schemaname || '.' || sequencename, coalesce(last_value::text, ''), increment_by > 0
    FROM pg_sequences ORDER BY 1
"""


class DiffersError(Exception):
    """The database is not as the backup says."""


def take(
    ask: Ask,
    *,
    objects: Iterable[str] | None = None,
    limit_bytes: int | None = LIMIT_BYTES,
    leaving: Collection[str] = (),
    since: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what a database holds; to be called in one transaction, whose settings it changes.

    Args:
        ask: Runs a statement.
        objects: Tables, columns (`TABLE.COLUMN`) or schemas (`SCHEMA.*`); None means all there is.
        limit_bytes: Larger tables are not looked through, and their entry says so; None: all are.
        leaving: Tables that are not looked through, whatever their size.
        since: What `sequences` gave earlier; those that moved on get the two ends of what they
            came by, as `moving`: the lower one first, unless a sequence went around.
    """
    for name, value in _TEXT_SETTINGS:
        ask(f"SET LOCAL \"{name}\" = '{value}'")
    asked = None if objects is None else list(objects)
    tables = {}
    for schema, table, quoted, size, columns in ask(_TABLES):
        name = plain_name(f"{schema}.{table}")
        if asked is None or any(_is_about(item, name) for item in asked):
            found, bytes_ = list(json.loads(columns)), int(size)
            if name in leaving:
                tables[name] = {"bytes": bytes_, "skipped": "it was left out"}
            elif limit_bytes is not None and bytes_ > limit_bytes:
                tables[name] = {"bytes": bytes_, "skipped": f"more than {limit_bytes} bytes"}
            else:
                tables[name] = _table(ask, quoted, found, bytes_)
    standing = list(ask(_SEQUENCES)) if asked is None else []
    moving = _moving(standing, since or {})
    return {
        "version": VERSION,
        "server": str(ask("SHOW server_version")[0][0]),
        "tables": tables,
        "sequences": {plain_name(name): value for name, value, _ in standing},
        **({"moving": moving} if moving else {}),
    }


def sequences(ask: Ask) -> dict[str, str]:
    """Return the last number of each sequence at this moment; empty: it was never used."""
    return {plain_name(name): value for name, value, _ in ask(_SEQUENCES)}


def _moving(standing: Iterable[Any], since: Mapping[str, str]) -> dict[str, list[str]]:
    found = {}
    for full_name, value, is_rising in standing:
        name = plain_name(full_name)
        earlier = since.get(name, value)
        if earlier != value:
            found[name] = [earlier, value] if is_rising else [value, earlier]
    return found


def columns(ask: Ask) -> dict[str, list[str]]:
    """Return the columns of each table."""
    return {
        plain_name(f"{schema}.{table}"): list(json.loads(names))
        for schema, table, _, _, names in ask(_TABLES)
    }


def quoted_names(ask: Ask) -> dict[str, str]:
    """Return the name of each table as SQL has it."""
    return {
        plain_name(f"{schema}.{table}"): str(quoted) for schema, table, quoted, *_ in ask(_TABLES)
    }


def plain_name(name: str) -> str:
    """Return a name without the schema `public`, as the engine writes names."""
    return name.removeprefix("public.")


def _is_about(item: str, table: str) -> bool:
    if item.endswith(".*"):
        return table.startswith(item[:-1])
    return item == table or item.rpartition(".")[0] == table


def _table(ask: Ask, quoted: str, columns: list[str], size: int) -> dict[str, Any]:
    names = [name.replace('"', '""') for name in columns]
    sums = "".join(f', count(t."{name}"), {_sum(f"""t."{name}"::text""")}' for name in names)
    (row,) = ask(f"SELECT count(*), {_sum('t::text')}{sums} FROM ONLY {quoted} t")  # noqa: S608  names from the catalogue, quoted by the server
    return {
        "bytes": size,
        "rows": int(row[0]),
        "checksum": str(row[1]),
        "columns": {
            name: {"values": int(row[2 + 2 * place]), "checksum": str(row[3 + 2 * place])}
            for place, name in enumerate(columns)
        },
    }


def _sum(expression: str) -> str:
    return f"coalesce(sum(hashtextextended({expression}, 0)::numeric), 0)::text"


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any], objects: Iterable[str] | None = None
) -> list[str]:
    """Return how two manifests differ, one line for each object; what was skipped differs.

    Args:
        before: The backup's.
        after: That of the database now.
        objects: Tables, columns (`TABLE.COLUMN`) or schemas (`SCHEMA.*`); None means all there is,
            sequences included.
    """
    old, new = before["tables"], after["tables"]
    found: list[str] = []
    if before.get("version") != after.get("version"):
        return [f"the manifest has version {before.get('version')}, not {after.get('version')}"]
    if objects is None:
        for name in sorted({*old, *new}):
            found += _differences(name, old.get(name), new.get(name))
        return found + _sequence_differences(before, after)
    for item in objects:
        found += _object_differences(item, old, new)
    return found


def _sequence_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found, moving = [], before.get("moving") or {}
    for name in sorted({*before["sequences"], *after["sequences"]}):
        was, now = before["sequences"].get(name), after["sequences"].get(name)
        is_same = was == now
        if name in moving:
            is_same = now is not None and _is_between(now, *moving[name])
            was = " to ".join(end or "unused" for end in moving[name])
        if not is_same:
            found.append(f"sequence {name}: {was} in the backup, {now} now")
    return found


def _is_between(value: str, low: str, high: str) -> bool:
    """Say whether a sequence came by a number; an end that is empty is open."""
    if not value or value in (low, high):
        return value in (low, high)
    is_over, is_under = (not low or int(low) < int(value)), (not high or int(value) < int(high))
    has_turned = low and high and int(low) > int(high)  # it went around, or was set back
    return is_over or is_under if has_turned else is_over and is_under


def _object_differences(item: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    tables = [name for name in sorted({*old, *new}) if _is_about(item, name)]
    if not tables and not item.endswith(".*"):
        return [f"{item}: neither in the backup nor in the database"]
    found = []
    for name in tables:
        before, after = old.get(name), new.get(name)
        column = item[len(name) + 1 :] if item != name and not item.endswith(".*") else ""
        if column and before and after and "columns" in before and "columns" in after:
            before = {**before["columns"].get(column, {}), "rows": 0}
            after = {**after["columns"].get(column, {}), "rows": 0}
            name = item  # noqa: PLW2901  the column is what is told of
        found += _differences(name, before, after)
    return found


def _differences(name: str, before: Any, after: Any) -> list[str]:
    if before is None or after is None:
        return [f"{name}: not in the {'backup' if before is None else 'database'}"]
    for side in (before, after):
        if "skipped" in side:
            return [f"{name}: not compared, {side['skipped']}"]
    if "checksum" not in before or "checksum" not in after:
        return [f"{name}: not in the backup" if "checksum" not in before else f"{name}: gone"]
    for key in ("rows", "values"):
        if before.get(key) != after.get(key):
            return [f"{name}: {before.get(key)} {key} in the backup, {after.get(key)} now"]
    if before["checksum"] != after["checksum"]:
        return [f"{name}: as many as in the backup, with other content"]
    return []


def compare_with_backup(connection: Any, backup: Mapping[str, Any], objects: Iterable[str]) -> None:
    """Lock what a revision removes, and compare it with the backup.

    The lock is the one that removing takes, so nothing changes in between, and no lock is raised.

    Args:
        connection: SQLAlchemy's, in the revision's transaction.
        backup: The backup's manifest.
        objects: As for `compare`.

    Raises:
        DiffersError: They differ, or were not compared.
    """
    asked = list(objects)

    def ask(statement: str) -> list[Any]:
        done = connection.exec_driver_sql(statement.replace("%", "%%"))
        return list(done.fetchall()) if done.returns_rows else []

    for schema, table, quoted, *_ in ask(_TABLES):
        if any(_is_about(item, plain_name(f"{schema}.{table}")) for item in asked):
            ask(f"LOCK TABLE {quoted} IN ACCESS EXCLUSIVE MODE")
    # The settings of the comparison end with it: the revision wants its own.
    ask("SAVEPOINT monoyard_comparison")
    now = take(ask, objects=asked)
    ask("ROLLBACK TO SAVEPOINT monoyard_comparison")
    found = compare(backup, now, asked)
    if found:
        raise DiffersError("; ".join(found))


def main(words: list[str]) -> int:
    """Print the manifest of the database in DATABASE_URL, seen in one snapshot."""
    parser = argparse.ArgumentParser(description="Prints what a database holds.")
    parser.add_argument("--limit-bytes", type=int, default=LIMIT_BYTES)
    parser.add_argument("--snapshot", help="of pg_export_snapshot, so that a dump sees the same")
    options = parser.parse_args(words)
    import psycopg  # noqa: PLC0415  the comparison needs none

    with psycopg.connect(os.environ["DATABASE_URL"].replace("+psycopg", "", 1)) as connection:

        def ask(statement: str) -> list[Any]:
            done = connection.execute(statement)
            return list(done.fetchall()) if done.description else []

        ask("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if options.snapshot:
            ask(f"SET TRANSACTION SNAPSHOT '{options.snapshot}'")
        json.dump(take(ask, limit_bytes=options.limit_bytes), sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
