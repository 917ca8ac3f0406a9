"""Add the source of an event as a column, so that lists can be filtered by it.

Nature: expand. Safe beside the release before: yes, a column without a default is no rewrite.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Add the column, empty."""
    op.add_column("events", sa.Column("source", sa.Text()), schema=SCHEMA)


def downgrade() -> None:
    """Remove the column; the document still holds the value."""
    op.drop_column("events", "source", schema=SCHEMA)
