"""Require the source of every event.

Nature: contract. Safe beside the release before: no, it does not write the column. The check is
added first and validated without blocking writers, so that SET NOT NULL needs no scan
(PostgreSQL 12 and later use the check as proof).
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
monoyard = {
    "accept": {
        "blocking": "the check is validated under the lock of its own revision; the table is small",
        "breaks": "every version since 0003 was released writes the column",
    }
}

SCHEMA = "events"
CHECK = "events_source_present_check"


def upgrade() -> None:
    """Prove that every event has a source, then require it."""
    op.execute(
        f"ALTER TABLE {SCHEMA}.events ADD CONSTRAINT {CHECK} CHECK (source IS NOT NULL) NOT VALID"
    )
    op.execute(f"ALTER TABLE {SCHEMA}.events VALIDATE CONSTRAINT {CHECK}")
    op.alter_column("events", "source", nullable=False, schema=SCHEMA)
    op.execute(f"ALTER TABLE {SCHEMA}.events DROP CONSTRAINT {CHECK}")


def downgrade() -> None:
    """Allow events without a source."""
    op.alter_column("events", "source", nullable=True, schema=SCHEMA)
