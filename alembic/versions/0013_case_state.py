"""Where the cases stand, for lists and searches: a projection of the tables that were there before.

Every upgrade to the newest revision fills it anew (``registry.database.migrations``), so that a
revision never changes with what is derived. SQLite has an index of names of its own, which triggers
keep; PostgreSQL's is an ordinary one.
"""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXTS, TEXTS_OR_NONE = "tier uscc name pairs", "province city county outcome"
FORMS = {
    "text": "typeof({}) = 'text' AND instr({}, char(0)) = 0",
    "whole": "typeof({}) = 'integer'",
    "day": "typeof({}) = 'text' AND {} IS date({}, '+0 days') AND {} >= '0001'",
}
COLUMNS = (
    ("whole", "enterprise_id"),
    ("text", TEXTS),
    ("text?", TEXTS_OR_NONE),
    ("whole?", "decision filing_id"),
    ("day?", "as_of"),
)
DAY = '("as_of" IS NULL OR "as_of" >= \'0001-01-01\' AND "as_of" <= \'9999-12-31\')'
INDEX = (
    "CREATE VIRTUAL TABLE case_name USING fts5"
    "(pairs, content='', columnsize=0, detail=none, tokenize='unicode61')"
)
OUT = (
    "INSERT INTO case_name (case_name, rowid, pairs)"
    " VALUES ('delete', OLD.enterprise_id, OLD.pairs);"
)
IN = "INSERT INTO case_name (rowid, pairs) VALUES (NEW.enterprise_id, NEW.pairs);"
TRIGGERS = (
    f"CREATE TRIGGER case_state_named AFTER INSERT ON case_state WHEN NEW.tier = '' BEGIN {IN} END",
    f"CREATE TRIGGER case_state_unnamed AFTER DELETE ON case_state WHEN OLD.tier = '' BEGIN {OUT} END",
    "CREATE TRIGGER case_state_renamed AFTER UPDATE OF pairs ON case_state WHEN OLD.tier = ''"
    f" BEGIN {OUT} {IN} END",
)
PAIRS = "array_to_tsvector(string_to_array(pairs, ' '))"


def upgrade():
    form = DAY if _is_postgresql() else _form()
    op.create_table(
        "case_state",
        sa.Column("enterprise_id", ROW_ID, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS.split()),
        *(sa.Column(name, sa.Text(), nullable=True) for name in TEXTS_OR_NONE.split()),
        sa.Column("decision", ROW_ID, nullable=True),
        sa.Column("filing_id", ROW_ID, nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_case_state_enterprise_id")
        ),
        sa.PrimaryKeyConstraint("enterprise_id", "tier", name=op.f("pk_case_state")),
        sa.CheckConstraint(form, name=op.f("ck_case_state_form")),
    )
    op.create_index("uq_case_state_uscc", "case_state", ["tier", "uscc"], unique=True)
    op.create_index("ix_case_state_outcome", "case_state", ["tier", "outcome", "uscc"])
    for place in ("province", "city", "county"):
        op.create_index(f"ix_case_state_{place}", "case_state", [place, "tier", "uscc"])
    op.create_index("ix_case_state_decision", "case_state", ["tier", "decision", "uscc"])
    op.create_index("ix_filing_enterprise_id", "filing", ["enterprise_id"])
    if _is_postgresql():
        op.execute(
            f"CREATE INDEX ix_case_state_pairs ON case_state USING gin ({PAIRS}) WHERE tier = ''"
        )
    else:
        for statement in (INDEX, *TRIGGERS):
            op.execute(statement)


def downgrade():
    op.drop_index("ix_filing_enterprise_id", "filing")
    op.drop_table("case_state")
    if not _is_postgresql():
        op.execute("DROP TABLE case_name")


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _form():
    parts = []
    for kind, names in COLUMNS:
        for name in (f'"{n}"' for n in names.split()):
            condition = FORMS[kind.rstrip("?")].replace("{}", name)
            null = f"{name} IS NULL OR " if kind.endswith("?") else ""
            parts.append(f"({null}{condition})")
    return " AND ".join(parts)
