"""Both evaluators over the real criteria: random filings, every boundary, growing information."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.decider import Decider
from rules.model.facts import Fact, Profile, RecordKind, RecordList, Scalar, yearly_key
from rules.model.ruleset import (
    Bands,
    Case,
    Expr,
    Indicator,
    Line,
    Outcome,
    Points,
    Rule,
    Ruleset,
    Trace,
    trace_of,
)
from rules.portable import reference
from rules.tests.packaged import catalogue, rulebook

TIERS = ("63.1", "63.2", "63.3", "2026.2", "2026.2.复核", "2026.3", "2026.3.复核")
#: One ruleset that a province has filled, and one of a round.
LOCAL = ("63.2@山东省.2022-08-01", "第八批.3")
AS_OF = date(2023, 6, 30)
BASE = Fraction(100_000_000)


@cache
def decider(root: str) -> Decider:
    return Decider(rulebook().ruleset(root))


@cache
def evaluator(root: str) -> reference.Evaluator:
    return reference.Evaluator(rulebook().ruleset(root).to_json())


# -- random filings --------------------------------------------------------------------------------

FIGURES = [
    "0", "0.01", "999999.99", "1000000", "1000000.01", "3000000", "4999999.99", "5000000",
    "10000000", "20000000", "49999999.99", "50000000", "60000000", "80000000", "99999999.99",
    "100000000", "100000000.01", "400000000", "123456789012345.67",
]  # fmt: skip
DAYS = [AS_OF + timedelta(days=d) for d in (-4000, -3653, -3652, -731, -730, -366, -365, -1, 0, 1)] + [
    date(2020, 1, 1), date(2019, 12, 31), date(2021, 1, 1), date(2021, 1, 2), date(2020, 2, 29),
    date(2012, 12, 31), date(2013, 1, 1),
]  # fmt: skip


@cache  # Hypothesis looks into a new strategy for longer than it takes to draw from it
def values(fact: Fact) -> st.SearchStrategy[Scalar]:
    match fact.kind:
        case "flag":
            return st.booleans()
        case "code":
            return st.sampled_from(fact.codes)
        case "date":
            return st.sampled_from(DAYS).map(date.isoformat)
        case "text":
            return st.sampled_from(["C3511", "F5191", "I6513", "K7010", "J6610", "文字"])
    if fact.unit == "万元":
        below = ["-0.01", "-5000000"] if fact.signed else []
        return st.sampled_from([*FIGURES, *below])
    if fact.unit == "%":
        return st.sampled_from(["0", "0.0999", "0.1", "0.1001", "0.3", "0.3001", "1"])
    top = 60 if fact.maximum is None else int(fact.maximum)
    return st.integers(-1 if fact.signed else int(fact.minimum or 0), top).map(str)


@cache
def optional(key: str, fact: Fact) -> st.SearchStrategy[dict[str, Scalar]]:
    return st.one_of(st.just({}), values(fact).map(lambda v: {key: v}))


@cache
def some(kind: RecordKind) -> st.SearchStrategy[list[dict[str, Scalar]]]:
    fields = {f.id: values(f) for f in kind.fields}
    return st.lists(st.fixed_dictionaries({}, optional=fields), max_size=3)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    filed: dict[str, Scalar] = {}
    for item in catalogue().facts:
        years = (2023, 2022, 2021) if item.rating else (2022, 2021, 2020)
        keys = [yearly_key(item.id, y) for y in years] if item.yearly else [item.id]
        for key in keys:
            filed |= draw(optional(key, item))
    records = {}
    for kind in catalogue().records:
        items = draw(some(kind))
        complete = draw(st.sampled_from([True, False, None]))
        if items or complete is not None:
            records[kind.id] = RecordList(tuple(items), complete)
    return Profile(AS_OF, filed, records)


#: To draw a filing takes longer than to decide it, so each is decided by all rulesets.
drawn = settings(max_examples=120, suppress_health_check=list(HealthCheck))


@drawn
@given(profile=profiles())
def test_both_evaluators_agree_on_random_filings(profile: Profile) -> None:
    for root in (*TIERS, *LOCAL):
        decider(root).decide(profile)  # raises where they differ


# -- every boundary --------------------------------------------------------------------------------


def reach(expr: Expr, target: Fraction) -> dict[str, Scalar] | None:
    """Facts that make a formula take a value: the figures below it are 1亿元 each."""
    match expr:
        case ("fact", id):
            return {id: text(target)}
        case ("year", id, offset):
            return {yearly_key(id, 2022 + offset): text(target)}
        case ("div", ("sub", now, before), again) if before == again:
            return merged(reach(before, BASE), reach(now, BASE * (1 + target)))
        case ("div", ("add", a, b), ("const", divisor)):
            return merged(reach(b, Fraction(0)), reach(a, target * Fraction(divisor)))
        case ("div", a, b):
            return merged(reach(b, BASE), reach(a, BASE * target))
        case ("add", a, *others):
            parts = [reach(a, target), *(reach(o, Fraction(0)) for o in others)]
            return merged(*parts)
        case ("bounded", a, *_):
            return reach(a, target)
        case ("count" | "total", *_, filed) if filed is not None:
            return {filed: text(target)}
        case ("years", ("fact", id), ("new_year", offset)):
            whole = target.numerator // target.denominator
            end = date(AS_OF.year + offset - whole, 1, 1)
            return {id: (end - timedelta(days=round((target - whole) * 365))).isoformat()}
    return None


def merged(*parts: dict[str, Scalar] | None) -> dict[str, Scalar] | None:
    found: dict[str, Scalar] = {}
    for part in parts:
        if part is None:
            return None
        found |= part
    return found


def text(value: Fraction) -> str:
    """An exact decimal; thresholds have few digits."""
    scaled = value * 10**12
    assert scaled.denominator == 1
    digits = f"{abs(scaled.numerator):013d}"
    return f"{'-' if value < 0 else ''}{digits[:-12]}.{digits[-12:]}"


def thresholds(ruleset: Ruleset) -> Iterator[tuple[str, Indicator, Fraction, str]]:
    """Every number that is compared: node, indicator, threshold, and the comparison."""
    for rule in ruleset.rules:
        if rule.records:
            continue
        for case, line, number in numbered(rule):
            if line.subject == "indicator" and isinstance(line.value, Fraction):
                key = f"{rule.id}/{case.name}/{number}"
                yield key, ruleset.indicator(rule, line.name), line.value, line.op
        if isinstance(rule.body, Bands):
            for name, bands in rule.body.bands:
                for band in bands:
                    if band.lo is not None:
                        yield f"{rule.id}/{name}", ruleset.indicator(rule, name), band.lo, "band"


def numbered(rule: Rule) -> Iterator[tuple[Case, Line, int]]:
    seen: dict[str, int] = {}
    for case, line in rule.lines():
        seen[case.name] = seen.get(case.name, 0) + 1
        yield case, line, seen[case.name]


def step(indicator: Indicator) -> Fraction:
    """A difference as small as filings can state: 1元, of 1亿元 for ratios; 1天; one of a count."""
    if indicator.unit == "%":
        return 1 / BASE
    return Fraction(1, 365) if indicator.unit == "年" else Fraction(1)


#: Numbers that no single filed figure reaches: counts of records without a total, sums of flags.
UNREACHED = {
    "有效的创新型中小企业称号件数",
    "有效的专精特新中小企业称号件数",
    "省级奖励排名前三件数",
    "国家级奖励排名前五件数",
    "国家级奖励排名前三件数",
    "“创客中国”全国五百强件数",
    "“创客中国”全国五十强件数",
    "有效的专精特新“小巨人”企业称号件数",
    "省级以上科技奖励件数",
    "有效荣誉件数",
    "省级以上研发机构件数",
    "国家级研发机构件数",
    "省级研发机构件数",
    "市级研发机构件数",
    "研发机构件数",
    "自主品牌数",
    "质量管理水平满足项数",
}


def test_both_evaluators_agree_at_every_boundary_and_the_boundary_is_where_it_says() -> None:
    unreached = set()
    for root in TIERS:
        for key, indicator, threshold, op in thresholds(rulebook().ruleset(root)):
            if indicator.kind != "number":
                continue
            around = (threshold - step(indicator), threshold, threshold + step(indicator))
            filings = [reach(indicator.expr, value) for value in around]
            if any(f is None for f in filings):
                unreached.add(indicator.name)
                continue
            found = [decider(root).decide(Profile(AS_OF, f or {})).trace[key] for f in filings]
            below, on, above = found
            if op == "band":
                assert isinstance(below, Points)
                assert isinstance(above, Points)
                assert below != above, (key, threshold)
                if indicator.unit in ("级", "项"):  # the next whole number may be a boundary too
                    assert below != on, (key, threshold)
                else:
                    assert on == max(below, above, key=lambda p: p.lo), (key, threshold)
            else:
                met = {
                    ">=": (False, True, True),
                    ">": (False, False, True),
                    "<": (True, False, False),
                    "<=": (True, True, False),
                }[op]
                assert tuple(o is Outcome.MET for o in found) == met, (key, threshold)
    assert unreached == UNREACHED


# -- growing information ---------------------------------------------------------------------------

#: A person's finding may replace what cannot be computed, and records may contradict filed totals:
#: both correct the record instead of adding to it.
CORRECTING = {"sector_found"}


def grown(profile: Profile, more: Profile) -> Profile:
    """The profile with everything that the other adds to it and nothing that it changes."""
    values = {k: v for k, v in more.values.items() if k not in CORRECTING} | dict(profile.values)
    records = dict(profile.records)
    for name, filed in profile.records.items():
        other = more.records.get(name, RecordList())
        items = list(filed.items)
        for i, item in enumerate(items):
            if i < len(other.items):
                items[i] = {**other.items[i], **item}
        if not filed.complete:
            items += other.items[len(items) :]
        records[name] = RecordList(tuple(items), filed.complete or other.complete)
    return replace(profile, values=values, records=records)


def settled(trace: Trace) -> dict[str, object]:
    return {
        k: v
        for k, v in trace.items()
        if v in (Outcome.MET, Outcome.NOT_MET) or (isinstance(v, Points) and v.lo == v.hi)
    }


def listed_only(profile: Profile) -> Profile:
    """Without what further information may contradict or replace.

    That are filed totals, by what is itemised; substitutes, by what they stand for: the sector by the
    industry code, the filing day by the day on which a title starts; and figures that cannot be.
    """
    totals = {
        leaf[-1]
        for i in rulebook().indicators.values()
        for leaf in _counts(i.expr)
        if leaf[-1] is not None
    }
    gone = totals | {"sector", "sector_found"}
    records = dict(profile.records)
    if titles := records.get("titles"):
        items = ({k: v for k, v in item.items() if k != "valid_from"} for item in titles.items)
        records["titles"] = replace(titles, items=tuple(items))
    kept = {k: v for k, v in profile.values.items() if k not in gone and not _impossible(k, v)}
    return replace(profile, values=kept, records=records)


def _impossible(key: str, value: Scalar) -> bool:
    return isinstance(value, str) and catalogue().fact(key.partition("@")[0]).unusable(value)


def _counts(expr: Expr) -> Iterator[Expr]:
    if expr and expr[0] in ("count", "total"):
        yield expr
    for part in expr:
        if isinstance(part, tuple):
            yield from _counts(part)


@drawn
@given(profile=profiles(), more=profiles())
def test_adding_information_never_overturns_a_settled_result(
    profile: Profile, more: Profile
) -> None:
    less = listed_only(profile)
    known = grown(less, listed_only(more))
    for root in (*TIERS, *LOCAL):
        before, after = (trace_of(evaluator(root).evaluate(p.to_json())) for p in (less, known))
        for key, result in settled(before).items():
            assert after[key] == result, (root, key)
        for key, result in before.items():
            now = after[key]
            if isinstance(result, Points) and isinstance(now, Points):
                assert result.lo <= now.lo <= now.hi <= result.hi, (root, key)
