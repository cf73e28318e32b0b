"""Working days and terms: the published years, the days beside their edges, and years to come."""

import csv
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from rules.errors import Problem
from rules.language.calendars import read_calendar
from rules.portable.calendar import Calendar, Term, UnpublishedError, days, months_later
from rules.tests.packaged import FEATURES, rulebook

DAY = timedelta(days=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Calendar.of(rulebook().calendar)


@pytest.mark.parametrize(
    ("first", "last", "working"),
    [
        ("2023-01-06", "2023-01-12", 5),
        ("2023-07-14", "2023-07-20", 5),
        ("2023-05-29", "2023-06-02", 5),
        ("2023-11-07", "2023-11-09", 3),
        ("2024-10-09", "2024-10-21", 10),  # with a Saturday that works
        ("2025-12-05", "2025-12-11", 5),
        ("2026-02-13", "2026-02-26", 5),
        ("2024-09-30", "2024-10-11", 5),
        ("2023-09-28", "2023-10-10", 5),
        ("2025-09-26", "2025-10-09", 5),
        ("2026-09-30", "2026-10-12", 5),
    ],
)
def test_periods_of_publicity_hold_the_working_days_that_were_printed(
    calendar: Calendar, first: str, last: str, working: int
) -> None:
    start, end = day(first), day(last)
    assert calendar.counted(start, end) == working
    assert calendar.counted(start, end - DAY) == working - 1
    assert Term(working, "工作日", running=True).end(start, calendar) == end


@pytest.mark.parametrize(("year", "working"), [(2023, 249), (2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_as_many_working_days_as_its_notice_leaves(
    calendar: Calendar, year: int, working: int
) -> None:
    assert calendar.counted(date(year, 1, 1), date(year, 12, 31)) == working


def test_days_off_are_no_plain_rest_and_make_up_days_are_weekends(calendar: Calendar) -> None:
    assert all(made_up.weekday() >= 5 for made_up in calendar.work)
    assert not calendar.work & calendar.rest
    assert any(off.weekday() < 5 for off in calendar.rest)


def test_a_year_that_is_not_published_is_never_guessed(calendar: Calendar) -> None:
    last = calendar.last
    assert last == date(2026, 12, 31)
    assert calendar.works(last)
    for unknown in (last + DAY, date(2022, 12, 31)):
        with pytest.raises(UnpublishedError) as caught:
            calendar.works(unknown)
        assert caught.value.fields["year"] == unknown.year
    with pytest.raises(UnpublishedError):
        Term(1, "工作日").end(last, calendar)
    assert Term(1, "工作日", running=True).end(last, calendar) == last
    assert Term(3, "年", running=True).end(date(2026, 1, 1), calendar) == date(2028, 12, 31)


@pytest.mark.parametrize(
    ("start", "term", "end"),
    [
        # a period runs from the next day
        ("2023-07-03", Term(1, "工作日"), "2023-07-04"),
        ("2023-07-07", Term(1, "工作日"), "2023-07-10"),
        ("2023-07-08", Term(1, "工作日"), "2023-07-10"),
        ("2023-07-03", Term(10, "工作日"), "2023-07-17"),
        # a publicity counts its first day, if it is a working day
        ("2023-07-08", Term(1, "工作日", running=True), "2023-07-10"),
        ("2021-11-22", Term(7, "日", running=True), "2021-11-28"),
        # a period by the almanac that would end on a rest day ends on the next working day
        ("2023-07-03", Term(4, "日"), "2023-07-07"),
        ("2023-07-03", Term(5, "日"), "2023-07-10"),
        ("2023-07-03", Term(7, "日"), "2023-07-10"),
        ("2024-09-24", Term(7, "日"), "2024-10-08"),
        ("2023-01-31", Term(1, "个月"), "2023-02-28"),
        ("2023-04-01", Term(3, "个月"), "2023-07-03"),
        # validity never moves
        ("2025-11-08", Term(3, "年", running=True), "2028-11-07"),
        ("2024-07-01", Term(3, "年", running=True), "2027-06-30"),
        ("2024-01-01", Term(3, "年", running=True), "2026-12-31"),
        ("2023-01-01", Term(3, "年", running=True), "2025-12-31"),
        ("2024-02-29", Term(3, "年", running=True), "2027-02-28"),
        ("2024-02-29", Term(4, "年", running=True), "2028-02-28"),
    ],
)
def test_terms_end_where_the_law_has_them_end(
    calendar: Calendar, start: str, term: Term, end: str
) -> None:
    assert term.end(day(start), calendar) == day(end)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda t: t.replace("2024-02-04,2024-02-04,上班", "2024-02-05,2024-02-05,上班"), "周一"),
        (lambda t: t.replace("2023-04-05,2023-04-05", "2023-01-27,2023-01-27"), "重复"),
        (lambda t: t.replace("2023-01-28,2023-01-28", "2023-01-29,2023-01-28"), "末日"),
        (lambda t: t.replace("2024-02-04,2024-02-04,上班", "2024-02-04,2024-02-04,加班"), "加班"),
        (lambda t: t.replace("2024-06-10,2024-06-10", "2024-06-10,2024年6月10日"), "6月10日"),
        (lambda t: t.replace("端午节,2024", "端午节,24"), "24"),
        (lambda t: t.replace("首日,末日", "首日,尾日"), "表头"),
        (lambda t: t.replace(",端午节,2024,国办发明电〔2023〕7号", ",端午节,2024,"), "依据"),
        (lambda t: t.replace("2024-06-10,2024-06-10", "2026-06-10,2026-06-10"), "2024"),
    ],
)
def test_a_faulty_row_is_told(changed: Callable[[str], str], said: str) -> None:
    text = (FEATURES / "maps" / "calendar.csv").read_text(encoding="utf-8")

    def told(text: str) -> list[Problem]:
        return read_calendar("maps/calendar.csv", [*csv.reader(text.splitlines())])[1]

    assert told(text) == []
    assert changed(text) != text
    assert said in str(told(changed(text))[0])


def test_every_day_is_in_one_range_at_most() -> None:
    found = [d for y in rulebook().calendar.values() for r in y["rest"] for d in days(*map(day, r))]
    assert len(found) == len(set(found))
    assert months_later(date(2023, 1, 31), 1) == date(2023, 2, 28)
