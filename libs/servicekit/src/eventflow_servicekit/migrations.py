"""Runs a service's migrations in its own schema; needs the package `alembic`.

A service's `env.py` is one call of `run_migrations`. `MIGRATION_LOCK_TIMEOUT` is how long to wait
for a lock, in PostgreSQL's words (`3s` unless set). `alembic upgrade heads --sql` prints the SQL
and needs no database.
"""

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy.pool import NullPool

from eventflow_servicekit.database import database_url


def run_migrations(metadata: MetaData, schema: str) -> None:
    """Run the migrations that alembic asks for.

    The connection is the one in `config.attributes["connection"]`, else a new one to
    `DATABASE_URL`. `config.attributes["lock_timeout"]` is set for revisions that change it for a
    while.

    Args:
        metadata: The tables in the code, for comparisons.
        schema: The service's schema; the history is kept in it, and others are not looked at.
    """
    history = _History(metadata, schema)
    if context.is_offline_mode():
        history.print_sql()
    else:
        history.migrate()


class _History:
    def __init__(self, metadata: MetaData, schema: str) -> None:
        self._schema = schema
        # A migration that waits for a lock makes everyone behind it wait: better fail and retry.
        self._lock_timeout = os.environ.get("MIGRATION_LOCK_TIMEOUT", "3s")
        context.config.attributes["lock_timeout"] = self._lock_timeout
        self._options: dict[str, Any] = {
            "target_metadata": metadata,
            "version_table_schema": schema,
            "include_schemas": True,
            # Each revision commits by itself, so that one may run outside of a transaction.
            "transaction_per_migration": True,
        }

    def print_sql(self) -> None:
        context.configure(
            dialect_name="postgresql",
            literal_binds=True,
            dialect_opts={"paramstyle": "named"},
            **self._options,
        )
        with context.begin_transaction():
            for statement in self._preparation:
                context.execute(statement)
            context.run_migrations()

    def migrate(self) -> None:
        given = context.config.attributes.get("connection")
        if isinstance(given, Connection):
            self._migrate_on(given)
            return
        if given is None:
            given = create_engine(database_url(os.environ["DATABASE_URL"]), poolclass=NullPool)
        with given.connect() as connection:
            self._migrate_on(connection)

    def _migrate_on(self, connection: Connection) -> None:
        for statement in self._preparation:
            connection.execute(text(statement))
        connection.commit()
        context.configure(connection=connection, include_name=self._is_looked_at, **self._options)
        with context.begin_transaction():
            context.run_migrations()

    @property
    def _preparation(self) -> tuple[str, ...]:
        # The version table lives in the schema, so it must exist before the first revision.
        return (
            f"SET lock_timeout = '{self._lock_timeout}'",
            f"CREATE SCHEMA IF NOT EXISTS {self._schema}",
        )

    def _is_looked_at(self, name: str | None, kind: str, _parents: object) -> bool:
        return kind != "schema" or name == self._schema
