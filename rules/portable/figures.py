"""Exact figures, of which not everything may be known, and what is computed from them.

The first part of the reference evaluator. Nothing here knows a filing or a rule: a function takes
numbers, texts and readings, and gives a reading.

A *gap* says what would settle a value that is not exactly known: 0 nothing, 1 a filed fact, 2 a
person's finding.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

MISSING: Final = 1
PENDING: Final = 2


class EvaluationError(Exception):
    """This evaluator does not understand the ruleset or the facts."""


Json: TypeAlias = Mapping[str, Any]

#: An exact number. Whole numbers are mostly ``int``, which computes far faster.
Number: TypeAlias = int | Fraction


class Reading(NamedTuple):
    """What is known of a figure: it lies in [lo, hi] (None: unbounded), or it is a known code.

    A ``broken`` figure cannot be computed from any figures; only a person can settle it. It is
    ``NOTHING`` that could be computed, or what is filed is ``IMPOSSIBLE``; else ``broken`` is 0.
    """

    lo: Number | None
    hi: Number | None
    gap: int
    code: str | None = None
    broken: int = 0


#: No value at all, as of a ratio to zero. It limits nothing that is computed with it.
NOTHING: Final = Reading(None, None, PENDING, broken=1)
#: A figure that cannot be, or that contradicts others. Nothing can be computed with it.
IMPOSSIBLE: Final = Reading(None, None, PENDING, broken=2)


# numbers

#: The numbers that are read. Python would accept others, such as 1e9999999999, too large to use.
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+|/[1-9][0-9]*)?")


@lru_cache(maxsize=1 << 14)
def number(text: object) -> Number:
    """The exact number in a text.

    >>> number("1.5"), number("7/2"), number("100")
    (Fraction(3, 2), Fraction(7, 2), 100)
    """
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise EvaluationError(f"numbers are decimals or fractions in a text, not {text!r}")
    whole, dot, decimals = text.partition(".")
    if dot:
        value = Fraction(int(whole + decimals), 10 ** len(decimals))
    elif "/" in text:
        value = Fraction(text)
    else:
        return int(text)
    return value.numerator if value.denominator == 1 else value


def end(text: str | None) -> Number | None:
    """An end of a stretch of values, if it has one there."""
    return None if text is None else number(text)


def ratio(a: Number, b: Number) -> Number:
    """a / b, exactly: for two whole numbers Python's division gives a float."""
    if isinstance(a, int):
        return Fraction(a, b) if isinstance(b, int) else a / b
    return a / b


def same(lo: Number, hi: Number | None) -> bool:
    """Whether two ends are equal; mostly they are one object, and comparing fractions is slow."""
    return lo is hi or lo == hi


# readings


def widest(gaps: Iterable[int]) -> int:
    """The gap of a whole: a filed fact is asked for before a person's finding."""
    return min([gap for gap in gaps if gap], default=0)


def exactly(value: Number) -> Reading:
    """A known figure."""
    return tuple.__new__(Reading, (value, value, 0, None, 0))  # as Reading() does, but at once


#: The known flags.
YES: Final = exactly(1)
NO: Final = exactly(0)


def interval(lo: Number | None, hi: Number | None, gap: int) -> Reading:
    """A figure from lo to hi; there is no gap if these are equal."""
    return Reading(lo, hi, 0 if lo is not None and same(lo, hi) else gap)


def leaf(fact: Json) -> Callable[[object], Reading]:
    """The reading of a filed fact or a finding; if unknown, every value that it may take.

    A number below the least that the fact can truly have is impossible.
    """
    kind, origin = fact["kind"], fact["origin"]
    if kind not in ("number", "flag", "code", "date", "text") or origin not in ("填报", "认定"):
        raise EvaluationError(f"unknown kind or origin of a fact: {kind!r}, {origin!r}")
    gap = MISSING if origin == "填报" else PENDING
    if kind == "flag":
        either = Reading(0, 1, gap)
        return lambda value: either if value is None else flag(value)
    if kind != "number":
        anything = Reading(None, None, gap)
        return lambda value: anything if value is None else code(value)
    lo, hi = (end(fact[bound] or None) for bound in ("minimum", "maximum"))
    unknown = interval(lo, hi, gap)

    def read(value: object) -> Reading:
        if value is None:
            return unknown
        known = number(value)
        return IMPOSSIBLE if lo is not None and known < lo else exactly(known)

    return read


def flag(value: object) -> Reading:
    """The reading of a known flag."""
    if value is True:
        return YES
    if value is False:
        return NO
    raise EvaluationError(f"flags are true or false, not {value!r}")


def code(value: object) -> Reading:
    """The reading of a known code, date or text."""
    if not isinstance(value, str):
        raise EvaluationError(f"codes, dates and texts are texts, not {value!r}")
    return tuple.__new__(Reading, (None, None, 0, value, 0))


def worst_of(parts: Sequence[Reading]) -> Reading:
    """The part that lets least be computed."""
    return max(parts, key=lambda part: part.broken)


def sum_up(terms: Sequence[Reading]) -> Reading:
    """The sum of figures; if one is broken, so is the sum."""
    known = [term.lo for term in terms if term.lo is not None and term.lo is term.hi]
    if known and len(known) == len(terms):
        return exactly(sum(known[1:], known[0]))
    broken = [term for term in terms if term.broken]
    if broken:
        return worst_of(broken)
    los = [term.lo for term in terms if term.lo is not None]
    his = [term.hi for term in terms if term.hi is not None]
    return interval(
        sum(los) if len(los) == len(terms) else None,
        sum(his) if len(his) == len(terms) else None,
        widest(term.gap for term in terms),
    )


def negative(a: Reading) -> Reading:
    """The figure with its sign changed."""
    lo, hi = None if a.hi is None else -a.hi, None if a.lo is None else -a.lo
    return Reading(lo, hi, a.gap, a.code, a.broken)


def difference(a: Reading, b: Reading) -> Reading:
    """a - b."""
    if a.lo is not None and a.lo is a.hi and b.lo is not None and b.lo is b.hi:
        return exactly(a.lo - b.lo)
    return sum_up([a, negative(b)])


def quotient(a: Reading, b: Reading) -> Reading:
    """a / b: nothing if b is known and not positive, unbounded while b is not exactly known."""
    if a.broken or b.broken:
        return worst_of([a, b])
    if b.lo is None or not same(b.lo, b.hi):
        return Reading(None, None, widest([a.gap, b.gap]))
    if b.lo <= 0:
        return NOTHING
    if a.lo is not None and a.lo is a.hi:
        return exactly(ratio(a.lo, b.lo))
    lo = None if a.lo is None else ratio(a.lo, b.lo)
    hi = None if a.hi is None else ratio(a.hi, b.lo)
    return interval(lo, hi, a.gap)


def product(a: Reading, b: Reading) -> Reading:
    """a * b: from the least to the greatest product of their ends, of which some may be endless.

    Zero times anything is zero, also if that cannot be computed.
    """
    if a.lo is not None and a.lo is a.hi and b.lo is not None and b.lo is b.hi:
        return exactly(a.lo * b.lo)
    if (a.broken or b.broken) and not (may_be_zero(a) or may_be_zero(b)):
        return worst_of([a, b])
    lows: list[Number | None] = []
    highs: list[Number | None] = []
    for x, x_falls in ((a.lo, True), (a.hi, False)):
        for y, y_falls in ((b.lo, True), (b.hi, False)):
            if x == 0 or y == 0:  # however large the other may be
                lows.append(0)
                highs.append(0)
            elif x is not None and y is not None:
                lows.append(x * y)
                highs.append(x * y)
            elif (x_falls if x is None else x < 0) is (y_falls if y is None else y < 0):
                highs.append(None)
            else:
                lows.append(None)
    lo = min((end for end in lows if end is not None), default=None)
    hi = max((end for end in highs if end is not None), default=None)
    endless = [any(end is None for end in ends) for ends in (lows, highs)]
    gap = widest([a.gap, b.gap])
    return interval(None if endless[0] else lo, None if endless[1] else hi, gap)


def may_be_zero(a: Reading) -> bool:
    """Whether a figure is zero, or may turn out to be."""
    return not (a.broken or (a.lo is not None and a.lo > 0) or (a.hi is not None and a.hi < 0))


def smaller(a: Reading, b: Reading) -> Reading:
    """The smaller of two figures: no greater than either, also if the other is nothing."""
    if IMPOSSIBLE in (a, b) or (a.broken and b.broken):
        return worst_of([a, b])
    lo = None if a.lo is None or b.lo is None else min(a.lo, b.lo)
    hi = min((end for end in (a.hi, b.hi) if end is not None), default=None)
    return interval(lo, hi, widest([a.gap, b.gap]))


def greater(a: Reading, b: Reading) -> Reading:
    """The greater of two figures."""
    return negative(smaller(negative(a), negative(b)))


def else_found(a: Reading, found: Reading) -> Reading:
    """A figure, or what a person found if it cannot be computed."""
    return found if a.broken and found.gap == 0 else a


#: What is computed from two figures.
BINARY: Final = {
    "sub": difference,
    "div": quotient,
    "mul": product,
    "least": smaller,
    "most": greater,
    "else_found": else_found,
}


def bounded(
    a: Reading, lowers: Sequence[Number | None], uppers: Sequence[Number | None]
) -> Reading:
    """a within the bounds; impossible if no value is left, as when filed totals contradict it."""
    if a == IMPOSSIBLE:
        return a
    lo, hi = a.lo, a.hi
    for end in lowers:
        if end is not None and (lo is None or end > lo):
            lo = end
    for end in uppers:
        if end is not None and (hi is None or end < hi):
            hi = end
    if lo is not None and hi is not None and lo is not hi and lo > hi:
        return IMPOSSIBLE
    return interval(lo, hi, a.gap)


def lookup(table: Mapping[str, str], a: Reading) -> Reading:
    """The code for the longest prefix of a text in the table; nothing if there is none."""
    if a.code is None:
        return a
    prefixes = [a.code[:end] for end in range(1, len(a.code) + 1)]
    known = [prefix for prefix in prefixes if prefix in table]
    return Reading(None, None, 0, code=table[known[-1]]) if known else NOTHING


# dates


def anniversary(day: date, after: int) -> date:
    """The same day ``after`` years later; in a common year 29 February becomes 1 March."""
    try:
        return date(day.year + after, day.month, day.day)
    except ValueError:
        return date(day.year + after, 3, 1)


def years(a: date, b: date) -> Number:
    """Full years from a to b, plus the share of the current year's days that have passed.

    >>> years(date(2012, 6, 30), date(2022, 7, 1))
    Fraction(3651, 365)
    """
    if b < a:
        return -years(b, a)
    full = b.year - a.year
    if anniversary(a, full) > b:
        full -= 1
    start, end = anniversary(a, full), anniversary(a, full + 1)
    return full + Fraction((b - start).days, (end - start).days)


#: What is measured between two dates.
MEASURES: Final[Mapping[str, Callable[[date, date], Number]]] = {
    "days": lambda a, b: (b - a).days,
    "years": years,
    "calendar_years": lambda a, b: b.year - a.year,
}
