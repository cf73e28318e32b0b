"""Days as officials write them."""

import re
from contextlib import suppress
from datetime import date
from typing import Final

#: A day in words, as a part of a pattern.
DAY: Final = r"\d{4}年\d{1,2}月\d{1,2}日"
_DAY: Final = re.compile(r"(\d{4})(?:年|-)(\d{1,2})(?:月|-)(\d{1,2})日?")


def parse_day(text: str) -> date:
    """A day as officials write it (2026年4月1日 or 2026-04-01).

    Any other text raises ``ValueError``, which says how to write it.

    >>> parse_day("2026年4月1日")
    datetime.date(2026, 4, 1)
    """
    match = _DAY.fullmatch(text.strip())
    with suppress(ValueError):
        if match is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
    raise ValueError("请写成 2023-06-30 或 2023年6月30日")


def optional_day(text: str) -> date | None:
    """The same; None for an empty text."""
    return parse_day(text) if text else None


def day_text(day: date) -> str:
    """A day in words.

    >>> day_text(date(2026, 4, 1))
    '2026年4月1日'
    """
    return f"{day.year}年{day.month}月{day.day}日"
