"""The one clock: moments are recorded in UTC and shown in China's time, which the law uses."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final

CHINA: Final = timezone(timedelta(hours=8))
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def now() -> datetime:
    """The moment of recording; it never decides anything."""
    return datetime.now(UTC)


def midnight(day: date) -> datetime:
    """The moment at which a day begins in China.

    >>> moment_text(midnight(date(2023, 7, 1)))
    '2023-06-30T16:00:00.000000Z'
    """
    return datetime.combine(day, time(), CHINA)


def china_day(moment: datetime) -> date:
    """The day in China on which a moment lies.

    >>> china_day(datetime(2023, 7, 1, 16, tzinfo=UTC))
    datetime.date(2023, 7, 2)
    """
    return moment.astimezone(CHINA).date()


def moment_text(moment: datetime) -> str:
    """A moment in the form of the record: UTC, with microseconds.

    >>> moment_text(datetime(2023, 7, 1, 8, tzinfo=UTC))
    '2023-07-01T08:00:00.000000Z'
    """
    # strftime does not pad the year on every system
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def is_moment(text: Any) -> bool:
    """Whether a value is a moment in the one form of the record.

    >>> is_moment("2023-07-01T08:00:00.000000Z"), is_moment("2023-07-32T08:00:00.000000Z")
    (True, False)
    """
    if type(text) is not str or not _MOMENT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def china_text(moment: datetime, timespec: str = "seconds") -> str:
    """A moment in the form that people read, in China's time.

    >>> china_text(datetime(2023, 7, 1, 8, tzinfo=UTC))
    '2023-07-01 16:00:00'
    """
    return moment.astimezone(CHINA).replace(tzinfo=None).isoformat(" ", timespec)
