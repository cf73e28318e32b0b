"""What may be filed is declared by the criteria: it is published with them, and a new fact needs no column.

A catalogue is a document of its own kind. Facts, lists and fields without columns of their own are rows
that name them, and words of a list are the criteria's to choose, so no column checks them any more.
SQLite cannot alter a check; as its manual advises for what changes no content, the text of the schema
is altered, which rebuilds no table of any size.
"""

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = ("ruleset", "applicability", "source")
AFTER = ("ruleset", "applicability", "catalogue", "source")

#: The columns whose words were checked: table, column, whether it must be filled, and the words.
WORDS = (
    ("award", "level", "", ("国家级", "省级", "其他")),
    ("competition", "group", "", ("企业组", "创客组")),
    ("honour", "kind", "", (
        "高新技术企业", "国家级技术创新示范企业", "知识产权优势企业", "知识产权示范企业", "其他")),
    ("institution", "level", "", ("国家级", "省级", "市级", "市级以下")),
    ("ip_right", "kind", "", (
        "发明专利", "国防专利", "植物新品种", "国家级农作物品种", "国家新药", "国家一级中药保护品种",
        "集成电路布图设计专有权", "软件著作权", "实用新型专利", "外观设计专利", "商标")),
    ("ip_right", "acquisition", "", ("原始取得", "受让取得", "许可取得")),
    ("record_list", "kind", " NOT NULL", (
        "ip", "financing", "awards", "honours", "institutions", "competitions", "brands", "titles")),
    ("title_held", "kind", "", ("创新型中小企业", "专精特新中小企业", "专精特新“小巨人”企业")),
)  # fmt: skip

#: The columns of rows that belong to a filing by their kind; those with a question mark may be empty.
STATED = (
    ("whole", "id enterprise_id import_id"),
    ("day", "as_of"),
    ("moment", "known_from"),
    ("moment?", "known_until"),
    ("text", "sources"),
    ("whole", "filing_id"),
)
VALUE = (
    ("flag?", "flag"),
    ("whole?", "money"),
    ("exact?", "number"),
    ("day?", "day"),
    ("text?", "words"),
)
ONE_VALUE = (
    "CASE WHEN flag IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN money IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN number IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN day IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN words IS NULL THEN 0 ELSE 1 END = 1"
)
YEARS = "fiscal_year BETWEEN 1949 AND 2999"
#: The new tables: the columns that say what a row is about, its value, and the checks.
TABLES = {
    "yearly_fact": (
        (("whole", "fiscal_year"), ("text", "fact")),
        VALUE,
        {"one_value": ONE_VALUE, "fiscal_year": YEARS},
    ),
    "other_record": ((("text", "kind"), ("whole", "position")), (), {}),
    "record_field": (
        (("text", "kind"), ("whole", "position"), ("text", "field")),
        VALUE,
        {"one_value": ONE_VALUE},
    ),
}
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TYPES = {
    "whole": sa.Integer(), "text": sa.Text(), "flag?": sa.Boolean(), "whole?": sa.BigInteger(),
    "exact?": sa.Text(), "day?": sa.Date(), "text?": sa.Text(),
}  # fmt: skip


def upgrade():
    if _is_postgresql():
        _documents_postgresql(AFTER, "NOT VALID")  # a later revision may have added kinds
        for table, column, _, _ in WORDS:
            op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
            op.alter_column(table, column, type_=sa.Text())
    else:
        changed = {table: [] for table, *_ in WORDS}
        for table, column, filled, words in WORDS:
            changed[table].append((_check(table, column, words), ""))
            changed[table].append(_typed(column, filled)[::-1])
        _rewrite({**changed, "document": [(_among("kind", BEFORE), _among("kind", AFTER))]})
    for table, described in TABLES.items():
        _create(table, *described)


def downgrade():
    for table in TABLES:
        op.drop_table(table)
    # what was stored meanwhile stays, and is not looked at
    if _is_postgresql():
        _documents_postgresql(BEFORE, "NOT VALID")
        for table, column, _, words in WORDS:
            op.alter_column(table, column, type_=sa.String(40), postgresql_using=f'"{column}"')
            name, among = op.f(f"ck_{table}_{column}"), _among(column, words)
            op.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT {name} CHECK ({among}) NOT VALID')
    else:
        changed = {table: [] for table, *_ in WORDS}
        for table, column, filled, words in WORDS:
            form = f"CONSTRAINT ck_{table}_form "
            changed[table].append((form, _check(table, column, words) + form))
            changed[table].append(_typed(column, filled))
        _rewrite({**changed, "document": [(_among("kind", AFTER), _among("kind", BEFORE))]})


def _is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def _among(column, words):
    name = '"group"' if column == "group" else column
    return f"{name} IN ({', '.join(repr(word) for word in words)})"


def _check(table, column, words):
    """A check of words as it stands in SQLite's text of the table, among the others."""
    return f"CONSTRAINT ck_{table}_{column} CHECK ({_among(column, words)}), \n\t"


def _typed(column, filled):
    """A column in SQLite's text of a table: with any words, and with those that are checked."""
    name = '"group"' if column == "group" else column
    return f"\t{name} TEXT{filled}, ", f"\t{name} VARCHAR(40){filled}, "


def _documents_postgresql(kinds, valid=""):
    name = op.f("ck_document_kind")
    op.drop_constraint(name, "document", type_="check")
    op.execute(
        f"ALTER TABLE document ADD CONSTRAINT {name} CHECK ({_among('kind', kinds)}) {valid}"
    )


def _create(table, subject, value, checks):
    """A table whose rows belong to a filing, with at most one current row about a thing."""
    checks = {"period": "known_until >= known_from", **checks}
    name, form = f"ck_{table}_form", _form((*STATED, *subject, *value))
    if not _is_postgresql():
        checks["form"] = form
    op.create_table(
        table,
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("enterprise_id", ROW_ID, nullable=False),
        sa.Column("import_id", ROW_ID, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_from", sa.DateTime(), nullable=False),
        sa.Column("known_until", sa.DateTime()),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("filing_id", ROW_ID, nullable=False),
        *(sa.Column(key, TYPES[kind], nullable=False) for kind, key in subject),
        *(sa.Column(key, TYPES[kind]) for kind, key in value),
        *(sa.CheckConstraint(c, name=op.f(f"ck_{table}_{key}")) for key, c in checks.items()),
        *(
            sa.ForeignKeyConstraint([f"{o}_id"], [f"{o}.id"], name=op.f(f"fk_{table}_{o}_id"))
            for o in ("enterprise", "import", "filing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    if _is_postgresql():
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({form}) NOT VALID")
    op.create_index(f"ix_{table}_filing_id", table, ["filing_id"])
    current = sa.text("known_until IS NULL")
    op.create_index(
        f"uq_{table}_current",
        table,
        ["enterprise_id", "as_of", *(key for _, key in subject)],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )


def _form(columns):
    """The condition that every value of a row is in its one form."""
    conditions, parts = POSTGRESQL if _is_postgresql() else SQLITE, []
    for kind, names in columns:
        for name in (f'"{n}"' for n in names.split()):
            condition = conditions.get(kind.rstrip("?"), "").replace("{}", name)
            null = f"{name} IS NULL OR " if kind.endswith("?") else ""
            parts += [f"({null}{condition})"] if condition else []
    return " AND ".join(parts)


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
            before, found, after = text.partition(old)
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
