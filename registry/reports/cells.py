"""Cells of workbooks that are written row by row."""

from typing import Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

#: The most rows that a sheet is given; one that is full goes on in another.
FULL: Final = 1_000_000


def text_cell(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell of text, which no spreadsheet takes for a formula."""
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def plain(sheet: Any, value: Any) -> Any:
    """A value as it stands, but for texts that look like a formula."""
    return text_cell(sheet, value) if isinstance(value, str) and value[:1] == "=" else value
