"""Formulas of indicators as SQL, each compiled once, over filings or over records of a list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from registry.screening.compiler.arithmetic import (
    aligned,
    chosen_figure,
    impossible,
    in_parts,
    larger,
    negative,
    picked,
    product,
    quotient,
    smaller,
    total,
)
from registry.screening.compiler.elements import DayLiteral
from registry.screening.compiler.figures import Day, Gap, Number, Reading, Span, Words
from registry.screening.compiler.stages import Stages
from registry.screening.compiler.truths import (
    Condition,
    Truth,
    absent,
    all_of,
    any_of,
    choice,
    negated,
    present,
)
from registry.screening.compiler.widths import (
    Int,
    Size,
    UnsupportedError,
    case,
    coalesced,
    compare,
    is_null,
    literal,
)
from registry.screening.schema import Column, Schema
from rules.engine.readings import years_between
from rules.model.facts import Fact
from rules.model.ruleset import Expr, Ruleset

_NOTHING, _ONE = literal(0), literal(1)


class Counts(Protocol):
    """Aggregates of a list's records by filing; see ``registry.screening.compiler.records``."""

    def number(self, records: str) -> Int:
        """The number of records."""

    def outcomes(self, records: str, rule: str) -> tuple[Int, Int, Gap]:
        """How many records satisfy a rule, and how many may; the gap of the undecided ones."""

    def amounts(self, records: str, field: str, rule: str) -> tuple[Int, Int, Gap, Condition]:
        """The sums of a field over records that satisfy a rule, and over those that may.

        Then the gap, and whether the greater sum is unbounded.
        """

    def complete(self, records: str) -> Condition:
        """Whether the list is declared complete."""

    def looked_up(
        self, text: str, codes: Callable[[ColumnElement[Any]], Int]
    ) -> ColumnElement[Any]:
        """The code of a text, computed once for each distinct text of all filings."""


class Reader:
    """Compiles formulas to SQL: over filings, or over the records of one list."""

    def __init__(
        self,
        ruleset: Ruleset,
        schema: Schema,
        stages: Stages,
        day: date,
        records: str = "",
        counts: Counts | None = None,
    ) -> None:
        self.ruleset = ruleset
        self.schema = schema
        self.stages = stages
        self.day = day
        self.records = records
        self.counts = counts
        self._known: dict[Expr, Reading] = {}
        self._numbers: dict[Expr, Number] = {}
        self._declared: dict[str, Condition] = {}

    def read(self, expr: Expr) -> Reading:
        """The reading of a formula, compiled once."""
        if expr not in self._known:
            self._known[expr] = self._bound(self._read(expr))
        return self._known[expr]

    def _bound(self, reading: Reading) -> Reading:
        bind, condition = self.stages.bind, self.stages.bind_condition
        match reading:
            case Number(lo, hi, gap, scale, den, broken, impossible):
                return Number(
                    None if lo is None else bind(lo),
                    None if hi is None else bind(hi),
                    Gap(condition(gap.missing), condition(gap.pending)),
                    scale,
                    bind(den),
                    condition(broken),
                    condition(impossible),
                )
            case Words(sql, gap, broken, codes):
                bound = Gap(condition(gap.missing), condition(gap.pending))
                return Words(self.stages.bind_words(sql), bound, condition(broken), codes)
        return reading

    def number(self, expr: Expr) -> Number:
        """The reading of a formula whose value is a number."""
        if expr not in self._numbers:
            found = self.read(expr)
            if not isinstance(found, Number):
                raise UnsupportedError(
                    "formula-is-no-number", "算式{value}不能用于四则运算", value=expr
                )
            self._numbers[expr] = self._bind(found.plain)
        return self._numbers[expr]

    def words(self, expr: Expr) -> Words:
        """The reading of a formula whose value is a text."""
        found = self.read(expr)
        if not isinstance(found, Words):
            raise UnsupportedError("formula-is-no-code", "算式{value}不是代码", value=expr)
        return found

    def _read(self, expr: Expr) -> Reading:
        match expr:
            case ("fact", id):
                if self.records:
                    raise UnsupportedError(
                        "filing-within-record", "逐条记录的规则引用了整份填报的数据"
                    )
                return _of_place(id) if id in _PLACES else _leaf(self.schema.fact(id))
            case ("year", id, offset):
                if self.records:
                    raise UnsupportedError(
                        "filing-within-record", "逐条记录的规则引用了整份填报的数据"
                    )
                return _leaf(self.schema.year(id, offset))
            case ("field", id):
                return _leaf(self.schema.field(self.records, id))
            case ("const", text):
                value = Fraction(text)
                constant = literal(value.numerator)
                return Number(constant, constant, scale=value.denominator)
            case ("add", *terms):
                return reduce(total, (self.number(t) for t in terms))
            case ("sub", a, b):
                return total(self.number(a), negative(self.number(b)))
            case ("div", a, b):
                return quotient(self.number(a), self.number(b), self.stages.bind_condition)
            case ("mul", a, b):
                return product(self.number(a), self.number(b), self.stages.bind)
            case ("most", a, b):
                return larger(self.number(a), self.number(b))
            case ("least", a, b):
                return smaller(self.number(a), self.number(b))
            case ("bounded", a, lowers, uppers):
                return self._within(
                    self.number(a),
                    [self.number(x) for x in lowers],
                    [self.number(x) for x in uppers],
                )
            case ("parameter", name, offset):
                return self._parameter(name, self.day.year - 1 + offset)
            case ("count", records, rule, filed):
                return self._counted(records, rule, filed)
            case ("total", records, name, rule, filed):
                return self._total(records, name, rule, filed)
            case ("days", a, b):
                return self._span(a, b, lambda x, y: Fraction((y - x).days))
            case ("years", a, b):
                return self._span(a, b, years_between)
            case ("calendar_years", a, b):
                return self._span(a, b, lambda x, y: Fraction(y.year - x.year))
            case ("year_number", a):
                return self._year_number(a)
            case ("lookup", name, a):
                return self._lookup(name, a)
            case ("else_found", a, finding):
                return self._else_found(a, finding)
            case ("else_known", a, b):
                return self._else_known(a, b)
        raise UnsupportedError("unknown-formula", "不认识的算式「{value}」", value=expr[0])

    # parameters

    def _parameter(self, name: str, year: int) -> Number:
        """The value of the first row that is not ruled out, as the day fixes the year."""
        if self.records:
            raise UnsupportedError("filing-within-record", "逐条记录的规则引用了整份填报的数据")
        rows = self.ruleset.parameters[name].of_year(year)
        scale = lcm(*(row.value.denominator for row in rows))
        values: list[tuple[Condition, Int | None]] = []
        missing: list[tuple[Condition, Condition]] = []
        for row in rows:
            known: list[Condition] = []
            fits: list[Condition] = []
            if row.of:
                place = self.words(("fact", row.of))
                known.append(present(place.sql))
                fits.append(Truth(place.sql == row.place, True))
            if row.sector:
                code = self.words(("fact", "industry_code"))
                known.append(present(code.sql))
                start = sa.func.substr(code.sql, 1, len(row.sector))
                fits.append(Truth(start == row.sector, True))
            possible = all_of(*(any_of(negated(k), f) for k, f in zip(known, fits, strict=True)))
            sure = all_of(*fits)
            values += [(sure, literal(int(row.value * scale))), (possible, None)]
            missing += [(sure, False), (possible, True)]
        end = self.stages.bind(case(values, None))
        open_ = self.stages.bind_condition(choice(missing, False))
        broken = self.stages.bind_condition(all_of(is_null(end), negated(open_)))
        return Number(end, end, Gap(open_, broken), scale, broken=broken)

    # records

    def _counted(self, records: str, rule: str, filed: str | None) -> Number:
        met, maybe, gap = self._counts().outcomes(records, rule)
        complete = self._complete(records)
        listed = Number(
            self.stages.bind(met),
            case([(complete, self.stages.bind(maybe))], None),
            Gap(any_of(negated(complete), gap.missing), all_of(complete, gap.pending)),
        )
        return self._settled(records, listed, filed)

    def _total(self, records: str, name: str, rule: str, filed: str | None) -> Number:
        column = self.schema.field(records, name)
        if (
            column.fact.minimum is None
            or column.fact.minimum < 0
            or column.fact.maximum is not None
        ):
            raise UnsupportedError(
                "untotalled-field", "清单的「{value}」不能这样合计", value=column.fact.name
            )
        least, most, gap, endless = self._counts().amounts(records, name, rule)
        complete = self._complete(records)
        ended = all_of(complete, negated(endless))
        listed = Number(
            least,
            case([(ended, most)], None),
            Gap(any_of(negated(complete), gap.missing), gap.pending),
            column.scale,
        )
        return self._settled(records, listed.settled(), filed)

    def _counts(self) -> Counts:
        if self.counts is None:
            raise UnsupportedError("total-within-record", "逐条记录的规则引用了清单的合计")
        return self.counts

    def _complete(self, records: str) -> Condition:
        declared = choice([(self._counts().complete(records), True)], False)
        if records not in self._declared:
            self._declared[records] = self.stages.bind_condition(declared)
        return self._declared[records]

    def _settled(self, records: str, listed: Number, filed: str | None) -> Number:
        """The filed total if there is one and the records allow it, otherwise the records' own.

        An incomplete list without records allows every total; its own is 0 or more.
        """
        if filed is None:
            return listed
        column = self.schema.fact(filed)
        fact, own = column.fact, _int(column)
        is_flag = fact.kind == "flag"
        if fact.origin != "填报" or not (is_flag or (fact.minimum == 0 and fact.maximum is None)):
            raise UnsupportedError("unlisted-fact", "「{value}」不能与清单对照", value=fact.name)
        listed = self._bind(listed)
        highest = listed.hi
        if is_flag:
            none = compare("=", self._counts().number(records), _NOTHING)
            unlisted = all_of(none, negated(self._complete(records)))
            highest = case([(unlisted, _ONE)], highest)
        contradicting = self.stages.bind_condition(_contradicted(listed, own, column))
        unknown = is_null(own)
        scale = lcm(column.scale, listed.scale)

        def end(other: Int | None) -> Int:
            stated = own.times(scale // column.scale)
            rest = None if other is None else other.times(scale // listed.scale)
            return case([(contradicting, None), (negated(unknown), stated)], rest)

        gap = listed.gap.where(unknown)
        pending = any_of(contradicting, gap.pending)
        return Number(
            end(listed.lo),
            end(highest),
            Gap(gap.missing, pending),
            scale,
            broken=contradicting,
            impossible=contradicting,
        )

    def _bind(self, number: Number) -> Number:
        bound = self._bound(number)
        assert isinstance(bound, Number)
        return bound

    def _within(self, a: Number, lowers: Sequence[Number], uppers: Sequence[Number]) -> Number:
        """``a`` within the bounds; impossible if no value is left."""
        lo, hi, den, scale = a.lo, a.hi, a.den, a.scale
        for others, low in ((lowers, True), (uppers, False)):
            for other in others:
                theirs = other.lo if low else other.hi
                if theirs is None:
                    continue
                mine, theirs, factor = aligned(den, scale, other, theirs)
                lo, hi = (None if e is None else e * mine for e in (lo, hi))
                den, scale = factor
                if low:
                    lo = picked(lo, theirs, ">")
                else:
                    hi = picked(hi, theirs, "<")
        lo, hi = (None if e is None else self.stages.bind(e) for e in (lo, hi))
        crossing = False if lo is None or hi is None else compare(">", lo, hi)
        crossed = self.stages.bind_condition(any_of(a.impossible, crossing))
        found = Number(lo, hi, a.gap, scale, den).settled()
        return chosen_figure([(crossed, impossible(scale, den))], found)

    # dates

    def _date(self, expr: Expr) -> Day:
        match expr:
            case ("as_of",):
                return Day(None, self.day)
            case ("new_year", offset):
                return Day(None, date(self.day.year + offset, 1, 1))
            case ("day", text):
                return Day(None, date.fromisoformat(text))
            case ("else_known", a, b):
                return self._either_day(self._date(a), self._date(b))
        found = self.read(expr)
        if not isinstance(found, Words):
            raise UnsupportedError("formula-is-no-day", "算式{value}不是日期", value=expr)
        return Day(found.sql, None, found.gap)

    def _either_day(self, first: Day, other: Day) -> Day:
        if first.sql is None:
            return first
        instead: ColumnElement[Any] | None = other.sql
        if other.fixed is not None:
            instead = DayLiteral(other.fixed)
        sql = self.stages.bind_words(sa.func.coalesce(first.sql, instead))
        return Day(sql, None, first.gap.where(absent(sql)) if other.fixed is None else Gap())

    def _span(self, a: Expr, b: Expr, measure: Callable[[date, date], Fraction]) -> Reading:
        start, end = self._date(a), self._date(b)
        if start.fixed is not None and end.sql is not None:
            first = start.fixed
            return Span(end.sql, lambda day: measure(first, day), True, end.gap)
        if end.fixed is not None and start.sql is not None:
            last = end.fixed
            return Span(start.sql, lambda day: measure(day, last), False, start.gap)
        if start.fixed is not None and end.fixed is not None:
            value = measure(start.fixed, end.fixed)
            constant = literal(value.numerator)
            return Number(constant, constant, scale=value.denominator)
        raise UnsupportedError("two-filed-days", "两个日期都由企业填报，不能预先算出界限")

    def _year_number(self, a: Expr) -> Reading:
        day = self._date(a)
        if day.sql is None:
            raise UnsupportedError("year-of-fixed-day", "固定日期的年份")
        return Span(day.sql, lambda x: Fraction(x.year), True, day.gap)

    # codes

    def _lookup(self, name: str, a: Expr) -> Words:
        text = self.words(a)
        table = self.ruleset.maps[name]
        if not table:
            raise UnsupportedError("empty-map", "代码表「{value}」是空的", value=name)
        codes = tuple(dict.fromkeys(table.values()))
        numbers = {key: codes.index(code) for key, code in table.items()}

        def numbered(sql: ColumnElement[Any]) -> Int:
            return _by_prefix(sql, numbers)

        if self.counts and isinstance(text.sql, sa.ColumnClause):
            found = self.counts.looked_up(text.sql.name, numbered)
        else:
            found = self.stages.bind_words(numbered(text.sql).sql)
        unmapped = self.stages.bind_condition(
            all_of(present(text.sql), absent(found), negated(text.broken))
        )
        gap = Gap(text.gap.missing, any_of(text.gap.pending, unmapped))
        return Words(found, gap, any_of(text.broken, unmapped), codes)

    def _else_found(self, a: Expr, finding: Expr) -> Reading:
        value, found = self.read(a), self.read(finding)
        if isinstance(value, Words) and isinstance(found, Words):
            if bool(value.codes) is not bool(found.codes):
                raise UnsupportedError("code-for-text", "代码与文字不能互相替代")
            known = all_of(value.broken, present(found.sql))
            if known is False:
                return value
            codes = (*value.codes, *(c for c in found.codes if c not in value.codes))
            coded = _when(value.broken, found.coded(codes))
            either: ColumnElement[Any] = sa.func.coalesce(value.sql, coded)
            sql = self.stages.bind_words(either)
            still = all_of(value.broken, absent(found.sql))
            gap = Gap(value.gap.missing, all_of(value.gap.pending, absent(sql)))
            return Words(sql, gap, still, codes)
        if isinstance(value, Number) and isinstance(found, Number):
            exact = negated(any_of(found.gap.missing, found.gap.pending))
            return chosen_figure([(all_of(value.broken, exact), found)], value)
        raise UnsupportedError("mixed-kinds", "算式与认定不是同一类")

    def _else_known(self, a: Expr, b: Expr) -> Reading:
        value, other = self.read(a), self.read(b)
        if isinstance(value, Words) and isinstance(other, Words):
            if bool(value.codes) is not bool(other.codes):
                raise UnsupportedError("code-for-text", "代码与文字不能互相替代")
            codes = (*value.codes, *(c for c in other.codes if c not in value.codes))
            instead = _when(negated(value.broken), other.coded(codes))
            either: ColumnElement[Any] = sa.func.coalesce(value.sql, instead)
            sql = self.stages.bind_words(either)
            return Words(sql, value.gap.where(absent(sql)), value.broken, codes)
        if isinstance(value, Number) and isinstance(other, Number):
            open_ = any_of(value.gap.missing, value.gap.pending)
            known = negated(any_of(other.gap.missing, other.gap.pending))
            return chosen_figure([(all_of(open_, negated(value.broken), known), other)], value)
        raise UnsupportedError("mixed-kinds", "算式与它的替代不是同一类")


def _by_prefix(sql: ColumnElement[Any], numbers: Mapping[str, int]) -> Int:
    """The number of the longest key with which a text begins."""
    branches: list[tuple[Condition, Int]] = []
    for length in sorted({len(k) for k in numbers}, reverse=True):
        prefix = sa.func.substr(sql, 1, length)
        wanted: dict[int, list[str]] = {}
        for key, number in numbers.items():
            if len(key) == length:
                wanted.setdefault(number, []).append(key)
        branches += [(Truth(prefix.in_(keys), True), literal(n)) for n, keys in wanted.items()]
    return case(branches, None)


def _when(condition: Condition, words: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(condition, bool):
        return words if condition else sa.null()
    return sa.case((condition.sql, words), else_=None)


#: What a snapshot knows of where an enterprise is, in columns of every filing.
_PLACES: Final = ("province", "city", "county")


def _of_place(id: str) -> Words:
    """The reading of a place, which is empty if it is not known."""
    column: ColumnElement[Any] = sa.column(id)
    sql = sa.case((column != "", column), else_=None)
    return Words(sql, Gap(missing=absent(sql)))


def _int(column: Column) -> Int:
    size = column.size if column.fact.kind == "number" else Size.INT
    return Int(sa.column(column.name), column.low, column.high, size, True)


def _leaf(column: Column) -> Number | Words:
    """The reading of a filed fact or a finding; if unknown, every value that it may take."""
    fact = column.fact
    sql: ColumnElement[Any] = sa.column(column.name)
    unknown = absent(sql)
    gap = Gap(missing=unknown) if fact.origin == "填报" else Gap(pending=unknown)
    if fact.kind == "flag":
        value = _int(column)
        return Number(coalesced(value, 0), coalesced(value, 1), gap)
    if fact.kind != "number":
        return Words(sql, gap, codes=fact.codes)
    value = _int(column)

    def end(bound: Fraction | None) -> Int:
        if bound is None:
            return value
        scaled = bound * column.scale
        if scaled.denominator != 1:
            raise UnsupportedError(
                "too-fine-bounds", "「{value}」的界限不合快照的精度", value=fact.name
            )
        return coalesced(value, scaled.numerator)

    if fact.minimum is not None and fact.minimum == fact.maximum:
        gap = Gap()
    return _usable(Number(end(fact.minimum), end(fact.maximum), gap, column.scale), value, fact)


def _usable(number: Number, value: Int, fact: Fact) -> Number:
    """The figure, impossible if it is below the least value that the fact can truly have."""
    scale = number.scale
    least = None if fact.minimum is None else int(fact.minimum * scale)
    if least is None or value.low >= least:
        return number
    below = choice([(compare("<", value, literal(least)), True)], False)
    lo, hi = (None if e is None else replace(e, low=least) for e in (number.lo, number.hi))
    return chosen_figure([(below, impossible(scale))], replace(number, lo=lo, hi=hi))


# arithmetic


def _contradicted(listed: Number, own: Int, column: Column) -> Condition:
    """Whether the records contradict the filed total; a flag says whether there is any record."""
    assert listed.lo is not None
    if column.fact.kind == "flag":
        beyond = all_of(compare(">", listed.lo, _NOTHING), compare("=", own, _NOTHING))
    else:
        beyond = compare(">", *in_parts(listed.lo, listed.scale, own, column.scale))
    if listed.hi is None:
        return beyond
    return any_of(beyond, compare("<", *in_parts(listed.hi, listed.scale, own, column.scale)))
