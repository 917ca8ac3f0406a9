"""Database URLs: what libpq takes, with the driver SQLAlchemy needs."""

import pytest

from eventflow_servicekit.database import database_url


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:pw@db:5433/app", "postgres://me:pw@db:5433/app"],
)
def test_driver_is_chosen(url: str) -> None:
    """Both spellings of the scheme get the psycopg 3 driver and keep the rest."""
    assert (
        database_url(url).render_as_string(hide_password=False)
        == "postgresql+psycopg://me:pw@db:5433/app"
    )


def test_unix_socket_is_kept() -> None:
    """A socket directory in the query survives."""
    url = database_url("postgresql://postgres@/postgres?host=/run/postgres")
    assert (url.username, url.database) == ("postgres", "postgres")
    assert url.query["host"] == "/run/postgres"


def test_other_database_is_refused() -> None:
    """A URL of another database is an error that does not repeat the password."""
    with pytest.raises(ValueError, match="not a PostgreSQL URL: mysql://") as caught:
        database_url("mysql://me:hunter2@db/app")
    assert "hunter2" not in str(caught.value)
