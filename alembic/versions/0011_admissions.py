"""Credit codes of early issue, admitted by a person, are entries of the journal of a kind of their own.

SQLite cannot alter a check; as its manual advises for what changes no content, the text of the schema
is altered, which rebuilds no journal of any length.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BEFORE = (
    "publication", "intake", "undo", "policy", "determination", "confirmation", "decision",
    "withdrawal", "title", "holding", "checkpoint",
)  # fmt: skip
AFTER = (*BEFORE, "admission")


def upgrade():
    _change(BEFORE, AFTER)


def downgrade():
    _change(AFTER, BEFORE)


def _change(old, new):
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_journal_kind"), "journal", type_="check")
        # a later revision may have added kinds
        op.execute(
            f"ALTER TABLE journal ADD CONSTRAINT {op.f('ck_journal_kind')}"
            f" CHECK ({_among(new)}) NOT VALID"
        )
    else:
        _rewrite(_among(old), _among(new))


def _among(kinds):
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def _rewrite(old, new):
    """Alter the text of the journal in the schema; an unknown one is left as it is."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    where = "type = 'table' AND name = 'journal'"
    query = f"SELECT sql FROM sqlite_master WHERE {where}"
    before, found, after = connection.exec_driver_sql(query).scalar_one().partition(old)
    if not found:
        raise LookupError("the journal is not as the revisions before made it")
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    update = f"UPDATE sqlite_master SET sql = ? WHERE {where}"
    connection.exec_driver_sql(update, (before + new + after,))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
