"""A decision in words: every finding with its clause, figures, sources, threshold and distance.

All of it is read from the ruleset, the profile and the trace; nothing is decided again. Texts are
Chinese; ``rules.explanation.wording`` words the figures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, TypeAlias

from rules.decider import Decision
from rules.engine.readings import Evaluator, Reading
from rules.explanation.wording import AT_THRESHOLD as AT_THRESHOLD
from rules.explanation.wording import (
    NOT_FILED,
    gap_text,
    magnitude,
    plain,
    quantity,
    reading_text,
)
from rules.explanation.wording import result_text as result_text
from rules.explanation.wording import value_text as value_text
from rules.model.expressions import asked, leaves, parameters, sought
from rules.model.facts import RecordList, period_name, yearly_key
from rules.model.quantities import UNITS, Number
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Expr,
    Gap,
    Indicator,
    Ladder,
    Line,
    Note,
    Outcome,
    Points,
    Result,
    Rule,
    Total,
    widest,
)

_OPEN: Final = (Outcome.MISSING, Outcome.PENDING)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One filed value that a comparison read; ``source`` is its sheet and cell, or a record.

    For an open record, ``record`` names it, ``fields`` are those it lacks, and ``name`` joins both.
    ``key`` is the key of a value or a list in the profile. ``asked`` are the facts it is about, as
    keys of ``rules.model.expressions.asked``.
    """

    name: str
    value: str
    source: str = ""
    gap: Gap = Gap.NONE
    record: str = ""
    fields: tuple[str, ...] = ()
    key: str = ""
    asked: tuple[str, ...] = ()
    broken: bool = False

    @classmethod
    def lacking(
        cls,
        record: str,
        fields: tuple[str, ...],
        source: str,
        gap: Gap,
        asked: tuple[str, ...] = (),
    ) -> "Figure":
        """The fields an open record lacks: 「梯度称号第2条（专精特新中小企业）：填报时持有 未填报」."""
        name = f"{record}：{'、'.join(fields)}"
        return cls(
            name=name,
            value=gap_text(gap),
            source=source,
            gap=gap,
            record=record,
            fields=fields,
            asked=asked,
        )


@dataclass(frozen=True)
class Measure:
    """A comparison as exact numbers, for drawing; all are in ``unit``, ratios in percent.

    Every value that the figure may have lies in [lo, hi] (None: unbounded); both ends of a known
    figure are equal. The figure is compared with ``threshold``. In a table of points, this is the
    beginning of the nearest better band, or None in the best band.
    """

    lo: Fraction | None
    hi: Fraction | None
    threshold: Fraction | None
    unit: str

    @classmethod
    def of(cls, known: Reading | Points, threshold: Fraction | None, unit: str) -> "Measure":
        """Convert a reading or points, and the threshold, from base units to ``unit``.

        >>> Measure.of(Reading(Fraction(1, 40), Fraction(1, 40)), Fraction(3, 100), "%").lo
        Fraction(5, 2)
        """
        lo, hi, limit = (
            None if number is None else Fraction(number) / UNITS[unit][1]
            for number in (known.lo, known.hi, threshold)
        )
        return cls(lo, hi, limit, unit)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One comparison: the requirement, the actual figure, and its distance from the threshold.

    If a rule or score is compared, ``finding`` is its finding. ``categorical`` comparisons compare
    codes, not figures. ``subject`` is the name of an indicator or score; ``shortfall`` is its
    difference from the threshold, if known. ``broken`` means that the figure, or a part
    of it, cannot be computed from those filed and that no finding of a person is asked for instead. ``measure`` holds a
    numeric comparison as numbers.
    """

    requirement: str
    outcome: Outcome | None
    value: str
    distance: str = ""
    figures: tuple[Figure, ...] = ()
    finding: "Finding | None" = None
    points: Points | None = None
    categorical: bool = False
    subject: str = ""
    shortfall: Fraction | None = None
    broken: bool = False
    measure: Measure | None = None

    @property
    def failed(self) -> bool:
        """Whether the comparison is not met."""
        return self.outcome is Outcome.NOT_MET


@dataclass(frozen=True)
class Option:
    """A 情形 or a rung: its comparisons, all of which must hold."""

    name: str
    outcome: Outcome
    checks: tuple[Check, ...]
    points: Fraction | None = None

    @property
    def meant_for_others(self) -> bool:
        """Whether a code rules it out: the enterprise is of another sector or kind."""
        return any(c.categorical and c.failed for c in self.checks)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one rule. For a score rule, ``possible`` is the full number of points.

    ``uncapped`` is the sum of the items if it may exceed what the total can give.
    """

    rule: str
    title: str
    citation: str
    result: Result
    notes: tuple[Note, ...] = ()
    possible: Fraction | None = None
    options: tuple[Option, ...] = ()
    checks: tuple[Check, ...] = ()
    items: tuple[tuple[str, "Finding"], ...] = ()
    groups: tuple[tuple[str, Points], ...] = ()
    uncapped: Points | None = None
    position: str = field(default="", compare=False)

    @property
    def outcome(self) -> str:
        """The result in words: 符合, 15分, 6～10分."""
        return result_text(self.result)

    def walk(self) -> Iterator["Finding"]:
        """This finding and all findings below it, each rule once."""
        seen: set[str] = set()
        stack = [self]
        while stack:
            finding = stack.pop()
            if finding.rule in seen:
                continue
            seen.add(finding.rule)
            yield finding
            stack += reversed(list(finding.children()))

    def children(self) -> Iterator["Finding"]:
        """The findings on which this one directly rests."""
        yield from (f for _, f in self.items)
        for check in (*self.checks, *(c for o in self.options for c in o.checks)):
            if check.finding is not None:
                yield check.finding

    def to_json(self) -> dict[str, Any]:
        """The finding and all below it as plain JSON values.

        A rule's findings are written out where it first occurs; later occurrences only name it,
        with ``see``. Cases meant for other enterprises have only a name and an outcome.
        """
        return _finding_json(self, set())


def _finding_json(finding: Finding, seen: set[str]) -> dict[str, Any]:
    if finding.rule in seen:
        return {"rule": finding.rule, "outcome": finding.outcome, "see": "above"}
    seen.add(finding.rule)
    result, possible = finding.result, finding.possible
    points = {"points": [plain(result.lo), plain(result.hi)]} if isinstance(result, Points) else {}
    own = any(not o.meant_for_others for o in finding.options)
    options: list[dict[str, Any]] = []
    for option in finding.options:
        row: dict[str, Any] = {"name": option.name, "outcome": option.outcome.text}
        if not (own and option.meant_for_others):
            row["checks"] = [_check_json(c, seen) for c in option.checks]
        options.append(row)
    return {
        "rule": finding.rule,
        "title": finding.title,
        "citation": finding.citation,
        "outcome": finding.outcome,
        **points,
        "possible": None if possible is None else plain(possible),
        "notes": [f"{n.confidence}：{n.text}" for n in finding.notes],
        "options": options,
        "checks": [_check_json(c, seen) for c in finding.checks],
        "groups": {g: result_text(p) for g, p in finding.groups},
        "items": [_finding_json(f, seen) for _, f in finding.items],
        **({} if finding.uncapped is None else {"sum": result_text(finding.uncapped)}),
    }


def _check_json(check: Check, seen: set[str]) -> dict[str, Any]:
    return {
        "requirement": check.requirement,
        "outcome": check.outcome.text if check.outcome is not None else None,
        "value": check.value,
        "distance": check.distance,
        "figures": [{"name": f.name, "value": f.value, "source": f.source} for f in check.figures],
        "finding": None if check.finding is None else _finding_json(check.finding, seen),
    }


def explain(decision: Decision, *, brief: bool = False) -> Finding:
    """The finding of the root rule, with everything below it.

    For many enterprises, ``brief`` leaves out everything that ``reasons`` and ``missing`` do not
    need: a comparison on which the whole does not rest has nothing but its outcome, and a score on
    which a settled verdict rests has nothing below it.
    """
    return _Explainer(decision, brief=brief).finding(decision.ruleset.root)


def reasons(finding: Finding, wanted: Outcome = Outcome.NOT_MET) -> list[Check]:
    """The comparisons on which a result rests, from a finding down to figures.

    For 不符合 these are the failed ones; for 材料不足 or 待人工认定, those open in that way.
    """
    found: list[Check] = []
    for _, check in grounds(finding, wanted):
        if check not in found:
            found.append(check)
    return found


def rested_on(decision: Decision, finding: Finding | None = None) -> Iterator[Figure]:
    """The figures of the comparisons on which a verdict rests, and all figures below a score.

    Nothing for a score by itself. A figure may recur. ``finding`` is that of the root, if it has
    been made.
    """
    if not isinstance(decision.verdict, Outcome):
        return
    explainer = _Explainer(decision, brief=True)
    if finding is None:
        finding = explainer.finding(decision.ruleset.root)
    for check in reasons(finding, decision.verdict):
        yield from check.figures
        if check.finding is not None:
            yield from explainer.below(check.finding.rule)


def grounds(finding: Finding, wanted: Outcome = Outcome.NOT_MET) -> Iterator[tuple[Finding, Check]]:
    """The comparisons of ``reasons``, each with its rule's finding; those of one rule may recur."""
    for check in decisive(finding, wanted):
        if check.finding is not None and check.points is None:
            yield from grounds(check.finding, wanted)
        else:
            yield finding, check


def decisive(finding: Finding, wanted: Outcome) -> Iterator[Check]:
    """The comparisons of the cases nearest to holding."""
    for option in _nearest(finding.options, wanted):
        yield from (c for c in option.checks if c.outcome is wanted)


def _nearest(options: Sequence[Option], wanted: Outcome) -> list[Option]:
    """The cases with an outcome that are nearest to holding."""
    shared = _shared(options)
    distances = {o.name: _remoteness(o, shared) for o in options if o.outcome is wanted}
    nearest = min(distances.values(), default=(0, 0))
    near = [o for o in options if distances.get(o.name) == nearest]
    return [o for o in near if not any(_asks_less(other, o) for other in near)]


def _shared(options: Sequence[Option]) -> set[str]:
    """The figures that every case compares: like codes, they show for whom a case is meant."""
    compared = [{c.subject for c in o.checks if c.subject} for o in options]
    return set.intersection(*compared) if compared else set()


def _remoteness(option: Option, shared: set[str]) -> tuple[int, int]:
    """How far a case is from holding: its failures that show it is meant for others, then all."""
    failed = [c for c in option.checks if c.failed]
    return sum(c.categorical or c.subject in shared for c in failed), len(failed)


def _asks_less(one: Option, other: Option) -> bool:
    """Whether a case fails on the same figures as another, but by less."""
    near = {c.subject: c.shortfall for c in one.checks if c.failed}
    far = {c.subject: c.shortfall for c in other.checks if c.failed}
    pairs = [(a, far.get(subject)) for subject, a in near.items()]
    return (
        near.keys() == far.keys()
        and near != far
        and all(a is not None and b is not None and a <= b for a, b in pairs)
    )


def missing(finding: Finding) -> list[Figure]:
    """The values that keep a finding open: not filed, not found by a person, or not computable.

    A record has one entry with all the fields that it lacks. The values that the result itself
    waits for come first: for 待人工认定 a person's findings, otherwise values that are not filed.
    """
    found: dict[tuple[str, Gap], Figure] = {}

    def collect(node: Finding) -> None:
        if _settled(node.result):
            return
        for option in node.options:
            if option.outcome in _OPEN:
                for check in option.checks:
                    take(check)
        for check in node.checks:
            take(check)
        for _, item in node.items:
            collect(item)

    def take(check: Check) -> None:
        scored = check.points is not None and _settled(check.points)
        if scored or check.outcome in (Outcome.MET, Outcome.NOT_MET):
            return
        for figure in _open_figures(check):
            if figure.gap:
                key = (figure.record or figure.name, figure.gap)
                found[key] = _merged(found.get(key, figure), figure)
        if check.finding is not None:
            collect(check.finding)

    collect(finding)
    first = Gap.PENDING if finding.result is Outcome.PENDING else Gap.MISSING
    return sorted(found.values(), key=lambda figure: figure.gap is not first)


def _open_figures(check: Check) -> Iterator[Figure]:
    """The open figures that a comparison read; first the indicator itself, if not computable."""
    if check.broken:
        name = check.requirement.partition(" ")[0]
        sources = "、".join(dict.fromkeys(f.source for f in check.figures if f.source))
        yield Figure(name=name, value=check.value, source=sources, gap=Gap.PENDING, broken=True)
    yield from check.figures


def _merged(figure: Figure, other: Figure) -> Figure:
    fields = tuple(dict.fromkeys((*figure.fields, *other.fields)))
    if fields == figure.fields:
        return figure
    asked = tuple(dict.fromkeys((*figure.asked, *other.asked)))
    return Figure.lacking(figure.record, fields, figure.source, figure.gap, asked)


def _settled(result: Result) -> bool:
    if isinstance(result, Points):
        return result.lo == result.hi
    return result in (Outcome.MET, Outcome.NOT_MET)


#: Makes the comparison of a line that came out so.
_Maker: TypeAlias = Callable[[Rule, Line, Outcome], Check]


class _Explainer:
    def __init__(self, decision: Decision, *, brief: bool = False) -> None:
        self.decision = decision
        #: The outcomes of comparisons on which the verdict may rest.
        self.wanted = tuple(Outcome)
        self.brief = brief and isinstance(decision.verdict, Outcome)
        self.open = decision.verdict in _OPEN
        if brief and isinstance(decision.verdict, Outcome):
            self.wanted = _OPEN if self.open else (decision.verdict,)
        self.ruleset = decision.ruleset
        self.profile = decision.profile
        self.rules = {r.id: r for r in decision.ruleset.rules}
        self.evaluator = Evaluator(decision.ruleset, decision.profile, self.outcomes)
        self.memo: dict[str, Finding] = {}

    @cached_property
    def in_full(self) -> "_Explainer":
        """The same with every comparison: what speaks for one result may speak against another."""
        return _Explainer(self.decision) if self.brief else self

    def outcomes(self, records: str, rule: str) -> list[Outcome]:
        items = self.profile.records.get(records, RecordList()).items
        found = [self.decision.trace[f"{records}#{i}:{rule}"] for i in range(len(items))]
        return [o for o in found if isinstance(o, Outcome)]

    def finding(self, id: str) -> Finding:
        if id not in self.memo:
            self.memo[id] = self._finding(self.rules[id])
        return self.memo[id]

    def _finding(self, rule: Rule) -> Finding:
        body = rule.body
        options: tuple[Option, ...] = ()
        checks: tuple[Check, ...] = ()
        items: tuple[tuple[str, Finding], ...] = ()
        groups: tuple[tuple[str, Points], ...] = ()
        uncapped: Points | None = None
        if isinstance(body, Cases):
            options = self.options(rule, body.cases)
        elif isinstance(body, Ladder):
            options = self.options(rule, body.rungs)
        elif isinstance(body, Bands):
            checks = tuple(self.banded(rule, name, bands) for name, bands in body.bands)
        elif isinstance(body, Total):
            items = tuple((i.group, self.finding(i.rule)) for i in body.items)
            groups = tuple((g, self.points(f"{rule.id}/{g}")) for g in body.groups)
            uncapped = self.uncapped(body)
        elif isinstance(body, Attested):
            checks = (self.attested(rule, body),)
        return replace(
            self.head(rule),
            options=options,
            checks=checks,
            items=items,
            groups=groups,
            uncapped=uncapped,
        )

    def head(self, rule: Rule) -> Finding:
        """The result of a rule, without anything below it."""
        return Finding(
            rule=rule.id,
            title=rule.title,
            citation=rule.citation,
            result=self.decision.trace[rule.id],
            notes=rule.notes,
            possible=rule.possible,
            position=str(rule.position),
        )

    def uncapped(self, total: Total) -> Points | None:
        """The sum of the items, if it may exceed the cap."""
        parts = [self.points(item.rule) for item in total.items]
        lo, hi = sum((p.lo for p in parts), Fraction(0)), sum((p.hi for p in parts), Fraction(0))
        if total.cap is None or hi <= total.cap:
            return None
        return Points(lo, hi, widest([p.gap for p in parts]))

    def points(self, key: str) -> Points:
        found = self.decision.trace[key]
        assert isinstance(found, Points)
        return found

    def outcome(self, key: str) -> Outcome:
        found = self.decision.trace[key]
        assert isinstance(found, Outcome)
        return found

    def options(self, rule: Rule, cases: Sequence[Case]) -> tuple[Option, ...]:
        """The cases of a table; in brief, with no more comparisons than the verdict rests on.

        Where several cases fail, all are outlined, for ``decisive`` to find the nearest.
        """
        options = [self.option(rule, case) for case in cases]
        wanted = {option.name for option in options if option.outcome in self.wanted}
        if self.wanted == (Outcome.NOT_MET,) and len(wanted) > 1:
            options = [self.option(rule, case, self.outcome_alone) for case in cases]
            wanted = {option.name for option in _nearest(options, Outcome.NOT_MET)}
        return tuple(
            self.option(rule, case, self.check) if option.name in wanted else option
            for case, option in zip(cases, options, strict=True)
        )

    def option(self, rule: Rule, case: Case, check: _Maker | None = None) -> Option:
        """A case, with its comparisons as ``check`` makes them, if it is given."""
        key = f"{rule.id}/{case.name}"
        checks: tuple[Check, ...] = ()
        if check is not None:
            lines = enumerate(case.lines, 1)
            checks = tuple(check(rule, line, self.outcome(f"{key}/{n}")) for n, line in lines)
        return Option(case.name, self.outcome(key), checks, case.points)

    def check(self, rule: Rule, line: Line, outcome: Outcome) -> Check:
        if outcome not in self.wanted:
            return self.outcome_alone(rule, line, outcome)
        if line.subject == "rule":
            below = self.finding(line.name)
            return Check(
                requirement=below.title, outcome=outcome, value=below.outcome, finding=below
            )
        if line.subject == "unmet":
            return self.unmet(line, outcome)
        if line.subject == "points":
            score = self.points(line.name)
            id, _, group = line.name.partition("/")
            unfolded = self.open or not self.brief
            below = self.finding(id) if unfolded else self.head(self.rules[id])
            return Check(
                requirement=f"{f'{group}得分' if group else below.title} {line.text}",
                outcome=outcome,
                value=result_text(score),
                distance=self.points_distance(line, score),
                finding=below,
                points=score,
                subject=line.name,
                measure=Measure.of(score, _limit(line), "分"),
            )
        indicator = self.ruleset.indicator(rule, line.name)
        reading = self.decision.readings[line.name]
        found = Check(
            requirement=f"{indicator.shown} {line.text}",
            outcome=outcome,
            value=self.value(indicator, reading),
            distance=self.distance(indicator, reading, line),
            figures=self.figures(indicator),
            categorical=indicator.kind == "code",
            subject=line.name,
            shortfall=_shortfall(reading, line),
            broken=self.broken(indicator, reading),
            measure=_measure(indicator, reading, _limit(line)),
        )
        return self.against(indicator, line, found) if indicator.against else found

    def against(self, indicator: Indicator, line: Line, found: Check) -> Check:
        """A comparison with a computed threshold: the figure and the threshold, not their difference."""
        if found.broken:
            return found
        _, figure, threshold = indicator.expr
        own = replace(indicator, expr=figure)
        reading = self.evaluator.read(figure, indicator.records)
        exact = self.evaluator.read(threshold, indicator.records).exact
        limit = None if exact is None else Fraction(exact)
        requirement, distance = found.requirement, found.distance
        if limit is not None:
            requirement = f"{requirement}（{quantity(limit, indicator.unit)}）"
            if reading.exact is not None:
                gap = _difference(own, limit, reading.exact)
                distance = self.gap_text(own, gap, limit, line.op)
        return replace(
            found,
            requirement=requirement,
            value=self.value(own, reading),
            distance=distance,
            measure=_measure(own, reading, limit),
        )

    def unmet(self, line: Line, outcome: Outcome) -> Check:
        """The demand that a rule is not met, with the figures that settle the rule or keep it open.

        Its finding is left out: what is met there speaks against the enterprise here.
        """
        below = self.in_full.finding(line.name)
        figures = missing(below)
        if outcome not in _OPEN:
            settled = reasons(below, below.result) if isinstance(below.result, Outcome) else []
            figures = [figure for check in settled for figure in check.figures]
        return Check(
            requirement=f"{below.title} {line.text}",
            outcome=outcome,
            value=below.outcome,
            figures=tuple(dict.fromkeys(figures)),
            subject=line.name,
        )

    def outcome_alone(self, rule: Rule, line: Line, outcome: Outcome) -> Check:
        if line.subject == "rule":
            return Check(
                requirement=self.rules[line.name].title, outcome=outcome, value=outcome.text
            )
        if line.subject == "unmet":
            requirement = f"{self.rules[line.name].title} {line.text}"
            return Check(requirement=requirement, outcome=outcome, value="", subject=line.name)
        if line.subject == "points":
            return Check(
                requirement=f"{line.name} {line.text}", outcome=outcome, value="", subject=line.name
            )
        indicator = self.ruleset.indicator(rule, line.name)
        return Check(
            requirement=f"{indicator.shown} {line.text}",
            outcome=outcome,
            value="",
            categorical=indicator.kind == "code",
            subject=line.name,
            shortfall=_shortfall(self.decision.readings[line.name], line),
        )

    def banded(self, rule: Rule, name: str, bands: tuple[Band, ...]) -> Check:
        indicator = self.ruleset.indicator(rule, name)
        reading = self.decision.readings[name]
        points = self.points(f"{rule.id}/{name}")
        better = _better(reading, bands, points)
        return Check(
            requirement=name,
            outcome=None,
            value=self.value(indicator, reading),
            distance=self.next_band(indicator, reading, better) if better else "",
            figures=self.figures(indicator),
            points=points,
            broken=self.broken(indicator, reading),
            measure=_measure(indicator, reading, better[0] if better else None),
        )

    def attested(self, rule: Rule, body: Attested) -> Check:
        indicator = self.ruleset.indicator(rule, body.indicator)
        reading = self.decision.readings[body.indicator]
        return Check(
            requirement=body.indicator,
            outcome=None,
            value=self.value(indicator, reading),
            distance="",
            figures=self.figures(indicator),
            points=self.points(rule.id),
            measure=_measure(indicator, reading, None),
        )

    # -- values and distances

    def value(self, indicator: Indicator, reading: Reading) -> str:
        """The value of an indicator, and the filed figures that make it impossible to compute."""
        stuck = self.stuck(indicator.expr, indicator.records, reading)
        if stuck is None:
            return reading_text(indicator, reading)
        reason = f"无法计算（{'、'.join(self.unusable(indicator.expr)) or stuck.broken}）"
        if reading.broken:
            return reason
        known = reading_text(indicator, reading)
        return f"{'' if known == gap_text(reading.gap) else f'{known}，'}有一项{reason}"

    def stuck(self, expr: Expr, records: str, reading: Reading) -> Reading | None:
        """What cannot be computed in a formula that is not exactly known: the whole, or a part."""
        if reading.broken:
            return reading
        if not reading.gap or expr[0] not in _ARITHMETIC:
            return None
        parts = expr[1:2] if expr[0] == "bounded" else expr[1:]
        found = (self.stuck(part, records, self.evaluator.read(part, records)) for part in parts)
        return next((part for part in found if part is not None), None)

    def broken(self, indicator: Indicator, reading: Reading) -> bool:
        """Whether a part cannot be computed, and no finding is asked for instead."""
        if indicator.expr[0] in ("else_found", "else_known"):
            return False
        return self.stuck(indicator.expr, indicator.records, reading) is not None

    def unusable(self, expr: Expr) -> Iterator[str]:
        """The filed figures that prevent computing: impossible values, and zero divisors."""
        divisors = set(_divisors(expr))
        for leaf in (x for x in leaves(expr) if x[0] in ("fact", "year")):
            reading = self.evaluator.read(leaf)
            if reading.broken or (leaf in divisors and reading.exact == 0):
                for figure in self.leaf(leaf):
                    yield f"{figure.name.partition('（')[0]}填报为{figure.value}"

    def distance(self, indicator: Indicator, reading: Reading, line: Line) -> str:
        exact = reading.exact
        if indicator.kind != "number" or exact is None or not isinstance(line.value, Fraction):
            return ""
        gap = _difference(indicator, line.value, exact)
        return self.gap_text(indicator, gap, line.value, line.op)

    def gap_text(self, indicator: Indicator, gap: Fraction, threshold: Fraction, op: str) -> str:
        if gap == 0:
            return AT_THRESHOLD
        wanted_more = op in (">=", ">")
        short = (gap > 0) == wanted_more
        word = (
            ("差" if wanted_more else "超出") if short else ("高出" if wanted_more else "低于门槛")
        )
        text = f"{word}{magnitude(gap, indicator.unit)}"
        amount = self.amount(indicator, threshold)
        return f"{text}，{amount}" if amount and short else text

    def amount(self, indicator: Indicator, threshold: Fraction) -> str:
        """A ratio's shortfall in the unit of its numerator, with other figures unchanged."""
        match indicator.expr:
            case ("div", numerator, denominator) if denominator[0] != "const":
                above = self.evaluator.read(numerator, indicator.records).exact
                below = self.evaluator.read(denominator, indicator.records).exact
                leaf = leaves(numerator)[0]
                if above is None or below is None or leaf[0] not in ("fact", "year"):
                    return ""
                unit = self.ruleset.facts[leaf[1]].unit
                text = magnitude(threshold * below - above, unit, digits=2)
                return text if text.startswith(("约", "不足")) else f"合{text}"
        return ""

    def next_band(
        self, indicator: Indicator, reading: Reading, better: tuple[Fraction, Fraction]
    ) -> str:
        edge, gained = better
        exact = reading.exact
        assert exact is not None
        amount = self.amount(indicator, edge)
        direction = "高" if edge > exact else "低"
        by = magnitude(_difference(indicator, edge, exact), indicator.unit)
        return f"再{direction}{by}{f'（{amount}）' if amount else ''}可得{plain(gained)}分"

    @staticmethod
    def points_distance(line: Line, score: Points) -> str:
        if not isinstance(line.value, Fraction):
            return ""
        if score.hi < line.value:
            return f"差{magnitude(line.value - score.hi, '分')}"
        if score.lo == line.value:
            return AT_THRESHOLD
        if score.lo > line.value:
            return f"高出{magnitude(score.lo - line.value, '分')}"
        return f"尚差0～{plain(line.value - score.lo)}分"

    # -- figures

    def below(self, id: str) -> Iterator[Figure]:
        """The figures that a rule and the rules below it read."""
        rules, names = [id], dict[str, Rule]()
        for name in rules:  # which grows
            rule = self.rules[name]
            rules += [r for r in rule.rule_references() if r not in rules]
            names |= dict.fromkeys(rule.indicator_names(), rule)
        for name, rule in names.items():
            yield from self.figures(self.ruleset.indicator(rule, name))

    def figures(self, indicator: Indicator) -> tuple[Figure, ...]:
        found: list[Figure] = []
        for leaf in self.read_leaves(indicator):
            found += self.leaf(leaf)
        for node in parameters(indicator.expr):
            found += self.parameter(node)
        return tuple(dict.fromkeys((*found, *self.unused(indicator.expr, indicator.records))))

    def read_leaves(self, indicator: Indicator) -> list[Expr]:
        """The leaves on which the value depends; a finding, bound or substitute only if needed."""
        return self.used(indicator.expr, indicator.records)

    def used(self, expr: Expr, records: str) -> list[Expr]:
        match expr:
            case ("else_found" | "bounded", a, *_):
                if self.known(a, records):
                    return leaves(a)
            case ("else_known", a, b):
                reading = self.evaluator.read(a, records)
                if reading.gap and not reading.broken and self.known(b, records):
                    return self.used(b, records)
                return self.used(a, records)
        wanted = sought(expr)
        return [x for x in leaves(expr) if x in wanted or self.known(x, records)]

    def known(self, expr: Expr, records: str) -> bool:
        """Whether a formula has a known value."""
        return self.evaluator.read(expr, records).gap is Gap.NONE

    def unused(self, expr: Expr, records: str) -> Iterator[Figure]:
        """The filed substitutes that were not used and contradict the value that was."""
        match expr:
            case ("else_known", a, b):
                taken, other = (self.evaluator.read(x, records).code for x in (a, b))
                if taken is not None and other is not None and taken != other:
                    for figure in self.leaf(b):
                        yield replace(figure, value=f"{figure.value}（与{taken}不一致，没有采用）")
                yield from self.unused(a, records)

    def leaf(self, leaf: Expr) -> Iterator[Figure]:
        match leaf:
            case ("fact", id):
                yield self.figure(leaf, id, self.ruleset.facts[id].name)
            case ("year", id, offset):
                fact, year = self.ruleset.facts[id], self.profile.fiscal_year + offset
                name = f"{year}年{fact.name}（{period_name(fact, offset).removesuffix(fact.name)}）"
                yield self.figure(leaf, yearly_key(id, year), name)
            case ("count", records, rule, total):
                yield from self.listed(records, rule, total)
            case ("total", records, field, rule, total):
                yield from self.listed(records, rule, total, field)

    def parameter(self, node: Expr) -> Iterator[Figure]:
        """The value of a parameter with its basis, or the facts that would choose it."""
        _, name, offset = node
        found, year = self.ruleset.parameters[name], self.profile.fiscal_year + offset
        texts = {key: self.profile.values.get(key) for key in found.keys}
        known = {key: None if text is None else str(text) for key, text in texts.items()}
        possible = [row for row in found.of_year(year) if row.fits(known) is not False]
        if possible and possible[0].fits(known):
            value = quantity(possible[0].value, found.unit)
            yield Figure(name=f"{year}年{name}", value=value, source=possible[0].basis)
        for key in dict.fromkeys(key for row in possible[:1] for key in row.keys):
            if known[key] is None:
                yield self.figure(("fact", key), key, self.ruleset.facts[key].name)

    def listed(
        self, records: str, rule: str, total: str | None, field: str = ""
    ) -> Iterator[Figure]:
        """The records grouped by a rule's outcome, with the fields that open ones lack.

        ``field`` is the field that is added up, if any.
        """
        filed = self.profile.records.get(records, RecordList())
        name, source = self.ruleset.lists[records].name, self.profile.sources.get(records, "")
        if not filed.items and not filed.complete:
            if total is not None:
                yield self.figure(("fact", total), total, self.ruleset.facts[total].name)
            else:
                yield Figure(
                    name=f"{name}清单",
                    value=NOT_FILED,
                    source=source,
                    gap=Gap.MISSING,
                    key=records,
                    asked=(records,),
                )
            return
        for i, outcome in enumerate(self.outcomes(records, rule)):
            yield from self.record(records, i, rule, outcome, field)
        if not filed.items:
            yield Figure(name=f"{name}清单", value="无（已报全）", source=source, key=records)
        elif not filed.complete:
            complete, asked = f"{name}清单是否已报全", (records,)
            yield Figure(
                name=complete,
                value=NOT_FILED,
                source=source,
                gap=Gap.MISSING,
                key=records,
                asked=asked,
            )

    def record(
        self, records: str, i: int, rule: str, outcome: Outcome, field: str
    ) -> Iterator[Figure]:
        kind, item = self.ruleset.lists[records], self.profile.records[records].items[i]
        name = f"{kind.name}第{i + 1}条"
        source = self.profile.sources.get(f"{records}#{i}", name)
        lacking = dict.fromkeys(self.lacking(f"{records}#{i}", rule)) if outcome in _OPEN else {}
        if field and item.get(field) is None and outcome is not Outcome.NOT_MET:
            lacking[field] = None
        if not lacking or outcome is Outcome.MET:
            gap = Gap(outcome) if outcome in _OPEN else Gap.NONE
            yield Figure(
                name=f"{name}：{self.rules[rule].title}", value=outcome.text, source=source, gap=gap
            )
        codes = (f for f in kind.fields if f.kind in ("code", "text") and f.id in item)
        called = (value_text(f, item[f.id]) for f in codes)
        label = next((f"{name}（{text}）" for text in called), name)
        for gap, origin in ((Gap.MISSING, "填报"), (Gap.PENDING, "认定")):
            found = [f for f in kind.fields if f.id in lacking and f.origin == origin]
            if found:
                asked = tuple(f"{records}.{f.id}" for f in found)
                yield Figure.lacking(label, tuple(f.name for f in found), source, gap, asked)

    def lacking(self, record: str, id: str) -> Iterator[str]:
        """The unfiled fields that the open comparisons of a record, such as ``titles#1``, read."""
        records, _, number = record.partition("#")
        item, rule = self.profile.records[records].items[int(number)], self.rules[id]
        for case in rule.body.cases if isinstance(rule.body, Cases) else ():
            key = f"{record}:{id}/{case.name}"
            if self.decision.trace[key] not in _OPEN:
                continue
            for n, line in enumerate(case.lines, 1):
                if self.decision.trace[f"{key}/{n}"] not in _OPEN:
                    continue
                if line.subject in ("rule", "unmet") and self.rules[line.name].records:
                    yield from self.lacking(record, line.name)
                elif line.subject == "indicator":
                    read = leaves(self.ruleset.indicator(rule, line.name).expr)
                    yield from (x[1] for x in read if x[0] == "field" and item.get(x[1]) is None)

    def figure(self, leaf: Expr, key: str, name: str) -> Figure:
        fact = self.ruleset.facts[leaf[1]]
        value, source = self.profile.values.get(key), self.profile.sources.get(key, "")
        if value is None:
            gap = Gap.MISSING if fact.origin == "填报" else Gap.PENDING
            return Figure(
                name=name, value=gap_text(gap), source=source, gap=gap, key=key, asked=asked(leaf)
            )
        return Figure(name=name, value=value_text(fact, value), source=source, key=key)


#: Nodes whose parts are figures, too.
_ARITHMETIC: Final = ("add", "sub", "mul", "div", "least", "most", "bounded")


def _divisors(expr: Expr) -> Iterator[Expr]:
    """The single figures that a formula divides by."""
    if expr[0] == "div" and expr[2][0] in ("fact", "year"):
        yield expr[2]
    for part in expr[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], str):
            yield from _divisors(part)


def _difference(indicator: Indicator, limit: Fraction, exact: Number) -> Fraction:
    """How far a figure is below a limit, both as people state them; 0 only if they are equal."""
    gap = Fraction(indicator.measured(limit) - indicator.measured(exact))
    return gap or Fraction((limit > exact) - (limit < exact), 10**12)


def _shortfall(reading: Reading, line: Line) -> Fraction | None:
    limit = _limit(line)
    return None if reading.exact is None or limit is None else abs(limit - reading.exact)


def _limit(line: Line) -> Fraction | None:
    """The number with which a line compares; None if it compares with something else."""
    return line.value if isinstance(line.value, Fraction) else None


def _better(
    reading: Reading, bands: tuple[Band, ...], points: Points
) -> tuple[Fraction, Fraction] | None:
    """The nearest edge of a better band, and its points; None for a figure that is not known."""
    exact = reading.exact
    if exact is None or points.lo != points.hi:
        return None
    edges = [
        (abs(edge - exact), edge, band.points)
        for band in bands
        if band.points > points.lo
        for edge in (band.lo, band.hi)
        if edge is not None
    ]
    return min(edges)[1:] if edges else None


def _measure(indicator: Indicator, reading: Reading, threshold: Fraction | None) -> Measure | None:
    if indicator.kind != "number":
        return None
    known = reading._replace(
        lo=None if reading.lo is None else indicator.measured(reading.lo),
        hi=None if reading.hi is None else indicator.measured(reading.hi),
    )
    limit = None if threshold is None else Fraction(indicator.measured(threshold))
    return Measure.of(known, limit, indicator.unit)
