"""What the measures of 2026 ask for: the place among right holders, and the yearly development score.

Columns are added in place, the check with its column, so that no table is built anew.
"""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "ip_right",
        sa.Column(
            "holder_rank",
            sa.BigInteger(),
            sa.CheckConstraint("holder_rank >= 1", name=op.f("ck_ip_right_minimum")),
        ),
    )
    op.add_column("yearly_figure", sa.Column("development_score", sa.Text()))


def downgrade():
    op.drop_column("yearly_figure", "development_score")
    op.drop_column("ip_right", "holder_rank")
