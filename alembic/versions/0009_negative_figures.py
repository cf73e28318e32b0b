"""Figures of a year are kept as accounts show them, also below zero: nothing is computed with such.

SQLite cannot drop a check; as its manual advises for what changes no content, the text of the schema is
altered, which rebuilds no table of any size.
"""

from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE, NAME = "yearly_figure", "ck_yearly_figure_minimum"
COLUMNS = (
    "staff", "rd_staff", "revenue", "main_revenue", "rd_expense", "total_assets", "total_liabilities",
)  # fmt: skip
CONDITION = " AND ".join(f"{column} >= 0" for column in COLUMNS)
#: The check as it stands in SQLite's text of the table, among the others.
LINE = f"CONSTRAINT {NAME} CHECK ({CONDITION}), \n\t"
#: What stands behind it.
NEXT = "CONSTRAINT ck_yearly_figure_period "


def upgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(NAME), TABLE, type_="check")
    else:
        _rewrite(LINE, "")


def downgrade():
    # what was stored meanwhile stays, and is not looked at
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} CHECK ({CONDITION}) NOT VALID")
    else:
        _rewrite(NEXT, f"{LINE}{NEXT}")


def _rewrite(old, new):
    """Alter the text of the table once; an unknown one is not."""
    connection = op.get_bind()
    where = "type = 'table' AND name = ?"
    query = f"SELECT sql FROM sqlite_master WHERE {where}"
    text = connection.exec_driver_sql(query, (TABLE,)).scalar_one()
    if text.count(old) != 1:
        raise LookupError(f"the table {TABLE} is not as the revisions before made it")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    update = f"UPDATE sqlite_master SET sql = ? WHERE {where}"
    connection.exec_driver_sql(update, (text.replace(old, new), TABLE))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
