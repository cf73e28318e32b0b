"""The sheets of a file as rows of cells, read once from top to bottom; the file is never changed."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Final, TypeAlias, cast

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from registry.errors import RegistryError
from registry.intake.cells import CellValue, Percent, Unsaved

Row: TypeAlias = Sequence[CellValue]

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_QUOTED: Final = re.compile(r'"[^"]*"')
_LOOK: Final = 20
_FORMULA: Final = re.compile(rb"<(?:\w{1,20}:)?f[\s/>]")
_LONGEST: Final = 24
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError, IndexError,
    SyntaxError, EOFError, OSError, NotImplementedError,
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """One sheet: its rows in order, the first being row 1; they can be gone through once."""

    name: str
    rows: Iterator[Row]
    hidden: bool = False


def sheets(path: Path) -> Generator[Sheet, None, None]:
    """The sheets of a workbook, or a CSV file as one sheet; what cannot be read raises.

    The file is open until all are read, or until this is closed.
    """
    if path.suffix.lower() == ".csv":
        yield Sheet(path.name, iter(csv_rows(path)))
    else:
        yield from _workbook(path)


def csv_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV file: UTF-8 with or without BOM, or GB18030; commas, semicolons or tabs."""
    text = decode(path)
    delimiter = _delimiter(text)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise RegistryError(
            f"{path.name}：CSV 的引号或分隔不完整，请用 Excel 或 WPS 另存后重试"
        ) from error


def _delimiter(text: str) -> str:
    """What separates most cells in any of the first lines; titles above the table have few."""
    lines = [_QUOTED.sub("", line) for line in islice(io.StringIO(text), _LOOK)]
    return max(",;\t", key=lambda sign: max((line.count(sign) for line in lines), default=0))


def decode(path: Path) -> str:
    """The text of a file in UTF-8 or GB18030."""
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RegistryError(f"{path.name}：文字编码不是 UTF-8 或 GB18030，请另存为 UTF-8 后重试")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise RegistryError(
            f"{path.name}：文件已损坏或不是 Excel 工作簿，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试"
        ) from error


def _workbook(path: Path) -> Iterator[Sheet]:
    _refuse_ole(path)
    with ExitStack() as stack:
        with _readable(path):
            book = load_workbook(path, read_only=True, data_only=True)
            stack.enter_context(closing(book))
            typed = None
            if _has_formulas(path):
                typed = load_workbook(path, read_only=True)
                stack.enter_context(closing(typed))
        for index, sheet in enumerate(book.worksheets):
            sheet.reset_dimensions()
            formulas = typed.worksheets[index] if typed else None
            if formulas is not None:
                formulas.reset_dimensions()
            # rows that are left in the middle would keep the file open
            with closing(_rows(path, sheet, formulas)) as rows:
                yield Sheet(sheet.title, rows, sheet.sheet_state != "visible")


def _has_formulas(path: Path) -> bool:
    """Whether any sheet has a formula; only then is the workbook read a second time."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/"):
                continue
            with archive.open(name) as file:
                tail = b""
                while block := file.read(1 << 20):
                    if _FORMULA.search(tail + block):
                        return True
                    tail = block[-_LONGEST:]
    return False


def _rows(path: Path, sheet: Worksheet, formulas: Worksheet | None) -> Generator[Row, None, None]:
    with _readable(path):
        typed: Iterable[Sequence[Cell | MergedCell]]
        typed = repeat(()) if formulas is None else formulas.iter_rows()
        for row, other in zip(sheet.iter_rows(), typed, strict=False):
            values = [_value(cell) for cell in row]
            for index, cell in enumerate(other):
                # a result that is an empty text has the type str
                if cell.data_type == "f" and values[index] is None and row[index].data_type == "n":
                    values[index] = Unsaved(_formula(cell))
            yield values


def _formula(cell: Cell | MergedCell) -> str:
    """The formula as Excel shows it."""
    value = cell.value
    return str((value.text if isinstance(value, ArrayFormula) else value) or "=")


def _value(cell: Cell | MergedCell) -> CellValue:
    value = cast(CellValue, cell.value)
    if type(value) in (float, int) and "%" in cell.number_format:
        return Percent(cast(float, value))
    return value


def _refuse_ole(path: Path) -> None:
    """An encrypted .xlsx is an OLE container, and so is an old .xls that was merely renamed."""
    with path.open("rb") as file:
        old = file.read(len(_OLE)) == _OLE
    if old:
        if _ENCRYPTED in path.read_bytes():
            raise RegistryError(f"{path.name}：文件设有打开密码，请取消密码并另存为 .xlsx 后重试")
        raise RegistryError(
            f"{path.name}：这是旧版 .xls 文件，请用 Excel 或 WPS 另存为 .xlsx 后重试"
        )
