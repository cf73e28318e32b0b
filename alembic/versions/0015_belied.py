"""Entries that call themselves decisions and begin otherwise are found without reading all bodies.

The index is empty in a sound journal.
"""

import sqlalchemy as sa

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OTHERS = (
    "publication", "intake", "undo", "policy", "determination", "confirmation", "withdrawal",
    "title", "holding", "checkpoint", "admission",
)  # fmt: skip
BELIED = " AND ".join(f"kind <> '{kind}'" for kind in OTHERS)
BELIED += " AND substr(body, 1, 18) <> '{\"applicability\":{'"


def upgrade():
    where = sa.text(BELIED)
    op.create_index(
        "ix_journal_belied", "journal", ["seq"], sqlite_where=where, postgresql_where=where
    )


def downgrade():
    op.drop_index("ix_journal_belied", "journal")
