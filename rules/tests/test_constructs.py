"""Constructs that few packaged criteria use: both evaluators, and the certificate."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product

import pytest

from rules.comparison.compare import compare
from rules.comparison.requirements import asked_for
from rules.comparison.rows import RequirementChange
from rules.decider import Decider, Decision, by_reference
from rules.drafting.certificate import certify
from rules.engine.driver import Engine
from rules.engine.readings import Evaluator
from rules.explanation.explain import explain
from rules.explanation.findings import Finding
from rules.explanation.reasons import missing, reasons
from rules.language.parameters import collisions, row
from rules.model.decode import decode
from rules.model.expressions import (
    add,
    as_of,
    bounded,
    const,
    day,
    days,
    div,
    fact,
    least,
    leaves,
    most,
    mul,
    parameter,
    sub,
    year,
    years,
)
from rules.model.facts import Profile, Scalar
from rules.model.ruleset import (
    Band,
    Bands,
    Body,
    Case,
    Cases,
    Expr,
    Gap,
    Indicator,
    Item,
    Line,
    Op,
    Outcome,
    Parameter,
    Points,
    Rule,
    Ruleset,
    Total,
)
from rules.portable import figures, reference
from rules.sensitivity import margins, smallest_changes
from rules.tests.packaged import catalogue, rulebook
from rules.tests.test_agreement import AS_OF

MISSING = Outcome.MISSING


def rule(id: str, body: Body) -> Rule:
    return Rule(id=id, title=id, clause="", citation="", notes=(), body=body)


def cut(rules: Sequence[Rule], *indicators: Indicator, facts: Sequence[str] = ()) -> Ruleset:
    """A ruleset of these rules, the last of which is its root."""
    return Ruleset(
        root=rules[-1].id,
        title="",
        tier="",
        source="",
        rules=tuple(rules),
        indicators={i.name: i for i in indicators},
        facts={id: catalogue().fact(id) for id in facts},
        fields={},
        maps={},
    )


def decided(ruleset: Ruleset, profiles: Sequence[Profile]) -> list[dict[str, object]]:
    """The traces of both evaluators, which agree, also after the ruleset was written and read."""
    again = decode(ruleset.canonical())
    assert again.rules == ruleset.rules
    with Decider(ruleset) as decider:
        found = [dict(decider.decide(p).trace) for p in profiles]
    assert [dict(by_reference(again, p)) for p in profiles] == found
    return found


# -- a total with a cap ----------------------------------------------------------------------------

STAFF = Indicator(name="人", kind="number", unit="人", expr=year("staff", 0))
LEVEL = Indicator(name="级", kind="number", unit="人", expr=year("rd_staff", 0))


def steps(name: str, *points: str) -> Bands:
    """As many points as stand here for 0, 1, 2 …."""
    ends = [None, *(Fraction(2 * n + 1, 2) for n in range(len(points) - 1)), None]
    rows = zip(ends, ends[1:], points, strict=False)
    return Bands(((name, tuple(Band(lo, hi, Fraction(p)) for lo, hi, p in rows)),))


def capped(cap: str | None, gate: str = "5") -> Ruleset:
    items = (Item("甲", "人分", Fraction(8)), Item("乙", "级分", Fraction(13, 3)))
    total = Total(items, None if cap is None else Fraction(cap))
    lines = (
        Line(subject="points", name="合计", op=">=", value=Fraction(gate), text=f"不低于{gate}分"),
        Line(subject="points", name="合计/甲", op=">", value=Fraction(6), text="高于6分"),
    )
    return cut(
        [
            rule("人分", steps("人", "0", "2.5", "5", "8")),
            rule("级分", steps("级", "0", "1", "7/3", "13/3")),
            rule("合计", total),
            rule("总", Total((Item("", "合计", total.items[0].full),))),
            rule("线", Cases(tuple(Case(str(n), (line,)) for n, line in enumerate(lines)))),
        ],
        STAFF,
        LEVEL,
        facts=("staff", "rd_staff"),
    )


def filed(**values: Scalar) -> Profile:
    return Profile(AS_OF, {f"{id}@2022": value for id, value in values.items()})


@pytest.mark.parametrize(
    ("staff", "level", "expected"),
    [
        ("1", "1", ("7/2", "7/2")),
        ("1", "2", ("29/6", "29/6")),
        ("3", "0", ("5", "5")),
        ("3", "3", ("5", "5")),
        ("1", None, ("5/2", "5")),
        ("3", None, ("5", "5")),
        (None, None, ("0", "5")),
    ],
)
def test_a_total_gives_no_more_than_its_cap(
    staff: str | None, level: str | None, expected: tuple[str, str]
) -> None:
    values = {"staff": staff, "rd_staff": level}
    [trace] = decided(capped("5"), [filed(**{k: v for k, v in values.items() if v})])
    points = trace["合计"]
    assert isinstance(points, Points)
    assert (points.lo, points.hi) == tuple(map(Fraction, expected))
    assert bool(points.gap) is (points.lo < points.hi)
    assert trace["总"] == points
    if staff == "3":
        assert trace["合计/甲"] == Points(Fraction(8), Fraction(8))


@pytest.mark.parametrize("cap", ["0.5", "8", "7/3", "5", "12", "37/3", None])
def test_the_certificate_of_a_capped_total_and_random_filings(cap: str | None) -> None:
    rng = random.Random(7)
    ruleset = capped(cap)
    assert certify(ruleset).differences == ()
    levels = [None, *map(str, range(5))]
    filings = [
        {k: v for k in ("staff", "rd_staff") if (v := rng.choice(levels))} for _ in range(40)
    ]
    traces = decided(ruleset, [filed(**filing) for filing in filings])  # type: ignore[arg-type]
    for trace in traces:
        parts = [trace["人分"], trace["级分"]]
        total = trace["合计"]
        assert isinstance(total, Points)
        for end in ("lo", "hi"):
            whole = sum(getattr(part, end) for part in parts)
            assert getattr(total, end) == (whole if cap is None else min(whole, Fraction(cap)))


@pytest.mark.parametrize("wrong", [None, Fraction(5) + Fraction(1, 10**12), Fraction(4)])
def test_an_engine_with_another_cap_gets_no_certificate(wrong: Fraction | None) -> None:
    def make(ruleset: Ruleset) -> Engine:
        rules = tuple(
            replace(r, body=replace(r.body, cap=wrong))
            if isinstance(r.body, Total) and r.body.cap is not None
            else r
            for r in ruleset.rules
        )
        return Engine(replace(ruleset, rules=rules))

    found = certify(capped("5"), make=make).differences
    assert {d.rule for d in found} == {"合计"}


def test_a_capped_total_says_what_its_items_come_to() -> None:
    with Decider(capped("5")) as decider:
        finding = explain(decider.decide(filed(staff="3", rd_staff="3")))
        low = explain(decider.decide(filed(staff="1", rd_staff="1")))
    [total] = [f for f in finding.walk() if f.rule == "合计"]
    assert total.uncapped == Points(Fraction(37, 3), Fraction(37, 3))
    assert total.possible == 5
    assert [f.uncapped for f in low.walk()] == [None] * 4
    assert total.outcome == "5分"


def test_a_ruleset_without_a_cap_says_nothing_of_one() -> None:
    assert '"cap"' not in capped(None).canonical()
    assert '"cap":"5"' in capped("5").canonical()
    assert by_reference(capped("4"), filed(staff="3"))["线"] is Outcome.MET


# -- a rule that must not be met -------------------------------------------------------------------

BRAND = Indicator(name="品牌", kind="flag", unit="", expr=fact("own_brand"))


def excluded() -> Ruleset:
    """Not of few people with a brand of their own, whose R&D staff a second rule asks too."""
    few = Line(subject="indicator", name="人", op="<", value=Fraction(2), text="低于2人")
    brand = Line(subject="indicator", name="品牌", op=">=", value=Fraction(1), text="为 是")
    level = Line(subject="indicator", name="级", op=">=", value=Fraction(2), text="不低于2人")
    small = Line(subject="unmet", name="小", text="为 不符合")
    return cut(
        [
            rule("小", Cases((Case("一", (few, brand)),))),
            rule("大", Cases((Case("一", (small,)), Case("二", (level,))))),
            rule(
                "线",
                Cases(
                    (
                        Case("一", (small, level)),
                        Case("二", (Line(subject="unmet", name="大", text="为 不符合"), small)),
                        Case("三", (Line(subject="rule", name="小"), level)),
                    )
                ),
            ),
        ],
        STAFF,
        LEVEL,
        BRAND,
        facts=("staff", "rd_staff", "own_brand"),
    )


@pytest.mark.parametrize(
    ("staff", "brand", "small", "large"),
    [
        ("1", True, Outcome.MET, Outcome.NOT_MET),
        ("1", False, Outcome.NOT_MET, Outcome.MET),
        ("2", None, Outcome.NOT_MET, Outcome.MET),
        ("1", None, Outcome.MISSING, Outcome.MISSING),
        ("-1", True, Outcome.PENDING, Outcome.PENDING),
    ],
)
def test_what_must_not_be_met(
    staff: str, brand: bool | None, small: Outcome, large: Outcome
) -> None:
    known = {} if brand is None else {"own_brand": brand}
    values: dict[str, Scalar] = {"staff@2022": staff, "rd_staff@2022": "0", **known}
    [trace] = decided(excluded(), [Profile(AS_OF, values)])
    assert (trace["小"], trace["大"], trace["大/一/1"]) == (small, large, large)


def test_the_certificate_of_a_rule_that_must_not_be_met() -> None:
    ruleset = excluded()
    assert certify(ruleset).differences == ()

    def asked(rule: Rule) -> Rule:
        """The same rule, asked to be met."""
        if not isinstance(rule.body, Cases):
            return rule
        lines = (
            (c.name, tuple(replace(x, subject="rule") if x.value is None else x for x in c.lines))
            for c in rule.body.cases
        )
        return replace(rule, body=Cases(tuple(Case(*line) for line in lines)))

    def make(ruleset: Ruleset) -> Engine:
        return Engine(replace(ruleset, rules=tuple(map(asked, ruleset.rules))))

    assert {d.rule for d in certify(ruleset, make=make).differences} >= {"大", "线"}


def test_what_must_not_be_met_says_on_which_figures_it_rests() -> None:
    sources = {"staff@2022": "汇总表!C3", "own_brand": "汇总表!D3"}
    values: dict[str, Scalar] = {"staff@2022": "1", "own_brand": True, "rd_staff@2022": "0"}
    ruleset = replace(excluded(), root="大", rules=excluded().rules[:2])
    with Decider(ruleset) as decider:
        refused = explain(decider.decide(Profile(AS_OF, values, {}, sources)))
        del values["own_brand"]
        still_open = explain(decider.decide(Profile(AS_OF, values, {}, sources)))
    found = {c.requirement: c for c in reasons(refused)}
    check = found["小 为 不符合"]
    assert (check.value, check.finding) == ("符合", None)
    assert [(f.name, f.value, f.source) for f in check.figures] == [
        ("2022年从业人员（上年度）", "1人", "汇总表!C3"),
        ("自主品牌", "是", "汇总表!D3"),
    ]
    [check] = [c for c in reasons(still_open, Outcome.MISSING) if c.subject == "小"]
    assert [(f.name, f.value) for f in check.figures] == [("自主品牌", "未填报")]
    assert [f.name for f in missing(still_open)] == ["自主品牌"]


def test_what_must_not_be_met_turns_by_its_own_figures() -> None:
    values: dict[str, Scalar] = {"staff@2022": "1", "own_brand": True, "rd_staff@2022": "0"}
    ruleset = replace(excluded(), root="大", rules=excluded().rules[:2])
    with Decider(ruleset) as decider:
        found = smallest_changes(decider.decide(Profile(AS_OF, values)))
    assert {(c.key, c.new) for c in found.single} == {
        ("staff@2022", "2"),
        ("own_brand", False),
        ("rd_staff@2022", "2"),
    }


def test_another_text_of_what_must_not_be_met_is_a_change() -> None:
    before = excluded()
    few, *rest = before.rules
    assert isinstance(few.body, Cases)
    [case] = few.body.cases
    more = replace(case.lines[0], value=Fraction(3), text="低于3人")
    body = Cases((replace(case, lines=(more, *case.lines[1:])),))
    after = replace(before, rules=(replace(few, body=body), *rest))
    assert compare(before, before).identical
    said = {detail for row in compare(before, after).rows for detail in row.details}
    assert "不得符合的条件由「人低于2人，品牌为是」改为「人低于3人，品牌为是」" in said


# -- products, maxima and fixed days ---------------------------------------------------------------

PROFIT, REVENUE, LAST = year("net_profit", 0), year("revenue", 0), year("revenue", -1)
SHARE, FIRST = fact("market_share"), fact("segment_entry")
GROWTH = div(sub(REVENUE, LAST), LAST)
#: Formulas with values that lie around the thresholds beside them.
FORMULAS: dict[str, tuple[Expr, str]] = {
    "人乘研": (mul(year("staff", 0), year("rd_staff", 0)), "6"),
    "倍数": (mul(PROFIT, const("1.5")), "-7500000"),
    "反数": (mul(PROFIT, const("-1")), "0.01"),
    "盈亏乘份额": (mul(PROFIT, SHARE), "-500000"),
    "份额乘盈亏": (mul(sub(SHARE, const("0.3")), PROFIT), "0"),
    "人乘盈亏": (mul(year("staff", 0), PROFIT), "-5000000"),
    "负人乘负研": (
        mul(sub(const("5"), year("staff", 0)), sub(const("2"), year("rd_staff", 0))),
        "3",
    ),
    "增长的倍数": (mul(GROWTH, const("2/3")), "0.1"),
    "零乘": (mul(const("0"), PROFIT), "0"),
    "较大": (most(year("staff", 0), year("rd_staff", 0)), "3"),
    "较大的率": (most(GROWTH, div(PROFIT, REVENUE)), "0.15"),
    "较小的率": (least(GROWTH, div(PROFIT, REVENUE)), "0"),
    "盈亏较大": (most(PROFIT, mul(REVENUE, const("0.1"))), "100000"),
    "距日": (days(day("2020-01-01"), FIRST), "0"),
    "距年": (years(FIRST, day("2022-06-30")), "2"),
    "定期": (days(day("2020-01-01"), as_of()), "1276"),
    "保底": (most(GROWTH, const("0.1")), "0.1"),
    "限额": (add(least(GROWTH, const("1")), SHARE), "1.1"),
    "有份额才计": (mul(SHARE, GROWTH), "0.01"),
    "份额以外": (mul(sub(const("1"), SHARE), div(PROFIT, LAST)), "0"),
    "三年之间": (div(REVENUE, year("revenue", -3)), "1"),
    "不少于份额": (bounded(GROWTH, (SHARE,), ()), "0.1"),
}


def at_random(rng: random.Random, depth: int) -> Expr:
    """A formula of sums, products, ratios to a figure, maxima, minima and bounds."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice([*DIVISORS, PROFIT, SHARE, const("0"), const("-2"), const("0.5")])
    node = rng.choice(["add", "sub", "mul", "mul", "div", "least", "most", "most", "bounded"])
    a = at_random(rng, depth - 1)
    if node == "div":
        return div(a, rng.choice(DIVISORS))
    b = at_random(rng, depth - 1)
    return ("bounded", a, (b,), ()) if node == "bounded" else (node, a, b)


#: Figures that may be zero, or filed below it although they cannot be.
DIVISORS = (year("staff", 0), year("rd_staff", 0), REVENUE, LAST)


def random_formulas(seed: int, depth: int = 3) -> dict[str, tuple[Expr, str]]:
    """Formulas at random, each with a threshold at which many of them turn."""
    rng = random.Random(seed)
    limits = ["0", "0", "1", "2.5", "-2", "100000"]
    return {f"随机{n}": (at_random(rng, depth), rng.choice(limits)) for n in range(24)}


def formulas(of: Mapping[str, tuple[Expr, str]] = FORMULAS) -> Ruleset:
    """For each formula, whether it is at least, and more than, its threshold."""
    indicators = [
        Indicator(name=name, kind="number", unit="", expr=expr) for name, (expr, _) in of.items()
    ]
    rules = []
    for name, (_, limit) in of.items():
        lines = (
            Line(subject="indicator", name=name, op=op, value=Fraction(limit))
            for op in (">=", ">", "<", "<=")
        )
        rules.append(
            rule(name, Cases(tuple(Case(str(n), (line,)) for n, line in enumerate(lines))))
        )
    gates = tuple(Line(subject="rule", name=name) for name in of)
    read = {leaf[1] for expr, _ in of.values() for leaf in leaves(expr)}
    return cut([*rules, rule("全", Cases((Case("一", gates),)))], *indicators, facts=sorted(read))


SOME: dict[str, tuple[Scalar, ...]] = {
    "staff@2022": ("0", "1", "2", "3", "4", "6", "-1"),
    "rd_staff@2022": ("0", "1", "2", "3", "4"),
    "net_profit@2022": ("-5000000", "-0.01", "0", "0.01", "1000000", "123456789012345.67"),
    "revenue@2022": ("0", "0.01", "1000000", "1150000", "100000000", "-0.01"),
    "revenue@2021": ("0", "1000000", "99999999.99", "123456789012345.67"),
    "revenue@2019": ("0", "1000000", "99999999.99"),
    "market_share": ("0", "0.1", "0.3", "0.3001", "1"),
    "segment_entry": ("2019-12-31", "2020-01-01", "2020-01-02", "2020-06-29", "2020-07-01"),
}


def some(rng: random.Random, known: float) -> Profile:
    return Profile(AS_OF, {k: rng.choice(v) for k, v in SOME.items() if rng.random() < known})


def test_formulas_come_out_alike_on_random_filings() -> None:
    rng = random.Random(20)
    traces = decided(formulas(), [some(rng, rng.choice([0.3, 0.7, 0.95])) for _ in range(250)])
    for name in FORMULAS:
        ways = {trace[f"{name}/{n}"] for trace in traces for n in range(4)}
        assert len(ways) >= 2, name
        if name not in ("零乘", "定期"):
            assert ways >= {Outcome.MET, Outcome.NOT_MET, Outcome.MISSING}, (name, ways)


@pytest.mark.parametrize(
    ("name", "op", "outcome", "value"),
    [
        ("保底", ">=", Outcome.MET, "不少于10%，有一项无法计算（2021年营业收入总额填报为0万元）"),
        (
            "保底",
            ">",
            Outcome.PENDING,
            "不少于10%，有一项无法计算（2021年营业收入总额填报为0万元）",
        ),
        ("限额", "<", Outcome.MET, "有一项无法计算（2021年营业收入总额填报为0万元）"),
        ("有份额才计", ">=", Outcome.NOT_MET, "0%"),
        ("份额以外", ">=", Outcome.PENDING, "无法计算（2021年营业收入总额填报为0万元）"),
        ("较大的率", ">=", Outcome.MISSING, "有一项无法计算（2021年营业收入总额填报为0万元）"),
    ],
)
def test_what_is_known_beside_what_cannot_be_computed(
    name: str, op: Op, outcome: Outcome, value: str
) -> None:
    expr, limit = FORMULAS[name]
    line = Line(subject="indicator", name=name, op=op, value=Fraction(limit), text=f"{op} {limit}")
    read = {leaf[1] for leaf in leaves(expr)}
    percent = Indicator(name=name, kind="number", unit="%", expr=expr)
    values: dict[str, Scalar] = {"revenue@2022": "100", "revenue@2021": "0", "market_share": "0"}
    with Decider(cut([rule("线", Cases((Case("一", (line,)),)))], percent, facts=read)) as decider:
        finding = explain(decider.decide(Profile(AS_OF, values)))
    [check] = finding.options[0].checks
    assert (finding.result, check.value) == (outcome, value)
    lacking = [(f.name, f.value) for f in missing(finding) if f.broken]
    assert lacking == ([(name, value)] if outcome in (Outcome.PENDING, MISSING) else [])


@pytest.mark.parametrize("seed", range(4))
def test_random_formulas_come_out_alike(seed: int) -> None:
    rng = random.Random(seed)
    made = formulas(random_formulas(seed))
    traces = decided(made, [some(rng, rng.choice([0.5, 0.8, 1])) for _ in range(60)])
    found = {result for trace in traces for result in trace.values()}
    assert found == {*Outcome} - {Outcome.NOT_APPLICABLE}


def test_a_product_turns_where_it_says() -> None:
    """The margins of a figure in a product with another, and with itself."""
    expr = mul(sub(year("staff", 0), const("3")), sub(year("staff", 0), const("8")))
    line = Line(subject="indicator", name="积", op="<=", value=Fraction(-4))
    ruleset = cut(
        [rule("线", Cases((Case("一", (line,)),)))],
        Indicator(name="积", kind="number", unit="", expr=expr),
        facts=("staff",),
    )
    with Decider(ruleset) as decider:
        [margin] = margins(decider.decide(filed(staff="5")))
    assert margin.below is not None
    assert margin.above is not None
    assert (margin.verdict, margin.below.new, margin.above.new) == (Outcome.MET, "3", "8")


# -- fixed days in tables --------------------------------------------------------------------------

ENTRY = Indicator(name="入行", kind="date", unit="天", expr=days(as_of(), FIRST))
BEGUN = ENTRY.counted_from(date(2020, 1, 1))


def dated(first: Indicator = BEGUN) -> Ruleset:
    requirements: tuple[tuple[str, Op], ...] = (
        ("不早于", ">="), ("不晚于", "<="), ("早于", "<"), ("晚于", ">"),
    )  # fmt: skip
    text = f"{first.day:%Y-%m-%d}"
    lines = [
        Line(subject="indicator", name=first.name, op=op, value=Fraction(0), text=f"{said} {text}")
        for said, op in requirements
    ]
    rules = [rule(x.text.partition(" ")[0], Cases((Case("一", (x,)),))) for x in lines]
    gates = tuple(Line(subject="rule", name=r.id) for r in rules)
    return cut([*rules, rule("全", Cases((Case("一", gates),)))], first, facts=("segment_entry",))


@pytest.mark.parametrize(
    ("day", "met"),
    [
        ("2019-12-31", ["不晚于", "早于"]),
        ("2020-01-01", ["不早于", "不晚于"]),
        ("2020-01-02", ["不早于", "晚于"]),
        ("1900-01-01", ["不晚于", "早于"]),
        ("2099-12-31", ["不早于", "晚于"]),
    ],
)
def test_a_date_beside_a_fixed_day(day: str, met: list[str]) -> None:
    [trace] = decided(dated(), [Profile(AS_OF, {"segment_entry": day})])
    assert [name for name, result in trace.items() if result is Outcome.MET and "/" not in name] == met  # fmt: skip
    [trace] = decided(dated(), [Profile(AS_OF, {})])
    assert set(trace.values()) == {Outcome.MISSING}


def test_a_fixed_day_has_a_certificate_and_words() -> None:
    assert certify(dated()).differences == ()
    ruleset = replace(dated(), root="早于")
    with Decider(ruleset) as decider:
        decision = decider.decide(Profile(AS_OF, {"segment_entry": "2020-03-01"}))
    [check] = reasons(explain(decision))
    assert (check.requirement, check.value) == ("入行 早于 2020-01-01", "2020年3月1日")
    [margin] = margins(decision)
    assert margin.below is not None
    assert (margin.below.new, margin.below.verdict) == ("2019-12-31", Outcome.MET)
    assert [r.requirement for r in smallest_changes(decision).rest] == []


def test_another_fixed_day_is_a_change() -> None:
    later = dated(ENTRY.counted_from(date(2021, 1, 1)))
    rows = [row for row in compare(dated(), later).rows if row.details]
    assert {row.name for row in rows} == {"入行"}
    assert "由「早于 2020-01-01」改为「早于 2021-01-01」" in {
        d for row in rows for d in row.details
    }


# -- parameters ------------------------------------------------------------------------------------

#: The growth of an area, by place and year, and the tax of a sector, by sector and place.
AREA = Parameter(
    "%",
    tuple(
        row(place, "", at, Fraction(value), f"{place}统计公报")
        for place, at, value in (
            ("江苏省", 2022, "0.028"), ("江苏省", 2021, "0.086"), ("南京市", 2022, "0.021"),
            ("上海市", None, "-0.002"), ("江苏省", None, "0.03"),
        )
    ),
)  # fmt: skip
TAX = Parameter(
    "%",
    tuple(
        row(place, sector, at, Fraction(value), "")
        for place, sector, at, value in (
            ("", "", None, "1/3"), ("", "C", None, "0.05"), ("", "C35", 2022, "0.07"),
            ("", "C3511", None, "0.09"), ("江苏省", "", None, "0.04"), ("江苏省", "C3", 2022, "0.06"),
            ("苏州市", "", 2023, "0.01"),
        )
    ),
)  # fmt: skip


def by_place() -> Ruleset:
    """Growth against the area's, and three parameters by themselves."""
    indicators = [
        Indicator(
            name="差",
            kind="number",
            unit="%",
            expr=sub(GROWTH, mul(parameter("增速"), const("1.5"))),
        ),
        *(
            Indicator(name=name, kind="number", unit="%", expr=expr)
            for name, expr in (
                ("增速", parameter("增速")),
                ("上年增速", parameter("增速", -1)),
                ("税", parameter("税")),
                ("明年税", parameter("税", 1)),
            )
        ),
    ]
    limits = {"差": "0", "增速": "0.025", "上年增速": "0.05", "税": "0.06", "明年税": "0.05"}
    rules = [
        rule(
            name,
            Cases(
                tuple(
                    Case(op, (Line(subject="indicator", name=name, op=op, value=Fraction(limit)),))
                    for op in (">=", "<")
                )
            ),
        )
        for name, limit in limits.items()
    ]
    gates = tuple(Line(subject="rule", name=r.id) for r in rules)
    made = cut(
        [*rules, rule("全", Cases((Case("一", gates),)))],
        *indicators,
        facts=("city", "industry_code", "province", "revenue"),
    )
    return replace(made, parameters={"增速": AREA, "税": TAX})


def placed(province: str | None, city: str | None, code: str | None = None) -> Profile:
    given = {"province": province, "city": city, "industry_code": code}
    return Profile(AS_OF, {k: v for k, v in given.items() if v is not None})


@pytest.mark.parametrize(
    ("name", "offset", "case", "expected"),
    [
        # the city before the province, the year before every year
        ("增速", 0, ("江苏省", "南京市"), "0.021"),
        ("增速", 0, (None, "南京市"), "0.021"),
        ("增速", 0, ("江苏省", "苏州市"), "0.028"),
        ("增速", -1, ("江苏省", "南京市"), "0.086"),
        ("增速", -2, ("江苏省", "南京市"), "0.03"),
        ("增速", -2, ("上海市", None), "-0.002"),
        ("增速", 0, ("江苏省", None), MISSING),
        ("增速", -1, ("江苏省", None), "0.086"),
        ("增速", 0, (None, None), MISSING),
        ("增速", 0, (None, "苏州市"), MISSING),
        ("增速", 0, ("浙江省", "杭州市"), "没有浙江省杭州市2022年的「增速」"),
        ("增速", -1, ("浙江省", None), "没有浙江省2021年的「增速」"),
        # the longest beginning of the code
        ("税", 0, ("浙江省", "杭州市", "C3512"), "0.07"),
        ("税", -1, ("浙江省", "杭州市", "C3512"), "0.05"),
        ("税", 0, ("浙江省", "杭州市", "C3511"), "0.09"),
        ("税", 0, ("浙江省", "杭州市", "F5191"), "1/3"),
        ("税", 0, ("浙江省", None, "F5191"), "1/3"),
        ("税", 0, ("浙江省", None, None), MISSING),
        # the place before the sector
        ("税", 0, ("江苏省", "南京市", "C3511"), "0.06"),
        ("税", -1, ("江苏省", "南京市", "C3511"), "0.04"),
        ("税", -1, ("江苏省", "南京市", None), "0.04"),
        ("税", 0, ("江苏省", "南京市", None), MISSING),
        ("税", 0, (None, "南京市", "F5191"), MISSING),
        ("税", 1, ("江苏省", "苏州市", None), "0.01"),
        ("税", 1, ("江苏省", None, None), MISSING),
    ],
)
def test_a_parameter(
    name: str, offset: int, case: tuple[str | None, ...], expected: str | Outcome
) -> None:
    profile = placed(*case)
    expr = parameter(name, offset)
    read = Evaluator(by_place(), profile, lambda *_: []).read(expr)
    plain = json.loads(json.dumps([by_place().to_json(), profile.to_json(), expr]))
    evaluator = reference.Evaluator(plain[0])
    evaluation = reference.Evaluation(plain[1])
    again = evaluator.formula(plain[2])(evaluation, evaluation.itself)
    assert (read.lo, read.hi, int(read.gap), bool(read.broken)) == (
        again.lo,
        again.hi,
        again.gap,
        again.broken,
    )
    if expected is MISSING:
        assert (read.lo, read.hi, read.gap) == (None, None, Gap.MISSING)
    elif str(expected).startswith("没有"):
        assert (read.broken, read.gap) == (expected, Gap.PENDING)
    else:
        assert (read.exact, read.gap) == (Fraction(str(expected)), Gap.NONE)


PROVINCES = (None, "江苏省", "上海市", "浙江省")
CITIES = (None, "南京市", "苏州市", "上海市", "杭州市")
CODES = (None, "C3511", "C3512", "C3411", "C", "F5191", "")


def anywhere() -> list[Profile]:
    """A filing for each place and code, with random revenues."""
    rng = random.Random(5)
    return [
        replace(some(rng, 0.9), values={**some(rng, 0.9).values, **placed(*case).values})
        for case in product(PROVINCES, CITIES, CODES)
    ]


def test_parameters_come_out_alike_everywhere() -> None:
    traces = decided(by_place(), anywhere())
    for name in ("差", "增速", "税"):
        assert {t[f"{name}/>="] for t in traces} >= {Outcome.MET, Outcome.NOT_MET, Outcome.MISSING}
    assert {t["增速/>="] for t in traces} >= {Outcome.PENDING}
    assert certify(by_place()).differences == ()


def of_one_city() -> Ruleset:
    """A ruleset with a parameter that is set for one city only."""
    made = by_place()
    return replace(made, parameters={"增速": replace(AREA, rows=(AREA.rows[2],)), "税": TAX})


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (("江苏省", None), MISSING),
        ((None, None), MISSING),
        (("江苏省", "南京市"), Outcome.NOT_MET),
        (("江苏省", "苏州市"), Outcome.PENDING),
    ],
)
def test_where_a_parameter_is_set_for_a_city_the_city_is_asked_for(
    case: tuple[str | None, ...], outcome: Outcome
) -> None:
    """Before it is known, nobody can say that the law sets nothing there."""
    [trace] = decided(of_one_city(), [placed(*case)])
    assert trace["增速/>="] is outcome


def test_more_information_never_overturns_a_parameter() -> None:
    evaluator = reference.Evaluator(by_place().to_json())
    full = [case for case in product(PROVINCES, CITIES, CODES) if None not in case]
    for case in full:
        after = evaluator.evaluate(placed(*case).to_json())
        for kept in product((False, True), repeat=3):
            less = placed(*(text if keep else None for text, keep in zip(case, kept, strict=True)))
            for key, result in evaluator.evaluate(less.to_json()).items():
                assert result == figures.MISSING or after[key] == result, (case, kept, key)


def test_a_parameter_in_words() -> None:
    with Decider(by_place()) as decider:
        values = {**placed("江苏省", "南京市").values, "revenue@2022": "101", "revenue@2021": "100"}
        decision = decider.decide(Profile(AS_OF, values))
        nowhere = decider.decide(placed("浙江省", "杭州市", "F5191"))
        without = decider.decide(placed("江苏省", None, "F5191"))
    [check] = [c for o in _of("差", decision).options[:1] for c in o.checks]
    assert [(f.name, f.value, f.source) for f in check.figures][-1] == (
        "2022年增速",
        "2.1%",
        "南京市统计公报",
    )
    [check] = [c for o in _of("增速", nowhere).options[:1] for c in o.checks]
    assert check.value == "无法计算（没有浙江省杭州市2022年的「增速」）"
    assert [(f.name, f.value) for f in missing(_of("增速", without))] == [("城市", "未填报")]


def _of(id: str, decision: Decision) -> Finding:
    return next(f for f in explain(decision).walk() if f.rule == id)


def test_rows_that_fit_alike_collide() -> None:
    assert collisions(AREA.rows) == collisions(TAX.rows) == []
    first, *_ = AREA.rows
    twice = replace(first, value=Fraction(1))
    assert collisions([*AREA.rows, twice]) == [(first, twice)]
    assert collisions([first, replace(first, year=None), replace(first, sector="C")]) == []


def test_a_ruleset_has_the_parameters_that_it_reads_and_the_facts_that_choose_them() -> None:
    book = rulebook()
    name = "上年度研发费用占比"
    expr = div(book.indicators[name].expr, parameter("税"))
    indicators = {**book.indicators, name: replace(book.indicators[name], expr=expr)}
    other = replace(book, indicators=indicators, parameters={"增速": AREA, "税": TAX})
    found = other.ruleset("63.2.研发费用")
    assert found.parameters == {"税": TAX}
    assert {"province", "city", "industry_code"} <= set(found.facts)
    assert decode(found.canonical()).parameters == {"税": TAX}
    assert '"parameters"' not in book.ruleset("63.2").canonical()
    assert asked_for(found)["industry_code"] == "行业代码"


def test_other_values_of_a_parameter_are_a_change() -> None:
    lower = replace(AREA, rows=(replace(AREA.rows[0], value=Fraction("0.02")), *AREA.rows[1:]))
    after = replace(by_place(), parameters={"增速": lower, "税": TAX})
    [found] = compare(by_place(), after).definitions
    assert (found.change, found.name) == (RequirementChange.CHANGED, "增速")
    assert found.before.startswith("江苏省2022年2.8%；")
    assert found.after.startswith("江苏省2022年2%；")


def in_city() -> Ruleset:
    """An enterprise of one of two cities, and one of a province that is not in one of these."""
    made = cut(
        [
            rule("在市", Cases((Case("一", (_among("市", "南京市", "上海市"),)),))),
            rule(
                "在省",
                Cases(
                    (
                        Case(
                            "一",
                            (
                                _among("省", "江苏省"),
                                Line(subject="unmet", name="在市", text="为 不符合"),
                            ),
                        ),
                    )
                ),
            ),
        ],
        Indicator(name="市", kind="code", unit="", expr=fact("city")),
        Indicator(name="省", kind="code", unit="", expr=fact("province")),
        facts=("city", "province"),
    )
    return made


def _among(name: str, *codes: str) -> Line:
    return Line(
        subject="indicator", name=name, op="in", value=codes, text=f"属于 {'、'.join(codes)}"
    )


def test_a_condition_on_the_place() -> None:
    traces = decided(in_city(), anywhere())
    outcomes = {(t["在市"], t["在省"]) for t in traces}
    assert outcomes >= {
        (Outcome.MET, Outcome.NOT_MET),
        (Outcome.NOT_MET, Outcome.MET),
        (MISSING, MISSING),
    }
    assert certify(in_city()).differences == ()


def registered() -> Ruleset:
    """Two full years of registration on the filing day, and registration before a fixed day."""
    age = years(fact("registered_on"), as_of())
    begun = Indicator(
        name="登记", kind="date", unit="天", expr=days(as_of(), fact("registered_on"))
    )
    early = begun.counted_from(date(2021, 7, 1))
    lines = (
        Line(subject="indicator", name="年限", op=">=", value=Fraction(2)),
        Line(subject="indicator", name=early.name, op="<", value=Fraction(0)),
    )
    cases = tuple(Case(str(n), (line,)) for n, line in enumerate(lines))
    return cut(
        [rule("登记", Cases(cases))],
        Indicator(name="年限", kind="number", unit="年", expr=age),
        early,
        facts=("registered_on",),
    )


REGISTERED = ("2021-06-29", "2021-06-30", "2021-07-01", "2021-07-02", "2000-01-01", None)


def test_a_condition_on_the_registration() -> None:
    profiles = [Profile(AS_OF, {"registered_on": day} if day else {}) for day in REGISTERED]
    traces = decided(registered(), profiles)
    assert [(t["登记/0"], t["登记/1"]) for t in traces] == [
        (Outcome.MET, Outcome.MET),
        (Outcome.MET, Outcome.MET),
        (Outcome.NOT_MET, Outcome.NOT_MET),
        (Outcome.NOT_MET, Outcome.NOT_MET),
        (Outcome.MET, Outcome.MET),
        (MISSING, MISSING),
    ]
