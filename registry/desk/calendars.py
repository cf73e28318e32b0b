"""The calendar: which years' days off and make-up days are known, and a year that is added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from registry.desk.evidence import taken
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.errors import RegistryError
from registry.intake.calendars import read_years
from registry.record import calendars, journal
from registry.record.journal import Entry
from registry.record.register import Notice
from rules.portable.calendar import Calendar, days, months_later

__all__ = ["Entry", "Notice"]

#: The kinds of days: off and worked by a notice, and the weekend.
REST: Final = "rest"
WORK: Final = "work"
WEEK: Final = "week"
_MONTHS: Final = 12


@dataclass(frozen=True, kw_only=True)
class YearLine:
    """A year: the notice it rests on, its ranges of days off, its make-up days, its working days.

    ``months`` has the kind of every day: ``REST`` and ``WORK`` by notices, ``WEEK`` for any other
    weekend, and nothing for any other day. A year between known ones has no ``basis`` and nothing
    else if no notice is known for it.
    """

    year: int
    basis: str = ""
    rest: tuple[tuple[date, date], ...] = ()
    work: tuple[date, ...] = ()
    off: int = 0
    working: int = 0
    months: tuple[tuple[str, ...], ...] = ()

    @property
    def published(self) -> bool:
        """Whether its days are known."""
        return bool(self.basis)


@dataclass(frozen=True)
class CalendarView:
    """The years from the first that is known to the last; all later ones are not published."""

    years: tuple[YearLine, ...]

    @property
    def beyond(self) -> int | None:
        """The first year after those that are known; None if none is."""
        return self.years[-1].year + 1 if self.years else None


@dataclass(frozen=True, kw_only=True)
class Added:
    """A year as it was stated, its entry, and remarks on the file; no entry if nothing changed.

    ``changed`` is what it corrects in the year as it was known before.
    """

    line: YearLine
    entry: Entry | None
    changed: tuple[str, ...]
    notices: tuple[str, ...]


def known(desk: Desk) -> CalendarView:
    """The years on record; where nothing was published, those that a new registry publishes."""
    if not desk.is_there:
        return _view(rulebook().calendar)
    with desk.reading() as session:
        found = calendars.years(session)
        empty = not found and journal.size(session, ["publication"]) == 0
    return _view(rulebook().calendar if empty else found)


def _view(years: Mapping[str, Any]) -> CalendarView:
    if not years:
        return CalendarView(())
    calendar = Calendar.of(years)
    first, last = min(calendar.years), max(calendar.years)
    return CalendarView(tuple(_line(calendar, years, y) for y in range(first, last + 1)))


def _line(calendar: Calendar, years: Mapping[str, Any], year: int) -> YearLine:
    if (stated := years.get(str(year))) is None:
        return YearLine(year=year)
    rest = tuple(sorted((_day(first), _day(last)) for first, last in stated["rest"]))
    return YearLine(
        year=year,
        basis=stated["basis"],
        rest=rest,
        work=tuple(sorted(map(_day, stated["work"]))),
        off=len({day for span in rest for day in days(*span)}),
        working=calendar.counted(date(year, 1, 1), date(year, _MONTHS, 31)),
        months=tuple(_month(calendar, year, month) for month in range(1, _MONTHS + 1)),
    )


def _month(calendar: Calendar, year: int, month: int) -> tuple[str, ...]:
    first = date(year, month, 1)
    following = months_later(first, 1)
    return tuple(
        REST
        if day in calendar.rest
        else WORK
        if day in calendar.work
        else ""
        if calendar.works(day)
        else WEEK
        for day in days(first, following - timedelta(days=1))
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def add(desk: Desk, year: int, file: Path, notice: Notice, *, replaced: bool = False) -> Added:
    """State a year by the rows of a file, which is evidence too; other years in it are not used.

    ``RegistryError`` for a file that cannot be understood or has nothing on the year, and for a year
    on record that is stated otherwise, unless it is to be ``replaced``.
    """
    notices = list[str]()
    found = read_years(file, notices)
    if (stated := found.get(str(year))) is None:
        raise RegistryError(
            "year-not-stated",
            "{where} 中没有{year}年的安排，只有{value}：请核对年度",
            where=file.name,
            year=year,
            value="、".join(f"{other}年" for other in found) or "表头",
        )
    others = [f"{other}年" for other in found if other != str(year)]
    if others:
        notices.append(f"表中{'、'.join(others)}的安排没有用到：这里只登记{year}年")
    with desk.writing() as session:
        before = calendars.years(session).get(str(year))
        files = (*notice.evidence, taken(file, rehearsing=desk.rehearsing))
        entry = calendars.record(
            session, year, stated,
            document=notice.number, dated=notice.dated.isoformat(),
            evidence=tuple(dict.fromkeys(files)), replace=replaced, by=desk.by, now=desk.clock(),
        )  # fmt: skip
        years = calendars.years(session)
    line = _line(Calendar.of(years), years, year)
    changed = calendars.differences(before, years[str(year)]) if before else ()
    return Added(line=line, entry=entry, changed=changed, notices=tuple(notices))
