"""The session that migrates: its lock, its timeouts, and what it does outside of transactions.

Everything is done on the very connection that `env.py` opened, so it holds for any `env.py` and any
driver; the session-level lock ends with the connection at the latest.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, event, text
from sqlalchemy.pool import ConnectionPoolEntry

_CONCURRENT: Final = re.compile(
    r"^\s*(CREATE\s+(UNIQUE\s+)?INDEX|DROP\s+INDEX|REINDEX|REFRESH|ALTER\s+TABLE)\b"
    r".*\bCONCURRENTLY\b",
    re.IGNORECASE | re.DOTALL,
)
_BUILDS: Final = re.compile(
    r"^\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r'("[^"]+"|[\w$]+)\s+ON\s+(?:ONLY\s+)?((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?)',
    re.IGNORECASE,
)
_VALIDATES: Final = re.compile(
    r"^\s*ALTER\s+TABLE\b.*\bVALIDATE\s+CONSTRAINT\b", re.IGNORECASE | re.DOTALL
)
_CHANGES_NOTHING: Final = re.compile(r"^\s*(SET|SHOW|SELECT|RESET)\b", re.IGNORECASE)
_INVALID: Final = """
    SELECT format('%I.%I', n.nspname, c.relname),
        EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relname = '{index}' AND i.indrelid = to_regclass('{table}')
"""


class BusyError(Exception):
    """Somebody else migrates, or builds the index that was to be built."""


class StoppedError(Exception):
    """SIGTERM asked the run to stop."""


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds.

    Attributes:
        lock: A statement waits for a table lock; then it gives up, and everyone behind it goes on.
        statement: A statement runs.
        deadline: A statement that blocks nobody runs: CONCURRENTLY, VALIDATE CONSTRAINT.
        wait: Another run of the migrations is waited for.
    """

    lock: float = 2.0
    statement: float = 60.0
    deadline: float = 3600.0
    wait: float = 60.0


class Session:
    """A connection of `env.py`, made safe to migrate on.

    Args:
        connection: The connection; it is closed, and its lock ends, when its pool gets it back.
        limits: How long things may take.
        tell: Writes an event.
        stopping: Set when the run was asked to stop.
    """

    def __init__(
        self,
        connection: Connection,
        limits: Limits,
        tell: Callable[..., None],
        stopping: threading.Event,
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._tell = tell
        self._stopping = stopping
        self.finished_outside: list[str] = []
        # Not `detach`: a connection without a pool cannot change its isolation level.
        driver = connection.connection.dbapi_connection

        def close(returned: Any, record: ConnectionPoolEntry) -> None:
            if returned is driver:
                record.invalidate()

        event.listen(connection.engine.pool, "checkin", close)

    def cancel(self) -> None:
        """Cancel what runs now; from another thread."""
        driver = self._connection.connection.dbapi_connection
        cancel = getattr(driver, "cancel", None)
        if cancel is not None:
            cancel()

    def prepare(self, key: str) -> None:
        """Take the lock named `key`, then set the timeouts.

        Raises:
            BusyError: Somebody held the lock all the time.
            StoppedError: The run was asked to stop.
        """
        self._take_lock(key)
        self._run(f"SET lock_timeout = {_milliseconds(self._limits.lock)}")
        self._run(f"SET statement_timeout = {_milliseconds(self._limits.statement)}")
        # A killed pod's statement would go on for hours, and hold the lock.
        version = self._connection.execute(text("SHOW server_version_num")).scalar()
        if int(str(version)) >= 140000:  # noqa: PLR2004  the version that has the setting
            self._run("SET client_connection_check_interval = '5s'")
        event.listen(self._connection, "before_cursor_execute", self._before)
        event.listen(self._connection, "after_cursor_execute", self._after)

    def _take_lock(self, key: str) -> None:
        ends = time.monotonic() + self._limits.wait
        told = False
        # Polled: who waits inside of pg_advisory_lock keeps the holder's CONCURRENTLY waiting.
        while not self._connection.execute(
            text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), {"key": key}
        ).scalar():
            if time.monotonic() > ends:
                raise BusyError(f"another migration held its lock for {self._limits.wait:g} s")
            if not told:
                self._tell("waiting", seconds=self._limits.wait)
                told = True
            if self._stopping.wait(0.25):
                raise StoppedError
        self._tell("locked", backend=self._connection.execute(_PID).scalar())

    def _run(self, statement: str) -> None:
        self._connection.execute(text(statement))

    def _before(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if self._stopping.is_set():
            raise StoppedError
        if _CONCURRENT.match(statement):
            self._raw(connection, "SET lock_timeout = 0")
            self._lift(connection)
            built = _BUILDS.match(statement)
            if built is not None:
                self._remove_invalid(connection, built[1], built[2])
        elif _VALIDATES.match(statement):
            self._lift(connection)

    def _after(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        is_light = _CONCURRENT.match(statement) or _CHANGES_NOTHING.match(statement)
        if _CONCURRENT.match(statement) or _VALIDATES.match(statement):
            limits = self._limits
            self._raw(connection, f"SET lock_timeout = {_milliseconds(limits.lock)}")
            self._raw(connection, f"SET statement_timeout = {_milliseconds(limits.statement)}")
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT" and not is_light:
            self.finished_outside.append(statement)

    def _lift(self, connection: Connection) -> None:
        self._raw(connection, f"SET statement_timeout = {_milliseconds(self._limits.deadline)}")

    def _remove_invalid(self, connection: Connection, index: str, table: str) -> None:
        """Remove the index of that name that an earlier attempt left unfinished."""
        name = index[1:-1] if index.startswith('"') else index.lower()
        asked = _INVALID.format(index=name.replace("'", "''"), table=table.replace("'", "''"))
        for found, is_built in self._raw(connection, asked):
            if is_built:
                raise BusyError(f"{found} is being built by another session")
            self._tell("invalid-index", index=found)
            self._raw(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {found}")

    @staticmethod
    def _raw(connection: Connection, statement: str) -> list[Any]:
        """Run a statement beside SQLAlchemy, whose cursor is about to run another."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            cursor.close()


_PID: Final = text("SELECT pg_backend_pid()")


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
