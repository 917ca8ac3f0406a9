"""The migration history: one line, up and down, equal to the tables in the code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_alembic import tests as standard
from pytest_alembic.config import Config
from pytest_alembic.runner import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from eventflow_servicekit.database import database_url

PACKAGE = Path(__file__).parents[2]


@pytest.fixture
def alembic_config() -> Config:
    """Return the package's own configuration."""
    return Config(config_options={"script_location": str(PACKAGE / "migrations")})


@pytest.fixture
def alembic_engine(postgres_empty_url: str) -> Iterator[Engine]:
    """Yield an engine on an empty database."""
    engine = create_engine(database_url(postgres_empty_url))
    yield engine
    engine.dispose()


def test_history_has_one_head(alembic_runner: MigrationContext) -> None:
    """No two revisions claim to be the newest."""
    standard.test_single_head_revision(alembic_runner)


def test_history_goes_up_and_down(alembic_runner: MigrationContext) -> None:
    """Every revision can be applied, taken back, and applied again."""
    standard.test_upgrade(alembic_runner)
    standard.test_up_down_consistency(alembic_runner)


def test_tables_in_the_code_match_the_history(alembic_runner: MigrationContext) -> None:
    """Nothing is declared that the migrations do not make, and the other way round."""
    standard.test_model_definitions_match_ddl(alembic_runner)


def test_version_table_lives_in_the_schema(
    alembic_runner: MigrationContext, alembic_engine: Engine
) -> None:
    """The history is kept in schema `identity`, so that services can share a database."""
    alembic_runner.migrate_up_to("heads")
    names = inspect(alembic_engine).get_table_names(schema="identity")
    assert "alembic_version" in names
    assert inspect(alembic_engine).get_table_names(schema="public") == []


def test_accounts_survive_going_back_and_forth(
    alembic_runner: MigrationContext, alembic_engine: Engine
) -> None:
    """Accounts made at the first revision are unchanged after the newest and back."""
    alembic_runner.migrate_up_to("0001")
    row: dict[str, Any] = {"id": "worker", "hash": "$argon2id$x", "scopes": ["events:read"]}
    insert = "INSERT INTO identity.clients (id, secret_hash, scopes) VALUES (:id, :hash, :scopes)"
    with alembic_engine.begin() as connection:
        connection.execute(text(insert), row)
    alembic_runner.migrate_up_to("heads")
    alembic_runner.migrate_down_to("0001")
    with alembic_engine.connect() as connection:
        kept = connection.execute(text("SELECT id, secret_hash, scopes FROM identity.clients"))
        assert kept.one() == ("worker", "$argon2id$x", ["events:read"])
