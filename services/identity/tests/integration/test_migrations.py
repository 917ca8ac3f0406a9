"""The migration history: one line, up and down, equal to the tables in the code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from eventflow_identity.tables import SCHEMA_NEED
from eventflow_servicekit.database import database_url
from eventflow_servicekit.testing.migrations import MigrationHistory

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture
def engine(postgres_empty_url: str) -> Iterator[Engine]:
    """Yield an engine on an empty database."""
    made = create_engine(database_url(postgres_empty_url))
    yield made
    made.dispose()


@pytest.fixture
def history(engine: Engine) -> MigrationHistory:
    """Return the history, nothing of it applied."""
    return MigrationHistory(MIGRATIONS, engine)


def test_history_has_one_head(history: MigrationHistory) -> None:
    """One revision is the newest, and it is the one that readiness asks for."""
    assert history.heads() == [SCHEMA_NEED.head]


def test_every_revision_goes_up_down_and_up_again(history: MigrationHistory) -> None:
    """Each revision can be applied, taken back, and applied again on what is left."""
    before = "base"
    for revision in history.revisions():
        history.upgrade(revision)
        history.downgrade(before)
        history.upgrade(revision)
        before = revision
    history.downgrade("base")
    history.upgrade()


def test_tables_in_the_code_match_the_history(history: MigrationHistory) -> None:
    """Nothing is declared that the migrations do not make, and the other way round."""
    history.upgrade()
    assert history.difference() is None


def test_version_table_lives_in_the_schema(history: MigrationHistory, engine: Engine) -> None:
    """The history is kept in schema `identity`, so that services can share a database."""
    history.upgrade()
    assert "alembic_version" in inspect(engine).get_table_names(schema="identity")
    assert inspect(engine).get_table_names(schema="public") == []


def test_accounts_survive_going_back_and_forth(history: MigrationHistory, engine: Engine) -> None:
    """Accounts made at the first revision are unchanged after the newest and back."""
    history.upgrade("0001")
    row: dict[str, Any] = {"id": "worker", "hash": "$argon2id$x", "scopes": ["events:read"]}
    insert = "INSERT INTO identity.clients (id, secret_hash, scopes) VALUES (:id, :hash, :scopes)"
    with engine.begin() as connection:
        connection.execute(text(insert), row)
    history.upgrade()
    history.downgrade("0001")
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT id, secret_hash, scopes FROM identity.clients"))
        assert kept.one() == ("worker", "$argon2id$x", ["events:read"])
