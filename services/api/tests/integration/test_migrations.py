"""The migration history: one line, up and down, equal to the tables in the code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError

from eventflow_api.tables import SCHEMA_NEED
from eventflow_servicekit.database import database_url
from eventflow_servicekit.testing.migrations import MigrationHistory

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture
def engine(postgres_empty_url: str) -> Iterator[Engine]:
    """Yield an engine on an empty database."""
    # A test that waits for a lock by mistake should fail and not hang.
    bounded = {"options": "-c statement_timeout=90s"}
    made = create_engine(database_url(postgres_empty_url), connect_args=bounded)
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
    """The history is kept in schema `events`, so that services can share a database."""
    history.upgrade()
    assert "alembic_version" in inspect(engine).get_table_names(schema="events")
    assert inspect(engine).get_table_names(schema="public") == []


def test_events_survive_going_back_and_forth(history: MigrationHistory, engine: Engine) -> None:
    """Events from before the source column get their source, and keep it in their document."""
    history.upgrade("0002")
    # More than one batch of the backfill.
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO events.events"
                " (id, client_id, type, version, occurred_at, document)"
                " SELECT gen_random_uuid(), 'c', 'page.viewed', 1, now(),"
                " jsonb_build_object('source', 's-' || n) FROM generate_series(1, 2500) AS n"
            )
        )
    history.upgrade()
    assert sources(engine) == {f"s-{number}" for number in range(1, 2501)}
    history.downgrade("0002")
    history.upgrade()
    assert len(sources(engine)) == 2500


def sources(engine: Engine) -> set[str]:
    """Return the sources of all events."""
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT source FROM events.events")).scalars())


def test_interrupted_backfill_is_taken_up_again(history: MigrationHistory, engine: Engine) -> None:
    """The backfill leaves rows alone that have a source already and fills the others."""
    history.upgrade("0003")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO events.events"
                " (id, client_id, type, version, source, occurred_at, document) VALUES"
                " (gen_random_uuid(), 'c', 't', 1, 'kept', now(), '{\"source\": \"other\"}'),"
                " (gen_random_uuid(), 'c', 't', 1, NULL, now(), '{\"source\": \"filled\"}')"
            )
        )
    history.upgrade("0004")
    assert sources(engine) == {"kept", "filled"}


def test_event_without_source_stops_the_contract(history: MigrationHistory, engine: Engine) -> None:
    """Requiring the source fails, and changes nothing, while an event has none."""
    history.upgrade("0004")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO events.events (id, client_id, type, version, occurred_at, document)"
                " VALUES (gen_random_uuid(), 'c', 't', 1, now(), '{}')"
            )
        )
    with pytest.raises(IntegrityError, match="events_source_present_check"):
        history.upgrade("0005")
    assert inspect(engine).get_check_constraints("events", schema="events") == []


def test_invalid_index_of_a_killed_attempt_is_built_anew(
    history: MigrationHistory, engine: Engine
) -> None:
    """What an interrupted concurrent build leaves behind does not count as the index."""
    history.upgrade("0005")
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE INDEX events_source_received_at_id_idx"
                " ON events.events (source, received_at, id)"
            )
        )
        connection.execute(
            text(
                "UPDATE pg_index SET indisvalid = false"
                " WHERE indexrelid = 'events.events_source_received_at_id_idx'::regclass"
            )
        )
    history.upgrade("0006")
    with engine.connect() as connection:
        valid = connection.execute(
            text(
                "SELECT indisvalid FROM pg_index"
                " WHERE indexrelid = 'events.events_source_received_at_id_idx'::regclass"
            )
        )
        assert valid.scalar_one() is True


def test_migration_does_not_wait_long_for_a_lock(
    history: MigrationHistory, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision that cannot have its lock fails soon instead of blocking everyone behind it."""
    history.upgrade("0002")
    monkeypatch.setenv("MIGRATION_LOCK_TIMEOUT", "100ms")
    with engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM events.events"))
        with pytest.raises(OperationalError, match="lock timeout"):
            history.upgrade("0003")
    history.upgrade()
