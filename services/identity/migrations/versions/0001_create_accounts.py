"""Create the accounts of users and of service clients.

Nature: create. Safe beside the release before: yes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "identity"
MOMENT = postgresql.TIMESTAMP(timezone=True)
SCOPES = postgresql.ARRAY(sa.Text())


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("scopes", SCOPES, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.text("now()")),
        sa.Column("disabled_at", MOMENT),
        sa.UniqueConstraint("email", name="users_email_key"),
        # An address in two spellings would be two accounts of one person.
        sa.CheckConstraint("email = lower(email)", name=op.f("users_email_lower_check")),
        schema=SCHEMA,
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("scopes", SCOPES, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.text("now()")),
        sa.Column("disabled_at", MOMENT),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Remove both tables and all accounts."""
    op.drop_table("clients", schema=SCHEMA)
    op.drop_table("users", schema=SCHEMA)
