"""Results in the database: rows in, `StoredResult` out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monoyard.cache._blobs import BlobDirectory, Staged
from monoyard.cache._rows import Scopes, checksum, execute_for
from monoyard.cache._values import (
    MalformedEntryError,
    StoredFile,
    StoredResult,
    decode_result,
    encode_result,
    is_digest,
    require_digest,
)

USE_GRANULARITY_SECONDS: Final = 3600.0

# id, key, scope, last use, checksum, document; the last three as the disk has them.
_Row = tuple[int, bytes, str, Any, Any, Any]


class Found:
    """What a lookup saw.

    The hits by key, the ids of own rows whose last use should be written again, the ids of own
    rows that are no results, and whether any row, own or not, was none.
    """

    def __init__(self) -> None:
        self.results: dict[str, StoredResult] = {}
        self.stale_uses: list[int] = []
        self.malformed: list[int] = []
        self.has_faults = False


def find(connection: sqlite3.Connection, keys: Iterable[str], scopes: Scopes, now: float) -> Found:
    """Return the results under `keys`; a key that is no digest is a miss."""
    # Neighbours in the index are read together.
    wanted = sorted({bytes.fromhex(key) for key in keys if is_digest(key)})
    found = Found()
    rows = execute_for(
        connection,
        "SELECT id, key, scope, used_at, checksum, document FROM results WHERE key IN items",
        wanted,
    )
    readable = scopes.readable
    _decode_rows([row for row in rows if row[2] in readable], scopes, now, found)
    return found


def has_sound(connection: sqlite3.Connection, keys: Iterable[str], scopes: Scopes) -> bool:
    """Say whether every key has a result, and none has an execution that failed."""
    wanted = sorted({bytes.fromhex(key) for key in keys})
    failed = connection.execute("SELECT key FROM outcomes WHERE passed = 0").fetchall()
    if not {row[0] for row in failed}.isdisjoint(wanted):
        return False
    found = execute_for(
        connection,
        "SELECT DISTINCT key FROM results WHERE key IN items AND scope IN (?, ?)",
        wanted,
        after=scopes.readable,
    )
    return len(found) == len(wanted)


def _decode_rows(rows: list[_Row], scopes: Scopes, now: float, found: Found) -> None:
    if not scopes.is_trusted:
        # The preferred scope comes last and so replaces the other.
        rows.sort(key=lambda row: row[2] == scopes.readable[-1])
    sound = [row for row in rows if _is_sound(row)]
    if len(sound) != len(rows):
        _reject([row for row in rows if not _is_sound(row)], scopes, found)
    results, stale_before = found.results, now - USE_GRANULARITY_SECONDS
    for row, fields in zip(sound, _parse_documents([row[5] for row in sound]), strict=True):
        key = row[1].hex()
        try:
            results[key] = decode_result(key, fields)
        except MalformedEntryError:
            _reject([row], scopes, found)
            continue
        if row[3] < stale_before and row[2] == scopes.own:
            found.stale_uses.append(row[0])


def _is_sound(row: _Row) -> bool:
    _, key, scope, used_at, stored, document = row
    return (
        isinstance(document, bytes)
        and isinstance(used_at, float)
        and stored == checksum(document, key, scope.encode())
    )


def _reject(rows: list[_Row], scopes: Scopes, found: Found) -> None:
    found.has_faults = True
    found.malformed.extend(row[0] for row in rows if row[2] == scopes.own)


def _parse_documents(documents: Sequence[bytes]) -> list[object]:
    """Parse all at once: one call instead of thousands halves the time."""
    try:
        parsed = json.loads(b"[" + b",".join(documents) + b"]")
    except (ValueError, RecursionError):
        return [_parse_document(document) for document in documents]
    if len(parsed) != len(documents):
        return [_parse_document(document) for document in documents]
    return list(parsed)


def _parse_document(document: bytes) -> object:
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Writing:
    """A result that is ready to become visible: encoded, with the blobs it needs.

    Args:
        result: The result.
        document: Its encoding.
        staged: Its blobs that were not on disk when it was prepared, by digest.

    """

    result: StoredResult
    document: bytes
    staged: Mapping[str, Staged]


def prepare(result: StoredResult, staged: Mapping[str, Staged]) -> Writing:
    """Encode `result`; raises TypeError or ValueError when it is not one that can be stored."""
    return Writing(result, encode_result(result), staged)


def insert(
    connection: sqlite3.Connection,
    writing: Writing,
    blobs: BlobDirectory,
    scopes: Scopes,
    now: float,
) -> bool:
    """Make a result visible, inside a write transaction; False when a blob has gone.

    Blobs are removed by others only inside write transactions, so what is seen here stays.
    """
    if not all(_has_blob(blobs, writing, file) for file in writing.result.files()):
        return False
    key = require_digest(writing.result.key)
    connection.execute("DELETE FROM results WHERE key = ? AND scope = ?", (key, scopes.own))
    identity = connection.execute(
        "INSERT INTO results (key, scope, used_at, checksum, document) VALUES (?, ?, ?, ?, ?)",
        (
            key,
            scopes.own,
            float(now),
            checksum(writing.document, key, scopes.own.encode()),
            writing.document,
        ),
    ).lastrowid
    for file in writing.result.files():
        _insert_use(connection, identity, file)
    return True


def _has_blob(blobs: BlobDirectory, writing: Writing, file: StoredFile) -> bool:
    if blobs.has(file.digest, file.size):
        return True
    if (staged := writing.staged.get(file.digest)) is None:
        return False
    blobs.adopt(staged)
    return True


def _insert_use(connection: sqlite3.Connection, result: int | None, file: StoredFile) -> None:
    digest = require_digest(file.digest)
    connection.execute(
        "INSERT INTO blobs (digest, size) VALUES (?, ?)"
        " ON CONFLICT (digest) DO UPDATE SET size = excluded.size",
        (digest, file.size),
    )
    connection.execute(
        "INSERT OR IGNORE INTO uses (result, blob) SELECT ?, id FROM blobs WHERE digest = ?",
        (result, digest),
    )


def touch(connection: sqlite3.Connection, rows: Sequence[int], now: float) -> None:
    """Write `now` as the last use of these rows."""
    execute_for(
        connection, "UPDATE results SET used_at = ? WHERE id IN items", rows, before=[float(now)]
    )


def delete(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Remove these rows; their blobs stay until the next eviction."""
    execute_for(connection, "DELETE FROM results WHERE id IN items", rows)


def delete_users(connection: sqlite3.Connection, digest: str, scopes: Scopes) -> list[str]:
    """Remove the own results that need a blob, and return their keys."""
    rows = connection.execute(
        "DELETE FROM results WHERE scope = ? AND id IN"
        " (SELECT result FROM uses JOIN blobs ON blobs.id = uses.blob WHERE digest = ?)"
        " RETURNING lower(hex(key))",
        (scopes.own, require_digest(digest)),
    ).fetchall()
    return [row[0] for row in rows]
