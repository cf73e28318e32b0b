"""What follows a grant is on record: updates, changes, complaints, and consequences.

The table ``due_item`` holds what is due of every title; it is made empty, and whoever upgrades fills
it. Entries that begin otherwise than those of their kind are found by an index. SQLite cannot alter a check; as its manual advises for what changes no content, the text of the
schema is altered, which rebuilds no journal of any length.
"""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KINDS = (
    "publication", "intake", "undo", "policy", "determination", "confirmation", "decision",
    "withdrawal", "title", "holding", "checkpoint", "admission", "calendar", "round",
    "application", "step", "announcement",
)  # fmt: skip
MORE_KINDS = (*KINDS, "update", "change", "complaint", "consequence")
BEGINS = "substr(body, 1, 18) <> '{\"applicability\":{'"

#: How the body of each kind begins.
BEGINNINGS = {
    "publication": '{"applicability":"',
    "intake": '{"closed":',
    "undo": '{"closed":',
    "policy": '{"four_eyes":',
    "determination": '{"case":',
    "confirmation": '{"determination":',
    "decision": '{"applicability":{',
    "withdrawal": '{"case":',
    "title": '{"action":',
    "holding": '{"action":',
    "checkpoint": '{"schema":',
    "admission": '{"action":',
    "calendar": '{"calendar":',
    "round": '{"batch":',
    "application": '{"applied_on":',
    "step": '{"act":',
    "announcement": '{"announced":',
    "update": '{"day":',
    "change": '{"changed":',
    "complaint": '{"day":',
    "consequence": '{"clocks":',
}

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: The columns of ``due_item``, by form.
COLUMNS = (
    ("text", "uscc tier"),
    ("whole", "number"),
    ("text", "name matter subject clocks"),
    ("day", "start"),
    ("text", "consequences"),
    ("day", "first"),
    ("day?", "last due near late unknown done proposed"),
    ("text?", "decided"),
    ("whole?", "unpublished"),
)
TYPES = {"whole": ROW_ID, "text": sa.Text(), "day": sa.Date()}
FORMS = {
    "text": "typeof({}) = 'text' AND instr({}, char(0)) = 0",
    "whole": "typeof({}) = 'integer'",
    "day": "typeof({}) = 'text' AND {} IS date({}, '+0 days') AND {} >= '0001'",
}
DAY = "\"{0}\" >= '0001-01-01' AND \"{0}\" <= '9999-12-31'"


def upgrade():
    _kinds(KINDS, MORE_KINDS)
    named = [(kind, name) for kind, names in COLUMNS for name in names.split()]
    op.create_table(
        "due_item",
        *(
            sa.Column(
                name, TYPES[kind.rstrip("?")], nullable=kind.endswith("?"), autoincrement=False
            )
            for kind, name in named
        ),
        sa.PrimaryKeyConstraint("uscc", "tier", "number", name=op.f("pk_due_item")),
        sa.CheckConstraint(_form(named), name=op.f("ck_due_item_form")),
    )
    alike = (
        f"kind = '{kind}' AND substr(body, 1, {len(begin)}) = '{begin}'"
        for kind, begin in BEGINNINGS.items()
    )
    where = sa.text(f"NOT ({' OR '.join(alike)})")
    op.create_index(
        "ix_journal_misnamed", "journal", ["seq"], sqlite_where=where, postgresql_where=where
    )
    op.create_index("ix_due_item_late", "due_item", ["late", "last"])
    op.create_index("ix_due_item_near", "due_item", ["near", "last"])


def downgrade():
    op.drop_index("ix_journal_misnamed", "journal")
    op.drop_table("due_item")
    _kinds(MORE_KINDS, KINDS)


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _kinds(kinds, new):
    op.drop_index("ix_journal_belied", "journal")
    if _is_postgresql():
        name = op.f("ck_journal_kind")
        op.drop_constraint(name, "journal", type_="check")
        # what was stored meanwhile stays, and is not looked at
        op.execute(f"ALTER TABLE journal ADD CONSTRAINT {name} CHECK ({_among(new)}) NOT VALID")
        if len(new) > len(KINDS):
            op.execute(f"ALTER TABLE journal VALIDATE CONSTRAINT {name}")
    else:
        _rewrite(_among(kinds), _among(new))
    others = [f"kind <> '{kind}'" for kind in new if kind != "decision"]
    where = sa.text(" AND ".join((*others, BEGINS)))
    op.create_index(
        "ix_journal_belied", "journal", ["seq"], sqlite_where=where, postgresql_where=where
    )


def _among(kinds):
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def _rewrite(old, new):
    """Alter the text of the journal in the schema; in an unknown one nothing is."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    where = "type = 'table' AND name = 'journal'"
    text = connection.exec_driver_sql(f"SELECT sql FROM sqlite_master WHERE {where}").scalar_one()
    before, found, after = text.partition(old)
    if not found:
        raise LookupError("the table journal is not as the revisions before made it")
    update = f"UPDATE sqlite_master SET sql = ? WHERE {where}"
    connection.exec_driver_sql(update, (before + new + after,))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")


def _form(named):
    """The condition that every value of a row is in its one form."""
    if _is_postgresql():
        found = [(kind, name, DAY.format(name)) for kind, name in named if "day" in kind]
    else:
        found = [
            (kind, name, FORMS[kind.rstrip("?")].replace("{}", f'"{name}"')) for kind, name in named
        ]
    return " AND ".join(
        f'("{name}" IS NULL OR {condition})' if kind.endswith("?") else f"({condition})"
        for kind, name, condition in found
    )
