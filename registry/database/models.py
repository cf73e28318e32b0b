"""All tables: enterprises, loaded files, statements of filings, the journal, and what lists show.

A filing is what one enterprise states as of one day. Its facts are stored in typed rows of several
tables, and again as canonical JSON text, which is digested and compared. Nothing known is ever
overwritten: a changed filing becomes a new version, and the old rows end with ``known_until``.

What may be filed is declared by the criteria, not here. The first facts have columns of their own,
named by their ids; any other is a row that names its fact (``YearlyFact``, ``FiledFact``,
``Finding``, ``OtherRecord``, ``RecordField``), so that a new fact needs no migration. Money is in
yuan (stored as fen).
"""

import datetime as dt
from decimal import Decimal
from typing import Final

from sqlalchemy import DDL, CheckConstraint, Index, Table, Text, TextClause, event, text
from sqlalchemy import Enum as SAEnum
from sqlmodel import Field, SQLModel

from registry.database import forms
from registry.database.columns import Count, Day, Exact, RowId, Utc, Yuan
from registry.portable.chain import KINDS

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_CURRENT: Final = text("known_until IS NULL")
#: The entries of the journal that may change a verdict; a query with this condition uses their index.
NO_DECISION: Final = text("kind <> 'decision'")
#: The kinds of those entries.
OTHER_KINDS: Final = tuple(kind for kind in KINDS if kind != "decision")
#: How the body of a decision begins.
DECISION_BEGINS: Final = '{"applicability":{'
#: The entries that are none of those, and no decisions by their bodies; a sound journal has none.
BELIED: Final = text(
    " AND ".join(f"kind <> '{kind}'" for kind in OTHER_KINDS)
    + f" AND substr(body, 1, {len(DECISION_BEGINS)}) <> '{DECISION_BEGINS}'"
)
#: How the body of each kind begins, with its first key. An entry whose kind was altered is found by
#: it among those that are asked for, and refused: passed over, it would not be missed.
BEGINNINGS: Final = {
    "publication": '{"applicability":"',
    "intake": '{"closed":',
    "undo": '{"closed":',
    "policy": '{"four_eyes":',
    "determination": '{"case":',
    "confirmation": '{"determination":',
    "decision": DECISION_BEGINS,
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
#: The entries that begin otherwise than those of their kind; a sound journal has none.
MISNAMED: Final = text(
    "NOT ("
    + " OR ".join(
        f"kind = '{kind}' AND substr(body, 1, {len(begin)}) = '{begin}'"
        for kind, begin in BEGINNINGS.items()
    )
    + ")"
)


def _partial(name: str, *columns: str, where: TextClause, unique: bool = False) -> Index:
    """An index of the rows that satisfy a condition; used by queries that state the condition."""
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _current(table: str, *key: str) -> Index:
    """At most one current row per key."""
    return _partial(f"uq_{table}_current", *key, where=_CURRENT, unique=True)


def _period() -> CheckConstraint:
    return CheckConstraint("known_until >= known_from", "period")


def _fiscal_year() -> CheckConstraint:
    return CheckConstraint("fiscal_year BETWEEN 1949 AND 2999", "fiscal_year")


def _at_least(minimum: int, *columns: str) -> CheckConstraint:
    return CheckConstraint(" AND ".join(f"{c} >= {minimum}" for c in columns), "minimum")


def _enum(name: str, codes: tuple[str, ...]) -> SAEnum:
    return SAEnum(
        *codes,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=40,
    )


class Enterprise(SQLModel, table=True):
    """An enterprise as its current filings describe it; newer filings take precedence."""

    __tablename__ = "enterprise"
    __table_args__ = (CheckConstraint("length(uscc) = 18", "uscc"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    uscc: str = Field(unique=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    province: str | None = Field(default=None, sa_type=Text)
    city: str | None = Field(default=None, sa_type=Text)
    county: str | None = Field(default=None, sa_type=Text)
    registered_on: dt.date | None = Field(default=None, sa_type=Day)
    registered_capital: Decimal | None = Field(default=None, sa_type=Yuan)
    legal_representative: str | None = Field(default=None, sa_type=Text)
    controlling_shareholder: str | None = Field(default=None, sa_type=Text)
    actual_controller: str | None = Field(default=None, sa_type=Text)
    size: str | None = Field(default=None, sa_type=Text)
    enterprise_type: str | None = Field(default=None, sa_type=Text)
    listing: str | None = Field(default=None, sa_type=Text)
    leading_product: str | None = Field(default=None, sa_type=Text)
    segment: str | None = Field(default=None, sa_type=Text)


class Import(SQLModel, table=True):
    """A file that was loaded."""

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("length(digest) = 64", "digest"),
        CheckConstraint("undone_at >= loaded_at", "undone"),
        _at_least(0, "new", "changed", "unchanged", "refused"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    file: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    as_of: dt.date | None = Field(default=None, sa_type=Day)
    loaded_at: dt.datetime = Field(sa_type=Utc)
    undone_at: dt.datetime | None = Field(default=None, sa_type=Utc)
    new: int
    changed: int
    unchanged: int
    refused: int


class Versioned(SQLModel):
    """The columns of every stated row: whose it is, as of which day, from which file, known when.

    ``sources`` is a JSON text that maps the keys of ``Profile.sources`` to places.
    """

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    enterprise_id: int = Field(foreign_key="enterprise.id", sa_type=RowId)
    import_id: int = Field(foreign_key="import.id", sa_type=RowId)
    as_of: dt.date = Field(sa_type=Day)
    known_from: dt.datetime = Field(sa_type=Utc)
    known_until: dt.datetime | None = Field(default=None, sa_type=Utc)
    sources: str = Field(sa_type=Text)


class Filing(Versioned, table=True):
    """A version of what an enterprise filed as of a day.

    ``facts`` is the canonical JSON text of values, records and sources; ``identity`` that of its
    values for the columns of ``Enterprise``; ``digest`` is the SHA-256 of both without the sources.
    ``replaces_id`` is the version that it superseded.
    """

    __tablename__ = "filing"
    __table_args__ = (
        _current("filing", "enterprise_id", "as_of"),
        _period(),
        CheckConstraint("length(digest) = 64", "digest"),
    )

    enterprise_id: int = Field(foreign_key="enterprise.id", sa_type=RowId, index=True)
    import_id: int = Field(foreign_key="import.id", sa_type=RowId, index=True)
    replaces_id: int | None = Field(default=None, foreign_key="filing.id", sa_type=RowId)
    identity: str = Field(sa_type=Text)
    facts: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)


class Restatement(SQLModel, table=True):
    """An import stated a filing again unchanged, so it stored no new version."""

    __tablename__ = "restatement"

    import_id: int = Field(foreign_key="import.id", sa_type=RowId, primary_key=True)
    filing_id: int = Field(foreign_key="filing.id", sa_type=RowId, primary_key=True, index=True)


class Stated(Versioned):
    """A row of a filing."""

    filing_id: int = Field(foreign_key="filing.id", sa_type=RowId, index=True)


class YearlyFigure(Stated, table=True):
    """The figures of one fiscal year as a filing stated them.

    For each enterprise and year, the statement of the newest current filing is current; statements
    of older filings remain readable through ``filing_id``. Figures may be negative, as in accounts.
    """

    __tablename__ = "yearly_figure"
    __table_args__ = (
        _current("yearly_figure", "enterprise_id", "fiscal_year"),
        _period(),
        _fiscal_year(),
    )

    fiscal_year: int
    staff: int | None = Field(default=None, sa_type=Count)
    rd_staff: int | None = Field(default=None, sa_type=Count)
    revenue: Decimal | None = Field(default=None, sa_type=Yuan)
    main_revenue: Decimal | None = Field(default=None, sa_type=Yuan)
    net_profit: Decimal | None = Field(default=None, sa_type=Yuan)
    rd_expense: Decimal | None = Field(default=None, sa_type=Yuan)
    total_assets: Decimal | None = Field(default=None, sa_type=Yuan)
    total_liabilities: Decimal | None = Field(default=None, sa_type=Yuan)
    development_score: Decimal | None = Field(default=None, sa_type=Exact)


class Valued(SQLModel):
    """The columns of a row with one value; exactly the one of its kind is filled."""

    flag: bool | None = None
    money: Decimal | None = Field(default=None, sa_type=Yuan)
    number: Decimal | None = Field(default=None, sa_type=Exact)
    day: dt.date | None = Field(default=None, sa_type=Day)
    words: str | None = Field(default=None, sa_type=Text)


#: A row with one value fills one of these columns.
VALUES: Final = ("flag", "money", "number", "day", "words")


def _valued(table: str, *key: str) -> tuple[Index, CheckConstraint, CheckConstraint]:
    filled = " + ".join(f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in VALUES)
    return (
        _current(table, "enterprise_id", "as_of", *key),
        _period(),
        CheckConstraint(f"{filled} = 1", "one_value"),
    )


class OfYear(Stated):
    """A row about a yearly fact."""

    fiscal_year: int
    fact: str = Field(sa_type=Text)


class YearlyFact(Valued, OfYear, table=True):
    """A yearly fact without a column in ``YearlyFigure``; it is current as long as its filing.

    Declarations refuse a yearly fact that is no number, so ``money`` or ``number`` is the one that is
    filled. The other columns of ``Valued`` stand here because all rows with one value are alike.
    """

    __tablename__ = "yearly_fact"
    __table_args__ = (*_valued("yearly_fact", "fiscal_year", "fact"), _fiscal_year())


class OfFact(Stated):
    """A row about a fact that is not yearly."""

    fact: str = Field(sa_type=Text)


class FiledFact(Valued, OfFact, table=True):
    """A fact that the enterprise files (填报)."""

    __tablename__ = "filed_fact"
    __table_args__ = _valued("filed_fact", "fact")


class Finding(Valued, OfFact, table=True):
    """A person's finding (认定) as it was filed; recorded findings are entries of the journal."""

    __tablename__ = "finding"
    __table_args__ = _valued("finding", "fact")


class RecordListRow(Stated, table=True):
    """A filing has a list of records; says whether it is 已报全 (NULL: not stated)."""

    __tablename__ = "record_list"
    __table_args__ = (_current("record_list", "enterprise_id", "as_of", "kind"), _period())

    kind: str = Field(sa_type=Text)
    complete: bool | None = None


class Record(Stated):
    """A record of a list, in the order of filing."""

    position: int


#: The least value of columns that have one, by table.
FLOORS: Final[dict[str, dict[str, int]]] = {
    "ip_right": {"holder_rank": 1},
    "financing": {"amount": 0},
    "award": {"rank": 1},
    "competition": {"rank": 1},
}


def _record(table: str) -> tuple[Index | CheckConstraint, ...]:
    floors = (_at_least(least, column) for column, least in FLOORS.get(table, {}).items())
    return (_current(table, "enterprise_id", "as_of", "position"), _period(), *floors)


class IpRight(Record, table=True):
    """An intellectual property right (知识产权)."""

    __tablename__ = "ip_right"
    __table_args__ = _record("ip_right")

    kind: str | None = Field(default=None, sa_type=Text)
    number: str | None = Field(default=None, sa_type=Text)
    in_force: bool | None = None
    related: bool | None = None
    acquisition: str | None = Field(default=None, sa_type=Text)
    grant_date: dt.date | None = Field(default=None, sa_type=Day)
    transfer_date: dt.date | None = Field(default=None, sa_type=Day)
    holder_rank: int | None = Field(default=None, sa_type=Count)
    earning: bool | None = None
    foreign_family: bool | None = None
    foreign_income: bool | None = None
    pledged: bool | None = None
    pledge: bool | None = None
    national_award: bool | None = None


class Financing(Record, table=True):
    """A round of equity financing (股权融资)."""

    __tablename__ = "financing"
    __table_args__ = _record("financing")

    date: dt.date | None = Field(default=None, sa_type=Day)
    amount: Decimal | None = Field(default=None, sa_type=Yuan)
    investor: str | None = Field(default=None, sa_type=Text)
    qualified: bool | None = None
    new_shareholder: bool | None = None
    share_given: Decimal | None = Field(default=None, sa_type=Exact)


class Award(Record, table=True):
    """A science and technology award (科技奖励)."""

    __tablename__ = "award"
    __table_args__ = _record("award")

    level: str | None = Field(default=None, sa_type=Text)
    rank: int | None = Field(default=None, sa_type=Count)
    date: dt.date | None = Field(default=None, sa_type=Day)
    name: str | None = Field(default=None, sa_type=Text)


class Honour(Record, table=True):
    """An honorary title (荣誉称号)."""

    __tablename__ = "honour"
    __table_args__ = _record("honour")

    kind: str | None = Field(default=None, sa_type=Text)
    valid_until: dt.date | None = Field(default=None, sa_type=Day)
    accepted: bool | None = None


class Institution(Record, table=True):
    """An R&D institution (研发机构)."""

    __tablename__ = "institution"
    __table_args__ = _record("institution")

    level: str | None = Field(default=None, sa_type=Text)
    name: str | None = Field(default=None, sa_type=Text)


class Competition(Record, table=True):
    """A place on a list of 创客中国."""

    __tablename__ = "competition"
    __table_args__ = _record("competition")

    rank: int | None = Field(default=None, sa_type=Count)
    date: dt.date | None = Field(default=None, sa_type=Day)
    group: str | None = Field(default=None, sa_type=Text)


class Brand(Record, table=True):
    """A brand (品牌)."""

    __tablename__ = "brand"
    __table_args__ = _record("brand")

    name: str | None = Field(default=None, sa_type=Text)
    has_ip: bool | None = None
    registered: bool | None = None
    earning: bool | None = None


class TitleHeld(Record, table=True):
    """A tier title that the enterprise states to hold (梯度称号)."""

    __tablename__ = "title_held"
    __table_args__ = _record("title_held")

    kind: str | None = Field(default=None, sa_type=Text)
    valid_from: dt.date | None = Field(default=None, sa_type=Day)
    valid_until: dt.date | None = Field(default=None, sa_type=Day)
    held: bool | None = None


class OtherRecord(Stated, table=True):
    """A record of a list that has no table of its own; its values are rows of ``RecordField``."""

    __tablename__ = "other_record"
    __table_args__ = (
        _current("other_record", "enterprise_id", "as_of", "kind", "position"),
        _period(),
    )

    kind: str = Field(sa_type=Text)
    position: int


class OfRecord(Stated):
    """A row about a field of a record."""

    kind: str = Field(sa_type=Text)
    position: int
    field: str = Field(sa_type=Text)


class RecordField(Valued, OfRecord, table=True):
    """A field of a record that has no column of its own."""

    __tablename__ = "record_field"
    __table_args__ = _valued("record_field", "kind", "position", "field")


#: The table of each record list that has one of its own.
RECORD_TABLES: Final[dict[str, type[Record]]] = {
    "ip": IpRight,
    "financing": Financing,
    "awards": Award,
    "honours": Honour,
    "institutions": Institution,
    "competitions": Competition,
    "brands": Brand,
    "titles": TitleHeld,
}

#: Every table whose rows belong to a filing; records come before their fields.
STATED_TABLES: Final[tuple[type[Stated], ...]] = (
    YearlyFigure,
    YearlyFact,
    FiledFact,
    Finding,
    RecordListRow,
    *RECORD_TABLES.values(),
    OtherRecord,
    RecordField,
)


#: The kinds of texts that publications name, directly or through another.
TEXTS: Final = (
    "ruleset",
    "applicability",
    "catalogue",
    "workflows",
    "clocks",
    "calendar",
    "source",
)


class Document(SQLModel, table=True):
    """A text to which the record refers by SHA-256; it never changes.

    A ruleset, applicability table, catalogue, table of workflows or of clocks, or calendar in canonical JSON, or a
    file from which they were compiled.
    """

    __tablename__ = "document"
    __table_args__ = (CheckConstraint("length(digest) = 64", "digest"),)

    digest: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=_enum("kind", TEXTS))
    text: str = Field(sa_type=Text)


class JournalEntry(SQLModel, table=True):
    """An entry of the journal, which keeps everything done to the registry, in order, for good.

    ``subject`` is the credit code of the enterprise whose title or case it is, or in which
    ``holder`` is registered to hold a share. ``body`` is canonical JSON text. ``disclosures`` are
    the texts to which the entry commits, with their salt (see ``registry.portable.sealing``).
    ``digest`` is that of the header (see ``registry.portable.chain``). Triggers refuse UPDATE,
    DELETE, and an entry that does not follow the last.
    """

    __tablename__ = "journal"
    __table_args__ = (
        CheckConstraint("seq >= 1", "seq"),
        CheckConstraint("length(digest) = 64 AND length(previous) = 64", "digest"),
        # Most entries are decisions, and an index over values in random order slows recording more
        # as the journal grows, so only searched columns have one. No index is needed to ensure
        # that no two entries follow the same one: the number is unique, and a trigger ensures
        # that each entry follows the number before its own.
        _partial("ix_journal_changes", "kind", "seq", where=NO_DECISION),
        _partial("ix_journal_digest", "digest", where=NO_DECISION, unique=True),
        _partial("ix_journal_belied", "seq", where=BELIED),
        _partial("ix_journal_misnamed", "seq", where=MISNAMED),
        _partial("ix_journal_subject", "subject", where=text("subject IS NOT NULL")),
        _partial("ix_journal_holder", "holder", where=text("holder IS NOT NULL")),
    )

    seq: int = Field(primary_key=True, sa_type=RowId, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=_enum("kind", tuple(KINDS)))
    tier: str = Field(sa_type=Text)
    filing_id: int | None = Field(default=None, foreign_key="filing.id", sa_type=RowId, index=True)
    recorded_at: dt.datetime = Field(sa_type=Utc)
    program: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    disclosures: str = Field(sa_type=Text)
    previous: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    holder: str | None = Field(default=None, sa_type=Text)


class PublishedCheckpoint(SQLModel, table=True):
    """A signed statement of the length and the content of the journal; ``note`` is its text."""

    __tablename__ = "checkpoint"
    __table_args__ = (CheckConstraint("size >= 1", "size"),)

    size: int = Field(primary_key=True, sa_type=RowId, sa_column_kwargs={"autoincrement": False})
    written_at: dt.datetime = Field(sa_type=Utc)
    note: str = Field(sa_type=Text)


#: The rows of ``case_state`` that describe an enterprise; a query with this condition uses their index.
ENTERPRISES: Final = text("tier = ''")
#: What PostgreSQL's index of names is made of: the pairs of characters in a name.
PAIRS: Final = text("array_to_tsvector(string_to_array(pairs, ' '))")


class CaseState(SQLModel, table=True):
    """Where the cases of an enterprise stand: what lists and searches read.

    A projection of the other tables, and no evidence: ``registry.database.projection`` derives
    every row of it. One row of each enterprise has no tier and describes it, with its newest filing
    and the day of this. One row for each tier has the last decision under it, with its filing and
    its day. ``standing`` is the outcome of that decision; in the row of the enterprise it names the
    tiers under which its newest filing is decided, one per line, and is NULL if no decision is
    awaited, because there is no filing or it was withdrawn. ``pairs`` are the pairs of characters
    in the name (see ``registry.kit.names``). ``province``, ``city`` and ``county`` are codes of
    regions.

    The row of a tier also says where the last application stands: its ``state`` after the newest
    entry ``step``, the ``level`` that acts there first, and the last day ``due`` of the state,
    after which it may change although nobody acts.
    """

    __tablename__ = "case_state"
    __table_args__ = (
        Index("uq_case_state_uscc", "tier", "uscc", unique=True),
        Index("ix_case_state_standing", "tier", "standing", "uscc"),
        Index("ix_case_state_due", "tier", "state", "due", "uscc"),
        *(
            Index(f"ix_case_state_{place}", place, "tier", "standing", "uscc")
            for place in ("province", "city", "county")
        ),
        Index(
            "ix_case_state_pairs",
            PAIRS,
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=ENTERPRISES,
            info={"dialect": "postgresql"},
        ).ddl_if(dialect="postgresql"),
    )

    enterprise_id: int = Field(
        primary_key=True,
        foreign_key="enterprise.id",
        sa_type=RowId,
        sa_column_kwargs={"autoincrement": False},
    )
    tier: str = Field(primary_key=True, sa_type=Text)
    uscc: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    pairs: str = Field(sa_type=Text)
    province: str | None = Field(default=None, sa_type=Text)
    city: str | None = Field(default=None, sa_type=Text)
    county: str | None = Field(default=None, sa_type=Text)
    standing: str | None = Field(default=None, sa_type=Text)
    decision: int | None = Field(default=None, sa_type=RowId)
    filing_id: int | None = Field(default=None, sa_type=RowId)
    as_of: dt.date | None = Field(default=None, sa_type=Day)
    state: str | None = Field(default=None, sa_type=Text)
    level: str | None = Field(default=None, sa_type=Text)
    due: dt.date | None = Field(default=None, sa_type=Day)
    step: int | None = Field(default=None, sa_type=RowId)


class DueItem(SQLModel, table=True):
    """A matter that a title makes due, and when it shows: what lists of due days read.

    A projection like ``case_state``, and no evidence: ``registry.database.due`` derives every row.
    A row shows from the day ``first`` to ``last``, near from ``near``, overdue from ``late``, unknown from
    ``unknown`` (see ``rules.portable.timing.Shown``). ``consequences`` has one on each line. A
    title may be held by an enterprise without filings, so the credit code is its key.
    """

    __tablename__ = "due_item"
    __table_args__ = (
        Index("ix_due_item_late", "late", "last"),
        Index("ix_due_item_near", "near", "last"),
    )

    uscc: str = Field(primary_key=True, sa_type=Text)
    tier: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(primary_key=True, sa_type=RowId, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_type=Text)
    matter: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    clocks: str = Field(sa_type=Text)
    start: dt.date = Field(sa_type=Day)
    consequences: str = Field(sa_type=Text)
    first: dt.date = Field(sa_type=Day)
    last: dt.date | None = Field(default=None, sa_type=Day)
    due: dt.date | None = Field(default=None, sa_type=Day)
    near: dt.date | None = Field(default=None, sa_type=Day)
    late: dt.date | None = Field(default=None, sa_type=Day)
    unknown: dt.date | None = Field(default=None, sa_type=Day)
    done: dt.date | None = Field(default=None, sa_type=Day)
    proposed: dt.date | None = Field(default=None, sa_type=Day)
    decided: str | None = Field(default=None, sa_type=Text)
    unpublished: int | None = Field(default=None, sa_type=RowId)


#: The index of names on SQLite, which triggers keep up with the table; it stores no text.
NAMES_INDEX: Final = "case_name"
CREATE_NAMES_INDEX: Final = (
    f"CREATE VIRTUAL TABLE {NAMES_INDEX} USING fts5"
    "(pairs, content='', columnsize=0, detail=none, tokenize='unicode61')"
)
event.listen(
    SQLModel.metadata.tables["case_state"],
    "after_create",
    DDL(CREATE_NAMES_INDEX).execute_if(dialect="sqlite"),  # type: ignore[no-untyped-call]
)


def _check_form(table: Table) -> None:
    """Make a table refuse values in any other form; existing rows stay as they are."""
    for dialect in ("sqlite", "postgresql"):
        if condition := forms.form(table, dialect):
            check = CheckConstraint(
                condition, forms.FORM, info={"dialect": dialect}, postgresql_not_valid=True
            )
            table.append_constraint(check.ddl_if(dialect=dialect))


for _table in SQLModel.metadata.tables.values():
    _check_form(_table)
