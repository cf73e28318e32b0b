from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session, SQLModel, select

from registry.database import storage
from registry.database.columns import Count, Day, Exact, Yuan
from registry.database.models import (
    RECORD_TABLES,
    STATED_TABLES,
    Award,
    Enterprise,
    FiledFact,
    Filing,
    Financing,
    Finding,
    Import,
    IpRight,
    OtherRecord,
    RecordField,
    RecordListRow,
    Stated,
    TitleHeld,
    YearlyFact,
    YearlyFigure,
)
from registry.filings import IDENTITY
from registry.record.publication import packaged_catalogue
from rules.model.facts import Fact

NOW = datetime(2023, 7, 1, 9, 30, 0, 123456, tzinfo=UTC)
USCC = "91350100M000100Y43"


def _columns(model: type[SQLModel]) -> dict[str, sa.Column[Any]]:
    return dict(SQLModel.metadata.tables[str(model.__tablename__)].c)


def _expected(fact: Fact) -> type[Any]:
    if fact.kind == "number":
        return {"万元": Yuan, "人": Count, "名": Count}.get(fact.unit, Exact)
    return {"flag": sa.Boolean, "date": Day, "code": sa.Text, "text": sa.Text}[fact.kind]


CATALOGUE = packaged_catalogue()


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        (YearlyFigure, [f for f in CATALOGUE.facts if f.yearly]),
        (Enterprise, list(IDENTITY)),
        *((RECORD_TABLES[kind.id], list(kind.fields)) for kind in CATALOGUE.records),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_column_is_of_a_packaged_fact_and_fits_it(
    model: type[SQLModel], facts: list[Fact]
) -> None:
    columns = _columns(model)
    common = {*_columns(Award)} & {*_columns(IpRight)} & {*_columns(Financing)} & {*columns}
    own = {*columns} - (common | {"id", "uscc", "name", "fiscal_year", *_columns(FiledFact)})
    assert own <= {f.id for f in facts}
    assert model is not Enterprise or {f.id for f in facts} <= {*columns}
    for fact in (f for f in facts if f.id in columns):
        assert isinstance(columns[fact.id].type, _expected(fact)), fact
        assert columns[fact.id].nullable


def test_no_column_anywhere_is_a_binary_or_database_decimal() -> None:
    for table in SQLModel.metadata.tables.values():
        for column in table.c:
            assert not isinstance(column.type, sa.Numeric), column


def test_every_stated_row_says_when_it_was_known_and_from_where() -> None:
    stated: tuple[type[SQLModel], ...] = (Filing, *STATED_TABLES)
    for table in (SQLModel.metadata.tables[str(model.__tablename__)] for model in stated):
        assert {"known_from", "known_until", "import_id", "sources"} <= {*table.c.keys()}
        [unique] = [index for index in table.indexes if index.unique]
        assert str(unique.dialect_options["sqlite"]["where"]) == "known_until IS NULL"
        assert str(unique.dialect_options["postgresql"]["where"]) == "known_until IS NULL"


def _filing(session: Session) -> dict[str, Any]:
    """One stored filing, and the keys that its rows carry."""
    enterprise = Enterprise(uscc=USCC, name="甲")
    imported = Import(
        file="表.xlsx", digest="0" * 64, loaded_at=NOW, new=1, changed=0, unchanged=0, refused=0
    )
    session.add_all([enterprise, imported])
    session.flush()
    keys: dict[str, Any] = {
        "enterprise_id": enterprise.id,
        "import_id": imported.id,
        "as_of": date(2023, 6, 30),
        "known_from": NOW,
        "sources": "{}",
    }
    filing = Filing(**keys, identity="{}", facts="{}", digest="0" * 64)
    session.add(filing)
    session.flush()
    return keys | {"filing_id": filing.id}


CURRENT_ROWS: list[tuple[type[Stated], dict[str, Any]]] = [
    (YearlyFigure, {"fiscal_year": 2022}),
    (FiledFact, {"fact": "own_brand", "flag": True}),
    (Finding, {"fact": "well_known", "flag": True}),
    (YearlyFact, {"fiscal_year": 2022, "fact": "green_revenue", "money": Decimal(1)}),
    (RecordListRow, {"kind": "ip"}),
    (OtherRecord, {"kind": "projects", "position": 0}),
    (RecordField, {"kind": "ip", "position": 0, "field": "green", "flag": True}),
    *((model, {"position": 0}) for model in RECORD_TABLES.values()),
]


@pytest.mark.parametrize(
    ("model", "own"), CURRENT_ROWS, ids=[model.__name__ for model, _ in CURRENT_ROWS]
)
def test_only_one_row_is_current(
    database: sa.Engine, model: type[Stated], own: dict[str, Any]
) -> None:
    with Session(database) as session:
        keys = _filing(session) | own
        closed = keys | {"known_until": NOW}
        session.add_all([model(**closed), model(**closed), model(**keys)])
        session.flush()
        session.add(model(**keys))
        with pytest.raises(IntegrityError):
            session.flush()


def test_a_fiscal_year_has_one_current_row_whatever_the_filing(database: sa.Engine) -> None:
    with Session(database) as session:
        keys = _filing(session)
        session.add(YearlyFigure(**keys, fiscal_year=2022))
        session.flush()
        session.add(YearlyFigure(**keys | {"as_of": date(2024, 6, 30)}, fiscal_year=2022))
        with pytest.raises(IntegrityError):
            session.flush()


def test_a_filing_and_a_credit_code_are_current_once(database: sa.Engine) -> None:
    with Session(database) as session:
        keys = _filing(session)
        del keys["filing_id"]
        session.add(Filing(**keys, identity="{}", facts="{}", digest="1" * 64))
        with pytest.raises(IntegrityError):
            session.flush()
    with Session(database) as session:
        _filing(session)
        session.add(Enterprise(uscc=USCC, name="乙"))
        with pytest.raises(IntegrityError):
            session.flush()


@pytest.mark.parametrize(
    ("model", "own"),
    [
        (YearlyFigure, {"fiscal_year": 22}),
        (YearlyFigure, {"fiscal_year": 2022, "known_until": NOW - timedelta(seconds=1)}),
        (YearlyFigure, {"fiscal_year": 2022, "filing_id": 999}),
        (YearlyFigure, {"fiscal_year": 2022, "enterprise_id": 999}),
        (YearlyFigure, {"fiscal_year": 2022, "import_id": 999}),
        (FiledFact, {"fact": "own_brand"}),
        (FiledFact, {"fact": "own_brand", "flag": True, "words": "是"}),
        (YearlyFact, {"fiscal_year": 22, "fact": "f", "flag": True}),
        (YearlyFact, {"fiscal_year": 2022, "fact": "f"}),
        (RecordField, {"kind": "ip", "position": 0, "field": "f"}),
        (RecordField, {"kind": "ip", "position": 0, "field": "f", "flag": True, "words": "是"}),
        (Award, {"position": 0, "rank": 0}),
        (Financing, {"position": 0, "amount": Decimal(-1)}),
    ],
)
def test_the_database_refuses_what_cannot_be(
    database: sa.Engine, model: type[Stated], own: dict[str, Any]
) -> None:
    with Session(database) as session:
        keys = _filing(session)
        session.add(model(**keys | own))
        with pytest.raises(IntegrityError):
            session.flush()


def test_words_are_what_the_criteria_declare(database: sa.Engine) -> None:
    with Session(database) as session:
        keys = _filing(session)
        session.add(TitleHeld(**keys, position=0, kind="本市自设的称号"))
        session.add(RecordListRow(**keys, kind="projects"))
        session.flush()


@pytest.mark.parametrize(
    ("model", "own", "message"),
    [
        (YearlyFigure, {"fiscal_year": 2022, "revenue": Decimal("0.001")}, "精确到1分以下"),
        (YearlyFigure, {"fiscal_year": 2022, "revenue": Decimal(2**63)}, "超出可保存的范围"),
        (YearlyFigure, {"fiscal_year": 2022, "revenue": Decimal("NaN")}, "超出可保存的范围"),
        (YearlyFigure, {"fiscal_year": 2022, "revenue": 0.1}, "not a Decimal"),
        (YearlyFigure, {"fiscal_year": 2022, "staff": 1.0}, "not a whole number"),
        (YearlyFigure, {"fiscal_year": 2022, "staff": 2**63}, "超出可保存的范围"),
        (FiledFact, {"fact": "market_share", "number": 0.0999}, "not a Decimal"),
        (Finding, {"fact": "f", "flag": True, "known_until": datetime(2023, 1, 1)}, "time zone"),
    ],
)
def test_storage_refuses_what_it_would_have_to_change(
    database: sa.Engine, model: type[Stated], own: dict[str, Any], message: str
) -> None:
    with Session(database) as session:
        session.add(model(**_filing(session) | own))
        with pytest.raises(StatementError, match=message):
            session.flush()


@pytest.mark.parametrize(
    "amount", ["0.29", "-12345678901234.56", "12345678901234.57", "92233720368547758.07", "0"]
)
def test_money_is_exact_to_the_fen(database: sa.Engine, amount: str) -> None:
    with storage.session(database, write=True) as session:
        session.add(YearlyFigure(**_filing(session), fiscal_year=2022, net_profit=Decimal(amount)))
    with storage.session(database) as session:
        assert session.exec(select(YearlyFigure)).one().net_profit == Decimal(amount)
        stored = session.execute(sa.text("SELECT net_profit FROM yearly_figure")).scalar_one()
        assert stored == int(Decimal(amount).scaleb(2))
        found = select(YearlyFigure.id).where(YearlyFigure.net_profit == Decimal(amount))
        assert len(session.exec(found).all()) == 1


def test_other_numbers_are_exact(database: sa.Engine) -> None:
    share = Decimal("0.0999000000000000000000000001")
    with storage.session(database, write=True) as session:
        session.add(FiledFact(**_filing(session), fact="market_share", number=share))
    with storage.session(database) as session:
        assert session.exec(select(FiledFact)).one().number == share


def test_moments_are_stored_as_utc_and_read_with_their_zone(database: sa.Engine) -> None:
    beijing = NOW.astimezone(timezone(timedelta(hours=8)))
    with storage.session(database, write=True) as session:
        keys = _filing(session) | {"known_from": beijing}
        session.add(YearlyFigure(**keys, fiscal_year=2022))
    with storage.session(database) as session:
        found = session.exec(select(YearlyFigure.known_from)).one()
        assert found == NOW
        assert found.utcoffset() == timedelta(0)
        stored = session.execute(sa.text("SELECT known_from FROM yearly_figure")).scalar_one()
        assert str(stored) == "2023-07-01 09:30:00.123456"
        assert session.exec(select(YearlyFigure).where(YearlyFigure.known_from <= beijing)).one()
