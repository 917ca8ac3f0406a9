"""Create the list of tokens that ended before their time.

Nature: create. Safe beside the release before: yes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "identity"
MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the table, with an index for removing what has expired anyway."""
    op.create_table(
        "revoked_tokens",
        sa.Column("token_id", sa.Text(), primary_key=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=False, server_default=sa.text("now()")),
        schema=SCHEMA,
    )
    op.create_index(
        "revoked_tokens_expires_at_idx", "revoked_tokens", ["expires_at"], schema=SCHEMA
    )


def downgrade() -> None:
    """Remove the table: tokens revoked until now count as good again until they expire."""
    op.drop_table("revoked_tokens", schema=SCHEMA)
