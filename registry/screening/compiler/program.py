"""A ruleset as one statement: for each filing the result of every node, and the verdict.

Outcomes are the numbers of ``rules.model.ruleset.Outcome``, gaps those of
``rules.model.ruleset.Gap``. Points are whole numbers of 1/``scale`` with a low and a high end. Keys
are those of a trace. A code holds the outcomes of all criteria that must be met, two bits each: it
shows which failed and which are open.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import lcm
from typing import Any, Final

import sqlalchemy as sa

from registry.screening.compiler.bodies import Bodies, Node
from registry.screening.compiler.figures import Words
from registry.screening.compiler.formulas import Reader
from registry.screening.compiler.records import Lists
from registry.screening.compiler.stages import Fence, Stages, fenced
from registry.screening.compiler.widths import Int, literal
from registry.screening.schema import Schema
from rules.model.expressions import leaves
from rules.model.ruleset import (
    BY_NUMBER,
    Assumed,
    Attested,
    Bands,
    Cases,
    Expr,
    Ladder,
    Outcome,
    Points,
    Result,
    Rule,
    Ruleset,
    Total,
    points_of,
)

_ZERO: Final = literal(0)
#: The most criteria in one number, with two bits for each outcome.
_HELD: Final = 31


@dataclass(frozen=True)
class Place:
    """The columns of a node's result: one for an outcome, or low, high and gap for points."""

    columns: tuple[str, ...]
    constants: tuple[int | None, ...]

    def reader(self, names: Sequence[str], scale: int) -> Callable[[Sequence[Any]], Result]:
        """A function that reads the result from a row; ``names`` are the names of its columns."""
        lo, *more = (
            _constant(fixed) if fixed is not None else _number(names.index(column))
            for column, fixed in zip(self.columns, self.constants, strict=True)
        )
        if not more:
            return lambda row: BY_NUMBER[lo(row)]
        hi, gap = more
        return lambda row: points_of(lo(row), hi(row), gap(row), scale)


def _constant(number: int) -> Callable[[Sequence[Any]], int]:
    return lambda _: number


def _number(at: int) -> Callable[[Sequence[Any]], int]:
    return lambda row: int(row[at])  # PostgreSQL returns wide numbers as decimals


@dataclass(frozen=True)
class Code:
    """The outcomes of criteria packed into a few numbers, two bits each, the first ones lowest."""

    rules: tuple[str, ...]

    def named(self, parts: Sequence[int], *outcomes: Outcome) -> list[str]:
        """The criteria with one of these outcomes in a code."""
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
        """How many numbers a code needs."""
        return -(-len(self.rules) // _HELD)


class Program:
    """A ruleset in SQL, as of one day, over the tables of one schema."""

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
        """One number of the code of all criteria."""
        total = _ZERO
        for n, rule in enumerate(self.code.rules[part * _HELD : (part + 1) * _HELD]):
            node = nodes[rule]
            assert isinstance(node, Int)
            total = total + node.times(1 << 2 * n)
        return _named(total)

    def code_column(self, indicator: str) -> str:
        """The column of an indicator that is a code; empty if the ruleset has none of that name."""
        found = self.words.get(indicator)
        return str(found.name) if isinstance(found, sa.ColumnClause) else ""

    @property
    def verdict(self) -> Place:
        """The columns of the root rule's result."""
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

        If only a few filings matter, ``among`` selects their numbers; then the records of other
        filings are not read either.
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
        """Select all nodes for each record of a list; None if the ruleset does not read it."""
        nodes = self._record_nodes.get(records)
        if not nodes:
            return None
        outputs = {c for place in nodes.values() for c in place.columns if c}
        table = self.schema.table(records)
        return self._lists[records].statement(table, outputs, ["filing_id", "position"], fence)

    @property
    def record_nodes(self) -> Mapping[str, Mapping[str, Place]]:
        """The columns of the results of rules over records, by list."""
        return self._record_nodes


def joins(rule: Rule) -> bool:
    """Whether a rule only requires that others are all met."""
    match rule.body:
        case Cases((only,)):
            return all(line.subject == "rule" for line in only.lines)
    return False


def necessary(ruleset: Ruleset) -> list[Rule]:
    """The criteria that must be met for the root, in the order of the ruleset.

    A rule that is one of several cases of another is not among them, because it may fail without
    harm. Neither is a rule that only joins others.
    """
    wanted = {ruleset.root}
    for rule in reversed(ruleset.rules):
        match rule.body:
            case Cases((only,)) if rule.id in wanted:
                wanted |= {line.name for line in only.lines if line.subject == "rule"}
    found = (r for r in ruleset.rules if r.id in wanted and not r.records and not r.scored)
    return [r for r in found if not joins(r)]


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
    """The number as an expression that gets a name even if it is the same for all filings."""
    return (
        value
        if value.constant is None
        else Int(value.sql + sa.literal_column("0"), 0, 1, value.size)
    )


def _points_scale(ruleset: Ruleset, schema: Schema) -> int:
    """The scale at which all points of a ruleset are whole numbers."""
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
            case Total(_, cap) if cap is not None:
                found.append(cap.denominator)
    return lcm(*found)


def _scale_of(schema: Schema, leaf: Expr, records: str) -> int:
    match leaf:
        case ("fact", id):
            return schema.fact(id).scale
        case ("field", id):
            return schema.field(records, id).scale
    return 1
