"""Create what the worker writes: effects, hourly counts, dead letters.

Nature: create. Safe beside the release before: yes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "events"
MOMENT = postgresql.TIMESTAMP(timezone=True)
NOW = sa.text("now()")


def event_id(table: str) -> sa.Column[object]:
    """Return the column of `table` that names the event and goes away with it."""
    key = sa.ForeignKey(f"{SCHEMA}.events.id", ondelete="CASCADE", name=f"{table}_event_id_fkey")
    return sa.Column("event_id", sa.Uuid(), key, primary_key=True)


def upgrade() -> None:
    """Create the three tables that the worker writes."""
    op.create_table(
        "effects",
        event_id("effects"),
        sa.Column("effect", sa.Text(), primary_key=True),
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        schema=SCHEMA,
    )
    op.create_table(
        "hourly_counts",
        sa.Column("event_type", sa.Text(), primary_key=True),
        sa.Column("hour", MOMENT, primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        schema=SCHEMA,
    )
    op.create_table(
        "dead_letters",
        event_id("dead_letters"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("failed_at", MOMENT, nullable=False, server_default=NOW),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Remove the three tables and everything in them."""
    op.drop_table("dead_letters", schema=SCHEMA)
    op.drop_table("hourly_counts", schema=SCHEMA)
    op.drop_table("effects", schema=SCHEMA)
