"""The trial on a copy of the database."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from eventflow_api.settings import ApiSettings
from eventflow_api.trial import main


@pytest.fixture(autouse=True)
def environment(settings: ApiSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables that it reads."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("JWKS_URL", str(settings.jwks_url))


def test_database_that_fits() -> None:
    """It writes, reads back, and may be run again."""
    assert (main(), main()) == (0, 0)


def test_database_that_lacks_a_column(engine: Engine) -> None:
    """A column that this version uses and a migration removed is found."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE events.events RENAME source TO origin"))
    try:
        with pytest.raises(ProgrammingError, match="source"):
            main()
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE events.events RENAME origin TO source"))
