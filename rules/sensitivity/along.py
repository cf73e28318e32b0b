"""Figures as functions of one fact, and the places on its grid at which their comparisons change.

An ``Along`` takes the place of an exact fraction in a reading. It is compared at one grid point,
and notes the grid points from which on the comparison would come out otherwise. Up to the nearest
of them, an evaluation takes the same course.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, zip_longest
from math import gcd
from typing import Final, TypeAlias, Union

from rules.errors import RulesetError

#: Coefficients from the constant term on, without zeros at the end; () is zero.
Polynomial: TypeAlias = tuple[int, ...]
Number: TypeAlias = Union["Along", Fraction, int]

_ONE: Final = (1,)


def sign(value: Fraction | int) -> int:
    """-1, 0 or 1."""
    return (value > 0) - (value < 0)


def sign_changes(f: Callable[[int], Fraction | int], degree: int, lo: int, hi: int) -> list[int]:
    """The whole numbers k in (lo, hi] at which the signs of f(k) and f(k - 1) differ.

    f is a polynomial of at most this degree or, for degree 1, any monotone function. The result is
    exact: between two sign changes of its differences, f is monotone on whole numbers.

    >>> sign_changes(lambda k: k * k - 2, 2, -5, 5)
    [-1, 2]
    >>> sign_changes(lambda k: 3 * k - 6, 1, 0, 9)
    [2, 3]
    """
    if degree == 0 or lo >= hi:
        return []
    turns = [] if degree == 1 else sign_changes(lambda k: f(k + 1) - f(k), degree - 1, lo, hi - 1)
    found = []
    for start, end in pairwise([lo, *turns, hi]):
        here, last = sign(f(start)), sign(f(end))
        while here != last:
            before, after = start, end
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if sign(f(middle)) == here else (before, middle)
            found.append(after)
            start, here = after, sign(f(after))
    return found


def value_at(point: Fraction | int, polynomial: Polynomial) -> Fraction | int:
    """The value of a polynomial."""
    value: Fraction | int = 0
    for coefficient in reversed(polynomial):
        value = value * point + coefficient
    return value


@dataclass(frozen=True)
class Grid:
    """The whole numbers from ``lo`` to ``hi`` (None: unbounded) as places of one fact.

    Sign changes of polynomials are remembered, because evaluations ask for them repeatedly.
    """

    lo: int | None
    hi: int | None
    _known: dict[Polynomial, tuple[int, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def turns(self, polynomial: Polynomial) -> Sequence[int]:
        """The places at which a polynomial in the place changes its sign."""
        shared = gcd(*polynomial)
        least = tuple(c // shared for c in polynomial)
        if least not in self._known:
            # no root is larger than this (Cauchy's bound), so no sign changes further out
            bound = 3 + max(map(abs, least)) // abs(least[-1])
            lo = -bound if self.lo is None else self.lo
            hi = bound if self.hi is None else min(self.hi, max(bound, lo))
            degree = len(least) - 1
            self._known[least] = tuple(sign_changes(lambda k: value_at(k, least), degree, lo, hi))
        return self._known[least]

    def days(self, measure: Callable[[int], Fraction | int], polynomial: Polynomial) -> list[int]:
        """The days at which the sign of a linear function of a monotone measure changes."""
        linear = 2
        if len(polynomial) > linear:
            raise RulesetError(
                "uncombined-dates", "日期的计量只支持与常数合并计算，无法计算其变动的影响"
            )
        assert self.lo is not None
        assert self.hi is not None
        return sign_changes(lambda k: value_at(measure(k), polynomial), 1, self.lo, self.hi)


@dataclass(eq=False)
class Track:
    """The place of a fact on its grid, and the places at which comparisons come out otherwise.

    ``point`` is the value of the polynomials' variable at that place. ``find`` gives the places for
    a polynomial; ``turns`` collects them.
    """

    point: Fraction | int
    turns: set[int]
    find: Callable[[Polynomial], Sequence[int]]

    def sign(self, polynomial: Polynomial) -> int:
        """The sign of a polynomial; the places where it changes are noted."""
        if len(polynomial) > 1:
            self.turns.update(self.find(polynomial))
        return sign(value_at(self.point, polynomial))


@dataclass(frozen=True, eq=False)
class Along:
    """A quotient of polynomials along a track, with a positive denominator.

    It compares as its value at the track's place does.
    """

    track: Track
    above: Polynomial
    below: Polynomial = _ONE

    @property
    def value(self) -> Fraction:
        """The value at the track's place."""
        above, below = (value_at(self.track.point, p) for p in (self.above, self.below))
        return Fraction(above) / below

    def _like(self, other: Number) -> "Along":
        if not isinstance(other, Along):
            return Along(self.track, _trimmed([other.numerator]), (other.denominator,))
        if other.track is not self.track:
            raise RulesetError(
                "two-day-scales", "同一日期的两种计量不能合并计算，无法计算其变动的影响"
            )
        return other

    def __add__(self, other: Number) -> "Along":
        b = self._like(other)
        if self.below == b.below:
            return Along(self.track, _sum(self.above, b.above), self.below)
        crossed = _sum(_product(self.above, b.below), _product(b.above, self.below))
        return Along(self.track, crossed, _product(self.below, b.below))

    __radd__ = __add__

    def __neg__(self) -> "Along":
        return Along(self.track, _negative(self.above), self.below)

    def __sub__(self, other: Number) -> "Along":
        return self + -other

    def __rsub__(self, other: Number) -> "Along":
        return -self + other

    def __mul__(self, other: Number) -> "Along":
        b = self._like(other)
        return Along(self.track, _product(self.above, b.above), _product(self.below, b.below))

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> "Along":
        b = self._like(other)  # positive: evaluators check a divisor before they divide
        return Along(self.track, _product(self.above, b.below), _product(self.below, b.above))

    def __rtruediv__(self, other: Number) -> "Along":
        return self._like(other) / self

    def _against(self, other: Number) -> int:
        """The sign of the difference; the places where it changes are noted."""
        return 0 if other is self else self.track.sign((self - other).above)

    def __lt__(self, other: Number) -> bool:
        return self._against(other) < 0

    def __le__(self, other: Number) -> bool:
        return self._against(other) <= 0

    def __gt__(self, other: Number) -> bool:
        return self._against(other) > 0

    def __ge__(self, other: Number) -> bool:
        return self._against(other) >= 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Along | Fraction | int) and self._against(other) == 0

    def __hash__(self) -> int:
        return hash(self.value)


def _trimmed(coefficients: list[int]) -> Polynomial:
    while coefficients and not coefficients[-1]:
        coefficients.pop()
    return tuple(coefficients)


def _negative(a: Polynomial) -> Polynomial:
    return tuple(-c for c in a)


def _sum(a: Polynomial, b: Polynomial) -> Polynomial:
    return _trimmed([x + y for x, y in zip_longest(a, b, fillvalue=0)])


def _product(a: Polynomial, b: Polynomial) -> Polynomial:
    terms = [0] * max(len(a) + len(b) - 1, 0)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            terms[i + j] += x * y
    return _trimmed(terms)
