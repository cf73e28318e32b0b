"""Every value is stored in its one form, and the journal says which checkpoints were signed.

What was stored before is left as it is, and not looked at: ``audit verify`` names what is amiss.
So PostgreSQL takes the checks as not yet valid. SQLite cannot add a check; as its manual advises for
what changes no content, the text of the schema is altered, which rebuilds no table of any size.
Columns and conditions are spelt out, so that a revision never changes with the models.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BEFORE = (
    "publication", "intake", "undo", "policy", "determination", "confirmation", "decision",
    "withdrawal", "title", "holding",
)  # fmt: skip
AFTER = (*BEFORE, "checkpoint")


def upgrade():
    if _is_postgresql():
        _among_postgresql(AFTER)
        for name, table, form in _forms():
            op.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT {name} CHECK ({form}) NOT VALID')
    else:
        changed = {table: _appended(name, form) for name, table, form in _forms()}
        _rewrite({**changed, "journal": (*changed["journal"], (_among(BEFORE), _among(AFTER)))})


def downgrade():
    if _is_postgresql():
        for name, table, _ in _forms():
            op.drop_constraint(op.f(name), table, type_="check")
        _among_postgresql(BEFORE)
    else:
        changed = {
            table: tuple((new, old) for old, new in _appended(name, form))
            for name, table, form in _forms()
        }
        _rewrite({**changed, "journal": (*changed["journal"], (_among(AFTER), _among(BEFORE)))})


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _among(kinds):
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def _among_postgresql(kinds):
    op.drop_constraint(op.f("ck_journal_kind"), "journal", type_="check")
    op.create_check_constraint(op.f("ck_journal_kind"), "journal", _among(kinds))


def _forms():
    """The name, table and condition of each check."""
    conditions = POSTGRESQL if _is_postgresql() else SQLITE
    for table, columns in COLUMNS.items():
        parts = []
        for kind, names in columns:
            for name in (f'"{n}"' for n in names.split()):
                condition = conditions.get(kind.rstrip("?"), "").replace("{}", name)
                null = f"{name} IS NULL OR " if kind.endswith("?") else ""
                parts += [f"({null}{condition})"] if condition else []
        if parts:
            yield f"ck_{table}_form", table, " AND ".join(parts)


def _appended(name, form):
    """What is replaced in the text of a table: its last bracket, by a check before it."""
    return (("\n)", f", \n\tCONSTRAINT {name} CHECK ({form})\n)"),)


def _rewrite(tables):
    """Alter texts of the schema; in an unknown one nothing is."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, changes in tables.items():
        where = "type = 'table' AND name = ?"
        query = f"SELECT sql FROM sqlite_master WHERE {where}"
        text = connection.exec_driver_sql(query, (table,)).scalar_one()
        for old, new in changes:
            before, found, after = text.rpartition(old)
            if not found:
                raise LookupError(f"the table {table} is not as the revisions before made it")
            text = before + new + after
        update = f"UPDATE sqlite_master SET sql = ? WHERE {where}"
        connection.exec_driver_sql(update, (text, table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")


SQLITE = {
    "text": "typeof({}) = 'text' AND instr({}, char(0)) = 0",
    "flag": "typeof({}) = 'integer' AND {} IN (0, 1)",
    "moment": "typeof({}) = 'text' AND length(CAST({} AS BLOB)) = 26 AND substr({}, 1, 19) IS datetime(substr({}, 1, 19), '+0 days') AND {} >= '0001' AND substr({}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'",
    "day": "typeof({}) = 'text' AND {} IS date({}, '+0 days') AND {} >= '0001'",
    "whole": "typeof({}) = 'integer'",
    "exact": "typeof({}) = 'text' AND length(CAST({} AS BLOB)) <= 90 AND ltrim({}, '-') GLOB '[0-9]*' AND substr({}, 2) NOT GLOB '*[^0-9.]*' AND {} NOT GLOB '*.*.*' AND {} NOT GLOB '*.*0' AND {} NOT GLOB '*.' AND ltrim({}, '-') NOT GLOB '0[0-9]*' AND {} <> '-0' AND instr({}, char(0)) = 0",
}
POSTGRESQL = {
    "moment": "{} >= '0001-01-01' AND {} < '10000-01-01'",
    "day": "{} >= '0001-01-01' AND {} <= '9999-12-31'",
    "exact": "length({}) <= 90 AND {} <> '-0' AND {} ~ '^-?(0|[1-9][0-9]*)([.][0-9]*[1-9])?$'",
}
#: The columns of each table by their kind; those with a question mark may be empty.
COLUMNS = {
    "award": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("text?", "level"),
        ("whole?", "rank"),
        ("day?", "date"),
        ("text?", "name"),
    ),
    "brand": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("text?", "name"),
        ("flag?", "has_ip registered earning"),
    ),
    "checkpoint": (
        ("whole", "size"),
        ("moment", "written_at"),
        ("text", "note"),
    ),
    "competition": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("whole?", "rank"),
        ("day?", "date"),
        ("text?", "group"),
    ),
    "document": (("text", "digest kind text"),),
    "enterprise": (
        ("whole", "id"),
        ("text", "uscc name"),
        ("text?", "province city county"),
        ("day?", "registered_on"),
        ("whole?", "registered_capital"),
        (
            "text?",
            "legal_representative controlling_shareholder actual_controller size enterprise_type listing leading_product segment",
        ),
    ),
    "filed_fact": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id"),
        ("text", "fact"),
        ("flag?", "flag"),
        ("whole?", "money"),
        ("exact?", "number"),
        ("day?", "day"),
        ("text?", "words"),
    ),
    "filing": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole?", "replaces_id"),
        ("text", "identity facts digest"),
    ),
    "financing": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("day?", "date"),
        ("whole?", "amount"),
        ("text?", "investor"),
        ("flag?", "qualified new_shareholder"),
        ("exact?", "share_given"),
    ),
    "finding": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id"),
        ("text", "fact"),
        ("flag?", "flag"),
        ("whole?", "money"),
        ("exact?", "number"),
        ("day?", "day"),
        ("text?", "words"),
    ),
    "honour": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("text?", "kind"),
        ("day?", "valid_until"),
        ("flag?", "accepted"),
    ),
    "import": (
        ("whole", "id"),
        ("text", "file digest"),
        ("day?", "as_of"),
        ("moment", "loaded_at"),
        ("moment?", "undone_at"),
        ("whole", "new changed unchanged refused"),
    ),
    "institution": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("text?", "level name"),
    ),
    "ip_right": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("text?", "kind number"),
        ("flag?", "in_force related"),
        ("text?", "acquisition"),
        ("day?", "grant_date transfer_date"),
        ("whole?", "holder_rank"),
        ("flag?", "earning foreign_family foreign_income pledged pledge national_award"),
    ),
    "journal": (
        ("whole", "seq"),
        ("text", "kind tier"),
        ("whole?", "filing_id"),
        ("moment", "recorded_at"),
        ("text", "program body disclosures previous digest"),
        ("text?", "subject holder"),
    ),
    "record_list": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id"),
        ("text", "kind"),
        ("flag?", "complete"),
    ),
    "restatement": (("whole", "import_id filing_id"),),
    "title_held": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id position"),
        ("text?", "kind"),
        ("day?", "valid_from valid_until"),
        ("flag?", "held"),
    ),
    "yearly_figure": (
        ("whole", "id enterprise_id import_id"),
        ("day", "as_of"),
        ("moment", "known_from"),
        ("moment?", "known_until"),
        ("text", "sources"),
        ("whole", "filing_id fiscal_year"),
        (
            "whole?",
            "staff rd_staff revenue main_revenue net_profit rd_expense total_assets total_liabilities",
        ),
        ("exact?", "development_score"),
    ),
}
