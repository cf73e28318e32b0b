"""The values of formulas in SQL, as in ``rules.engine.readings``: intervals and gaps.

A figure consists of both ends of its interval, as fractions over one denominator that is never
zero; an end that is NULL is open. Times are never computed: the date is compared with the day on
which the threshold is reached, which is found at compile time.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import gcd
from typing import Any, Final, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from registry.screening.compiler.elements import DayLiteral
from registry.screening.compiler.truths import (
    Condition,
    Truth,
    absent,
    all_of,
    any_of,
    negated,
    present,
)
from registry.screening.compiler.widths import (
    Comparison,
    Int,
    case,
    compare,
    is_null,
    literal,
    not_null,
)
from rules.model.facts import YEARS

_ONE: Final = literal(1)


@dataclass(frozen=True)
class Gap:
    """What would settle a figure: a filed fact, else a person's finding."""

    missing: Condition = False
    pending: Condition = False

    def where(self, condition: Condition) -> "Gap":
        """The gap, limited to rows for which a condition holds."""
        return Gap(all_of(self.missing, condition), all_of(self.pending, condition))

    def outcome(self) -> Int:
        """The outcome of a comparison that the gap leaves open."""
        if self.pending is False:
            return _MISSING
        return case([(self.missing, _MISSING)], _PENDING)

    def number(self) -> Int:
        """0 for none, 1 for a filed fact, 2 for a person."""
        return case([(self.missing, _MISSING), (self.pending, _PENDING)], literal(0))


_MISSING, _PENDING = literal(1), literal(2)


def widest(gaps: Sequence[Gap]) -> Gap:
    """The gap of a whole."""
    return Gap(any_of(*(g.missing for g in gaps)), any_of(*(g.pending for g in gaps)))


class Figure(Protocol):
    """A value that can be compared with constants."""

    @property
    def gap(self) -> Gap:
        """The gap: what would settle the figure."""

    def low_is(self, op: Comparison, limit: Fraction) -> Condition:
        """Whether the low end satisfies the comparison; not true if it is open."""

    def high_is(self, op: Comparison, limit: Fraction) -> Condition:
        """Whether the high end satisfies the comparison; not true if it is open."""

    @property
    def low_open(self) -> Condition:
        """Whether there is no low end."""

    @property
    def high_open(self) -> Condition:
        """Whether there is no high end."""

    @property
    def exact(self) -> Condition:
        """Whether there is only one value, as far as that is easy to tell."""


@dataclass(frozen=True)
class Number:
    """A figure from lo / (den·scale) to hi / (den·scale); an end of None is open for every filing.

    ``den`` is positive. ``broken`` is the condition that the figure cannot be computed; then both
    ends are NULL. ``impossible`` is the part of it where nothing can be computed with the figure.
    """

    lo: Int | None
    hi: Int | None
    gap: Gap = Gap()
    scale: int = 1
    den: Int = _ONE
    broken: Condition = False
    impossible: Condition = False

    def low_is(self, op: Comparison, limit: Fraction) -> Condition:
        """Whether the low end satisfies the comparison."""
        return self._compared(self.lo, op, limit)

    def high_is(self, op: Comparison, limit: Fraction) -> Condition:
        """Whether the high end satisfies the comparison."""
        return self._compared(self.hi, op, limit)

    def _compared(self, end: Int | None, op: Comparison, limit: Fraction) -> Condition:
        if end is None:
            return False
        left, right = limit.denominator, limit.numerator * self.scale
        common = gcd(left, right)
        return compare(op, end.times(left // common), self.den.times(right // common))

    @property
    def low_open(self) -> Condition:
        """Whether there is no low end."""
        return True if self.lo is None else is_null(self.lo)

    @property
    def high_open(self) -> Condition:
        """Whether there is no high end."""
        return True if self.hi is None else is_null(self.hi)

    @property
    def exact(self) -> Condition:
        """Whether both ends are equal."""
        if self.lo is None or self.hi is None:
            return False
        if self.lo.sql is self.hi.sql:
            # both ends are the column, or a bound of its unknown value
            return present(self.lo.sql) if self.lo.instead is not None else not_null(self.lo)
        return compare("=", self.lo, self.hi)

    def settled(self) -> "Number":
        """The figure, without a gap where both ends are equal."""
        return replace(self, gap=self.gap.where(negated(self.exact)))

    @property
    def plain(self) -> "Number":
        """The figure with ends that can be computed with."""
        lo = None if self.lo is None else self.lo.plain
        hi = None if self.hi is None else self.hi.plain
        return replace(self, lo=lo, hi=hi)


@dataclass(frozen=True)
class Span:
    """A time that grows or shrinks with a date: ``of`` gives the time for each day."""

    day: ColumnElement[Any]
    of: Callable[[date], Fraction]
    grows: bool
    gap: Gap

    def low_is(self, op: Comparison, limit: Fraction) -> Condition:
        """Whether the time satisfies the comparison; NULL if the date is not known."""
        return self._is(op, limit)

    def high_is(self, op: Comparison, limit: Fraction) -> Condition:
        """The same as ``low_is``: a known date has one time."""
        return self._is(op, limit)

    def _is(self, op: Comparison, limit: Fraction) -> Condition:
        # the first day, in the order of days, from which on the time is at (or past) the limit
        strict = op in (">", "<=") if self.grows else op in (">=", "<")
        sign = 1 if self.grows else -1

        def reached(day: date) -> bool:
            here, there = sign * self.of(day), sign * limit
            return here > there if strict else here >= there

        place = bisect_left(_DAYS, True, key=lambda n: reached(date.fromordinal(n)))
        first = DayLiteral(date.fromordinal(_DAYS[0] + place))
        upwards = (op in (">=", ">")) is self.grows
        return Truth(self.day >= first if upwards else self.day < first, True)

    @property
    def low_open(self) -> Condition:
        """Whether the date is not known."""
        return absent(self.day)

    @property
    def high_open(self) -> Condition:
        """Whether the date is not known."""
        return absent(self.day)

    @property
    def exact(self) -> Condition:
        """Whether the date is known."""
        return present(self.day)


#: All days that can be filed; a threshold that none of them reaches is never reached.
_DAYS: Final = range(date(YEARS.start, 1, 1).toordinal(), date(YEARS.stop, 1, 1).toordinal())


@dataclass(frozen=True)
class Words:
    """A code or text; NULL if it is not known. A code is a number: its index in ``codes``."""

    sql: ColumnElement[Any]
    gap: Gap
    broken: Condition = False
    codes: tuple[str, ...] = ()

    def among(self, codes: Iterable[str]) -> Truth:
        """Whether the code or text is one of these."""
        wanted = codes if not self.codes else [n for n, c in enumerate(self.codes) if c in codes]
        return Truth(self.sql.in_(list(wanted)), True)

    @property
    def text(self) -> ColumnElement[Any]:
        """The code or text as text."""
        if not self.codes:
            return self.sql
        return sa.case(*((self.sql == n, sa.literal(c)) for n, c in enumerate(self.codes)))

    def coded(self, codes: tuple[str, ...]) -> ColumnElement[Any]:
        """The code as an index in other codes."""
        if codes == self.codes:
            return self.sql
        return sa.case(*((self.among([c]).sql, literal(n).sql) for n, c in enumerate(codes)))


@dataclass(frozen=True)
class Day:
    """A date: one for each filing, or the same for all."""

    sql: ColumnElement[Any] | None
    fixed: date | None
    gap: Gap = Gap()


Reading: TypeAlias = Number | Span | Words
