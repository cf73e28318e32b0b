"""Whole numbers in SQL that cannot overflow: every expression knows the smallest type that fits.

Bounds are carried from the columns through every operation. A result of 31 or 63 bits is computed
in that type; for larger ones, both sides are cast to NUMERIC(38, 0) first. More than 38 digits are
refused, because some databases would silently wrap, round or convert the number to a binary float.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import add, mul, sub
from typing import Any, Final, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from registry.errors import RegistryError
from registry.screening.compiler.elements import Wide
from registry.screening.compiler.truths import Condition, Truth, absent, any_of, present

Comparison: TypeAlias = Literal[">=", ">", "<", "<=", "="]


class UnsupportedError(RegistryError):
    """A ruleset, or a part of it, cannot be put into SQL exactly; the engine has to decide."""


class Size(IntEnum):
    """The type of an expression: INTEGER, BIGINT or NUMERIC(38, 0)."""

    INT = 4
    LONG = 8
    WIDE = 16


_LIMITS: Final = ((Size.INT, 2**31), (Size.LONG, 2**63), (Size.WIDE, 10**38))
_TYPES: Final[dict[Size, Any]] = {
    Size.INT: sa.Integer(),
    Size.LONG: sa.BigInteger(),
    Size.WIDE: sa.Numeric(38, 0),
}


def size_of(low: int, high: int) -> Size:
    """The smallest type that holds all values from ``low`` to ``high``.

    >>> size_of(0, 2**31 - 1).name, size_of(0, 2**31).name
    ('INT', 'LONG')
    """
    most = max(abs(low), abs(high))
    for size, limit in _LIMITS:
        if most < limit:
            return size
    raise UnsupportedError("too-wide", "算式的中间结果可能超过38位，不能用 SQL 准确计算")


@dataclass(frozen=True)
class Int:
    """A whole number in SQL: every value except NULL lies from ``low`` to ``high``.

    ``null`` says whether it may be NULL; ``size`` is its type in the database. If there is an
    ``instead``, a NULL of ``sql`` stands for this number, and comparisons with constants need no
    check for NULL. ``values`` are all possible values, if these are few and known.
    """

    sql: ColumnElement[Any]
    low: int
    high: int
    size: Size
    null: bool = False
    instead: int | None = None
    values: frozenset[int] = frozenset()

    @property
    def constant(self) -> int | None:
        """The value, if it is the same for all filings."""
        return self.low if self.low == self.high and not self.null else None

    @property
    def plain(self) -> "Int":
        """The number, with ``instead`` made part of the expression."""
        if self.instead is None:
            return self
        sql = sa.func.coalesce(self.sql, literal(self.instead).sql)
        return Int(sql, self.low, self.high, self.size)

    def cast(self, size: Size) -> ColumnElement[Any]:
        """The expression in a type at least as wide as ``size``."""
        if self.instead is not None:
            return self.plain.cast(size)
        if self.size >= size:
            return self.sql
        return Wide("cast", self.sql) if size is Size.WIDE else sa.cast(self.sql, _TYPES[size])

    def __add__(self, other: "Int") -> "Int":
        if other.constant == 0:
            return self
        if self.constant == 0:
            return other
        return _operated("+", self, other, self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Int") -> "Int":
        if other.constant == 0:
            return self
        return _operated("-", self, other, self.low - other.high, self.high - other.low)

    def __mul__(self, other: "Int") -> "Int":
        for one, rest in ((self, other), (other, self)):
            if one.constant == 1:
                return rest
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return _operated("*", self, other, min(ends), max(ends))

    def bits(self, first: int, count: int) -> "Int":
        """The number in these bits of a non-negative number."""
        shifted = self.sql.bitwise_rshift(sa.literal_column(str(first))) if first else self.sql
        mask = literal((1 << count) - 1)
        return Int(shifted.bitwise_and(mask.sql), 0, mask.high, self.size, self.null)

    def times(self, factor: int) -> "Int":
        """The product with a constant."""
        return self * literal(factor)


def literal(value: int) -> Int:
    """A constant."""
    text = f"({value})" if value < 0 else str(value)
    return Int(
        sa.literal_column(text), value, value, size_of(value, value), values=frozenset([value])
    )


_OPERATIONS: Final[dict[str, Callable[[Any, Any], ColumnElement[Any]]]] = {
    "+": add,
    "-": sub,
    "*": mul,
}


def _operated(op: str, a: Int, b: Int, low: int, high: int) -> Int:
    x, y = a.constant, b.constant
    if x is not None and y is not None:
        return literal({"+": x + y, "-": x - y, "*": x * y}[op])
    a, b = a.plain, b.plain
    size = max(size_of(low, high), a.size, b.size)
    left, right = _fitted(a, b, size)
    made = Wide(op, left, right) if size is Size.WIDE else _OPERATIONS[op](left, right)
    return Int(made, low, high, size, a.null or b.null)


def _fitted(a: Int, b: Int, size: Size) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Both sides, cast so that the result has this type; INTEGER with BIGINT gives BIGINT."""
    if size is not Size.WIDE and size in (a.size, b.size):
        return a.sql, b.sql
    return a.cast(size), b.cast(size)


def compare(op: Comparison, a: Int, b: Int) -> Condition:
    """The comparison of two numbers; it does not hold if one of them is NULL."""
    x, y = a.constant, b.constant
    if x is not None and y is not None:
        return _holds(op, x, y)
    if a.instead is not None and y is not None:
        return any_of(
            _holds(op, a.instead, y) and Truth(a.sql.is_(None)), _compared(op, _bare(a), b)
        )
    if b.instead is not None and x is not None:
        return compare(_TURNED[op], b, a)
    return _compared(op, a.plain, b.plain)


def _compared(op: Comparison, a: Int, b: Int) -> Truth:
    size = max(a.size, b.size)
    left, right = _fitted(a, b, size)
    sql = Wide(op, left, right) if size is Size.WIDE else left.bool_op(op)(right)
    return Truth(sql, a.null or b.null)


def _holds(op: Comparison, x: int, y: int) -> bool:
    return {">=": x >= y, ">": x > y, "<": x < y, "<=": x <= y, "=": x == y}[op]


def _bare(value: Int) -> Int:
    """The number as it is stored, without its ``instead``."""
    return Int(value.sql, value.low, value.high, value.size, True)


_TURNED: Final[dict[Comparison, Comparison]] = {
    ">=": "<=",
    ">": "<",
    "<": ">",
    "<=": ">=",
    "=": "=",
}


def is_null(value: Int) -> Condition:
    """Whether a number is NULL."""
    return absent(value.sql) if value.null else False


def not_null(value: Int) -> Condition:
    """Whether a number is not NULL."""
    return present(value.sql) if value.null else True


def case(branches: Sequence[tuple[Condition, Int | None]], rest: Int | None) -> Int:
    """The value of the first branch whose condition holds, else ``rest``; None is NULL."""
    kept: list[tuple[ColumnElement[bool], Int | None]] = []
    for condition, value in branches:
        if condition is True:
            rest = value
            break
        if condition is not False:
            kept.append((condition.sql, value))
    while kept and _same(kept[-1][1], rest):
        kept.pop()
    if not kept:
        return rest if rest is not None else NULL
    values = [v for v in (*(v for _, v in kept), rest) if v is not None]
    size = max(v.size for v in values)
    null = any(v is None or v.null for v in (*(v for _, v in kept), rest))

    def cast(value: Int | None) -> ColumnElement[Any]:
        if value is None:
            return sa.null()
        return value.cast(size) if size is Size.WIDE else value.plain.sql

    made = sa.case(*((c, cast(v)) for c, v in kept), else_=None if rest is None else cast(rest))
    few = [v.values for v in values]
    known = frozenset().union(*few) if all(few) and not null else frozenset()
    return Int(
        made, min(v.low for v in values), max(v.high for v in values), size, null, values=known
    )


def bitwise(op: Literal["&", "|"], numbers: Sequence[Int]) -> Int:
    """Combine numbers of few bits bitwise; its ``values`` are those of all operands."""
    joined = numbers[0].sql
    for number in numbers[1:]:
        joined = _BITWISE[op](joined, number.sql)
    low, high = min(n.low for n in numbers), max(n.high for n in numbers)
    known = frozenset().union(*(n.values for n in numbers))
    return Int(joined.self_group(), low, high, max(n.size for n in numbers), values=known)


_BITWISE: Final[dict[str, Callable[[Any, Any], ColumnElement[Any]]]] = {
    "&": lambda a, b: a.bitwise_and(b),
    "|": lambda a, b: a.bitwise_or(b),
}


def _same(a: Int | None, b: Int | None) -> bool:
    if a is None or b is None:
        return a is b
    return a is b or (a.constant is not None and a.constant == b.constant)


#: A number that is not known for any filing.
NULL: Final = Int(sa.cast(sa.null(), sa.BigInteger()), 0, 0, Size.LONG, True)


def coalesced(value: Int, other: int) -> Int:
    """The number, or a constant if it is NULL."""
    if not value.null:
        return value
    size = max(value.size, literal(other).size)
    return Int(value.sql, min(value.low, other), max(value.high, other), size, instead=other)
