"""Formulas: hand-typed readings, and agreement of the two evaluators on random formulas."""

import json
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine.readings import Evaluator
from rules.model.expressions import (
    add,
    as_of,
    bounded,
    calendar_years,
    const,
    count,
    day,
    days,
    div,
    else_found,
    else_known,
    fact,
    field,
    least,
    leaves,
    lookup,
    most,
    mul,
    new_year,
    sub,
    total,
    year,
    year_number,
    years,
)
from rules.model.facts import Fact, Profile, RecordList
from rules.model.ruleset import Case, Cases, Expr, Indicator, Line, Outcome, Rule, Ruleset
from rules.portable import reference

ZERO = Fraction(0)
FACTS = (
    Fact("x", "甲", "number", minimum=ZERO),
    Fact("y", "乙", "number", minimum=ZERO),
    Fact("loss", "盈亏", "number"),
    Fact("share", "比例", "number", minimum=ZERO, maximum=Fraction(1)),
    Fact("found", "认定数", "number", origin="认定", minimum=ZERO),
    Fact("flag", "是否", "flag"),
    Fact("finding", "认定是否", "flag", origin="认定"),
    Fact("revenue", "收入", "number", yearly=True, minimum=ZERO),
    Fact("begun", "起始日期", "date"),
    Fact("ended", "认定日期", "date", origin="认定"),
    Fact("text", "行业代码", "text"),
    Fact("sector", "行业", "code", codes=("工业", "农业")),
    Fact("sector_found", "认定行业", "code", origin="认定", codes=("工业", "农业")),
    Fact("filed", "总数", "number", minimum=ZERO),
)
FIELDS = (
    Fact("valid", "有效", "flag"),
    Fact("approved", "认可", "flag", origin="认定"),
    Fact("amount", "金额", "number", minimum=ZERO),
    Fact("day", "日期", "date"),
)
GOOD_CASE = Case(
    "有效且认可",
    (
        Line(subject="indicator", name="valid", op=">=", value=Fraction(1)),
        Line(subject="indicator", name="approved", op=">=", value=Fraction(1)),
    ),
)
GOOD = Rule(
    id="good",
    title="有效且认可",
    clause="",
    citation="",
    notes=(),
    body=Cases((GOOD_CASE,)),
    records="ip",
)
FLAGS = {
    f"ip.{n}": Indicator(name=n, kind="flag", unit="", expr=field(n), records="ip")
    for n in ("valid", "approved")
}
RULESET = Ruleset(
    root="good",
    title="",
    tier="",
    source="",
    rules=(GOOD,),
    indicators=FLAGS,
    facts={f.id: f for f in FACTS},
    fields={f"ip.{f.id}": f for f in FIELDS},
    maps={"sectors": {"A": "农业", "A01": "种植", "C": "工业"}},
)


def good(record: dict[str, object]) -> Outcome:
    """What the rule over records comes to, in the tests' own words."""
    if False in (record.get("valid"), record.get("approved")):
        return Outcome.NOT_MET
    if "valid" not in record:
        return Outcome.MISSING
    return Outcome.MET if "approved" in record else Outcome.PENDING


def engine_reading(expr: Expr, profile: Profile, n: int | None = None) -> tuple[object, ...]:
    items = profile.records["ip"].items if "ip" in profile.records else ()
    evaluator = Evaluator(RULESET, profile, lambda _list, _rule: [good(dict(i)) for i in items])
    read = evaluator.read(expr) if n is None else evaluator.read(expr, "ip", items[n])
    return (read.lo, read.hi, int(read.gap), read.code, bool(read.broken))


def reference_reading(expr: Expr, profile: Profile, n: int | None = None) -> tuple[object, ...]:
    ruleset, facts, expr = json.loads(json.dumps([RULESET.to_json(), profile.to_json(), expr]))
    evaluator = reference.Evaluator(ruleset)
    evaluation = reference.Evaluation(facts)
    records = "" if n is None else "ip"
    read = evaluator.formula(expr, records)(evaluation, evaluation.places(records)[n or 0])
    return (read.lo, read.hi, read.gap, read.code, bool(read.broken))


def known(value: int | str) -> tuple[object, ...]:
    return (Fraction(value), Fraction(value), 0, None, False)


def between(lo: int | str | None, hi: int | str | None, gap: int) -> tuple[object, ...]:
    return (
        None if lo is None else Fraction(lo),
        None if hi is None else Fraction(hi),
        gap,
        None,
        False,
    )


def code(value: str) -> tuple[object, ...]:
    return (None, None, 0, value, False)


BROKEN = (None, None, 2, None, True)
UNKNOWN, OPEN = between(None, None, 1), between(None, None, 2)

X, Y, LOSS, SHARE = fact("x"), fact("y"), fact("loss"), fact("share")
BEGUN, TEXT = fact("begun"), fact("text")
SECTOR = else_found(lookup("sectors", TEXT), fact("sector_found"))
COUNT, AMOUNT = count("ip", "good", "filed"), total("ip", "amount", "good", "filed")

MET = {"valid": True, "approved": True}
NOT_MET = {"valid": False}
MISSING = {"approved": True}
PENDING = {"valid": True}


@pytest.mark.parametrize(
    ("expr", "values", "expected"),
    [
        # leaves
        (X, {"x": "0.10"}, known("1/10")),
        (X, {}, between(0, None, 1)),
        (LOSS, {}, UNKNOWN),
        (LOSS, {"loss": "-3.5"}, known("-7/2")),
        (SHARE, {}, between(0, 1, 1)),
        (fact("found"), {}, between(0, None, 2)),
        (fact("flag"), {}, between(0, 1, 1)),
        (fact("flag"), {"flag": True}, known(1)),
        (fact("flag"), {"flag": False}, known(0)),
        (fact("finding"), {}, between(0, 1, 2)),
        (fact("sector"), {}, UNKNOWN),
        (fact("sector_found"), {}, OPEN),
        (fact("sector"), {"sector": "工业"}, code("工业")),
        (year("revenue"), {"revenue@2022": "7"}, known(7)),
        (year("revenue", -2), {"revenue@2020": "7"}, known(7)),
        (year("revenue", -1), {"revenue@2022": "7"}, between(0, None, 1)),
        (const("0.05"), {}, known("1/20")),
        # arithmetic
        (add(X, Y, const("1")), {"x": "2", "y": "3"}, known(6)),
        (add(X, SHARE), {"x": "2"}, between(2, 3, 1)),
        (add(fact("flag"), fact("finding")), {}, between(0, 2, 1)),
        (add(fact("flag"), fact("finding")), {"flag": True}, between(1, 2, 2)),
        (add(X, LOSS), {"x": "2"}, UNKNOWN),
        (sub(X, Y), {"x": "2", "y": "3"}, known(-1)),
        (sub(X, Y), {"x": "2"}, between(None, 2, 1)),
        (sub(X, Y), {"y": "3"}, between(-3, None, 1)),
        (sub(X, SHARE), {"x": "2"}, between(1, 2, 1)),
        (div(X, Y), {"x": "2", "y": "3"}, known("2/3")),
        (div(SHARE, Y), {"y": "4"}, between(0, "1/4", 1)),
        (div(X, Y), {"x": "2"}, UNKNOWN),
        (div(X, fact("found")), {"x": "2"}, OPEN),
        (div(X, fact("found")), {}, UNKNOWN),
        (div(X, Y), {"x": "2", "y": "0"}, BROKEN),
        (div(X, Y), {"y": "0"}, BROKEN),
        (div(X, LOSS), {"x": "2", "loss": "-1"}, BROKEN),
        (div(LOSS, Y), {"loss": "-1", "y": "2"}, known("-1/2")),
        # below the least that can be true of a fact
        (X, {"x": "-0.01"}, BROKEN),
        (add(X, Y), {"x": "-1", "y": "2"}, BROKEN),
        (div(X, Y), {"x": "-1", "y": "2"}, BROKEN),
        (LOSS, {"loss": "-1"}, known(-1)),
        (div(div(X, Y), X), {"y": "0"}, BROKEN),
        (div(X, div(X, Y)), {"y": "0"}, BROKEN),
        (add(const("1"), div(X, Y)), {"x": "2", "y": "0"}, BROKEN),
        (sub(div(X, Y), const("1")), {"x": "2", "y": "0"}, BROKEN),
        (sub(const("1"), div(X, Y)), {"x": "2", "y": "0"}, BROKEN),
        (least(div(X, Y), const("1")), {"x": "2", "y": "0"}, between(None, 1, 2)),
        (least(div(X, Y), X), {"y": "0"}, between(None, None, 1)),
        (least(X, const("1")), {"x": "-2"}, BROKEN),
        (least(div(X, const("0")), div(Y, const("0"))), {}, BROKEN),
        (least(X, Y), {"x": "2", "y": "3"}, known(2)),
        (least(X, const("1")), {}, between(0, 1, 1)),
        (least(LOSS, const("1")), {}, between(None, 1, 1)),
        (least(X, const("0")), {}, known(0)),
        (most(X, Y), {"x": "2", "y": "3"}, known(3)),
        (most(X, Y), {"x": "2"}, between(2, None, 1)),
        (most(SHARE, const("1")), {}, known(1)),
        (most(LOSS, SHARE), {}, between(0, None, 1)),
        (most(LOSS, SHARE), {"loss": "-2"}, between(0, 1, 1)),
        (most(least(LOSS, const("1")), const("0")), {}, between(0, 1, 1)),
        (most(div(X, Y), const("1")), {"x": "2"}, between(1, None, 1)),
        (most(div(X, Y), const("1")), {"x": "2", "y": "0"}, between(1, None, 2)),
        (add(most(div(X, Y), const("1")), X), {"x": "2", "y": "0"}, between(3, None, 2)),
        (most(div(X, Y), X), {"y": "0"}, between(0, None, 1)),
        (most(X, const("1")), {"x": "-2"}, BROKEN),
        (most(div(X, Y), X), {"x": "-2", "y": "0"}, BROKEN),
        (most(div(const("1"), X), div(X, Y)), {"x": "0", "y": "0"}, BROKEN),
        (else_found(most(div(X, Y), const("1")), fact("found")), {"x": "2", "y": "0", "found": "5"}, between(1, None, 2)),
        # products: signs, zeros and ends that are open
        (mul(X, Y), {"x": "0.1", "y": "30"}, known(3)),
        (mul(LOSS, const("-1.5")), {"loss": "-2"}, known(3)),
        (mul(div(X, Y), const("1.5")), {"x": "1", "y": "3"}, known("1/2")),
        (mul(X, Y), {"x": "2"}, between(0, None, 1)),
        (mul(X, Y), {"x": "0"}, known(0)),
        (mul(X, LOSS), {"x": "0"}, known(0)),
        (mul(X, LOSS), {}, UNKNOWN),
        (mul(X, LOSS), {"loss": "-2"}, between(None, 0, 1)),
        (mul(X, fact("found")), {}, between(0, None, 1)),
        (mul(const("2"), fact("found")), {}, between(0, None, 2)),
        (mul(SHARE, LOSS), {"loss": "-2"}, between(-2, 0, 1)),
        (mul(SHARE, const("-3")), {}, between(-3, 0, 1)),
        (mul(sub(SHARE, const("0.5")), sub(SHARE, const("0.25"))), {}, between("-3/8", "3/8", 1)),
        (mul(sub(SHARE, const("2")), sub(SHARE, const("3"))), {}, between(2, 6, 1)),
        (mul(sub(SHARE, const("2")), X), {}, between(None, 0, 1)),
        (mul(sub(const("0"), X), sub(const("0"), Y)), {}, between(0, None, 1)),
        (mul(LOSS, LOSS), {}, UNKNOWN),
        # zero times anything is zero, also if that cannot be computed
        (mul(div(X, Y), const("0")), {"x": "2", "y": "0"}, known(0)),
        (mul(const("0"), X), {"x": "-1"}, known(0)),
        (mul(div(X, Y), const("2")), {"x": "2", "y": "0"}, BROKEN),
        (mul(const("2"), X), {"x": "-1"}, BROKEN),
        (mul(div(X, Y), fact("flag")), {"x": "2", "y": "0"}, UNKNOWN),
        (mul(fact("finding"), div(X, Y)), {"x": "2", "y": "0"}, OPEN),
        (mul(fact("finding"), div(X, Y)), {"x": "2", "y": "0", "finding": False}, known(0)),
        (mul(add(const("1"), X), div(X, Y)), {"y": "0"}, BROKEN),
        (mul(sub(fact("flag"), const("2")), div(X, Y)), {"y": "0"}, BROKEN),
        (mul(div(X, Y), div(X, Y)), {"x": "2", "y": "0"}, BROKEN),
        (mul(const("0"), div(X, Y)), {}, known(0)),
        # bounds
        (bounded(X, (Y,), (SHARE,)), {"x": "9", "y": "20"}, BROKEN),
        (bounded(X, (Y,), ()), {"x": "9", "y": "9"}, known(9)),
        (bounded(X, (), (Y,)), {"x": "9.01", "y": "9"}, BROKEN),
        (bounded(X, (Y,), ()), {"y": "3"}, between(3, None, 1)),
        (bounded(X, (), (Y,)), {"y": "3"}, between(0, 3, 1)),
        (bounded(X, (), (Y,)), {"y": "0"}, known(0)),
        (bounded(SHARE, (), (Y,)), {"y": "3"}, between(0, 1, 1)),
        (bounded(X, (const("1"), const("2")), (const("9"), const("5"))), {}, between(2, 5, 1)),
        (bounded(X, (const("2"),), (const("2"),)), {}, known(2)),
        (bounded(X, (const("3"),), (const("2"),)), {}, BROKEN),
        (bounded(fact("found"), (), (Y,)), {}, between(0, None, 2)),
        (bounded(X, (div(X, const("0")),), ()), {}, between(0, None, 1)),
        (bounded(div(X, const("0")), (Y,), ()), {}, between(0, None, 2)),
        (bounded(div(X, const("0")), (Y,), (Y,)), {"y": "2"}, known(2)),
        (bounded(div(X, const("0")), (Y,), ()), {"x": "-1", "y": "2"}, BROKEN),
        # dates
        (days(as_of(), BEGUN), {"begun": "2023-05-31"}, known(0)),
        (days(as_of(), BEGUN), {"begun": "2023-05-30"}, known(-1)),
        (days(as_of(), BEGUN), {"begun": "2023-06-01"}, known(1)),
        (days(as_of(), BEGUN), {}, UNKNOWN),
        (days(day("2020-01-01"), BEGUN), {"begun": "2019-12-31"}, known(-1)),
        (days(day("2020-01-01"), BEGUN), {"begun": "2020-01-01"}, known(0)),
        (days(day("2020-01-01"), BEGUN), {"begun": "2020-01-02"}, known(1)),
        (days(day("2020-01-01"), BEGUN), {}, UNKNOWN),
        (years(day("2020-02-29"), as_of()), {}, known("1186/365")),
        (days(BEGUN, fact("ended")), {"begun": "2020-02-29"}, OPEN),
        (days(BEGUN, fact("ended")), {}, UNKNOWN),
        (days(BEGUN, as_of()), {"begun": "2020-02-28"}, known(1188)),
        (years(BEGUN, new_year(0)), {"begun": "2020-01-01"}, known(3)),
        (years(BEGUN, new_year(0)), {"begun": "2020-01-02"}, known("1094/365") ),
        (years(BEGUN, new_year(0)), {"begun": "2019-12-31"}, known("1096/365")),
        (years(new_year(0), BEGUN), {"begun": "2020-01-01"}, known(-3)),
        (years(BEGUN, as_of()), {}, UNKNOWN),
        (calendar_years(BEGUN, as_of()), {"begun": "2022-12-31"}, known(1)),
        (calendar_years(BEGUN, as_of()), {"begun": "2023-01-01"}, known(0)),
        (calendar_years(new_year(1), new_year(-2)), {}, known(-3)),
        (year_number(BEGUN), {"begun": "2022-12-31"}, known(2022)),
        (year_number(BEGUN), {}, UNKNOWN),
        # codes
        (lookup("sectors", TEXT), {"text": "C3412"}, code("工业")),
        (lookup("sectors", TEXT), {"text": "A02"}, code("农业")),
        (lookup("sectors", TEXT), {"text": "A0111"}, code("种植")),
        (lookup("sectors", TEXT), {}, UNKNOWN),
        (lookup("sectors", TEXT), {"text": "Z9"}, BROKEN),
        (lookup("sectors", TEXT), {"text": ""}, BROKEN),
        (SECTOR, {"text": "C34", "sector_found": "农业"}, code("工业")),
        (SECTOR, {"text": "Z9", "sector_found": "农业"}, code("农业")),
        (SECTOR, {"sector_found": "农业"}, UNKNOWN),
        (SECTOR, {"text": "Z9"}, BROKEN),
        (else_found(div(X, Y), fact("found")), {"x": "1", "y": "0", "found": "5"}, known(5)),
        (else_found(div(X, Y), fact("found")), {"x": "1", "y": "0"}, BROKEN),
        (else_found(div(X, Y), fact("found")), {"x": "1", "y": "2", "found": "5"}, known("1/2")),
        (else_known(X, Y), {"x": "1", "y": "2"}, known(1)),
        (else_known(X, Y), {"y": "2"}, known(2)),
        (else_known(X, fact("found")), {}, between(0, None, 1)),
        (else_known(fact("found"), X), {}, between(0, None, 2)),
        (else_known(div(X, Y), SHARE), {"x": "1", "y": "0", "share": "0.5"}, BROKEN),
        (else_known(X, div(SHARE, Y)), {"y": "0", "share": "0.5"}, between(0, None, 1)),
        (else_known(SECTOR, fact("sector")), {"sector": "农业"}, code("农业")),
        (else_known(SECTOR, fact("sector")), {"text": "C34", "sector": "农业"}, code("工业")),
        (else_known(SECTOR, fact("sector")), {"text": "Z9", "sector": "农业"}, BROKEN),
        (days(as_of(), else_known(BEGUN, as_of())), {"begun": "2023-06-01"}, known(1)),
        (days(as_of(), else_known(BEGUN, as_of())), {}, known(0)),
        (days(as_of(), else_known(BEGUN, fact("ended"))), {}, UNKNOWN),
    ],
)  # fmt: skip
def test_formula(expr: Expr, values: dict[str, str | bool], expected: object) -> None:
    profile = Profile(date(2023, 5, 31), values)
    assert engine_reading(expr, profile) == expected
    assert reference_reading(expr, profile) == expected


@pytest.mark.parametrize(
    ("begun", "day", "expected"),
    [
        ("2020-02-29", date(2021, 2, 28), "365/366"),
        ("2020-02-29", date(2021, 3, 1), "1"),
        ("2020-02-29", date(2024, 2, 28), "1459/365"),
        ("2020-02-29", date(2024, 2, 29), "4"),
        ("2020-02-29", date(2024, 3, 1), "1465/366"),
        ("2019-03-01", date(2020, 2, 29), "365/366"),
        ("2021-06-01", date(2023, 5, 31), "729/365"),
        ("2021-05-31", date(2023, 5, 31), "2"),
        ("2021-05-30", date(2023, 5, 31), "733/366"),
        ("2023-06-01", date(2023, 5, 31), "-1/366"),
        ("2024-02-29", date(2023, 2, 28), "-367/366"),
    ],
)
def test_exact_years(begun: str, day: date, expected: str) -> None:
    profile = Profile(day, {"begun": begun})
    assert engine_reading(years(BEGUN, as_of()), profile) == known(expected)
    assert reference_reading(years(BEGUN, as_of()), profile) == known(expected)


@pytest.mark.parametrize(
    ("items", "complete", "counted", "summed"),
    [
        # nothing itemised: the filed total, unless the list is declared complete
        ((), None, known(4), known(4)),
        ((), False, known(4), known(4)),
        ((), True, known(0), known(0)),
        # not declared complete: there may be any number more
        (({"amount": "5", **MET}, {"amount": "7", **NOT_MET}), None, between(1, None, 1), between(5, None, 1)),
        (({"amount": "5", **PENDING},), False, between(0, None, 1), between(0, None, 1)),
        # complete
        (({"amount": "5", **MET}, {"amount": "7", **NOT_MET}), True, known(1), known(5)),
        (({"amount": "5", **MET}, {"amount": "7", **PENDING}), True, between(1, 2, 2), between(5, 12, 2)),
        (({"amount": "5", **MISSING}, {"amount": "7", **PENDING}), True, between(0, 2, 1), between(0, 12, 1)),
        ((MET, {"amount": "7", **PENDING}), True, between(1, 2, 2), between(0, None, 1)),
        ((PENDING,), True, between(0, 1, 2), between(0, None, 1)),
        (({"amount": "0", **PENDING},), True, between(0, 1, 2), known(0)),
        ((NOT_MET,), True, known(0), known(0)),
    ],
)  # fmt: skip
def test_records(
    items: tuple[dict[str, str | bool], ...], complete: bool | None, counted: object, summed: object
) -> None:
    filed = {} if items or complete else {"filed": "4"}
    profile = Profile(date(2023, 5, 31), filed, {"ip": RecordList(items, complete)})
    for expr, expected in ((COUNT, counted), (AMOUNT, summed)):
        assert engine_reading(expr, profile) == expected
        assert reference_reading(expr, profile) == expected


ONE = {"amount": "1", **MET}
MAYBE = {"amount": "1", **PENDING}


@pytest.mark.parametrize(
    ("items", "complete", "filed", "expected"),
    [
        # a filed total settles what the records leave open, and is broken by what they rule out
        ((ONE,), False, "4", known(4)),
        ((ONE,), None, "1", known(1)),
        ((ONE, ONE), False, "1", BROKEN),
        ((ONE, MAYBE), True, "1", known(1)),
        ((ONE, MAYBE), True, "2", known(2)),
        ((ONE, MAYBE), True, "3", BROKEN),
        ((ONE, MAYBE), True, "0", BROKEN),
        ((), True, "0", known(0)),
        ((), True, "4", BROKEN),
    ],
)
def test_records_and_a_filed_total(
    items: tuple[dict[str, str | bool], ...], complete: bool | None, filed: str, expected: object
) -> None:
    profile = Profile(date(2023, 5, 31), {"filed": filed}, {"ip": RecordList(items, complete)})
    for expr in (COUNT, AMOUNT):
        assert engine_reading(expr, profile) == expected
        assert reference_reading(expr, profile) == expected


@pytest.mark.parametrize(
    ("filed", "expected"), [("filed", between(0, None, 1)), ("finding", between(0, 1, 2)), (None, between(0, None, 1))]
)  # fmt: skip
def test_unknown_total(filed: str | None, expected: object) -> None:
    profile = Profile(date(2023, 5, 31))
    for expr in (count("ip", "good", filed), total("ip", "amount", "good", filed)):
        assert engine_reading(expr, profile) == expected
        assert reference_reading(expr, profile) == expected


def test_field_of_the_record_at_hand() -> None:
    records = RecordList(({"day": "2023-05-30", "amount": "3"}, {}))
    profile = Profile(date(2023, 5, 31), {}, {"ip": records})
    for reading in (engine_reading, reference_reading):
        assert reading(field("amount"), profile, 0) == known(3)
        assert reading(field("amount"), profile, 1) == between(0, None, 1)
        assert reading(days(field("day"), as_of()), profile, 0) == known(1)
        assert reading(days(field("day"), as_of()), profile, 1) == UNKNOWN


def test_exact() -> None:
    evaluator = Evaluator(RULESET, Profile(date(2023, 5, 31), {"x": "2"}), lambda _l, _r: [])
    assert evaluator.read(X).exact == 2
    assert evaluator.read(Y).exact is None


def test_leaves_are_listed_once_in_order() -> None:
    assert leaves(div(sub(X, Y), Y)) == [X, Y]
    assert leaves(bounded(COUNT, (X,), (Y, AMOUNT))) == [COUNT, X, Y, AMOUNT]
    assert leaves(add(const("1"), years(BEGUN, new_year(0)), year("revenue", -1))) == [BEGUN, year("revenue", -1)]  # fmt: skip


# random formulas over random partial facts

amounts = st.sampled_from(["0", "1", "2", "0.5", "10"])
day_texts = st.dates(date(2018, 1, 1), date(2026, 12, 31)).map(date.isoformat) | st.just(
    "2020-02-29"
)
VALUES: dict[str, st.SearchStrategy[str] | st.SearchStrategy[bool]] = {
    "number": amounts,
    "flag": st.booleans(),
    "date": day_texts,
    "text": st.sampled_from(["", "A", "A0", "A012", "C3", "Z9"]),
    "code": st.sampled_from(["工业", "农业"]),
}


def filled(facts: dict[str, Fact]) -> st.SearchStrategy[dict[str, str | bool]]:
    special = {
        "loss": st.sampled_from(["-2", "0", "3"]),
        "share": st.sampled_from(["0", "0.3", "1"]),
    }
    return st.fixed_dictionaries(
        {}, optional={key: special.get(f.id, VALUES[f.kind]) for key, f in facts.items()}
    )


AT_LARGE = {f.id: f for f in FACTS if not f.yearly}
YEARLY = {f"{f.id}@{t}": f for f in FACTS if f.yearly for t in range(2018, 2024)}


def profiles(lists: int, records: int) -> st.SearchStrategy[Profile]:
    """Partial facts, with at least so many lists, and records in them."""
    items: st.SearchStrategy[tuple[dict[str, str | bool], ...]] = st.lists(
        filled({f.id: f for f in FIELDS}), min_size=records, max_size=3
    ).map(tuple)
    filed = st.builds(RecordList, items, st.sampled_from([True, False, None]))
    return st.builds(
        Profile,
        st.dates(date(2020, 1, 1), date(2024, 12, 31)),
        filled(AT_LARGE | YEARLY),
        st.dictionaries(st.just("ip"), filed, min_size=lists, max_size=1),
    )


texts = st.just(lookup("sectors", TEXT))
codes = texts | st.sampled_from(
    [
        fact("sector"),
        TEXT,
        SECTOR,
        else_found(fact("sector"), TEXT),
        else_known(fact("sector"), TEXT),
    ]
)


def formulas(of_record: bool) -> st.SearchStrategy[Expr]:
    numbers = [X, Y, LOSS, SHARE, fact("found"), fact("flag"), fact("finding"), COUNT, AMOUNT]
    numbers += [count("ip", "good"), total("ip", "amount", "good")]
    dates = [as_of(), new_year(0), new_year(-3), day("2020-02-29"), BEGUN, fact("ended")]
    if of_record:
        numbers += [field("amount"), field("valid"), field("approved")]
        dates.append(field("day"))
    dated = st.sampled_from(dates)
    plain = st.one_of(
        st.sampled_from(numbers),
        st.builds(year, st.just("revenue"), st.integers(-2, 0)),
        st.builds(const, st.sampled_from(["0", "1", "2.5", "-1"])),
        st.builds(days, dated, dated),
        st.builds(years, dated, dated),
        st.builds(calendar_years, dated, dated),
        st.builds(year_number, dated),
    )
    grown = plain
    for _ in range(2):
        some = st.lists(grown, max_size=2).map(tuple)
        grown = st.one_of(
            plain,
            st.builds(add, grown, grown, grown),
            st.builds(sub, grown, grown),
            st.builds(div, grown, grown),
            st.builds(mul, grown, grown),
            st.builds(least, grown, grown),
            st.builds(most, grown, grown),
            st.builds(bounded, grown, some, some),
            st.builds(else_found, grown, grown),
            st.builds(else_known, grown, grown),
        )
    return codes | grown


@settings(max_examples=400)
@given(formulas(of_record=False), profiles(lists=0, records=0))
def test_evaluators_agree(expr: Expr, profile: Profile) -> None:
    assert engine_reading(expr, profile) == reference_reading(expr, profile)


@settings(max_examples=200)
@given(formulas(of_record=True), profiles(lists=1, records=1))
def test_evaluators_agree_on_records(expr: Expr, profile: Profile) -> None:
    for n in range(len(profile.records["ip"].items)):
        assert engine_reading(expr, profile, n) == reference_reading(expr, profile, n)
