"""Reads a filed value as people write it: 120万元, 是, 2023年6月30日."""

import re
from fractions import Fraction
from typing import Final

from rules.errors import FactsError, QuantityError
from rules.model.days import optional_day
from rules.model.facts import Fact, Scalar, check_value
from rules.model.quantities import UNITS, Quantity, parse

#: A year, or a month or a day of one: no length of time.
DATED: Final = re.compile(r"\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?", re.ASCII)


def filed_value(fact: Fact, text: str) -> Scalar:
    """Convert a value to the form of profiles; raises ``FactsError`` if it is unreadable or unfit.

    >>> spent = Fact("rd_expense", "研发费用总额", "number", "万元")
    >>> filed_value(spent, "120万元")
    '1200000'
    """
    value: Scalar = text
    try:
        if fact.kind == "flag":
            if text not in ("是", "否"):
                raise FactsError(
                    "not-yes-or-no",
                    "「{where}」应为 是 或 否，不是「{value}」",
                    where=fact.name,
                    value=text,
                )
            value = text == "是"
        elif fact.kind == "number":
            value = exact_decimal(_read(fact, text).value)
        elif fact.kind == "date":
            day = optional_day(text)
            value = day.isoformat() if day else ""
    except (QuantityError, ValueError) as error:
        raise FactsError(
            "unreadable-value",
            "「{where}」的值「{value}」无法读取：{cause}",
            where=fact.name,
            value=text,
            cause=error,
        ) from error
    wrong = check_value(fact, value)
    if wrong:
        raise FactsError(
            "unfit-value",
            "「{where}」的值「{value}」{cause}",
            where=fact.name,
            value=text,
            cause=wrong,
        )
    return value


def _read(fact: Fact, text: str) -> Quantity:
    """Read a quantity in the dimension of a fact; money may be in yuan, 万元 or 亿元."""
    found = parse(text)
    if found.dimension != UNITS[fact.unit][0]:
        raise QuantityError(
            "other-unit", "应以{expected}计，例如 2{expected}", value=text, expected=fact.unit
        )
    return found


def exact_decimal(value: Fraction) -> str:
    """A terminating decimal in full.

    >>> exact_decimal(Fraction(1199999, 10000))
    '119.9999'
    """
    if value.denominator == 1:
        return str(value.numerator)
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
