"""A compiled ruleset and the results of evaluating it: frozen values, and their canonical JSON.

A ruleset is the closure of one root rule: rules in order of dependence, the indicators and facts
they read, and the cited data maps. Its digest is the SHA-256 of the canonical JSON, which holds
everything that can change a verdict or its wording, and no file positions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from rules.model.facts import Fact
from rules.model.quantities import Number
from rules.portable.canonical import canonical_json, sha256

SCHEMA: Final = 1

#: An indicator's formula: nested tuples of a small closed set of nodes, see ``rules.model.expressions``.
Expr: TypeAlias = tuple[Any, ...]
Op: TypeAlias = Literal[">=", ">", "<", "<=", "in"]


class Outcome(IntEnum):
    """How a line, case or rule came out; a conjunction of the first four is their minimum."""

    NOT_MET = 0
    MISSING = 1
    PENDING = 2
    MET = 3
    NOT_APPLICABLE = 4

    @property
    def text(self) -> str:
        """The word that officers read."""
        return ("不符合", "材料不足", "待人工认定", "符合", "不适用")[self]


OUTCOMES: Final = {o.text: o for o in Outcome}


class Gap(IntEnum):
    """What would settle a value that is not exactly known: a filed fact, or a person's finding."""

    NONE = 0
    MISSING = 1
    PENDING = 2


def widest(gaps: "Iterator[Gap] | list[Gap]") -> Gap:
    """The gap of a whole from the gaps of its parts: figures are asked for before persons."""
    return min((g for g in gaps if g), default=Gap.NONE)


class Points(NamedTuple):
    """Points of a scored node: every value it may still take lies in [lo, hi]."""

    lo: Fraction
    hi: Fraction
    gap: Gap = Gap.NONE


Result: TypeAlias = Outcome | Points
#: node key -> result; keys are ``rule``, ``rule/case``, ``rule/case/line``, ``rule/indicator``,
#: ``rule/group``, and for the n-th record of a list ``list#n:`` before any of these.
Trace: TypeAlias = Mapping[str, Result]


def trace_of(plain: Mapping[str, Any]) -> Trace:
    """The results in a trace of plain values: an outcome's number, or (lo, hi, gap) of points."""
    return {
        key: BY_NUMBER[value] if isinstance(value, int) else points_of(*value)
        for key, value in plain.items()
    }


#: The outcomes by their numbers.
BY_NUMBER: Final = tuple(Outcome)


@lru_cache(maxsize=1 << 14)  # few different ones, and the same object compares at once
def points_of(lo: Number, hi: Number, gap: int, unit: int = 1) -> Points:
    """Points from numbers of 1/``unit``."""
    return Points(Fraction(lo, unit), Fraction(hi, unit), Gap(gap))


@dataclass(frozen=True)
class Indicator:
    """A figure that tables compare: data, not a function.

    ``unit`` is how it is shown (values are in base units); ``records`` names the list whose fields
    it reads, if any; ``clause`` says where the definition comes from.
    """

    name: str
    kind: Literal["number", "flag", "code", "date"]
    unit: str
    expr: Expr
    records: str = ""
    clause: str = ""


@dataclass(frozen=True)
class Line:
    """One comparison: an indicator, the points of a score, or the outcome of another rule.

    ``value`` is a threshold in base units, or the codes that are allowed (``op`` is ``in``); for a
    rule it is None: the rule must be 符合. Flags compare as 1 and 0, dates as days after ``as_of``.
    ``slot`` names the 门槛 slot that the value is taken from, if any.
    """

    subject: Literal["indicator", "points", "rule"]
    name: str
    op: Op = ">="
    value: Fraction | tuple[str, ...] | None = None
    text: str = ""
    slot: str = field(default="", compare=False)


@dataclass(frozen=True)
class Case:
    """A 情形: lines joined by *and*; ``points`` when it is a rung of a ladder."""

    name: str
    lines: tuple[Line, ...]
    points: Fraction | None = None


@dataclass(frozen=True)
class Cases:
    """满足下列任一情形即为符合: cases joined by *or*."""

    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Band:
    """Points of the values from ``lo`` to ``hi``, both included; None is unbounded."""

    lo: Fraction | None
    hi: Fraction | None
    points: Fraction


@dataclass(frozen=True)
class Bands:
    """按下表计分，边界按高分: per indicator, bands that tile the line; the best indicator counts."""

    bands: tuple[tuple[str, tuple[Band, ...]], ...]


@dataclass(frozen=True)
class Ladder:
    """按所满足的最高情形计分: rungs, best first, and the points of 其余."""

    rungs: tuple[Case, ...]
    rest: Fraction


@dataclass(frozen=True)
class Item:
    """One summand of a total: a score rule, the group it belongs to, its full points."""

    group: str
    rule: str
    full: Fraction


@dataclass(frozen=True)
class Total:
    """得分为下列各项之和."""

    items: tuple[Item, ...]

    @property
    def groups(self) -> dict[str, tuple[Item, ...]]:
        """The named groups with their items, in order."""
        names = dict.fromkeys(i.group for i in self.items if i.group)
        return {g: tuple(i for i in self.items if i.group == g) for g in names}


@dataclass(frozen=True)
class Attested:
    """Points that are filed as such (a province's own items), within [lo, hi]."""

    indicator: str
    lo: Fraction
    hi: Fraction


@dataclass(frozen=True)
class Assumed:
    """A rule taken as given: how examples state what other rules came to."""

    result: Result


class Constant(NamedTuple):
    """A number that a rule compares something with, in base units.

    ``subject`` says with what: an indicator, the points of a score, or an indicator whose points are
    filed as such (``attested``).
    """

    subject: Literal["indicator", "points", "attested"]
    name: str
    value: Fraction


Body: TypeAlias = Cases | Bands | Ladder | Total | Attested | Assumed


@dataclass(frozen=True)
class Note:
    """An interpretation note: a fact of confidence B or C that a verdict rests on."""

    confidence: str
    text: str


@dataclass(frozen=True)
class Position:
    """Where a definition stands: a path relative to the features folder, and a line."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Rule:
    """One clause of the law with its table.

    ``records`` names the list whose records it is read for, one by one (``@对象``).
    """

    id: str
    title: str
    clause: str
    citation: str
    notes: tuple[Note, ...]
    body: Body
    records: str = ""
    position: Position = field(default=Position("", 0), compare=False)

    @property
    def scored(self) -> bool:
        """Whether the rule yields points rather than an outcome."""
        if isinstance(self.body, Assumed):
            return isinstance(self.body.result, Points)
        return not isinstance(self.body, Cases)

    @property
    def possible(self) -> Fraction | None:
        """The most points that the rule can give; None where it yields an outcome."""
        match self.body:
            case Bands(bands):
                return max(b.points for _, rows in bands for b in rows)
            case Ladder(rungs, rest):
                return max([rest, *(r.points for r in rungs if r.points is not None)])
            case Total(items):
                return sum((i.full for i in items), Fraction(0))
            case Attested(_, _, hi) | Assumed(Points(_, hi, _)):
                return hi
        return None

    def lines(self) -> Iterator[tuple[Case, Line]]:
        """Every comparison of the rule with its case."""
        cases = (
            self.body.cases
            if isinstance(self.body, Cases)
            else self.body.rungs
            if isinstance(self.body, Ladder)
            else ()
        )
        for case in cases:
            for line in case.lines:
                yield case, line

    def constants(self) -> Iterator[Constant]:
        """All numbers that the rule compares, in the order of its table.

        >>> line = Line("indicator", "研发费用", ">=", Fraction(1_000_000))
        >>> rule = Rule("63.2.研发费用", "", "", "", (), Cases((Case("", (line,)),)))
        >>> [(c.name, c.value) for c in rule.constants()]
        [('研发费用', Fraction(1000000, 1))]
        """
        for _, line in self.lines():
            if line.subject != "rule" and isinstance(line.value, Fraction):
                yield Constant(line.subject, line.name, line.value)
        match self.body:
            case Bands(tables):
                for name, rows in tables:
                    ends = (end for band in rows for end in (band.lo, band.hi) if end is not None)
                    yield from (Constant("indicator", name, end) for end in ends)
            case Attested(name, lo, hi):
                yield from (Constant("attested", name, end) for end in (lo, hi))

    def rule_references(self) -> Iterator[str]:
        """Ids of the rules that the table names (points of a group name ``rule/group``)."""
        for _, line in self.lines():
            if line.subject != "indicator":
                yield line.name.partition("/")[0]
        if isinstance(self.body, Total):
            yield from (item.rule for item in self.body.items)

    def indicator_names(self) -> Iterator[str]:
        """Names of the indicators that the table reads."""
        for _, line in self.lines():
            if line.subject == "indicator":
                yield line.name
        if isinstance(self.body, Bands):
            yield from (name for name, _ in self.body.bands)
        if isinstance(self.body, Attested):
            yield self.body.indicator


@dataclass(frozen=True)
class Ruleset:
    """The closure of ``root``: everything a decision needs besides the facts.

    ``rules`` come after the rules they depend on, rules over records first. ``indicators`` are keyed
    ``name``, or ``list.name`` for those of a record; ``fields`` are keyed ``list.field``.
    """

    root: str
    title: str
    tier: str
    source: str
    rules: tuple[Rule, ...]
    indicators: Mapping[str, Indicator]
    facts: Mapping[str, Fact]
    fields: Mapping[str, Fact]
    maps: Mapping[str, Mapping[str, str]]

    def rule(self, id: str) -> Rule:
        """The rule of that id."""
        return next(r for r in self.rules if r.id == id)

    def indicator(self, rule: Rule, name: str) -> Indicator:
        """The indicator that ``rule`` calls ``name``."""
        return self.indicators[f"{rule.records}.{name}" if rule.records else name]

    def to_json(self) -> dict[str, Any]:
        """The ruleset as plain JSON values, made anew; numbers are texts such as ``3/100``."""
        return {
            "schema": SCHEMA,
            "root": self.root,
            "title": self.title,
            "tier": self.tier,
            "source": self.source,
            "rules": [_rule_json(r) for r in self.rules],
            "indicators": {
                k: {
                    "kind": i.kind,
                    "unit": i.unit,
                    "expr": i.expr,
                    "records": i.records,
                    "clause": i.clause,
                }
                for k, i in self.indicators.items()
            },
            "facts": {k: _fact_json(f) for k, f in self.facts.items()},
            "fields": {k: _fact_json(f) for k, f in self.fields.items()},
            "maps": {k: dict(m) for k, m in self.maps.items()},
        }

    def canonical(self) -> str:
        """The canonical JSON text that is published and digested."""
        return self._canonical

    @cached_property
    def _canonical(self) -> str:
        return canonical_json(self.to_json())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical text, in hex."""
        return sha256(self.canonical())


def _fact_json(fact: Fact) -> dict[str, Any]:
    return {
        "name": fact.name,
        "kind": fact.kind,
        "unit": fact.unit,
        "origin": fact.origin,
        "minimum": None if fact.minimum is None else str(fact.minimum),
        "maximum": None if fact.maximum is None else str(fact.maximum),
        "codes": list(fact.codes),
    }


def _text(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _case_json(case: Case) -> dict[str, Any]:
    lines = [
        {
            "subject": line.subject,
            "name": line.name,
            "op": line.op,
            "value": list(line.value) if isinstance(line.value, tuple) else _text(line.value),
            "text": line.text,
        }
        for line in case.lines
    ]
    rung = {} if case.points is None else {"points": str(case.points)}
    return {"name": case.name, "lines": lines, **rung}


def _body_json(body: Body) -> dict[str, Any]:
    match body:
        case Cases(cases):
            return {"kind": "cases", "cases": [_case_json(c) for c in cases]}
        case Bands(bands):
            return {
                "kind": "bands",
                "bands": [
                    [name, [[_text(b.lo), _text(b.hi), str(b.points)] for b in rows]]
                    for name, rows in bands
                ],
            }
        case Ladder(rungs, rest):
            return {
                "kind": "ladder",
                "rungs": [_case_json(c) for c in rungs],
                "rest": str(rest),
            }
        case Total(items):
            return {"kind": "total", "items": [[i.group, i.rule, str(i.full)] for i in items]}
        case Attested(indicator, lo, hi):
            return {"kind": "attested", "indicator": indicator, "lo": str(lo), "hi": str(hi)}
        case Assumed(Points(lo, hi, gap)):
            return {"kind": "assumed", "points": [str(lo), str(hi), int(gap)]}
        case Assumed(Outcome() as outcome):
            return {"kind": "assumed", "outcome": int(outcome)}
    raise TypeError(body)


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "clause": rule.clause,
        "citation": rule.citation,
        "notes": [[n.confidence, n.text] for n in rule.notes],
        "records": rule.records,
        "body": _body_json(rule.body),
    }
