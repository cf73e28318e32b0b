"""Days as officials write them."""

from datetime import date


def day_text(day: date) -> str:
    """A day in words.

    >>> day_text(date(2026, 4, 1))
    '2026年4月1日'
    """
    return f"{day.year}年{day.month}月{day.day}日"
