"""Workbooks in Office Open XML (ECMA-376 part 1, 18), transitional or strict, row by row.

Only the parts that matter for the cells of a table are read: sheet names, shared texts, number
formats, cells, and merged ranges. openpyxl, which writes Tidu's workbooks, reads every part in
order to write it again, and so fails on an empty fill or a theme. When streaming, it ignores merged
cells, and an unbounded row number keeps it busy for ever.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter

from registry.errors import RegistryError
from registry.intake.cells import CellValue, Shown, Unsaved
from registry.intake.files import limits
from registry.intake.files.formats import BUILTIN, Format, number_format
from registry.intake.files.package import Package, PackageTarget
from registry.intake.files.serials import Since1904
from registry.kit.characters import visible

Row: TypeAlias = Sequence[CellValue]

_MERGE: Final = re.compile(
    rb"""<(?:\w{1,20}:)?mergeCell\s[^<>]{0,200}?\bref\s{0,9}=\s{0,9}["']\$?([A-Za-z]{1,3})\$?([0-9]{1,7})"""
    rb""":\$?([A-Za-z]{1,3})\$?([0-9]{1,7})["']"""
)
_DATA_ENDS: Final = re.compile(rb"</(?:\w{1,20}:)?sheetData\s*>|<(?:\w{1,20}:)?sheetData\s*/>")
_LONGEST_TAG: Final = 400
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_DIGITS_END: Final = tuple("0123456789.")
_LITERAL: Final = re.compile(r'="([^"]*)"')


class Range(NamedTuple):
    """A merged range: rows and columns, both counted from 1 and included."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        first, last = get_column_letter(self.left), get_column_letter(self.right)
        return f"{first}{self.top}:{last}{self.bottom}"


@dataclass
class Unseen:
    """What a sheet hides, as far as it was read: rows, and first and last of adjacent columns.

    ``struck`` are the rows with cells whose text is struck through.
    """

    rows: set[int] = field(default_factory=set)
    columns: list[tuple[int, int]] = field(default_factory=list)
    struck: set[int] = field(default_factory=set)

    def column(self, number: int) -> bool:
        """Whether a column, counted from 1, is hidden."""
        return any(first <= number <= last for first, last in self.columns)


class Listed(NamedTuple):
    """A sheet as listed in the workbook."""

    name: str
    hidden: bool
    part: str


def text_of(text: str) -> str:
    """A text as its cell shows it: escapes and invisible characters resolved, ="…" unwrapped.

    >>> text_of('="9199"'), text_of("甲_x000D_\\u200b乙")
    ('9199', '甲\\r乙')
    """
    if "_x" in text:
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return unwrapped(visible(text))


def unwrapped(text: str) -> str:
    """The text in a formula ="…", which keeps it from becoming a number."""
    literal = _LITERAL.fullmatch(text) if text.startswith('="') else None
    return literal[1] if literal else text


class Workbook:
    """A workbook with readable sheets, from an open package."""

    def __init__(self, package: Package) -> None:
        self._package = package
        part = self._main()
        self.since_1904 = False
        #: Whether formulas must be computed when the file is opened, because nobody has yet.
        self.uncounted = False
        listed: list[tuple[str, bool, str]] = []
        for tag, given in package.elements(part):
            if tag == "workbookPr":
                self.since_1904 = _is_on(given.get("date1904", ""))
            elif tag == "calcPr":
                self.uncounted = _is_on(given.get("fullCalcOnLoad", ""))
            elif tag == "sheet":
                ids = [v for k, v in given.items() if k.endswith(":id")]
                hidden = given.get("state", "visible") != "visible"
                listed.append((visible(given.get("name", "")), hidden, (ids or [""])[0]))
        if len(listed) > limits.SHEETS:
            raise RegistryError(
                "too-many-sheets",
                "{where}：有{value}张工作表，超过可读取的{expected}张，请拆分成几个文件",
                where=package.name,
                value=len(listed),
                expected=limits.SHEETS,
            )
        related = package.related(part)
        self.sheets = self._listed(listed, related)
        kinds = {target.kind: target.part for target in related.values()}
        self._strings = _strings(package, kinds.get("sharedStrings", "xl/sharedStrings.xml"))
        #: The styles whose text is struck through.
        self._formats, self.struck = _formats(package, kinds.get("styles", "xl/styles.xml"))
        #: The formats that affect texts, by style.
        self.speaking = {str(n): f for n, f in enumerate(self._formats) if f and f.speaks}

    def _main(self) -> str:
        kinds = {target.kind: target.part for target in self._package.related("").values()}
        return kinds.get("officeDocument", "xl/workbook.xml")

    def _listed(
        self, listed: list[tuple[str, bool, str]], related: dict[str, PackageTarget]
    ) -> tuple[Listed, ...]:
        found = []
        for name, hidden, relation in listed:
            target = related.get(relation)
            if target is not None and target.kind == "worksheet":
                found.append(Listed(name, hidden, target.part))
            elif target is None:
                alone = self._package.beginning("xl/worksheets/sheet")
                if len(listed) != 1 or len(alone) != 1:
                    raise RegistryError(
                        "missing-sheet",
                        "{where}：找不到工作表“{sheet}”的内容，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试",
                        where=self._package.name,
                        sheet=name,
                    )
                found.append(Listed(name, hidden, alone[0]))
        return tuple(found)

    def merged(self, sheet: Listed) -> list[Range]:
        """The merged ranges of a sheet in file order; they come after its rows."""
        found: list[Range] = []
        rest, behind = b"", False
        for block in self._package.blocks(sheet.part):
            rest += block
            if not behind and (ends := _DATA_ENDS.search(rest)):
                rest, behind = rest[ends.end() :], True
            if not behind:
                rest = rest[-_LONGEST_TAG:]
                continue
            last = 0
            for match in _MERGE.finditer(rest):
                found.append(_range(match))
                last = match.end()
            if len(found) > limits.MERGES:
                raise RegistryError(
                    "too-many-merges",
                    "{where}：工作表“{sheet}”有{expected}处以上合并单元格，请取消合并后重试",
                    where=self._package.name,
                    sheet=sheet.name,
                    expected=limits.MERGES,
                )
            rest = rest[max(last, len(rest) - _LONGEST_TAG) :]
        return found

    def rows(self, sheet: Listed, unseen: Unseen) -> Generator[Row, None, None]:
        """The rows of a sheet from the first on, blank ones too; ``unseen`` takes the hidden ones."""
        reader = _Reader(self._package.name, sheet.name, self, unseen)
        number = 1
        for _ in self._package.parse(sheet.part, reader.start, reader.end, reader.text):
            for at, row in reader.rows:
                for _ in range(number, at):
                    yield ()
                yield row
                number = at + 1
            reader.rows.clear()
            if reader.over:
                return

    def shared(self, index: int) -> str:
        """A shared text, by its number."""
        return self._strings[index]

    def format(self, style: str | None) -> Format | None:
        """The number format of a cell's style; None if its numbers mean just themselves."""
        try:
            return self._formats[int(style or 0)]
        except (IndexError, ValueError):
            return None


def _is_on(text: str) -> bool:
    return text.strip() in ("1", "true", "on")


def _range(match: re.Match[bytes]) -> Range:
    left, top, right, bottom = (part.decode() for part in match.groups())
    rows, columns = sorted((int(top), int(bottom))), sorted((_column(left), _column(right)))
    return Range(rows[0], columns[0], rows[1], columns[1])


def _column(letters: str) -> int:
    """The number of a column, from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _strings(package: Package, part: str) -> list[str]:
    """The shared texts, without the phonetic guides above them."""
    found: list[str] = []
    if part not in package:
        return found
    pieces: list[str] = []
    reading = guides = length = 0

    def start(tag: str, given: dict[str, str]) -> None:
        nonlocal reading, guides
        reading += tag == "t"
        guides += tag == "rPh"

    def end(tag: str) -> None:
        nonlocal reading, guides
        reading -= tag == "t"
        guides -= tag == "rPh"
        if tag == "si":
            found.append(text_of("".join(pieces)))
            pieces.clear()

    def text(data: str) -> None:
        nonlocal length
        if reading and not guides:
            pieces.append(data)
            length += len(data)

    for _ in package.parse(part, start, end, text):
        if length > limits.STRING_CHARACTERS or len(found) > limits.STRINGS:
            raise RegistryError(
                "too-many-texts",
                "{where}：工作簿里的文字超过可读取的{strings}条、{characters}字，请拆分成几个文件，或新建工作簿只粘贴所需的表",
                where=package.name,
                strings=limits.STRINGS,
                characters=limits.STRING_CHARACTERS,
            )
    return found


#: The parts of the styles.
_PARTS: Final = (
    "numFmts",
    "fonts",
    "fills",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "extLst",
)


def _formats(package: Package, part: str) -> tuple[list[Format | None], set[str]]:
    """The number format of each cell style, and the styles that strike through; the rest is ignored."""
    codes = dict(BUILTIN)
    found: list[Format | None] = []
    struck = set[str]()
    if part not in package:
        return found, struck
    within, font, struck_fonts = "", -1, set[int]()
    for tag, given in package.elements(part):
        if tag in _PARTS:
            within = tag
        elif within == "fonts":
            font += tag == "font"
            if tag == "strike" and _is_on(given.get("val", "1")):
                struck_fonts.add(font)
        elif (within, tag) == ("numFmts", "numFmt"):
            codes[_number(given.get("numFmtId"))] = given.get("formatCode", "")
        elif (within, tag) == ("cellXfs", "xf"):
            if _number(given.get("fontId")) in struck_fonts:
                struck.add(str(len(found)))
            found.append(number_format(codes.get(_number(given.get("numFmtId")), "General")))
        if max(len(found), len(codes)) > limits.FORMATS:
            raise RegistryError(
                "too-many-formats",
                "{where}：单元格格式超过{expected}种，请新建工作簿只粘贴所需的表",
                where=package.name,
                expected=limits.FORMATS,
            )
    return found, struck


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


class _Reader:
    """Makes rows from the tags of a sheet; ``over`` after the last row."""

    def __init__(self, file: str, sheet: str, book: Workbook, unseen: Unseen) -> None:
        self._unseen = unseen
        self.rows: list[tuple[int, Row]] = []
        self.over = False
        self._where = f"{file}：工作表“{sheet}”"
        self._book = book
        self._columns: dict[str, int] = {}
        self._zeros = True
        self._masters: dict[str, tuple[str, int, int]] = {}
        self._number = 0
        self._numbered = False
        self._row: list[CellValue] = []
        self._characters = 0
        self._cell: dict[str, str] | None = None
        self._index = 0
        self._into: list[str] | None = None
        self._value: list[str] = []
        self._text: list[str] = []
        self._formula: list[str] = []
        self._formula_given: dict[str, str] | None = None
        self._guides = 0

    def start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "c":
            self._start_cell(given)
        elif tag == "v":
            self._into = self._value
        elif tag == "t":
            self._into = self._text if not self._guides else None
        elif tag == "f" and self._cell is not None:
            self._formula_given = given
            self._into = self._formula
        elif tag == "row":
            self._start_row(given)
        elif tag == "rPh":
            self._guides += 1
        elif tag == "col" and _is_on(given.get("hidden", "")):
            self._unseen.columns.append((_number(given.get("min")), _number(given.get("max"))))
        elif tag == "sheetView":
            self._zeros = self._zeros and given.get("showZeros", "1") not in ("0", "false", "off")

    def end(self, tag: str) -> None:
        if tag in ("v", "t", "f"):
            self._into = None
        elif tag == "c":
            self._end_cell()
        elif tag == "row":
            self.rows.append((self._number, self._row))
        elif tag == "rPh":
            self._guides -= 1
        elif tag == "sheetData":
            self.over = True

    def text(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)
            self._characters += len(data)
            if self._characters > limits.ROW_CHARACTERS:
                raise RegistryError(
                    "too-long-row",
                    "{where}第{row}行有{expected}字以上，请核对这一行",
                    where=self._where,
                    row=self._number,
                    expected=limits.ROW_CHARACTERS,
                )

    def _start_row(self, given: dict[str, str]) -> None:
        text = given.get("r")
        self._numbered = text is not None
        before, self._number = self._number, self._number + 1
        if text is not None:
            self._number = self._row_number(text)
            if self._number <= before:
                self._refuse(
                    "unordered-rows",
                    "第{row}行排在第{before}行之后，行号有误",
                    row=text,
                    before=before,
                )
        if "hidden" in given and _is_on(given["hidden"]):
            self._unseen.rows.add(self._number)
        self._row, self._index, self._characters = [], -1, 0

    def _row_number(self, text: str) -> int:
        number = int(text) if text.isdecimal() and len(text) < 12 else 0
        if not 1 <= number <= limits.ROWS:
            self._refuse(
                "unknown-row-number",
                "的行号{value}不在1至{expected}之间",
                value=text[:20],
                expected=limits.ROWS,
            )
        return number

    def _start_cell(self, given: dict[str, str]) -> None:
        self._cell = given
        at = given.get("r")
        if at is None:
            self._index += 1
        else:
            letters = at.rstrip("0123456789")
            index = self._columns.get(letters)
            self._index = self._column_index(at, letters) if index is None else index
            if not self._numbered and not self._row and len(letters) < len(at):
                self._number = max(self._number, self._row_number(at[len(letters) :]))
        if self._index >= limits.COLUMNS:
            self._refuse(
                "too-many-columns",
                "第{row}行超过{expected}列",
                row=self._number,
                expected=limits.COLUMNS,
            )

    def _column_index(self, at: str, letters: str) -> int:
        bare = letters.replace("$", "")
        if not bare.isascii() or not bare.isalpha() or len(bare) > 3:
            self._refuse(
                "unknown-cell",
                "第{row}行有单元格的位置「{value}」，不是列和行",
                row=self._number,
                value=at[:20],
            )
        self._columns[letters] = index = _column(bare) - 1
        return index

    def _end_cell(self) -> None:
        assert self._cell is not None
        value = self._read(self._cell)
        if self._formula_given is not None:
            formula = self._formula_text(self._formula_given)
            if value is None or self._is_placeholder():
                value = _unsaved(formula)
            self._formula.clear()
            self._formula_given = None
        if value is not None and self._book.struck and self._cell.get("s") in self._book.struck:
            self._unseen.struck.add(self._number)
        self._cell = None
        self._value.clear()
        self._text.clear()
        if value is None:
            return
        row, index = self._row, self._index
        if index >= len(row):
            row.extend([None] * (index - len(row)))
            row.append(value)
        elif row[index] is None:
            row[index] = value
        else:
            self._refuse(
                "repeated-cell",
                "的单元格{cell}出现了两次",
                cell=f"{get_column_letter(index + 1)}{self._number}",
            )

    def _is_placeholder(self) -> bool:
        """Whether a formula's result is the 0 of programs that leave computing to Excel."""
        assert self._cell is not None
        number = self._cell.get("t", "n") == "n"
        return self._book.uncounted and number and self._value == ["0"]

    def _read(self, given: dict[str, str]) -> CellValue:
        """The value of the cell that has just ended; None if it is empty."""
        value = self._held(given)
        if isinstance(value, str) and self._book.speaking:
            shown = self._book.speaking.get(given.get("s", ""))
            return shown.text(value) if shown and value else value
        return value

    def _held(self, given: dict[str, str]) -> CellValue:
        kind = given.get("t", "n")
        text = "".join(self._value)
        if kind == "n":
            return self._amount(text, given) if text else text_of("".join(self._text)) or None
        if kind == "s":
            return self._shared(text.strip())
        if kind == "inlineStr":
            return text_of("".join(self._text) or text)
        if kind == "b":
            return text.strip() in ("1", "true") if text else None
        if kind == "d":
            return _moment(text.strip()) if text else None
        if kind == "e":
            return text or None
        return text_of(text)

    def _shared(self, text: str) -> str | None:
        if not text:
            return None
        try:
            return self._book.shared(_number(text) if text.isdecimal() else limits.STRINGS)
        except IndexError:
            self._refuse(
                "missing-text",
                "的单元格{cell}的文字不在文件里",
                cell=f"{get_column_letter(self._index + 1)}{self._number}",
            )

    def _amount(self, text: str, given: dict[str, str]) -> CellValue:
        number = _amount(text.strip())
        if isinstance(number, str):
            return text_of(number)
        if not number and not self._zeros:
            return Shown(number, "", "")
        style = given.get("s")
        shown = self._book.format(style) if style else None
        value = number if shown is None else shown.cell(number, self._book.since_1904)
        if self._book.since_1904 and isinstance(value, (int, float)):
            return Since1904(value)
        return value

    def _formula_text(self, given: dict[str, str]) -> str:
        """The cell's formula; that of a group may be only in the group's first cell."""
        formula = "".join(self._formula)
        if given.get("t") == "shared":
            group = given.get("si", "")
            if formula:
                self._masters[group] = formula, self._number, self._index
            elif master := self._masters.get(group):
                return _moved(*master, self._number, self._index)
        return formula

    def _refuse(self, slug: str, pattern: str, **fields: Any) -> NoReturn:
        raise RegistryError(
            slug,
            "{where}" + pattern + "，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试",
            where=self._where,
            **fields,
        )


def _moved(formula: str, row: int, column: int, to_row: int, to_column: int) -> str:
    """A formula as it would read in another cell."""
    first, other = (
        f"{get_column_letter(c + 1)}{r}" for r, c in ((row, column), (to_row, to_column))
    )
    return str(Translator(f"={formula}", first).translate_formula(other))[1:]


def _unsaved(formula: str) -> CellValue:
    """A formula without its result, as Excel shows it; a mere text is its own result."""
    shown = f"={formula}"
    text = unwrapped(shown)
    return text_of(text) if text != shown else Unsaved(shown)


def _amount(text: str) -> int | float | str:
    """A number as in the file; anything else, or with too many digits, stays a text."""
    # nan, inf and 1_000 are numbers in Python only
    if len(text) > limits.DIGITS or text[-1:] not in _DIGITS_END or "_" in text:
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _moment(text: str) -> CellValue:
    """A day or moment in ISO 8601, without a time zone."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    with suppress(ValueError):
        return datetime.fromisoformat(text).replace(tzinfo=None)
    return text_of(text)
