"""What is due of titles: as lines of a table, a workbook, and the events of a calendar file."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from registry.kit import workbooks
from registry.kit.files import written_whole
from registry.kit.jsontext import JsonStream, fields_of
from registry.kit.names import present
from registry.record.dues import DueLine, Text
from rules.portable.canonical import digest
from rules.portable.clocks import VALIDITY
from rules.portable.timing import DONE

HEADER: Final = (
    "企业名称", "统一社会信用代码", "地区", "层级", "事项", "情形", "最后一日", "逾期后果", "依据", "说明", "原名",
)  # fmt: skip


def row(line: DueLine) -> tuple[str, ...]:
    """A line as the columns of ``HEADER``."""
    return (
        line.name,
        line.uscc,
        line.place,
        line.tier,
        matter(line),
        line.state,
        last_day(line),
        follows(line),
        text(line),
        told(line),
        line.former,
    )


def matter(line: DueLine) -> str:
    """What is due, with which of several; what an entry started has its number."""
    number = line.subject.isdecimal()
    return f"{line.matter}（第{line.subject}号）" if number else f"{line.matter}{line.subject}"


def last_day(line: DueLine) -> str:
    """The last day, or why there is none."""
    if line.unpublished:
        return f"未公布（{line.unpublished}年的放假安排）"
    return str(line.due) if line.due else "没有"


def follows(line: DueLine) -> str:
    """What may follow once the day is past, or what a person decided; nothing once it is settled."""
    if line.decided is not None:
        return f"已决定{line.decided}" if line.decided else "已决定不追究"
    if line.state == DONE:
        return ""
    return "或".join(line.consequences)


def text(line: DueLine) -> str:
    """The document and the table by which it is due."""
    return f"{line.basis}（{line.clocks}）" if line.basis else line.clocks


def recorded(day: date, on: date | None) -> str:
    """When something that is said to have been done on a day was recorded, if on another day.

    >>> recorded(date(2024, 3, 28), date(2024, 6, 20)), recorded(date(2024, 3, 28), date(2024, 3, 28))
    ('（2024-06-20登记）', '')
    """
    return f"（{on}登记）" if on and on != day else ""


def told(line: DueLine) -> str:
    """What else is to be known."""
    done = "终止" if line.matter == VALIDITY else "办理"
    said = (
        f"{line.done}{done}{recorded(line.done, line.recorded)}" if line.done else "",
        f"拟定的最后一日是{line.proposed}，与公告的不同" if line.proposed else "",
    )
    return "；".join(filter(None, said))


def write_json(
    day: date, lines: Iterable[DueLine], texts: Iterable[Text], write: Callable[[str], object]
) -> None:
    """Write the same as JSON, line by line."""
    stream = JsonStream(write, "lines", {"day": day})
    for line in lines:
        stream.add(fields_of(line, without=("number", "filed")))
    stream.close({"texts": list(texts)})


def write_workbook(day: date, lines: Iterable[DueLine], texts: Iterable[Text], path: Path) -> int:
    """Write a workbook: what is due, and the texts by which it is; returns the number of lines."""
    number = 0
    with workbooks.workbook(path) as book:
        sheet = book.sheet(f"{day}到期事项", list(HEADER), filtered=True)
        for number, line in enumerate(lines, 1):  # noqa: B007
            sheet.add(row(line))
        said = ([one.id, "\n".join((one.title, *one.prose))] for one in texts)
        book.sheet("依据和解读", ["计时表", "规定和解读"], rows=said)
    return number


def write_calendar(lines: Iterable[DueLine], path: Path) -> Counter[bool]:
    """Write an iCalendar file (RFC 5545): an event on every last day, told from the day it is near.

    The same matter has the same name in every file, so that a calendar replaces what it imported
    before. Returns how many lines are in it, and how many (False) are left out because they have no
    last day.
    """
    import icalendar  # loaded only if a calendar file is asked for

    frame = icalendar.Calendar()
    frame.add("prodid", "-//Tidu//due//ZH")
    frame.add("version", "2.0")
    frame.add("x-wr-calname", "称号到期事项")
    head, end, tail = frame.to_ical().partition(b"END:VCALENDAR")
    counted = Counter[bool]()
    with written_whole(path) as fresh, fresh.open("wb") as file:
        file.write(head)
        for line in lines:
            counted[line.due is not None] += 1
            if line.due is not None:
                file.write(_event(line, line.due))
        file.write(end + tail)
    return counted


def _event(line: DueLine, due: date) -> bytes:
    import icalendar

    event = icalendar.Event()
    key = [line.uscc, line.tier, line.matter, line.subject, str(line.start)]
    event.add("uid", f"{digest(key)}@tidu")
    event.add("dtstamp", datetime.combine(line.start, time(), UTC))
    event.add("dtstart", due)
    event.add("dtend", due + timedelta(days=1))
    event.add("summary", f"{matter(line)}：{line.name}")
    event.add("description", "\n".join(_described(line)))
    event.add("categories", [line.matter])
    event.add("transp", "TRANSPARENT")
    if line.near and line.near < due:
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"{matter(line)}临近：{line.name}")
        alarm.add("trigger", line.near - due)
        event.add_component(alarm)
    content: bytes = event.to_ical()
    return content


def _described(line: DueLine) -> Iterator[str]:
    yield f"{present(line.name, line.former)} {line.uscc}"
    yield f"{line.tier}：{matter(line)}，最后一日{line.due}（{line.state}）"
    if said := follows(line):
        yield f"逾期：{said}"
    yield f"依据：{text(line)}"
    if said := told(line):
        yield said
