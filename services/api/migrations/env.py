"""Runs the migrations of schema `events` on the database in `DATABASE_URL`.

`MIGRATION_LOCK_TIMEOUT` is how long to wait for a lock, in PostgreSQL's words (`3s` unless set).
`alembic upgrade heads --sql` prints the SQL and needs no database.
"""

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from eventflow_api.tables import SCHEMA, Table
from eventflow_servicekit.database import database_url

# A migration that waits for a lock makes everyone behind it wait too: better to fail and retry.
LOCK_TIMEOUT = os.environ.get("MIGRATION_LOCK_TIMEOUT", "3s")
# A revision that waits longer for a while comes back to this.
context.config.attributes["lock_timeout"] = LOCK_TIMEOUT

OPTIONS: dict[str, Any] = {
    "target_metadata": Table.metadata,
    "version_table_schema": SCHEMA,
    "include_schemas": True,
    # Each revision commits by itself, so that one may run outside of a transaction.
    "transaction_per_migration": True,
}


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Tell whether a comparison looks at `name`: other schemas belong to other services."""
    return kind != "schema" or name == SCHEMA


def migrate_offline() -> None:
    """Print the SQL of the migrations."""
    context.configure(
        dialect_name="postgresql",
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        **OPTIONS,
    )
    with context.begin_transaction():
        context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        context.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        context.run_migrations()


def migrate(connection: Connection) -> None:
    """Run the migrations on `connection`."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    # The version table lives in the schema, so it must exist before the first revision.
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    connection.commit()
    context.configure(connection=connection, include_name=include_name, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def migrate_online() -> None:
    """Run the migrations on the connection that the caller gave, or on `DATABASE_URL`."""
    given = context.config.attributes.get("connection")
    if given is not None:
        with given.connect() if hasattr(given, "connect") else given as connection:
            migrate(connection)
        return
    engine = create_engine(database_url(os.environ["DATABASE_URL"]), poolclass=NullPool)
    with engine.connect() as connection:
        migrate(connection)


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
