"""Engines on a real PostgreSQL: timeouts hold, readiness tells the truth."""

import contextlib

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from eventflow_servicekit.database import (
    create_database_engine,
    database_check,
    session_factory,
)
from eventflow_servicekit.settings import DatabaseSettings


def settings(url: str, **changes: int) -> DatabaseSettings:
    """Return settings for the database at `url`."""
    return DatabaseSettings.model_validate({"database_url": SecretStr(url), **changes})


def test_statement_that_takes_too_long_is_ended(postgres_empty_url: str) -> None:
    """A statement is cancelled by the server after the setting's milliseconds."""
    # As long as the first statements of a connection take on a busy machine.
    short = settings(postgres_empty_url, database_statement_timeout_milliseconds=2_000)
    engine = create_database_engine(short, application_name="test")
    try:
        with engine.connect() as connection, pytest.raises(OperationalError, match="timeout"):
            connection.execute(text("SELECT pg_sleep(30)"))
    finally:
        engine.dispose()


def test_lock_that_is_taken_is_not_waited_for_long(postgres_empty_url: str) -> None:
    """A statement that waits for a lock gives up after the setting's milliseconds."""
    short = settings(postgres_empty_url, database_lock_timeout_milliseconds=50)
    engine = create_database_engine(short, application_name="test")
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE things ()"))
        with engine.begin() as holder, engine.connect() as waiter:
            holder.execute(text("LOCK TABLE things"))
            with pytest.raises(OperationalError, match="lock timeout"):
                waiter.execute(text("LOCK TABLE things"))
    finally:
        engine.dispose()


def test_session_is_in_utc_and_named(postgres_empty_url: str) -> None:
    """Times come back in UTC and the server knows who is connected."""
    engine = create_database_engine(settings(postgres_empty_url), application_name="orders")
    try:
        with session_factory(engine).begin() as session:
            shown = session.execute(text("SHOW timezone")).scalar_one()
            name = session.execute(text("SHOW application_name")).scalar_one()
    finally:
        engine.dispose()
    assert (shown, name) == ("UTC", "orders")


def test_failed_block_leaves_nothing(postgres_empty_url: str) -> None:
    """An exception inside of `begin` takes back what was written."""
    engine = create_database_engine(settings(postgres_empty_url), application_name="test")
    sessions = session_factory(engine)
    try:
        with sessions.begin() as session:
            session.execute(text("CREATE TABLE kept (n int)"))
        with contextlib.suppress(ZeroDivisionError), sessions.begin() as session:
            session.execute(text("INSERT INTO kept VALUES (1)"))
            1 / 0  # noqa: B018 - any exception does
        with sessions.begin() as session:
            assert session.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
    finally:
        engine.dispose()


def test_check_passes_on_a_running_server_and_fails_without_one(postgres_empty_url: str) -> None:
    """The readiness check returns while the database answers and raises when it does not."""
    engine = create_database_engine(settings(postgres_empty_url), application_name="test")
    database_check(engine)()
    engine.dispose()
    nowhere = settings("postgresql://nobody@127.0.0.1:1/none")
    broken = create_database_engine(nowhere, application_name="test")
    with pytest.raises(OperationalError):
        database_check(broken)()
