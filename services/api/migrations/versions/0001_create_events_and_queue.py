"""Create the events, their queue, and the idempotency keys.

Nature: create. Safe beside the release before: yes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "events"
MOMENT = postgresql.TIMESTAMP(timezone=True)
NOW = sa.text("now()")


def upgrade() -> None:
    """Create the three tables and the indexes that lists and the worker use."""
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("occurred_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        schema=SCHEMA,
    )
    op.create_index("events_received_at_id_idx", "events", ["received_at", "id"], schema=SCHEMA)
    op.create_index(
        "events_type_received_at_id_idx", "events", ["type", "received_at", "id"], schema=SCHEMA
    )
    op.create_table(
        "queue",
        sa.Column(
            "event_id",
            sa.Uuid(),
            sa.ForeignKey(f"{SCHEMA}.events.id", ondelete="CASCADE", name="queue_event_id_fkey"),
            primary_key=True,
        ),
        sa.Column("available_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("locked_until", MOMENT),
        sa.Column("locked_by", sa.Text()),
        sa.Column("last_error", sa.Text()),
        schema=SCHEMA,
    )
    op.create_index("queue_available_at_idx", "queue", ["available_at"], schema=SCHEMA)
    op.create_table(
        "idempotency_keys",
        sa.Column("client_id", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("response", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Remove the three tables and everything in them."""
    op.drop_table("idempotency_keys", schema=SCHEMA)
    op.drop_table("queue", schema=SCHEMA)
    op.drop_table("events", schema=SCHEMA)
