"""What keys were made from: manifests and their parts.

A manifest maps the name of a part to the digest of its entries; a part is stored once, however
many manifests have it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from monoyard.cache._access import Access
from monoyard.cache._difference import Difference, Entries, Manifest, differences
from monoyard.cache._rows import Scopes, checksum, execute_for
from monoyard.cache._values import encode_json, is_digest, require_digest

_PAIR: Final = 2
_LARGEST_PART: Final = 1 << 28


class Manifests:
    """The manifests of a store."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def put(
        self,
        manifests: Mapping[str, Manifest],
        parts: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        """Store what keys were made from.

        Args:
            manifests: By key, the name and digest of each part.
            parts: By digest (`part_digest`), the entries; those stored already are skipped.

        Raises:
            ValueError: a digest is not that of its entries.

        """

        def change(connection: sqlite3.Connection) -> None:
            insert_parts(connection, parts)
            insert_manifests(connection, manifests, self._access.scopes, self._access.clock())

        self._access.database.write(change, None)

    def get_many(self, keys: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return the manifests behind those keys that have one."""
        scopes = self._access.scopes
        return self._access.database.read(
            lambda connection: find_manifests(connection, keys, scopes), {}
        )

    def part(self, digest: str) -> Entries | None:
        """Return the entries of a part, or None when they are not stored."""
        return self._access.database.read(lambda connection: find_part(connection, digest), None)

    def difference(self, old: Manifest, new: Manifest) -> tuple[Difference, ...]:
        """Return what differs between two manifests; never empty when they are not equal."""
        return differences(old, new, self.part)


def _plain_entries(entries: Iterable[tuple[str, str]]) -> bytes:
    return encode_json([[label, value] for label, value in entries])


def part_digest(entries: Iterable[tuple[str, str]]) -> str:
    """Return the digest under which `entries` are stored, order included."""
    return hashlib.sha256(_plain_entries(entries)).hexdigest()


def insert_parts(
    connection: sqlite3.Connection, parts: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    """Store parts that are not stored yet; raises ValueError when a digest is not its part's."""
    missing = parts.keys() - known_parts(connection, parts)
    connection.executemany(
        "INSERT OR IGNORE INTO parts (digest, entries) VALUES (?, ?)",
        (_part_row(digest, parts[digest]) for digest in sorted(missing)),
    )


def _part_row(digest: str, entries: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
    plain = _plain_entries(entries)
    if hashlib.sha256(plain).hexdigest() != digest:
        raise ValueError("the digest of a manifest part is not that of its entries")
    return require_digest(digest), zlib.compress(plain, 1)


def known_parts(connection: sqlite3.Connection, digests: Iterable[str]) -> set[str]:
    """Return those of `digests` whose parts are stored."""
    wanted = [require_digest(digest) for digest in digests]
    rows = execute_for(connection, "SELECT digest FROM parts WHERE digest IN items", wanted)
    return {row[0].hex() for row in rows}


def find_part(connection: sqlite3.Connection, digest: str) -> Entries | None:
    """Return the entries of a part, or None when it is not stored or damaged."""
    row = connection.execute(
        "SELECT entries FROM parts WHERE digest = ?", (require_digest(digest),)
    ).fetchone()
    return decode_part(digest, row[0]) if row is not None else None


def decode_part(digest: str, stored: object) -> Entries | None:
    """Return the entries of a stored part, or None unless they are exactly those of `digest`."""
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(stored, _LARGEST_PART)  # type: ignore[arg-type]
        if hashlib.sha256(plain).hexdigest() != digest:
            return None
        return checked_entries(json.loads(plain))
    except (zlib.error, ValueError, TypeError, RecursionError):
        return None


def checked_entries(rows: object) -> Entries | None:
    """Return rows as entries, or None when they are not pairs of strings."""
    if not isinstance(rows, list):
        return None
    for row in rows:
        if not (isinstance(row, list) and len(row) == _PAIR):
            return None
        if not (isinstance(row[0], str) and isinstance(row[1], str)):
            return None
    return tuple([(row[0], row[1]) for row in rows])


def insert_manifests(
    connection: sqlite3.Connection, manifests: Mapping[str, Manifest], scopes: Scopes, now: float
) -> None:
    """Store the manifests behind keys, replacing those of the same scope."""
    rows = []
    for key, manifest in manifests.items():
        identity, document = require_digest(key), encode_json(dict(manifest))
        proof = checksum(document, identity, scopes.own.encode())
        rows.append((identity, scopes.own, float(now), proof, document))
    connection.executemany("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?, ?)", rows)


def find_manifests(
    connection: sqlite3.Connection, keys: Iterable[str], scopes: Scopes
) -> dict[str, dict[str, str]]:
    """Return the manifests behind those keys that have one."""
    wanted = sorted({bytes.fromhex(key) for key in keys if is_digest(key)})
    rows = execute_for(
        connection,
        "SELECT key, scope, checksum, document FROM manifests"
        " WHERE key IN items AND scope IN (?, ?)",
        wanted,
        after=scopes.readable,
    )
    rows.sort(key=lambda row: row[1] == scopes.readable[-1])
    found: dict[str, dict[str, str]] = {}
    for key, scope, proof, document in rows:
        manifest = decode_manifest(document)
        if manifest is not None and proof == checksum(document, key, scope.encode()):
            found[key.hex()] = manifest
    return found


def decode_manifest(document: object) -> dict[str, str] | None:
    """Return a stored manifest, or None when it has another shape."""
    try:
        manifest = json.loads(document)  # type: ignore[arg-type]
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(manifest, dict):
        return None
    if not all(map(is_digest, manifest.values())):
        return None
    return manifest
