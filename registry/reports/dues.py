"""What is due of titles: as lines of a table, a workbook, and the events of a calendar file."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from registry.kit import workbooks
from registry.kit.files import working_folder, written_whole
from registry.kit.jsontext import fields_of
from registry.kit.names import present
from registry.record.dues import Due, DueLine
from rules.portable.canonical import digest

HEADER: Final = (
    "企业名称", "统一社会信用代码", "原名", "地区", "层级", "事项", "情形", "最后一日", "逾期后果", "依据", "说明",
)  # fmt: skip


def row(line: DueLine) -> tuple[str, ...]:
    """A line as the columns of ``HEADER``."""
    return (
        line.name,
        line.uscc,
        line.former,
        line.place,
        line.tier,
        matter(line),
        line.state,
        last_day(line),
        follows(line),
        text(line),
        told(line),
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
    """What may follow once the day is past, or what a person decided."""
    if line.decided is not None:
        return f"已决定{line.decided}" if line.decided else "已决定不追究"
    return "或".join(line.consequences)


def text(line: DueLine) -> str:
    """The document and the table by which it is due."""
    return f"{line.basis}（{line.clocks}）" if line.basis else line.clocks


def told(line: DueLine) -> str:
    """What else is to be known."""
    said = (
        f"{line.done}办理" if line.done else "",
        f"拟定的最后一日是{line.proposed}，与公告的不同" if line.proposed else "",
    )
    return "；".join(filter(None, said))


def plain(due: Due) -> dict[str, Any]:
    """The same as plain JSON values."""
    return {
        "day": due.asked.day.isoformat(),
        "lines": [fields_of(line, without=("number", "filed")) for line in due.lines],
        "texts": [fields_of(one) for one in due.texts],
        "more": due.cut,
    }


def write_workbook(due: Due, path: Path) -> None:
    """Write a workbook: what is due, and the texts by which it is."""
    with workbooks.workbook(path) as book:
        rows = (row(line) for line in due.lines)
        book.sheet(f"{due.asked.day}到期事项", list(HEADER), rows=rows)
        texts = ([one.id, "\n".join((one.title, *one.prose))] for one in due.texts)
        book.sheet("依据和解读", ["计时表", "规定和解读"], rows=texts)


def workbook(due: Due) -> bytes:
    """The same workbook, to be sent."""
    with working_folder() as folder:
        path = folder / "due.xlsx"
        write_workbook(due, path)
        return path.read_bytes()


def write_calendar(due: Due, path: Path) -> int:
    """Write a calendar file; returns how many lines have no last day and are left out."""
    with written_whole(path) as fresh:
        fresh.write_bytes(calendar(due.lines))
    return sum(line.due is None for line in due.lines)


def calendar(lines: Sequence[DueLine]) -> bytes:
    """An iCalendar file (RFC 5545) with an event on every last day, told from the day it is near.

    The same matter has the same name in every file, so that a calendar replaces what it imported
    before.
    """
    import icalendar  # who asks for no calendar file does not wait for it

    found = icalendar.Calendar()
    found.add("prodid", "-//Tidu//due//ZH")
    found.add("version", "2.0")
    found.add("x-wr-calname", "称号到期事项")
    for line in lines:
        if line.due is None:
            continue
        event = icalendar.Event()
        key = [line.uscc, line.tier, line.matter, line.subject, str(line.start)]
        event.add("uid", f"{digest(key)}@tidu")
        event.add("dtstamp", datetime.combine(line.start, time(), UTC))
        event.add("dtstart", line.due)
        event.add("dtend", line.due + timedelta(days=1))
        event.add("summary", f"{matter(line)}：{line.name}")
        event.add("description", "\n".join(_described(line)))
        event.add("categories", [line.matter])
        event.add("transp", "TRANSPARENT")
        if line.near and line.near < line.due:
            alarm = icalendar.Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", f"{matter(line)}临近：{line.name}")
            alarm.add("trigger", line.near - line.due)
            event.add_component(alarm)
        found.add_component(event)
    content: bytes = found.to_ical()
    return content


def _described(line: DueLine) -> Iterator[str]:
    yield f"{present(line.name, line.former)} {line.uscc}"
    yield f"{line.tier}：{matter(line)}，最后一日{line.due}（{line.state}）"
    if said := follows(line):
        yield f"逾期：{said}"
    yield f"依据：{text(line)}"
    if said := told(line):
        yield said
