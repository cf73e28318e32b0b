"""Cells for people: of workbooks, which are written row by row, and of files of comma-separated values."""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from registry.kit.characters import legible
from registry.kit.files import written_whole

#: The most rows that a sheet is given; one that is full goes on in another.
FULL: Final = 1_000_000
#: How many rows tell how wide the columns of a sheet are.
_MEASURED: Final = 200
#: The widest that a column gets by itself.
_WIDEST: Final = 60
#: How wide a column of sentences is.
_SENTENCES: Final = 36
#: What a text begins with that openpyxl would take for a formula or an error.
_TAKEN: Final = ("=", "#")
#: What a row holds: values as they stand, and cells that were made for it.
Value: TypeAlias = str | int | Decimal | Cell | None


class Sheet:
    """A sheet that is written row by row, and goes on in another one when it is full.

    ``label`` stands above the heading. Columns are as wide as their first rows ask for, unless ``widths``
    are given. A sheet that is ``filtered`` offers to filter its rows.
    """

    def __init__(
        self,
        book: Workbook,
        name: str,
        header: Sequence[str],
        widths: Sequence[float] | None = None,
        *,
        label: str = "",
        filtered: bool = False,
        place: int | None = None,
    ) -> None:
        self._book, self._name, self._header = book, name, header
        self._label, self._filtered = label, filtered
        self._sheet: Any = book.create_sheet(name, place)
        self._waiting: list[Sequence[Value]] = []
        self._rows = 0
        self._widths = widths
        if widths is not None:
            self._head(widths)

    def add(self, row: Sequence[Value]) -> None:
        """Write a row."""
        if self._widths is None:
            self._waiting.append(row)
            if len(self._waiting) == _MEASURED:
                self._measure()
            return
        full, place = divmod(self._rows, FULL)
        if full and not place:
            self._filter(FULL)
            self._sheet = self._book.create_sheet(f"{self._name}（{full + 1}）")
            self._head(self._widths)
        self._rows += 1
        self._sheet.append([plain(self._sheet, value) for value in row])

    def text(self, text: str) -> Any:
        """A cell of text for this sheet, to be made more of."""
        return text_cell(self._sheet, text)

    def end(self) -> None:
        """Write what waits; there will be no more rows."""
        if self._widths is None:
            self._measure()
        self._filter((self._rows - 1) % FULL + 1 if self._rows else 0)

    def _measure(self) -> None:
        """Fix how wide the columns are, and write the rows that waited for it."""
        columns = zip(self._header, *self._waiting, strict=True)
        self._widths = [
            min(_WIDEST, max(len(str(v or "")) for v in column) * 1.8 + 2) for column in columns
        ]
        self._head(self._widths)
        for row in self._waiting:
            self.add(row)
        self._waiting.clear()

    def _head(self, widths: Sequence[float]) -> None:
        sheet = self._sheet
        sheet.freeze_panes = f"A{self._top + 1}"
        for number, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        if self._label:
            sheet.append([text_cell(sheet, self._label, bold=True)])
        sheet.append([text_cell(sheet, name, bold=True) for name in self._header])

    @property
    def _top(self) -> int:
        """The row of the heading."""
        return 2 if self._label else 1

    def _filter(self, rows: int) -> None:
        if self._filtered:
            last = get_column_letter(len(self._header))
            self._sheet.auto_filter.ref = f"A{self._top}:{last}{self._top + rows}"


class Book:
    """A workbook that is written row by row."""

    def __init__(self) -> None:
        self._book = Workbook(write_only=True)
        self._sheets: list[Sheet] = []

    def sheet(
        self,
        name: str,
        header: Sequence[str],
        widths: Sequence[float] | None = None,
        *,
        rows: Iterable[Sequence[Value]] = (),
        label: str = "",
        filtered: bool = False,
        place: int | None = None,
    ) -> Sheet:
        """Begin a sheet, at ``place`` or as the last, with the ``rows`` that are there already."""
        sheet = Sheet(self._book, name, header, widths, label=label, filtered=filtered, place=place)
        self._sheets.append(sheet)
        for row in rows:
            sheet.add(row)
        return sheet

    def save(self, path: Path) -> None:
        """End all sheets, and save the workbook."""
        for sheet in self._sheets:
            sheet.end()
        save(self._book, path)

    def close(self) -> None:
        """End the rows of sheets that were not saved, which would complain on being collected."""
        for sheet in self._book.worksheets:
            with suppress(Exception):  # one that was saved, or a full disk
                sheet.close()


@contextmanager
def workbook(path: Path) -> Iterator[Book]:
    """A workbook to be written row by row, which stands at ``path`` at the end, unless there is an error."""
    book = Book()
    try:
        yield book
        book.save(path)
    finally:
        book.close()


def save(book: Workbook, path: Path) -> None:
    """Save a workbook."""
    # openpyxl would leave the archive open after an error, to complain on being collected
    with written_whole(path) as fresh, ZipFile(fresh, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).write_data()


@contextmanager
def separated(
    path: Path, header: Sequence[str]
) -> Iterator[Callable[[Iterable[Iterable[str]]], None]]:
    """A file of comma-separated values that spreadsheets open; what is given takes rows.

    It stands at ``path`` at the end, unless there is an error.
    """
    with written_whole(path) as fresh, fresh.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        yield writer.writerows


def text_cell(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell of text, which no spreadsheet takes for a formula, without what none can hold."""
    cell = WriteOnlyCell(sheet, legible(text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def plain(sheet: Any, value: Value) -> Any:
    """A value as it stands, but for texts that look like a formula or that no spreadsheet can hold."""
    if not isinstance(value, str):
        return value
    return text_cell(sheet, value) if value.startswith(_TAKEN) else legible(value)


def by_heading(header: Sequence[str], wide: Collection[str]) -> list[float]:
    """How wide columns are by what they are called: those of sentences are ``wide``."""
    return [_SENTENCES if name in wide else max(12, 2 * len(name) + 2) for name in header]


def harmless(text: str) -> str:
    """A legible text for a file of comma-separated values, which spreadsheets take for no formula."""
    told = legible(text)
    return f"'{told}" if told.startswith(("=", "+", "-", "@", "\t", "\r")) else told
