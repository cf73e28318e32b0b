"""What may be filed is published with the criteria: a catalogue is a document of its own kind.

SQLite cannot alter a check; as its manual advises for what changes no content, the text of the schema
is altered, which rebuilds no table of any size.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = ("ruleset", "applicability", "source")
AFTER = ("ruleset", "applicability", "catalogue", "source")


def upgrade():
    _change(BEFORE, AFTER)


def downgrade():
    # what was published meanwhile stays, and is not looked at
    _change(AFTER, BEFORE, "NOT VALID")


def _change(old, new, valid=""):
    if op.get_bind().dialect.name == "postgresql":
        name = op.f("ck_document_kind")
        op.drop_constraint(name, "document", type_="check")
        op.execute(f"ALTER TABLE document ADD CONSTRAINT {name} CHECK ({_among(new)}) {valid}")
    else:
        _rewrite(_among(old), _among(new))


def _among(kinds):
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def _rewrite(old, new):
    """Alter the text of the table in the schema; an unknown one is left as it is."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    where = "type = 'table' AND name = 'document'"
    query = f"SELECT sql FROM sqlite_master WHERE {where}"
    before, found, after = connection.exec_driver_sql(query).scalar_one().partition(old)
    if not found:
        raise LookupError("the documents are not as the revisions before made them")
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    update = f"UPDATE sqlite_master SET sql = ? WHERE {where}"
    connection.exec_driver_sql(update, (before + new + after,))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
