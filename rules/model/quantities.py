"""Exact quantities as officials write them: 「100万元」「3%」「2年」 -> ``Fraction`` with a dimension.

Base units: money in yuan, ratios as plain numbers (3% is 3/100), everything else in the unit
itself. Nothing here ever touches a binary float.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeAlias

from rules.errors import QuantityError

#: An exact number. Whole ones are mostly ``int``, which is far faster.
Number: TypeAlias = int | Fraction

#: unit -> (dimension, factor to the base unit)
UNITS: Final[dict[str, tuple[str, Fraction]]] = {
    "元": ("金额", Fraction(1)),
    "万元": ("金额", Fraction(10_000)),
    "亿元": ("金额", Fraction(100_000_000)),
    "%": ("比例", Fraction(1, 100)),
    "个百分点": ("比例", Fraction(1, 100)),
    **{
        unit: (unit, Fraction(1))
        for unit in ("年", "天", "项", "人", "分", "级", "名", "件", "家", "次")
    },
}

#: The most digits before and after the point: more than any threshold or figure has.
LONGEST: Final = 40
_NUMBER = rf"[+-]?\d{{1,{LONGEST}}}(?:\.\d{{1,{LONGEST}}})?"
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_QUANTITY = re.compile(rf"({_NUMBER})({_UNIT})", re.ASCII)

_DIGITS: Final = dict(
    zip("〇零一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)
_PLACES: Final = {"十": 10, "百": 100, "千": 1000}
_CHINESE = "".join((*_DIGITS, *_PLACES))
_FIGURE = rf"\d[\d,]{{0,{LONGEST}}}(?:\.\d{{1,{LONGEST}}})?|[{_CHINESE}]{{1,{LONGEST}}}"
_MENTION = re.compile(
    rf"百分之(?P<percent>{_FIGURE})|(?P<number>{_FIGURE})\s{{0,9}}(?P<unit>{_UNIT})", re.ASCII
)


@dataclass(frozen=True, order=True)
class Quantity:
    """An exact value in the base unit of its dimension (yuan, plain ratio, 年, 项, …).

    >>> parse("100万元")
    Quantity(value=Fraction(1000000, 1), dimension='金额')
    """

    value: Fraction
    dimension: str


def parse(text: str) -> Quantity:
    """Read one quantity; ``QuantityError`` for a number without a unit, or anything else.

    >>> parse("3%").value
    Fraction(3, 100)
    >>> parse("1,000万元")
    Traceback (most recent call last):
    ...
    rules.errors.QuantityError: 「1,000万元」不是可识别的数量：请写成数字加单位，例如 100万元、3%、2年、20分
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise QuantityError(
            "unreadable-quantity",
            "「{value}」不是可识别的数量：请写成数字加单位，例如 100万元、3%、2年、20分",
            value=text[:LONGEST],
        )
    dimension, factor = UNITS[match[2]]
    return Quantity(Fraction(match[1]) * factor, dimension)


def mentions(text: str) -> set[Quantity]:
    """All quantities in a clause; Chinese numerals and full-width digits are normalised.

    >>> sorted(q.value for q in mentions("近两年达到２000万元，比重不低于3%"))
    [Fraction(3, 100), Fraction(2, 1), Fraction(20000000, 1)]
    """
    return {quantity for quantity, _, _ in placed(unicodedata.normalize("NFKC", text))}


def placed(text: str) -> Iterator[tuple[Quantity, int, int]]:
    """Each quantity in a normalised text, with the places where it begins and ends.

    >>> [(q.value, start, end) for q, start, end in placed("占比不低于百分之五")]
    [(Fraction(1, 20), 5, 9)]
    """
    for match in _MENTION.finditer(text):
        dimension, factor = UNITS[match["unit"] or "%"]
        yield (
            Quantity(_number(match["percent"] or match["number"]) * factor, dimension),
            *match.span(),
        )


@lru_cache(maxsize=1 << 14)
def show(value: Number, unit: str, *, digits: int = 4) -> str:
    """A value in base units, shown in ``unit``; 约 marks a decimal cut after ``digits`` places.

    >>> show(Fraction(28, 1000), "%")
    '2.8%'
    >>> show(Fraction(1, 3), "%")
    '约33.3333%'
    """
    scaled = value / UNITS[unit][1]
    cut = round(scaled, digits)
    text = _decimal(cut, digits)
    return f"{'' if cut == scaled else '约'}{text}{unit}"


def yearly_rate(ratio: Number, years: int) -> Fraction:
    """The yearly rate of a growth over some years: exact if it is rational, else nearest below.

    Twelve decimals are enough to show it; a comparison compounds the threshold instead.

    >>> yearly_rate(Fraction(121, 100), 2), float(yearly_rate(2, 3))
    (Fraction(1, 10), 0.259921049894)
    """
    found = Fraction(ratio)
    ends = [_root(end, years) for end in (found.numerator, found.denominator)]
    if [end**years for end in ends] == [found.numerator, found.denominator]:
        return Fraction(*ends) - 1
    scale = 10**12
    return Fraction(_root(found.numerator * scale**years // found.denominator, years), scale) - 1


def _root(value: int, degree: int) -> int:
    """The greatest whole number whose power is not above ``value``, which is not negative."""
    low, high = 0, 1 << -(-value.bit_length() // degree)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
    return low


def _decimal(value: Fraction, digits: int) -> str:
    whole, rest = divmod(abs(value.numerator) * 10**digits // value.denominator, 10**digits)
    fraction = f"{rest:0{digits}d}".rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' + fraction if fraction else ''}"


def _number(text: str) -> Fraction:
    if text[0] in _DIGITS or text[0] in _PLACES:
        return Fraction(_chinese(text))
    return Fraction(text.replace(",", ""))


def _chinese(text: str) -> int:
    """Chinese numerals below ten thousand: 二十 -> 20, 两 -> 2, 三百零五 -> 305."""
    total, digit = 0, None
    for character in text:
        if character in _PLACES:
            total += (1 if digit is None else digit) * _PLACES[character]
            digit = None
        else:
            digit = _DIGITS[character] if digit is None else digit * 10 + _DIGITS[character]
    return total + (digit or 0)
