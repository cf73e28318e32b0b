"""A ruleset as one statement: for each filing the result of every node, and the verdict.

Outcomes are the numbers of ``rules.model.Outcome``, points whole numbers of 1/``scale`` with a low and
a high end, gaps the numbers of ``rules.model.Gap``; the keys are those of a trace. The outcomes of all
criteria together are a code of two bits for each: the list of what failed and what is open.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from registry.screening.figures import Figure, Gap, Number, Reader, Words, widest
from registry.screening.outcomes import (
    MET,
    MISSING,
    NOT_MET,
    PENDING,
    all_met,
    among,
    any_met,
    compared,
)
from registry.screening.records import Lists
from registry.screening.schema import Schema
from registry.screening.stages import Fence, Stages, fenced
from registry.screening.widths import (
    Comparison,
    Condition,
    Int,
    UnsupportedError,
    all_of,
    any_of,
    case,
    compare,
    literal,
    not_null,
    present,
)
from rules.expressions import leaves
from rules.model import (
    Assumed,
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Expr,
    Ladder,
    Line,
    Outcome,
    Points,
    Rule,
    Ruleset,
    Total,
)

_ZERO, _ONE = literal(0), literal(1)
#: How many criteria one number holds, two bits for the outcome of each.
_HELD: Final = 31


@dataclass(frozen=True)
class Score:
    """Points in SQL, in parts of the program's scale."""

    lo: Int
    hi: Int
    gap: Gap

    def number(self, scale: int) -> Number:
        """As a figure to compare."""
        return Number(self.lo, self.hi, self.gap, scale)


Node: TypeAlias = Int | Score


@dataclass(frozen=True)
class Place:
    """The columns in which a node's result stands: an outcome's, or low, high and gap of points."""

    columns: tuple[str, ...]
    constants: tuple[int | None, ...]

    def result(self, row: Mapping[str, Any], scale: int) -> int | tuple[Fraction, Fraction, int]:
        """The result in a row, as traces of plain values have it."""
        read = [
            int(row[c]) if fixed is None else fixed
            for c, fixed in zip(self.columns, self.constants, strict=True)
        ]
        if len(read) == 1:
            return read[0]
        return Fraction(read[0], scale), Fraction(read[1], scale), read[2]


@dataclass(frozen=True)
class Code:
    """The outcomes of some criteria in a few numbers, two bits for each, the first ones lowest."""

    rules: tuple[str, ...]

    def named(self, parts: Sequence[int], *outcomes: Outcome) -> list[str]:
        """The criteria that have one of these outcomes in a code."""
        return [
            rule
            for n, rule in enumerate(self.rules)
            if int(parts[n // _HELD]) >> 2 * (n % _HELD) & 3 in outcomes
        ]

    def of(self, trace: Mapping[str, Any]) -> list[int]:
        """The code of a trace."""
        parts = [0] * self.parts
        for n, rule in enumerate(self.rules):
            parts[n // _HELD] |= int(trace[rule]) << 2 * (n % _HELD)
        return parts

    @property
    def parts(self) -> int:
        """How many numbers a code takes."""
        return -(-len(self.rules) // _HELD)


class Program:
    """A ruleset in SQL, as of one day, over tables of one schema."""

    def __init__(self, ruleset: Ruleset, schema: Schema, day: date) -> None:
        self.ruleset = ruleset
        self.schema = schema
        self.scale = _points_scale(ruleset, schema)
        self._lists: dict[str, Stages] = {}
        self._outcomes: dict[str, Int] = {}
        self._record_nodes: dict[str, dict[str, Place]] = {}
        self.stages = Stages("c")
        for n, records in enumerate(dict.fromkeys(r.records for r in ruleset.rules if r.records)):
            self._compile_records(records, Stages(f"r{n}_"), day)
        self.lists = Lists(schema, self._lists, self._outcomes)
        reader = Reader(ruleset, schema, self.stages, day, counts=self.lists)
        compiled = Bodies(ruleset, reader, self.scale)
        for rule in ruleset.rules:
            if not rule.records:
                compiled.compile(rule)
        self.nodes = self._placed(compiled.nodes, self.stages)
        self.words = {
            name: self.stages.bind_words(words.text)
            for name, i in ruleset.indicators.items()
            if not i.records and isinstance(words := reader.read(i.expr), Words)
        }
        self.code = Code(tuple(r.id for r in necessary(ruleset)))
        self.codes = tuple(
            _column(self.stages.bind(self._coded(compiled.nodes, part)))
            for part in range(self.code.parts)
        )

    def _compile_records(self, records: str, stages: Stages, day: date) -> None:
        reader = Reader(self.ruleset, self.schema, stages, day, records)
        compiled = Bodies(self.ruleset, reader, self.scale)
        for rule in self.ruleset.rules:
            if rule.records == records:
                outcome = compiled.compile(rule)
                if isinstance(outcome, Int):
                    self._outcomes[rule.id] = outcome
        self._lists[records] = stages
        self._record_nodes[records] = self._placed(compiled.nodes, stages)

    def _placed(self, nodes: Mapping[str, Node], stages: Stages) -> dict[str, Place]:
        return {key: _place(node, stages) for key, node in nodes.items()}

    def _coded(self, nodes: Mapping[str, Node], part: int) -> Int:
        """A part of the code of all criteria."""
        total = _ZERO
        for n, rule in enumerate(self.code.rules[part * _HELD : (part + 1) * _HELD]):
            node = nodes[rule]
            assert isinstance(node, Int)
            total = total + node.times(1 << 2 * n)
        return _named(total)

    def code_column(self, indicator: str) -> str:
        """The column of an indicator that is a code; empty where the ruleset has none of that name."""
        found = self.words.get(indicator)
        return str(found.name) if isinstance(found, sa.ColumnClause) else ""

    @property
    def verdict(self) -> Place:
        """Where the root rule's result stands."""
        return self.nodes[self.ruleset.root]

    def statement(
        self,
        outputs: Iterable[str],
        *,
        kept: Sequence[str] = ("filing_id",),
        where: sa.ColumnElement[bool] | None = None,
        among: sa.Select[Any] | None = None,
        fence: Fence = "",
    ) -> sa.Select[Any]:
        """Select columns of nodes, codes and filings for each filing.

        ``among`` selects the numbers of the only filings that are looked at, if these are few: then
        the records of others are not read either.
        """
        wanted = list(dict.fromkeys(o for o in outputs if o))
        table = self.schema.filing
        read = self.stages.read(wanted)
        source, counted = self.lists.joined(table, read, among, fence)
        plain = [c for c in table.c if c.name in {*read, *kept}]
        made = (column.label(name) for name, column in counted.items())
        base = sa.select(*plain, *made).select_from(source)
        if where is not None:
            base = base.where(where)
        if among is not None:
            base = base.where(table.c.filing_id.in_(among))
        return self.stages.statement(fenced(base, fence).cte("filing_counted"), wanted, kept, fence)

    def everything(self) -> list[str]:
        """The columns of all nodes and codes."""
        columns = [c for place in self.nodes.values() for c in place.columns]
        return [c for c in (*columns, *self.codes) if c]

    def record_statement(self, records: str, fence: Fence = "") -> sa.Select[Any] | None:
        """Select all nodes for each record of a list; None where the ruleset reads none of them."""
        nodes = self._record_nodes.get(records)
        if not nodes:
            return None
        outputs = {c for place in nodes.values() for c in place.columns if c}
        table = self.schema.table(records)
        return self._lists[records].statement(table, outputs, ["filing_id", "position"], fence)

    @property
    def record_nodes(self) -> Mapping[str, Mapping[str, Place]]:
        """Where the results of the rules over records stand, by list."""
        return self._record_nodes


def necessary(ruleset: Ruleset) -> list[Rule]:
    """The root and all rules that have to be met for it, in the order of the ruleset.

    What is one of several cases of another rule is none: such a case may fail without harm.
    """
    wanted = {ruleset.root}
    for rule in reversed(ruleset.rules):
        match rule.body:
            case Cases((only,)) if rule.id in wanted:
                wanted |= {line.name for line in only.lines if line.subject == "rule"}
    return [r for r in ruleset.rules if r.id in wanted and not r.records and not r.scored]


def _place(node: Node, stages: Stages) -> Place:
    parts = (node,) if isinstance(node, Int) else (node.lo, node.hi, node.gap.number())
    bound = [stages.bind(part.plain) for part in parts]
    return Place(
        tuple("" if b.constant is not None else _column(b) for b in bound),
        tuple(b.constant for b in bound),
    )


def _column(value: Int) -> str:
    assert isinstance(value.sql, sa.ColumnClause)
    return value.sql.name


def _named(value: Int) -> Int:
    """The number as an expression that is given a name even if it is the same for all."""
    return (
        value
        if value.constant is None
        else Int(value.sql + sa.literal_column("0"), 0, 1, value.size)
    )


def _points_scale(ruleset: Ruleset, schema: Schema) -> int:
    """The parts in which all points of a ruleset are whole."""
    found = [1]
    for rule in ruleset.rules:
        match rule.body:
            case Bands(tables):
                found += [b.points.denominator for _, rows in tables for b in rows]
            case Ladder(rungs, rest):
                found += [rest.denominator, *(r.points.denominator for r in rungs if r.points)]
            case Attested(_, lo, hi):
                found += [lo.denominator, hi.denominator]
                read = leaves(ruleset.indicator(rule, rule.body.indicator).expr)
                found += [_scale_of(schema, leaf, rule.records) for leaf in read]
            case Assumed(Points(lo, hi)):
                found += [lo.denominator, hi.denominator]
    return lcm(*found)


def _scale_of(schema: Schema, leaf: Expr, records: str) -> int:
    match leaf:
        case ("fact", id):
            return schema.fact(id).scale
        case ("field", id):
            return schema.field(records, id).scale
    return 1


class Bodies:
    """Compiles the rules of filings, or of the records of one list."""

    def __init__(self, ruleset: Ruleset, reader: Reader, scale: int) -> None:
        self.ruleset = ruleset
        self.reader = reader
        self.stages = reader.stages
        self.scale = scale
        self.nodes: dict[str, Node] = {}
        #: Outcomes as expressions of figures, with nothing between that is computed for every filing.
        self._whole: dict[str, Int] = {}
        self._asked = Counter(
            line.name
            for rule in ruleset.rules
            for _, line in rule.lines()
            if line.subject == "rule"
        )

    def compile(self, rule: Rule) -> Node:
        """The result of a rule, and of all its parts."""
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
        raise UnsupportedError(f"规则「{rule.id}」的定义表不能用 SQL 计算")

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
        """Cases of which each has codes of its own, as one that is chosen by the code.

        What is asked under a code is not worked out for filings of another one; that makes the sixteen
        sectors as cheap as one. None for cases that are not told apart so.
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
        # without a code any of the cases may be the one
        possible = any_of(*(compare(">", rest, NOT_MET) for rest in rests))
        branches.append((all_of(words.gap.missing, possible), MISSING))
        branches.append((words.gap.missing, NOT_MET))
        return case(branches, any_met([all_met([PENDING, rest]) for rest in rests]))

    def _within(self, line: Line) -> Int | None:
        """The outcome of a rule as a part of the case that asks for it, if no other one does."""
        return self._whole[line.name] if self._asked[line.name] == 1 else None

    def _line(self, rule: Rule, line: Line) -> Int:
        if line.subject == "rule":
            node = self.nodes[line.name]
            if not isinstance(node, Int):
                raise UnsupportedError(f"规则「{line.name}」给出的是得分")
            return node
        if line.subject == "points":
            score = self.nodes[line.name]
            if isinstance(score, Int):
                raise UnsupportedError(f"规则「{line.name}」没有得分")
            figure: Figure = score.number(self.scale)
        else:
            found = self.reader.read(self.ruleset.indicator(rule, line.name).expr)
            if isinstance(found, Words):
                return among(found, line.value)
            figure = found
        if not isinstance(line.value, Fraction) or line.op == "in":
            raise UnsupportedError(f"规则「{rule.id}」的一行要求不能用 SQL 比较")
        return compared(figure, line.op, line.value)

    # points

    def _bands(self, rule: Rule, tables: Sequence[tuple[str, tuple[Band, ...]]]) -> Score:
        scores = []
        for name, rows in tables:
            figure = self.reader.read(self.ruleset.indicator(rule, name).expr)
            if isinstance(figure, Words):
                raise UnsupportedError(f"「{name}」不是数字，不能按档计分")
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
        """The points of the first of these parts of the line that holds a value of the figure.

        Where all on one side of a part went before, the figure is not wholly on that side.
        """
        asked = []
        for n, (points, cell) in enumerate(ordered[:-1]):
            later = [c for _, c in ordered[n + 1 :]]
            lo = cell.lo if any(c.before(cell) for c in later) else None
            hi = cell.hi if any(cell.before(c) for c in later) else None
            asked.append((replace(cell, lo=lo, hi=hi), self._points(points)))
        low, high = figure.low_open, figure.high_open
        branches = []
        # an end that is open reaches the first part if that is all that is asked of any
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
        """The parts of the line with their points, in order; on a shared end the higher counts."""
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
        return self._sum(i.rule for i in total.items)

    def _sum(self, rules: Iterable[str]) -> Score:
        scores = [s for r in rules if isinstance(s := self.nodes[r], Score)]
        lo, hi = _ZERO, _ZERO
        for score in scores:
            lo, hi = lo + score.lo, hi + score.hi
        lo, hi = self.stages.bind(lo), self.stages.bind(hi)
        return Score(lo, hi, widest([s.gap for s in scores]).where(compare("<", lo, hi)))

    def _attested(self, rule: Rule, name: str, least: Fraction, most: Fraction) -> Score:
        figure = self.reader.number(self.ruleset.indicator(rule, name).expr)
        if figure.den.constant is None:
            raise UnsupportedError(f"「{name}」是比例，不能作为填报的得分")
        parts = self.scale // (figure.scale * figure.den.constant)
        if parts * figure.scale * figure.den.constant != self.scale:
            raise UnsupportedError(f"「{name}」的精度超出得分的精度")
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


def _by_codes(case_: Case) -> Line | None:
    """The one line of a case that asks for codes."""
    found = [line for line in case_.lines if isinstance(line.value, tuple)]
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Cell:
    """A part of the line; None is without end."""

    lo: Fraction | None
    lo_in: bool
    hi: Fraction | None
    hi_in: bool

    def before(self, other: "Cell") -> bool:
        """Whether it lies left of another one."""
        return (
            self.hi is not None and other.lo is not None and self.hi <= other.lo and self != other
        )


def _score(rows: Iterable[Band], cell: Cell) -> Fraction:
    """The points of a cell that holds no mark but itself."""
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
        raise UnsupportedError("计分表没有覆盖所有的数值")
    return max(points)


def greatest(values: Sequence[Int]) -> Int:
    """The greatest of some numbers, none of them NULL."""
    found = values[0]
    for value in values[1:]:
        found = case([(compare(">=", found, value), found)], value)
    return found
