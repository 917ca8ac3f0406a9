"""Sessions of others in a database: kept from writing, and ended where they stand in the way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, LiteralString

import psycopg
from psycopg import errors, sql

from .restore import RestoreError
from .statuses import FAILED

NO_WRITES: Final = "EXCLUSIVE"
"""Lock under which others read, as pg_dump does, and nobody writes."""
NOBODY: Final = "ACCESS EXCLUSIVE"
_ATTEMPTS: Final = 6
_SECONDS: Final = 5
# Of who runs nothing for a client no user is known. What walks through the log holds no table.
_OTHERS: Final = """
    SELECT pid, usename, application_name FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL
        AND coalesce(backend_type, 'client backend') = 'client backend' ORDER BY pid
"""


def end_others(connection: psycopg.Connection[Any]) -> list[str]:
    """End the sessions of others in this database; return those that may not be, in words.

    A pool makes new ones, which wait for what is locked.
    """
    # What is going on is looked at once for each transaction, unless it is forgotten.
    connection.execute("SELECT pg_stat_clear_snapshot()")
    left = []
    for pid, user, program in connection.execute(_OTHERS).fetchall():
        try:
            with connection.transaction():
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        except errors.InsufficientPrivilege:
            left.append(f"process {pid} of {user}{f' ({program})' if program else ''}")
    return left


def lock_tables(
    connection: psycopg.Connection[Any], tables: Iterable[str], mode: LiteralString
) -> None:
    """Lock tables till the end of the transaction; who does not let go of them is ended.

    Args:
        connection: In its transaction.
        tables: Names as SQL has them.
        mode: Of the lock.

    Raises:
        RestoreError: Somebody holds one who may not be ended.
    """
    names = sql.SQL(", ").join(sql.SQL(name) for name in tables)
    if not names.as_string():
        return
    left: list[str] = []
    for _ in range(_ATTEMPTS):
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{_SECONDS}s'".encode())
                connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(names, sql.SQL(mode)))
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            left = end_others(connection)
        else:
            return
    who = ", ".join(left) or "new sessions again and again"
    raise RestoreError(FAILED, f"nothing was changed: the tables are held by {who}")
