"""PostgreSQL through SQLAlchemy 2 and psycopg 3."""

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from eventflow_servicekit.health import Check
from eventflow_servicekit.settings import DatabaseSettings

_DRIVER = "postgresql+psycopg"
_ACCEPTED = frozenset({"postgresql", "postgres", _DRIVER})


def database_url(url: str) -> URL:
    """Return `url` for SQLAlchemy with the psycopg 3 driver.

    Takes what libpq takes: `postgresql://user@host/name`, and Unix sockets as
    `postgresql://user@/name?host=/directory`. Raises ValueError for any other database.
    """
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    if parsed.drivername not in _ACCEPTED:
        raise ValueError(f"not a PostgreSQL URL: {parsed.drivername}://")
    return parsed.set(drivername=_DRIVER)


def create_database_engine(settings: DatabaseSettings, *, application_name: str) -> Engine:
    """Return an engine whose connections carry the settings' timeouts.

    `application_name` is what `pg_stat_activity` shows. Nothing is connected yet.
    """
    options = (
        f"-c statement_timeout={settings.database_statement_timeout_milliseconds}"
        f" -c lock_timeout={settings.database_lock_timeout_milliseconds}"
        # A session that forgot its transaction would block every later migration.
        " -c idle_in_transaction_session_timeout=60000"
        " -c timezone=UTC"
    )
    return create_engine(
        database_url(settings.database_url.get_secret_value()),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_max_overflow,
        pool_timeout=settings.database_pool_timeout_seconds,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": settings.database_connect_timeout_seconds,
            "options": options,
        },
    )


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions; use it as `with factory.begin() as session:`."""
    return sessionmaker(engine, expire_on_commit=False)


def database_check(engine: Engine) -> Check:
    """Return a readiness check that asks the database for an answer."""

    def check() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    return check
