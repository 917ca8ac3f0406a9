"""Manifests of real databases: equal data gives equal numbers, and any difference is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from monoyard.migrations import SCRIPTS, compare_manifests

ROWS = "INSERT INTO shop.orders SELECT n, 'x' || n, now() FROM generate_series(1, 50) n"


@pytest.fixture
def ask(postgres_empty_url: str) -> Callable[[str], None]:
    """Run a statement in a database with a table, a view of it and a sequence."""

    def run(statement: str) -> None:
        with psycopg.connect(postgres_empty_url) as connection:
            connection.execute(statement)

    run("CREATE SCHEMA shop")
    run('CREATE TABLE shop.orders (id int, "the ""memo" text, at timestamptz)')
    run("CREATE TABLE more (id int, data jsonb, kind float8)")
    run("CREATE VIEW shop.names AS SELECT 1 AS one")
    run("CREATE SEQUENCE shop.numbers")
    run(ROWS)
    return run


def _take(url: str, *words: str, **settings: str) -> Any:
    done = subprocess.run(
        (sys.executable, str(SCRIPTS), "manifest", *words),
        env={**os.environ, "DATABASE_URL": url, **settings},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_order_and_settings_change_nothing(
    ask: Callable[[str], None], postgres_empty_url: str
) -> None:
    """Rows in another order, read by a client with other settings, give the same manifest."""
    before = _take(postgres_empty_url)
    assert before["tables"]["shop.orders"]["rows"] == 50
    ask("CREATE TABLE kept AS SELECT * FROM shop.orders")
    ask("TRUNCATE shop.orders")
    ask("INSERT INTO shop.orders SELECT * FROM kept ORDER BY id DESC")
    ask("DROP TABLE kept")
    after = _take(postgres_empty_url, PGOPTIONS="-c timezone=Asia/Tokyo -c datestyle=German")
    assert compare_manifests(before, after) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE shop.orders SET id = 51 WHERE id = 50", "shop.orders: as many"),
        ("DELETE FROM shop.orders WHERE id = 50", "50 rows in the backup, 49 now"),
        ("INSERT INTO more VALUES (1)", "more: 0 rows in the backup, 1 now"),
        ("DROP TABLE more", "more: not in the database"),
        ("CREATE TABLE late (id int)", "late: not in the backup"),
        ("SELECT nextval('shop.numbers')", "sequence shop.numbers"),
        ("UPDATE shop.orders SET id = 51 - id WHERE id IN (20, 30)", "shop.orders: as many"),
    ],
)
def test_differences_are_told(
    change: str, told: str, ask: Callable[[str], None], postgres_empty_url: str
) -> None:
    """Another value, a row more or less, a table or a number of a sequence: each is one line."""
    before = _take(postgres_empty_url)
    ask(change)
    (found,) = compare_manifests(before, _take(postgres_empty_url))
    assert told in found


def test_objects_are_compared_alone(ask: Callable[[str], None], postgres_empty_url: str) -> None:
    """Only what is asked for counts: a column, a table, or everything in a schema."""
    before = _take(postgres_empty_url)
    ask('UPDATE shop.orders SET "the ""memo" = NULL WHERE id = 3')
    after = _take(postgres_empty_url)
    assert compare_manifests(before, after, ["shop.orders.id", "more"]) == []
    (found,) = compare_manifests(before, after, ['shop.orders.the "memo'])
    assert "50 values in the backup, 49 now" in found
    assert len(compare_manifests(before, after, ["shop.*"])) == 1
    assert compare_manifests(before, after, ["nowhere"]) != []
    assert compare_manifests(before, after, ["more.nothing"]) != []


def test_what_is_too_large_is_never_equal(
    ask: Callable[[str], None], postgres_empty_url: str
) -> None:
    """A table past the limit is not looked through, and then does not count as compared."""
    ask("INSERT INTO more SELECT n FROM generate_series(1, 500) n")
    small = _take(postgres_empty_url, "--limit-bytes=1")
    assert "rows" not in small["tables"]["more"]
    assert any("not compared" in line for line in compare_manifests(small, small))


@pytest.mark.parametrize(
    ("ends", "within", "outside"),
    [
        (["100", "105"], ["100", "103", "105"], ["99", "106", "", None]),
        (["-8", "-5"], ["-8", "-6", "-5"], ["-9", "-4", ""]),
        (["", "3"], ["", "1", "3"], ["4"]),
        (["-3", ""], ["", "-1", "-3"], ["-4"]),
        (["9", "2"], ["9", "10", "1", "2"], ["3", "8", ""]),
    ],
)
def test_a_sequence_that_moved_is_where_it_came_by(
    ends: list[str], within: list[str], outside: list[str | None]
) -> None:
    """Upwards, downwards, from its beginning, or around its end: what it had meanwhile is equal."""

    def found(value: str | None) -> list[str]:
        same = {"version": 1, "tables": {}}
        before = {**same, "sequences": {"numbers": ends[1]}, "moving": {"numbers": ends}}
        after = {"numbers": value} if value is not None else {}
        return compare_manifests(before, {**same, "sequences": after})

    assert [found(value) for value in within] == [[]] * len(within)
    was = " to ".join(end or "unused" for end in ends)
    for value in outside:
        assert found(value) == [f"sequence numbers: {was} in the backup, {value} now"]
