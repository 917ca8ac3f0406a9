"""Puts a restored backup in the place of a whole database; needs a store, pg_dump and pg_restore.

    python monoyard_database replace --manifest FILE --version FILE --plan
    python monoyard_database replace --manifest FILE --version FILE --lose ROWS
        --key KEY --directory DIR --recipient age1... --recipient age1... [--fact NAME=VALUE]

with DATABASE_URL, the database in use, SCRATCH_URL, a database in which `prove` restored the backup
of the manifest, and, without --plan, what `store.py` asks for. The version file is that of `heads`.

--plan tells what would be lost, and changes nothing. ROWS is what it told: rows that are new or
otherwise since the backup. Without it this happens, all of it in one transaction of the database:
nobody writes any more, and others still read; the rows are counted, and have to be ROWS; the
database is backed up into the store as KEY; then everything in its schemas is removed, made anew
as the copy has it, and compared with the manifest. Only what is proven is committed: whatever stops
this before leaves the database as it was. Sessions of others are ended. Extensions stay.
JSON lines on standard output.

Exit status: those of `restore` and of a store, and
    0    it is done; or it is so already; or it was only told
    6    it could not be done; the database is as it was
    17   another number of rows would be lost than ROWS; the database is as it was
    18   the version that runs cannot live with the backup; the database is as it was
    19   a right is missing, or the database has what no restored one would have; it is as it was
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psycopg

from . import manifest
from .backup import stop_on_sigterm
from .database import address, asking, connect, read_manifest
from .ending import ended
from .fit import misfit
from .lines import Lines, one_line
from .losses import Losses, find_losses
from .objects import find_apart, find_foreign, find_lasting
from .others import NO_WRITES, NOBODY, end_others, lock_tables
from .pouring import pour
from .restore import RestoreError, differences, not_compared
from .save import add_words, read_words, take_into
from .statuses import DIFFERS, DONE, FAILED
from .store import Store

MOVED, MISFIT, RIGHTLESS = 17, 18, 19
_SHOWN: Final = 5
# A server may end sessions that only wait, and this one waits for the backup.
_PATIENT: Final = """
    SELECT set_config(name, CASE name WHEN 'lock_timeout' THEN '10s' ELSE '0' END, false)
    FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout', 'transaction_timeout',
        'idle_in_transaction_session_timeout')
"""
_MADE: Final = """
    SELECT nspname FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
"""


def refusals(
    connection: psycopg.Connection[Any],
    scratch: psycopg.Connection[Any],
    version: Mapping[str, Any],
) -> Iterator[RestoreError]:
    """Yield why a backup may not take the place of a database."""
    ask, ask_scratch = asking(connection), asking(scratch)
    if why := misfit(ask_scratch, version):
        yield RestoreError(MISFIT, f"the version that runs cannot live with this backup: {why}")
    ((user, makes_schemas),) = ask(
        "SELECT current_user, has_database_privilege(current_database(), 'CREATE')"
    )
    if foreign := find_foreign(ask):
        shown = ", ".join(f"{name} (of {owner})" for name, owner in foreign[:_SHOWN])
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        yield RestoreError(RIGHTLESS, f"{user} may not replace what is of others: {shown}{more}")
    made = {str(name) for (name,) in ask_scratch(_MADE)} - {*find_lasting(ask)}
    if made and not makes_schemas:
        yield RestoreError(RIGHTLESS, f"{user} may not make schemas (CREATE on the database)")
    if apart := sorted({*find_apart(ask), *find_apart(ask_scratch)}):
        yield RestoreError(RIGHTLESS, f"this cannot restore {', '.join(apart)}")


def tell(losses: Losses, lines: Lines) -> None:
    """Tell what would be lost, and what would come back."""
    for table in losses.tables:
        if table.differs:
            lines.write(
                "table", name=table.name, now=table.now, backup=table.backup, new=table.new,
                changed=table.changed, gone=table.gone, columns=table.columns, by=table.by,
            )  # fmt: skip
    for name, (now, before) in losses.sequences.items():
        lines.write("sequence", name=name, now=now, backup=before)
    if losses.objects:
        lines.write("only-now", objects=losses.objects)
    same = sum(not table.differs for table in losses.tables)
    lines.write("losses", rows=losses.rows, same=same, tables=len(losses.tables))


def plan(options: argparse.Namespace, lines: Lines) -> int:
    """Tell what would be lost, and what forbids it; return the exit status."""
    with connect(address("DATABASE_URL")) as connection, _scratch() as scratch:
        asking(connection)("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = list(refusals(connection, scratch, options.version))
        # What is of others may not even be read.
        if RIGHTLESS not in {refused.status for refused in found}:
            tell(find_losses(connection, scratch), lines)
        for refused in found:
            lines.write("refused", status=refused.status, message=str(refused))
    return DONE


def replace(options: argparse.Namespace, lines: Lines) -> int:
    """Put the backup in the place of the database; return the exit status."""
    store = Store.of_environment()
    store.check()
    with connect(address("DATABASE_URL")) as connection, _scratch() as scratch:
        try:
            losses = _replaced(connection, scratch, options, (store, lines))
        except psycopg.Error as error:
            raise RestoreError(FAILED, f"nothing was changed: {one_line(error)}") from error
        if losses is None:
            lines.write("already")
            return DONE
        connection.commit()
        _tell_done(connection, options.backup, losses, lines)
    return DONE


def _replaced(
    connection: psycopg.Connection[Any],
    scratch: psycopg.Connection[Any],
    options: argparse.Namespace,
    out: tuple[Store, Lines],
) -> Losses | None:
    """Do all but committing it; return what is lost, None where there is nothing to do."""
    store, lines = out
    ask = asking(connection)
    ask(_PATIENT)
    for refused in refusals(connection, scratch, options.version):
        raise refused
    tables = manifest.quoted_names(ask)
    lock_tables(connection, tables.values(), NO_WRITES)
    losses = find_losses(connection, scratch)
    if losses.is_nothing and not differences(ask, options.backup):
        return None
    if losses.rows != options.lose:
        tell(losses, lines)
        raise RestoreError(MOVED, _moved(losses.rows, options.lose))
    saved = take_into(store, options, lines)
    lines.write("saved", key=saved.key)
    lock_tables(connection, tables.values(), NOBODY)
    if manifest.quoted_names(ask) != tables:
        raise RestoreError(FAILED, "nothing was changed: somebody made or removed a table")
    pour(connection, scratch, address("SCRATCH_URL"))
    if found := differences(ask, options.backup):
        for line in found:
            lines.write("differs", message=line)
        message = f"nothing was changed: it would differ from the backup: {found[0]}"
        raise RestoreError(DIFFERS, message)
    return losses


def _scratch() -> psycopg.Connection[Any]:
    return connect(address("SCRATCH_URL"))


def _moved(rows: int, lose: int) -> str:
    are = f"{rows} row is" if rows == 1 else f"{rows} rows are"
    return f"nothing was changed: {are} new or changed since the backup by now, not {lose}"


def _tell_done(
    connection: psycopg.Connection[Any],
    backup: Mapping[str, Any],
    losses: Losses,
    lines: Lines,
) -> None:
    """Say that it is done, and have the sessions of others begin anew: they know what is gone."""
    lines.write(
        "replaced", tables=len(backup["data"]["tables"]), lost=losses.rows,
        revisions=backup["database"]["revisions"], not_compared=not_compared(backup),
    )  # fmt: skip
    try:
        left = end_others(connection)
    except psycopg.Error as error:
        left = [one_line(error)]
    for who in left:
        lines.write("not-ended", message=f"{who} may know what is gone: have it connect again")


def parse(words: list[str]) -> argparse.Namespace:
    """Read the words, and the files that they name."""
    parser = argparse.ArgumentParser(description="Puts a backup in the place of a database.")
    parser.add_argument("--manifest", required=True, help="file with the backup's manifest")
    parser.add_argument("--version", required=True, help="file that `heads` wrote")
    parser.add_argument("--plan", action="store_true", help="only tell what would be lost")
    parser.add_argument("--lose", type=int, help="rows that are new or changed since the backup")
    add_words(parser)
    options = parser.parse_args(words)
    try:
        options.backup = read_manifest(Path(options.manifest).read_text("utf-8"))
        options.version = json.loads(Path(options.version).read_text("utf-8"))
    except (OSError, ValueError) as error:
        parser.error(one_line(error))
    if not options.plan:
        if options.lose is None:
            parser.error("--lose names how many rows are lost; --plan tells")
        read_words(parser, options)
    return options


def main(words: list[str]) -> int:
    """Plan, or put the backup in its place; return the exit status."""
    options = parse(words)
    stop_on_sigterm()
    lines = Lines()
    return ended(lines, lambda: (plan if options.plan else replace)(options, lines))
