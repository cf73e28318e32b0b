"""Cells of workbooks that are written row by row."""

from typing import Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from registry.characters import legible

#: The most rows that a sheet is given; one that is full goes on in another.
FULL: Final = 1_000_000


def text_cell(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell of text, which no spreadsheet takes for a formula, without what none can hold."""
    cell = WriteOnlyCell(sheet, legible(text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def plain(sheet: Any, value: Any) -> Any:
    """A value as it stands, but for texts that look like a formula or that no spreadsheet can hold."""
    if not isinstance(value, str):
        return value
    return text_cell(sheet, value) if value[:1] == "=" else legible(value)
