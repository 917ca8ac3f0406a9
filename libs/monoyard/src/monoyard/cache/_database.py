"""One SQLite file that many processes read and write, and that may be damaged at any time."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from monoyard.cache._notes import Notes
from monoyard.cache._schema import FORMAT, TABLES

_BUSY_SECONDS: Final = 10.0
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE: Final = 0xFF
_SIDE_FILES: Final = ("-wal", "-shm", "")
_UNFIT: Final = "no such table", "no such column", "Could not decode"

T = TypeVar("T")


class Database:
    """A connection that answers with a default where SQLite would raise.

    Args:
        path: The file; it and its directory are made when missing, unless `read_only`.
        read_only: Never write, not even to repair.
        notes: Takes one sentence for every kind of fault.
        clock: Gives the Unix seconds that name a damaged file which is set aside.

    """

    def __init__(
        self, path: Path, *, read_only: bool, notes: Notes, clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._notes = notes
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._is_writable = not read_only
        if read_only:
            self._connect_to_read()
        else:
            self._connect()

    @property
    def is_writable(self) -> bool:
        """Whether a write would still be tried."""
        return self._is_writable

    def read(self, query: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Return what `query` finds in one snapshot, or `otherwise` when it cannot be read."""
        with self._lock:
            if self._connection is None:
                return otherwise
            try:
                return _in_transaction(self._connection, "BEGIN", query)
            except sqlite3.Error as error:
                if is_damage(error):
                    self._set_aside(error)
                else:
                    self._notes.add(f"the cache could not be read: {error}")
                return otherwise

    def write(self, change: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do all of `change` or nothing, alone among all processes, and return its answer.

        The first failure turns writing off for the rest of this object's life: a full disk or
        a held lock must cost a run one note and one wait, not one for every task.
        """
        with self._lock:
            for _ in range(2):
                if self._connection is None or not self._is_writable:
                    break
                try:
                    return _in_transaction(self._connection, "BEGIN IMMEDIATE", change)
                except sqlite3.Error as error:
                    if not is_damage(error):
                        self.stop_writing(error)
                        break
                    self._set_aside(error)
                except OSError as error:
                    self.stop_writing(error)
                    break
            return otherwise

    def stop_writing(self, error: Exception) -> None:
        """Note why, and try no further write."""
        if self._is_writable:
            self._is_writable = False
            self._notes.add(f"the cache cannot be written, results of this run are lost: {error}")

    def close(self) -> None:
        """Let go of the file; everything answers with its default from here on."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = None

    def _connect(self, *, may_repair: bool = True) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._inode = self._current_inode()
            self._connection = _open_for_writing(self._path)
            self._inode = self._current_inode()
        except sqlite3.Error as error:
            if may_repair and is_damage(error):
                self._set_aside(error)
            else:
                self.stop_writing(error)
                self._connect_to_read()
        except OSError as error:
            self.stop_writing(error)
            self._connect_to_read()

    def _connect_to_read(self) -> None:
        if not self._path.exists():
            return
        # A directory that cannot be written has no place for the shared memory of WAL mode; what
        # is in the main file can still be read.
        error: Exception | None = None
        for mode in ("mode=ro", "immutable=1"):
            try:
                self._connection = _open_for_reading(self._path, mode)
            except sqlite3.Error as fault:
                error = fault
            else:
                return
        self._notes.add(f"the cache cannot be read: {error}")

    def _current_inode(self) -> int | None:
        with contextlib.suppress(FileNotFoundError):
            return self._path.stat().st_ino
        return None

    def _set_aside(self, error: sqlite3.Error) -> None:
        self.close()
        if not self._is_writable:
            self._notes.add(f"the cache is damaged and was not used: {error}")
            return
        try:
            with _exclusive(self._path.with_suffix(".lock")):
                # Another process may have done it already; its new file must stay.
                if self._inode is not None and self._current_inode() == self._inode:
                    aside = _rename(self._path, f".damaged-{int(self._clock())}")
                    self._notes.add(
                        f"the cache was damaged ({error}); it was set aside as {aside.name} "
                        "and a new one begun"
                    )
        except OSError as fault:
            self.stop_writing(fault)
        else:
            self._connect(may_repair=False)


def _open_for_writing(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        # Without effect on a file that has tables already.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # Where the file system has no shared memory SQLite answers with another mode, or with an
        # error; both are correct, only slower.
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL can lose the last commits at a power cut, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if _version(connection) != FORMAT:
            _in_transaction(connection, "BEGIN IMMEDIATE", _make_tables)
        connection.execute("SELECT 1 FROM results LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _open_for_reading(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("SELECT 1 FROM results LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> object:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _make_tables(connection: sqlite3.Connection) -> None:
    if _version(connection) == FORMAT:
        return  # another process was faster
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    # ast-grep-ignore: sql-from-text  a constant, and a pragma takes no parameters
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether the file itself is wrong, as against busy, full or out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & _PRIMARY_CODE in _DAMAGE:
        return True
    return str(error).startswith(_UNFIT)


def _in_transaction(
    connection: sqlite3.Connection, begin: str, action: Callable[[sqlite3.Connection], T]
) -> T:
    connection.execute(begin)
    try:
        answer = action(connection)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return answer


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _rename(path: Path, suffix: str) -> Path:
    """Rename a database; its side files first, lest a new file meet an old log."""
    for side in _SIDE_FILES:
        source = path.with_name(path.name + side)
        with contextlib.suppress(FileNotFoundError):
            source.rename(path.with_name(f"{path.name}{suffix}{side}"))
    return path.with_name(path.name + suffix)
