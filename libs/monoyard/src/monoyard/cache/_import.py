"""Making the contents of an archive visible, all at once."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from monoyard.cache import _memo, _results
from monoyard.cache._blobs import BlobDirectory, Staged
from monoyard.cache._history import encode_recent, median
from monoyard.cache._manifests import insert_manifests, insert_parts
from monoyard.cache._rows import Scopes
from monoyard.cache._sections import Row, Sections, result_of


@dataclass(frozen=True, slots=True)
class Import:
    """The checked contents of an archive, on their way into a scope.

    Args:
        sections: The rows, each of the right shape.
        staged: The bytes, each with the right digest.
        scopes: The scope to import into.
        now: The moment, in Unix seconds; imported results count as used then.

    """

    sections: Sections
    staged: Mapping[str, Staged]
    scopes: Scopes
    now: float

    def insert(self, connection: sqlite3.Connection, blobs: BlobDirectory) -> int:
        """Insert everything that is not there yet, and return the number of new results."""
        count = self._insert_results(connection, blobs)
        insert_parts(connection, {row[0]: row[1] for row in self.sections["parts"]})
        manifests = {row[0]: row[1] for row in self.sections["manifests"]}
        insert_manifests(connection, manifests, self.scopes, self.now)
        self._insert_successes(connection, self.sections["successes"])
        self._insert_durations(connection, self.sections["durations"])
        self._insert_outcomes(connection, self.sections["outcomes"])
        self._insert_memo(connection, self.sections["memo"])
        return count

    def _insert_results(self, connection: sqlite3.Connection, blobs: BlobDirectory) -> int:
        count = 0
        for row in self.sections["results"]:
            known = connection.execute(
                "SELECT 1 FROM results WHERE key = ? AND scope = ?",
                (bytes.fromhex(row[0]), self.scopes.own),
            ).fetchone()
            if known is None:
                writing = _results.prepare(result_of(row), self.staged)
                count += _results.insert(connection, writing, blobs, self.scopes, self.now)
        return count

    def _insert_successes(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        connection.executemany(
            "INSERT INTO successes (workspace, task, scope, key, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET key = excluded.key, at = excluded.at"
            " WHERE excluded.at > successes.at",
            [
                (workspace, task, self.scopes.own, bytes.fromhex(key), at)
                for workspace, task, key, at in rows
            ],
        )

    def _insert_durations(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        connection.executemany(
            "INSERT OR IGNORE INTO durations VALUES (?, ?, ?, ?, ?, ?)",
            [
                (workspace, task, self.scopes.own, encode_recent(recent), median(recent), at)
                for workspace, task, recent, at in rows
            ],
        )

    def _insert_outcomes(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        connection.executemany(
            "INSERT INTO outcomes (key, task, scope, passed, run, at)"
            " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM outcomes WHERE"
            " key = ?1 AND task = ?2 AND scope = ?3 AND passed = ?4 AND run = ?5 AND at = ?6)",
            [
                (bytes.fromhex(key), task, self.scopes.own, int(passed), run, at)
                for key, task, passed, run, at in rows
            ],
        )

    def _insert_memo(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        spaces: dict[str, dict[str, bytes]] = {}
        for namespace, key, value in rows:
            spaces.setdefault(namespace, {})[key] = base64.b64decode(value)
        for namespace, values in spaces.items():
            _memo.insert(connection, namespace, values, self.scopes, self.now)
