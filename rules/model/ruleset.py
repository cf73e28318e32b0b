"""A compiled ruleset and the results of its evaluation: frozen values with canonical JSON.

A ruleset is the closure of one root rule: the rules in order of dependence, the indicators and
facts they read, and the cited data maps. Its digest is the SHA-256 of the canonical JSON, which
contains everything that can change a verdict or its wording, but no file positions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from rules.model.catalogue import HELD, TITLE_KIND
from rules.model.days import day_text
from rules.model.facts import Fact, Profile, RecordKind, check_profile
from rules.model.quantities import Number, yearly_rate
from rules.portable.canonical import canonical_json, sha256
from rules.portable.record import SHARE

SCHEMA: Final = 1

#: An indicator's formula: nested tuples of nodes, see ``rules.model.expressions``.
Expr: TypeAlias = tuple[Any, ...]
Op: TypeAlias = Literal[">=", ">", "<", "<=", "in"]


class Outcome(IntEnum):
    """The result of a line, case or rule; a conjunction of the first four is their minimum."""

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
    """The gap of a whole from those of its parts: figures are requested before findings."""
    return min((g for g in gaps if g), default=Gap.NONE)


class Points(NamedTuple):
    """The points of a scored node: every value still possible lies in [lo, hi]."""

    lo: Fraction
    hi: Fraction
    gap: Gap = Gap.NONE


Result: TypeAlias = Outcome | Points
#: node key -> result; keys are ``rule``, ``rule/case``, ``rule/case/line``, ``rule/indicator``,
#: ``rule/group``; for the n-th record of a list, any of these after the prefix ``list#n:``.
Trace: TypeAlias = Mapping[str, Result]


def trace_of(plain: Mapping[str, Any]) -> Trace:
    """The trace with plain values decoded: the number of an outcome, or (lo, hi, gap) of points."""
    return {
        key: BY_NUMBER[value] if isinstance(value, int) else points_of(*value)
        for key, value in plain.items()
    }


#: The outcomes by number.
BY_NUMBER: Final = tuple(Outcome)


@lru_cache(maxsize=1 << 14)  # few distinct values, and identical objects compare at once
def points_of(lo: Number, hi: Number, gap: int, unit: int = 1) -> Points:
    """Points from numbers of 1/``unit``."""
    return Points(Fraction(lo, unit), Fraction(hi, unit), Gap(gap))


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """A figure that tables compare, as data and not as a function.

    ``unit`` is how it is shown (values are in base units). ``records`` names the list whose fields
    it reads, if any. ``clause`` is the source of the definition. With a ``root`` above 1, the
    indicator is the yearly rate of a growth over that many years: the formula gives the ratio of the
    last figure to the first, and thresholds are compounded. ``against`` is the computed threshold, as
    tables have it, whose difference from a figure the formula gives; it is compared with 0.
    """

    name: str
    kind: Literal["number", "flag", "code", "date"]
    unit: str
    expr: Expr
    records: str = ""
    clause: str = ""
    root: int = 1
    against: str = ""

    @property
    def day(self) -> date | None:
        """The fixed day with which a date is compared; None if it is the filing date."""
        match self.expr:
            case ("days", ("day", text), _) if self.kind == "date":
                return date.fromisoformat(text)
        return None

    @property
    def shown(self) -> str:
        """The name as tables have it, where a fixed day or a computed figure is the threshold."""
        beside = _difference(self.against) if self.against else _from(self.day) if self.day else ""
        return self.name.removesuffix(beside)

    def measured(self, value: Number) -> Number:
        """A value or threshold as people state it: of a compound growth, the yearly rate.

        >>> growth = Indicator(name="增长率", kind="number", unit="%", expr=(), root=2)
        >>> growth.measured(Fraction(144, 100))
        Fraction(1, 5)
        """
        return value if self.root == 1 else yearly_rate(value, self.root)

    def compared(self, threshold: Fraction) -> Fraction:
        """The number with which the formula is compared, for a threshold as people state it."""
        return threshold if self.root == 1 else (1 + threshold) ** self.root

    def counted_from(self, day: date) -> "Indicator":
        """A date as its distance from a fixed day; ``ValueError`` if it is not a date.

        >>> filed = ("days", ("as_of",), ("fact", "segment_entry"))
        >>> entry = Indicator(name="进入日期", kind="date", unit="天", expr=filed)
        >>> counted = entry.counted_from(date(2020, 1, 1))
        >>> counted.name, counted.shown, counted.expr[1]
        ('进入日期距2020年1月1日', '进入日期', ('day', '2020-01-01'))
        """
        match self.expr:
            case ("days", ("as_of",), of):
                expr = ("days", ("day", day.isoformat()), of)
                return replace(self, name=f"{self.name}{_from(day)}", expr=expr)
        raise ValueError(f"{self.name} is no date")

    def compared_with(self, text: str, threshold: Expr) -> "Indicator":
        """The difference of a figure from a computed threshold, which tables write as ``text``.

        >>> growth = Indicator(name="增长率", kind="number", unit="%", expr=("fact", "growth"))
        >>> growth.compared_with("2×增速", ("parameter", "增速", 0)).name
        '增长率与2×增速之差'
        """
        expr = ("sub", self.expr, threshold)
        name = f"{self.name}{_difference(text)}"
        return replace(self, name=name, expr=expr, clause="", against=text)


@dataclass(frozen=True, kw_only=True)
class ParameterRow:
    """A value for a place, a sector and a year; a blank one of these is for all.

    ``of`` is the fact with which the place is compared: ``province`` or ``city``, or blank without
    a place. ``sector`` is the beginning of an industry code, ``value`` in base units, and ``basis``
    the document that sets it.
    """

    of: Literal["", "province", "city"] = ""
    place: str = ""
    sector: str = ""
    year: int | None = None
    value: Fraction
    basis: str = ""

    @property
    def rank(self) -> tuple[int, int, bool]:
        """The row with the highest rank counts, among those that fit a case: by place, sector, then year."""
        return ("", "province", "city").index(self.of), len(self.sector), self.year is not None

    @property
    def keys(self) -> tuple[str, ...]:
        """The facts on which it depends whether the row fits a case."""
        return tuple(key for key in (self.of, "industry_code" if self.sector else "") if key)

    def fits(self, known: Mapping[str, str | None]) -> bool | None:
        """Whether the row fits a case of its year; None if a fact is lacking."""
        place, code = known.get(self.of), known.get("industry_code")
        here = None if self.of and place is None else not self.of or place == self.place
        such = None if self.sector and code is None else (code or "").startswith(self.sector)
        return False if False in (here, such) else None if None in (here, such) else True


@dataclass(frozen=True)
class Parameter:
    """A figure that is not filed but set, by place, sector and year."""

    unit: str
    rows: tuple[ParameterRow, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The facts of a case that it reads."""
        return tuple(sorted({key for row in self.rows for key in row.keys}))

    def of_year(self, year: int) -> tuple[ParameterRow, ...]:
        """The rows for a year, those that count first."""
        rows = (row for row in self.rows if row.year in (None, year))
        return tuple(sorted(rows, key=lambda row: row.rank, reverse=True))


def _from(day: date) -> str:
    return f"距{day_text(day)}"


def _difference(threshold: str) -> str:
    return f"与{threshold}之差"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A comparison: of an indicator, the points of a score, or another rule's outcome.

    ``value`` is a threshold in base units, or the allowed codes (``op`` is ``in``). For a rule it
    is None: the rule must be 符合, or 不符合 if the subject is ``unmet``. Flags compare as 1 and 0, dates as days after ``as_of`` or
    after a fixed day. ``slot``
    names the 门槛 slot that gives the value, if any.
    """

    subject: Literal["indicator", "points", "rule", "unmet"]
    name: str
    op: Op = ">="
    value: Fraction | tuple[str, ...] | None = None
    text: str = ""
    slot: str = field(default="", compare=False)


@dataclass(frozen=True)
class Case:
    """A 情形: lines joined by *and*; with ``points`` if it is a rung of a ladder."""

    name: str
    lines: tuple[Line, ...]
    points: Fraction | None = None


@dataclass(frozen=True)
class Cases:
    """满足下列任一情形即为符合: cases joined by *or*."""

    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Band:
    """The points for values from ``lo`` to ``hi``, both included; None is unbounded."""

    lo: Fraction | None
    hi: Fraction | None
    points: Fraction


@dataclass(frozen=True)
class Bands:
    """按下表计分，边界按高分: for each indicator, bands that tile the line; the best indicator counts."""

    bands: tuple[tuple[str, tuple[Band, ...]], ...]


@dataclass(frozen=True)
class Ladder:
    """按所满足的最高情形计分: rungs, best first, and the points for 其余."""

    rungs: tuple[Case, ...]
    rest: Fraction


@dataclass(frozen=True)
class Item:
    """A summand of a total: a score rule, its group, and its full points."""

    group: str
    rule: str
    full: Fraction


@dataclass(frozen=True)
class Total:
    """得分为下列各项之和, 最高 ``cap`` if there is one; the sums of groups are not capped."""

    items: tuple[Item, ...]
    cap: Fraction | None = None

    @property
    def groups(self) -> dict[str, tuple[Item, ...]]:
        """The named groups with their items, in order."""
        names = dict.fromkeys(i.group for i in self.items if i.group)
        return {g: tuple(i for i in self.items if i.group == g) for g in names}


@dataclass(frozen=True)
class Attested:
    """Points that are filed directly (a province's own items), within [lo, hi]."""

    indicator: str
    lo: Fraction
    hi: Fraction


@dataclass(frozen=True)
class Assumed:
    """A rule with a given result: how examples state the results of other rules."""

    result: Result


class Constant(NamedTuple):
    """A number with which a rule compares something, in base units.

    ``subject`` says what: an indicator, the points of a score, or an indicator whose points are
    filed directly (``attested``).
    """

    subject: Literal["indicator", "points", "attested"]
    name: str
    value: Fraction


Body: TypeAlias = Cases | Bands | Ladder | Total | Attested | Assumed


@dataclass(frozen=True)
class Note:
    """An interpretation note: a statement of confidence B or C on which a verdict rests."""

    confidence: str
    text: str


@dataclass(frozen=True)
class Position:
    """The place of a definition: a path relative to the features folder, and a line."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A clause of the law with its table.

    ``records`` names the list to whose records it is applied one by one (``@对象``).
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
        """Whether the rule yields points, not an outcome."""
        if isinstance(self.body, Assumed):
            return isinstance(self.body.result, Points)
        return not isinstance(self.body, Cases)

    @property
    def possible(self) -> Fraction | None:
        """The most points that the rule can give; None if it yields an outcome."""
        match self.body:
            case Bands(bands):
                return max(b.points for _, rows in bands for b in rows)
            case Ladder(rungs, rest):
                return max([rest, *(r.points for r in rungs if r.points is not None)])
            case Total(items, cap):
                full = sum((i.full for i in items), Fraction(0))
                return full if cap is None else min(full, cap)
            case Attested(_, _, hi) | Assumed(Points(_, hi, _)):
                return hi
        return None

    def lines(self) -> Iterator[tuple[Case, Line]]:
        """Every comparison of the rule, with its case."""
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
        """All numbers with which the rule compares, in the order of its table.

        >>> line = Line(subject="indicator", name="研发费用", op=">=", value=Fraction(1_000_000))
        >>> body = Cases((Case("", (line,)),))
        >>> rule = Rule(id="63.2", title="", clause="", citation="", notes=(), body=body)
        >>> [(c.name, c.value) for c in rule.constants()]
        [('研发费用', Fraction(1000000, 1))]
        """
        for _, line in self.lines():
            if line.subject in ("indicator", "points") and isinstance(line.value, Fraction):
                yield Constant(line.subject, line.name, line.value)
        match self.body:
            case Bands(tables):
                for name, rows in tables:
                    ends = (end for band in rows for end in (band.lo, band.hi) if end is not None)
                    yield from (Constant("indicator", name, end) for end in ends)
            case Attested(name, lo, hi):
                yield from (Constant("attested", name, end) for end in (lo, hi))

    def rule_references(self) -> Iterator[str]:
        """Ids of the rules that the table names (as ``rule/group`` for the points of a group)."""
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


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """The closure of ``root``: everything that a decision needs besides the facts.

    ``rules`` come after the rules on which they depend, rules over records first. ``indicators``
    are keyed ``name``, or ``list.name`` for those of a record; ``fields`` are keyed ``list.field``.
    ``lists`` describes the lists that it reads, for people only.
    ``facts`` contain those by which ``parameters`` are chosen.
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
    lists: Mapping[str, RecordKind] = field(default_factory=dict, compare=False)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def rule(self, id: str) -> Rule:
        """The rule with that id."""
        return self._by_id[id]

    @cached_property
    def notes(self) -> tuple[tuple[str, Note], ...]:
        """The interpretation notes of all rules, each with its rule's id."""
        return tuple((rule.id, note) for rule in self.rules for note in rule.notes)

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def indicator(self, rule: Rule, name: str) -> Indicator:
        """The indicator that ``rule`` calls ``name``."""
        return self.indicators[f"{rule.records}.{name}" if rule.records else name]

    def read_by(self, leaf: Expr, records: str = "") -> Fact:
        """The fact, or field of the records at hand, that a leaf of a formula reads."""
        return self.fields[f"{records}.{leaf[1]}"] if leaf[0] == "field" else self.facts[leaf[1]]

    def validate(self, profile: Profile) -> None:
        """Raise ``FactsError`` for the first impossible value of a fact that the ruleset reads.

        The ruleset does not ask for titles of tiers that it does not know.
        """
        nothing: Mapping[str, Fact] = {}
        check_profile(
            profile,
            self.facts.get,
            lambda records: self._read_of.get(records, nothing).get,
            lambda records: self.lists[records].name,
        )

    @cached_property
    def _read_of(self) -> Mapping[str, Mapping[str, Fact]]:
        """The fields that are read of each list; the kind of a title may be of any ruleset."""
        found: dict[str, dict[str, Fact]] = {}
        for key, fact in self.fields.items():
            records, _, id = key.partition(".")
            if (records, id) != (HELD, TITLE_KIND):
                found.setdefault(records, {})[id] = fact
        return found

    def to_json(self) -> dict[str, Any]:
        """The ruleset as new plain JSON values; numbers are texts such as ``3/100``.

        What only some rulesets have is left out of the others, whose digests stay.
        """
        parameters = {k: _parameter_json(p) for k, p in self.parameters.items()}
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
                    **({"root": i.root} if i.root > 1 else {}),
                    **({"against": i.against} if i.against else {}),
                }
                for k, i in self.indicators.items()
            },
            "facts": {
                k: _fact_json(f) | ({"share_with": f.share_with} if self._says_share(f) else {})
                for k, f in self.facts.items()
            },
            "fields": {k: _fact_json(f) for k, f in self.fields.items()},
            "maps": {k: dict(m) for k, m in self.maps.items()},
            **({"parameters": parameters} if parameters else {}),
        }

    def _says_share(self, fact: Fact) -> bool:
        """Whether its text says with whose holders a fact states a share, and does not imply it."""
        return bool(fact.share_with) and (fact.id, fact.share_with) != (SHARE, self.tier)

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


def _parameter_json(parameter: Parameter) -> dict[str, Any]:
    return {
        "unit": parameter.unit,
        "rows": [
            [row.of, row.place, row.sector, row.year, str(row.value), row.basis]
            for row in parameter.rows
        ],
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
        case Total(items, cap):
            most = {} if cap is None else {"cap": str(cap)}
            return {
                "kind": "total",
                "items": [[i.group, i.rule, str(i.full)] for i in items],
                **most,
            }
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
