"""How a case stands is one column, and every list is a range of one index.

``outcome`` becomes ``standing``: in the row of a tier still the outcome, in that of an enterprise
the tiers under which its newest filing is decided. The upgrade fills it anew.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PLACES = ("province", "city", "county")


def upgrade():
    for name in ("outcome", "decision", *PLACES):
        op.drop_index(f"ix_case_state_{name}", "case_state")
    op.execute("ALTER TABLE case_state RENAME COLUMN outcome TO standing")
    op.create_index("ix_case_state_standing", "case_state", ["tier", "standing", "uscc"])
    for name in PLACES:
        columns = [name, "tier", "standing", "uscc"]
        op.create_index(f"ix_case_state_{name}", "case_state", columns)


def downgrade():
    for name in ("standing", *PLACES):
        op.drop_index(f"ix_case_state_{name}", "case_state")
    op.execute("ALTER TABLE case_state RENAME COLUMN standing TO outcome")
    op.create_index("ix_case_state_outcome", "case_state", ["tier", "outcome", "uscc"])
    op.create_index("ix_case_state_decision", "case_state", ["tier", "decision", "uscc"])
    for name in PLACES:
        op.create_index(f"ix_case_state_{name}", "case_state", [name, "tier", "uscc"])
