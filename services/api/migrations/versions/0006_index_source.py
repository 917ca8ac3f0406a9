"""Index the events of a source in the order of their lists.

Nature: index, concurrently. Safe beside the release before: yes. An attempt that was killed leaves
an invalid index behind; the next one removes it first.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
monoyard = {"deny": {"opaque": "with a database it only removes its own invalid index as well"}}

SCHEMA = "events"
INDEX = "events_source_received_at_id_idx"
INVALID = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
# Waiting here blocks nobody: it only waits for older transactions to end.
PATIENCE = "SET lock_timeout = '60s'"


def upgrade() -> None:
    """Build the index without blocking writers."""
    with op.get_context().autocommit_block():
        op.execute(PATIENCE)
        if not context.is_offline_mode() and is_invalid():
            drop()
        op.create_index(
            INDEX,
            "events",
            ["source", "received_at", "id"],
            schema=SCHEMA,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.execute(usual_patience())


def downgrade() -> None:
    """Remove the index without blocking anyone."""
    with op.get_context().autocommit_block():
        op.execute(PATIENCE)
        drop()
        op.execute(usual_patience())


def usual_patience() -> str:
    """Return the statement that goes back to the lock timeout of all revisions."""
    return f"SET lock_timeout = '{context.config.attributes['lock_timeout']}'"


def is_invalid() -> bool:
    """Tell whether a killed attempt left the index behind."""
    return op.get_bind().execute(INVALID, {"name": f"{SCHEMA}.{INDEX}"}).scalar() is not None


def drop() -> None:
    """Remove the index without blocking anyone."""
    op.drop_index(
        INDEX, table_name="events", schema=SCHEMA, postgresql_concurrently=True, if_exists=True
    )
