"""What alembic executes; see `eventflow_servicekit.migrations`."""

from eventflow_api.tables import SCHEMA, Table
from eventflow_servicekit.migrations import run_migrations

run_migrations(Table.metadata, SCHEMA)
