"""Everything amiss in a file as a workbook that the officer sends back."""

from pathlib import Path
from typing import Final

from registry.filings import Issue, Reading
from registry.reports.cells import text_cell, workbook

_COLUMNS: Final = (
    ("级别", 8), ("工作表", 16), ("单元格", 10), ("原值", 28),
    ("问题", 48), ("应如何填写", 40), ("统一社会信用代码", 22),
)  # fmt: skip


def write_issues(path: str | Path, reading: Reading) -> None:
    """Write all issues of a reading, the 错误 first; values stay text, never formulas."""
    with workbook(Path(path)) as book:
        sheet = book.create_sheet("问题清单")
        sheet.freeze_panes = "A2"
        for index, (_, width) in enumerate(_COLUMNS):
            sheet.column_dimensions[chr(ord("A") + index)].width = width
        sheet.append([text_cell(sheet, name, bold=True) for name, _ in _COLUMNS])
        for issue in sorted(reading.issues, key=lambda i: i.severity != "错误"):
            sheet.append([text_cell(sheet, text) for text in _texts(issue)])


def _texts(issue: Issue) -> tuple[str, ...]:
    return (
        issue.severity, issue.sheet, issue.cell, issue.value,
        issue.message, issue.expected, issue.uscc,
    )  # fmt: skip
