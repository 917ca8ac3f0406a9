"""The trial on a copy of the database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from eventflow_identity.settings import IdentitySettings
from eventflow_identity.trial import main
from eventflow_servicekit.database import create_database_engine


@pytest.fixture
def engine(settings: IdentitySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Yield an engine on the test's database, with the variables set that the trial reads."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("SIGNING_KEY", settings.signing_key.get_secret_value())
    monkeypatch.setenv("PASSWORD_HASH_MEMORY", "8")
    monkeypatch.setenv("PASSWORD_HASH_PASSES", "1")
    monkeypatch.setenv("PASSWORD_HASH_LANES", "1")
    made = create_database_engine(settings, application_name="test")
    yield made
    made.dispose()


@pytest.mark.usefixtures("engine")
def test_database_that_fits() -> None:
    """It writes, reads back, and may be run again."""
    assert (main(), main()) == (0, 0)


def test_database_that_lacks_a_table(engine: Engine) -> None:
    """A table that this version uses and a migration removed is found."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE identity.revoked_tokens RENAME TO ended"))
    try:
        with pytest.raises(ProgrammingError, match="revoked_tokens"):
            main()
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE identity.ended RENAME TO revoked_tokens"))
