"""The smoke test of a version, on a real database."""

import pytest
from sqlalchemy.exc import DBAPIError

from eventflow_servicekit.smoke import SmokeError
from eventflow_worker.smoke import smoke
from eventflow_worker.testing.event_tables import EventTables

DOCUMENT = {
    "type": "page.viewed",
    "version": 1,
    "source": "shop",
    "occurred_at": "2026-03-01T12:34:56Z",
    "data": {"path": "/", "visitor_id": "v-1"},
}


@pytest.fixture
def variables(tables: EventTables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say to the program where the database is."""
    url = tables.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("NOTIFICATIONS_TOKEN", "a token of some length")


@pytest.mark.usefixtures("variables")
def test_nothing_is_left_and_nothing_else_is_touched(tables: EventTables) -> None:
    """It works on its own event alone: what waits still waits, and its event never was."""
    tables.add(DOCUMENT)

    smoke({})

    assert tables.queued() == 1
    assert tables.rows("SELECT count(*) FROM events.events")[0][0] == 1
    assert tables.rows("SELECT attempts FROM events.queue") == [(0,)]
    assert not tables.counts()


@pytest.mark.usefixtures("variables")
def test_a_version_that_cannot_write_fails(tables: EventTables) -> None:
    """What the health of a worker does not look at is found before it takes an event."""
    tables.change("ALTER TABLE events.effects RENAME TO gone")
    try:
        with pytest.raises((DBAPIError, SmokeError)):
            smoke({})
    finally:
        tables.change("ALTER TABLE events.gone RENAME TO effects")
