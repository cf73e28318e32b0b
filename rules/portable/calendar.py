"""Working days and the ends of periods, of the years whose holidays have been published.

Standard library only. A year that has not been published is never guessed: ``UnpublishedError``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

from rules.portable.errors import DescribedError

_DAY: Final = timedelta(days=1)
_WEEKEND: Final = 5
_MONTHS: Final = 12


class UnpublishedError(DescribedError):
    """The holidays of a year are not known; ``fields["year"]`` is the year."""


@dataclass(frozen=True)
class Calendar:
    """The working days of China, by the yearly notices on holidays and make-up days.

    ``years`` gives the basis of each year that is known; ``rest`` and ``work`` are the days that
    differ from the week.

    >>> calendar = Calendar.of(
    ...     {"2024": {"basis": "…", "rest": [["2024-10-01", "2024-10-07"]], "work": ["2024-10-12"]}}
    ... )
    >>> calendar.counted(date(2024, 10, 9), date(2024, 10, 21))
    10
    """

    years: Mapping[int, str]
    rest: frozenset[date]
    work: frozenset[date]

    @classmethod
    def of(cls, years: Mapping[str, Any]) -> "Calendar":
        """The calendar of years in JSON: basis, ranges of days off, and working days of each."""
        rest = {
            day
            for year in years.values()
            for first, last in year["rest"]
            for day in days(date.fromisoformat(first), date.fromisoformat(last))
        }
        work = {date.fromisoformat(day) for year in years.values() for day in year["work"]}
        bases = {int(year): found["basis"] for year, found in years.items()}
        return cls(bases, frozenset(rest), frozenset(work))

    def works(self, day: date) -> bool:
        """Whether a day is a working day; ``UnpublishedError`` if nobody can know yet."""
        if day.year not in self.years:
            raise UnpublishedError(
                "calendar-unpublished", "{year}年的放假安排未公布，不能推算工作日", year=day.year
            )
        return day in self.work or (day.weekday() < _WEEKEND and day not in self.rest)

    def counted(self, first: date, last: date) -> int:
        """How many working days there are from ``first`` to ``last``, both included."""
        return sum(map(self.works, days(first, last)))

    def working(self, day: date, number: int = 1) -> date:
        """The working day with a number, counted from ``day``, which is the first if it is one."""
        while True:
            number -= self.works(day)
            if number <= 0:
                return day
            day += _DAY

    @cached_property
    def last(self) -> date:
        """The last day that is known; ``date.min`` without any year."""
        return date(max(self.years), _MONTHS, 31) if self.years else date.min


@dataclass(frozen=True)
class Term:
    """A length of time in 工作日, 日, 个月 or 年, and how its days are counted.

    ``running`` terms count the day on which they begin, and end where they end, as a publicity
    does; others run from the next day, and those that would end on a rest day end on the next
    working day (民法典第二百零一条、第二百零三条).

    >>> Term(3, "个月", running=True).raw(date(2023, 11, 30))
    datetime.date(2024, 2, 29)
    """

    number: int
    unit: str
    running: bool = False

    def raw(self, start: date) -> date:
        """The last day by the almanac, for all units but 工作日."""
        match self.unit:
            case "日":
                return start + (self.number - self.running) * _DAY
            case "个月":
                end = months_later(start, self.number)
            case "年":
                end = months_later(start, self.number * _MONTHS)
            case _:
                raise ValueError(self.unit)
        # the month may lack the day: then its last day is the one before the anniversary
        return end - _DAY if self.running and end.day == start.day else end

    def end(self, start: date, calendar: Calendar) -> date:
        """The last day of the term; ``UnpublishedError`` where it depends on an unknown year."""
        if self.unit == "工作日":
            return calendar.working(start if self.running else start + _DAY, self.number)
        end = self.raw(start)
        return end if self.running else calendar.working(end)

    def __str__(self) -> str:
        return f"{self.number}{self.unit}"


def days(first: date, last: date) -> Iterator[date]:
    """The days from ``first`` to ``last``, both included."""
    return (first + n * _DAY for n in range((last - first).days + 1))


def months_later(day: date, number: int) -> date:
    """The same day of a later month, or that month's last day.

    >>> months_later(date(2024, 2, 29), 36), months_later(date(2024, 1, 31), 1)
    (datetime.date(2027, 2, 28), datetime.date(2024, 2, 29))
    """
    year, month = divmod(day.year * _MONTHS + day.month - 1 + number, _MONTHS)
    following = date(year + (month + 1) // _MONTHS, (month + 1) % _MONTHS + 1, 1)
    return min(date(year, month + 1, 1) + (day.day - 1) * _DAY, following - _DAY)
