"""The sheets of a file as rows of cells, read once from top to bottom; never changes the file."""

import codecs
import csv
import io
import re
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final, TextIO, TypeAlias, cast

from registry.errors import RegistryError
from registry.intake.cells import CellValue
from registry.intake.files import limits
from registry.intake.files.filetypes import DAMAGED, LOCKED, OLD, TEXT, WORKBOOK, file_type
from registry.intake.files.package import BROKEN, Package
from registry.intake.files.workbook import Listed, Range, Unseen, Workbook, unwrapped
from registry.kit.characters import visible

Row: TypeAlias = Sequence[CellValue]

#: The suffixes of text files with one sheet.
TEXT_SUFFIXES: Final = (".csv", ".tsv", ".txt")
_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xltx", ".xltm")
#: Tables of other programs; Excel or WPS can open them and save them as workbooks.
_OTHERS: Final = (".xls", ".xlt", ".xlsb", ".et", ".ett", ".ods", ".wps", ".numbers")
#: Before the name of the file that an open workbook is locked with.
_LOCK: Final = "~$"

_QUOTED: Final = re.compile(r'"[^"]*"')
_SEPARATOR: Final = re.compile(r'\ufeff?"?sep=(.)"?\s*', re.IGNORECASE)
_LOOK: Final = 20
_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
_BLOCK: Final = 1 << 20
#: The number of characters of a text that are examined together.
_CHARACTERS: Final = 1 << 16
#: The most hidden rows or columns that are named.
_NAMED: Final = 10
_SAVE_AS: Final = "请用 Excel 或 WPS 打开并另存为 .xlsx 后重试"


@dataclass(frozen=True)
class FileSheet:
    """A sheet; its rows, the first of which is row 1, can be read only once."""

    name: str
    rows: Iterator[Row]
    hidden: bool = False
    merged: tuple[Range, ...] = ()
    unseen: Unseen = field(default_factory=Unseen)

    def hidden_among(self, rows: Iterable[int], columns: Iterable[tuple[int, str]]) -> str:
        """The hidden ones of the rows and columns that were read, in words.

        Columns are given by number and heading.
        """
        own = _few_rows(self.unseen.rows.intersection(rows))
        named = [text for number, text in columns if self.unseen.column(number)]
        more = f"等{len(named)}列" if len(named) > _NAMED else ""
        found = own, f"“{'”“'.join(named[:_NAMED])}”列{more}" if named else ""
        return "，".join(f"隐藏的{text}" for text in found if text)

    def struck_among(self, rows: Iterable[int]) -> str:
        """The rows among those that were read with text that is struck through, in words."""
        found = _few_rows(self.unseen.struck.intersection(rows))
        return found and f"{found}有带删除线的内容"


def _few_rows(rows: Collection[int]) -> str:
    """Some rows in words, and how many there are if not all are named; empty if there are none."""
    named = "、".join(map(str, sorted(rows)[:_NAMED]))
    more = f"等{len(rows)}行" if len(rows) > _NAMED else ""
    return f"第{named}行{more}" if rows else ""


def refuse_unread(path: Path, *further: str) -> None:
    """Raise ``RegistryError`` for a file that is not read as a table, whatever it is called.

    Files with a ``further`` suffix are read otherwise; of these, only missing and empty ones are refused.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise RegistryError(
            "folder-as-file", "{where}：是文件夹，请给出其中的文件", where=path.name
        )
    if not path.is_file():
        raise RegistryError(
            "no-such-file", "{value}：找不到这个文件，请核对文件名和位置", value=path.name
        )
    if path.name.startswith(_LOCK):
        raise RegistryError(
            "lock-file",
            "{where}：不是表格，只表示“{value}”正在 Excel 或 WPS 中打开，请保存并关闭后给出“{value}”",
            where=path.name,
            value=path.name.removeprefix(_LOCK),
        )
    if suffix in _OTHERS:
        kind = file_type(path)
        truly = "" if kind in ("", OLD) else f"（这其实是{kind}）"
        raise RegistryError(
            "unsupported-file",
            "{where}：不支持 {value} 文件{truly}，请用 Excel 或 WPS 另存为 .xlsx 后重试",
            where=path.name,
            value=suffix,
            truly=truly,
        )
    if suffix not in (*_WORKBOOKS, *TEXT_SUFFIXES, *further):
        *others, last = ".xlsx", ".csv", *further
        raise RegistryError(
            "unknown-file-kind",
            "{where}：不支持这种文件，请提供 {expected} 文件",
            where=path.name,
            expected=f"{'、'.join(others)} 或 {last}",
        )
    if path.stat().st_size == 0:
        raise RegistryError("empty-file", "{where}：文件是空的，请核对后重试", where=path.name)
    if suffix in _WORKBOOKS:
        refuse_others(path)


def sheets(path: Path) -> Generator[FileSheet, None, None]:
    """The sheets of a workbook, or a CSV file as one sheet; raises if it cannot be read.

    The file stays open until all are read, or until this is closed.
    """
    if path.suffix.lower() in TEXT_SUFFIXES:
        # rows that are left in the middle would keep the file open
        with closing(csv_rows(path)) as rows:
            yield FileSheet(path.name, rows)
    else:
        yield from _workbook(path)


def csv_rows(path: Path) -> Generator[list[str], None, None]:
    """The rows of a CSV file in UTF-8, UTF-16 with BOM, or GB18030.

    The delimiter may be a comma, a semicolon, a tab or a bar.
    """
    kind = file_type(path)
    if kind not in ("", TEXT):
        action = "请把扩展名改为 .xlsx 后重试" if kind == WORKBOOK else _SAVE_AS
        raise RegistryError(
            "no-csv",
            "{where}：这其实是{value}，不是 CSV 文件，" + action,
            where=path.name,
            value=kind,
        )
    with path.open(encoding=_encoding(path), newline="") as file:
        lines = Lines(path.name, file)
        rest = iter(lines)
        start = list(islice(rest, _LOOK))
        for number, row in enumerate(_split(path.name, start, rest, lines), 1):
            if number > limits.ROWS:
                raise RegistryError(
                    "too-many-rows",
                    "{where}：超过{expected}行，请拆分成几个文件",
                    where=path.name,
                    expected=limits.ROWS,
                )
            yield row


def flowing_rows(name: str, stream: BinaryIO) -> Iterator[list[str]]:
    """The rows of CSV of any length, read as they come.

    Its beginning determines the encoding, and its heading the delimiter.
    """
    again = _Again(stream)
    encoding = _decoded(name, again.start, whole=len(again.start) < _BLOCK)[1]
    lines = Lines(name, io.TextIOWrapper(cast(BinaryIO, again), encoding, newline=""))
    rest = iter(lines)
    start: list[str] = []
    for line in rest:
        start.append(line)
        if line.strip(",;\t \r\n") and not _SEPARATOR.fullmatch(line):
            break
    yield from _split(name, start, rest, lines)


def decode(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 with BOM, or GB18030."""
    return _decoded(path.name, path.read_bytes(), whole=True)[0]


class _Again(io.BufferedIOBase):
    """A stream that repeats its beginning, ``start``; a pipe cannot be rewound."""

    def __init__(self, stream: BinaryIO) -> None:
        self.start = self._next = stream.read(_BLOCK)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        given, self._next = self._next, b""
        return given or self._stream.read(size)


class Lines:
    """The lines of a text without invisible characters; sets ``formulas`` once a cell is ="…"."""

    def __init__(self, name: str, file: TextIO) -> None:
        self.formulas = False
        self._name = name
        self._file = file

    def __iter__(self) -> Iterator[str]:
        number, last = 1, ""
        try:
            while block := self._file.read(_CHARACTERS):
                text = last + visible(block)
                self.formulas = self.formulas or '="' in text
                # the last line may continue, even after its \r
                *lines, last = io.StringIO(text, newline="").readlines() or [""]
                number += len(lines)
                if len(last) >= limits.LINE:
                    raise RegistryError(
                        "too-long-line",
                        "{where}第{row}行超过{expected}字，不是正常的表格，请核对",
                        where=self._name,
                        row=number,
                        expected=limits.LINE,
                    )
                yield from lines
        except UnicodeDecodeError as error:
            raise _undecodable(self._name) from error
        if last:
            yield last


def _split(name: str, start: list[str], rest: Iterable[str], lines: Lines) -> Iterator[list[str]]:
    """The cells of each row; an error gives the line where its row, and so a quote, begins.

    ``start`` are the first lines, which determine the delimiter; Excel may name it in the first.
    """
    named = _SEPARATOR.fullmatch(start[0]) if start else None
    if named:
        start[0] = "\n"
    delimiter = named[1] if named else _delimiter(start)
    held = 0

    def fed() -> Iterator[str]:
        nonlocal held
        for text in chain(start, rest):
            held += len(text)
            if held > limits.LINE:
                raise RegistryError(
                    "unclosed-quote",
                    "{where}第{row}行：这一行超过{expected}字，请检查引号",
                    where=name,
                    row=line,
                    expected=limits.LINE,
                )
            yield text

    reader = csv.reader(fed(), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            held = 0
            if len(row) > limits.COLUMNS:
                raise RegistryError(
                    "too-many-columns",
                    "{where}第{row}行：超过{expected}列，不是正常的表格，请核对",
                    where=name,
                    row=line,
                    expected=limits.COLUMNS,
                )
            yield [unwrapped(cell) for cell in row] if lines.formulas else row
            line = reader.line_num + 1
    except csv.Error as error:
        raise RegistryError(
            "broken-csv",
            "{where}第{row}行：从这一行起引号没有成对、分隔不完整或一格过长，请改正后重试",
            where=name,
            row=line,
        ) from error


def _delimiter(lines: Iterable[str]) -> str:
    """The sign that separates the most cells in any of some lines; titles have few."""
    bare = [_QUOTED.sub("", line) for line in lines]
    return max(",;\t|", key=lambda sign: max((line.count(sign) for line in bare), default=0))


def _encodings(start: bytes) -> Sequence[str]:
    """The possible encodings of a text, by its beginning."""
    return next(((name,) for mark, name in _MARKS.items() if start.startswith(mark)), _ENCODINGS)


def _encoding(path: Path) -> str:
    """The encoding in which the whole file can be read."""
    with path.open("rb") as file:
        for encoding in _encodings(file.read(4)):
            file.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            with suppress(UnicodeDecodeError):
                while block := file.read(_BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", True)
                return encoding
    raise _undecodable(path.name)


def _decoded(name: str, data: bytes, *, whole: bool) -> tuple[str, str]:
    """The text of some bytes and its encoding; unless ``whole``, the end may be cut off."""
    for encoding in _encodings(data):
        with suppress(UnicodeDecodeError):
            return codecs.getincrementaldecoder(encoding)().decode(data, whole), encoding
    raise _undecodable(name)


def _undecodable(name: str) -> RegistryError:
    return RegistryError(
        "unknown-encoding",
        "{where}：文字编码不是 UTF-8 或 GB18030，请另存为 UTF-8 后重试",
        where=name,
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise _damaged(path) from error


def _workbook(path: Path) -> Iterator[FileSheet]:
    with ExitStack() as stack:
        refuse_others(path)
        with _readable(path):
            package = stack.enter_context(Package(path))
            book = Workbook(package)
        for sheet in book.sheets:
            # rows that are left in the middle would keep the file open
            unseen = Unseen()
            with closing(_rows(path, book, sheet, unseen)) as rows:
                with _readable(path):
                    merged = tuple(book.merged(sheet))
                yield FileSheet(sheet.name, rows, sheet.hidden, merged, unseen)


def _rows(path: Path, book: Workbook, sheet: Listed, unseen: Unseen) -> Generator[Row, None, None]:
    with _readable(path):
        yield from book.rows(sheet, unseen)


def refuse_others(path: Path) -> None:
    """Refuse a supposed workbook that is an old one, a locked one, a web page, a text …"""
    kind = file_type(path)
    if kind == LOCKED:
        raise RegistryError(
            "locked-workbook",
            "{where}：文件设有打开密码，请取消密码并另存为 .xlsx 后重试",
            where=path.name,
        )
    if kind == OLD:
        raise RegistryError(
            "old-workbook",
            "{where}：这是{value}，请用 Excel 或 WPS 另存为 .xlsx 后重试",
            where=path.name,
            value=kind,
        )
    if kind and kind not in (WORKBOOK, DAMAGED):
        raise RegistryError(
            "no-workbook",
            "{where}：这其实是{value}，不是 Excel 工作簿，" + _SAVE_AS,
            where=path.name,
            value=kind,
        )
    if kind != WORKBOOK:
        raise _damaged(path)


def _damaged(path: Path) -> RegistryError:
    return RegistryError(
        "damaged-workbook", "{where}：文件已损坏或不是 Excel 工作簿，" + _SAVE_AS, where=path.name
    )
