"""Readiness by what the database's schema is, on a real PostgreSQL."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from eventflow_servicekit.database import database_url
from eventflow_servicekit.schema import SchemaMismatchError, SchemaNeed, schema_check

RECORD = "CREATE TABLE shop.monoyard_schema (revision text, parents text[], breaks text)"
ROW = "INSERT INTO shop.monoyard_schema VALUES (:revision, CAST(:parents AS text[]), :breaks)"
LINE: tuple[tuple[str, list[str], str | None], ...] = (
    ("1", [], None),
    ("2", ["1"], None),
    ("3", ["2"], "older versions leave it empty"),
)

Ask = Callable[[str, str], object]


@pytest.fixture
def engine(postgres_empty_url: str) -> Iterator[Engine]:
    """Yield an engine on a database whose schema `shop` is at revision 3."""
    made = create_engine(database_url(postgres_empty_url))
    with made.begin() as connection:
        connection.execute(text("CREATE SCHEMA shop"))
        connection.execute(text("CREATE TABLE shop.alembic_version (version_num text)"))
        connection.execute(text("INSERT INTO shop.alembic_version VALUES ('3')"))
    yield made
    made.dispose()


@pytest.fixture
def ask(engine: Engine) -> Ask:
    """Run the check of a service with this head and minimum."""
    return lambda head, minimum: schema_check(engine, SchemaNeed("shop", head, minimum))()


def test_without_a_record_only_known_names_fit(ask: Ask) -> None:
    """A schema that alembic alone has migrated fits who names its revision, and nobody else."""
    ask("3", "1")
    ask("4", "3")
    with pytest.raises(SchemaMismatchError):
        ask("2", "1")


def test_floor_and_minimum_decide(engine: Engine, ask: Ask) -> None:
    """With the record a service fits from its minimum on, and until a floor after its head."""
    with engine.begin() as connection:
        connection.execute(text(RECORD))
        for revision, parents, breaks in LINE:
            values = {"revision": revision, "parents": parents, "breaks": breaks}
            connection.execute(text(ROW), values)
    ask("3", "1")
    ask("5", "2")
    with pytest.raises(SchemaMismatchError, match="3 is the floor"):
        ask("2", "1")
    with pytest.raises(SchemaMismatchError, match="lacks 4"):
        ask("5", "4")
    with engine.begin() as connection:
        connection.execute(text("UPDATE shop.monoyard_schema SET breaks = NULL"))
    ask("1", "1")  # ahead, and nothing breaks it
