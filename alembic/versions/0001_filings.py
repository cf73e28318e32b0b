"""Enterprises, imports and filings with their facts.

Columns are spelt in plain SQLAlchemy types, so that a revision never changes with the models.
"""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

ONE_VALUE = (
    "CASE WHEN flag IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN money IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN number IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN day IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN words IS NULL THEN 0 ELSE 1 END = 1"
)

TABLES = (
    "enterprise",
    "import",
    "filing",
    "restatement",
    "award",
    "brand",
    "competition",
    "filed_fact",
    "financing",
    "finding",
    "honour",
    "institution",
    "ip_right",
    "record_list",
    "title_held",
    "yearly_figure",
)


def upgrade():
    op.create_table(
        "enterprise",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("province", sa.Text()),
        sa.Column("city", sa.Text()),
        sa.Column("county", sa.Text()),
        sa.Column("registered_on", sa.Date()),
        sa.Column("registered_capital", sa.BigInteger()),
        sa.Column("legal_representative", sa.Text()),
        sa.Column("controlling_shareholder", sa.Text()),
        sa.Column("actual_controller", sa.Text()),
        sa.Column("size", sa.Text()),
        sa.Column("enterprise_type", sa.Text()),
        sa.Column("listing", sa.Text()),
        sa.Column("leading_product", sa.Text()),
        sa.Column("segment", sa.Text()),
        sa.CheckConstraint("length(uscc) = 18", name=op.f("ck_enterprise_uscc")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise")),
        sa.UniqueConstraint("uscc", name=op.f("uq_enterprise_uscc")),
    )
    op.create_table(
        "import",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date()),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
        sa.Column("undone_at", sa.DateTime()),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_import_digest")),
        sa.CheckConstraint(
            "new >= 0 AND changed >= 0 AND unchanged >= 0 AND refused >= 0",
            name=op.f("ck_import_minimum"),
        ),
        sa.CheckConstraint("undone_at >= loaded_at", name=op.f("ck_import_undone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
    )
    op.create_table(
        "filing",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("enterprise_id", ROW_ID, nullable=False),
        sa.Column("import_id", ROW_ID, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_from", sa.DateTime(), nullable=False),
        sa.Column("known_until", sa.DateTime()),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("replaces_id", ROW_ID),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("known_until >= known_from", name=op.f("ck_filing_period")),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_filing_digest")),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_filing_enterprise_id")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_filing_import_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["filing.id"], name=op.f("fk_filing_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing")),
    )
    op.create_index("ix_filing_import_id", "filing", ["import_id"])
    _create_current("filing", ("enterprise_id", "as_of"))
    op.create_table(
        "restatement",
        sa.Column("import_id", ROW_ID, nullable=False),
        sa.Column("filing_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import.id"], name=op.f("fk_restatement_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["filing_id"], ["filing.id"], name=op.f("fk_restatement_filing_id")
        ),
        sa.PrimaryKeyConstraint("import_id", "filing_id", name=op.f("pk_restatement")),
    )
    op.create_index("ix_restatement_filing_id", "restatement", ["filing_id"])
    _create_stated(
        "award",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("level", _codes("level", "国家级", "省级", "其他")),
        sa.Column("rank", sa.BigInteger()),
        sa.Column("date", sa.Date()),
        sa.Column("name", sa.Text()),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_award_minimum")),
    )
    _create_stated(
        "brand",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("has_ip", sa.Boolean()),
        sa.Column("registered", sa.Boolean()),
        sa.Column("earning", sa.Boolean()),
    )
    _create_stated(
        "competition",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rank", sa.BigInteger()),
        sa.Column("date", sa.Date()),
        sa.Column("group", _codes("group", "企业组", "创客组")),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_competition_minimum")),
    )
    _create_stated(
        "filed_fact",
        ("enterprise_id", "as_of", "fact"),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("flag", sa.Boolean()),
        sa.Column("money", sa.BigInteger()),
        sa.Column("number", sa.Text()),
        sa.Column("day", sa.Date()),
        sa.Column("words", sa.Text()),
        sa.CheckConstraint(
            ONE_VALUE,
            name=op.f("ck_filed_fact_one_value"),
        ),
    )
    _create_stated(
        "financing",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date()),
        sa.Column("amount", sa.BigInteger()),
        sa.Column("investor", sa.Text()),
        sa.Column("qualified", sa.Boolean()),
        sa.Column("new_shareholder", sa.Boolean()),
        sa.Column("share_given", sa.Text()),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_financing_minimum")),
    )
    _create_stated(
        "finding",
        ("enterprise_id", "as_of", "fact"),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("flag", sa.Boolean()),
        sa.Column("money", sa.BigInteger()),
        sa.Column("number", sa.Text()),
        sa.Column("day", sa.Date()),
        sa.Column("words", sa.Text()),
        sa.Column("found_by", sa.Text()),
        sa.Column("found_at", sa.DateTime()),
        sa.Column("evidence", sa.Text()),
        sa.CheckConstraint(
            ONE_VALUE,
            name=op.f("ck_finding_one_value"),
        ),
    )
    _create_stated(
        "honour",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            _codes(
                "kind",
                "高新技术企业",
                "国家级技术创新示范企业",
                "知识产权优势企业",
                "知识产权示范企业",
                "其他",
            ),
        ),
        sa.Column("valid_until", sa.Date()),
        sa.Column("accepted", sa.Boolean()),
    )
    _create_stated(
        "institution",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("level", _codes("level", "国家级", "省级", "市级", "市级以下")),
        sa.Column("name", sa.Text()),
    )
    _create_stated(
        "ip_right",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            _codes(
                "kind",
                "发明专利",
                "国防专利",
                "植物新品种",
                "国家级农作物品种",
                "国家新药",
                "国家一级中药保护品种",
                "集成电路布图设计专有权",
                "软件著作权",
                "实用新型专利",
                "外观设计专利",
                "商标",
            ),
        ),
        sa.Column("number", sa.Text()),
        sa.Column("in_force", sa.Boolean()),
        sa.Column("related", sa.Boolean()),
        sa.Column("acquisition", _codes("acquisition", "原始取得", "受让取得", "许可取得")),
        sa.Column("grant_date", sa.Date()),
        sa.Column("transfer_date", sa.Date()),
        sa.Column("earning", sa.Boolean()),
        sa.Column("foreign_family", sa.Boolean()),
        sa.Column("foreign_income", sa.Boolean()),
        sa.Column("pledged", sa.Boolean()),
        sa.Column("pledge", sa.Boolean()),
        sa.Column("national_award", sa.Boolean()),
    )
    _create_stated(
        "record_list",
        ("enterprise_id", "as_of", "kind"),
        sa.Column(
            "kind",
            _codes(
                "kind",
                "ip",
                "financing",
                "awards",
                "honours",
                "institutions",
                "competitions",
                "brands",
                "titles",
            ),
            nullable=False,
        ),
        sa.Column("complete", sa.Boolean()),
    )
    _create_stated(
        "title_held",
        ("enterprise_id", "as_of", "position"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind", _codes("kind", "创新型中小企业", "专精特新中小企业", "专精特新“小巨人”企业")
        ),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("held", sa.Boolean()),
    )
    _create_stated(
        "yearly_figure",
        ("enterprise_id", "fiscal_year"),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("staff", sa.BigInteger()),
        sa.Column("rd_staff", sa.BigInteger()),
        sa.Column("revenue", sa.BigInteger()),
        sa.Column("main_revenue", sa.BigInteger()),
        sa.Column("net_profit", sa.BigInteger()),
        sa.Column("rd_expense", sa.BigInteger()),
        sa.Column("total_assets", sa.BigInteger()),
        sa.Column("total_liabilities", sa.BigInteger()),
        sa.CheckConstraint(
            "fiscal_year BETWEEN 1949 AND 2999", name=op.f("ck_yearly_figure_fiscal_year")
        ),
        sa.CheckConstraint(
            "staff >= 0 AND rd_staff >= 0 AND revenue >= 0 AND main_revenue >= 0 AND rd_expense >= 0 AND total_assets >= 0 AND total_liabilities >= 0",
            name=op.f("ck_yearly_figure_minimum"),
        ),
    )


def downgrade():
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_current(table, key):
    """At most one current row per key."""
    op.create_index(
        f"uq_{table}_current",
        table,
        list(key),
        unique=True,
        sqlite_where=sa.text("known_until IS NULL"),
        postgresql_where=sa.text("known_until IS NULL"),
    )


def _create_stated(table, key, *more):
    """A table whose rows belong to a filing, with columns and constraints of its own."""
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
        *more,
        sa.CheckConstraint("known_until >= known_from", name=op.f(f"ck_{table}_period")),
        *(
            sa.ForeignKeyConstraint(
                [f"{other}_id"], [f"{other}.id"], name=op.f(f"fk_{table}_{other}_id")
            )
            for other in ("enterprise", "import", "filing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_filing_id", table, ["filing_id"])
    _create_current(table, key)


def _codes(name, *codes):
    return sa.Enum(*codes, name=name, native_enum=False, create_constraint=True, length=40)
