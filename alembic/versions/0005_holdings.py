"""Holdings on the record: entries of a kind of their own, found by enterprise and by holder.

SQLite cannot alter a check, so its journal is built anew, with the triggers that keep it.
"""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = (
    "publication", "intake", "undo", "policy", "determination", "confirmation", "decision",
    "withdrawal", "title",
)  # fmt: skip
COLUMNS = (
    "seq, kind, tier, filing_id, recorded_at, program, body, disclosures, previous, digest, subject"
)


def upgrade():
    if _is_postgresql():
        op.add_column("journal", sa.Column("holder", sa.Text()))
        _check(*BEFORE, "holding")
    else:
        _rebuild(sa.Column("holder", sa.Text()), kinds=(*BEFORE, "holding"))
    op.create_index("ix_journal_holder", "journal", ["holder"])


def downgrade():
    op.drop_index("ix_journal_holder", "journal")
    if _is_postgresql():
        _check(*BEFORE)
        op.drop_column("journal", "holder")
    else:
        _rebuild(kinds=BEFORE)


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _check(*kinds):
    op.drop_constraint(op.f("ck_journal_kind"), "journal", type_="check")
    op.create_check_constraint(op.f("ck_journal_kind"), "journal", _among(kinds))


def _among(kinds):
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def _rebuild(*more, kinds):
    op.create_table(
        "journal_new",
        sa.Column("seq", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("filing_id", ROW_ID),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("disclosures", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text()),
        *more,
        sa.CheckConstraint(_among(kinds), name=op.f("ck_journal_kind")),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_journal_seq")),
        sa.CheckConstraint(
            "length(digest) = 64 AND length(previous) = 64", name=op.f("ck_journal_digest")
        ),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_journal_filing_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
        sa.UniqueConstraint("previous", name=op.f("uq_journal_previous")),
        sa.UniqueConstraint("digest", name=op.f("uq_journal_digest")),
    )
    op.execute(f"INSERT INTO journal_new ({COLUMNS}) SELECT {COLUMNS} FROM journal ORDER BY seq")
    op.drop_table("journal")
    op.rename_table("journal_new", "journal")
    op.create_index("ix_journal_filing_id", "journal", ["filing_id"])
    op.create_index("ix_journal_subject", "journal", ["subject"])
    for statement in TRIGGERS:
        op.execute(statement)


TRIGGERS = (
    "CREATE TRIGGER journal_follows BEFORE INSERT ON journal WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) FROM journal) + 1 OR NEW.previous <> coalesce((SELECT digest FROM journal WHERE seq = (SELECT coalesce(max(seq), 0) FROM journal)), '0000000000000000000000000000000000000000000000000000000000000000') BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
)
