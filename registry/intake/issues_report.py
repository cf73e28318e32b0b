"""The issues of a file as a workbook that the officer sends back."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from openpyxl.styles import Font
from openpyxl.worksheet.hyperlink import Hyperlink

from registry.filings import FileReading, Issue
from registry.intake.grouped import CELL, Group, grouped
from registry.kit.workbooks import workbook

_SINGLE: Final = {
    "级别": 8, "工作表": 16, "单元格": 10, "表头": 24, "原值": 28, "问题": 48, "应如何填写": 40,
    "统一社会信用代码": 22, "企业名称": 30,
}  # fmt: skip
_GROUPED: Final = {
    "级别": 8, "工作表": 16, "所在": 32, "数量": 8, "问题": 48, "应如何填写": 40, "例如": 28,
    "各处": 40,
}  # fmt: skip
#: The most links on a sheet.
_LINKS: Final = 65_000
_LINK: Final = Font(color="0563C1", underline="single")
_SPREADSHEETS: Final = (".xlsx", ".xlsm")
#: Characters that must be escaped in a link's address.
_ESCAPED: Final = {ord(c): f"%{ord(c):02X}" for c in " %#?"}


def write_issues(path: str | Path, reading: FileReading, source: str | Path | None = None) -> None:
    """Write all issues of a reading, errors first; a second sheet has one line per kind.

    Cells link to their place in ``source``, the file that was read (by default beside the report).
    Values stay text, never formulas.
    """
    path = Path(path)
    links = _Links(Path(source) if source is not None else path.with_name(reading.file), path)
    headings = {(h.sheet, h.letter): h.text for h in reading.headings}
    issues = sorted(reading.issues, key=lambda i: i.severity != "错误")
    with workbook(path) as book:
        sheet = book.sheet("问题清单", [*_SINGLE], [*_SINGLE.values()], filtered=True)
        for issue in issues:
            heading = headings.get((issue.sheet, _letter(issue)), "")
            severity, name, cell, *texts = _texts(issue, heading, reading.named(issue))
            sheet.add([severity, name, links.to(issue, sheet.text(cell)), *texts])
        summary = book.sheet("汇总", [*_GROUPED], [*_GROUPED.values()], filtered=True)
        for group in grouped(reading.issues, reading.headings):
            *cells, example, where = _summary(group)
            summary.add([*cells, links.to(group.first, summary.text(str(example))), where])


def _letter(issue: Issue) -> str:
    match = CELL.fullmatch(issue.cell)
    return match[1] if match else ""


def _texts(issue: Issue, heading: str, name: str) -> Sequence[str]:
    return (
        issue.severity, issue.sheet, issue.cell, heading, issue.value, issue.message,
        issue.expected, issue.uscc, name,
    )  # fmt: skip


def _summary(group: Group) -> Iterator[str | int]:
    one = group.first
    yield from (one.severity, one.sheet, group.column, group.count, one.message, one.expected)
    yield f"{one.cell}「{one.value}」" if one.value else one.cell
    yield group.where()


class _Links:
    """Turns cells into links to places in the file that was read."""

    def __init__(self, source: Path, report: Path) -> None:
        try:
            address = os.path.relpath(source.resolve(), report.resolve().parent)
        except ValueError:  # on another drive
            address = source.resolve().as_uri()
        self._target = address.replace(os.sep, "/").translate(_ESCAPED)
        self._places = source.suffix.lower() in _SPREADSHEETS
        self._left = _LINKS

    def to(self, issue: Issue, cell: Any) -> Any:
        """The cell, linked to the issue's place while the sheet has room for links."""
        place = CELL.fullmatch(issue.cell)
        if not (self._places and place and self._left):
            return cell
        self._left -= 1
        sheet = issue.sheet.replace("'", "''")
        at = issue.cell if place[1] else f"A{issue.cell}"
        cell.hyperlink = Hyperlink(ref="A1", target=self._target, location=f"'{sheet}'!{at}")
        cell.font = _LINK
        return cell
