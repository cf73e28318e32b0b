"""A decision in words: every finding with its clause, figures, sources, threshold and distance.

All of it is read from the ruleset, the profile and the trace; nothing is decided again. Words and
figures are made when they are asked for, so a caller pays only for what it shows. Texts are Chinese;
``rules.explanation.wording`` words the figures.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Final

from rules.decider import Decision
from rules.engine.readings import Reading
from rules.explanation.figures import Figure, Figures
from rules.explanation.findings import Check, Finding, Measure, Option
from rules.explanation.reasons import missing, reasons
from rules.explanation.wording import (
    AT_THRESHOLD,
    gap_text,
    magnitude,
    plain,
    quantity,
    reading_text,
    result_text,
)
from rules.model.expressions import leaves
from rules.model.quantities import Number
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Expr,
    Indicator,
    Ladder,
    Line,
    Outcome,
    Points,
    Rule,
    Total,
    widest,
)


def explain(decision: Decision) -> Finding:
    """The finding of the root rule, with everything below it."""
    return _Explained(decision).finding(decision.ruleset.root)


class _Explained:
    """A decision that is being explained; the finding of each rule is made once."""

    def __init__(self, decision: Decision) -> None:
        self.ruleset = decision.ruleset
        self.trace = decision.trace
        self.readings = decision.readings
        self.figures = Figures(decision.ruleset, decision.profile, decision.trace)
        self._findings: dict[str, Finding] = {}

    def finding(self, id: str) -> Finding:
        """The finding of a rule."""
        if id not in self._findings:
            self._findings[id] = _RuleFinding(self, self.ruleset.rule(id))
        return self._findings[id]

    def points(self, key: str) -> Points:
        """The points of a rule, a group or an indicator."""
        found = self.trace[key]
        assert isinstance(found, Points)
        return found

    def outcome(self, key: str) -> Outcome:
        """The outcome of a rule, a case or a line."""
        found = self.trace[key]
        assert isinstance(found, Outcome)
        return found

    def options(self, rule: Rule, cases: tuple[Case, ...]) -> tuple[Option, ...]:
        """The cases of a table."""
        return tuple(_CaseOption(self, rule, case) for case in cases)

    def check(self, rule: Rule, line: Line, outcome: Outcome) -> Check:
        """The comparison of a line."""
        match line.subject:
            case "rule":
                return _RuleCheck(self, line, outcome)
            case "unmet":
                return _UnmetCheck(self, line, outcome)
            case "points":
                return _ScoreCheck(self, line, outcome)
        indicator = self.ruleset.indicator(rule, line.name)
        kind = _ComputedCheck if indicator.against else _FigureCheck
        return kind(self, line, outcome, indicator)

    # values

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
        found = (self.stuck(part, records, self.read(part, records)) for part in parts)
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
            reading = self.read(leaf)
            if reading.broken or (leaf in divisors and reading.exact == 0):
                for figure in self.figures.leaf(leaf):
                    yield f"{figure.name.partition('（')[0]}填报为{figure.value}"

    def read(self, expr: Expr, records: str = "") -> Reading:
        """The reading of a part of a formula."""
        return self.figures.evaluator.read(expr, records)

    # distances

    def gap_text(self, indicator: Indicator, gap: Fraction, threshold: Fraction, op: str) -> str:
        """How far a figure is below a threshold (above: negative), in words."""
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
                above = self.read(numerator, indicator.records).exact
                below = self.read(denominator, indicator.records).exact
                leaf = leaves(numerator)[0]
                if above is None or below is None or leaf[0] not in ("fact", "year"):
                    return ""
                unit = self.ruleset.facts[leaf[1]].unit
                text = magnitude(threshold * below - above, unit, digits=2)
                return text if text.startswith(("约", "不足")) else f"合{text}"
        return ""

    def next_band(
        self, indicator: Indicator, exact: Number, better: tuple[Fraction, Fraction]
    ) -> str:
        """How far a figure is from the beginning of a better band, and the points there."""
        edge, gained = better
        amount = self.amount(indicator, edge)
        direction = "高" if edge > exact else "低"
        by = magnitude(_difference(indicator, edge, exact), indicator.unit)
        return f"再{direction}{by}{f'（{amount}）' if amount else ''}可得{plain(gained)}分"


class _RuleFinding(Finding):
    """The result of a rule, by its body."""

    def __init__(self, explained: _Explained, rule: Rule) -> None:
        super().__init__(rule, explained.trace[rule.id])
        self._explained = explained
        self._rule = rule

    @cached_property
    def options(self) -> tuple[Option, ...]:
        match self._rule.body:
            case Cases(cases) | Ladder(cases):
                return self._explained.options(self._rule, cases)
        return ()

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        explained, rule = self._explained, self._rule
        match rule.body:
            case Bands(bands):
                return tuple(_BandCheck(explained, rule, name, some) for name, some in bands)
            case Attested():
                return (_AttestedCheck(explained, rule, rule.body.indicator),)
        return ()

    @cached_property
    def items(self) -> tuple[tuple[str, Finding], ...]:
        match self._rule.body:
            case Total():
                items = self._rule.body.items
                return tuple((item.group, self._explained.finding(item.rule)) for item in items)
        return ()

    @cached_property
    def groups(self) -> tuple[tuple[str, Points], ...]:
        match self._rule.body:
            case Total():
                names = self._rule.body.groups
                return tuple((n, self._explained.points(f"{self.rule}/{n}")) for n in names)
        return ()

    @cached_property
    def uncapped(self) -> Points | None:
        total = self._rule.body
        if not isinstance(total, Total) or total.cap is None:
            return None
        parts = [self._explained.points(item.rule) for item in total.items]
        lo, hi = sum((p.lo for p in parts), Fraction(0)), sum((p.hi for p in parts), Fraction(0))
        return None if hi <= total.cap else Points(lo, hi, widest([p.gap for p in parts]))

    @cached_property
    def reasons(self) -> tuple[Check, ...]:
        return tuple(reasons(self, self.result)) if isinstance(self.result, Outcome) else ()

    def keys(self) -> Iterator[str]:
        return self._explained.figures.keys_below(self.rule)


class _CaseOption(Option):
    """A case of a rule's table."""

    def __init__(self, explained: _Explained, rule: Rule, case: Case) -> None:
        super().__init__(case.name, explained.outcome(f"{rule.id}/{case.name}"), case.points)
        self._explained = explained
        self._rule = rule
        self._lines = case.lines

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        explained, rule, key = self._explained, self._rule, f"{self._rule.id}/{self.name}"
        return tuple(
            explained.check(rule, line, explained.outcome(f"{key}/{n}"))
            for n, line in enumerate(self._lines, 1)
        )


class _LineCheck(Check):
    """The comparison of a line."""

    def __init__(self, explained: _Explained, line: Line, outcome: Outcome) -> None:
        super().__init__(outcome)
        self._explained = explained
        self._line = line

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _LineCheck)
            and self._explained is other._explained
            and self._line == other._line
            and self.outcome is other.outcome
        )

    def __hash__(self) -> int:
        return hash(self._line.name)

    @property
    def _limit(self) -> Fraction | None:
        """The number with which the line compares; None if it compares with something else."""
        return self._line.value if isinstance(self._line.value, Fraction) else None


class _RuleCheck(_LineCheck):
    """The demand that a rule is met."""

    @property
    def finding(self) -> Finding:
        return self._explained.finding(self._line.name)

    @property
    def requirement(self) -> str:
        return self.finding.title

    @property
    def value(self) -> str:
        return self.finding.outcome


class _UnmetCheck(_LineCheck):
    """The demand that a rule is not met, with the figures that settle the rule or keep it open.

    It shows no finding: what is met there speaks against the enterprise here.
    """

    def __init__(self, explained: _Explained, line: Line, outcome: Outcome) -> None:
        super().__init__(explained, line, outcome)
        self.subject = line.name

    @property
    def _below(self) -> Finding:
        return self._explained.finding(self._line.name)

    @property
    def requirement(self) -> str:
        return f"{self._below.title} {self._line.text}"

    @property
    def value(self) -> str:
        return self._below.outcome

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        below = self._below
        figures = missing(below)
        if self.outcome in (Outcome.MET, Outcome.NOT_MET):
            figures = [figure for check in below.reasons for figure in check.figures]
        return tuple(dict.fromkeys(figures))


class _ScoreCheck(_LineCheck):
    """The comparison of a score, or of a group of it."""

    def __init__(self, explained: _Explained, line: Line, outcome: Outcome) -> None:
        super().__init__(explained, line, outcome)
        self.subject = line.name

    @property
    def finding(self) -> Finding:
        return self._explained.finding(self._line.name.partition("/")[0])

    @property
    def points(self) -> Points:
        return self._explained.points(self._line.name)

    @property
    def requirement(self) -> str:
        group = self._line.name.partition("/")[2]
        return f"{f'{group}得分' if group else self.finding.title} {self._line.text}"

    @property
    def value(self) -> str:
        return result_text(self.points)

    @property
    def distance(self) -> str:
        limit, score = self._limit, self.points
        if limit is None:
            return ""
        if score.hi < limit:
            return f"差{magnitude(limit - score.hi, '分')}"
        if score.lo == limit:
            return AT_THRESHOLD
        if score.lo > limit:
            return f"高出{magnitude(score.lo - limit, '分')}"
        return f"尚差0～{plain(limit - score.lo)}分"

    @property
    def measure(self) -> Measure:
        return Measure.of(self.points, self._limit, "分")


class _FigureCheck(_LineCheck):
    """The comparison of an indicator with a threshold or with codes."""

    def __init__(
        self, explained: _Explained, line: Line, outcome: Outcome, indicator: Indicator
    ) -> None:
        super().__init__(explained, line, outcome)
        self.subject = line.name
        self._indicator = indicator

    @property
    def _reading(self) -> Reading:
        return self._explained.readings[self._line.name]

    @property
    def requirement(self) -> str:
        return f"{self._indicator.shown} {self._line.text}"

    @cached_property
    def value(self) -> str:
        return self._explained.value(self._indicator, self._reading)

    @cached_property
    def distance(self) -> str:
        exact, limit = self._reading.exact, self._limit
        if self._indicator.kind != "number" or exact is None or limit is None:
            return ""
        gap = _difference(self._indicator, limit, exact)
        return self._explained.gap_text(self._indicator, gap, limit, self._line.op)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        return self._explained.figures.of(self._indicator)

    @property
    def keys(self) -> Iterable[str]:
        return self._explained.figures.keys(self._indicator)

    @property
    def categorical(self) -> bool:
        return self._indicator.kind == "code"

    @property
    def shortfall(self) -> Fraction | None:
        exact, limit = self._reading.exact, self._limit
        return None if exact is None or limit is None else abs(limit - exact)

    @property
    def broken(self) -> bool:
        return self._explained.broken(self._indicator, self._reading)

    @property
    def measure(self) -> Measure | None:
        return _measure(self._indicator, self._reading, self._limit)


class _ComputedCheck(_FigureCheck):
    """The comparison with a computed threshold: the figure and the threshold, not their difference."""

    @cached_property
    def _own(self) -> tuple[Indicator, Reading, Fraction | None] | None:
        """The figure with its reading, and the threshold if it is known; None if it is broken."""
        if self.broken:
            return None
        _, figure, threshold = self._indicator.expr
        records = self._indicator.records
        exact = self._explained.read(threshold, records).exact
        own = replace(self._indicator, expr=figure)
        limit = None if exact is None else Fraction(exact)
        return own, self._explained.read(figure, records), limit

    @property
    def requirement(self) -> str:
        found = super().requirement
        limit = self._own and self._own[2]
        return found if limit is None else f"{found}（{quantity(limit, self._indicator.unit)}）"

    @cached_property
    def value(self) -> str:
        if self._own is None:
            return super().value
        own, reading, _ = self._own
        return self._explained.value(own, reading)

    @cached_property
    def distance(self) -> str:
        if self._own is None:
            return super().distance
        own, reading, limit = self._own
        if limit is None or reading.exact is None:
            return super().distance
        gap = _difference(own, limit, reading.exact)
        return self._explained.gap_text(own, gap, limit, self._line.op)

    @property
    def measure(self) -> Measure | None:
        return super().measure if self._own is None else _measure(*self._own)


class _EarnedCheck(Check):
    """The figure of a table of points, or one that was attested."""

    def __init__(self, explained: _Explained, rule: Rule, name: str) -> None:
        super().__init__(None)
        self._explained = explained
        self._rule = rule
        self._name = name
        self._indicator = explained.ruleset.indicator(rule, name)

    @property
    def _reading(self) -> Reading:
        return self._explained.readings[self._name]

    @property
    def requirement(self) -> str:
        return self._name

    @cached_property
    def value(self) -> str:
        return self._explained.value(self._indicator, self._reading)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        return self._explained.figures.of(self._indicator)

    @property
    def keys(self) -> Iterable[str]:
        return self._explained.figures.keys(self._indicator)


class _AttestedCheck(_EarnedCheck):
    """Points as a person attested them."""

    @property
    def points(self) -> Points:
        return self._explained.points(self._rule.id)

    @property
    def measure(self) -> Measure | None:
        return _measure(self._indicator, self._reading, None)


class _BandCheck(_EarnedCheck):
    """A figure, and the points of the band in which it lies."""

    def __init__(
        self, explained: _Explained, rule: Rule, name: str, bands: tuple[Band, ...]
    ) -> None:
        super().__init__(explained, rule, name)
        self._bands = bands

    @property
    def points(self) -> Points:
        return self._explained.points(f"{self._rule.id}/{self._name}")

    @cached_property
    def _better(self) -> tuple[Fraction, Fraction] | None:
        """The nearest edge of a better band, and its points; None for a figure that is not known."""
        exact, points = self._reading.exact, self.points
        if exact is None or points.lo != points.hi:
            return None
        edges = [
            (abs(edge - exact), edge, band.points)
            for band in self._bands
            if band.points > points.lo
            for edge in (band.lo, band.hi)
            if edge is not None
        ]
        return min(edges)[1:] if edges else None

    @cached_property
    def distance(self) -> str:
        exact = self._reading.exact
        if self._better is None or exact is None:
            return ""
        return self._explained.next_band(self._indicator, exact, self._better)

    @property
    def broken(self) -> bool:
        return self._explained.broken(self._indicator, self._reading)

    @property
    def measure(self) -> Measure | None:
        return _measure(self._indicator, self._reading, self._better and self._better[0])


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


def _measure(indicator: Indicator, reading: Reading, threshold: Fraction | None) -> Measure | None:
    if indicator.kind != "number":
        return None
    known = reading._replace(
        lo=None if reading.lo is None else indicator.measured(reading.lo),
        hi=None if reading.hi is None else indicator.measured(reading.hi),
    )
    limit = None if threshold is None else Fraction(indicator.measured(threshold))
    return Measure.of(known, limit, indicator.unit)
