"""Rules over synthetic facts: the inputs of a certificate, and every reading that they can have.

An input stands for an indicator, or for the result of a rule on which others rest.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeAlias

from rules.language.linking import vocabulary
from rules.model.facts import Fact, Kind, Profile, RecordList, Scalar
from rules.model.quantities import UNITS, show
from rules.model.ruleset import (
    Assumed,
    Attested,
    Bands,
    Body,
    Case,
    Cases,
    Expr,
    Gap,
    Indicator,
    Item,
    Ladder,
    Line,
    Outcome,
    Points,
    Rule,
    Ruleset,
    Total,
)
from rules.portable.canonical import sha256

#: The distance of values just beside a constant; at most a quarter of the way to the next one.
NEAR: Final = Fraction(1, 10**9)
#: The distance of values far beyond the outermost constants.
FAR: Final = Fraction(10**12)
#: Why an input can be open.
GAPS: Final = (Gap.MISSING, Gap.PENDING)

_AS_OF: Final = date(2024, 6, 30)  # no synthetic fact depends on it
#: Inputs that are 1 or 0, filed as flags.
_YES_OR_NO: Final = ("flag", "outcome")
_MAP: Final = "代表情形"
_OTHER: Final = "（未列的代码）"
#: Bounds for arbitrary points; no total comes near.
_ANY_POINTS: Final = Fraction(10**6)


@dataclass(frozen=True)
class InputReading:
    """The reading of one input in a case, by its fields."""

    lo: Fraction | None = None
    hi: Fraction | None = None
    gap: Gap = Gap.NONE
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Input:
    """An input of a rule, and its readings in the cases; the first reading is exact and low.

    ``kind`` is the kind of the indicator, or ``outcome`` or ``points`` for a rule. ``id`` names the
    facts with which it is filed.
    """

    id: str
    name: str
    kind: str
    unit: str
    records: str
    known: tuple[InputReading, ...]

    def filed(self, known: InputReading) -> dict[str, Scalar]:
        """The facts from which both evaluators read what is known."""
        if self.kind == "code":
            if known.gap:
                return {} if known.gap is Gap.MISSING else {self.id: ""}
            return {self.id: known.code or ""}
        if self.kind in _YES_OR_NO:
            flags: dict[str, Scalar] = {f"{self.id}a": bool(known.lo), f"{self.id}b": False}
            if known.gap:
                del flags[f"{self.id}{'a' if known.gap is Gap.MISSING else 'b'}"]
            return flags
        if not known.gap:
            return {f"{self.id}a": str(known.lo), f"{self.id}b": "1"}
        values: dict[str, Scalar] = {f"{self.id}{'b' if known.gap is Gap.MISSING else 'a'}": "1"}
        if known.lo is not None:
            values[f"{self.id}l"] = str(known.lo)
        if known.hi is not None:
            values[f"{self.id}u"] = str(known.hi)
        return values

    def facts(self) -> Iterator[Fact]:
        """The definitions of these facts."""
        if self.kind == "code":
            yield Fact(self.id, self.name, "text")
            return
        kind: Kind = "flag" if self.kind in _YES_OR_NO else "number"
        for part in "alu":
            yield Fact(f"{self.id}{part}", self.name, kind)
        yield Fact(f"{self.id}b", self.name, kind, origin="认定")

    def expr(self) -> Expr:
        """The formula that reads these facts."""
        leaf = "field" if self.records else "fact"
        if self.kind == "code":
            return ("lookup", _MAP, (leaf, self.id))
        value, finding, lower, upper = ((leaf, f"{self.id}{part}") for part in "ablu")
        if self.kind in _YES_OR_NO:
            return ("add", value, finding)
        return ("bounded", ("div", value, finding), (lower,), (upper,))

    def words(self, known: InputReading) -> str:
        """What is known, in Chinese."""
        if self.kind == "outcome":
            value = known.gap or (Outcome.MET if known.lo else Outcome.NOT_MET)
            return f"{self.name}为{Outcome(value).text}"
        if known.code is not None:
            return f"{self.name}为{known.code}"
        gap = "待人工认定" if known.gap is Gap.PENDING else "未填报"
        lo, hi = (None if e is None else self._shown(e) for e in (known.lo, known.hi))
        if not known.gap:
            return f"{self.name}为{lo}"
        if lo is None and hi is None:
            return f"{self.name}{gap}"
        ends = f"{lo}至{hi}" if lo and hi else f"不低于{lo}" if lo else f"不高于{hi}"
        return f"{self.name}{gap}（{ends}）"

    def _shown(self, value: Fraction) -> str:
        if self.kind == "flag":
            return "是" if value else "否"
        return show(value, self.unit, digits=12) if self.unit in UNITS else str(value)


#: For each input, the index of its reading in ``known``.
Choice: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class SyntheticSetting:
    """A ruleset over synthetic facts, and the inputs that these represent."""

    ruleset: Ruleset
    inputs: tuple[Input, ...]
    whole: bool

    @property
    def digest(self) -> str:
        """The digest that names the setting."""
        return sha256(f"{self.ruleset.canonical()}{self.inputs!r}")

    @cached_property
    def _filed(self) -> tuple[tuple[Mapping[str, Scalar], ...], ...]:
        return tuple(tuple(map(i.filed, i.known)) for i in self.inputs)

    def profile(self, choice: Choice) -> Profile:
        """The filing that gives the inputs these readings, with one record in each list."""
        values: dict[str, dict[str, Scalar]] = {rule.records: {} for rule in self.ruleset.rules}
        for input, filed, place in zip(self.inputs, self._filed, choice, strict=True):
            values[input.records].update(filed[place])
        lists = {name: RecordList((item,), True) for name, item in values.items() if name}
        return Profile(_AS_OF, values.get("", {}), lists)

    def words(self, choice: Choice, only: Iterable[str] | None = None) -> str:
        """The readings of a choice in Chinese; with ``only``, those of the inputs of that name."""
        names = None if only is None else set(only)
        chosen = zip(self.inputs, choice, strict=True)
        return "，".join(
            i.words(i.known[place]) for i, place in chosen if names is None or i.name in names
        )


def alone(ruleset: Ruleset, rule: Rule) -> SyntheticSetting:
    """A rule in a ruleset of its own, with synthetic inputs."""
    inputs = list(_figures(ruleset, [rule]))
    rests: list[Rule] = []
    for id in dict.fromkeys(rule.rule_references()):
        rests += _given(ruleset, rule, id, inputs)
    return SyntheticSetting(
        _synthetic(ruleset, rule.id, (*rests, rule), inputs), tuple(inputs), False
    )


def together(ruleset: Ruleset) -> SyntheticSetting:
    """All the rules of a ruleset, unchanged, with synthetic indicators."""
    scopes = dict.fromkeys(rule.records for rule in ruleset.rules)
    inputs: list[Input] = []
    for records in scopes:
        rules = [rule for rule in ruleset.rules if rule.records == records]
        inputs += _figures(ruleset, rules, len(inputs))
    synthetic = _synthetic(ruleset, ruleset.root, ruleset.rules, inputs)
    return SyntheticSetting(synthetic, tuple(inputs), True)


def _synthetic(
    ruleset: Ruleset, root: str, rules: tuple[Rule, ...], inputs: Sequence[Input]
) -> Ruleset:
    indicators = {
        f"{i.records}.{i.name}" if i.records else i.name: Indicator(
            name=i.name,
            kind="code" if i.kind == "code" else "number",
            unit="",
            expr=i.expr(),
            records=i.records,
        )
        for i in inputs
    }
    facts = {f.id: f for i in inputs if not i.records for f in i.facts()}
    fields = {f"{i.records}.{f.id}": f for i in inputs if i.records for f in i.facts()}
    codes = {k.code: k.code for i in inputs for k in i.known if k.code is not None}
    return replace(
        ruleset,
        root=root,
        title="",
        tier="",
        source="",
        rules=rules,
        indicators=indicators,
        facts=facts,
        fields=fields,
        maps={_MAP: codes},
        parameters={},
    )


def _figures(ruleset: Ruleset, rules: Sequence[Rule], first: int | None = None) -> Iterator[Input]:
    """The indicators that these rules of one scope read, with the constants of all these rules.

    They are numbered from ``first``. Without ``first``, they have all intervals.
    """
    names = dict.fromkeys(name for rule in rules for name in rule.indicator_names())
    for n, name in enumerate(names, first or 0):
        indicator = ruleset.indicator(rules[0], name)
        if indicator.kind == "code":
            known = _codes(ruleset, rules, indicator)
        elif indicator.kind == "flag":
            known = _flags()
        else:
            limits = (c for rule in rules for c in _limits(rule, name, "indicator", "attested"))
            known = _numbers(limits, every=first is None)
        yield Input(
            id=f"x{n}",
            name=name,
            kind=indicator.kind,
            unit=indicator.unit,
            records=indicator.records,
            known=known,
        )


def _given(ruleset: Ruleset, rule: Rule, id: str, inputs: list[Input]) -> Iterator[Rule]:
    """Rules that replace one on which a rule rests; their inputs are added to ``inputs``."""
    rest = ruleset.rule(id)

    def filed(part: str, name: str, known: tuple[InputReading, ...]) -> Rule:
        kind, unit = ("points", "分") if rest.scored else ("outcome", "")
        label = given(name)
        inputs.append(
            Input(
                id=f"x{len(inputs)}",
                name=label,
                kind=kind,
                unit=unit,
                records=rule.records,
                known=known,
            )
        )
        body: Body = (
            Attested(label, -_ANY_POINTS, _ANY_POINTS)
            if rest.scored
            else Cases(
                (
                    Case(
                        "给定", (Line(subject="indicator", name=label, op=">=", value=Fraction(1)),)
                    ),
                )
            )
        )
        return Rule(
            id=part, title="", clause="", citation="", notes=(), body=body, records=rule.records
        )

    if not rest.scored:
        yield filed(id, id, _flags())
        return
    groups = [n for n in dict.fromkeys(_compared(rule)) if n.startswith(f"{id}/")]
    parts = []
    for name in (*groups, id):
        limits = list(_limits(rule, name, "points"))
        if name == id and groups and not limits:
            continue
        more = {Fraction(0), *reachable(ruleset, name), *_around_cap(rule)}
        known = _numbers(limits, more)
        parts.append(filed(f"{name}/给定" if groups else id, name, known))
    yield from parts
    if groups:
        names = [g.removeprefix(f"{id}/") for g in groups]
        pairs = zip((*names, ""), parts, strict=False)
        items = tuple(Item(group, part.id, _ANY_POINTS) for group, part in pairs)
        yield Rule(
            id=id,
            title="",
            clause="",
            citation="",
            notes=(),
            body=Total(items),
            records=rule.records,
        )


def given(name: str) -> str:
    """The name of the result of a rule, or of a group, as an input."""
    return f"「{name}」"


def _compared(rule: Rule) -> Iterator[str]:
    return (line.name for _, line in rule.lines() if line.subject == "points")


def _limits(rule: Rule, name: str, *subjects: str) -> Iterator[Fraction]:
    """The numbers with which a rule compares the subject of that name."""
    return (c.value for c in rule.constants() if c.name == name and c.subject in subjects)


def _around_cap(rule: Rule) -> tuple[Fraction, ...]:
    """The cap of a total, and the points just below and above it."""
    cap = rule.body.cap if isinstance(rule.body, Total) else None
    return () if cap is None else (cap - NEAR, cap, cap + NEAR)


def _numbers(
    limits: Iterable[Fraction], more: Collection[Fraction] = (), *, every: bool = True
) -> tuple[InputReading, ...]:
    """Values around every constant, and every interval between them or unbounded on a side.

    Without ``every``, bounded intervals are only those between neighbouring values.
    """
    cuts = sorted(set(limits))
    near = min([NEAR, *((b - a) / 4 for a, b in pairwise(cuts))])
    ends = [value for cut in cuts for value in (cut - near, cut, cut + near)]
    between = [(a + b) / 2 for a, b in pairwise(cuts)]
    exact = sorted({*ends, *between, *more} or {Fraction(0)})
    if cuts and not more:
        exact += [cuts[0] - FAR, cuts[-1] + FAR]
    neighbours = set(pairwise(ends))
    spans: list[tuple[Fraction | None, Fraction | None]] = [
        (lo, hi)
        for lo in (None, *ends)
        for hi in (*ends, None)
        if lo is None or hi is None or (lo < hi if every else (lo, hi) in neighbours)
    ]
    spans.sort(key=lambda span: span.count(None))
    if not cuts and len(exact) > 1:
        spans += [(exact[0], exact[-1]), *pairwise(exact)]
    return (
        *(InputReading(value, value) for value in exact),
        *(InputReading(lo, hi, gap) for gap in GAPS for lo, hi in spans),
    )


def _flags() -> tuple[InputReading, ...]:
    no, yes = Fraction(0), Fraction(1)
    return (
        InputReading(no, no),
        InputReading(yes, yes),
        *(InputReading(no, yes, gap) for gap in GAPS),
    )


def _codes(
    ruleset: Ruleset, rules: Iterable[Rule], indicator: Indicator
) -> tuple[InputReading, ...]:
    listed = [
        code
        for rule in rules
        for _, line in rule.lines()
        if line.name == indicator.name and isinstance(line.value, tuple)
        for code in line.value
    ]
    known = dict.fromkeys([_OTHER, *listed, *vocabulary(indicator, ruleset, ruleset.maps)])
    return (*(InputReading(code=code) for code in known), *(InputReading(gap=gap) for gap in GAPS))


def reachable(ruleset: Ruleset, name: str) -> set[Fraction]:
    """The exact points that a rule, or a group of its items, can give; filed ones only if whole."""
    ids = {rule.id for rule in ruleset.rules}
    id, _, group = (name, "", "") if name in ids else name.partition("/")
    match ruleset.rule(id).body:
        case Bands(tables):
            return {band.points for _, rows in tables for band in rows}
        case Ladder(rungs, rest):
            return {rest, *(r.points for r in rungs if r.points is not None)}
        case Attested(_, lo, hi):
            return {lo, hi, *map(Fraction, range(int(lo), int(hi) + 1))}
        case Total(items, cap):
            sums = {Fraction(0)}
            for item in items:
                if not group or item.group == group:
                    parts = reachable(ruleset, item.rule)
                    sums = {total + part for total in sums for part in parts}
            return sums if group or cap is None else {min(total, cap) for total in sums}
        case Assumed(Points(lo, hi)):
            return {lo, hi}
    return set()
