"""The few entries of the journal that are no decisions are found without reading those that are."""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NO_DECISION = sa.text("kind <> 'decision'")


def upgrade():
    op.create_index(
        "ix_journal_changes",
        "journal",
        ["kind", "seq"],
        sqlite_where=NO_DECISION,
        postgresql_where=NO_DECISION,
    )


def downgrade():
    op.drop_index("ix_journal_changes", "journal")
