"""The worker on a real PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pytest

from eventflow_servicekit.database import create_database_engine
from eventflow_worker.settings import WorkerSettings
from eventflow_worker.testing.event_tables import EventTables


@pytest.fixture
def settings(postgres_url: str) -> WorkerSettings:
    """Return settings for the test's database."""
    values: dict[str, Any] = {
        "database_url": postgres_url,
        "notifications_token": "a token of some length",
    }
    return WorkerSettings.model_validate(values)


@pytest.fixture
def tables(settings: WorkerSettings) -> Iterator[EventTables]:
    """Yield the tables, empty."""
    engine = create_database_engine(settings, application_name="test")
    tables = EventTables(engine)
    tables.clear()
    yield tables
    engine.dispose()
