"""Small facts that are cheaper to look up than to work out again, least recently used out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from monoyard.cache._access import Access
from monoyard.cache._rows import Scopes, checksum, execute_for

USE_GRANULARITY_SECONDS: Final = 86400.0


class Memo:
    """The small facts of a store: bytes by namespace and key."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._stale: dict[str, set[str]] = {}

    def get_many(self, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of those keys that have one."""
        now, scopes = self._access.clock(), self._access.scopes
        none: tuple[dict[str, bytes], list[str]] = ({}, [])
        found, stale = self._access.database.read(
            lambda connection: find(connection, namespace, keys, scopes, now), none
        )
        if stale:
            self._stale.setdefault(namespace, set()).update(stale)
        return found

    def put_many(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Keep values until they are the ones used longest ago."""
        now, scopes = self._access.clock(), self._access.scopes
        self._access.database.write(
            lambda connection: insert(connection, namespace, values, scopes, now), None
        )

    def touch(self) -> None:
        """Write the last use of what was looked up, where the one written is old."""
        stale, self._stale = self._stale, {}
        now, scopes = self._access.clock(), self._access.scopes

        def change(connection: sqlite3.Connection) -> None:
            for namespace, keys in stale.items():
                touch(connection, namespace, sorted(keys), scopes, now)

        if stale:
            self._access.database.write(change, None)


def find(
    connection: sqlite3.Connection,
    namespace: str,
    keys: Iterable[str],
    scopes: Scopes,
    now: float,
) -> tuple[dict[str, bytes], list[str]]:
    """Return the values that are there, and the own keys whose last use should be written."""
    found: dict[str, bytes] = {}
    stale: list[str] = []
    rows = execute_for(
        connection,
        "SELECT key, scope, used_at, checksum, value FROM memo"
        " WHERE namespace = ? AND key IN items AND scope IN (?, ?)",
        sorted(set(keys)),
        before=[namespace],
        after=scopes.readable,
    )
    for key, scope, used_at, proof, value in rows:
        if proof != _proof(namespace, key, scope, value):
            continue
        if key not in found or scope == scopes.readable[-1]:
            found[key] = value
        if scope == scopes.own and used_at < now - USE_GRANULARITY_SECONDS:
            stale.append(key)
    return found, stale


def _proof(namespace: str, key: str, scope: str, value: object) -> int | None:
    if not isinstance(value, bytes):
        return None
    return checksum(value, namespace.encode(), b"\0", key.encode(), b"\0", scope.encode())


def insert(
    connection: sqlite3.Connection,
    namespace: str,
    values: Mapping[str, bytes],
    scopes: Scopes,
    now: float,
) -> None:
    """Keep values, replacing those of the same scope."""
    connection.executemany(
        "INSERT OR REPLACE INTO memo VALUES (?, ?, ?, ?, ?, ?)",
        [
            (namespace, key, scopes.own, now, _proof(namespace, key, scopes.own, value), value)
            for key, value in values.items()
        ],
    )


def touch(
    connection: sqlite3.Connection,
    namespace: str,
    keys: Sequence[str],
    scopes: Scopes,
    now: float,
) -> None:
    """Write `now` as the last use of own values."""
    execute_for(
        connection,
        "UPDATE memo SET used_at = ? WHERE namespace = ? AND scope = ? AND key IN items",
        keys,
        before=[now, namespace, scopes.own],
    )


def evict(connection: sqlite3.Connection, limit_bytes: int, scopes: Scopes) -> None:
    """Remove the values that were used longest ago until the rest fits."""
    rows = connection.execute(
        "SELECT namespace, key, scope, length(key) + length(value) FROM memo"
        " ORDER BY used_at DESC, namespace, key, scope"
    ).fetchall()
    total, dropped = 0, []
    for namespace, key, scope, size in rows:
        total += size
        if total > limit_bytes and (scopes.is_trusted or scope == scopes.own):
            dropped.append((namespace, key, scope))
    connection.executemany(
        "DELETE FROM memo WHERE namespace = ? AND key = ? AND scope = ?", dropped
    )
