"""The table `monoyard_schema`: which revisions a database has, and which of them raise its floor.

It stands beside alembic's version table, one row for each revision: what it follows, why older
versions cannot live with it (empty where they can), and which deployment applied it. A row is
written in the revision's own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import Connection, text

from .alembic_project import parents

NAME = "monoyard_schema"


class SchemaLedger:
    """The table of one version table.

    Args:
        context: alembic's context, whose schema it shares.
    """

    def __init__(self, context: MigrationContext) -> None:
        schema = context.version_table_schema
        quoted = context.dialect.identifier_preparer.quote
        self._table = f"{quoted(schema)}.{NAME}" if schema else NAME

    def exists(self, connection: Connection) -> bool:
        """Say whether the table is there."""
        found = connection.execute(text("SELECT to_regclass(:name)"), {"name": self._table})
        return found.scalar() is not None

    def create(self, connection: Connection) -> None:
        """Make the table where it is not there."""
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {self._table} ("
                " revision text PRIMARY KEY, parents text[] NOT NULL, breaks text,"
                " deployment text, applied_at timestamptz NOT NULL DEFAULT now())"
            )
        )

    def catch_up(self, connection: Connection, revisions: Iterable[Script]) -> None:
        """Write rows for revisions that were applied by others, without a floor."""
        for revision in revisions:
            self.add(connection, revision, "", None)

    def add(
        self, connection: Connection, revision: Script, breaks: str, deployment: str | None
    ) -> None:
        """Write the row of a revision; one that is there stays."""
        connection.execute(
            text(
                f"INSERT INTO {self._table} (revision, parents, breaks, deployment)"  # noqa: S608  our own name
                " VALUES (:revision, CAST(:parents AS text[]), :breaks, :deployment)"
                " ON CONFLICT (revision) DO NOTHING"
            ),
            {
                "revision": revision.revision,
                "parents": parents(revision),
                "breaks": breaks or None,
                "deployment": deployment,
            },
        )

    def deployments(self, connection: Connection) -> Mapping[str, Any]:
        """Return revision to the deployment that applied it, None where nobody said."""
        rows = connection.execute(
            text(f"SELECT revision, deployment FROM {self._table}")  # noqa: S608  our own name
        )
        return {row[0]: row[1] for row in rows}
