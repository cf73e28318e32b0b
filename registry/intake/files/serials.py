"""Days as workbooks store them: counted from 1900 or from 1904."""

from datetime import datetime, timedelta
from typing import Final

#: Day 61 is 1 March 1900; day 60, 29 February 1900, never existed.
_BASE: Final = datetime(1899, 12, 30)
_BASE_1904: Final = datetime(1904, 1, 1)
_LEAP: Final = 60
_SECOND: Final = timedelta(seconds=1)


class Since1904(float):
    """A number from a workbook that counts days from 1 January 1904."""


def day(number: float, since_1904: bool = False) -> datetime | None:
    """The moment that a number counts, to the second; None if there is no such day.

    >>> day(40969), day(59), day(60), day(39507, since_1904=True)
    (datetime.datetime(2012, 3, 1, 0, 0), datetime.datetime(1900, 2, 28, 0, 0), None, datetime.datetime(2012, 3, 1, 0, 0))
    """
    if not since_1904 and (number < 1 or int(number) == _LEAP):
        return None
    if not since_1904 and number < _LEAP:
        number += 1
    try:
        found = (_BASE_1904 if since_1904 else _BASE) + timedelta(days=number)
        found += _SECOND / 2  # binary fractions of a day are not exact to the second
    except (OverflowError, ValueError):
        return None
    found = found.replace(microsecond=0)
    return found if number >= 0 and found.year <= 9999 else None
