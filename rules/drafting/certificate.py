"""Certificates: the engine and the reference evaluator agree on every cell of every compiled rule.

A compiled rule depends only on four kinds of *inputs*: the constants between which a figure's two
ends lie, the gap of an open figure, the code that was filed, and the results of other rules. Each
input has finitely many cells, so a finite set of cases stands for every filing. Both evaluators
run on these cases for

- **each rule by itself**, in a ruleset of its own. Synthetic facts replace its indicators, so any
  reading can be filed, even outside the formula's range. Rules over synthetic facts replace the
  rules on which it rests. So every cell is reached, and one compilation serves all cases;
- **the whole ruleset**, with its own rules and so exactly the program that will run (shared scales,
  packing, stages), but with synthetic facts in place of its indicators.

For a single rule the cases are complete for each input. They contain

- for every number, the values just below, at and just above each constant;
- every interval between two such values, and every one unbounded on a side, to be settled by a
  figure or by a person;
- every code of the catalogue, another code, and none;
- every outcome of other rules;
- every total that the items can give, and the values around its cap and around each constant it
  is compared with.

These vary one at a time, so each line and each table of bands is decided for all of its cells. How
lines combine is covered by the **product** of all distinguishable results of the inputs, if it has
at most ``PRODUCT`` members. Otherwise **all pairs** are tried:

- within each case of the table, with its other inputs at their best and the other cases at their
  worst; this includes the cases in which all lines but one are met;
- among the inputs that alone decide a case, with the other cases at their worst;
- in totals and bands, with the other inputs at their best and at their worst.

For the whole ruleset, the cases contain each of these readings at least once (but only intervals
between neighbouring values), each input at its worst and open with all others at their best, and
every total that the items can give at each gate, unless items share figures.

Not covered:

- the formulas of indicators: in every decision both evaluators read them from the same facts, and
  random filings test them;
- combinations of three or more inputs of a rule whose product exceeds ``PRODUCT``;
- totals of points filed in fractions, except around a gate;
- several records of one list at once.
"""

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import combinations, pairwise, product
from math import prod
from typing import Any, Final, TypeAlias

from rules.decider import differences
from rules.engine.driver import Engine
from rules.errors import EngineFaultError
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
    Result,
    Rule,
    Ruleset,
    Total,
    trace_of,
)
from rules.portable import reference
from rules.portable.canonical import sha256

#: The most combinations of distinguishable inputs of one rule that are all tried.
PRODUCT: Final = 1024

#: The distance of values just beside a constant; at most a quarter of the way to the next one.
NEAR: Final = Fraction(1, 10**9)
#: The distance of values far beyond the outermost constants.
FAR: Final = Fraction(10**12)

_AS_OF: Final = date(2024, 6, 30)  # no synthetic fact depends on it
_GAPS: Final = (Gap.MISSING, Gap.PENDING)
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


@dataclass(frozen=True)
class CertificateDifference:
    """A case on which the evaluators differ: the rule, the case and both results in Chinese."""

    rule: str
    case: str
    found: str
    expected: str

    def __str__(self) -> str:
        case = f"在{self.case}时" if self.case else "中"
        return f"规则「{self.rule}」{case}，规则引擎得“{self.found}”，独立复算得“{self.expected}”"


@dataclass(frozen=True)
class Certificate:
    """The number of cases on which both evaluators agree, per rule and for the whole ruleset.

    Unless ``differences`` is empty, nothing is certified. It holds at most one case per rule, and
    one for the whole.
    """

    root: str
    cases: Mapping[str, int]
    whole: int
    differences: tuple[CertificateDifference, ...] = ()

    @property
    def total(self) -> int:
        """The number of cases."""
        return sum(self.cases.values()) + self.whole


#: Settings on which the evaluators agreed before: the number of cases by the setting's digest.
Done: TypeAlias = MutableMapping[str, int]
Make: TypeAlias = Callable[[Ruleset], Engine]


def certify(ruleset: Ruleset, done: Done | None = None, make: Make = Engine) -> Certificate:
    """Run both evaluators on cases that stand for every filing; differences are in the result.

    Rulesets share rules: pass the same ``done`` for each, and every rule is compared only once.
    ``make`` compiles a ruleset for the engine.

    >>> from pathlib import Path
    >>> from rules import load
    >>> certificate = certify(load(Path("features")).ruleset("63.2.研发费用"))
    >>> certificate.total > 80, certificate.differences
    (True, ())
    """
    done = {} if done is None else done
    cases: dict[str, int] = {}
    found: list[CertificateDifference] = []
    for rule in ruleset.rules:
        setting = alone(ruleset, rule)
        key = setting.digest
        if key not in done:
            plan = planned(setting)
            difference = plan.differing(make)
            if difference:
                cases[rule.id] = len(plan.cases)
                found.append(difference)
                continue
            done[key] = len(plan.cases)
        cases[rule.id] = done[key]
    plan = planned(together(ruleset))
    difference = plan.differing(make)
    if difference:
        found.append(difference)
    return Certificate(ruleset.root, cases, len(plan.cases), tuple(found))


# -- settings --------------------------------------------------------------------------------------


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
        more = {Fraction(0), *_reachable(ruleset, name), *_around_cap(rule)}
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
        *(InputReading(lo, hi, gap) for gap in _GAPS for lo, hi in spans),
    )


def _flags() -> tuple[InputReading, ...]:
    no, yes = Fraction(0), Fraction(1)
    return (
        InputReading(no, no),
        InputReading(yes, yes),
        *(InputReading(no, yes, gap) for gap in _GAPS),
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
    return (*(InputReading(code=code) for code in known), *(InputReading(gap=gap) for gap in _GAPS))


def _reachable(ruleset: Ruleset, name: str) -> set[Fraction]:
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
                    parts = _reachable(ruleset, item.rule)
                    sums = {total + part for total in sums for part in parts}
            return sums if group or cap is None else {min(total, cap) for total in sums}
        case Assumed(Points(lo, hi)):
            return {lo, hi}
    return set()


# -- plans -----------------------------------------------------------------------------------------


def planned(setting: SyntheticSetting) -> "Plan":
    """The cases of a single rule, or of a whole ruleset."""
    plan = Plan(setting)
    if setting.whole:
        plan.of_whole()
    else:
        plan.of_rule(setting.ruleset.rule(setting.ruleset.root))
    return plan


@dataclass
class Plan:
    """The cases of a setting, each with the reference evaluator's evaluation, or its complaint."""

    setting: SyntheticSetting
    cases: dict[Choice, "reference.Evaluation | str"] = field(default_factory=dict)
    evaluator: reference.Evaluator = field(init=False)

    def __post_init__(self) -> None:
        self.evaluator = reference.Evaluator(self.setting.ruleset.to_json())

    def add(self, choice: Choice) -> Mapping[str, Any]:
        """Add a case, evaluated by the reference evaluator if it is new; return its trace."""
        if choice not in self.cases:
            try:
                found: reference.Evaluation | str = self.evaluator.evaluation(
                    self.setting.profile(choice).to_json()
                )
            except reference.EvaluationError as error:
                found = str(error)
            self.cases[choice] = found
        known = self.cases[choice]
        return {} if isinstance(known, str) else known.trace

    def of_rule(self, rule: Rule) -> None:
        """Add the cases of a single rule."""
        inputs = self.setting.inputs
        everywhere = range(len(inputs))
        low = (0,) * len(inputs)
        choices = [self._distinct(low, n, rule) for n in everywhere]
        if prod(map(len, choices)) <= PRODUCT:
            for choice in product(*choices):
                self.add(choice)
            return
        best, worst = self._extremes(low, choices, rule.id)
        pairs = list(combinations(everywhere, 2))
        cases: dict[str, set[int]] = {}
        for case, line in rule.lines():
            within = cases.setdefault(case.name, set())
            within |= {n for n in everywhere if inputs[n].name in (line.name, given(line.name))}
        if not cases:
            self._pairs(best, choices, pairs)
            self._pairs(worst, choices, pairs)
            return
        # with all other lines unmet, a pair decides only the cases that lie within it
        deciding = [pair for pair in pairs if any(case <= {*pair} for case in cases.values())]
        self._pairs(worst, choices, deciding)
        for name, within in cases.items():
            best, _ = self._extremes(low, choices, f"{rule.id}/{name}")
            background = tuple(best[n] if n in within else worst[n] for n in everywhere)
            self._pairs(background, choices, combinations(sorted(within), 2))

    def _extremes(
        self, low: Choice, choices: Sequence[Sequence[int]], key: str
    ) -> tuple[Choice, Choice]:
        """The best and worst exact readings for a rule or one of its cases, input by input."""
        return _extremes(
            [
                {
                    place: _height(
                        r for k, r in self.add(_with(low, n, place)).items() if _of(key, k)
                    )
                    for place in places
                    if not self.setting.inputs[n].known[place].gap
                }
                for n, places in enumerate(choices)
            ]
        )

    def _pairs(
        self, background: Choice, choices: Sequence[Sequence[int]], pairs: Iterable[tuple[int, int]]
    ) -> None:
        """Add all choices for pairs of inputs against a background."""
        self.add(background)
        for m, n in pairs:
            for a, b in product(choices[m], choices[n]):
                self.add(_with(_with(background, m, a), n, b))

    def _distinct(self, low: Choice, n: int, rule: Rule) -> list[int]:
        """Try all readings of an input; return one for each distinguishable result.

        For the items of a total, these are the least, the most, and open points.
        """
        known = self.setting.inputs[n].known
        found: dict[str, int] = {}
        for place in range(len(known)):
            trace = self.add(_with(low, n, place))
            results = [(k, r) for k, r in trace.items() if _of(rule.id, k)]
            found.setdefault(repr(sorted(results)), place)
        places = list(found.values())
        return _ends(known, places) if isinstance(rule.body, Total) else places

    def of_whole(self) -> None:
        """Add the cases of a whole ruleset."""
        inputs = self.setting.inputs
        keys = [self._places(i) for i in inputs]
        heights: list[dict[int, Fraction]] = [{} for _ in inputs]
        distinct: list[dict[str, int]] = [{} for _ in inputs]
        for k in range(max((len(i.known) for i in inputs), default=1)):
            choice = tuple((k + n) % len(i.known) for n, i in enumerate(inputs))
            trace = self.add(choice)
            for n, place in enumerate(choice):
                if k < len(inputs[n].known):
                    results = [trace[key] for key in keys[n] if key in trace]
                    if not inputs[n].known[place].gap:
                        heights[n][place] = _height(results)
                    distinct[n].setdefault(repr(results), place)
        best, worst = _extremes(heights)
        self.add(best)
        self.add(worst)
        for n, found in enumerate(distinct):
            for place in (worst[n], *_open(inputs[n].known, list(found.values()))):
                self.add(_with(best, n, place))
        ways = self._ways()
        for rule in self.setting.ruleset.rules:  # a total may be an item of a later one
            if isinstance(rule.body, Total):
                sums, cap = _totals(rule.body, ways), rule.body.cap
                for chosen in sums.values():
                    self.add(tuple(chosen.get(n, w) for n, w in enumerate(worst)))
                ways[rule.id] = {p if cap is None else min(p, cap): w for p, w in sums.items()}

    def _places(self, input: Input) -> list[str]:
        """The keys of the lines and bands that read an input."""
        prefix = f"{input.records}#0:" if input.records else ""
        keys = []
        for rule in self.setting.ruleset.rules:
            if rule.records != input.records:
                continue
            if isinstance(rule.body, Bands | Attested) and input.name in rule.indicator_names():
                keys += [rule.id, f"{rule.id}/{input.name}"]
            numbers: dict[str, int] = {}
            for case, line in rule.lines():
                numbers[case.name] = number = numbers.get(case.name, 0) + 1
                if (line.subject, line.name) == ("indicator", input.name):
                    keys.append(f"{rule.id}/{case.name}/{number}")
        return [prefix + key for key in keys]

    def _ways(self) -> dict[str, "_Ways"]:
        """For each scored rule over figures, readings that give each number of points."""
        numbers = {i.name: n for n, i in enumerate(self.setting.inputs) if not i.records}
        read = {
            rule.id: [numbers[name] for name in dict.fromkeys(rule.indicator_names())]
            for rule in self.setting.ruleset.rules
            if rule.scored and not isinstance(rule.body, Total)
        }
        wanted = {id: _reachable(self.setting.ruleset, id) for id in read}
        found: dict[str, _Ways] = {id: {} for id in read}
        for choice in self.cases:
            trace = self.add(choice)
            for id, inputs in read.items():
                points = trace.get(id)
                if not isinstance(points, reference.Points) or points.gap:
                    continue
                if points.lo in wanted[id]:
                    found[id].setdefault(points.lo, {n: choice[n] for n in inputs})
        return found

    def differing(self, make: Make = Engine) -> CertificateDifference | None:
        """The first case on which the engine differs, if there is one."""
        with make(self.setting.ruleset) as engine:
            for choice, expected in self.cases.items():
                difference = self._differing(engine, choice, expected)
                if difference:
                    return difference
        return None

    def _differing(
        self, engine: Engine, choice: Choice, expected: "reference.Evaluation | str"
    ) -> CertificateDifference | None:
        root = self.setting.ruleset.root
        try:
            found = engine.evaluate(self.setting.profile(choice))
        except EngineFaultError as error:
            return CertificateDifference(root, self.setting.words(choice), str(error), "有结果")
        if isinstance(expected, str):
            return CertificateDifference(root, self.setting.words(choice), "有结果", expected)
        keys = differences(found, expected)
        if not keys:
            return None
        rule = self._rule_of(keys)
        if rule is None:  # only readings differ
            return CertificateDifference(
                root, self.setting.words(choice), "别的读数", "、".join(keys[:3])
            )
        key = next(k for k in keys if _of(rule.id, k))
        names = [*rule.indicator_names(), *map(given, rule.rule_references())]
        return CertificateDifference(
            rule.id,
            self.setting.words(choice, names if self.setting.whole else None),
            _result(found.trace.get(key)),
            _result(trace_of(expected.trace).get(key)),
        )

    def _rule_of(self, keys: Collection[str]) -> Rule | None:
        """The first rule, in order of dependence, that has any of these keys among its results."""
        rules = self.setting.ruleset.rules
        return next((rule for rule in rules if any(_of(rule.id, key) for key in keys)), None)


#: For each number of points, the indices of readings that give them, by input.
_Ways: TypeAlias = dict[int | Fraction, dict[int, int]]


def _totals(body: Total, ways: Mapping[str, _Ways]) -> _Ways:
    """Readings for each total that the items can give."""
    sums: _Ways = {Fraction(0): {}}
    for item in body.items:
        found: _Ways = {}
        for total, chosen in sums.items():
            for points, way in ways[item.rule].items():
                if all(chosen.get(n, place) == place for n, place in way.items()):
                    found.setdefault(total + points, {**chosen, **way})
        sums = found
    return sums


def _of(whole: str, key: str) -> bool:
    """Whether a key, of a record or not, belongs to a rule or case, or to a part of it."""
    plain = key.partition("#0:")[2] or key
    return plain == whole or plain.startswith(f"{whole}/")


def _with(choice: Choice, n: int, place: int) -> Choice:
    return (*choice[:n], place, *choice[n + 1 :])


def _extremes(heights: Sequence[Mapping[int, Fraction]]) -> tuple[Choice, Choice]:
    """The best and the worst for every input."""
    pairs = [(max(h, key=h.__getitem__), min(h, key=h.__getitem__)) for h in heights]
    return tuple(best for best, _ in pairs), tuple(worst for _, worst in pairs)


def _ends(known: Sequence[InputReading], places: Sequence[int]) -> list[int]:
    """The first and the last exact reading, and one open reading of each kind."""
    exact = [p for p in places if not known[p].gap]
    return [*dict.fromkeys((exact[0], exact[-1])), *_open(known, places)]


def _open(known: Sequence[InputReading], places: Sequence[int]) -> list[int]:
    first = (next((p for p in places if known[p].gap is gap), None) for gap in _GAPS)
    return [p for p in first if p is not None]


def _height(results: Iterable[Any]) -> Fraction:
    """How good these results are as a whole; open points count as their least."""
    return sum((Fraction(r if isinstance(r, int) else r.lo) for r in results), Fraction(0))


def _result(result: Result | None) -> str:
    if isinstance(result, Points):
        points = show(result.lo, "分")
        return points if result.lo == result.hi else f"{points}至{show(result.hi, '分')}"
    return "没有结果" if result is None else result.text
