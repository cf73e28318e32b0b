"""Cells for people: of workbooks, which are written row by row, and of files of comma-separated values."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.writer.excel import ExcelWriter

from registry.kit.characters import legible
from registry.kit.files import written_whole

#: The most rows that a sheet is given; one that is full goes on in another.
FULL: Final = 1_000_000


@contextmanager
def workbook(path: Path) -> Iterator[Workbook]:
    """A workbook to be written row by row, which stands at ``path`` at the end, unless there is an error."""
    book = Workbook(write_only=True)
    try:
        yield book
        save(book, path)
    finally:
        _close(book)


def save(book: Workbook, path: Path) -> None:
    """Save a workbook."""
    # openpyxl would leave the archive open after an error, to complain on being collected
    with written_whole(path) as fresh, ZipFile(fresh, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).write_data()


def _close(book: Workbook) -> None:
    """End the rows of sheets that were not saved, which would complain on being collected."""
    for sheet in book.worksheets:
        with suppress(Exception):  # one that was saved, or a full disk
            sheet.close()


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


def harmless(text: str) -> str:
    """A legible text for a file of comma-separated values, which spreadsheets take for no formula."""
    told = legible(text)
    return f"'{told}" if told.startswith(("=", "+", "-", "@", "\t", "\r")) else told
