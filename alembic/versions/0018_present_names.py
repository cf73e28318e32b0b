"""Lists show the present names of enterprises, after changes that are on record.

No table changes: what lists show is derived anew at a new revision.
"""

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade():
    """Nothing to do here."""


def downgrade():
    """Nothing to do here."""
