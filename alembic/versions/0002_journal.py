"""The journal, the documents it names, its checkpoints, and triggers that keep them.

Columns and triggers are spelt out, so that a revision never changes with the models.
"""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "document",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", _codes("ruleset", "applicability", "source"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_document_digest")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_document")),
    )
    op.create_table(
        "journal",
        sa.Column("seq", ROW_ID, autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            _codes(
                "publication",
                "intake",
                "undo",
                "policy",
                "determination",
                "confirmation",
                "decision",
                "withdrawal",
            ),
            nullable=False,
        ),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("filing_id", ROW_ID),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("disclosures", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_journal_seq")),
        sa.CheckConstraint(
            "length(digest) = 64 AND length(previous) = 64", name=op.f("ck_journal_digest")
        ),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_journal_filing_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
        sa.UniqueConstraint("previous", name=op.f("uq_journal_previous")),
        sa.UniqueConstraint("digest", name=op.f("uq_journal_digest")),
    )
    op.create_index("ix_journal_filing_id", "journal", ["filing_id"])
    op.create_table(
        "checkpoint",
        sa.Column("size", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("written_at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("size >= 1", name=op.f("ck_checkpoint_size")),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    for statement in FUNCTIONS if _is_postgresql() else ():
        op.execute(statement)
    for statement in POSTGRESQL if _is_postgresql() else SQLITE:
        op.execute(statement)


def downgrade():
    for table in ("checkpoint", "journal", "document"):
        op.drop_table(table)
    if _is_postgresql():
        op.execute("DROP FUNCTION tidu_refuse, tidu_follows CASCADE")
    else:
        for name in ("no_update", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER filing_{name}")


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _codes(*codes):
    return sa.Enum(*codes, name="kind", native_enum=False, create_constraint=True, length=40)


FUNCTIONS = (
    "CREATE FUNCTION tidu_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
    "CREATE FUNCTION tidu_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$ BEGIN IF NEW.seq <> (SELECT coalesce(max(seq), 0) FROM journal) + 1 OR NEW.previous <> coalesce((SELECT digest FROM journal WHERE seq = (SELECT coalesce(max(seq), 0) FROM journal)), '0000000000000000000000000000000000000000000000000000000000000000') THEN RAISE EXCEPTION 'journal is append-only'; END IF; RETURN NEW; END $$",
)

POSTGRESQL = (
    "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER document_no_delete BEFORE DELETE ON document FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER document_no_truncate BEFORE TRUNCATE ON document FOR EACH STATEMENT EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER document_no_update BEFORE UPDATE ON document FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER filing_no_delete BEFORE DELETE ON filing FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER filing_no_truncate BEFORE TRUNCATE ON filing FOR EACH STATEMENT EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER filing_no_update BEFORE UPDATE ON filing FOR EACH ROW WHEN (OLD.known_until IS NOT NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.enterprise_id IS DISTINCT FROM OLD.enterprise_id OR NEW.import_id IS DISTINCT FROM OLD.import_id OR NEW.as_of IS DISTINCT FROM OLD.as_of OR NEW.known_from IS DISTINCT FROM OLD.known_from OR NEW.sources IS DISTINCT FROM OLD.sources OR NEW.replaces_id IS DISTINCT FROM OLD.replaces_id OR NEW.identity IS DISTINCT FROM OLD.identity OR NEW.facts IS DISTINCT FROM OLD.facts OR NEW.digest IS DISTINCT FROM OLD.digest) EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER journal_follows BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION tidu_follows()",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION tidu_refuse()",
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
)

SQLITE = (
    "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
    "CREATE TRIGGER checkpoint_no_replace BEFORE INSERT ON checkpoint WHEN EXISTS (SELECT 1 FROM checkpoint WHERE size = NEW.size) BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
    "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
    "CREATE TRIGGER document_no_delete BEFORE DELETE ON document BEGIN SELECT RAISE(ABORT, 'document is append-only'); END",
    "CREATE TRIGGER document_no_replace BEFORE INSERT ON document WHEN EXISTS (SELECT 1 FROM document WHERE digest = NEW.digest) BEGIN SELECT RAISE(ABORT, 'document is append-only'); END",
    "CREATE TRIGGER document_no_update BEFORE UPDATE ON document BEGIN SELECT RAISE(ABORT, 'document is append-only'); END",
    "CREATE TRIGGER filing_no_delete BEFORE DELETE ON filing BEGIN SELECT RAISE(ABORT, 'filing is append-only'); END",
    "CREATE TRIGGER filing_no_replace BEFORE INSERT ON filing WHEN EXISTS (SELECT 1 FROM filing WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'filing is append-only'); END",
    "CREATE TRIGGER filing_no_update BEFORE UPDATE ON filing WHEN OLD.known_until IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.enterprise_id IS NOT OLD.enterprise_id OR NEW.import_id IS NOT OLD.import_id OR NEW.as_of IS NOT OLD.as_of OR NEW.known_from IS NOT OLD.known_from OR NEW.sources IS NOT OLD.sources OR NEW.replaces_id IS NOT OLD.replaces_id OR NEW.identity IS NOT OLD.identity OR NEW.facts IS NOT OLD.facts OR NEW.digest IS NOT OLD.digest BEGIN SELECT RAISE(ABORT, 'filing is append-only'); END",
    "CREATE TRIGGER journal_follows BEFORE INSERT ON journal WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) FROM journal) + 1 OR NEW.previous <> coalesce((SELECT digest FROM journal WHERE seq = (SELECT coalesce(max(seq), 0) FROM journal)), '0000000000000000000000000000000000000000000000000000000000000000') BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
)
