"""Fill the source of events that were accepted before the column existed.

Nature: backfill. Safe beside the release before: yes. It commits after each batch, so that no
lock is held for long, and may be killed and run again: it only looks at rows without a source.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
monoyard = {"deny": {"opaque": "it fills rows without a source, in batches of 1,000, and no other"}}

FILL = """
DO $$
DECLARE
    filled bigint;
BEGIN
    LOOP
        UPDATE events.events SET source = document ->> 'source'
        WHERE id IN (
            SELECT id FROM events.events WHERE source IS NULL LIMIT 1000 FOR UPDATE SKIP LOCKED
        );
        GET DIAGNOSTICS filled = ROW_COUNT;
        COMMIT;
        EXIT WHEN filled = 0;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    """Fill the column batch by batch."""
    # COMMIT inside of the block is only allowed outside of a transaction.
    with op.get_context().autocommit_block():
        op.execute(FILL)


def downgrade() -> None:
    """Keep the values: the revision before removes the column with them."""
