"""${message}.

Nature: <create | expand | backfill | contract | index>; safe beside the release before: <yes | no>.
"""

${"from alembic import op"}
${"import sqlalchemy as sa"}
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """<What it does to the tables.>"""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """<What going back loses.>"""
    ${downgrades if downgrades else "pass"}
