"""The table of operations against our rules, and against PostgreSQL itself."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from monoyard.migrations import Classed, Classifier
from monoyard.testing.plugins.monoyard_postgres import Server

from .operations import BEFORE, CASES, Case
from .projects import Project, find_judges

_LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = %s AND granted AND relation IS NOT NULL"
_TABLES = """
    SELECT c.oid, n.nspname || '.' || c.relname, c.relfilenode FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'shop' AND c.relkind IN ('r', 'p', 'm', 'v', 'S')
"""
_ORDER = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
_NAMES = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
    "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
)  # fmt: skip


@pytest.fixture(scope="module")
def classed(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Classed]:
    """Every operation of the table, read by alembic and classed; each follows `before` alone."""
    project = Project(tmp_path_factory.mktemp("table") / "project")
    project.sql("before", *BEFORE)
    for number, case in enumerate(CASES):
        if case.is_alembic:
            project.revision(str(number), case.sql, after="before")
        elif case.is_concurrent:
            project.autocommit(str(number), case.sql, after="before")
        else:
            project.sql(str(number), case.sql, after="before")
    history = project.history()
    assert not history.problem
    revisions = {item.revision: item for item in history.revisions}
    judges = find_judges()
    classifier = Classifier(judges.grammar, judges.lint)
    found = {}
    for number, case in enumerate(CASES):
        alone = replace(history, revisions=(revisions["before"], revisions[str(number)]))
        (found[case],) = classifier.classify(alone, ["before"])
    return found


def _name(case: Case) -> str:
    return case.sql.replace("ALTER TABLE shop.", "").replace("shop.", "")[:60] + (
        " concurrently" if case.is_concurrent else ""
    )


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_every_operation_has_its_class_and_locks(case: Case, classed: dict[Case, Classed]) -> None:
    """Each operation of the table is classed as the table says, with its locks and rewrites."""
    found = classed[case]
    assert {item.value for item in found.effects} == set(case.effects.split()), found.found
    assert {table: lock.value for table, lock in found.locks.items()} == dict(case.locks)
    rewritten = {table for item in found.statements for table in item.rewrites}
    assert rewritten >= set(case.rewrites) - _emptied(case)


def _emptied(case: Case) -> set[str]:
    """TRUNCATE makes new files, but has no row to write."""
    return {"shop.orders"} if case.sql.startswith("TRUNCATE") else set()


@pytest.fixture(scope="module")
def database(postgres_server_url: str) -> Iterator[Callable[[], psycopg.Connection]]:
    """Make connections to a database in which everything of before is there."""
    server = Server(postgres_server_url)
    name = f"monoyard_locks_{uuid.uuid4().hex[:12]}"
    server.create(name)
    url = server.url_of(name)
    with psycopg.connect(url) as connection:
        for statement in BEFORE:
            connection.execute(statement)
    yield lambda: psycopg.connect(url)
    server.drop(name)


def _statements(case: Case, classed: dict[Case, Classed]) -> list[str]:
    return [item.sql for item in classed[case].statements]


def _held(connection: psycopg.Connection, pid: int, tables: Mapping[int, str]) -> dict[str, str]:
    """Return the strongest lock that a session holds on each of the tables there were before.

    Reading a table is left out where it comes along: nothing but ACCESS EXCLUSIVE minds it.
    """
    found: dict[str, str] = {}
    for relation, mode in connection.execute(_LOCKS, [pid]).fetchall():
        if relation in tables:
            name = tables[relation]
            found[name] = max(mode, found.get(name, mode), key=_ORDER.index)
    return {table: _NAMES[_ORDER.index(mode)] for table, mode in found.items()}


def _of_note(locks: Mapping[str, str]) -> dict[str, str]:
    return {table: lock for table, lock in locks.items() if lock != "ACCESS SHARE"}


# They lock what only the run shows: all that hangs on it, whatever the block does.
_UNLISTED = ("CASCADE", "DO $$")
_IN_TRANSACTION = [
    case for case in CASES
    if not case.is_concurrent and "INDEX CONCURRENTLY" not in case.sql
    and not any(words in case.sql for words in _UNLISTED)
]  # fmt: skip


@pytest.mark.parametrize("case", _IN_TRANSACTION, ids=_name)
def test_postgresql_takes_the_locks_of_the_table(
    case: Case,
    classed: dict[Case, Classed],
    database: Callable[[], psycopg.Connection],
) -> None:
    """PostgreSQL locks the tables that the table names, as strongly, and rewrites the same ones."""
    with database() as connection:
        before = connection.execute(_TABLES).fetchall()
        tables = {oid: name for oid, name, _ in before}
        connection.rollback()
        for statement in _statements(case, classed):
            connection.execute(statement)
        held = _held(connection, connection.info.backend_pid, tables)
        files = {oid: file for oid, _, file in connection.execute(_TABLES).fetchall()}
        connection.rollback()
    rewritten = {name for oid, name, file in before if files.get(oid, file) != file}
    rewritten.discard("shop.numbers")  # a sequence has no rows to write
    assert _of_note(held) == _of_note(case.locks)
    assert held.items() >= dict(case.locks).items()
    assert rewritten == set(case.rewrites)


@contextmanager
def _writer(connection: psycopg.Connection) -> Iterator[None]:
    """Write to the table and not commit: what runs concurrently waits for that."""
    with connection:
        connection.execute("LOCK TABLE shop.orders IN ROW EXCLUSIVE MODE")
        yield
        connection.rollback()


@pytest.mark.parametrize("case", [case for case in CASES if case.is_concurrent], ids=_name)
def test_postgresql_takes_the_locks_of_the_table_outside_of_transactions(
    case: Case,
    classed: dict[Case, Classed],
    database: Callable[[], psycopg.Connection],
    until: Callable[..., bool],
) -> None:
    """What runs CONCURRENTLY holds the lock of the table while it waits for a writer."""
    (statement,) = _statements(case, classed)
    with database() as runner, database() as watcher:
        runner.autocommit = watcher.autocommit = True
        pid, held = runner.info.backend_pid, {}
        tables = {oid: name for oid, name, _ in watcher.execute(_TABLES).fetchall()}

        def has_lock() -> bool:
            held.update(_held(watcher, pid, tables))
            return "shop.orders" in held

        with _writer(database()):
            thread = threading.Thread(target=runner.execute, args=(statement,))
            thread.start()
            seen = until(has_lock)
        thread.join()
        if "CREATE" in statement:
            watcher.execute("DROP INDEX shop.i")
        elif "DROP" in statement:
            watcher.execute("CREATE INDEX orders_state_idx ON shop.orders (state)")
    assert seen
    assert held == dict(case.locks)


def test_table_is_long_enough() -> None:
    """At least sixty operations are in the table, and no two are the same."""
    assert len(CASES) >= 60
    assert len({(case.sql, case.is_concurrent) for case in CASES}) == len(CASES)


def test_projects_are_read_from_their_files(tmp_path: Path) -> None:
    """Statements come out of a project as they stand in it, in their order."""
    project = Project(tmp_path / "one")
    project.sql("a", "CREATE TABLE t (id int)", "SELECT 1")
    assert [item.sql for item in project.classed([])[0].statements] == [
        "CREATE TABLE t (id int)", "SELECT 1",
    ]  # fmt: skip
