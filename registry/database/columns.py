"""Column types that keep values exact on both SQLite and PostgreSQL.

Neither database is trusted with a decimal: SQLite would turn it into a binary float. Every type
raises ``ValueError`` for values that it could store only by changing them.
"""

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Date, DateTime, Dialect, Integer, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from registry.errors import AlteredError
from registry.kit.decimals import DIGITS, decimal_text
from rules.portable.errors import Remedy

#: Row numbers: BIGINT, but on SQLite the INTEGER that its row ids need.
RowId: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")

#: The most bytes of a row, which holds the texts of one filing, ruleset or load; in the copy of a
#: registry, no larger row is read.
LARGEST_ROW: Final = 16 << 20
_LIMIT: Final = 2**63
#: Rounds no value that could be stored.
_EXACT: Final = Context(prec=100, traps=[Inexact])


def fen(value: Decimal) -> int:
    """An amount in yuan as whole fen; ``ValueError`` for fractions of a fen.

    >>> fen(Decimal("0.290"))
    29
    """
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is not a Decimal")
    if not value.is_finite() or abs(value.adjusted()) > DIGITS:
        raise ValueError(f"数字{value}超出可保存的范围")
    try:
        hundredfold = _EXACT.multiply(value, 100)
    except Inexact:
        raise ValueError(f"数字{value}超出可保存的范围") from None
    whole = int(hundredfold)
    if hundredfold != whole:
        raise ValueError(f"金额{value:f}元精确到1分以下，不能准确保存")
    return _bounded(whole)


def _bounded(number: int) -> int:
    if not -_LIMIT < number < _LIMIT:
        raise ValueError(f"数字{number}超出可保存的范围")
    return number


class Yuan(TypeDecorator[Decimal]):
    """An amount in yuan, stored as BIGINT fen."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Yuan to fen; refuses floats and fractions of a fen."""
        return None if value is None else fen(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Fen to yuan."""
        if value is None:
            return None
        if type(value) is not int:
            raise _altered("金额", value)
        return Decimal(f"{value}E-2")


class Count(TypeDecorator[int]):
    """A whole number, stored as BIGINT."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """Refuses everything but whole numbers."""
        if value is None:
            return None
        if type(value) is not int:
            raise TypeError(f"{value!r} is not a whole number")
        return _bounded(value)


class Exact(TypeDecorator[Decimal]):
    """A number that is neither money nor a count, stored as its plain decimal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """The decimal's plain text; refuses floats."""
        return None if value is None else decimal_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """The decimal; raises ``AlteredError`` if it is written in any other form."""
        if value is None:
            return None
        with suppress(ArithmeticError, TypeError, ValueError):
            number = Decimal(value)
            if decimal_text(number) == value:
                return number
        raise _altered("数字", value)


class Day(TypeDecorator[date]):
    """A day, which SQLite keeps as text; raises ``AlteredError`` for any other form."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's type; SQLite's reads only one form."""
        return dialect.type_descriptor(_SQLITE_DAY if dialect.name == "sqlite" else Date())


class _SqliteDay(sqlite.DATE):
    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return _read_day


class _SqliteMoment(sqlite.DATETIME):
    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return _read_moment


_SQLITE_DAY: Final = _SqliteDay()  # type: ignore[no-untyped-call]
_SQLITE_MOMENT: Final = _SqliteMoment()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1 << 14)
def _read_day(stored: Any) -> date | None:
    if stored is None:
        return None
    with suppress(TypeError, ValueError):
        found = date.fromisoformat(stored)
        if found.isoformat() == stored:
            return found
    raise _altered("日期", stored)


@lru_cache(maxsize=1 << 14)
def _read_moment(stored: Any) -> datetime | None:
    if stored is None:
        return None
    with suppress(TypeError, ValueError):
        found = datetime.fromisoformat(stored)
        if found.isoformat(" ", "microseconds") == stored:
            return found
    raise _altered("时间", stored)


def _altered(what: str, stored: object) -> AlteredError:
    shown = repr(stored)[:40]
    return AlteredError(
        "altered-value",
        "登记库中有{where}（{value}）不是登记时的写法，已被改动",
        where=what,
        value=shown,
        remedy=Remedy("verify-record"),
    )


class Utc(TypeDecorator[datetime]):
    """A moment, stored as naive UTC and read as aware UTC."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's type; SQLite's reads only one form."""
        return dialect.type_descriptor(_SQLITE_MOMENT if dialect.name == "sqlite" else DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Any time zone to naive UTC; refuses a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Naive UTC to aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)
