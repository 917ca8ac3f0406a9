"""Rows of one scope as plain JSON lists, and back: the tables inside of an archive."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from monoyard.cache._history import decode_durations, is_duration
from monoyard.cache._manifests import checked_entries, decode_manifest, decode_part, part_digest
from monoyard.cache._rows import checksum
from monoyard.cache._values import (
    MalformedEntryError,
    StoredResult,
    decode_result,
    encode_json,
    encode_result,
    is_digest,
)

Row = list[Any]
Sections = dict[str, list[Row]]

NAMES: Final = ("results", "manifests", "parts", "successes", "durations", "outcomes", "memo")


def export_sections(
    connection: sqlite3.Connection, scope: str, keys: Collection[str] | None
) -> Sections:
    """Return the sound rows of a scope, sorted; results and manifests only of `keys` if given."""
    wanted = None if keys is None else set(keys)
    results = [row for row in _results(connection, scope) if wanted is None or row[0] in wanted]
    manifests = [row for row in _manifests(connection, scope) if wanted is None or row[0] in wanted]
    digests = sorted({digest for row in manifests for digest in row[1].values()})
    return {
        "results": results,
        "manifests": manifests,
        "parts": list(_parts(connection, digests)),
        "successes": _successes(connection, scope),
        "durations": _durations(connection, scope),
        "outcomes": _outcomes(connection, scope),
        "memo": _memo(connection, scope),
    }


def _select(connection: sqlite3.Connection, statement: str, scope: str) -> list[Any]:
    return connection.execute(statement, (scope,)).fetchall()


def _results(connection: sqlite3.Connection, scope: str) -> Iterable[Row]:
    for key, proof, document in _select(
        connection,
        "SELECT key, checksum, document FROM results WHERE scope = ? ORDER BY key",
        scope,
    ):
        if proof == checksum(document, key, scope.encode()):
            yield [key.hex(), json.loads(document)]


def _manifests(connection: sqlite3.Connection, scope: str) -> Iterable[Row]:
    for key, at, document in _select(
        connection,
        "SELECT lower(hex(key)), at, document FROM manifests WHERE scope = ? ORDER BY key",
        scope,
    ):
        manifest = decode_manifest(document)
        if manifest is not None:
            yield [key, manifest, at]


def _parts(connection: sqlite3.Connection, digests: Iterable[str]) -> Iterable[Row]:
    for digest in digests:
        row = connection.execute(
            "SELECT entries FROM parts WHERE digest = ?", (bytes.fromhex(digest),)
        ).fetchone()
        entries = decode_part(digest, row[0]) if row is not None else None
        if entries is not None:
            yield [digest, entries]


def _successes(connection: sqlite3.Connection, scope: str) -> list[Row]:
    return _select(
        connection,
        "SELECT workspace, task, lower(hex(key)), at FROM successes WHERE scope = ?"
        " ORDER BY workspace, task",
        scope,
    )


def _durations(connection: sqlite3.Connection, scope: str) -> list[Row]:
    rows = _select(
        connection,
        "SELECT workspace, task, recent, at FROM durations WHERE scope = ?"
        " ORDER BY workspace, task",
        scope,
    )
    return [[name, task, decode_durations(recent), at] for name, task, recent, at in rows]


def _outcomes(connection: sqlite3.Connection, scope: str) -> list[Row]:
    return _select(
        connection,
        "SELECT lower(hex(key)), task, passed, run, at FROM outcomes WHERE scope = ?"
        " ORDER BY at, key, task, run, id",
        scope,
    )


def _memo(connection: sqlite3.Connection, scope: str) -> list[Row]:
    rows = _select(
        connection,
        "SELECT namespace, key, value FROM memo WHERE scope = ? ORDER BY namespace, key",
        scope,
    )
    return [[space, key, base64.b64encode(value).decode()] for space, key, value in rows]


def encode_rows(rows: Iterable[Row]) -> bytes:
    """Return rows as JSON, one to a line."""
    return b"".join(encode_json(row) + b"\n" for row in rows)


def decode_rows(name: str, data: bytes) -> list[Row]:
    """Return the rows of a section, each of the right shape.

    Raises:
        MalformedEntryError: a line is not a row of this section.

    """
    check = _CHECKS[name]
    try:
        rows = [json.loads(line) for line in data.splitlines()]
        for row in rows:
            if not (isinstance(row, list) and check(*row)):
                raise MalformedEntryError(f"a row of {name} has an unknown shape")
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise MalformedEntryError(f"the {name} cannot be read: {error}") from error
    return rows


def result_of(row: Row) -> StoredResult:
    """Return the result in a row of the section `results`."""
    return decode_result(row[0], row[1])


def _is_result(key: object, fields: object) -> bool:
    if not isinstance(key, str):
        return False
    encode_result(decode_result(key, fields))  # raises for digests and paths that are none
    return True


def _is_manifest(key: object, manifest: object, at: object) -> bool:
    return (
        is_digest(key)
        and isinstance(manifest, dict)
        and all(map(is_digest, manifest.values()))
        and is_duration(at)
    )


def _is_part(digest: object, entries: object) -> bool:
    checked = checked_entries(entries)
    return checked is not None and part_digest(checked) == digest


def _is_success(workspace: object, task: object, key: object, at: object) -> bool:
    return _are_texts(workspace, task) and is_digest(key) and is_duration(at)


def _is_durations(workspace: object, task: object, recent: object, at: object) -> bool:
    return (
        _are_texts(workspace, task)
        and isinstance(recent, list)
        and bool(recent)
        and all(map(is_duration, recent))
        and is_duration(at)
    )


def _is_outcome(key: object, task: object, passed: object, run: object, at: object) -> bool:
    return is_digest(key) and _are_texts(task, run) and passed in (0, 1) and is_duration(at)


def _is_memo(namespace: object, key: object, value: object) -> bool:
    if not _are_texts(namespace, key, value):
        return False
    base64.b64decode(str(value), validate=True)
    return True


def _are_texts(*values: object) -> bool:
    # SQLite stores UTF-8, which has no lone surrogates; `encode` raises for them.
    return all(isinstance(value, str) and value.encode() is not None for value in values)


_CHECKS: Final[dict[str, Callable[..., bool]]] = {
    "results": _is_result,
    "manifests": _is_manifest,
    "parts": _is_part,
    "successes": _is_success,
    "durations": _is_durations,
    "outcomes": _is_outcome,
    "memo": _is_memo,
}
