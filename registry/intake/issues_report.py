"""Everything amiss in a file as a workbook that the officer sends back."""

from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from registry.characters import legible
from registry.filings import Issue, Reading

_COLUMNS: Final = (
    ("级别", 8), ("工作表", 16), ("单元格", 10), ("原值", 28),
    ("问题", 48), ("应如何填写", 40), ("统一社会信用代码", 22),
)  # fmt: skip


def write_issues(path: str | Path, reading: Reading) -> None:
    """Write all issues of a reading, the 错误 first; values stay text, never formulas."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("问题清单")
    sheet.freeze_panes = "A2"
    heads = []
    for index, (name, width) in enumerate(_COLUMNS):
        sheet.column_dimensions[chr(ord("A") + index)].width = width
        head = WriteOnlyCell(sheet, name)
        head.font = Font(bold=True)
        heads.append(head)
    sheet.append(heads)
    for issue in sorted(reading.issues, key=lambda i: i.severity != "错误"):
        cells = [WriteOnlyCell(sheet, legible(t)) for t in _texts(issue)]
        for cell in cells:
            cell.data_type = "s"
        sheet.append(cells)
    book.save(path)


def _texts(issue: Issue) -> tuple[str, ...]:
    return (
        issue.severity, issue.sheet, issue.cell, issue.value,
        issue.message, issue.expected, issue.uscc,
    )  # fmt: skip
