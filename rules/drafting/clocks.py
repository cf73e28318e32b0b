"""The step sentences of examples of clocks: what is on record about a title, and what is due as a result."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from rules.errors import RulesError
from rules.model.days import DAY, day_text, parse_day
from rules.portable.clocks import (
    BAR,
    CHANGE,
    COMPLAINT,
    EXTENSION,
    MISSES,
    RECHECK,
    UPDATE,
    VALIDITY,
    ClockError,
)
from rules.portable.timing import (
    STATES,
    Event,
    Extension,
    Item,
    Timing,
    Title,
    allowed_from,
    pending,
)


class ClockExampleError(RulesError):
    """An example of clocks cannot be run."""


@dataclass(kw_only=True)
class Recorded:
    """What an example says is on the record; filled step by step."""

    title: Title | None = None
    events: list[Event] = field(default_factory=list)

    def held(self) -> Title:
        """The title of the example."""
        if self.title is None:
            raise ClockExampleError("clocks-without-title", "请先写「称号自2024年2月29日起」")
        return self.title


def _granted(given: Recorded, start: str, until: str | None) -> None:
    given.title = Title(start=parse_day(start), until=parse_day(until) if until else None)


def _ended(given: Recorded, day: str) -> None:
    given.title = replace(given.held(), ended=parse_day(day))


def _extended(given: Recorded, day: str, until: str | None) -> None:
    title = given.held()
    again = Extension(parse_day(day), parse_day(until) if until else None)
    given.title = replace(title, extensions=(*title.extensions, again))


def _updated(given: Recorded, year: str, day: str) -> None:
    title = given.held()
    given.title = replace(title, updates=(*title.updates, (int(year), parse_day(day))))


def _rechecked(given: Recorded, day: str) -> None:
    title = given.held()
    given.title = replace(title, rechecks=(*title.rechecks, parse_day(day)))


def _began(
    given: Recorded, matter: str, day: str, done: str | None, kind: str | None = None
) -> None:
    begun, end = parse_day(day), parse_day(done) if done else None
    number = str(len(given.events) + 1)
    given.events.append(
        Event(matter=matter, subject=number, day=begun, done=end, ground=kind or "")
    )


def _changed(given: Recorded, day: str, kind: str | None, done: str | None) -> None:
    _began(given, CHANGE, day, done, kind)


def _complained(given: Recorded, day: str, done: str | None) -> None:
    _began(given, COMPLAINT, day, done)


def _cancelled(given: Recorded, day: str, ground: str, until: str | None) -> None:
    begun, last = parse_day(day), parse_day(until) if until else None
    if given.title is not None:
        given.title = replace(given.title, ended=begun)
    number = str(len(given.events) + 1)
    given.events.append(Event(matter=BAR, subject=number, day=begun, ground=ground, until=last))


_DAY: Final = rf"({DAY})"
GIVEN: Final[tuple[tuple[re.Pattern[str], Callable[..., None]], ...]] = (
    (re.compile(rf"称号自{_DAY}起"), lambda given, start: _granted(given, start, None)),
    (re.compile(rf"称号自{_DAY}至{_DAY}"), _granted),
    (re.compile(rf"称号于{_DAY}终止"), _ended),
    (re.compile(rf"{_DAY}公告延续(?:至{_DAY})?"), _extended),
    (re.compile(rf"(\d{{4}})年的更新于{_DAY}提交"), _updated),
    (re.compile(rf"于{_DAY}申请复核"), _rechecked),
    (re.compile(rf"{_DAY}发生(?:变化|“(.+)”)(?:，{_DAY}报告)?"), _changed),
    (re.compile(rf"{_DAY}收到举报(?:，{_DAY}答复)?"), _complained),
    (re.compile(rf"{_DAY}因“(.+)”取消称号(?:，至{_DAY}不得申报)?"), _cancelled),
)
#: What an example may expect, by kind; the subject of some is the year.
PROPOSED: Final = "拟至"
YEARLY: Final = "更新期限"
REPORT: Final = "报告期限"
ANSWER: Final = "答复期限"
OPENS: Final = "复核起"
CLOSES: Final = "复核止"
AGAIN: Final = "再申报"
STANDS: Final = "情形"
FOLLOWS: Final = "后果"
DIFFERS: Final = "与拟至不同"
NO_UPDATE: Final = "不须更新"
NO_RECHECK: Final = "不须申请复核"
NO_BAR: Final = "随时可以再申报"
NO_CONSEQUENCE: Final = "没有逾期后果"
NO_ITEM: Final = "没有"
SAME: Final = "公告的期限与拟定的相同"
NOT_PUBLISHED: Final = "期限未公布"
_SUBJECT: Final = rf"(?P<subject>\d{{4}}年的更新|{VALIDITY}|{EXTENSION}|{MISSES}|{CHANGE}|{RECHECK}|{BAR}|{COMPLAINT})"
EXPECTED: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(rf"称号拟至(?P<text>{DAY})"), PROPOSED),
    (re.compile(rf"公告的期限与拟定的(?P<text>{DAY})不同"), DIFFERS),
    (re.compile(rf"(?P<text>{SAME})"), DIFFERS),
    (re.compile(r"(?P<subject>\d{4}年)最迟于(?P<text>\d{1,2}月\d{1,2}日)更新"), YEARLY),
    (re.compile(rf"(?P<subject>\d{{4}}年)(?P<text>{NO_UPDATE})"), YEARLY),
    (re.compile(rf"最迟于(?P<text>{DAY})报告变化"), REPORT),
    (re.compile(rf"报告变化的(?P<text>{NOT_PUBLISHED})"), REPORT),
    (re.compile(rf"最迟于(?P<text>{DAY})答复举报"), ANSWER),
    (re.compile(rf"答复举报的(?P<text>{NOT_PUBLISHED})"), ANSWER),
    (re.compile(rf"自(?P<text>{DAY})起可以申请复核"), OPENS),
    (re.compile(rf"最迟于(?P<text>{DAY})申请复核"), CLOSES),
    (re.compile(rf"(?P<text>{NO_RECHECK})"), CLOSES),
    (re.compile(rf"自(?P<text>{DAY})起可以再申报"), AGAIN),
    (re.compile(rf"(?P<text>{NO_BAR})"), AGAIN),
    (re.compile(rf"{_SUBJECT}(?P<text>{'|'.join(STATES)})"), STANDS),
    (re.compile(rf"(?P<text>{NO_ITEM}){_SUBJECT}"), STANDS),
    (re.compile(r"逾期后果为“(?P<text>.+)”"), FOLLOWS),
    (re.compile(rf"(?P<text>{NO_CONSEQUENCE})"), FOLLOWS),
)
#: The sentences as they are written, to be compared with one that is unknown.
SENTENCES: Final = (
    "称号自2024年2月29日起", "称号自2024年7月1日至2027年6月30日", "称号于2026年5月10日终止", "2026年6月20日公告延续", "2026年6月20日公告延续至2029年6月30日",
    "2026年的更新于2026年5月20日提交",
    "于2026年5月6日申请复核", "2026年1月31日发生变化", "2026年1月31日发生变化，2026年4月30日报告",
    "2026年1月31日发生“更名”", "2026年1月31日发生“更名”，2026年4月30日报告", "2026年5月10日收到举报",
    "2026年5月10日收到举报，2026年6月1日答复", "2026年5月10日因“数据造假”取消称号",
    "2026年5月10日因“数据造假”取消称号，至2031年5月10日不得申报", "称号拟至2027年2月28日",
    "公告的期限与拟定的2027年2月28日不同", SAME, "2026年最迟于5月31日更新", "2026年不须更新", "最迟于2026年4月30日报告变化",
    "最迟于2026年6月1日答复举报", "自2026年1月2日起可以申请复核", "最迟于2026年12月30日申请复核", NO_RECHECK,
    "自2029年5月11日起可以再申报", NO_BAR, "2026年的更新逾期", "有效期临近", "变化报告未到", "没有累计未更新",
    "逾期后果为“失去复核资格”", NO_CONSEQUENCE,
)  # fmt: skip
KINDS: Final = frozenset(kind for _, kind in EXPECTED)


def items(timing: Timing, given: Recorded, asked: date | None) -> tuple[Item, ...]:
    """How everything in an example stands on the day that it asks about."""
    if asked is None:
        raise ClockExampleError("clocks-without-day", "请写明问的是哪一日：「到2026年5月31日」")
    try:
        return timing.items(given.title, given.events, asked)
    except ClockError as error:
        raise ClockExampleError("clocks-unknown", "{value}", value=str(error)) from error


def about(subject: str) -> tuple[str, str]:
    """The matter of a sentence and its subject, empty for any."""
    year, yearly, _ = subject.partition("的更新")
    return (UPDATE, year) if yearly else (subject, "")


def actual(timing: Timing, given: Recorded, asked: date | None, kind: str, subject: str) -> str:
    """What an example of clocks gives, in the words of the examples."""
    # a day that is due does not depend on the day that is asked
    latest = max((e.day for e in given.events), default=date.min)
    if given.title is not None:
        title = given.title
        latest = max([latest, title.start, *(e.day for e in title.extensions)])
    if kind == PROPOSED:
        proposed = timing.proposed(given.held(), asked or latest)
        return day_text(proposed) if proposed else NO_ITEM
    found = items(timing, given, asked if kind in (STANDS, FOLLOWS) else asked or latest)
    match kind:
        case "情形":
            matter, of = about(subject)
            states = [i.state for i in found if i.matter == matter and of in (i.subject, "")]
            return "、".join(states) or NO_ITEM
        case "后果":
            return "、".join(pending(found)) or NO_CONSEQUENCE
        case "更新期限":
            item = _one(found, UPDATE, subject)
            return f"{item.due.month}月{item.due.day}日" if item and item.due else NO_UPDATE
        case "再申报":
            day = allowed_from(found)
            return day_text(day) if day else NO_BAR
        case "与拟至不同":
            item = _one(found, VALIDITY) or _one(found, EXTENSION)
            return day_text(item.proposed) if item and item.proposed else SAME
        case "复核起":
            item = _one(found, RECHECK)
            return day_text(item.start) if item else NO_RECHECK
    item = _one(found, {REPORT: CHANGE, ANSWER: COMPLAINT, CLOSES: RECHECK}[kind])
    if item is None:
        return NO_RECHECK if kind == CLOSES else NO_ITEM
    return day_text(item.due) if item.due else NOT_PUBLISHED


def _one(found: tuple[Item, ...], matter: str, subject: str = "") -> Item | None:
    return next((i for i in found if i.matter == matter and subject in (i.subject, "")), None)
