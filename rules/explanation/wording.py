"""Values and differences in words: figures in the unit of the form, exact or marked 约."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from rules.engine.readings import Reading
from rules.model.days import day_text
from rules.model.facts import Fact, Scalar
from rules.model.quantities import UNITS, Number, show
from rules.model.ruleset import Gap, Indicator, Outcome, Result

NOT_FILED: Final = "未填报"
NOT_FOUND: Final = "待审核认定"
AT_THRESHOLD: Final = "恰在门槛上"
_DAYS_OF_YEAR: Final = 365
#: Amounts below this many yuan are shown in yuan.
_SMALL_MONEY: Final = 100
#: Decimals of a figure by unit; money is shown to the fen.
_DIGITS: Final = {"万元": 6}
#: Longer numbers and texts are cut, and … replaces the rest.
_LONGEST_NUMBER: Final = 20
_LONGEST_TEXT: Final = 60


def value_text(fact: Fact, value: Scalar) -> str:
    """A filed value in the form in which officers write it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if fact.kind == "number":
        return quantity(Fraction(value), fact.unit)
    if fact.kind == "date":
        return day_text(date.fromisoformat(value))
    return _cut(value, _LONGEST_TEXT)


def result_text(result: Result) -> str:
    """符合, 15分, or an interval of points such as 6～10分."""
    if isinstance(result, Outcome):
        return result.text
    if result.lo == result.hi:
        return f"{plain(result.lo)}分"
    return f"{plain(result.lo)}～{plain(result.hi)}分"


def plain(points: Fraction) -> str:
    """Points as a bare number."""
    return show(points, "分").removesuffix("分")


def reading_text(indicator: Indicator, reading: Reading) -> str:
    """The reading of an indicator: a value, an interval, or the reason why there is none."""
    if reading.broken:
        return f"无法计算（{reading.broken}）"
    if reading.code is not None:
        return _cut(reading.code, _LONGEST_TEXT)
    exact = reading.exact
    if exact is None:
        return _interval_text(indicator, reading)
    if indicator.kind == "flag":
        return "是" if exact else "否"
    if indicator.kind == "date":
        first = indicator.day
        return _relative_day(exact) if first is None else day_text(first + timedelta(int(exact)))
    return quantity(indicator.measured(exact), indicator.unit)


def gap_text(gap: Gap) -> str:
    """What someone must do about an unknown value."""
    return NOT_FILED if gap is Gap.MISSING else NOT_FOUND


def quantity(value: Number, unit: str) -> str:
    """A figure in its unit; years are cut to two decimals, so that none looks complete too early.

    >>> quantity(Fraction(1999, 1000), "年"), quantity(Fraction("1499999.99"), "万元")
    ('约1.99年', '149.999999万元')
    """
    if unit == "年":
        cut = Fraction(value * 100 // 1, 100)
        return f"{'' if cut == value else '约'}{_short(show(cut, unit), unit)}"
    return _short(show(value, unit, digits=_DIGITS.get(unit, 4)), unit)


def magnitude(value: Fraction, unit: str, digits: int = 4) -> str:
    """The size of a difference: of ratios in percentage points, of parts of a year in days.

    >>> magnitude(Fraction(1, 10**9), "%")
    '不足0.0001个百分点'
    """
    size = abs(value)
    if unit == "年":
        return f"约{-(-size * _DAYS_OF_YEAR // 1)}天" if 0 < size < 1 else quantity(size, unit)
    if unit == "万元" and 0 < size < _SMALL_MONEY:
        unit = "元"
    named = "个百分点" if unit == "%" else unit
    least = UNITS[named][1] / 10**digits
    if 0 < size < least:
        return f"不足{show(least, named, digits=digits)}"
    return _short(show(size, named, digits=digits), named)


def _short(shown: str, unit: str) -> str:
    return f"{_cut(shown.removesuffix(unit), _LONGEST_NUMBER)}{unit}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _interval_text(indicator: Indicator, reading: Reading) -> str:
    unknown = gap_text(reading.gap)
    if indicator.kind != "number" or reading.lo is None:
        return unknown
    low = quantity(indicator.measured(reading.lo), indicator.unit)
    if reading.hi is None:
        return f"不少于{low}" if reading.lo else unknown
    return f"{low}～{quantity(indicator.measured(reading.hi), indicator.unit)}"


def _relative_day(days: Number) -> str:
    if days == 0:
        return "填报日当日"
    return f"填报日{'后' if days > 0 else '前'}{abs(days)}天"
