"""The rules of a ruleset as SQL: outcomes, and points with a low and a high end, node by node."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeAlias

from registry.screening.compiler.figures import Figure, Gap, Number, Words, widest
from registry.screening.compiler.formulas import Reader
from registry.screening.compiler.outcomes import (
    MET,
    MISSING,
    NOT_MET,
    PENDING,
    all_met,
    among,
    any_met,
    compared,
)
from registry.screening.compiler.truths import Condition, all_of, any_of, present
from registry.screening.compiler.widths import (
    Comparison,
    Int,
    UnsupportedError,
    case,
    compare,
    literal,
    not_null,
)
from rules.model.ruleset import (
    Assumed,
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Ladder,
    Line,
    Outcome,
    Points,
    Rule,
    Ruleset,
    Total,
)

_ZERO: Final = literal(0)


@dataclass(frozen=True)
class Score:
    """Points in SQL, in parts of the program's scale."""

    lo: Int
    hi: Int
    gap: Gap

    def number(self, scale: int) -> Number:
        """The points as a figure to compare."""
        return Number(self.lo, self.hi, self.gap, scale)


Node: TypeAlias = Int | Score


class Bodies:
    """Compiles the rules of filings, or of the records of one list."""

    def __init__(self, ruleset: Ruleset, reader: Reader, scale: int) -> None:
        self.ruleset = ruleset
        self.reader = reader
        self.stages = reader.stages
        self.scale = scale
        self.nodes: dict[str, Node] = {}
        #: Outcomes as expressions of figures, without stages that would be computed for every
        #: filing.
        self._whole: dict[str, Int] = {}
        self._asked = Counter(
            line.name
            for rule in ruleset.rules
            for _, line in rule.lines()
            if line.subject == "rule"
        )

    def compile(self, rule: Rule) -> Node:
        """Compile the result of a rule and of all its parts."""
        self.nodes[rule.id] = node = self._kept(self._body(rule))
        if isinstance(node, Int):
            self._whole.setdefault(rule.id, node)
        return node

    def _kept(self, node: Node) -> Node:
        if isinstance(node, Int):
            return self.stages.bind(node)
        bind, condition = self.stages.bind, self.stages.bind_condition
        gap = Gap(condition(node.gap.missing), condition(node.gap.pending))
        return Score(bind(node.lo), bind(node.hi), gap)

    def _body(self, rule: Rule) -> Node:
        match rule.body:
            case Cases(cases):
                return self._cases(rule, cases)
            case Bands(tables):
                return self._bands(rule, tables)
            case Ladder(rungs, rest):
                return self._ladder(rule, rungs, rest)
            case Total():
                return self._total(rule, rule.body)
            case Attested(name, lo, hi):
                return self._attested(rule, name, lo, hi)
            case Assumed(Points(lo, hi, gap)):
                known = Gap(missing=gap == 1, pending=gap == 2)
                return Score(self._points(lo), self._points(hi), known)
            case Assumed(Outcome() as outcome):
                return literal(int(outcome))
        raise UnsupportedError(
            "table-not-in-sql", "规则「{value}」的定义表不能用 SQL 计算", value=rule.id
        )

    def _points(self, points: Fraction) -> Int:
        scaled = points * self.scale
        assert scaled.denominator == 1
        return literal(scaled.numerator)

    # outcomes

    def _cases(self, rule: Rule, cases: Sequence[Case]) -> Int:
        outcomes = [self._case(rule, c) for c in cases]
        apart = self._apart(rule, cases)
        if apart is None:
            self._whole[rule.id] = any_met([self._whole[f"{rule.id}/{c.name}"] for c in cases])
            return any_met(outcomes)
        self._whole[rule.id] = apart
        return apart

    def _case(self, rule: Rule, case_: Case) -> Int:
        key = f"{rule.id}/{case_.name}"
        lines, whole = [], []
        for number, line in enumerate(case_.lines, 1):
            made = self._line(rule, line)
            whole.append(self._within(line) or made)
            self.nodes[f"{key}/{number}"] = outcome = self.stages.bind(made)
            lines.append(outcome)
        self._whole[key] = all_met(whole)
        self.nodes[key] = outcome = self.stages.bind(all_met(lines))
        return outcome

    def _apart(self, rule: Rule, cases: Sequence[Case]) -> Int | None:
        """The outcome of cases with codes of their own, as a choice by the code.

        A case is not evaluated for filings with another code, which makes sixteen sectors as cheap
        as one. None if codes do not tell the cases apart.
        """
        found = [_by_codes(case_) for case_ in cases]
        if len(cases) == 1 or None in found:
            return None
        named = {line.name for line in found if line}
        codes = [
            code for line in found if line and isinstance(line.value, tuple) for code in line.value
        ]
        if len(named) > 1 or len(set(codes)) < len(codes):
            return None
        words = self.reader.read(self.ruleset.indicator(rule, named.pop()).expr)
        if not isinstance(words, Words):
            return None
        branches: list[tuple[Condition, Int | None]] = []
        rests = []
        for case_, line in zip(cases, found, strict=True):
            assert line is not None
            assert isinstance(line.value, tuple)
            asked = [
                self._within(other) or self._line(rule, other)
                for other in case_.lines
                if other is not line
            ]
            rests.append(all_met(asked or [MET]))
            branches.append((words.among(line.value), rests[-1]))
        branches.append((present(words.sql), NOT_MET))
        # without a code, any of the cases may apply
        possible = any_of(*(compare(">", rest, NOT_MET) for rest in rests))
        branches.append((all_of(words.gap.missing, possible), MISSING))
        branches.append((words.gap.missing, NOT_MET))
        return case(branches, any_met([all_met([PENDING, rest]) for rest in rests]))

    def _within(self, line: Line) -> Int | None:
        """The outcome of a rule, inlined in the only case that asks for it; None if several do."""
        only = line.subject == "rule" and self._asked[line.name] == 1
        return self._whole[line.name] if only else None

    def _line(self, rule: Rule, line: Line) -> Int:
        if line.subject in ("rule", "unmet"):
            node = self.nodes[line.name]
            if not isinstance(node, Int):
                raise UnsupportedError(
                    "points-for-result", "规则「{value}」给出的是得分", value=line.name
                )
            return node if line.subject == "rule" else _negated(node)
        if line.subject == "points":
            score = self.nodes[line.name]
            if isinstance(score, Int):
                raise UnsupportedError(
                    "rule-without-points", "规则「{value}」没有得分", value=line.name
                )
            figure: Figure = score.number(self.scale)
        else:
            found = self.reader.read(self.ruleset.indicator(rule, line.name).expr)
            if isinstance(found, Words):
                return among(found, line.value)
            figure = found
        if not isinstance(line.value, Fraction) or line.op == "in":
            raise UnsupportedError(
                "uncomparable-line", "规则「{value}」的一行要求不能用 SQL 比较", value=rule.id
            )
        return compared(figure, line.op, line.value)

    # points

    def _bands(self, rule: Rule, tables: Sequence[tuple[str, tuple[Band, ...]]]) -> Score:
        scores = []
        for name, rows in tables:
            figure = self.reader.read(self.ruleset.indicator(rule, name).expr)
            if isinstance(figure, Words):
                raise UnsupportedError(
                    "banded-text", "「{value}」不是数字，不能按档计分", value=name
                )
            score = self._kept(self._of_bands(figure, rows))
            assert isinstance(score, Score)
            self.nodes[f"{rule.id}/{name}"] = score
            scores.append(score)
        if len(scores) == 1:
            return scores[0]
        lo = self.stages.bind(greatest([s.lo for s in scores]))
        hi = self.stages.bind(greatest([s.hi for s in scores]))
        gaps = [s.gap.where(compare(">", s.hi, lo)) for s in scores]
        return Score(lo, hi, widest(gaps))

    def _of_bands(self, figure: Figure, rows: Sequence[Band]) -> Score:
        """The least and the most points of all values that a figure may take."""
        cells = self._cells(rows)
        upwards, downwards = (sorted(cells, key=lambda c: sign * c[0]) for sign in (1, -1))
        lo = self.stages.bind(self._first_met(figure, upwards))
        exact = self.stages.bind_condition(figure.exact)
        hi = self.stages.bind(case([(exact, lo)], self._first_met(figure, downwards)))
        return Score(lo, hi, figure.gap.where(compare("<", lo, hi)))

    def _first_met(self, figure: Figure, ordered: Sequence[tuple[Fraction, "Cell"]]) -> Int:
        """The points of the first of these parts of the line that contains a value of the figure.

        If all parts on one side of a part were tried before it, the figure is not wholly on that
        side.
        """
        asked = []
        for n, (points, cell) in enumerate(ordered[:-1]):
            later = [c for _, c in ordered[n + 1 :]]
            lo = cell.lo if any(c.before(cell) for c in later) else None
            hi = cell.hi if any(cell.before(c) for c in later) else None
            asked.append((replace(cell, lo=lo, hi=hi), self._points(points)))
        low, high = figure.low_open, figure.high_open
        branches = []
        # an open end reaches the first part if every part is bounded on that side only
        if asked and all(cell.hi is None for cell, _ in asked):
            branches, high = [(high, asked[0][1])], False
        elif asked and all(cell.lo is None for cell, _ in asked):
            branches, low = [(low, asked[0][1])], False
        for cell, worth in asked:
            reaches = cell.lo is None or any_of(
                high, figure.high_is(">=" if cell.lo_in else ">", cell.lo)
            )
            begins = cell.hi is None or any_of(
                low, figure.low_is("<=" if cell.hi_in else "<", cell.hi)
            )
            branches.append((all_of(reaches, begins), worth))
        return case(branches, self._points(ordered[-1][0]))

    def _cells(self, rows: Sequence[Band]) -> list[tuple[Fraction, "Cell"]]:
        """The parts of the line with their points, in order; a shared end has the higher points."""
        marks = sorted({e for b in rows for e in (b.lo, b.hi) if e is not None})
        parts: list[Cell] = []
        for a, b in pairwise([None, *marks, None]):
            if a is not None:
                parts.append(Cell(a, True, a, True))
            parts.append(Cell(a, False, b, False))
        found: list[tuple[Fraction, Cell]] = []
        for cell in parts:
            points = _score(rows, cell)
            if found and found[-1][0] == points:
                before = found.pop()[1]
                cell = Cell(before.lo, before.lo_in, cell.hi, cell.hi_in)
            found.append((points, cell))
        return found

    def _ladder(self, rule: Rule, rungs: Sequence[Case], rest: Fraction) -> Score:
        steps = [
            (self._case(rule, rung), self._points(rung.points or Fraction(0))) for rung in rungs
        ]
        last = self._points(rest)

        def first(wanted: Comparison, outcome: Outcome) -> Int:
            return case([(compare(wanted, o, literal(int(outcome))), p) for o, p in steps], last)

        lo = self.stages.bind(first("=", Outcome.MET))
        hi = self.stages.bind(first(">", Outcome.NOT_MET))
        missing = literal(int(Outcome.MISSING))
        filed = any_of(*(all_of(compare("=", o, missing), compare(">", p, lo)) for o, p in steps))
        gap = Gap(missing=filed, pending=True).where(compare("<", lo, hi))
        return Score(lo, hi, gap)

    def _total(self, rule: Rule, total: Total) -> Score:
        for group, items in total.groups.items():
            self.nodes[f"{rule.id}/{group}"] = self._kept(self._sum(i.rule for i in items))
        return self._sum((i.rule for i in total.items), total.cap)

    def _sum(self, rules: Iterable[str], cap: Fraction | None = None) -> Score:
        scores = [s for r in rules if isinstance(s := self.nodes[r], Score)]
        lo, hi = _ZERO, _ZERO
        for score in scores:
            lo, hi = lo + score.lo, hi + score.hi
        if cap is not None:
            most = self._points(cap)
            lo, hi = (case([(compare("<", end, most), end)], most) for end in (lo, hi))
        lo, hi = self.stages.bind(lo), self.stages.bind(hi)
        return Score(lo, hi, widest([s.gap for s in scores]).where(compare("<", lo, hi)))

    def _attested(self, rule: Rule, name: str, least: Fraction, most: Fraction) -> Score:
        figure = self.reader.number(self.ruleset.indicator(rule, name).expr)
        if figure.den.constant is None:
            raise UnsupportedError(
                "ratio-as-points", "「{value}」是比例，不能作为填报的得分", value=name
            )
        parts = self.scale // (figure.scale * figure.den.constant)
        if parts * figure.scale * figure.den.constant != self.scale:
            raise UnsupportedError("too-fine-points", "「{value}」的精度超出得分的精度", value=name)
        bottom, top = self._points(least), self._points(most)

        def within(end: Int | None, otherwise: Int) -> Int:
            if end is None:
                return otherwise
            points = end.times(parts)
            inside = Int(points.sql, bottom.low, top.high, points.size, False)
            return case(
                [
                    (compare("<", points, bottom), bottom),
                    (compare(">", points, top), top),
                    (not_null(points), inside),
                ],
                otherwise,
            )

        lo = self.stages.bind(within(figure.lo, bottom))
        hi = self.stages.bind(within(figure.hi, top))
        return Score(lo, hi, figure.gap.where(compare("<", lo, hi)))


def _negated(outcome: Int) -> Int:
    """The outcome of the demand that a rule is not met; what is open stays so."""
    met, not_met = compare("=", outcome, MET), compare("=", outcome, NOT_MET)
    return case([(met, NOT_MET), (not_met, MET)], outcome)


def _by_codes(case_: Case) -> Line | None:
    """The one line of a case that asks for codes."""
    found = [line for line in case_.lines if isinstance(line.value, tuple)]
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Cell:
    """A part of the number line; None means unbounded."""

    lo: Fraction | None
    lo_in: bool
    hi: Fraction | None
    hi_in: bool

    def before(self, other: "Cell") -> bool:
        """Whether the part lies left of another."""
        return (
            self.hi is not None and other.lo is not None and self.hi <= other.lo and self != other
        )


def _score(rows: Iterable[Band], cell: Cell) -> Fraction:
    """The points of a cell without a boundary in its interior."""
    if cell.lo is None:
        value = Fraction(0) if cell.hi is None else cell.hi - 1
    elif cell.hi is None:
        value = cell.lo + 1
    else:
        value = (cell.lo + cell.hi) / 2
    points = [
        b.points
        for b in rows
        if (b.lo is None or b.lo <= value) and (b.hi is None or value <= b.hi)
    ]
    if not points:
        raise UnsupportedError("uncovered-points", "计分表没有覆盖所有的数值")
    return max(points)


def greatest(values: Sequence[Int]) -> Int:
    """The greatest of some numbers, none of them NULL."""
    found = values[0]
    for value in values[1:]:
        found = case([(compare(">=", found, value), found)], value)
    return found
