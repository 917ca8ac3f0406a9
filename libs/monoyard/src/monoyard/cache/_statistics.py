"""Counting what the store holds."""

from __future__ import annotations

import sqlite3

from monoyard.cache._values import Statistics


def count(connection: sqlite3.Connection, limit_bytes: int) -> Statistics:
    """Return the numbers for `Statistics`, from one snapshot."""
    by_scope = dict(
        connection.execute("SELECT scope, count(*) FROM results GROUP BY scope ORDER BY scope")
    )
    blobs, blob_bytes = _one(connection, "SELECT count(*), total(size) FROM blobs")
    memos, memo_bytes = _one(connection, "SELECT count(*), total(length(value)) FROM memo")
    (pages,) = _one(connection, "PRAGMA page_count")
    (page_bytes,) = _one(connection, "PRAGMA page_size")
    return Statistics(
        results=sum(by_scope.values()),
        results_by_scope=by_scope,
        blobs=blobs,
        blob_bytes=int(blob_bytes),
        database_bytes=pages * page_bytes,
        memo_entries=memos,
        memo_bytes=int(memo_bytes),
        limit_bytes=limit_bytes,
    )


def _one(connection: sqlite3.Connection, statement: str) -> tuple[int, ...]:
    row: tuple[int, ...] = connection.execute(statement).fetchone()
    return row
