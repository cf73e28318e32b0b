"""The sheets of a file as rows of cells, read once from top to bottom; the file is never changed."""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

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
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
_BLOCK: Final = 1 << 20
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
    lines = io.StringIO(text, newline="")
    yield from _split(path.name, lines, _delimiter(islice(io.StringIO(text), _LOOK)))


def flowing_rows(name: str, stream: BinaryIO) -> Iterator[list[str]]:
    """The rows of CSV of any length, read as they come.

    What it begins with tells the encoding, and its heading the delimiter.
    """
    again = _Again(stream)
    whole = len(again.start) < _BLOCK
    start, encoding = _decoded(name, again.start, whole=whole)
    heading = next((line for line in io.StringIO(start) if line.strip(",;\t \r\n")), "")
    lines = io.TextIOWrapper(cast(BinaryIO, again), encoding, newline="")
    yield from _split(name, lines, _delimiter([heading]))


def decode(path: Path) -> str:
    """The text of a file in UTF-8 or GB18030."""
    return _decoded(path.name, path.read_bytes(), whole=True)[0]


class _Again(io.BufferedIOBase):
    """A stream that gives once more what it begins with, ``start``; a pipe cannot be wound back."""

    def __init__(self, stream: BinaryIO) -> None:
        self.start = self._next = stream.read(_BLOCK)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        given, self._next = self._next, b""
        return given or self._stream.read(size)


def _split(name: str, lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The cells of each row; an error is told with the line where its row, and so a quote, begins."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            yield row
            line = reader.line_num + 1
    except csv.Error as error:
        raise RegistryError(
            f"{name}第{line}行：从这一行起引号没有成对、分隔不完整或一格过长，请改正后重试"
        ) from error
    except UnicodeDecodeError as error:
        raise _undecodable(name) from error


def _delimiter(lines: Iterable[str]) -> str:
    """What separates most cells in any of some lines; titles above the table have few."""
    bare = [_QUOTED.sub("", line) for line in lines]
    return max(",;\t", key=lambda sign: max((line.count(sign) for line in bare), default=0))


def _decoded(name: str, data: bytes, *, whole: bool) -> tuple[str, str]:
    """The text of some bytes and its encoding; unless they are the whole, the end may be cut off."""
    for encoding in _ENCODINGS:
        with suppress(UnicodeDecodeError):
            return codecs.getincrementaldecoder(encoding)().decode(data, whole), encoding
    raise _undecodable(name)


def _undecodable(name: str) -> RegistryError:
    return RegistryError(f"{name}：文字编码不是 UTF-8 或 GB18030，请另存为 UTF-8 后重试")


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
