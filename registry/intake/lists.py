"""Lists as in notices: enterprises by name, code or both, in one block or several side by side."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Final, TypeAlias

from openpyxl.utils import get_column_letter

from registry.errors import RegistryError
from registry.intake.cells import CellValue, is_blank, not_given, plain
from registry.intake.files.sheets import FileSheet, Row, refuse_unread, sheets
from registry.intake.files.workbook import Range
from registry.intake.tables.mapping import HeaderMapping
from registry.intake.tables.rowkinds import Kind, good_code, kind_of
from rules.model.catalogue import Catalogue
from rules.model.characters import clipped

#: Interprets a column's heading: the name of the column, or nothing.
Columns: TypeAlias = Callable[[str], str]

_LOOK: Final = 50
#: The kinds of rows that are no entries; all are reported except rows of column numbers.
_LIKE: Final = {Kind.NUMBERS: "", Kind.UNITS: "单位或填写说明", Kind.EXAMPLE: "示例"}
#: The most unread columns that are named.
_NAMED: Final = 10
#: The beginning of a row that closes a table: a sum or a note.
_CLOSING: Final = re.compile(
    r"(?:合|小|总|共)计(?![\u4e00-\u9fff])|[总以上共]{1,3}计?[0-9]+[家户个]"
    r"|(?:附?注|备注|说明|填表|制表|审核|联系)[^:：]{0,6}[:：]"
)
_CODE: Final = re.compile(r"[0-9A-Z]{2}[0-9]{6}[0-9A-Z]{10}")


@dataclass(frozen=True)
class ListEntry:
    """An entry of a list and its place; the nonblank cells of its columns, and the place of each.

    ``spread`` are the columns filled by a cell merged down from a row above.
    """

    where: str
    cells: Mapping[str, CellValue]
    spread: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)

    def text(self, column: str) -> str:
        """The text of a cell; empty if nothing is given."""
        return plain(self.cells.get(column))

    def at(self, column: str) -> str:
        """The place of a cell, and which enterprise's it is, as a message begins."""
        who = f"{clipped(self.text('name'))}{clipped(self.text('uscc'))}"
        return f"{self.places.get(column, self.where)} {who}".rstrip()


@dataclass(frozen=True)
class Listing:
    """The entries of a file in reading order.

    ``columns`` are those found; ``told`` says what is left out or hidden.
    """

    lines: tuple[ListEntry, ...]
    columns: frozenset[str]
    told: tuple[str, ...]


def enterprises(heading: str) -> str:
    """The columns of a list of enterprises, ``uscc`` and ``name``, by any of their headings."""
    found = _HEADINGS.resolve(heading)
    return found.target.role if found and found.target.role in ("uscc", "name") else ""


#: What else a table may contain is of no interest.
_HEADINGS: Final = HeaderMapping(Catalogue())


def read_list(path: Path, columns: Columns, needed: Sequence[str]) -> Listing:
    """Read the list of a workbook or CSV file: every block of every sheet with a needed column.

    Raises ``RegistryError`` if there is none, and if an unreadable sheet has credit codes.
    """
    refuse_unread(path)
    lines, found, told = list[ListEntry](), set[str](), list[str]()
    with closing(sheets(path)) as book:
        for sheet in book:
            for one in _read(sheet, columns, needed, told, found):
                lines.append(one)
    return Listing(tuple(lines), frozenset(found), tuple(told))


def _read(
    sheet: FileSheet, columns: Columns, needed: Sequence[str], told: list[str], found: set[str]
) -> Iterator[ListEntry]:
    """The entries of one sheet; adds what is left out to ``told``."""
    top = list(islice(sheet.rows, _LOOK))
    number, blocks = _heading(top, columns, needed)
    if sheet.hidden or not blocks:
        _pass_over(sheet, top, told)
        return
    found.update(key for block in blocks for key in block)
    further, own_rows = _Further(sheet.name, top[number - 1], blocks), list[int]()
    spread = _Spread(sheet.merged, number)
    for place, own in enumerate(chain(top[number:], sheet.rows), number + 1):
        row = spread.over(place, own)
        _refuse_further(sheet, place, own, blocks)
        if (kind := _kind(row, blocks)) in _LIKE:
            if kind is not Kind.NUMBERS:
                told.append(f"{sheet.name}第{place}行像是{_LIKE[kind]}，未读取")
            continue
        given = [
            line
            for block in blocks
            if _says_anything(own, block)
            and (line := _line(sheet, place, row, own, block, columns))
        ]
        filled = [cell for cell in own if not not_given(cell)]
        if filled and _closes(filled[0]) and not any("uscc" in line.cells for line in given):
            continue
        yield from given
        if given:
            further.look(own)
            own_rows.append(place)
        if not given and row is own and len(filled) > 2 and not _headed(row, columns):
            told.append(f"{sheet.name}第{place}行没有名称和代码，未读取")
    told += further.told()
    headed = [(i + 1, plain(top[number - 1][i])) for block in blocks for i in block.values()]
    if hidden := sheet.hidden_among(own_rows, headed):
        told.append(f"{sheet.name}{hidden}也已读取：不该登记的，请取消隐藏后删去再登记")
    if struck := sheet.struck_among(own_rows):
        told.append(f"{sheet.name}{struck}，也已读取：划去不登记的，请删去再登记")


class _Further:
    """The unread columns of a list; those with content in an entry's row are reported."""

    def __init__(self, sheet: str, titles: Row, blocks: Sequence[Mapping[str, int]]) -> None:
        self._sheet = sheet
        read = {index for block in blocks for index in block.values()}
        self._titles = {
            index: plain(cell)
            for index, cell in enumerate(titles)
            if index not in read and not not_given(cell) and not _numbers(plain(cell))
        }
        self._filled = dict[str, None]()

    def look(self, row: Row) -> None:
        """Note the columns with content in an entry's row."""
        for index, title in self._titles.items():
            if not not_given(_at(row, index)):
                self._filled[title] = None

    def told(self) -> Iterator[str]:
        """The message about them."""
        if found := list(self._filled):
            more = f"等{len(found)}列" if len(found) > _NAMED else ""
            yield f"{self._sheet}的这些列不用，未读取：{'、'.join(found[:_NAMED])}{more}"


def _numbers(heading: str) -> bool:
    """Whether a column only numbers the rows, or is to be ignored otherwise."""
    found = _HEADINGS.resolve(heading)
    return found is not None and found.target.role == "ignore"


class _Spread:
    """Repeats merged cells below row ``heading`` in all rows that they cover."""

    def __init__(self, merged: Iterable[Range], heading: int) -> None:
        self._ranges = [r for r in merged if r.top > heading and r.bottom > r.top]
        self._held: dict[int, tuple[int, CellValue]] = {}

    def over(self, number: int, row: Row) -> Row:
        """The row with that number, including cells merged down to it."""
        for found in self._ranges:
            if found.top == number and found.left <= len(row):
                self._held[found.left - 1] = found.bottom, row[found.left - 1]
        self._held = {i: held for i, held in self._held.items() if held[0] >= number}
        if not self._held:
            return row
        filled = [*row, *[None] * (max(self._held) + 1 - len(row))]
        for index, (_, value) in self._held.items():
            filled[index] = value
        return filled


def _says_anything(row: Row, block: Mapping[str, int]) -> bool:
    """Whether a row has content of its own in a block; merged cells alone only repeat."""
    return any(index < len(row) and not is_blank(row[index]) for index in block.values())


def _heading(
    rows: Sequence[Row], columns: Columns, needed: Sequence[str]
) -> tuple[int, list[dict[str, int]]]:
    """The number of the heading row, and the positions of each block's columns."""
    best: tuple[int, list[dict[str, int]]] = (0, [])
    for number, row in enumerate(rows, 1):
        blocks: list[dict[str, int]] = []
        for index, cell in enumerate(row):
            key = columns(plain(cell)) if isinstance(cell, str) else ""
            if key and (not blocks or key in blocks[-1]):
                blocks.append({})
            if key:
                blocks[-1][key] = index
        blocks = [block for block in blocks if block.keys() & set(needed)]
        if sum(map(len, blocks)) > sum(map(len, best[1])):
            best = number, blocks
    return best


def _line(
    sheet: FileSheet, number: int, row: Row, own: Row, block: dict[str, int], columns: Columns
) -> ListEntry | None:
    """The entry of one block in a row; None for repeated headings, sums and notes."""
    cells = {
        key: row[index]
        for key, index in block.items()
        if index < len(row) and not is_blank(row[index])
    }
    texts = [plain(cell) for cell in cells.values()]
    if not cells or _headed(texts, columns) or (len(texts) == 1 and _closes(texts[0])):
        return None
    first = next(key for key in ("uscc", *block) if key in cells)
    spread = frozenset(key for key in cells if is_blank(_at(own, block[key])))
    places = {key: f"{sheet.name}!{get_column_letter(block[key] + 1)}{number}" for key in cells}
    return ListEntry(places[first], cells, spread, places)


def _kind(row: Row, blocks: Sequence[dict[str, int]]) -> Kind:
    """The kind of a row by its first block, if it has no credit code."""
    code, name = (_at(row, blocks[0].get(key)) for key in ("uscc", "name"))
    if any(good_code(cell) for cell in row):
        return Kind.DATA
    return kind_of(row, code, name, lambda index, cell: False)


def _at(row: Row, index: int | None) -> CellValue:
    return row[index] if index is not None and index < len(row) else None


def _refuse_further(
    sheet: FileSheet, number: int, row: Row, blocks: Sequence[dict[str, int]]
) -> None:
    """Refuse a list with a credit code in a column whose heading is not understood."""
    read = {index for block in blocks for index in block.values()}
    for index, cell in enumerate(row):
        if index not in read and isinstance(cell, str) and _CODE.fullmatch(cell.strip()):
            place = f"{sheet.name}!{get_column_letter(index + 1)}{number}"
            raise RegistryError(
                "unheaded-column",
                "{where}有信用代码，这一列却没有看得懂的表头，像是并排的另一块名单，整份名单没有登记：请补上表头，或删去这一列",
                where=place,
            )


def _headed(row: Sequence[CellValue], columns: Columns) -> bool:
    return any(isinstance(cell, str) and columns(plain(cell)) for cell in row)


def _closes(cell: CellValue) -> bool:
    return _CLOSING.match("".join(plain(cell).split())) is not None


def _pass_over(sheet: FileSheet, top: Sequence[Row], told: list[str]) -> None:
    """Report a sheet that is left out; refuse one with credit codes, which may be listed."""
    rows = chain(top, sheet.rows)
    if sheet.hidden:
        told.append(f"隐藏的工作表{sheet.name}未读取，需要读取时请取消隐藏")
        return
    texts = [plain(cell) for row in rows for cell in row if not not_given(cell)]
    if any(_CODE.fullmatch(text) for text in texts):
        raise RegistryError(
            "unheaded-sheet",
            "{where}有信用代码但没有看得懂的表头，整份名单没有登记：请补上表头，或删去这张工作表",
            where=sheet.name,
        )
    if texts:
        told.append(f"工作表{sheet.name}没有名单的表头，未读取")
