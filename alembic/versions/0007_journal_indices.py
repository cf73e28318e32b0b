"""Indices of the journal only of what is looked for: recording does not slow down as it grows.

Two unique digests in every entry stood in random order, so that each transaction touched ever more
pages. Neither is needed to keep the chain: the number is unique, and an entry that does not follow
the last is refused. SQLite cannot drop a constraint, so its journal is built anew, with the
triggers that keep it.
"""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = (
    "publication", "intake", "undo", "policy", "determination", "confirmation", "decision",
    "withdrawal", "title", "holding",
)  # fmt: skip
COLUMNS = (
    "seq, kind, tier, filing_id, recorded_at, program, body, disclosures, previous, digest,"
    " subject, holder"
)
DIGESTS = ("previous", "digest")
NO_DECISION = "kind <> 'decision'"


def upgrade():
    if _is_postgresql():
        for column in DIGESTS:
            op.drop_constraint(op.f(f"uq_journal_{column}"), "journal", type_="unique")
        for column in ("subject", "holder"):
            op.drop_index(f"ix_journal_{column}", "journal")
    else:
        _rebuild()
    _index("digest", where=NO_DECISION, unique=True)
    for column in ("subject", "holder"):
        _index(column, where=f"{column} IS NOT NULL")


def downgrade():
    op.drop_index("ix_journal_digest", "journal")
    if _is_postgresql():
        for column in ("subject", "holder"):
            op.drop_index(f"ix_journal_{column}", "journal")
        for column in DIGESTS:
            op.create_unique_constraint(op.f(f"uq_journal_{column}"), "journal", [column])
    else:
        _rebuild(*(sa.UniqueConstraint(c, name=op.f(f"uq_journal_{c}")) for c in DIGESTS))
    for column in ("subject", "holder"):
        op.create_index(f"ix_journal_{column}", "journal", [column])


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _index(column, *, where, unique=False):
    where = sa.text(where)
    op.create_index(
        f"ix_journal_{column}",
        "journal",
        [column],
        unique=unique,
        sqlite_where=where,
        postgresql_where=where,
    )


def _rebuild(*constraints):
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
        sa.Column("holder", sa.Text()),
        sa.CheckConstraint(
            f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name=op.f("ck_journal_kind")
        ),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_journal_seq")),
        sa.CheckConstraint(
            "length(digest) = 64 AND length(previous) = 64", name=op.f("ck_journal_digest")
        ),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_journal_filing_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
        *constraints,
    )
    op.execute(f"INSERT INTO journal_new ({COLUMNS}) SELECT {COLUMNS} FROM journal ORDER BY seq")
    op.drop_table("journal")
    op.rename_table("journal_new", "journal")
    op.create_index("ix_journal_filing_id", "journal", ["filing_id"])
    where = sa.text(NO_DECISION)
    op.create_index(
        "ix_journal_changes", "journal", ["kind", "seq"], sqlite_where=where, postgresql_where=where
    )
    for statement in TRIGGERS:
        op.execute(statement)


TRIGGERS = (
    "CREATE TRIGGER journal_follows BEFORE INSERT ON journal WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) FROM journal) + 1 OR NEW.previous <> coalesce((SELECT digest FROM journal WHERE seq = (SELECT coalesce(max(seq), 0) FROM journal)), '0000000000000000000000000000000000000000000000000000000000000000') BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
)
