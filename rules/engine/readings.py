"""Exact readings of formulas: a value is an interval, as wide as the catalogue allows if unknown.

A formula is compiled once to closures and read for many profiles. See ``rules.model.expressions``
for the nodes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from rules.model.facts import Fact, Profile, Scalar, exact, yearly_key
from rules.model.quantities import Number
from rules.model.ruleset import Expr, Gap, Outcome, Ruleset, widest


class Reading(NamedTuple):
    """What is known of an indicator: every value it may take lies in [lo, hi] (None: unbounded).

    For a known code, ``code`` holds the value instead. ``gap`` says what would settle an open
    interval. ``broken`` gives the reason, in Chinese, why arithmetic cannot settle it: the figure
    has no value, as a ratio to zero, which limits nothing that is computed with it; or it is
    ``impossible``, by itself or beside others, and nothing can be computed with it.
    """

    lo: Number | None = None
    hi: Number | None = None
    gap: Gap = Gap.NONE
    code: str | None = None
    broken: str = ""
    impossible: bool = False

    @property
    def exact(self) -> Number | None:
        """The value, if it is exactly known."""
        return None if self.gap else self.lo


#: The record at hand, where there is one.
Record: TypeAlias = Mapping[str, Scalar]
#: A formula, ready to read.
Formula: TypeAlias = Callable[["Evaluator", Record], Reading]


_ONE = 1


def _point(value: Number) -> Reading:
    return Reading(value, value)


def _interval(lo: Number | None, hi: Number | None, gap: Gap) -> Reading:
    # "is" first: mostly they are one object, and comparing fractions takes time
    return Reading(lo, hi, Gap.NONE if lo is not None and (lo is hi or lo == hi) else gap)


def _broken(reason: str, *, impossible: bool = False) -> Reading:
    return Reading(gap=Gap.PENDING, broken=reason, impossible=impossible)


def _worst(*readings: Reading) -> Reading:
    """The first of the readings that is impossible, else the first that is broken."""
    return max(readings, key=lambda r: (r.impossible, bool(r.broken)))


@lru_cache(maxsize=1 << 14)
def _number(text: str) -> Reading:
    # Fraction parses text with a regular expression, which takes four times as long as int
    if text.isdecimal():
        return _point(int(text))
    value = exact(text, _LONGEST)
    return _point(value.numerator if value.denominator == 1 else value)


@lru_cache(maxsize=1 << 14)
def _code(text: str) -> Reading:
    return Reading(code=text)


#: The most characters of a number. Facts are already checked; constants may be long fractions.
_LONGEST: Final = 1000
_NO, _YES = _point(0), _point(1)
_day = lru_cache(maxsize=1 << 14)(date.fromisoformat)


def years_between(a: date, b: date) -> Fraction:
    """The exact number of years from a to b; each anniversary completes one year.

    In a common year the anniversary of 29 February is 1 March.

    >>> years_between(date(2021, 1, 1), date(2023, 1, 1))
    Fraction(2, 1)
    >>> years_between(date(2012, 6, 30), date(2022, 7, 1))
    Fraction(3651, 365)
    """
    if b < a:
        return -years_between(b, a)
    whole = b.year - a.year - ((b.month, b.day) < (a.month, a.day))
    start, end = _anniversary(a, whole), _anniversary(a, whole + 1)
    return whole + Fraction((b - start).days, (end - start).days)


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February in a common year
        return date(day.year + years, 3, 1)


class Evaluator:
    """Evaluates formulas over one profile; ``outcomes`` gives a rule's outcome for each record."""

    def __init__(
        self,
        ruleset: Ruleset,
        profile: Profile,
        outcomes: Callable[[str, str], list[Outcome]],
    ) -> None:
        self.ruleset = ruleset
        self.profile = profile
        self.outcomes = outcomes
        self.values = profile.values
        self.fiscal_year = profile.fiscal_year

    def read(self, expr: Expr, records: str = "", record: Record = {}) -> Reading:  # noqa: B006
        """The reading of a formula; one over records also needs the record at hand."""
        return compile_formula(self.ruleset, expr, records)(self, record)


def compile_formula(ruleset: Ruleset, expr: Expr, records: str = "") -> Formula:
    """Compile a formula to a function of the evaluator and the record at hand, for repeated use."""
    return _Compiler(ruleset, records).formula(expr)


class Formulas:
    """Formulas of several rulesets; what means the same in them is read once of a profile."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Formula] = {}
        self._shared: set[Formula] = set()
        self._columns: dict[Formula, list[Reading]] = {}

    def compiled(self, ruleset: Ruleset, expr: Expr, records: str) -> Formula:
        """The function of a formula: one for all rulesets in which it means the same.

        What counts records has one for each ruleset, because it rests on outcomes of rules.
        """
        compiler = _Compiler(ruleset, records)
        formula = compiler.formula(expr)
        if compiler.counts:
            return formula
        formula = self._known.setdefault((records, expr, *compiler.named), formula)
        self._shared.add(formula)
        return formula

    def forget(self) -> None:
        """Forget what was read, before another profile."""
        self._columns.clear()

    def column(self, formula: Formula, case: Evaluator, items: Sequence[Record]) -> list[Reading]:
        """The readings of a formula for each record, or for the profile itself as the only one."""
        found = self._columns.get(formula)
        if found is None:
            found = [formula(case, item) for item in items]
            if formula in self._shared:
                self._columns[formula] = found
        return found


class _Compiler:
    """Makes a function of each node.

    ``named`` are the definitions that the formula names; ``counts`` tells whether it counts records.
    """

    def __init__(self, ruleset: Ruleset, records: str) -> None:
        self.ruleset = ruleset
        self.records = records
        self.named: list[Any] = []
        self.counts = False

    def formula(self, expr: Expr) -> Formula:
        match expr:
            case ("fact", id):
                return self._fact(id)
            case ("year", id, offset):
                return self._year(id, offset)
            case ("field", id):
                return self._field(id)
            case ("const", text):
                return self._const(text)
            case ("add", *parts):
                return self._add(parts)
            case ("sub", a, b):
                return self._binary(a, b, _difference)
            case ("div", a, b):
                return self._binary(a, b, _ratio)
            case ("mul", a, b):
                return self._binary(a, b, _product)
            case ("least", a, b):
                return self._binary(a, b, _smaller)
            case ("most", a, b):
                return self._binary(a, b, _larger)
            case ("bounded", a, lowers, uppers):
                return self._bounded(a, lowers, uppers)
            case ("parameter", name, offset):
                return self._parameter(name, offset)
            case ("count", records, rule, filed):
                return self._count(records, rule, filed)
            case ("total", records, field, rule, filed):
                return self._total(records, field, rule, filed)
            case ("days", a, b):
                return self._span(a, b, lambda x, y: (y - x).days)
            case ("years", a, b):
                return self._span(a, b, years_between)
            case ("calendar_years", a, b):
                return self._span(a, b, lambda x, y: y.year - x.year)
            case ("year_number", a):
                return self._span(a, a, lambda x, _: x.year)
            case ("lookup", map, a):
                return self._lookup(map, a)
            case ("else_found", a, finding):
                return self._else_found(a, finding)
            case ("else_known", a, b):
                return self._else_known(a, b)
        raise TypeError(expr)

    # leaves

    def _leaf(self, fact: Fact) -> Callable[[Scalar | None], Reading]:
        self.named.append(fact)
        return _leaf(fact)

    def _fact(self, id: str) -> Formula:
        leaf = self._leaf(self.ruleset.facts[id])
        return lambda case, _: leaf(case.values.get(id))

    def _year(self, id: str, offset: int) -> Formula:
        leaf = self._leaf(self.ruleset.facts[id])
        return lambda case, _: leaf(case.values.get(yearly_key(id, case.fiscal_year + offset)))

    def _field(self, id: str) -> Formula:
        leaf = self._leaf(self.ruleset.fields[f"{self.records}.{id}"])
        return lambda _, record: leaf(record.get(id))

    def _const(self, text: str) -> Formula:
        reading = _number(text)
        return lambda *_: reading

    def _parameter(self, name: str, offset: int) -> Formula:
        found = self.ruleset.parameters[name]
        self.named.append(found)
        of_year = lru_cache(maxsize=16)(found.of_year)
        keys = [(key, self._fact(key)) for key in found.keys]

        def read(case: Evaluator, record: Record) -> Reading:
            year = case.fiscal_year + offset
            known = {key: value(case, record).code for key, value in keys}
            possible = [
                (row, fits) for row in of_year(year) if (fits := row.fits(known)) is not False
            ]
            if not possible:
                where = "".join(known.get(key) or "" for key in ("province", "city"))
                return _broken(f"没有{where}{year}年的「{name}」")
            row, fits = possible[0]
            return _number(str(row.value)) if fits else Reading(gap=Gap.MISSING)

        return read

    # arithmetic; with no gap anywhere, both ends are one value

    def _add(self, parts: Sequence[Expr]) -> Formula:
        terms = [self.formula(part) for part in parts]

        def read(case: Evaluator, record: Record) -> Reading:
            readings = [term(case, record) for term in terms]
            lo = _sum([r.lo for r in readings])
            gaps = [r.gap for r in readings if r.gap]
            if not gaps:
                return Reading(lo, lo)
            if any(r.broken for r in readings):
                return _worst(*readings)
            return _interval(lo, _sum([r.hi for r in readings]), widest(gaps))

        return read

    def _binary(self, a: Expr, b: Expr, read: Callable[[Reading, Reading], Reading]) -> Formula:
        """A node of two values."""
        left, right = self.formula(a), self.formula(b)
        return lambda case, record: read(left(case, record), right(case, record))

    def _bounded(self, a: Expr, lowers: tuple[Expr, ...], uppers: tuple[Expr, ...]) -> Formula:
        value = self.formula(a)
        below, above = map(self.formula, lowers), map(self.formula, uppers)
        lower_ends, upper_ends = tuple(below), tuple(above)

        def read(case: Evaluator, record: Record) -> Reading:
            x = value(case, record)
            if x.impossible:
                return x
            lo, hi = x.lo, x.hi
            for bound in lower_ends:
                end = bound(case, record).lo
                if end is not None and (lo is None or end > lo):
                    lo = end
            for bound in upper_ends:
                end = bound(case, record).hi
                if end is not None and (hi is None or end < hi):
                    hi = end
            if lo is not None and hi is not None and lo > hi:
                return _broken("申报的各项总数互相矛盾", impossible=True)
            return _interval(lo, hi, x.gap)

        return read

    # records

    def _count(self, records: str, rule: str, total: str | None) -> Formula:
        def read(case: Evaluator, record: Record) -> Reading:
            outcomes = case.outcomes(records, rule)
            sure = outcomes.count(Outcome.MET)
            if not case.profile.records[records].complete:
                return Reading(sure, None, Gap.MISSING)
            missing, pending = map(outcomes.count, (Outcome.MISSING, Outcome.PENDING))
            gap = Gap.MISSING if missing else Gap.PENDING
            return _interval(sure, sure + missing + pending, gap)

        return self._listed(records, read, total)

    def _total(self, records: str, field: str, rule: str, total: str | None) -> Formula:
        leaf = _leaf(self.ruleset.fields[f"{records}.{field}"])

        def read(case: Evaluator, record: Record) -> Reading:
            filed = case.profile.records[records]
            lo: Number = 0
            hi: Number | None = 0 if filed.complete else None
            gaps = [] if filed.complete else [Gap.MISSING]
            for item, outcome in zip(filed.items, case.outcomes(records, rule), strict=True):
                if outcome is Outcome.NOT_MET:
                    continue
                amount = leaf(item.get(field))
                hi = None if hi is None or amount.hi is None else hi + amount.hi
                gaps.append(amount.gap)
                if outcome is Outcome.MET:
                    lo += amount.lo or 0
                else:
                    gaps.append(Gap(outcome))
            return _interval(lo, hi, widest(gaps))

        return self._listed(records, read, total)

    def _listed(self, records: str, itemised: Formula, total: str | None) -> Formula:
        """The reading of a list: its records if there are any, settled by the filed total.

        If the records contradict the total, the reading is broken. A total that is a flag says
        whether there is any record at all.
        """
        self.counts = True
        nothing_filed = Reading(0, None, Gap.MISSING)
        total_of = self._fact(total) if total is not None else lambda *_: nothing_filed

        def read(case: Evaluator, record: Record) -> Reading:
            filed = case.profile.listed(records)
            stated = total_of(case, record)
            if not filed.items and not filed.complete:
                return stated
            listed = itemised(case, record)
            if total is None or total not in case.profile.values:
                return listed
            flag = self.ruleset.facts[total].kind == "flag"
            ends = [min(e, _ONE) if flag and e is not None else e for e in (listed.lo, listed.hi)]
            if _within(stated, *ends):
                return stated
            return _broken("清单与申报的总数互相矛盾", impossible=True)

        return read

    # dates

    def _date(self, expr: Expr) -> Callable[["Evaluator", Record], date | Gap]:
        match expr:
            case ("as_of",):
                return lambda case, _: case.profile.as_of
            case ("new_year", offset):
                return lambda case, _: date(case.profile.as_of.year + offset, 1, 1)
            case ("day", text):
                fixed = date.fromisoformat(text)
                return lambda *_: fixed
            case ("else_known", a, b):
                return _either_day(self._date(a), self._date(b))
        formula = self.formula(expr)

        def read(case: Evaluator, record: Record) -> date | Gap:
            found = formula(case, record)
            return found.gap if found.code is None else _day(found.code)

        return read

    def _span(self, a: Expr, b: Expr, measure: Callable[[date, date], Number]) -> Formula:
        start_of, end_of = self._date(a), self._date(b)
        exactly = lru_cache(maxsize=1 << 12)(lambda start, end: _point(measure(start, end)))

        def read(case: Evaluator, record: Record) -> Reading:
            start, end = start_of(case, record), end_of(case, record)
            if isinstance(start, Gap) or isinstance(end, Gap):
                return Reading(gap=widest([g for g in (start, end) if isinstance(g, Gap)]))
            return exactly(start, end)

        return read

    # codes

    def _lookup(self, map: str, a: Expr) -> Formula:
        text_of, table = self.formula(a), self.ruleset.maps[map]
        self.named.append(tuple(sorted(table.items())))

        def read(case: Evaluator, record: Record) -> Reading:
            text = text_of(case, record)
            if text.code is None:
                return text
            for end in range(len(text.code), 0, -1):
                if text.code[:end] in table:
                    return Reading(code=table[text.code[:end]])
            return _broken(f"代码「{text.code}」没有对应的划型行业")

        return read

    def _else_found(self, a: Expr, finding: Expr) -> Formula:
        value, finding_of = self.formula(a), self.formula(finding)

        def read(case: Evaluator, record: Record) -> Reading:
            x = value(case, record)
            if not x.broken:
                return x
            found = finding_of(case, record)
            return found if found.gap is Gap.NONE else x

        return read

    def _else_known(self, a: Expr, b: Expr) -> Formula:
        value, other = self.formula(a), self.formula(b)

        def read(case: Evaluator, record: Record) -> Reading:
            x = value(case, record)
            if x.broken or not x.gap:
                return x
            instead = other(case, record)
            return x if instead.gap else instead

        return read


# binary arithmetic; with no gap on either side, both ends are one value


def _difference(x: Reading, y: Reading) -> Reading:
    if x.broken or y.broken:
        return _worst(x, y)
    lo = None if x.lo is None or y.hi is None else x.lo - y.hi
    if not (x.gap or y.gap):
        return Reading(lo, lo)
    hi = None if x.hi is None or y.lo is None else x.hi - y.lo
    return _interval(lo, hi, widest([x.gap, y.gap]))


def _ratio(x: Reading, y: Reading) -> Reading:
    if x.broken or y.broken:
        return _worst(x, y)
    divisor = y.exact
    if divisor is None:
        return Reading(gap=widest([x.gap, y.gap]))
    if divisor <= 0:
        return _broken("分母为零或负数")
    lo = None if x.lo is None else Fraction(x.lo, divisor)
    if not x.gap:
        return Reading(lo, lo)
    return _interval(lo, None if x.hi is None else Fraction(x.hi, divisor), x.gap)


def _product(x: Reading, y: Reading) -> Reading:
    if not (x.gap or y.gap):
        assert x.lo is not None
        assert y.lo is not None
        return _point(x.lo * y.lo)
    if x.exact == 0 or y.exact == 0:  # whatever the other is, also if it cannot be computed
        return _NO
    if (x.broken or y.broken) and not (_spans_zero(x) or _spans_zero(y)):
        return _worst(x, y)
    corners = [_times(a, b) for a in _ends(x) for b in _ends(y)]
    (below, lo), (above, hi) = min(corners), max(corners)
    return _interval(None if below else lo, None if above else hi, widest([x.gap, y.gap]))


def _spans_zero(x: Reading) -> bool:
    return not x.broken and (x.lo is None or x.lo <= 0) and (x.hi is None or x.hi >= 0)


#: An end of an interval, in order: -1 or 1 if it is endless, else 0; and its value.
_End: TypeAlias = tuple[int, Number]


def _ends(x: Reading) -> tuple[_End, _End]:
    return (-1, 0) if x.lo is None else (0, x.lo), (1, 0) if x.hi is None else (0, x.hi)


def _times(a: _End, b: _End) -> _End:
    signs = [endless or (value > 0) - (value < 0) for endless, value in (a, b)]
    sign = signs[0] * signs[1]
    return (sign, 0) if a[0] or b[0] else (0, a[1] * b[1])


def _hopeless(x: Reading, y: Reading) -> bool:
    """Whether nothing can be said of the larger or smaller of two figures."""
    return x.impossible or y.impossible or bool(x.broken and y.broken)


def _larger(x: Reading, y: Reading) -> Reading:
    """The larger: no smaller than either, also if the other has no value."""
    if _hopeless(x, y):
        return _worst(x, y)
    lo = max((end for end in (x.lo, y.lo) if end is not None), default=None)
    hi = None if x.hi is None or y.hi is None else max(x.hi, y.hi)
    return _interval(lo, hi, widest([x.gap, y.gap]))


def _smaller(x: Reading, y: Reading) -> Reading:
    """The smaller: no larger than either, also if the other has no value."""
    if _hopeless(x, y):
        return _worst(x, y)
    lo = None if x.lo is None or y.lo is None else min(x.lo, y.lo)
    hi = min((end for end in (x.hi, y.hi) if end is not None), default=None)
    return _interval(lo, hi, widest([x.gap, y.gap]))


def _either_day(
    first: Callable[[Evaluator, Record], date | Gap],
    other: Callable[[Evaluator, Record], date | Gap],
) -> Callable[[Evaluator, Record], date | Gap]:
    def read(case: Evaluator, record: Record) -> date | Gap:
        day = first(case, record)
        if isinstance(day, date):
            return day
        instead = other(case, record)
        return instead if isinstance(instead, date) else day

    return read


def _within(value: Reading, lo: Number | None, hi: Number | None) -> bool:
    """Whether an exactly known value lies between two ends (None: unbounded)."""
    exact = value.exact
    assert exact is not None
    return (lo is None or lo <= exact) and (hi is None or exact <= hi)


def _leaf(fact: Fact) -> Callable[[Scalar | None], Reading]:
    """The function that reads a value of a fact, or its absence."""
    gap = Gap.MISSING if fact.origin == "填报" else Gap.PENDING
    if fact.kind == "flag":
        either = Reading(0, 1, gap)
        return lambda value: _YES if value is True else either if value is None else _NO
    unknown = _interval(fact.minimum, fact.maximum, gap)
    if fact.kind == "number":
        return _number_leaf(fact, unknown)
    return lambda value: unknown if value is None else _code(str(value))


def _number_leaf(fact: Fact, unknown: Reading) -> Callable[[Scalar | None], Reading]:
    """The same for a number: a value below the least that the fact can truly have is broken."""
    if fact.minimum is None:
        return lambda value: unknown if value is None else _number(str(value))
    least = fact.minimum.numerator if fact.minimum.denominator == 1 else fact.minimum
    broken = _broken(f"{fact.name}{f'小于{least}' if least else '为负数'}", impossible=True)

    def read(value: Scalar | None) -> Reading:
        if value is None:
            return unknown
        found = _number(str(value))
        assert found.lo is not None
        return broken if found.lo < least else found

    return read


def _sum(values: list[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return sum(known)
