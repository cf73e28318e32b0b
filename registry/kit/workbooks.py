"""Cells for people: in workbooks, written row by row, and in files of comma-separated values."""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from shutil import copyfileobj
from typing import Any, Final, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from registry.kit.characters import legible
from registry.kit.files import PRIVATE_FILE, written_whole

#: The most rows of a sheet; a full sheet continues in another.
FULL: Final = 1_000_000
#: The number of rows that determine the column widths of a sheet.
_MEASURED: Final = 200
#: The greatest automatic column width.
_WIDEST: Final = 60
#: The width of a column of sentences.
_SENTENCES: Final = 36
#: What stands where a workbook would tell when it was made: the first moment that an archive can hold.
_NO_TIME: Final = datetime(1980, 1, 1)
#: The first characters of texts that openpyxl would take for a formula or an error.
_TAKEN: Final = ("=", "#")
#: The content of a row: plain values, and prepared cells.
Value: TypeAlias = str | int | Decimal | Cell | None


class Sheet:
    """A sheet that is written row by row, and continues in another one when it is full.

    ``label`` stands above the heading. The first rows determine the column widths, unless
    ``widths`` are given. A ``filtered`` sheet offers filters for its rows.
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
        """A text cell for this sheet, for further formatting."""
        return text_cell(self._sheet, text)

    def end(self) -> None:
        """Write the waiting rows; no more rows may follow."""
        if self._widths is None:
            self._measure()
        self._filter((self._rows - 1) % FULL + 1 if self._rows else 0)

    def _measure(self) -> None:
        """Set the column widths, and write the rows that waited for them."""
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
    """A workbook that is written row by row; the same content makes the same file."""

    def __init__(self) -> None:
        self._book = Workbook(write_only=True)
        self._book.properties.created = self._book.properties.modified = _NO_TIME
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
        """Begin a sheet, at ``place`` or at the end, with the ``rows`` already known."""
        sheet = Sheet(self._book, name, header, widths, label=label, filtered=filtered, place=place)
        self._sheets.append(sheet)
        for row in rows:
            sheet.add(row)
        return sheet

    def save(self, path: Path) -> None:
        """End all sheets and save the workbook."""
        for sheet in self._sheets:
            sheet.end()
        save(self._book, path)

    def close(self) -> None:
        """End the rows of unsaved sheets, which would otherwise complain when collected."""
        for sheet in self._book.worksheets:
            with suppress(Exception):  # already saved, or a full disk
                sheet.close()


@contextmanager
def workbook(path: Path) -> Iterator[Book]:
    """A workbook to be written row by row; saved to ``path`` at the end, except on an error."""
    book = Book()
    try:
        yield book
        book.save(path)
    finally:
        book.close()


def save(book: Workbook, path: Path) -> None:
    """Save a workbook."""
    # openpyxl would leave the archive open after an error, which complains when collected
    with written_whole(path) as fresh, _Archive(fresh, "w") as archive:
        ExcelWriter(book, archive).write_data()


class _Archive(ZipFile):
    """An archive whose members bear no time of their own."""

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        """Add a file."""
        with open(filename, "rb") as file, self.open(_member(str(arcname)), "w") as target:
            copyfileobj(file, target)

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        """Add a text or bytes."""
        super().writestr(_member(str(zinfo_or_arcname)), data)


def _member(name: str) -> ZipInfo:
    made = ZipInfo(name, _NO_TIME.timetuple()[:6])
    made.compress_type, made.external_attr = ZIP_DEFLATED, PRIVATE_FILE << 16
    return made


@contextmanager
def separated(
    path: Path, header: Sequence[str]
) -> Iterator[Callable[[Iterable[Iterable[str]]], None]]:
    """A file of comma-separated values for spreadsheets; yields a function that takes rows.

    It is saved to ``path`` at the end, except on an error.
    """
    with written_whole(path) as fresh, fresh.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        yield writer.writerows


def text_cell(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell of text that no spreadsheet takes for a formula, without characters it cannot hold."""
    cell = WriteOnlyCell(sheet, legible(text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def plain(sheet: Any, value: Value) -> Any:
    """A value as it is; texts that look like formulas or cannot be held become text cells."""
    if not isinstance(value, str):
        return value
    return text_cell(sheet, value) if value.startswith(_TAKEN) else legible(value)


def by_heading(header: Sequence[str], wide: Collection[str]) -> list[float]:
    """The widths of columns by their headings; columns of sentences are in ``wide``."""
    return [_SENTENCES if name in wide else max(12, 2 * len(name) + 2) for name in header]


def harmless(text: str) -> str:
    """A legible text for comma-separated values that spreadsheets do not take for a formula."""
    told = legible(text)
    return f"'{told}" if told.startswith(("=", "+", "-", "@", "\t", "\r")) else told
