"""Sums, quotients, bounds and choices of figures in SQL, interval by interval."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from math import lcm

from registry.screening.compiler.figures import Gap, Number, widest
from registry.screening.compiler.truths import Condition, all_of, any_of, choice, negated
from registry.screening.compiler.widths import (
    Comparison,
    Int,
    UnsupportedError,
    case,
    compare,
    is_null,
    literal,
    not_null,
)

_NOTHING, _ONE = literal(0), literal(1)


def in_parts(a: Int, of: int, b: Int, other: int) -> tuple[Int, Int]:
    """Two numbers, in parts of 1/``of`` and of 1/``other``, converted to a common part."""
    common = lcm(of, other)
    return a.times(common // of), b.times(common // other)


def aligned(den: Int, scale: int, other: Number, end: Int) -> tuple[Int, Int, tuple[Int, int]]:
    """The factor for one figure, another figure's end in the common parts, and these parts."""
    common = lcm(scale, other.scale)
    mine, theirs = literal(common // scale), end.times(common // other.scale)
    if other.den is den or other.den.constant == den.constant == 1:
        return mine, theirs, (den, common)
    return mine * other.den, theirs * den, (den * other.den, common)


def total(a: Number, b: Number) -> Number:
    """The sum; if either figure is broken, so is the sum, and only a person can settle it."""
    los = None if b.lo is None or a.lo is None else aligned(a.den, a.scale, b, b.lo)
    his = None if b.hi is None or a.hi is None else aligned(a.den, a.scale, b, b.hi)
    parts = los or his
    den, scale = parts[2] if parts else (literal(1), 1)
    lo = None if los is None or a.lo is None else a.lo * los[0] + los[1]
    hi = None if his is None or a.hi is None else a.hi * his[0] + his[1]
    gap, broken = widest([a.gap, b.gap]), any_of(a.broken, b.broken)
    return Number(lo, hi, _persons(gap, broken), scale, den, broken, _impossible(a, b))


def impossible(scale: int, den: Int = _ONE) -> Number:
    """A figure that cannot be, with which nothing can be computed."""
    return Number(None, None, Gap(pending=True), scale, den, True, True)


def _impossible(a: Number, b: Number) -> Condition:
    return any_of(a.impossible, b.impossible)


def _persons(gap: Gap, broken: Condition) -> Gap:
    """The gap, or a person's gap where something is broken."""
    if broken is False:
        return gap
    return Gap(all_of(gap.missing, negated(broken)), any_of(gap.pending, broken))


def negative(a: Number) -> Number:
    """The figure with its sign changed."""
    zero = literal(0)
    lo = None if a.hi is None else zero - a.hi
    hi = None if a.lo is None else zero - a.lo
    return replace(a, lo=lo, hi=hi)


def quotient(a: Number, b: Number, bind: Callable[[Condition], Condition]) -> Number:
    """a / b; broken if b is known and not positive, open if b is not known."""
    if b.lo is None or b.den.constant != 1:
        raise UnsupportedError("ratio-as-divisor", "除数本身是比例")
    known = negated(any_of(b.gap.missing, b.gap.pending, b.broken))
    above = compare(">", b.lo, _NOTHING)
    computable = bind(all_of(known, above))
    broken = any_of(a.broken, b.broken, all_of(known, negated(above)))
    ends = [
        None if end is None else case([(computable, end.times(b.scale))], None)
        for end in (a.lo, a.hi)
    ]
    divisor = case([(computable, b.lo)], _ONE)
    divisor = replace(divisor, low=1, high=max(1, divisor.high), null=False)
    gap = _persons(widest([a.gap, b.gap]), broken)
    return Number(ends[0], ends[1], gap, a.scale, a.den * divisor, broken, _impossible(a, b))


def product(a: Number, b: Number, bind: Callable[[Int], Int]) -> Number:
    """a * b: from the least to the greatest product of their ends, some of which may be infinite.

    Zero times anything is zero, even if that cannot be computed.
    """
    scale, den = a.scale * b.scale, a.den * b.den
    never_zero = negated(any_of(_may_be_zero(a), _may_be_zero(b)))
    gap, broken = widest([a.gap, b.gap]), all_of(any_of(a.broken, b.broken), never_zero)
    corners: list[Int] = []
    endless: dict[bool, list[Condition]] = {True: [], False: []}
    for x, x_falls in ((a.lo, True), (a.hi, False)):
        for y, y_falls in ((b.lo, True), (b.hi, False)):
            known = None if x is None or y is None else x * y
            zero = any_of(*(compare("=", end, _NOTHING) for end in (x, y) if end is not None))
            corners.append(bind(case([(zero, _NOTHING)], known)))
            unequal = _differ(_falls(x, x_falls), _falls(y, y_falls))
            open_ = all_of(negated(zero), any_of(_open(x), _open(y)))
            endless[True].append(all_of(open_, unequal))
            endless[False].append(all_of(open_, negated(unequal)))

    def furthest(op: Comparison, *hidden: Condition) -> Int:
        end = corners[0]
        for other in corners[1:]:
            end = bind(picked(end, other, op) or other)
        return case([(any_of(*hidden), None)], end)

    lo, hi = furthest("<", *endless[True]), furthest(">", *endless[False])
    found = Number(lo, hi, gap, scale, den).settled()
    return replace(
        found,
        gap=_persons(found.gap, broken),
        broken=broken,
        impossible=all_of(_impossible(a, b), never_zero),
    )


def _may_be_zero(a: Number) -> Condition:
    """Whether a figure is zero, or may turn out to be."""
    ends: list[tuple[Comparison, Int]] = []
    if a.lo is not None and a.lo.high > 0:
        ends.append((">", a.lo))
    if a.hi is not None and a.hi.low < 0:
        ends.append(("<", a.hi))
    beside = (compare(op, end, _NOTHING) for op, end in ends)
    return negated(any_of(a.broken, *beside))


def _open(end: Int | None) -> Condition:
    return True if end is None else is_null(end)


def _falls(end: Int | None, down: bool) -> Condition:
    """Whether an end is below zero; an open end lies as far out as possible in its direction."""
    if end is None:
        return down
    below = False if end.low >= 0 else all_of(not_null(end), compare("<", end, _NOTHING))
    return any_of(all_of(is_null(end), down), below)


def _differ(a: Condition, b: Condition) -> Condition:
    return any_of(all_of(a, negated(b)), all_of(negated(a), b))


def larger(a: Number, b: Number) -> Number:
    """The larger of two figures."""
    return negative(smaller(negative(a), negative(b)))


def smaller(a: Number, b: Number) -> Number:
    """The smaller of two figures: no greater than either, even if the other has no value."""
    scale = lcm(a.scale, b.scale)
    alike = a.den is b.den or a.den.constant == b.den.constant == 1
    den, by_a, by_b = (a.den, _ONE, _ONE) if alike else (a.den * b.den, b.den, a.den)

    def ends(x: Int | None, y: Int | None) -> tuple[Int | None, Int | None]:
        return (
            None if x is None else x.times(scale // a.scale) * by_a,
            None if y is None else y.times(scale // b.scale) * by_b,
        )

    low_a, low_b = ends(a.lo, b.lo)
    high_a, high_b = ends(a.hi, b.hi)
    lo = None
    if low_a is not None and low_b is not None:
        either = any_of(is_null(low_a), is_null(low_b))
        lo = case([(either, None), (compare("<=", low_a, low_b), low_a)], low_b)
    hi = high_b if high_a is None else picked(high_a, high_b, "<")
    false = _impossible(a, b)
    valueless = Number(None, None, Gap(pending=True), scale, den, broken=True)
    branches = [(false, impossible(scale, den)), (all_of(a.broken, b.broken), valueless)]
    found = Number(lo, hi, widest([a.gap, b.gap]), scale, den).settled()
    return chosen_figure(branches, found)


def picked(a: Int | None, b: Int | None, op: Comparison) -> Int | None:
    """The greater (or lesser) of two ends that may be open."""
    if a is None or b is None:
        return b if a is None else a
    return case(
        [(all_of(not_null(a), any_of(is_null(b), compare(op, a, b))), a), (not_null(b), b)], a
    )


def chosen_figure(branches: Sequence[tuple[Condition, Number]], rest: Number) -> Number:
    """The figure of the first branch whose condition holds."""
    if all(condition is False for condition, _ in branches):
        return rest
    numbers = [*(n for _, n in branches), rest]
    usable = [n for n in numbers if n.lo is not None or n.hi is not None]
    scale = reduce(lcm, (n.scale for n in usable), 1)
    conditions = [c for c, _ in branches]

    def chosen(pick: Callable[[Number], Int | None]) -> Int | None:
        values = [pick(n) for n in numbers]
        if all(v is None for v in values):
            return None
        return case(list(zip(conditions, values[:-1], strict=True)), values[-1])

    def held(pick: Callable[[Number], Condition]) -> Condition:
        return choice([(c, pick(n)) for c, n in zip(conditions, numbers, strict=False)], pick(rest))

    def ended(end: Int | None, number: Number) -> Int | None:
        return None if end is None else end.times(scale // number.scale)

    den = chosen(lambda n: n.den)
    assert den is not None
    return Number(
        chosen(lambda n: ended(n.lo, n)),
        chosen(lambda n: ended(n.hi, n)),
        Gap(held(lambda n: n.gap.missing), held(lambda n: n.gap.pending)),
        scale,
        den,
        held(lambda n: n.broken),
        held(lambda n: n.impossible),
    )
