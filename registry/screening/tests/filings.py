"""Filings for tests: at random, and on, just below and just above every threshold."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from rules.model.facts import Fact, Profile, RecordList, Scalar, yearly_key
from rules.model.ruleset import Bands, Indicator, Rule, Ruleset
from rules.tests.packaged import catalogue
from rules.tests.test_agreement import FIGURES, reach, step

DAY = date(2023, 6, 30)
#: Days around those that thresholds on time come to.
DAYS = [
    DAY + timedelta(days=d)
    for d in (-4000, -3653, -3652, -1096, -1095, -731, -730, -366, -365, -1, 0, 1, 400)
]
DAYS += [
    date(y, m, d)
    for y in (2012, 2013, 2019, 2020, 2021, 2022, 2023)
    for m, d in ((1, 1), (1, 2), (12, 31))
]
DAYS += [date(2020, 2, 29), date(2016, 2, 29)]
DAYS += [DAY + timedelta(days=d) for d in (2, 30, 100, 365, 366, 700, 730, 731, 1000, 1096)] * 2
#: The greatest figures of the design, and those that a snapshot just holds.
HUGE = [
    "9000000000000",
    "9000000000000.01",
    "8999999999999.99",
    "999999999999999.99",
    "1000000000000000",
]
CODES = ["C3511", "F5191", "I6513", "K7010", "J6610", "A0111", "E", "G5310", "文字", "", "H61"]


def value(rng: random.Random, fact: Fact) -> Scalar:
    match fact.kind:
        case "flag":
            return rng.random() < 0.5
        case "code":
            return rng.choice(fact.codes)
        case "date":
            return rng.choice(DAYS).isoformat()
        case "text":
            return rng.choice(CODES)
    if fact.unit == "万元":
        figures = [*FIGURES, *HUGE]
        if fact.minimum is None:
            figures += ["-0.01", "-5000000", "-9000000000000.01"]
        return rng.choice(figures)
    if fact.unit == "%":
        return rng.choice(["0", "0.0999", "0.1", "0.1001", "0.3", "0.3001", "0.5", "1"])
    if fact.unit == "分":
        points = ["0", "2.25", "3", "4.5", "9.9999", "10", "12.25", "15", "55", "60.0001"]
        top_ = fact.maximum or Fraction(100)
        return rng.choice([p for p in points if Fraction(p) <= top_])
    low, top = int(fact.minimum or 0), 60 if fact.maximum is None else int(fact.maximum)
    return str(
        rng.choice([low, low + 1, low + 2, min(5, top), min(10, top), top, rng.randint(low, top)])
    )


def at_random(rng: random.Random, *, known: float = 0.5, day: date = DAY) -> Profile:
    """A filing in which each fact is known with a probability."""
    values: dict[str, Scalar] = {}
    for fact in catalogue().facts:
        offsets = range(-2, 2 if fact.rating else 1)
        keys = (
            [yearly_key(fact.id, day.year - 1 + o) for o in offsets] if fact.yearly else [fact.id]
        )
        values |= {k: value(rng, fact) for k in keys if rng.random() < known}
    records = {}
    for kind in catalogue().records:
        items = tuple(
            {
                f.id: v
                for f in kind.fields
                if rng.random() < known and (v := _within(rng, f)) is not None
            }
            for _ in range(rng.choice([0, 0, 1, 2, 3]))
        )
        complete = rng.choice([True, True, False, None])
        if items or complete is not None:
            records[kind.id] = RecordList(items, complete)
    return Profile(day, values, records)


def below_zero(rng: random.Random, *, day: date = DAY) -> Profile:
    """A filing of which some figures are negative that cannot be, so that nothing comes of them."""
    found = at_random(rng, known=0.95, day=day)
    signed = {f.id: "-1" if f.unit == "人" else "-0.01" for f in catalogue().facts if f.signed}
    values = {
        k: signed[id] if (id := k.partition("@")[0]) in signed and rng.random() < 0.2 else v
        for k, v in found.values.items()
    }
    return Profile(day, values, found.records)


#: A right of class I of which only a person can say whether it is of high value.
PLEDGED = {
    "kind": "发明专利",
    "in_force": True,
    "related": True,
    "acquisition": "原始取得",
    "grant_date": "2020-03-01",
    "holder_rank": "1",
    "earning": True,
    "foreign_family": False,
    "foreign_income": False,
    "pledged": True,
    "national_award": False,
}


def itemised(rng: random.Random, day: date = DAY) -> Profile:
    """A filing with complete lists and no totals, in which findings on records are missing."""
    found = at_random(rng, known=1, day=day)
    totals = ("ip_", "financing_", "own_brand")
    values = {k: v for k, v in found.values.items() if not k.startswith(totals)}
    records = {}
    for kind in catalogue().records:
        findings = {f.id for f in kind.fields if f.origin == "认定"}
        items = tuple(
            {
                f.id: _within(rng, f)
                for f in kind.fields
                if f.id not in findings or rng.random() < 0.5
            }
            for _ in range(4)
        )
        records[kind.id] = RecordList(items, True)
    if rng.random() < 0.5:
        records["ip"] = RecordList((PLEDGED,) * rng.randint(1, 3), True)
    return Profile(day, values, records)


def _within(rng: random.Random, fact: Fact) -> Scalar:
    """A value whose sum over some records a snapshot still holds."""
    found = value(rng, fact)
    return "20000000" if fact.id == "amount" and found in HUGE else found


def on_edges(ruleset: Ruleset, base: Profile) -> Iterator[Profile]:
    """The filing with one figure moved to each threshold, as little below and above it as can be filed."""
    for rule in ruleset.rules:
        if rule.records:
            continue
        for indicator, limit in limits(ruleset, rule):
            for target in (limit - step(indicator), limit, limit + step(indicator)):
                filed = reach(indicator.expr, target)
                if filed is not None:
                    yield Profile(base.as_of, {**base.values, **filed}, base.records)


def limits(ruleset: Ruleset, rule: Rule) -> Iterator[tuple[Indicator, Fraction]]:
    """Every number that a rule compares a figure with."""
    for _, line in rule.lines():
        if line.subject == "indicator" and isinstance(line.value, Fraction):
            indicator = ruleset.indicator(rule, line.name)
            if indicator.kind == "number":
                yield indicator, line.value
    if isinstance(rule.body, Bands):
        for name, rows in rule.body.bands:
            for band in rows:
                if band.lo is not None:
                    yield ruleset.indicator(rule, name), band.lo
