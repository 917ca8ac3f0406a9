"""An issuer of tokens, and the api on a real PostgreSQL."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from eventflow_api.application import create_api
from eventflow_api.settings import ApiSettings
from eventflow_servicekit.database import create_database_engine
from eventflow_servicekit.testing.issuer import Issuer

TABLES = "events, queue, idempotency_keys, effects, hourly_counts, dead_letters"


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """Yield an issuer whose keys can be fetched."""
    with Issuer() as made:
        yield made


@pytest.fixture(scope="session")
def settings(postgres_url: str, issuer: Issuer) -> ApiSettings:
    """Return settings for the test's database and issuer."""
    return ApiSettings.model_validate({"database_url": postgres_url, "jwks_url": issuer.url})


@pytest.fixture(scope="session")
def engine(settings: ApiSettings) -> Iterator[Engine]:
    """Yield an engine on the test's database."""
    made = create_database_engine(settings, application_name="test")
    yield made
    made.dispose()


@pytest.fixture
def client(settings: ApiSettings, engine: Engine) -> Iterator[TestClient]:
    """Yield a client of an api without events."""
    names = ", ".join(f"events.{name.strip()}" for name in TABLES.split(","))
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names}"))
    with TestClient(create_api(settings)) as client:
        yield client
