"""The life of a title is on record: rounds, applications, steps, announcements, and holidays.

Workflows, clocks and the calendar are documents of their own kinds. ``case_state`` says in which state of
its workflow a case is, whom it waits for, and until when; the upgrade makes it anew and fills it.
SQLite cannot alter a check; as its manual advises for what changes no content, the text of the
schema is altered, which rebuilds no journal of any length.
"""

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KINDS = (
    "publication", "intake", "undo", "policy", "determination", "confirmation", "decision",
    "withdrawal", "title", "holding", "checkpoint", "admission",
)  # fmt: skip
MORE_KINDS = (*KINDS, "calendar", "round", "application", "step", "announcement")
TEXTS = ("ruleset", "applicability", "catalogue", "source")
MORE_TEXTS = (
    "ruleset", "applicability", "catalogue", "workflows", "clocks", "calendar", "source",
)  # fmt: skip
BEGINS = "substr(body, 1, 18) <> '{\"applicability\":{'"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLACES = ("province", "city", "county")
#: The columns of ``case_state`` before, by form, and those that came.
BEFORE = (
    ("whole", "enterprise_id"),
    ("text", "tier uscc name pairs"),
    ("text?", "province city county standing"),
    ("whole?", "decision filing_id"),
    ("day?", "as_of"),
)
AFTER = (*BEFORE, ("text?", "state level"), ("day?", "due"), ("whole?", "step"))
TYPES = {"whole": ROW_ID, "text": sa.Text(), "day": sa.Date()}
FORMS = {
    "text": "typeof({}) = 'text' AND instr({}, char(0)) = 0",
    "whole": "typeof({}) = 'integer'",
    "day": "typeof({}) = 'text' AND {} IS date({}, '+0 days') AND {} >= '0001'",
}
DAY = '("{0}" IS NULL OR "{0}" >= \'0001-01-01\' AND "{0}" <= \'9999-12-31\')'
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
    _kinds(KINDS, MORE_KINDS, TEXTS, MORE_TEXTS)
    _case_state(AFTER)
    op.create_index("ix_case_state_due", "case_state", ["tier", "state", "due", "uscc"])


def downgrade():
    _kinds(MORE_KINDS, KINDS, MORE_TEXTS, TEXTS)
    _case_state(BEFORE)


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _kinds(kinds, new_kinds, texts, new_texts):
    op.drop_index("ix_journal_belied", "journal")
    if _is_postgresql():
        for table, new in (("journal", new_kinds), ("document", new_texts)):
            name = op.f(f"ck_{table}_kind")
            op.drop_constraint(name, table, type_="check")
            # what was stored meanwhile stays, and is not looked at
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({_among(new)}) NOT VALID")
            if len(new) > len(KINDS if table == "journal" else TEXTS):
                op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    else:
        _rewrite({
            "journal": (_among(kinds), _among(new_kinds)),
            "document": (_among(texts), _among(new_texts)),
        })  # fmt: skip
    others = [f"kind <> '{kind}'" for kind in new_kinds if kind != "decision"]
    where = sa.text(" AND ".join((*others, BEGINS)))
    op.create_index(
        "ix_journal_belied", "journal", ["seq"], sqlite_where=where, postgresql_where=where
    )


def _among(kinds):
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def _rewrite(tables):
    """Alter texts of the schema; in an unknown one nothing is."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, (old, new) in tables.items():
        where = "type = 'table' AND name = ?"
        query = f"SELECT sql FROM sqlite_master WHERE {where}"
        text = connection.exec_driver_sql(query, (table,)).scalar_one()
        before, found, after = text.partition(old)
        if not found:
            raise LookupError(f"the table {table} is not as the revisions before made it")
        update = f"UPDATE sqlite_master SET sql = ? WHERE {where}"
        connection.exec_driver_sql(update, (before + new + after, table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")


def _case_state(columns):
    """Make the table anew, and empty; whoever upgrades fills it."""
    op.drop_table("case_state")
    named = [(kind, name) for kind, names in columns for name in names.split()]
    op.create_table(
        "case_state",
        *(
            sa.Column(
                name, TYPES[kind.rstrip("?")], nullable=kind.endswith("?"), autoincrement=False
            )
            for kind, name in named
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_case_state_enterprise_id")
        ),
        sa.PrimaryKeyConstraint("enterprise_id", "tier", name=op.f("pk_case_state")),
        sa.CheckConstraint(_form(named), name=op.f("ck_case_state_form")),
    )
    op.create_index("uq_case_state_uscc", "case_state", ["tier", "uscc"], unique=True)
    op.create_index("ix_case_state_standing", "case_state", ["tier", "standing", "uscc"])
    for place in PLACES:
        op.create_index(f"ix_case_state_{place}", "case_state", [place, "tier", "standing", "uscc"])
    if _is_postgresql():
        op.execute(
            # a list of pending rows would be read whole by every search until it is tidied
            f"CREATE INDEX ix_case_state_pairs ON case_state USING gin ({PAIRS})"
            " WITH (fastupdate = off) WHERE tier = ''"
        )
    else:
        op.execute("INSERT INTO case_name (case_name) VALUES ('delete-all')")
        for statement in TRIGGERS:
            op.execute(statement)


def _form(named):
    """The condition that every value of a row is in its one form."""
    if _is_postgresql():
        return " AND ".join(DAY.format(name) for kind, name in named if kind == "day?")
    parts = []
    for kind, name in named:
        condition = FORMS[kind.rstrip("?")].replace("{}", f'"{name}"')
        null = f'"{name}" IS NULL OR ' if kind.endswith("?") else ""
        parts.append(f"({null}{condition})")
    return " AND ".join(parts)
