"""Restores a backup into an empty database, and proves it; psycopg, pyrage, and pg_restore on PATH.

    python monoyard_database restore --from FILE --manifest FILE --identity FILE [--space DIR]

with DATABASE_URL set. Bytes are checked before anything is done, then everything is restored in one
transaction, and what is there is compared with the manifest: rows and checksums of every table,
sequences, constraints, indexes. JSON lines on standard output.

Exit status:
    0    restored, and the same as the manifest says
    2    wrong words, or files that cannot be read
    3    the bytes are not those that were backed up
    4    the database is not empty
    5    none of the identities can decrypt it
    6    it could not be restored; the database is as it was
    7    restored, and not what the manifest says; a line tells each difference
    8    no connection, or no pg_restore
    9    too little space
    143  stopped by SIGTERM
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from . import manifest
from .backup import raise_if_stopped, stop_on_sigterm
from .database import (
    address,
    asking,
    connect,
    definition_differences,
    describe,
    libpq_environment,
    read_manifest,
)
from .lines import Lines, one_line
from .statuses import DIFFERS, DONE, FAILED, NOTHING
from .streams import CipherError, Tally, decrypt, file_digest, identities

DAMAGED, OCCUPIED, LOCKED, FULL = 3, 4, 5, 9
_SHOWN = 5
_SECONDS = 1.0
# The restored copy, its indexes, and the log of writing both.
ROOM = 2
_USED = """
    SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
"""


class RestoreError(Exception):
    """It was not restored.

    Attributes:
        status: The exit status.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def restore(url: str, source: Path, backup: Mapping[str, Any], keys: Sequence[Any]) -> None:
    """Restore a backup into an empty database.

    Args:
        url: Address of the database.
        source: The encrypted dump.
        backup: Its manifest.
        keys: Private keys.

    Raises:
        RestoreError: It was not restored.
        psycopg.Error: The database does not answer.
    """
    if file_digest(source) != backup["object"]:
        raise RestoreError(DAMAGED, f"{source.name} is not what was backed up, or not all of it")
    with connect(url) as connection:
        ask = asking(connection)
        if ask(_USED)[0][0]:
            raise RestoreError(OCCUPIED, "the database is not empty")
        _make_roles(connection, backup["database"]["roles"])
    _pour(url, source, keys)


def proof(url: str, backup: Mapping[str, Any]) -> list[str]:
    """Return how a database differs from what a backup's manifest says, one line for each.

    Every table that was looked through for the manifest is looked through again, however large it
    is here; of the others only that they are there.
    """
    with connect(url) as connection:
        return differences(asking(connection), backup)


def differences(ask: manifest.Ask, backup: Mapping[str, Any]) -> list[str]:
    """Return what `proof` does, as seen in the transaction of whoever asks."""
    before, left = backup["data"], not_compared(backup)
    now = manifest.take(ask, limit_bytes=None, leaving=left)
    database = describe(ask)
    found = [f"{name}: not in the database" for name in left if name not in now["tables"]]
    found += manifest.compare(_without(before, left), _without(now, left))
    return found + definition_differences(
        backup["database"]["definitions"], database["definitions"]
    )


def not_compared(backup: Mapping[str, Any]) -> list[str]:
    """Return the tables that were too large to be looked through when they were backed up."""
    return sorted(name for name, table in backup["data"]["tables"].items() if "skipped" in table)


def _without(data: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    tables = {name: table for name, table in data["tables"].items() if name not in names}
    return {**data, "tables": tables}


def _make_roles(connection: psycopg.Connection[Any], names: Sequence[str]) -> None:
    """Make the roles that own something; a dump does not hold them."""
    known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    for name in names:
        if name not in known:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


def _pour(url: str, source: Path, keys: Sequence[Any]) -> None:
    environment = libpq_environment(url)
    argv = (
        shutil.which("pg_restore") or "pg_restore", "--exit-on-error", "--single-transaction",
        "--no-password", f"--dbname={environment.get('PGDATABASE', '')}",
    )  # fmt: skip
    with (
        tempfile.TemporaryFile() as said,
        source.open("rb") as file,
        subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=said, stderr=said, env={**os.environ, **environment}
        ) as child,
    ):
        problem, poured = "", Tally(child.stdin)  # type: ignore[arg-type]  # a pipe was asked for
        try:
            decrypt(file, poured, keys)
        except (CipherError, OSError) as error:
            problem = one_line(error)
            with suppress(subprocess.TimeoutExpired):
                child.wait(_SECONDS)  # where it ended before its input did, it says why
            child.kill()
            raise_if_stopped()
            if not poured.size and isinstance(error, CipherError):
                raise RestoreError(LOCKED, f"no identity can decrypt it: {error}") from error
        except BaseException:
            child.kill()
            raise
        child.communicate()
        if child.returncode or problem:
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").splitlines()[:_SHOWN]
            raise RestoreError(FAILED, f"pg_restore: {' '.join(lines) or problem}")


def parse_files(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Read the words, and the files that they name."""
    parser.add_argument("--from", dest="source", required=True, help="the encrypted dump")
    parser.add_argument("--manifest", required=True, help="file with the backup's manifest")
    parser.add_argument("--identity", required=True, help="file with private age keys")
    options = parser.parse_args(words)
    try:
        options.backup = read_manifest(Path(options.manifest).read_text("utf-8"))
        options.keys = identities(Path(options.identity).read_text("utf-8"))
    except (OSError, ValueError) as error:
        parser.error(one_line(error))
    return options


def main(words: list[str]) -> int:
    """Restore and compare; return the exit status."""
    parser = argparse.ArgumentParser(description="Restores a backup, and proves it.")
    parser.add_argument("--space", help="directory that has to hold the restored copy")
    options = parse_files(parser, words)
    stop_on_sigterm()
    lines = Lines()
    try:
        _require(options)
        url = address("DATABASE_URL")
        restore(url, Path(options.source), options.backup, options.keys)
        lines.write("restored", bytes=options.backup["dump"]["bytes"])
        found = proof(url, options.backup)
    except RestoreError as error:
        lines.write("failed", status=error.status, message=str(error))
        return error.status
    except psycopg.OperationalError as error:
        lines.write("failed", status=NOTHING, message=one_line(error))
        return NOTHING
    except (OSError, psycopg.Error) as error:
        lines.write("failed", status=FAILED, message=one_line(error))
        return FAILED
    for line in found:
        lines.write("differs", message=line)
    if found:
        return DIFFERS
    data = options.backup["data"]["tables"]
    lines.write("proven", tables=len(data), not_compared=not_compared(options.backup))
    return DONE


def _require(options: argparse.Namespace) -> None:
    if shutil.which("pg_restore") is None:
        raise RestoreError(NOTHING, "pg_restore is not on PATH")
    if options.space is None:
        return
    wanted = ROOM * int(options.backup["database"]["bytes"])
    free = shutil.disk_usage(options.space).free
    if free < wanted:
        raise RestoreError(FULL, f"{wanted} bytes are needed in {options.space}, {free} are free")
