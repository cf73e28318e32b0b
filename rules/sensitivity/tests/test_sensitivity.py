"""How far verdicts hold: against plain scans of the grid, and on cases worked out by hand."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.decider import Decision, by_reference
from rules.errors import RulesetError
from rules.model.facts import Fact, Profile, RecordList, Scalar
from rules.model.ruleset import (
    Band,
    Bands,
    Case,
    Cases,
    Indicator,
    Item,
    Line,
    Outcome,
    Rule,
    Ruleset,
    Total,
    trace_of,
)
from rules.portable.figures import ratio, years
from rules.sensitivity import Change, Changes, Margin, margins, smallest_changes
from rules.sensitivity.along import Along, Track, sign_changes
from rules.tests.packaged import catalogue, rulebook
from rules.tests.test_agreement import AS_OF, FIGURES, TIERS, evaluator, profiles, values

STEPS = {"万元": Fraction("0.01"), "%": Fraction("0.000001"), "分": Fraction("0.01")}


def verdict(root: str, profile: Profile) -> Outcome:
    return Outcome(evaluator(root).evaluation(profile.to_json()).trace[root])


def decide(root: str, filed: dict[str, Scalar], **records: RecordList) -> Decision:
    return decision(root, Profile(AS_OF, filed, records))


def decision(root: str, profile: Profile) -> Decision:
    trace = trace_of(evaluator(root).evaluation(profile.to_json()).trace)
    return Decision(rulebook().ruleset(root), profile, trace, {})


def having(profile: Profile, key: str, value: Scalar) -> Profile:
    records, at, rest = key.partition("#")
    if not at:
        return replace(profile, values={**profile.values, key: value})
    number, _, field = rest.partition(".")
    items = [dict(item) for item in profile.records[records].items]
    items[int(number)][field] = value
    filed = replace(profile.records[records], items=tuple(items))
    return replace(profile, records={**profile.records, records: filed})


def having_all(profile: Profile, changes: tuple[Change, ...]) -> Profile:
    for change in changes:
        profile = having(profile, change.key, change.new)
    return profile


def by_key(decision: Decision) -> dict[str, Margin]:
    return {m.key: m for m in margins(decision)}


def edges(margin: Margin) -> tuple[tuple[Scalar, str] | None, tuple[Scalar, str] | None]:
    below, above = margin.below, margin.above
    return (
        None if below is None else (below.new, below.verdict.text),
        None if above is None else (above.new, above.verdict.text),
    )


# -- against plain scans ---------------------------------------------------------------------------


@settings(max_examples=300)
@given(
    coefficients=st.lists(st.integers(-60, 60), min_size=1, max_size=5),
    lo=st.integers(-40, 0),
    hi=st.integers(0, 40),
)
def test_sign_changes_are_those_that_a_scan_finds(
    coefficients: list[int], lo: int, hi: int
) -> None:
    def f(k: int) -> int:
        return sum(c * k**n for n, c in enumerate(coefficients))

    def sign(k: int) -> int:
        return (f(k) > 0) - (f(k) < 0)

    found = sign_changes(f, len(coefficients) - 1, lo, hi)
    assert found == [k for k in range(lo + 1, hi + 1) if sign(k) != sign(k - 1)]


@pytest.mark.parametrize("fixed", [date(2023, 1, 1), date(2024, 2, 29), date(2023, 2, 28)])
def test_time_is_monotone_in_either_date(fixed: date) -> None:
    days = [fixed + timedelta(days=d) for d in range(-1500, 1500)]
    since, until = [years(d, fixed) for d in days], [years(fixed, d) for d in days]
    assert since == sorted(since, reverse=True)
    assert until == sorted(until)


def step(fact: Fact) -> Fraction:
    return STEPS.get(fact.unit, Fraction(1))


def moved(fact: Fact, value: Scalar, steps: int) -> str:
    """The value some steps up or down its grid."""
    if fact.kind == "date":
        return (date.fromisoformat(str(value)) + timedelta(days=steps)).isoformat()
    return text(fact, Fraction(str(value)) + steps * step(fact))


def text(fact: Fact, value: Fraction) -> str:
    digits = len(str(step(fact).denominator)) - 1
    whole = value * 10**digits
    assert whole.denominator == 1
    sign, size = "-" * (whole < 0), abs(int(whole))
    return sign + (f"{size // 10**digits}.{size % 10**digits:0{digits}}" if digits else str(size))


def scan(fact: Fact, value: Scalar, chance: random.Random) -> Iterator[str]:
    """Values of a fact, chosen without regard to where a verdict changes."""
    if fact.kind == "date":
        for around in (
            AS_OF,
            date.fromisoformat(str(value)),
            *(date(y, 1, 1) for y in range(2012, 2026)),
        ):
            yield from ((around + timedelta(days=d)).isoformat() for d in (-1, 0, 1))
        yield from (
            (date(2005, 1, 1) + timedelta(days=chance.randrange(9000))).isoformat()
            for _ in range(30)
        )
        return
    low = -(10**7) if fact.minimum is None else fact.minimum
    if step(fact) == 1:
        top = 70 if fact.maximum is None else int(fact.maximum)
        yield from (str(n) for n in range(int(low), top + 1))
    elif fact.maximum is not None:
        yield from (text(fact, low + (fact.maximum - low) * n / 100) for n in range(101))
    else:
        spots = {
            Fraction(Fraction(figure) * Fraction(times) * 100 // 1, 100)
            for figure in (*FIGURES[:-1], str(value))
            for times in ("0.03", "0.1", "0.5", "1", "2", "20")
        }
        yield from (
            text(fact, spot + Fraction(d, 100)) for spot in sorted(spots) for d in (-1, 0, 1)
        )
        yield from (
            text(fact, Fraction(chance.randrange(10 ** chance.randrange(5, 13)), 100))
            for _ in range(30)
        )


def order(fact: Fact, value: Scalar) -> Fraction:
    if fact.kind == "date":
        return Fraction(date.fromisoformat(str(value)).toordinal())
    return Fraction(str(value))


def check_margin(root: str, profile: Profile, margin: Margin, chance: random.Random) -> None:
    """The edges stand where they are said to, and no value of a scan is nearer."""
    fact, now = margin.fact, verdict(root, profile)
    assert margin.verdict is now
    if fact.kind in ("flag", "code"):
        every = (True, False) if fact.kind == "flag" else fact.codes
        found = {v: verdict(root, having(profile, margin.key, v)) for v in every}
        assert {c.new: c.verdict for c in margin.others} == {
            v: o for v, o in found.items() if o is not now
        }
        return
    for change, back in ((margin.below, 1), (margin.above, -1)):
        if change is not None:
            assert (
                verdict(root, having(profile, margin.key, change.new)) is change.verdict is not now
            )
            before = moved(fact, change.new, back)
            if (order(fact, before) - order(fact, margin.value)) * back < 0:
                assert verdict(root, having(profile, margin.key, before)) is now, before
    low = None if margin.below is None else order(fact, margin.below.new)
    high = None if margin.above is None else order(fact, margin.above.new)
    for value in scan(fact, margin.value, chance):
        at = order(fact, value)
        within = (low is None or low < at) and (high is None or at < high)
        if within and (fact.minimum is None or fact.kind == "date" or at >= fact.minimum):
            assert verdict(root, having(profile, margin.key, value)) is now, (margin.key, value)


def outcome_roots() -> list[str]:
    found = {}
    for tier in TIERS:
        found |= {r.id: r for r in rulebook().ruleset(tier).rules if not (r.records or r.scored)}
    return sorted(found)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(profile=profiles(), root=st.sampled_from(outcome_roots()), seed=st.integers(0, 99))
def test_margins_of_random_filings_are_those_that_a_scan_finds(
    profile: Profile, root: str, seed: int
) -> None:
    chance = random.Random(seed)
    found = margins(decision(root, profile))
    for margin in chance.sample(found, min(len(found), 3)):
        check_margin(root, profile, margin, chance)


TITLE = {
    "kind": "创新型中小企业",
    "valid_from": "2022-10-01",
    "valid_until": "2025-09-30",
    "held": True,
}
#: A filing with 60 points, all of them needed; the material conditions are those of annex 2.
SIXTY: dict[str, Scalar] = {
    "registered_in_prc": True, "independent_legal_person": True, "abnormal_list": False,
    "dishonesty_list": False, "restricted_product": False, "major_accident": False,
    "tax_violation": False, "industry_code": "C3511",
    "staff@2022": "100", "rd_staff@2022": "12", "revenue@2022": "50000000",
    "main_revenue@2022": "45000000", "main_revenue@2021": "42000000", "main_revenue@2020": "40000000",
    "net_profit@2022": "4200000", "rd_expense@2022": "2400000", "rd_expense@2021": "2000000",
    "total_assets@2022": "56000000", "total_liabilities@2022": "30000000",
    "segment_entry": "2016-07-01", "field_key_link": False, "field_six_bases": True,
    "digital_level": "2", "quality_award": False, "management_certificate": True, "own_brand": True,
    "standards": False, "local_points": "5", "ip_high_value": "0", "ip_self_developed": "2",
    "ip_class_one": "2", "ip_class_two": "5", "financing_two_years": "0",
}  # fmt: skip
LISTS = {
    "institutions": RecordList(({"level": "市级", "name": "市企业技术中心"},), True),
    "awards": RecordList((), True),
    "competitions": RecordList((), True),
    "titles": RecordList((TITLE,), True),
}
SIXTY_POINTS = Profile(AS_OF, SIXTY, LISTS)
POINTS_TO_SPARE = Profile(AS_OF, {**SIXTY, "local_points": "15"}, LISTS)


@st.composite
def nearly(draw: st.DrawFn) -> Profile:
    """The filing of 60 points, with a few other values."""
    profile = SIXTY_POINTS
    for key in draw(st.lists(st.sampled_from(sorted(SIXTY)), max_size=3)):
        profile = having(profile, key, draw(values(catalogue().fact(key.partition("@")[0]))))
    for name in draw(
        st.lists(st.sampled_from(["ip", "financing", "awards", "competitions"]), max_size=2)
    ):
        fields = {f.id: values(f) for f in catalogue().record_kind(name).fields}
        items = draw(st.lists(st.fixed_dictionaries({}, optional=fields), max_size=3))
        filed = RecordList(tuple(items), draw(st.sampled_from([True, None])))
        profile = replace(profile, records={**profile.records, name: filed})
    return profile


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(profile=nearly(), seed=st.integers(0, 99))
def test_margins_of_whole_tiers_are_those_that_a_scan_finds(profile: Profile, seed: int) -> None:
    chance = random.Random(seed)
    found = margins(decision("63.2", profile))
    for margin in chance.sample(found, 2):
        check_margin("63.2", profile, margin, chance)


def test_every_margin_of_one_whole_tier_is_that_of_a_scan() -> None:
    chance = random.Random(0)
    for margin in margins(decision("63.2", SIXTY_POINTS)):
        check_margin("63.2", SIXTY_POINTS, margin, chance)


# -- worked out by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rd", "revenue", "of_rd", "of_revenue"),
    [
        # 3% of 5000万元 are 150万元; without revenue the ratio cannot be computed
        ("1500000", "50000000", (("1499999.99", "不符合"), None), (("0", "待人工认定"), ("50000000.01", "不符合"))),
        # 140万元 are 3% of 4666.666666…万元
        ("1400000", "50000000", (None, ("1500000", "符合")), (("46666666.66", "符合"), None)),
        # below 100万元 no revenue helps, and none that is large makes 3%
        ("999999.99", "30000000", (None, ("1000000", "符合")), (None, None)),
        ("1000000", "40000000", (None, ("1200000", "符合")), (("33333333.33", "符合"), None)),
        # what cannot be negative is first of all made nothing, which is no denominator either
        ("1500000", "-50000", (("999999.99", "不符合"), None), (None, ("0.01", "符合"))),
        ("-0.01", "50000000", (None, ("0", "不符合")), (None, None)),
    ],
)  # fmt: skip
def test_edges_of_the_rd_ratio(
    rd: str, revenue: str, of_rd: tuple[object, object], of_revenue: tuple[object, object]
) -> None:
    found = by_key(decide("63.2.研发费用", {"rd_expense@2022": rd, "revenue@2022": revenue}))
    assert edges(found["rd_expense@2022"]) == of_rd
    assert edges(found["revenue@2022"]) == of_revenue


@pytest.mark.parametrize(
    ("middle", "last", "expected"),
    [
        # (x - 1亿)(x - 1.1亿) >= 0 where 2020 is 1亿元 and 2022 1.1亿元
        ("105000000", "110000000", (("100000000", "符合"), ("110000000", "符合"))),
        ("120000000", "110000000", (("109999999.99", "不符合"), None)),
        ("90000000", "110000000", (("0", "待人工认定"), ("100000000.01", "不符合"))),
        ("100000000", "110000000", (("0", "待人工认定"), ("100000000.01", "不符合"))),
        # roots 82087121.5252… and 127912878.4747… where 2022 is 1.05亿元
        ("100000000", "105000000", (("82087121.52", "符合"), ("127912878.48", "符合"))),
    ],
)
def test_edges_of_a_mean_growth_in_its_middle_year(
    middle: str, last: str, expected: tuple[object, object]
) -> None:
    filed: dict[str, Scalar] = {
        "segment_entry": "2012-03-01", "revenue@2022": last,
        "main_revenue@2020": "100000000", "main_revenue@2021": middle, "main_revenue@2022": last,
    }  # fmt: skip
    assert edges(by_key(decide("63.3.专", filed))["main_revenue@2021"]) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("2021-01-01", (None, ("2021-01-02", "不符合"))),
        ("2012-02-29", (None, ("2021-01-02", "不符合"))),
        ("2021-01-02", (("2021-01-01", "符合"), None)),
        ("2022-12-31", (("2021-01-01", "符合"), None)),
    ],
)
def test_edge_of_the_entry_into_the_segment(entry: str, expected: tuple[object, object]) -> None:
    assert edges(by_key(decide("63.2.年限", {"segment_entry": entry}))["segment_entry"]) == expected


def test_edges_of_exactly_sixty_points() -> None:
    found = decision("63.2", SIXTY_POINTS)
    assert found.verdict is Outcome.MET
    margin = by_key(found)["local_points"]
    assert edges(margin) == (("4.99", "不符合"), None)
    assert margin.changes[0].difference == "0.01分"
    assert margin.changes[0].relative == Fraction(1, 500)
    # 2400万元 of R&D are 4.8% of revenue; 12 of 100 staff; 420万元 are 8.4%: the points of each are needed
    assert edges(by_key(found)["rd_staff@2022"])[0] == ("9", "不符合")


def financed(second: str, day: str = "2023-06-30", **filed: Scalar) -> Decision:
    shared: dict[str, Scalar] = {"qualified": True, "new_shareholder": True, "share_given": "0.1"}
    items = (
        {**shared, "date": "2021-01-01", "amount": "12000000"},
        {**shared, "date": day, "amount": second},
        {**shared, "date": "2020-12-31", "amount": "50000000"},
    )
    more = {"revenue@2022": "8000000", **filed}
    return decide("63.2.营收或融资", more, financing=RecordList(items, True))


def test_edges_of_one_of_several_amounts_and_its_date() -> None:
    found = by_key(financed("8000000"))
    assert found["financing#1.amount"].name == "股权融资第2条：实缴金额"
    assert edges(found["financing#1.amount"]) == (("7999999.99", "不符合"), None)
    assert edges(found["financing#2.amount"]) == (None, None)
    assert edges(found["financing#0.date"]) == (("2020-12-31", "不符合"), ("2023-07-01", "不符合"))
    assert edges(found["financing#2.date"]) == (None, None)
    assert [(c.new, c.verdict) for c in found["financing#0.qualified"].others] == [
        (False, Outcome.NOT_MET)
    ]
    assert edges(found["financing#0.share_given"]) == (None, ("0.300001", "不符合"))
    assert edges(found["revenue@2022"]) == (None, None)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("9000000", (("7999999.99", "不符合"), None)),
        ("500000", (None, ("8000000", "符合"))),
    ],
)
def test_edges_of_an_amount_lie_where_the_sum_reaches_the_line(
    second: str, expected: tuple[object, object]
) -> None:
    assert edges(by_key(financed(second))["financing#1.amount"]) == expected


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("500000", (None, ("8000000", "材料不足"))),
        ("9000000", (("7999999.99", "不符合"), None)),
    ],
)
def test_an_amount_that_is_not_settled_to_count_moves_the_upper_end(
    second: str, expected: tuple[object, object]
) -> None:
    found = financed(second)
    open_record = {
        k: v for k, v in found.profile.records["financing"].items[1].items() if k != "qualified"
    }
    items = list(found.profile.records["financing"].items)
    items[1] = open_record
    margin = by_key(
        decide(
            "63.2.营收或融资", {"revenue@2022": "8000000"}, financing=RecordList(tuple(items), True)
        )
    )["financing#1.amount"]
    assert edges(margin) == expected


def test_a_filed_total_that_contradicts_the_list_cannot_be_computed_with() -> None:
    found = by_key(financed("8000000", financing_two_years="20000000"))
    assert edges(found["financing_two_years"]) == (
        ("19999999.99", "待人工认定"),
        ("20000000.01", "待人工认定"),
    )
    assert edges(found["financing#1.amount"]) == (
        ("7999999.99", "待人工认定"),
        ("8000000.01", "待人工认定"),
    )


def test_a_value_finer_than_the_grid_moves_to_the_grid() -> None:
    filed: dict[str, Scalar] = {"rd_expense@2022": "1499999.999", "revenue@2022": "50000000"}
    assert edges(by_key(decide("63.2.研发费用", filed))["rd_expense@2022"]) == (
        None,
        ("1500000", "符合"),
    )
    filed = {"rd_expense@2022": "1500000", "revenue@2022": "50000000.005"}
    assert edges(by_key(decide("63.2.研发费用", filed))["revenue@2022"]) == (
        ("50000000", "符合"),
        None,
    )


def test_what_a_rule_does_not_read_has_no_margin_and_what_does_not_matter_no_changes() -> None:
    filed: dict[str, Scalar] = {
        "revenue@2022": "10000000", "revenue@2021": "1", "staff@2022": "5", "industry_code": "C3511",
        "financing_two_years": "20000000",
    }  # fmt: skip
    found = by_key(decide("63.2.营收或融资", filed))
    assert {k: m.changes for k, m in found.items()} == {
        "revenue@2022": (),
        "financing_two_years": (),
    }


def test_the_nearest_margins_come_first() -> None:
    found = margins(decision("63.2", SIXTY_POINTS))
    sizes = [m.changes[0].relative for m in found if m.changes]
    assert sizes == sorted(sizes)
    assert sizes[0] > 0
    assert not any(m.changes for m in found[len(sizes) :])


def test_a_score_has_no_verdict_that_could_change() -> None:
    with pytest.raises(RulesetError, match="只给出得分"):
        margins(decision("63.2.评价得分", SIXTY_POINTS))


# -- what turns 不符合 to 符合 -----------------------------------------------------------------------


def turned(root: str, profile: Profile) -> Changes:
    """The changes, verified: alone, or together up to what stays."""
    found = smallest_changes(decision(root, profile))
    for change in found.single:
        assert verdict(root, having(profile, change.key, change.new)) is Outcome.MET
    after = by_reference(rulebook().ruleset(root), having_all(profile, found.together))
    if found.together:
        assert (after[root] is Outcome.MET) == (not found.rest)
        assert {c.verdict for c in found.together} == {after[root]}
    if found.verdict is Outcome.NOT_MET and not found.single:
        assert (found.together and not found.rest) or found.rest
        for change in found.together:  # none of them is needless
            others = tuple(c for c in found.together if c is not change)
            short = by_reference(rulebook().ruleset(root), having_all(profile, others))
            assert found.rest or short[root] is not Outcome.MET
    return found


def pairs(changes: tuple[Change, ...]) -> dict[str, Scalar]:
    return {c.key: c.new for c in changes}


def test_single_changes_the_smallest_first() -> None:
    filed: dict[str, Scalar] = {"rd_expense@2022": "1400000", "revenue@2022": "50000000"}
    found = turned("63.2.研发费用", Profile(AS_OF, filed))
    assert [(c.key, c.new) for c in found.single] == [
        ("revenue@2022", "46666666.66"),
        ("rd_expense@2022", "1500000"),
    ]
    assert found.single[1].relative == Fraction(1, 14)
    assert (found.together, found.rest) == ((), ())


def test_changes_that_only_together_turn_the_verdict() -> None:
    profile = having(
        having(POINTS_TO_SPARE, "segment_entry", "2021-03-01"), "independent_legal_person", False
    )
    found = turned("63.2", profile)
    assert found.single == ()
    assert pairs(found.together) == {
        "segment_entry": "2021-01-01",
        "independent_legal_person": True,
    }
    assert found.rest == ()


def test_small_changes_are_preferred_to_one_large_one() -> None:
    # two years in the segment give fewer points than six, which a date years earlier would win back
    profile = having(
        having(SIXTY_POINTS, "segment_entry", "2021-03-01"), "independent_legal_person", False
    )
    found = turned("63.2", profile)
    assert pairs(found.together) == {
        "segment_entry": "2021-01-01", "independent_legal_person": True, "main_revenue@2020": "38582677.16",
    }  # fmt: skip
    assert all(c.relative <= 1 for c in found.together)


def test_a_threshold_whose_crossing_breaks_a_ratio_takes_both() -> None:
    filed: dict[str, Scalar] = {
        "revenue@2022": "98000000", "rd_expense@2022": "2940000",
        "revenue@2021": "98000000", "rd_expense@2021": "2940000",
        "financing_two_years": "0", "staff@2022": "100", "rd_staff@2022": "10",
    }  # fmt: skip
    found = turned("63.3.研发投入", Profile(AS_OF, filed))
    assert pairs(found.together) == {"revenue@2022": "100000000", "rd_expense@2022": "3000000"}


def test_the_case_that_comes_nearest_is_completed() -> None:
    filed: dict[str, Scalar] = {
        "revenue@2022": "40000000", "revenue@2021": "1000000000", "rd_expense@2022": "15000000",
        "rd_expense@2021": "14000000", "financing_two_years": "80000000", "staff@2022": "100",
        "rd_staff@2022": "40",
    }  # fmt: skip
    found = turned("63.3.研发投入", Profile(AS_OF, filed))
    assert pairs(found.together) == {"rd_expense@2022": "16000000", "staff@2022": "80"}


def test_points_that_are_short_are_gained_by_few_items_each_as_little_as_will_do() -> None:
    worse: dict[str, Scalar] = {
        "independent_legal_person": False, "digital_level": "1", "ip_class_two": "0",
        "net_profit@2022": "1000000", "total_liabilities@2022": "45000000",
        "ip_self_developed": "0", "field_six_bases": False,
    }  # fmt: skip
    profile = replace(SIXTY_POINTS, values={**SIXTY, **worse})
    found = turned("63.2", profile)
    assert pairs(found.together) == {
        "main_revenue@2020": "37215189.87",
        "revenue@2022": "10000000",
        "independent_legal_person": True,
    }
    assert found.rest == ()
    for key, less in {"main_revenue@2020": "37215189.88", "revenue@2022": "10000000.01"}.items():
        changed = having(having_all(profile, found.together), key, less)
        assert verdict("63.2", changed) is not Outcome.MET


def scored(gate: str, **items: dict[int, str]) -> Ruleset:
    """A gate over a score: per yearly count, the points from each number on."""
    rules, indicators = [], {}
    for id, steps in items.items():
        ends = [None, *map(Fraction, steps), None]
        points = [Fraction(0), *map(Fraction, steps.values())]
        rows = tuple(Band(lo, hi, p) for lo, hi, p in zip(ends[:-1], ends[1:], points, strict=True))
        indicators[id] = Indicator(name=id, kind="number", unit="人", expr=("year", id, 0))
        rules.append(
            Rule(
                id=f"{id}分", title=id, clause="", citation="", notes=(), body=Bands(((id, rows),))
            )
        )
    full = (Item("", r.id, r.possible or Fraction(0)) for r in rules)
    line = Line(
        subject="points", name="总分", op=">=", value=Fraction(gate), text=f"不低于{gate}分"
    )
    rules.append(
        Rule(id="总分", title="总分", clause="", citation="", notes=(), body=Total(tuple(full)))
    )
    rules.append(
        Rule(
            id="线",
            title="线",
            clause="",
            citation="",
            notes=(),
            body=Cases((Case("一", (line,)),)),
        )
    )
    facts = {id: catalogue().fact(id) for id in items}
    return Ruleset(
        root="线",
        title="线",
        tier="",
        source="",
        rules=tuple(rules),
        indicators=indicators,
        facts=facts,
        fields={},
        maps={},
    )


def test_of_three_items_each_is_raised_no_further_than_the_line_needs() -> None:
    # 10 and 8 points are 18, the third item's 3 are 21; then 5.5 of the second are enough
    ruleset = scored(
        "18.5", staff={5: "4", 20: "10"}, rd_staff={5: "5.5", 9: "8"}, digital_level={3: "3"}
    )
    filed: dict[str, Scalar] = {f"{id}@2022": "4" for id in ("staff", "rd_staff")}
    filed["digital_level@2022"] = "2"
    profile = Profile(AS_OF, filed)
    found = smallest_changes(Decision(ruleset, profile, by_reference(ruleset, profile), {}))
    assert found.single == ()
    assert pairs(found.together) == {
        "staff@2022": "20", "rd_staff@2022": "5", "digital_level@2022": "3",
    }  # fmt: skip
    after = by_reference(ruleset, having_all(profile, found.together))
    assert (after["线"], found.rest) == (Outcome.MET, ())


def test_what_no_filed_value_reaches_stays() -> None:
    untitled = replace(POINTS_TO_SPARE, records={**LISTS, "titles": RecordList((), True)})
    found = turned("63.2", having(untitled, "segment_entry", "2021-03-01"))
    assert pairs(found.together) == {"segment_entry": "2021-01-01"}
    assert [(r.rule, r.requirement, r.outcome) for r in found.rest] == [
        ("63.2.前置称号", "有效的创新型中小企业称号件数 不低于1项", Outcome.NOT_MET)
    ]


def test_a_finding_is_never_proposed() -> None:
    filed: dict[str, Scalar] = {"key_chain_link": False}
    found = turned("63.3.链", Profile(AS_OF, filed))
    assert (found.single, found.together) == ((), ())
    assert [r.requirement for r in found.rest] == ["位于产业链关键环节 为 是"]
    margin = by_key(decide("63.3.链", filed))["key_chain_link"]
    assert [(c.new, c.verdict) for c in margin.others] == [(True, Outcome.MET)]


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(profile=nearly())
def test_changes_do_what_they_say(profile: Profile) -> None:
    turned("63.2", profile)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(profile=profiles(), root=st.sampled_from(outcome_roots()))
def test_changes_of_random_filings_do_what_they_say(profile: Profile, root: str) -> None:
    turned(root, profile)


def test_open_verdicts_tell_what_each_answer_would_do() -> None:
    filed = {k: v for k, v in SIXTY.items() if k != "independent_legal_person"}
    found = turned("63.2", Profile(AS_OF, filed, LISTS))
    assert found.verdict is Outcome.MISSING
    assert [(c.key, c.old, c.new, c.verdict) for c in found.answers] == [
        ("independent_legal_person", None, True, Outcome.MET),
        ("independent_legal_person", None, False, Outcome.NOT_MET),
    ]


def test_results_are_plain_json() -> None:
    found = decide("63.2.研发费用", {"rd_expense@2022": "1400000", "revenue@2022": "50000000"})
    first = margins(found)[0].to_json()
    assert json.loads(json.dumps(first)) == first
    assert first == {
        "key": "revenue@2022",
        "name": "2022年营业收入总额",
        "value": "50000000",
        "text": "5000万元",
        "verdict": "不符合",
        "below": {
            "key": "revenue@2022",
            "name": "2022年营业收入总额",
            "old": "50000000",
            "new": "46666666.66",
            "old_text": "5000万元",
            "new_text": "4666.666666万元",
            "difference": "约333.3333万元",
            "verdict": "符合",
            "relative": "166666667/2500000000",
        },
        "above": None,
        "others": [],
    }
    changes = smallest_changes(found).to_json()
    assert changes["single"][0] == first["below"]
    assert (changes["verdict"], changes["together"], changes["rest"]) == ("不符合", [], [])


@pytest.mark.parametrize("filed", [6, Fraction(7, 2)])
def test_a_ratio_with_what_moves_along_a_track_has_the_value_at_its_place(
    filed: Fraction | int,
) -> None:
    moving: Any = Along(Track(3, set(), lambda _: ()), (0, 1))
    assert ratio(moving, filed) == Fraction(3) / filed
    assert ratio(filed, moving) == Fraction(filed) / 3
    assert ratio(moving, moving) == 1
    assert ratio(6, 4) == Fraction(3, 2)
