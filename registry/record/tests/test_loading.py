import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from registry.database import rows, storage
from registry.database.models import (
    STATED_TABLES,
    Enterprise,
    Filing,
    Finding,
    Import,
    YearlyFigure,
)
from registry.errors import LoadError
from registry.filings import FileReading, Issue, Submission
from registry.kit.uscc import check_digit
from registry.record import loading, on_file
from registry.record.publication import packaged_catalogue
from rules.errors import FactsError
from rules.model.facts import Fact, RecordList, Scalar
from rules.portable.canonical import canonical_json

NOW = datetime(2023, 7, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
FILED = date(2023, 6, 30)


def code(number: int) -> str:
    body = f"91350100M{number:08d}"
    return body + check_digit(body)


def submission(number: int = 1, *, as_of: date | None = FILED, **more: Any) -> Submission:
    values: Mapping[str, Scalar] = {
        "revenue@2022": "33330000",
        "rd_expense@2022": "1000000.5",
        "staff@2022": "120",
        "rd_expense@2021": "0",
        "market_share": "0.0999",
        "local_points": "3.5",
        "financing_two_years": "20000000",
        "sector": "工业",
        "segment_entry": "2019-01-01",
        "own_brand": False,
        "well_known": True,
    }
    records = {
        "ip": RecordList(({"kind": "发明专利", "in_force": True}, {}), complete=True),
        "awards": RecordList((), complete=None),
        "financing": RecordList(
            ({"date": "2022-12-31", "amount": "5000000.01", "share_given": "0.3"},), complete=False
        ),
    }
    sources = {
        "revenue@2022": "表1!C4",
        "sector": "表1!D4",
        "ip#0": "清单!2",
        "ip": "清单",
        "net_profit@2022": "表1!E4（无法读出）",
    }
    given: dict[str, Any] = {
        "uscc": code(number),
        "name": f"企业{number}",
        "as_of": as_of,
        "identity": {"province": "福建省", "registered_capital": "1000000.5"},
        "values": values,
        "records": records,
        "sources": sources,
        "where": f"表1!{number}",
    }
    return Submission(**given | more)


def with_values(filed: Submission, **values: Scalar) -> Submission:
    return replace(filed, values={**filed.values, **values})


def reading(*submissions: Submission, refused: tuple[Submission, ...] = ()) -> FileReading:
    issues = tuple(Issue("错误", "表1", "B2", "甲", "不是数字", uscc=s.uscc) for s in refused)
    return FileReading(
        file="表.xlsx", digest="0" * 64, submissions=submissions, refused=refused, issues=issues
    )


def contents(engine: sa.Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            name: list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))
            for name, table in Import.metadata.tables.items()
        }


def load(engine: sa.Engine, *filed: Submission, at: datetime = NOW, **more: Any) -> Any:
    with storage.session(engine, write=True) as session:
        return loading.load(session, reading(*filed), now=at, **more)


def test_a_filing_comes_back_as_it_was_filed(database: sa.Engine) -> None:
    filed = submission()
    report = load(database, filed)
    assert [line.name for line in report.new] == ["企业1"]
    with storage.session(database) as session:
        assert on_file.profile(session, filed.uscc) == filed.profile(FILED)
        assert on_file.profile(session, code(2)) is None
        enterprise = session.exec(select(Enterprise)).one()
        stored = session.exec(select(Filing)).one()
        finding = session.exec(select(Finding)).one()
    assert (enterprise.name, enterprise.province) == ("企业1", "福建省")
    assert str(enterprise.registered_capital) == "1000000.50"
    assert (finding.fact, finding.flag) == ("well_known", True)
    assert stored.facts == canonical_json(
        {k: v for k, v in filed.profile(FILED).to_json().items() if k != "as_of"}
    )


def _scalars(fact: Fact) -> st.SearchStrategy[Scalar]:
    if fact.kind == "flag":
        return st.booleans()
    if fact.kind == "date":
        return st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(date.isoformat)
    if fact.kind == "code":
        return st.sampled_from(fact.codes)
    if fact.kind == "text":
        return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
    scale = {"万元": 2, "人": 0, "名": 0, "项": 0, "级": 0}.get(fact.unit, 20)
    low = -(10**14) if fact.minimum is None else int(fact.minimum)
    high = 10**14 if fact.maximum is None else int(fact.maximum)
    return st.integers(low * 10**scale, high * 10**scale).map(lambda n: _decimal(n, scale))


def _decimal(number: int, scale: int) -> str:
    digits = f"{abs(number):0{scale + 1}d}"
    whole, rest = digits[: len(digits) - scale], digits[len(digits) - scale :].rstrip("0")
    return ("-" if number < 0 else "") + whole + ("." + rest if rest else "")


_VALUES = st.fixed_dictionaries(
    {},
    optional={
        (f"{f.id}@{year}" if f.yearly else f.id): _scalars(f)
        for f in packaged_catalogue().facts
        for year in ((2020, 2021, 2022) if f.yearly else (None,))
    },
)
_RECORDS = st.fixed_dictionaries(
    {},
    optional={
        kind.id: st.builds(
            RecordList,
            st.lists(
                st.fixed_dictionaries({}, optional={f.id: _scalars(f) for f in kind.fields}),
                max_size=3,
            ).map(tuple),
            st.sampled_from([True, False, None]),
        )
        for kind in packaged_catalogue().records
    },
)
_SOURCES = st.dictionaries(
    st.sampled_from(["revenue@2021", "staff@2019", "sector", "well_known", "ip", "ip#0", "ip#1"])
    | st.text(max_size=5),
    st.text(max_size=10),
    max_size=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=_VALUES, records=_RECORDS, sources=_SOURCES)
def test_any_filing_comes_back_exactly(
    database: sa.Engine,
    values: dict[str, Scalar],
    records: dict[str, RecordList],
    sources: dict[str, str],
) -> None:
    filed = submission(values=values, records=records, sources=sources)
    with Session(database) as session:
        report = loading.load(session, reading(filed), now=NOW)
        assert report.refused == ()
        assert on_file.profile(session, filed.uscc) == filed.profile(FILED)
        again = loading.load(session, reading(filed), now=NOW + DAY)
        assert (len(again.unchanged), again.import_id) == (1, None)
        session.rollback()


@pytest.mark.parametrize(
    ("key", "filed", "kept"),
    [
        ("revenue@2022", "100.50", "100.5"),
        ("revenue@2022", "1E+6", "1000000"),
        ("net_profit@2022", "-0.00", "0"),
        ("market_share", "0.10", "0.1"),
        ("segment_entry", "20190101", "2019-01-01"),
    ],
)
def test_one_fact_has_one_form(database: sa.Engine, key: str, filed: str, kept: str) -> None:
    load(database, with_values(submission(), **{key: filed}))
    report = load(database, with_values(submission(), **{key: kept}), at=NOW + DAY)
    assert len(report.unchanged) == 1
    with storage.session(database) as session:
        found = on_file.profile(session, code(1))
    assert found is not None
    assert found.values[key] == kept


def test_an_amount_in_its_one_form_is_taken_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "0", "-0", "7", "-7", "007", "0.5", "0.50", "0.05", "0.0", "-0.5", "12.34", "12.3", "12.345",
        "99999999999999.99", "999999999999999", "1e3", "x", "1,000", "",
    ]  # fmt: skip

    def taken(text: str) -> object:
        try:
            return rows.layout(packaged_catalogue()).state(
                submission(values={"net_profit@2022": text})
            )
        except FactsError as error:
            return str(error)

    found = [taken(text) for text in texts]
    assert {type(one) for one in found} == {rows.Statement, str}
    monkeypatch.setattr(rows, "_PLAIN_YUAN", re.compile("(?!)"))
    assert [taken(text) for text in texts] == found


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"revenue@2022": "0.001"}, "精确到1分以下"),
        ({"revenue@2022": "1e18"}, "超出可保存的范围"),
        ({"revenue@2022": "1/3"}, "应为十进制数字"),
        ({"revenue@2022": "NaN"}, "应为数字"),
        ({"financing_two_years": "-1"}, "不应小于0"),
        ({"market_share": "1e-99"}, "超出可保存的范围"),
        ({"staff@2022": "12.5"}, "应为整数"),
        ({"staff@2022": True}, "应为文字"),
        ({"staff": "12"}, "年度不对"),
        ({"sector@2022": "工业"}, "年度不对"),
        ({"staff@22": "12"}, "年度不对"),
        ({"从业人员@2022": "12"}, "没有名为「从业人员」的填报项"),
        ({"industry_code": "a\x00"}, "不能保存的字符"),
    ],
)
def test_what_cannot_be_stored_as_it_stands_is_refused(
    database: sa.Engine, values: dict[str, Scalar], reason: str
) -> None:
    before = contents(database)
    report = load(database, submission(values=values), submission(2))
    assert report.import_id is None
    assert [line.uscc for line in report.refused] == [code(1)]
    assert reason in report.refused[0].reason
    assert contents(database) == before


def test_the_same_file_twice_changes_nothing(database: sa.Engine) -> None:
    filed = (submission(1), submission(2))
    assert len(load(database, *filed).new) == 2
    before = contents(database)
    moved = tuple(replace(s, sources={"sector": "表9!Z9"}, where="表9!1") for s in filed)
    for again in (filed, moved):
        report = load(database, *again, at=NOW + DAY)
        assert (report.import_id, len(report.unchanged)) == (None, 2)
    assert contents(database) == before


def test_a_changed_row_becomes_a_version_and_the_old_one_stays(database: sa.Engine) -> None:
    old = submission()
    new = with_values(replace(old, name="改名后"), **{"revenue@2022": "33330000.01"})
    load(database, old, submission(2))
    report = load(database, new, submission(2), at=NOW + DAY)
    assert [line.name for line in report.changed] == ["改名后"]
    assert (len(report.new), len(report.unchanged)) == (0, 1)
    with storage.session(database) as session:
        assert on_file.profile(session, old.uscc) == new.profile(FILED)
        for known_at, stated in ((NOW, old), (NOW + DAY, new)):
            found = on_file.profile(session, old.uscc, known_at=known_at)
            assert found == stated.profile(FILED)
        assert on_file.profile(session, old.uscc, known_at=NOW - DAY) is None
        versions = on_file.filings(session, uscc=old.uscc, history=True)
        assert [(v.known_from, v.known_until) for v in versions] == [
            (NOW, NOW + DAY),
            (NOW + DAY, None),
        ]
        assert [f.name for f in on_file.filings(session)] == ["改名后", "企业2"]
        for model in STATED_TABLES:
            rows = session.exec(select(model).where(model.filing_id == versions[0].filing_id))
            assert all(row.known_until == NOW + DAY for row in rows)


def test_identity_alone_makes_a_version(database: sa.Engine) -> None:
    load(database, submission())
    report = load(database, submission(identity={"city": "泉州市"}), at=NOW + DAY)
    assert len(report.changed) == 1
    with storage.session(database) as session:
        enterprise = session.exec(select(Enterprise)).one()
    assert (enterprise.province, enterprise.city) == (None, "泉州市")


def _speaking(session: Session) -> dict[int, tuple[str, date]]:
    current = select(YearlyFigure).where(sa.column("known_until").is_(None))
    return {y.fiscal_year: (str(y.revenue), y.as_of) for y in session.exec(current)}


def _year_filing(as_of: date, **revenue: str) -> Submission:
    values: dict[str, Scalar] = {f"revenue@{year[1:]}": v for year, v in revenue.items()}
    return submission(as_of=as_of, values=values, records={}, sources={})


@pytest.mark.parametrize("newer_first", [False, True])
def test_filings_of_several_days_stand_side_by_side(database: sa.Engine, newer_first: bool) -> None:
    later = date(2024, 6, 30)
    old = _year_filing(FILED, y2020="10", y2021="20", y2022="30")
    new = _year_filing(later, y2021="21", y2022="30", y2023="40")
    for day, filed in enumerate([new, old] if newer_first else [old, new]):
        assert len(load(database, filed, at=NOW + day * DAY).new) == 1
    with storage.session(database) as session:
        assert on_file.profile(session, code(1)) == new.profile(later)
        assert on_file.profile(session, code(1), as_of=FILED) == old.profile(FILED)
        assert on_file.profile(session, code(1), as_of=date(2024, 6, 29)) == old.profile(FILED)
        assert on_file.profile(session, code(1), as_of=date(2023, 6, 29)) is None
        assert _speaking(session) == {
            2020: ("10.00", FILED),
            2021: ("21.00", later),
            2022: ("30.00", later),
            2023: ("40.00", later),
        }
        assert [f.as_of for f in on_file.filings(session, search="企业")] == [FILED, later]
        assert on_file.filings(session, search="%") == []


def test_a_year_that_a_new_version_leaves_out_falls_back(database: sa.Engine) -> None:
    later = date(2024, 6, 30)
    old = _year_filing(FILED, y2022="30")
    load(database, old)
    load(database, _year_filing(later, y2022="31"), at=NOW + DAY)
    load(database, _year_filing(later, y2023="40"), at=NOW + 2 * DAY)
    with storage.session(database) as session:
        assert _speaking(session) == {2022: ("30.00", FILED), 2023: ("40.00", later)}
        assert on_file.profile(session, code(1), as_of=FILED) == old.profile(FILED)


def test_a_file_with_errors_is_not_stored(database: sa.Engine) -> None:
    before = contents(database)
    bad = reading(submission(1), refused=(submission(2),))
    with storage.session(database, write=True) as session:
        report = loading.load(session, bad, now=NOW)
    assert report.import_id is None
    assert [line.uscc for line in report.new] == [code(1)]
    assert [(line.uscc, line.reason) for line in report.refused] == [
        (code(2), "错误 表1!B2「甲」：不是数字")
    ]
    assert contents(database) == before
    with storage.session(database, write=True) as session:
        stored = loading.load(session, bad, now=NOW, partial=True)
        assert replace(stored, import_id=None) == report
        counts = session.exec(select(Import)).one()
        assert (counts.new, counts.changed, counts.unchanged, counts.refused) == (1, 0, 0, 1)
        assert on_file.profile(session, code(1)) is not None
        assert on_file.profile(session, code(2)) is None


def test_a_fault_of_the_whole_file_holds_it_back(database: sa.Engine) -> None:
    faulty = replace(reading(submission()), issues=(Issue("错误", "表2", "", "", "缺少表头"),))
    with storage.session(database, write=True) as session:
        assert loading.load(session, faulty, now=NOW).import_id is None
        noted = replace(faulty, issues=(Issue("提示", "表2", "A1", "", "读不出"),))
        assert loading.load(session, noted, now=NOW).import_id is not None


def test_a_dry_run_stores_nothing(database: sa.Engine) -> None:
    before = contents(database)
    report = load(database, submission(), dry_run=True)
    assert (len(report.new), report.import_id) == (1, None)
    assert contents(database) == before


def test_the_day_comes_from_the_file_or_else_from_the_command(database: sa.Engine) -> None:
    dateless = submission(1, as_of=None)
    assert "没有填报日期" in load(database, dateless).refused[0].reason
    load(database, dateless, submission(2), as_of=date(2024, 1, 31))
    with storage.session(database) as session:
        assert [f.as_of for f in on_file.filings(session)] == [date(2024, 1, 31), FILED]


def test_a_day_beyond_the_calendar_of_facts_is_refused(database: sa.Engine) -> None:
    """The newest day is that of a screening, which would fail for everybody."""
    report = load(database, submission(as_of=date(9999, 12, 31)))
    assert report.refused[0].reason == "填报日期9999-12-31的年份应在1900至2199之间：请核对日期"


def test_an_enterprise_twice_on_one_day_is_refused(database: sa.Engine) -> None:
    report = load(database, submission(), submission())
    assert "出现两次" in report.refused[0].reason
    assert report.import_id is None


def test_undo_restores_what_a_load_superseded(database: sa.Engine) -> None:
    old, other = submission(1), submission(2)
    wrong = with_values(replace(old, name="错误"), **{"revenue@2022": "1"})
    load(database, old)
    mistake = load(database, wrong, other, at=NOW + DAY).import_id
    with storage.session(database, write=True) as session:
        report = loading.undo(session, mistake, now=NOW + 2 * DAY)
    assert (report.restored, report.withdrawn) == ((code(1),), (code(2),))
    with storage.session(database) as session:
        assert on_file.profile(session, code(1)) == old.profile(FILED)
        assert on_file.profile(session, code(2)) is None
        assert [f.name for f in on_file.filings(session)] == ["企业1"]
        assert on_file.profile(session, code(1), known_at=NOW + DAY) == wrong.profile(FILED)
        assert on_file.profile(session, code(2), known_at=NOW + DAY) == other.profile(FILED)
        assert _speaking(session)[2022] == ("33330000.00", FILED)
        undone = session.get_one(Import, mistake)
        assert undone.undone_at == NOW + 2 * DAY
    with (
        storage.session(database, write=True) as session,
        pytest.raises(LoadError, match="已经撤销过"),
    ):
        loading.undo(session, mistake, now=NOW + 3 * DAY)
    assert len(load(database, wrong, at=NOW + 3 * DAY).changed) == 1


def test_undo_in_reverse_order_leads_back_to_nothing(database: sa.Engine) -> None:
    stages = [with_values(submission(), **{"revenue@2022": str(n)}) for n in range(3)]
    ids = [load(database, s, at=NOW + n * DAY).import_id for n, s in enumerate(stages)]
    with storage.session(database, write=True) as session:
        with pytest.raises(LoadError, match=f"2次导入申报：请先撤销导入{ids[1]}（表.xlsx）"):
            loading.undo(session, ids[0], now=NOW + 5 * DAY)
        for back, import_id in enumerate(reversed(ids)):
            loading.undo(session, import_id, now=NOW + (5 + back) * DAY)
            left = stages[: len(stages) - back - 1]
            found = on_file.profile(session, code(1))
            assert found == (left[-1].profile(FILED) if left else None)
        assert on_file.filings(session) == []
        assert _speaking(session) == {}


def test_what_a_standing_load_stated_again_cannot_be_taken_back(database: sa.Engine) -> None:
    first = load(database, submission(1)).import_id
    second = load(database, submission(1), submission(2), at=NOW + DAY)
    assert [line.uscc for line in second.unchanged] == [code(1)]
    with storage.session(database, write=True) as session:
        with pytest.raises(LoadError, match=f"请先撤销导入{second.import_id}（表.xlsx）"):
            loading.undo(session, first, now=NOW + 2 * DAY)
        loading.undo(session, second.import_id, now=NOW + 3 * DAY)
        assert on_file.profile(session, code(1)) is not None
        loading.undo(session, first, now=NOW + 4 * DAY)
        assert on_file.profile(session, code(1)) is None


def test_undo_gives_a_year_back_to_the_older_filing(database: sa.Engine) -> None:
    old = _year_filing(FILED, y2021="20", y2022="30")
    load(database, old)
    newer = load(database, _year_filing(date(2024, 6, 30), y2022="31"), at=NOW + DAY).import_id
    with storage.session(database, write=True) as session:
        loading.undo(session, newer, now=NOW + 2 * DAY)
        assert _speaking(session) == {2021: ("20.00", FILED), 2022: ("30.00", FILED)}
        assert on_file.profile(session, code(1)) == old.profile(FILED)


def test_an_unknown_import_and_a_clock_that_runs_back_are_refused(database: sa.Engine) -> None:
    load(database, submission())
    with storage.session(database, write=True) as session:
        with pytest.raises(LoadError, match="没有编号为99的导入"):
            loading.undo(session, 99, now=NOW)
        with pytest.raises(LoadError, match="系统时间早于"):
            loading.load(session, reading(submission(2)), now=NOW - DAY)


def test_thousands_of_enterprises_load_and_come_back_quickly(database: sa.Engine) -> None:
    count = 3_000  # several times what is written at once
    filed = [submission(n) for n in range(count)]
    begin = time.process_time()  # the clock says more about what else the machine does
    assert len(load(database, *filed).new) == count
    assert len(load(database, *filed, at=NOW + DAY).unchanged) == count
    with storage.session(database) as session:
        found = dict(on_file.profiles(session))
    assert time.process_time() - begin < 20
    assert len(found) == count
    assert found[code(77)] == filed[77].profile(FILED)
