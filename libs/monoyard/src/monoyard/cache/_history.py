"""What happened before: last successes, durations, outcomes.

All of it is advice. A lost row costs an explanation or a worse estimate, never a wrong result.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monoyard.cache._access import Access
from monoyard.cache._rows import Scopes
from monoyard.cache._values import Flaky, encode_json, is_digest, require_digest

_REMEMBERED_DURATIONS: Final = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """One execution of a task.

    Args:
        key: The task's key.
        task: The task, as in `api:unit`.
        passed: Whether it passed.
        run: The run's id.
        at: When it ended, in Unix seconds.

    """

    key: str
    task: str
    passed: bool
    run: str
    at: float


class History:
    """The history of a store."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def record_successes(self, workspace: str, keys: Mapping[str, str]) -> None:
        """Remember, by task, the key of its last success; raises ValueError for no key."""
        now, scopes = self._access.clock(), self._access.scopes
        self._access.database.write(
            lambda connection: insert_successes(connection, workspace, keys, scopes, now), None
        )

    def last_successes(self, workspace: str) -> dict[str, str]:
        """Return, by task, the key of its last success."""
        scopes = self._access.scopes
        return self._access.database.read(
            lambda connection: find_successes(connection, workspace, scopes), {}
        )

    def record_durations(self, workspace: str, seconds: Mapping[str, float]) -> None:
        """Remember, by task, how many seconds it took."""
        now, scopes = self._access.clock(), self._access.scopes
        self._access.database.write(
            lambda connection: insert_durations(connection, workspace, seconds, scopes, now), None
        )

    def estimates(self, workspace: str) -> dict[str, float]:
        """Return, by task, the median of its latest durations in seconds."""
        scopes = self._access.scopes
        return self._access.database.read(
            lambda connection: find_estimates(connection, workspace, scopes), {}
        )

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Remember executions; replayed results are none."""
        scopes = self._access.scopes
        self._access.database.write(
            lambda connection: insert_outcomes(connection, outcomes, scopes), None
        )

    def outcomes(self, key: str, task: str) -> tuple[Outcome, ...]:
        """Return every execution of a task under a key that is remembered, the oldest first."""
        scopes = self._access.scopes
        return self._access.database.read(
            lambda connection: find_outcomes(connection, key, task, scopes), ()
        )

    def flaky(self) -> tuple[Flaky, ...]:
        """Return every task that had both outcomes under one key, most recent first."""
        scopes = self._access.scopes
        return self._access.database.read(lambda connection: find_flaky(connection, scopes), ())


def insert_successes(
    connection: sqlite3.Connection,
    workspace: str,
    keys: Mapping[str, str],
    scopes: Scopes,
    now: float,
) -> None:
    """Remember the key of each task's last success."""
    connection.executemany(
        "INSERT OR REPLACE INTO successes VALUES (?, ?, ?, ?, ?)",
        [(workspace, task, scopes.own, require_digest(key), now) for task, key in keys.items()],
    )


def find_successes(
    connection: sqlite3.Connection, workspace: str, scopes: Scopes
) -> dict[str, str]:
    """Return the key of the latest success of every task of a workspace."""
    rows = connection.execute(
        "SELECT task, lower(hex(key)) FROM successes"
        " WHERE workspace = ? AND scope IN (?, ?) ORDER BY at",
        (workspace, *scopes.readable),
    )
    return {task: key for task, key in rows if is_digest(key)}


def insert_durations(
    connection: sqlite3.Connection,
    workspace: str,
    seconds: Mapping[str, float],
    scopes: Scopes,
    now: float,
) -> None:
    """Remember how long tasks took, with the estimate that follows from it."""
    rows = []
    for task, latest in seconds.items():
        stored = connection.execute(
            "SELECT recent FROM durations WHERE workspace = ? AND task = ? AND scope = ?",
            (workspace, task, scopes.own),
        ).fetchone()
        recent = [*(decode_durations(stored[0]) if stored else ()), float(latest)]
        recent = recent[-_REMEMBERED_DURATIONS:]
        rows.append((workspace, task, scopes.own, encode_recent(recent), median(recent), now))
    connection.executemany("INSERT OR REPLACE INTO durations VALUES (?, ?, ?, ?, ?, ?)", rows)


def median(values: Sequence[float]) -> float:
    """Return the middle of values, of which there is at least one."""
    # The `statistics` module costs every start of the program five milliseconds.
    middle = sorted(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
    return sum(middle) / len(middle)


def encode_recent(recent: Iterable[float]) -> str:
    """Return durations as they are stored."""
    return encode_json([round(seconds, 4) for seconds in recent]).decode()


def decode_durations(stored: object) -> list[float]:
    """Return stored durations, without whatever is not one."""
    try:
        values = json.loads(stored)  # type: ignore[arg-type]
    except (ValueError, TypeError, RecursionError):
        return []
    if not isinstance(values, list):
        return []
    return [float(value) for value in values if is_duration(value)]


def is_duration(value: object) -> bool:
    """Say whether a value is a finite number of seconds, not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0


def find_estimates(
    connection: sqlite3.Connection, workspace: str, scopes: Scopes
) -> dict[str, float]:
    """Return the expected seconds of every task of a workspace that has ever run."""
    rows = connection.execute(
        "SELECT task, estimate FROM durations WHERE workspace = ? AND scope IN (?, ?) ORDER BY at",
        (workspace, *scopes.readable),
    )
    return {task: estimate for task, estimate in rows if is_duration(estimate)}


def insert_outcomes(
    connection: sqlite3.Connection, outcomes: Iterable[Outcome], scopes: Scopes
) -> None:
    """Remember executions."""
    connection.executemany(
        "INSERT INTO outcomes (key, task, scope, passed, run, at) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (require_digest(one.key), one.task, scopes.own, int(one.passed), one.run, one.at)
            for one in outcomes
        ],
    )


def find_outcomes(
    connection: sqlite3.Connection, key: str, task: str, scopes: Scopes
) -> tuple[Outcome, ...]:
    """Return every execution of a task under a key, the oldest first."""
    rows = connection.execute(
        "SELECT passed, run, at FROM outcomes"
        " WHERE key = ? AND task = ? AND scope IN (?, ?) ORDER BY at, id",
        (require_digest(key), task, *scopes.readable),
    )
    return tuple(Outcome(key, task, bool(passed), run, at) for passed, run, at in rows)


def find_flaky(connection: sqlite3.Connection, scopes: Scopes) -> tuple[Flaky, ...]:
    """Return every task that had both outcomes under one key, most recent first."""
    rows = connection.execute(
        # With max() alone among the bare columns, SQLite takes `run` from the row of the maximum.
        "SELECT task, lower(hex(key)), sum(passed = 1), sum(passed = 0), run, max(at) FROM outcomes"
        # Few keys ever failed, and each run asks: all others are not grouped.
        " WHERE scope IN (?, ?) AND key IN (SELECT key FROM outcomes WHERE passed = 0)"
        " GROUP BY key, task"
        " HAVING sum(passed = 1) > 0 AND sum(passed = 0) > 0 ORDER BY max(at) DESC, task",
        scopes.readable,
    )
    return tuple(
        Flaky(task, key, passed, failed, run, at) for task, key, passed, failed, run, at in rows
    )
