"""The engine against a brute-force reading of the semantics, and against the traps of its past."""

import random
import resource
import sys
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest

from rules.engine import driver as engine_module
from rules.engine.compiler import compile_scope
from rules.engine.driver import Engine
from rules.engine.program import FigureStep
from rules.engine.readings import Reading
from rules.errors import EngineFaultError, EngineUnavailableError, RulesetError
from rules.model.expressions import count, div, fact, field
from rules.model.facts import Fact, Profile, RecordList
from rules.model.ruleset import (
    Assumed,
    Attested,
    Band,
    Bands,
    Body,
    Case,
    Cases,
    Gap,
    Indicator,
    Item,
    Ladder,
    Line,
    Outcome,
    Points,
    Result,
    Rule,
    Ruleset,
    Total,
    Trace,
    widest,
)
from rules.portable.errors import Remedy

DAY = date(2023, 5, 1)
NOT_MET, MISSING, PENDING, MET = list(Outcome)[:4]


def rule(id: str, body: Body, records: str = "") -> Rule:
    return Rule(id=id, title=id, clause="", citation="", notes=(), body=body, records=records)


def number(id: str, origin: str = "填报", lo: int | None = 0, hi: int | None = None) -> Fact:
    ends = (None if end is None else Fraction(end) for end in (lo, hi))
    return Fact(id, id, "number", "", False, origin, *ends)  # type: ignore[arg-type]


def ruleset(
    rules: Sequence[Rule],
    facts: Sequence[Fact],
    fields: Sequence[Fact] = (),
    more: Sequence[Indicator] = (),
) -> Ruleset:
    """A ruleset in which every fact, and every field of the list ``ip``, is an indicator."""
    own = [Indicator(name=f.id, kind="number", unit="", expr=fact(f.id)) for f in facts]
    of_records = [
        Indicator(name=f.id, kind="number", unit="", expr=field(f.id), records="ip") for f in fields
    ]
    return Ruleset(
        root=rules[-1].id,
        title="",
        tier="",
        source="",
        rules=tuple(rules),
        indicators={i.name: i for i in (*own, *more)} | {f"ip.{i.name}": i for i in of_records},
        facts={f.id: f for f in facts},
        fields={f"ip.{f.id}": f for f in fields},
        maps={},
    )


# The semantics, read off the specification without regard to speed.


def unsettled(gap: Gap) -> Outcome:
    return MISSING if gap is Gap.MISSING else PENDING


def compare(
    lo: Fraction | None, hi: Fraction | None, gap: Gap, op: str, limit: Fraction
) -> Outcome:
    def holds(end: Fraction | None, below: bool) -> bool:
        if end is None:  # infinite
            return (op in (">=", ">")) is not below
        return {">=": end >= limit, ">": end > limit, "<": end < limit, "<=": end <= limit}[op]

    ends = holds(lo, True), holds(hi, False)
    return MET if all(ends) else NOT_MET if not any(ends) else unsettled(gap)


def span(lo: Fraction, hi: Fraction, gap: Gap) -> Points:
    return Points(lo, hi, gap if lo < hi else Gap.NONE)


def band_points(rows: tuple[Band, ...], reading: Reading) -> Points:
    marks = sorted({end for b in rows for end in (b.lo, b.hi) if end is not None}) or [Fraction(0)]
    marks = [marks[0] - 1, *marks, marks[-1] + 1]
    ends = [end for end in (reading.lo, reading.hi) if end is not None]
    values = {*marks, *ends, *(e + d for e in ends for d in (-1, 1))}
    values |= {(a + b) / 2 for a, b in pairwise(sorted(values))}
    lo, hi = reading.lo, reading.hi
    inside = [v for v in values if (lo is None or lo <= v) and (hi is None or v <= hi)]
    scores = [
        max(b.points for b in rows if (b.lo is None or b.lo <= v) and (b.hi is None or v <= b.hi))
        for v in inside
    ]
    return span(min(scores), max(scores), reading.gap)


class Oracle:
    def __init__(self, rules: list[Rule], readings: dict[str, Reading], prefix: str = "") -> None:
        self.trace: Trace = {}
        self.readings = readings
        self.prefix = prefix
        for r in rules:
            self.trace[r.id] = self.result(r)

    def outcome(self, line: Line) -> Outcome:
        if line.subject in ("rule", "unmet"):
            found = self.trace[line.name]
            assert isinstance(found, Outcome)
            if line.subject == "unmet" and found in (MET, NOT_MET):
                return NOT_MET if found is MET else MET
            return found
        value = line.value
        known = (
            self.trace[line.name]
            if line.subject == "points"
            else self.readings[self.prefix + line.name]
        )
        assert not isinstance(known, Outcome)
        if isinstance(value, tuple):
            assert isinstance(known, Reading)
            return (
                unsettled(known.gap)
                if known.code is None
                else MET
                if known.code in value
                else NOT_MET
            )
        assert value is not None
        return compare(known.lo, known.hi, known.gap, line.op, value)

    def case(self, r: Rule, case: Case) -> Outcome:
        outcomes = [self.outcome(line) for line in case.lines]
        self.trace |= {f"{r.id}/{case.name}/{n}": o for n, o in enumerate(outcomes, 1)}
        self.trace[f"{r.id}/{case.name}"] = min(outcomes)
        return min(outcomes)

    def points(self, name: str) -> Points:
        found = self.trace[name]
        assert isinstance(found, Points)
        return found

    def total(self, parts: list[Points]) -> Points:
        lo, hi = sum((p.lo for p in parts), Fraction(0)), sum((p.hi for p in parts), Fraction(0))
        return span(lo, hi, widest([p.gap for p in parts]))

    def result(self, r: Rule) -> Result:
        match r.body:
            case Cases(cases):
                found = [self.case(r, c) for c in cases]
                return next((o for o in (MET, MISSING, PENDING) if o in found), NOT_MET)
            case Bands(bands):
                parts = [
                    band_points(rows, self.readings[self.prefix + name]) for name, rows in bands
                ]
                self.trace |= {
                    f"{r.id}/{name}": p for (name, _), p in zip(bands, parts, strict=True)
                }
                lo, hi = max(p.lo for p in parts), max(p.hi for p in parts)
                return span(lo, hi, widest([p.gap for p in parts if p.hi > lo]))
            case Ladder(rungs, rest):
                steps = [(self.case(r, c), c.points or Fraction(0)) for c in rungs]
                lo = next((p for o, p in steps if o is MET), rest)
                hi = next((p for o, p in steps if o is not NOT_MET), rest)
                missing = any(o is MISSING and p > lo for o, p in steps)
                return span(lo, hi, Gap.MISSING if missing else Gap.PENDING)
            case Total(items, cap):
                for group, members in r.body.groups.items():
                    self.trace[f"{r.id}/{group}"] = self.total(
                        [self.points(i.rule) for i in members]
                    )
                whole = self.total([self.points(i.rule) for i in items])
                if cap is None:
                    return whole
                return span(min(whole.lo, cap), min(whole.hi, cap), whole.gap)
            case Attested(name, lo, hi):
                reading = self.readings[self.prefix + name]
                least = lo if reading.lo is None else min(max(reading.lo, lo), hi)
                most = hi if reading.hi is None else min(max(reading.hi, lo), hi)
                return span(least, most, reading.gap)
            case Assumed(given):
                return given
        raise TypeError(r.body)


def expected(rules: Ruleset, profile: Profile, readings: dict[str, Reading]) -> Trace:
    trace: Trace = {}
    own = [r for r in rules.rules if r.records]
    for n in range(len(profile.records["ip"].items) if "ip" in profile.records else 0):
        found = Oracle(own, readings, f"ip#{n}:").trace
        trace |= {f"ip#{n}:{key}": result for key, result in found.items()}
    return trace | Oracle([r for r in rules.rules if not r.records], readings).trace


def check(engine: Engine, rules: Ruleset, profile: Profile) -> Trace:
    found = engine.evaluate(profile)
    assert found.trace == expected(rules, profile, dict(found.readings))
    return found.trace


# Random rulesets

LIMITS = [Fraction(n, d) for n in range(-2, 6) for d in (1, 2, 3, 7)]
KINDS = ("甲", "乙", "丙", "丁")


class Maker:
    """Makes a ruleset with every kind of table, and profiles near its thresholds."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.facts = [
            number("a"),
            number("b", "认定"),
            number("c", lo=-3, hi=5),
            number("d", "认定", None, 2),
            Fact("k", "k", "code", codes=KINDS),
            Fact("j", "j", "code", origin="认定", codes=KINDS),
        ]
        self.fields = [number("x"), number("y", "认定"), Fact("k", "k", "code", codes=KINDS)]
        records = self.scope("ip.", self.fields, "ip")
        more = [Indicator(name="n", kind="number", unit="", expr=count("ip", records[-1].id))]
        rules = [*records, *self.scope("", [*self.facts, *more])]
        self.ruleset = ruleset(rules, self.facts, self.fields, more)

    def limit(self) -> Fraction:
        return self.random.choice(LIMITS)

    def line(
        self, figures: Sequence[Fact | Indicator], outcomes: list[str], points: list[str]
    ) -> Line:
        pick = self.random.random()
        if outcomes and pick < 0.2:
            subject: Any = self.random.choice(("rule", "unmet"))
            return Line(subject=subject, name=self.random.choice(outcomes))
        op = self.random.choice((">=", ">", "<", "<="))
        if points and pick < 0.4:
            return Line(
                subject="points", name=self.random.choice(points), op=op, value=self.limit() * 3
            )  # type: ignore[arg-type]
        figure = self.random.choice(figures)
        if figure.kind == "code":
            codes = tuple(self.random.sample(KINDS, self.random.randint(1, 3)))
            return Line(subject="indicator", name=figure_key(figure), op="in", value=codes)
        return Line(subject="indicator", name=figure_key(figure), op=op, value=self.limit())  # type: ignore[arg-type]

    def bands(self) -> tuple[Band, ...]:
        marks = sorted(self.random.sample(LIMITS, self.random.randint(0, 4)))
        ends = [None, *marks, None]
        return tuple(Band(a, b, Fraction(self.random.randint(0, 6), 2)) for a, b in pairwise(ends))

    def scope(
        self, prefix: str, figures: Sequence[Fact | Indicator], records: str = ""
    ) -> list[Rule]:
        made: list[Rule] = []
        outcomes: list[str] = []
        points: list[str] = []
        scores: list[str] = []
        numbers = [figure_key(f) for f in figures if f.kind == "number"]
        for n in range(self.random.randint(4, 9)):
            id = f"{prefix}r{n}"
            kind = self.random.choice(
                ("cases", "cases", "bands", "ladder", "total", "attested", "assumed")
            )

            cases = [
                Case(f"情形{c}", tuple(self.line(figures, outcomes, points) for _ in range(lines)))
                for c, lines in enumerate(
                    self.random.choices((1, 2, 3, 4), k=self.random.randint(1, 4))
                )
            ]
            body: Body = Cases(tuple(cases))
            if kind == "bands":
                names = self.random.sample(numbers, self.random.randint(1, min(3, len(numbers))))
                body = Bands(tuple((name, self.bands()) for name in names))
            elif kind == "ladder":
                steps = sorted(
                    (Fraction(self.random.randint(0, 9), 3) for _ in [*cases, 0]), reverse=True
                )
                body = Ladder(
                    tuple(Case(c.name, c.lines, p) for c, p in zip(cases, steps, strict=False)),
                    steps[-1],
                )
            elif kind == "total" and scores:
                items = [self.random.choice(scores) for _ in range(self.random.randint(1, 4))]
                body = Total(
                    tuple(
                        Item(self.random.choice(("组一", "组二", "")), item, Fraction(5))
                        for item in items
                    ),
                    self.random.choice((None, self.limit() * 3)),
                )
            elif kind == "attested":
                body = Attested(self.random.choice(numbers), Fraction(1, 3), Fraction(2))
            elif kind == "assumed":
                body = Assumed(self.random.choice((NOT_MET, MISSING, PENDING, MET)))
            made.append(rule(id, body, records))
            if made[-1].scored:
                scores.append(id)
                points += [
                    id,
                    *(f"{id}/{g}" for g in (body.groups if isinstance(body, Total) else ())),
                ]
            else:
                outcomes.append(id)
        final = Case("一", tuple(self.line(figures, outcomes, points) for _ in range(3)))
        return [*made, rule(f"{prefix}end", Cases((final,)), records)]

    def value(self, figure: Fact) -> str | None:
        if self.random.random() < 0.3:
            return None
        if figure.kind == "code":
            return self.random.choice((*KINDS, "戊"))
        return str(
            self.limit() + self.random.choice((0, 0, Fraction(1, 10**9), -Fraction(1, 10**9)))
        )

    def filed(self, figures: list[Fact]) -> dict[str, str | bool]:
        return {f.id: v for f in figures if (v := self.value(f)) is not None}

    def profile(self) -> Profile:
        items = tuple(self.filed(self.fields) for _ in range(self.random.choice((0, 1, 2, 5))))
        records = {"ip": RecordList(items, self.random.choice((True, None)))}
        return Profile(DAY, self.filed(self.facts), records if self.random.random() < 0.8 else {})


def figure_key(figure: Fact | Indicator) -> str:
    return figure.id if isinstance(figure, Fact) else figure.name


def test_random_rulesets_come_out_as_the_semantics_say() -> None:
    seen: set[object] = set()
    for seed in range(100):
        maker = Maker(seed)
        with Engine(maker.ruleset) as engine:
            for _ in range(30):
                trace = check(engine, maker.ruleset, maker.profile())
                seen |= {r if isinstance(r, Outcome) else r.gap for r in trace.values()}
    assert seen == {NOT_MET, MISSING, PENDING, MET, *Gap}


# One comparison, by hand

KNOWN, GAP_MISSING, GAP_PENDING = (
    number("a", lo=None),
    number("m", lo=0, hi=10),
    number("p", "认定", 0, 10),
)
TINY = Fraction(1, 10**40)
BIT = Fraction(1, 1000)
LIMIT = Fraction(10, 3)


def one_line(*lines: Line, facts: list[Fact]) -> Ruleset:
    return ruleset([rule("r", Cases((Case("一", lines),)))], facts)


def outcome(rules: Ruleset, values: dict[str, str | bool]) -> object:
    with Engine(rules) as engine:
        return engine.evaluate(Profile(DAY, values)).trace[rules.root]


@pytest.mark.parametrize(
    ("op", "below", "on", "above"),
    [
        (">=", NOT_MET, MET, MET),
        (">", NOT_MET, NOT_MET, MET),
        ("<", MET, NOT_MET, NOT_MET),
        ("<=", MET, MET, NOT_MET),
    ],
)
def test_values_around_a_threshold(op: Any, below: Outcome, on: Outcome, above: Outcome) -> None:
    rules = one_line(Line(subject="indicator", name="a", op=op, value=LIMIT), facts=[KNOWN])
    for value, expected_outcome in (
        (LIMIT - TINY, below),
        (LIMIT, on),
        (LIMIT + TINY, above),
        (Fraction(-(10**30)), below),
        (Fraction(10**30), above),
    ):
        assert outcome(rules, {"a": str(value)}) is expected_outcome


@pytest.mark.parametrize(
    ("op", "limit", "settled"),
    [
        (">=", 0, MET),
        (">=", 10, None),
        (">=", Fraction(10) + BIT, NOT_MET),
        (">", 0, None),
        (">", -BIT, MET),
        (">", 10, NOT_MET),
        ("<", 0, NOT_MET),
        ("<", BIT, None),
        ("<", Fraction(10) + BIT, MET),
        ("<", 10, None),
        ("<=", 10, MET),
        ("<=", 0, None),
        ("<=", -BIT, NOT_MET),
    ],
)
def test_an_unknown_value_between_0_and_10(op: Any, limit: Any, settled: Outcome | None) -> None:
    for figure, open_outcome in ((GAP_MISSING, MISSING), (GAP_PENDING, PENDING)):
        line = Line(subject="indicator", name=figure.id, op=op, value=Fraction(limit))
        assert outcome(one_line(line, facts=[figure]), {}) is (
            open_outcome if settled is None else settled
        )


def test_an_unbounded_end_satisfies_nothing() -> None:
    figure = number("u", lo=None)
    for op in (">=", ">", "<", "<="):
        line = Line(subject="indicator", name="u", op=op, value=Fraction(0))
        assert outcome(one_line(line, facts=[figure]), {}) is MISSING


def test_denominators_that_have_nothing_in_common() -> None:
    limits = [Fraction(1, d) for d in (3, 7, 11, 13, 9973)]
    lines = [Line(subject="indicator", name="a", op=">=", value=limit) for limit in limits]
    rules = one_line(*lines, facts=[KNOWN])
    for limit in limits:
        for value in (limit - TINY, limit, limit + TINY):
            with Engine(rules) as engine:
                check(engine, rules, Profile(DAY, {"a": str(value)}))


def test_thresholds_that_would_wrap_are_refused() -> None:
    def rules(most: int) -> Ruleset:
        limits = (Fraction(1), Fraction(most))  # 1 keeps the other from being scaled down
        return one_line(
            *(Line(subject="indicator", name="a", op=">=", value=t) for t in limits), facts=[KNOWN]
        )

    assert outcome(rules(2**60), {"a": str(2**60)}) is MET
    assert outcome(rules(2**60), {"a": str(2**60 - 1)}) is NOT_MET
    with pytest.raises(RulesetError, match="62位"):
        Engine(rules(2**61))


def test_thresholds_become_small_integers() -> None:
    million = 1_000_000
    limits = [Fraction(million), Fraction(5 * million)]
    rules = one_line(
        *(Line(subject="indicator", name="a", op=">=", value=t) for t in limits), facts=[KNOWN]
    )
    [step] = compile_scope(rules).stages[0].steps
    assert isinstance(step, FigureStep)
    values = [0, million, million + TINY, 2 * million - TINY, 2 * million, 5 * million, 10**18]
    assert [step.scale.encode(Fraction(v)) for v in values] == [1, 2, 3, 3, 4, 10, 11]


def test_thresholds_of_zero_alone() -> None:
    rules = one_line(Line(subject="indicator", name="a", op=">", value=Fraction(0)), facts=[KNOWN])
    assert [outcome(rules, {"a": a}) for a in ("0", "0.01")] == [NOT_MET, MET]


def test_a_vocabulary_of_hundreds_of_codes() -> None:
    codes = tuple(f"C{n:03d}" for n in range(300))
    figure = Fact("k", "k", "code", codes=codes)
    lines = [
        Line(subject="indicator", name="k", op="in", value=some)
        for some in (codes[::2], codes[100:200], codes)
    ]
    for line, members in zip(lines, (codes[::2], codes[100:200], codes), strict=True):
        with Engine(one_line(*lines, facts=[figure])) as engine:
            for code in (*codes[95:205], codes[0], codes[-1], "戊"):
                trace = engine.evaluate(Profile(DAY, {"k": code})).trace
                key = f"r/一/{lines.index(line) + 1}"
                assert trace[key] is (MET if code in members else NOT_MET)
            assert engine.evaluate(Profile(DAY)).trace["r"] is MISSING


@pytest.mark.parametrize("joined", ["and", "or"])
def test_a_hundred_lines_in_one_rule(joined: str) -> None:
    facts = [number(f"f{n}", "填报" if n % 2 else "认定") for n in range(100)]
    lines = [Line(subject="indicator", name=f.id, op=">=", value=Fraction(1)) for f in facts]
    cases = [Case(str(n), (line,)) for n, line in enumerate(lines)]
    body = Cases((Case("一", tuple(lines)),) if joined == "and" else tuple(cases))
    rules = ruleset([rule("r", body)], facts)
    usual, other = ("1", "0") if joined == "and" else ("0", "1")
    with Engine(rules) as engine:
        for odd in (None, 0, 15, 16, 17, 63, 64, 65, 99):
            for value in (other, None):
                values = {f.id: usual for f in facts}
                if odd is not None:
                    values[f"f{odd}"] = value or ""
                check(engine, rules, Profile(DAY, {k: v for k, v in values.items() if v}))


def test_bands_count_the_better_side_of_a_boundary_and_the_best_indicator() -> None:
    def band(lo: int | None, hi: int | None, points: int) -> Band:
        start, end = (None if mark is None else Fraction(mark) for mark in (lo, hi))
        return Band(start, end, Fraction(points))

    rows = (band(None, 1, 0), band(1, 2, 5), band(2, 3, 3), band(3, None, 8))
    other = (band(None, 5, 4), band(5, None, 0))
    rules = ruleset([rule("r", Bands((("a", rows), ("m", other))))], [KNOWN, GAP_MISSING])

    def points(**values: str) -> tuple[int, int, int]:
        with Engine(rules) as engine:
            found = engine.evaluate(Profile(DAY, dict(values))).trace["r"]
        assert isinstance(found, Points)
        return int(found.lo), int(found.hi), found.gap

    assert points(a="1", m="6") == (5, 5, 0)
    assert points(a="2", m="6") == (5, 5, 0)
    assert points(a="3", m="6") == (8, 8, 0)
    assert points(a="2.5", m="6") == (3, 3, 0)
    assert points(a="2.5", m="5") == (4, 4, 0)
    assert points(a="2.5") == (3, 4, 1)  # m may be worth 0 or 4
    assert points(a="1") == (5, 5, 0)  # … which does not count here
    assert points(m="9") == (0, 8, 1)


def test_a_gap_in_the_bands_is_refused() -> None:
    rows = (Band(None, Fraction(1), Fraction(0)), Band(Fraction(2), None, Fraction(1)))
    with pytest.raises(RulesetError, match="首尾相接"):
        Engine(ruleset([rule("r", Bands((("a", rows),)))], [KNOWN]))


@pytest.mark.parametrize(
    "body",
    [
        Cases((Case("一", ()),)),
        Cases((Case("一", (Line(subject="rule", name="later"),)),)),
        Cases((Case("一", (Line(subject="points", name="later", op=">=", value=Fraction(1)),)),)),
        Cases((Case("一", (Line(subject="indicator", name="a"),)),)),
        Bands((("a", ()),)),
        Ladder(
            (Case("一", (Line(subject="indicator", name="a", op=">=", value=Fraction(1)),)),),
            Fraction(0),
        ),
        Total((Item("", "later", Fraction(1)),)),
        Assumed(Outcome.NOT_APPLICABLE),
    ],
)
def test_rules_that_mean_nothing_are_refused(body: Body) -> None:
    with pytest.raises(RulesetError, match="规则 r "):
        Engine(ruleset([rule("r", body)], [KNOWN]))


def test_a_comparison_of_what_is_no_number_is_a_fault() -> None:
    rules = one_line(
        Line(subject="indicator", name="k", op=">=", value=Fraction(1)),
        facts=[Fact("k", "k", "text")],
    )
    with pytest.raises(EngineFaultError, match="自相矛盾"):
        outcome(rules, {"k": "文字"})


# The driver

MAKER = Maker(7)


class Durable:
    """The C extension, but for what a test has go wrong; calls are counted."""

    def __init__(self, wrong: Callable[["Durable", str, Any], Any]) -> None:
        self.real = engine_module._extension()
        self.error = self.real.error
        self.wrong = wrong
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            return self.wrong(self, name, lambda: getattr(self.real, name)(*arguments))

        return call


def faulty(monkeypatch: pytest.MonkeyPatch, wrong: Callable[[Durable, str, Any], Any]) -> Engine:
    durable = Durable(wrong)
    monkeypatch.setattr(engine_module, "_extension", lambda: durable)
    return Engine(MAKER.ruleset)


def dropped(durable: Durable, name: str, call: Any) -> Any:
    return call() and call() if name == "complete_and_start_action" else call()


def ended(durable: Durable, name: str, call: Any) -> Any:
    return None if name in ("start_action_for_state", "complete_and_start_action") else call()


def doubled(durable: Durable, name: str, call: Any) -> Any:
    if name == "complete_and_start_action" and hasattr(durable, "last"):
        return durable.last
    found = call()
    if name == "start_action_for_state":
        durable.last = found[1]  # type: ignore[attr-defined]
    return found


def unknown(durable: Durable, name: str, call: Any) -> Any:
    found = call()
    return (found[0], '{"zzz' + found[1][5:]) if name == "start_action_for_state" else found


def garbled(durable: Durable, name: str, call: Any) -> Any:
    found = call()
    return (
        (found[0], found[1][:19] + "xx" + found[1][21:])
        if name == "start_action_for_state"
        else found
    )


def refused(durable: Durable, name: str, call: Any) -> Any:
    return (1, call()[1]) if name == "assert_fact" else call()


def kept(durable: Durable, name: str, call: Any) -> Any:
    return (2, 0) if name == "retract_fact" else call()


def failing(durable: Durable, name: str, call: Any) -> Any:
    if name == "assert_fact":
        raise durable.error("Could not assert fact, error code: 303")
    return call()


FAULTS = [dropped, ended, doubled, unknown, garbled, refused, kept, failing]


@pytest.mark.parametrize("wrong", FAULTS)
def test_a_fault_is_never_a_verdict(monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    engine = faulty(monkeypatch, wrong)
    with pytest.raises(EngineFaultError, match="未能给出唯一的答案"):
        engine.evaluate(MAKER.profile())


@pytest.mark.parametrize("wrong", FAULTS)
def test_a_fault_that_passes_is_got_over(monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    renewed = []

    def once(durable: Durable, name: str, call: Any) -> Any:
        if name == "delete_ruleset":
            renewed.append(True)
            durable.wrong = lambda _, __, good: good()
        return wrong(durable, name, call)

    engine = faulty(monkeypatch, once)
    profile = MAKER.profile()
    check(engine, MAKER.ruleset, profile)
    assert renewed


@pytest.mark.parametrize(
    "at", ["assert_fact", "start_action_for_state", "complete_and_start_action", "retract_fact"]
)
def test_an_interrupted_evaluation_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def interrupted(durable: Durable, name: str, call: Any) -> Any:
        if name == at:
            durable.wrong = lambda _, __, good: good()
            raise KeyboardInterrupt
        return call()

    engine = faulty(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.evaluate(MAKER.profile())
    for _ in range(20):
        check(engine, MAKER.ruleset, MAKER.profile())


def test_an_engine_belongs_to_its_thread() -> None:
    caught: list[Exception] = []

    def use(engine: Engine) -> None:
        try:
            engine.evaluate(Profile(DAY))
        except EngineFaultError as error:
            caught.append(error)

    with Engine(MAKER.ruleset) as engine:
        thread = Thread(target=use, args=(engine,))
        thread.start()
        thread.join()
    assert "跨线程" in str(caught[0])


def test_a_closed_engine_says_so() -> None:
    engine = Engine(MAKER.ruleset)
    engine.evaluate(MAKER.profile())
    engine.close()
    engine.close()
    with pytest.raises(EngineFaultError, match="已经关闭"):
        engine.evaluate(MAKER.profile())


def test_without_durable_rules_the_message_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)
    with pytest.raises(EngineUnavailableError, match="durable_rules") as raised:
        Engine(MAKER.ruleset)
    assert raised.value.remedy == Remedy("install-engine")


def test_an_engine_does_not_change_with_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "REMEMBERED", 0)  # every fact goes through the engine
    profiles = [MAKER.profile() for _ in range(200)]
    with Engine(MAKER.ruleset) as used:
        first = [used.evaluate(p).trace for p in profiles]
        for _ in range(4):
            assert [used.evaluate(p).trace for p in profiles] == first
        for profile, trace in zip(profiles[:20], first, strict=False):
            with Engine(MAKER.ruleset) as fresh:
                assert fresh.evaluate(profile).trace == trace


def test_more_records_than_stand_in_a_session_together() -> None:
    items = tuple(MAKER.filed(MAKER.fields) for _ in range(500))
    with Engine(MAKER.ruleset) as engine:
        check(engine, MAKER.ruleset, Profile(DAY, {}, {"ip": RecordList(items, True)}))


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_memory_stays_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    ratio = Indicator(name="q", kind="number", unit="", expr=div(fact("a"), fact("b")))
    rows = tuple(
        Band(a, b, Fraction(1)) for a, b in pairwise((None, Fraction(1), Fraction(2), None))
    )
    bands = Bands((("a", rows), ("q", (*rows[:2], Band(Fraction(2), None, Fraction(3))))))
    rules = ruleset([rule("r", bands)], [number("a"), number("b")], more=[ratio])
    with Engine(rules) as engine:
        for n in range(21_000):
            engine.evaluate(Profile(DAY, {"a": str(n), "b": str(n // 3 + 1)}))
            if n == 1_000:
                before = megabytes()
    assert megabytes() - before < 8


def test_closing_frees_the_memory() -> None:
    for n in range(60):
        with Engine(MAKER.ruleset) as engine:
            engine.evaluate(MAKER.profile())
        if n == 10:
            before = megabytes()
    assert megabytes() - before < 4
