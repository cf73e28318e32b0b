"""Decimal numbers as plain text."""

import re
from decimal import Decimal
from typing import Final

#: The most digits of a number that can be stored.
DIGITS: Final = 40
_PLAIN: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def decimal_text(value: Decimal) -> str:
    """The only plain text of a decimal: no exponent, no trailing zeros, no minus zero.

    >>> decimal_text(Decimal("1.50E+3")), decimal_text(Decimal("-0.0"))
    ('1500', '0')
    """
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is not a Decimal")
    text = str(value)
    if len(text) > DIGITS or not _PLAIN.fullmatch(text):
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or max(abs(exponent), abs(value.adjusted())) > DIGITS:
            raise ValueError(f"数字{value}超出可保存的范围")
        text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if value else "0"
