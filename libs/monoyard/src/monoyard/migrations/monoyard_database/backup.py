"""Backs a database up, encrypted; standard library, psycopg, pyrage, and pg_dump on PATH.

    python monoyard_database backup --to FILE --recipient age1... --recipient age1...

with DATABASE_URL set. The dump and the manifest are of one snapshot: rows, checksums, constraints
and indexes are those that the dump holds. Of a sequence that moves meanwhile the manifest has where
it was before and after. Only public keys are needed here. JSON lines on standard output; the last
one, `done`, is the backup's manifest.

Exit status:
    0    FILE is there, whole
    2    wrong words
    6    it could not be dumped or written; there is no FILE
    8    no connection, or no pg_dump that can read this server
    143  stopped by SIGTERM; there is no FILE
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from . import manifest
from .database import address, asking, connect, describe, libpq_environment
from .lines import Lines, one_line
from .statuses import DONE, FAILED, NOTHING, STOPPED
from .streams import CipherError, Tally, encrypt, recipients, whole

VERSION = 1
_SHOWN = 5


class DumpError(Exception):
    """pg_dump did not make a dump."""


def take(
    url: str, target: Path, keys: Sequence[Any], program: str, limit_bytes: int
) -> dict[str, Any]:
    """Write the backup; return its manifest.

    Args:
        url: Address of the database.
        target: File that the encrypted dump is written to.
        keys: Recipients.
        program: pg_dump.
        limit_bytes: Larger tables are dumped, but not counted and summed.

    Raises:
        DumpError: pg_dump failed.
        OSError: The file cannot be written.
        psycopg.Error: The database cannot be read.
    """
    with connect(url) as connection:
        ask = asking(connection)
        ask("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        ((snapshot, name),) = ask("SELECT pg_export_snapshot(), current_database()")
        before = manifest.sequences(ask)
        with whole(target) as file:
            plain, encrypted = _dump(program, url, str(snapshot), file, keys)
        data = manifest.take(ask, limit_bytes=limit_bytes, since=before)
        database = describe(ask)
    return {
        "version": VERSION,
        "name": name,
        "dump": plain.told(),
        "object": encrypted.told(),
        "database": database,
        "data": data,
    }


def _dump(
    program: str, url: str, snapshot: str, file: Any, keys: Sequence[Any]
) -> tuple[Tally, Tally]:
    # A table lock that somebody holds for long is an error, not a backup that never ends.
    argv = (
        program, "--format=custom", f"--snapshot={snapshot}", "--no-password",
        "--lock-wait-timeout=60s",
    )  # fmt: skip
    environment = {**os.environ, **libpq_environment(url)}
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=said, env=environment) as child,
    ):
        try:
            plain, encrypted = Tally(child.stdout), Tally(file)  # type: ignore[arg-type]  # a pipe was asked for
            encrypt(plain, encrypted, keys)
        except CipherError as error:
            child.kill()
            raise_if_stopped()
            raise DumpError(one_line(error)) from error
        except BaseException:
            child.kill()
            raise
        if child.wait():
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").splitlines()[-_SHOWN:]
            raise DumpError(f"{program} ended with {child.returncode}: {' '.join(lines)}")
    return plain, encrypted


def parse(words: list[str]) -> argparse.Namespace:
    """Read the words."""
    parser = argparse.ArgumentParser(description="Backs a database up.")
    parser.add_argument("--to", required=True, help="file that the encrypted dump is written to")
    parser.add_argument("--recipient", action="append", default=[], help="public age key; two")
    parser.add_argument("--limit-bytes", type=int, default=manifest.LIMIT_BYTES)
    options = parser.parse_args(words)
    try:
        options.keys = recipients(options.recipient)
    except ValueError as error:
        parser.error(str(error))
    return options


_stopped: list[int] = []


def stop_on_sigterm() -> None:
    """Have SIGTERM end the process as an exception does, so that nothing half stays."""

    def stop(number: int, _: object) -> None:
        _stopped.append(number)
        sys.exit(STOPPED)

    signal.signal(signal.SIGTERM, stop)


def raise_if_stopped() -> None:
    """End the process where SIGTERM came while pyrage called: it makes an error of its own of it.

    Raises:
        SystemExit: SIGTERM came.
    """
    if _stopped:
        sys.exit(STOPPED)


def main(words: list[str]) -> int:
    """Back up; return the exit status."""
    options = parse(words)
    stop_on_sigterm()
    lines = Lines()
    program = shutil.which("pg_dump")
    if program is None:
        lines.write("failed", status=NOTHING, message="pg_dump is not on PATH")
        return NOTHING
    try:
        made = take(
            address("DATABASE_URL"), Path(options.to), options.keys, program, options.limit_bytes
        )
    except psycopg.OperationalError as error:
        lines.write("failed", status=NOTHING, message=one_line(error))
        return NOTHING
    except (DumpError, OSError, psycopg.Error) as error:
        lines.write("failed", status=FAILED, message=one_line(error))
        return FAILED
    lines.write("done", **made, recipients=options.recipient)
    return DONE
