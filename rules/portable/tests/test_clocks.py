"""Clocks: what is due on which day, by which table, and what does not depend on when one asks."""

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.language.clocks import published
from rules.portable.calendar import Calendar, Term
from rules.portable.canonical import canonical_json
from rules.portable.clocks import Clock, ClockError, Clocks, Period, periods
from rules.portable.timing import (
    STATES,
    Decided,
    Event,
    Extension,
    Timing,
    Title,
    allowed_from,
    pending,
)
from rules.tests.packaged import rulebook

CALENDAR = Calendar.of(rulebook().calendar)
DAY = timedelta(days=1)


def clock(matter: str, start: str, **more: object) -> Clock:
    return replace(Clock(matter=matter, start=start, consequences=("取消称号",)), **more)


OLD = Clocks(
    "甲",
    (
        clock("有效期", "授予当日", term=Term(3, "年"), remind=Term(1, "个月")),
        clock("年度更新", "授予次年", yearly=(4, 30), consequences=("失去复核资格",)),
        clock("变化报告", "变化次日", term=Term(3, "个月")),
        clock("复核申报", "期满前", lead=Term(6, "个月"), term=Term(1, "个月")),
        clock("再次申报", "取消次日", ground="造假", term=Term(3, "年")),
        clock("再次申报", "取消", ground="放弃", consequences=()),
        clock("举报答复", "收到次日", term=Term(15, "工作日")),
    ),
)
NEW = Clocks(
    "乙",
    (
        clock("有效期", "授予当日", term=Term(5, "年")),
        clock("年度更新", "授予当年", yearly=(5, 31), consequences=("计一次未更新",)),
        clock("累计未更新", "有效期内", times=2),
        clock("再次申报", "取消次日", ground="造假", term=Term(5, "年")),
    ),
)
CHANGED = date(2026, 4, 1)
TIMING = Timing(
    (Period(date(2022, 8, 1), CHANGED - DAY, OLD), Period(CHANGED, None, NEW)), CALENDAR
)
TITLE = Title(start=date(2024, 7, 1), until=date(2027, 6, 30))


@pytest.mark.parametrize("clocks", [OLD, NEW, *rulebook().clocks.values()])
def test_clocks_come_back_from_json(clocks: Clocks) -> None:
    assert Clocks.of(clocks.to_json()) == clocks


def test_what_is_published_gives_the_same_timing() -> None:
    book = rulebook()
    text = canonical_json(published(book.clock_rows, book.clocks))
    for tier, province in product(book.catalogue.titles, ("", "江苏省")):
        found = Timing.of(json.loads(text), CALENDAR, tier, province)
        assert found == book.timing(tier, province)
        assert len(found.periods) > 1


def test_a_province_goes_by_its_own_table_and_a_day_with_two_has_none() -> None:
    def row(province: str, start: str | None, end: str | None, clocks: str) -> dict[str, object]:
        return {"tier": "丙", "province": province, "start": start, "end": end, "clocks": clocks}

    tables = {"甲": OLD, "乙": NEW}
    rows = [
        row("其余", None, "2023-12-31", "甲"),
        row("某省", "2023-03-01", "2023-03-31", "乙"),
        row("某省", "2023-03-31", None, "甲"),
    ]
    spans = [(p.first, p.last, p.clocks.id) for p in periods(rows, tables, "丙", "某省")]
    assert spans == [
        (None, date(2023, 2, 28), "甲"),
        (date(2023, 3, 1), date(2023, 3, 30), "乙"),
        (date(2023, 4, 1), date(2023, 12, 31), "甲"),
        (date(2024, 1, 1), None, "甲"),
    ]
    assert [p.last for p in periods(rows, tables, "丙")] == [date(2023, 12, 31)]
    assert periods(rows, {}, "丙") == periods(rows, tables, "丁") == ()


def due(title: Title | None, events: tuple[Event, ...], day: date, matter: str) -> list[str]:
    found = TIMING.items(title, events, day)
    return [
        f"{i.subject} {i.due} {i.clocks} {i.state}".strip() for i in found if i.matter == matter
    ]


def test_a_fixed_day_goes_by_its_own_table_and_what_runs_by_that_of_its_start() -> None:
    day = date(2026, 6, 1)
    assert due(TITLE, (), day, "年度更新") == [
        "2025年 2025-04-30 甲 逾期",
        "2026年 2026-05-31 乙 逾期",
        "2027年 2027-05-31 乙 未到",
    ]
    assert due(TITLE, (), day, "有效期") == ["2027-06-30 甲 未到"]
    assert due(TITLE, (), day, "复核申报") == []  # the table of the last day has none
    bar = Event(matter="再次申报", subject="1", day=CHANGED - DAY, ground="造假")
    assert due(None, (bar, replace(bar, subject="2", day=CHANGED)), day, "再次申报") == [
        "1 2029-03-31 甲 未到",
        "2 2031-04-01 乙 未到",
    ]


def test_only_misses_that_count_are_added_up() -> None:
    def misses(day: date) -> list[str]:
        return due(TITLE, (), day, "累计未更新")

    assert misses(date(2026, 5, 31)) == []
    assert misses(date(2026, 6, 1)) == ["2027年 2027-05-31 乙 未到"]
    assert misses(date(2027, 6, 1)) == ["2027年 2027-05-31 乙 逾期"]
    assert pending(TIMING.items(TITLE, (), date(2027, 6, 1))) == (
        "失去复核资格",
        "计一次未更新",
        "取消称号",
    )


def test_the_announced_day_counts_and_a_difference_is_told() -> None:
    [item] = [i for i in TIMING.items(TITLE, (), TITLE.start) if i.matter == "有效期"]
    assert (item.due, item.proposed, item.remind) == (TITLE.until, None, date(2027, 5, 30))
    other = replace(TITLE, until=date(2026, 12, 31))
    [item] = [i for i in TIMING.items(other, (), TITLE.start) if i.matter == "有效期"]
    assert (item.due, item.proposed) == (other.until, TITLE.until)
    assert TIMING.until(TITLE.start) == TITLE.until


def test_a_title_from_before_every_table_goes_by_that_of_its_last_day() -> None:
    title = Title(start=date(2021, 7, 1), until=date(2024, 6, 30))
    [item] = [i for i in TIMING.items(title, (), date(2024, 7, 1)) if i.matter == "有效期"]
    assert (item.clocks, item.due, item.state, item.proposed) == (
        "甲",
        title.until,
        "逾期",
        None,
    )
    unknown = Title(start=date(2021, 7, 1))
    found = TIMING.items(unknown, (), date(2023, 5, 1))
    assert [(i.matter, i.subject) for i in found] == [("年度更新", "2023年")]


def test_a_re_check_opens_and_closes_before_the_last_day() -> None:
    title = Title(start=date(2022, 9, 1), until=date(2025, 8, 31))
    [item] = [i for i in TIMING.items(title, (), date(2025, 1, 1)) if i.matter == "复核申报"]
    assert (item.start, item.due, item.state) == (date(2025, 3, 1), date(2025, 7, 31), "未到")


def test_an_extension_begins_where_its_table_says() -> None:
    title = Title(start=date(2023, 7, 1), until=date(2026, 6, 30), extensions=(Extension(CHANGED),))
    expiry = clock("延续期", "期满次日", term=Term(3, "年"))
    notice = replace(expiry, start="公告当日")

    def found(*more: Clock) -> tuple[str, date, date | None, date | None]:
        tables = Clocks("丙", (*OLD.clocks, *more))
        timing = Timing((Period(None, None, tables),), CALENDAR)
        [item] = [i for i in timing.items(title, (), CHANGED) if i.matter in ("有效期", "延续期")]
        return item.matter, item.start, item.due, item.proposed

    assert found(expiry) == ("延续期", date(2026, 7, 1), date(2029, 6, 30), None)
    assert found(notice) == ("延续期", CHANGED, date(2029, 3, 31), None)
    assert found() == ("有效期", title.start, title.until, None)  # nobody says until when


def test_a_title_that_was_extended_twice_runs_to_the_last_day_of_the_last() -> None:
    again = (Extension(date(2025, 9, 1), date(2028, 8, 31)), Extension(date(2028, 8, 1)))
    title = Title(start=date(2022, 9, 1), until=date(2025, 8, 31), extensions=again)
    timing = rulebook().timing("专精特新中小企业")
    assert timing.proposed(title, date(2028, 7, 31)) == date(2028, 8, 31)
    assert timing.proposed(title, date(2028, 8, 1)) == date(2031, 8, 31)
    updates = [i.due for i in timing.items(title, (), date(2028, 8, 1)) if i.matter == "年度更新"]
    assert updates == [date(2029, 5, 31), date(2030, 5, 31), date(2031, 5, 31)]


def test_a_title_that_ended_asks_for_nothing_more() -> None:
    ended = replace(TITLE, ended=date(2025, 3, 1))
    change = Event(matter="变化报告", subject="1", day=date(2025, 2, 1))
    late = Event(matter="变化报告", subject="2", day=date(2024, 8, 1))
    found = TIMING.items(ended, (change, late), date(2025, 6, 1))
    assert [(i.matter, i.subject, i.state) for i in found] == [
        ("有效期", "", "了结"),
        ("变化报告", "2", "了结"),
    ]
    before = TIMING.items(ended, (change,), date(2025, 2, 28))
    assert {i.matter for i in before} == {"有效期", "年度更新", "变化报告"}


def test_what_a_person_decided_on_is_no_longer_overdue_and_may_cost_the_re_check() -> None:
    day, due = date(2025, 7, 1), date(2025, 4, 30)
    timing = Timing((Period(None, None, OLD),), CALENDAR)

    def found(consequence: str, on: date = day) -> dict[str, tuple[str, str | None]]:
        decided = Decided(
            matter="年度更新", subject="2025年", due=due, day=day, consequence=consequence
        )
        items = timing.items(TITLE, (), on, (decided,))
        return {
            i.matter: (i.state, i.decided) for i in items if i.due == due or i.matter == "复核申报"
        }

    assert found("失去复核资格", day - DAY)["年度更新"] == ("逾期", None)
    lost = found("失去复核资格")
    assert (lost["年度更新"], lost["复核申报"]) == (("了结", "失去复核资格"),) * 2
    excused = found("")
    assert (excused["年度更新"], excused["复核申报"]) == (("了结", ""), ("未到", None))


@pytest.mark.parametrize(("consequence", "counted"), [("计一次未更新", True), ("", False)])
def test_a_miss_that_a_person_excused_does_not_count(consequence: str, counted: bool) -> None:
    title = Title(start=date(2024, 7, 1), until=date(2029, 6, 30))
    decided = Decided(
        matter="年度更新",
        subject="2025年",
        due=date(2025, 5, 31),
        day=date(2025, 7, 1),
        consequence=consequence,
    )
    timing = Timing((Period(None, None, NEW),), CALENDAR)
    items = timing.items(title, (), date(2026, 6, 1), (decided,))
    tables = [(i.subject, i.state) for i in items if i.matter == "累计未更新"]
    assert tables == ([("2026年", "逾期")] if counted else [("2027年", "未到")])


def test_a_title_that_another_follows_is_over() -> None:
    followed = replace(TITLE, ended=date(2027, 7, 1))
    [item] = [i for i in TIMING.items(followed, (), date(2028, 1, 1)) if i.matter == "有效期"]
    assert item.state == "了结"


def test_the_longest_bar_counts_and_one_that_is_none_bars_nothing() -> None:
    day = date(2025, 1, 1)
    none = Event(matter="再次申报", subject="1", day=day, ground="放弃")
    found = TIMING.items(None, (none,), day)
    assert [(i.due, i.state) for i in found] == [(None, "了结")]
    assert allowed_from(found) is None
    least = Event(matter="再次申报", subject="2", day=day, ground="造假", until=date(2026, 1, 1))
    longer = replace(least, subject="3", until=date(2030, 12, 31))
    assert allowed_from(TIMING.items(None, (none, least), day)) == date(2028, 1, 2)
    assert allowed_from(TIMING.items(None, (none, least, longer), day)) == date(2031, 1, 1)


def test_a_ground_that_no_row_names_is_refused() -> None:
    bar = Event(matter="再次申报", subject="1", day=CHANGED, ground="放弃")
    with pytest.raises(ClockError, match="没有“放弃”这一取消事由：可写造假"):
        TIMING.items(None, (bar,), CHANGED)


def test_a_change_goes_by_the_list_of_the_table_of_its_day() -> None:
    named = clock("变化报告", "变化次日", term=Term(3, "个月"), kinds=("更名", "合并"))
    table = Clocks("丙", (named,))
    assert Clocks.of(table.to_json()) == table
    assert (table.kinds, OLD.kinds, NEW.kinds) == (("更名", "合并"), (), ())
    assert "kinds" not in OLD.to_json()["clocks"][2]
    listed = Timing((*TIMING.periods[:1], Period(CHANGED, None, table)), CALENDAR)

    def due(day: date, kind: str) -> list[date | None]:
        event = Event(matter="变化报告", subject="1", day=day, ground=kind)
        return [i.due for i in listed.items(None, (event,), day)]

    before = CHANGED - DAY
    assert due(CHANGED, "合并") == due(CHANGED, "") == [date(2026, 7, 1)]
    assert due(before, "迁移") == due(before, "") == [date(2026, 6, 30)]
    with pytest.raises(ClockError, match="没有列出“迁移”这一变化：可写更名、合并"):
        due(CHANGED, "迁移")


@pytest.mark.parametrize(
    ("done", "asked", "state"),
    [
        (None, date(2027, 1, 4), "未到"),  # fifteen days at the least
        (None, date(2027, 1, 5), "未公布"),
        (date(2027, 1, 4), date(2027, 2, 1), "了结"),
        (date(2027, 1, 5), date(2027, 2, 1), "未公布"),
        (date(2027, 1, 4), date(2027, 1, 3), "未到"),
    ],
)
def test_what_rests_on_a_year_that_is_not_published_is_unknown_where_it_matters(
    done: date | None, asked: date, state: str
) -> None:
    started = date(2026, 12, 20)
    old = Timing((Period(None, None, OLD),), CALENDAR)
    [item] = old.items(None, [Event(matter="举报答复", subject="1", day=started, done=done)], asked)
    assert (item.due, item.unpublished, item.state) == (None, 2027, state)
    assert item.soonest == date(2027, 1, 4)


DAYS = st.dates(date(2022, 8, 1), date(2028, 12, 31))


@st.composite
def records(draw: st.DrawFn) -> tuple[Timing, Title, list[Event]]:
    """What is on the record of a title, by the clocks of a tier."""
    start = draw(DAYS)
    title = Title(
        start=start,
        until=draw(st.none() | DAYS.filter(lambda d: d > start)),
        ended=draw(st.none() | DAYS.filter(lambda d: d > start)),
        extensions=tuple(draw(st.lists(DAYS.map(Extension), max_size=2))),
        updates=tuple((d.year, d) for d in draw(st.lists(DAYS, max_size=3))),
        rechecks=tuple(draw(st.lists(DAYS, max_size=1))),
    )
    begun = draw(st.lists(st.tuples(DAYS, st.integers(0, 200)), max_size=3))
    events = [
        Event(matter=m, subject=str(n), day=d, done=d + delay * DAY)
        for n, (d, delay) in enumerate(begun)
        for m in ("变化报告", "举报答复")
    ]
    tier = draw(st.sampled_from([*rulebook().catalogue.titles]))
    return rulebook().timing(tier), title, events


def known(title: Title, events: list[Event], day: date) -> tuple[Title, list[Event]]:
    """What was on the record on a day."""
    then = replace(
        title,
        ended=title.ended if title.ended and title.ended <= day else None,
        extensions=tuple(e for e in title.extensions if e.day <= day),
        updates=tuple(u for u in title.updates if u[1] <= day),
        rechecks=tuple(d for d in title.rechecks if d <= day),
    )
    return then, [
        replace(e, done=e.done if e.done and e.done <= day else None)
        for e in events
        if e.day <= day
    ]


@given(records(), DAYS)
def test_what_a_day_shows_does_not_depend_on_when_it_is_asked(
    record: tuple[Timing, Title, list[Event]], day: date
) -> None:
    timing, title, events = record
    shown = timing.items(title, events, day)
    assert shown == timing.items(*known(title, events, day), day)
    assert shown == timing.items(title, reversed(events), day)
    assert {i.state for i in shown} <= {*STATES}
    for item in shown:
        assert item.start <= (item.due or date.max)
        assert (item.state == "未公布") <= (item.unpublished is not None)


@given(records(), st.lists(DAYS, min_size=1, max_size=20))
def test_what_shows_on_any_day_follows_from_when_each_matter_shows(
    record: tuple[Timing, Title, list[Event]], days: list[date]
) -> None:
    timing, title, events = record
    term = (*(e.until for e in title.extensions), title.until)
    if any(last is None for last in term):
        title = replace(title, until=date(2029, 6, 30), extensions=())
    decided: list[Decided] = []
    for day in sorted(days)[:3]:  # some of what is overdue by then is decided
        for item in timing.items(title, events, day, decided)[::2]:
            if item.state == "逾期" and item.due:
                drawn = Decided(
                    matter=item.matter,
                    subject=item.subject,
                    due=item.due,
                    day=day,
                    consequence=item.consequences[-1] if day.day % 2 else "",
                )
                decided.append(drawn)
    rows = timing.shown(title, events, decided)
    for asked in days:
        expected = {
            (replace(i, state=""), i.state) for i in timing.items(title, events, asked, decided)
        }
        seen = [r for r in rows if r.first <= asked <= (r.last or date.max)]
        assert {(replace(r.item, state=""), r.state(asked)) for r in seen} == expected
        assert len(seen) == len(expected)


def test_what_the_present_table_does_not_know_is_refused_when_asked_and_not_listed() -> None:
    timing = Timing((Period(None, None, OLD),), CALENDAR)
    unknown = Event(matter="再次申报", subject="1", day=date(2025, 1, 1), ground="旧事由")
    with pytest.raises(ClockError, match="没有“旧事由”这一取消事由"):
        timing.items(TITLE, [unknown], date(2025, 1, 2))
    assert timing.shown(TITLE, [unknown]) == timing.shown(TITLE, [])


def test_a_title_that_a_person_declared_expired_asks_for_nothing_more() -> None:
    timing, day = Timing((Period(None, None, OLD),), CALENDAR), date(2027, 8, 1)
    assert {i.state for i in timing.items(TITLE, (), day)} == {"逾期"}
    last = TITLE.until
    assert last is not None
    expired = Decided(matter="有效期", subject="", due=last, day=day, consequence="称号到期")
    assert {i.state for i in timing.items(TITLE, (), day, (expired,))} == {"了结"}
    assert "逾期" in {i.state for i in timing.items(TITLE, (), day - DAY, (expired,))}
