"""Keeping the store within its limit, without taking a blob from under a concurrent writer.

A blob's file is only ever removed inside a write transaction, and a writer looks for its blobs
inside the write transaction that makes its result visible. SQLite lets one of them in at a time;
no grace period is needed for that, and none would be long enough.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from monoyard.cache import _memo, _results
from monoyard.cache._blobs import BlobDirectory
from monoyard.cache._database import Database
from monoyard.cache._manifests import decode_manifest
from monoyard.cache._rows import Scopes, chunks, execute_for
from monoyard.cache._values import Eviction

_DAY: Final = 86400.0
_HISTORY_SECONDS: Final = 90 * _DAY
_OUTCOME_SECONDS: Final = 30 * _DAY
_ABANDONED_SECONDS: Final = _DAY
_MEMO_SHARE: Final = 8
_UNLINKS_PER_LOCK: Final = 256


class Evictor:
    """Removes what does not fit, or everything.

    Args:
        database: Where results and references are.
        blobs: Where the bytes are.
        scopes: Another scope than `trusted` removes its own results only.
        limit_bytes: What all blobs, documents and small facts together may take.

    """

    def __init__(
        self, database: Database, blobs: BlobDirectory, scopes: Scopes, limit_bytes: int
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._scopes = scopes
        self._limit_bytes = limit_bytes

    def evict(self, now: float) -> Eviction:
        """Remove the results used longest ago until the rest fits, then what nothing needs."""
        memo_limit = self._limit_bytes // _MEMO_SHARE

        def forget(connection: sqlite3.Connection) -> int:
            surplus = _surplus(connection, self._limit_bytes - memo_limit, self._scopes)
            _results.delete(connection, surplus)
            _memo.evict(connection, memo_limit, self._scopes)
            _forget_history(connection, now)
            return len(surplus)

        removed = self._remove(forget)
        self._sweep(now - _ABANDONED_SECONDS)
        self._database.write(_give_back_pages, None)
        return removed

    def clear(self) -> Eviction:
        """Remove everything of the own scope; in `trusted`, of all scopes."""
        scope = None if self._scopes.is_trusted else self._scopes.own

        def forget(connection: sqlite3.Connection) -> int:
            count = 0
            for table in ("results", "manifests", "successes", "durations", "outcomes", "memo"):
                rows = connection.execute(
                    f"DELETE FROM {table} WHERE ?1 IS NULL OR scope = ?1",  # noqa: S608
                    (scope,),
                ).rowcount
                count += rows if table == "results" else 0
            return count

        removed = self._remove(forget)
        self._database.write(_give_back_pages, None)
        return removed

    def _remove(self, forget: Callable[[sqlite3.Connection], int]) -> Eviction:
        removed = Eviction(results=self._database.write(forget, 0))
        self._database.write(_forget_parts, None)
        while batch := self._database.write(self._remove_unused_blobs, list[int]()):
            removed = replace(
                removed,
                blobs=removed.blobs + len(batch),
                freed_bytes=removed.freed_bytes + sum(batch),
            )
        return removed

    def _remove_unused_blobs(self, connection: sqlite3.Connection) -> list[int]:
        """Remove some blobs that no result names, and return their sizes."""
        rows = connection.execute(
            "SELECT id, lower(hex(digest)), size FROM blobs WHERE NOT EXISTS"
            " (SELECT 1 FROM uses WHERE uses.blob = blobs.id) LIMIT ?",
            (_UNLINKS_PER_LOCK,),
        ).fetchall()
        # A kill between here and the commit leaves rows without files; nothing refers to them,
        # and a writer that wants the blob looks at the disk.
        for _, digest, _ in rows:
            self._blobs.remove(digest)
        execute_for(connection, "DELETE FROM blobs WHERE id IN items", [row[0] for row in rows])
        return [row[2] for row in rows]

    def _sweep(self, before: float) -> None:
        """Remove files that no row names: left by killed writers or by a lost database."""
        try:
            old = [digest for digest, status in self._blobs.sizes() if status.st_mtime < before]
            self._blobs.remove_abandoned(before)
        except OSError as error:
            self._database.stop_writing(error)
            return
        for batch in chunks(old):
            self._database.write(partial(self._remove_unnamed, batch), None)

    def _remove_unnamed(self, digests: Sequence[str], connection: sqlite3.Connection) -> None:
        named = execute_for(
            connection,
            "SELECT lower(hex(digest)) FROM blobs WHERE digest IN items",
            [bytes.fromhex(digest) for digest in digests],
        )
        for digest in set(digests) - {row[0] for row in named}:
            self._blobs.remove(digest)


def _surplus(connection: sqlite3.Connection, limit: int, scopes: Scopes) -> list[int]:
    """Return the results that must go, blobs that several results share counted once."""
    needs: dict[int, list[tuple[int, int]]] = {}
    for result, blob, size in connection.execute(
        "SELECT result, blob, size FROM uses JOIN blobs ON blobs.id = uses.blob"
    ):
        needs.setdefault(result, []).append((blob, size))
    total, counted, surplus = 0, set[int](), []
    for result, scope, length in connection.execute(
        "SELECT id, scope, length(document) FROM results ORDER BY used_at DESC, id DESC"
    ):
        total += length
        for blob, size in needs.get(result, ()):
            total += 0 if blob in counted else size
            counted.add(blob)
        if total > limit and (scopes.is_trusted or scope == scopes.own):
            surplus.append(result)
    return surplus


def _forget_history(connection: sqlite3.Connection, now: float) -> None:
    for table, seconds in (
        ("successes", _HISTORY_SECONDS),
        ("durations", _HISTORY_SECONDS),
        ("outcomes", _OUTCOME_SECONDS),
    ):
        connection.execute(f"DELETE FROM {table} WHERE at < ?", (now - seconds,))  # noqa: S608
    connection.execute(
        "DELETE FROM manifests WHERE at < ? AND key NOT IN (SELECT key FROM results)"
        " AND key NOT IN (SELECT key FROM successes)",
        (now - _DAY,),
    )


def _give_back_pages(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA incremental_vacuum").fetchall()


def _forget_parts(connection: sqlite3.Connection) -> None:
    needed: set[bytes] = set()
    for (document,) in connection.execute("SELECT document FROM manifests"):
        manifest = decode_manifest(document) or {}
        needed.update(bytes.fromhex(digest) for digest in manifest.values())
    stored = [row[0] for row in connection.execute("SELECT digest FROM parts")]
    connection.executemany(
        "DELETE FROM parts WHERE digest = ?",
        [(digest,) for digest in stored if digest not in needed],
    )
