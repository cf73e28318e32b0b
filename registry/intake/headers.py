"""Finding the heading row of a sheet, and what stands above it: the date and the unit of money."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from unicodedata import normalize

from openpyxl.utils import get_column_letter

from registry.intake.cells import MONEY, CellValue, Unsaved, not_given, plain, read_date, squeeze
from registry.intake.checks import PARTS
from registry.intake.drafts import Log, Place
from registry.intake.mapping import AS_OF, CODE, NAME, HeaderMapping, Heading
from registry.intake.tables import Row
from rules.errors import FactsError
from rules.facts import RecordKind, record_kind

_BARE_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")
_DATED: Final = re.compile(r"(?:填报|申报|填表)日期:?")
_DAY: Final = re.compile(r"[0-9]{4}[-./年][0-9]{1,2}[-./月][0-9]{1,2}日?|[0-9]{8}")
_UNIT: Final = re.compile(
    r"(?:^|[^\u4e00-\u9fff]|金额|货币|计量)单位\s*[:为]\s*(?:人民币)?"
    rf"({'|'.join(sorted(MONEY, key=len, reverse=True))})(?![\u4e00-\u9fff])"
)


@dataclass(frozen=True)
class Column:
    """A column that is read: where it stands and what its heading means."""

    index: int
    text: str
    heading: Heading

    @property
    def letter(self) -> str:
        """The column's letter."""
        return get_column_letter(self.index + 1)


@dataclass(frozen=True)
class Header:
    """The heading row (counted from 1) and its columns; ``record`` on the sheet of a list.

    ``first`` is the upper of two heading rows, else the row itself; ``titles`` are all headings.
    """

    row: int
    columns: tuple[Column, ...]
    record: RecordKind | None
    first: int
    titles: Row

    @property
    def weight(self) -> tuple[bool, int, int]:
        """How much is understood: the columns that are needed, all columns, those with a year."""
        dated = sum(c.heading.year is not None for c in self.columns)
        return not self.missing, len(self.columns), dated

    def column(self, role: str) -> Column | None:
        """The first column of a role."""
        return next((c for c in self.columns if c.heading.target.role == role), None)

    @property
    def missing(self) -> list[str]:
        """The columns without which the sheet cannot be read."""
        wanted = {"uscc": CODE}
        if self.record is None and self.column("year") is None:
            wanted["name"] = NAME
        return [name for role, name in wanted.items() if self.column(role) is None]


def find_header(sheet: str, rows: Sequence[Row], mapping: HeaderMapping) -> Header | None:
    """The row with the most headings that are understood, if any has at least two.

    Two rows are one heading where the lower one only divides or completes the upper one:
    2020年, 2021年 and 2022年 below 营业收入（万元）.
    """
    record = _record_of(sheet)
    best: Header | None = None
    for number, row in enumerate(rows, 1):
        found = _header(number, number, row, mapping, record)
        if len(found.columns) >= 2 and (best is None or len(found.columns) > len(best.columns)):
            best = found
    if best is None or record is not None:
        return best
    for upper in (best.row, best.row - 1):
        if 1 <= upper < len(rows):
            titles = _joined(rows[upper - 1], rows[upper], mapping)
            found = _header(upper, upper + 1, titles, mapping, record)
            if titles and not found.missing and found.weight > best.weight:
                return found
    return best


def _header(
    first: int, row: int, titles: Row, mapping: HeaderMapping, record: RecordKind | None
) -> Header:
    columns = tuple(
        Column(index, text, heading)
        for index, cell in enumerate(titles)
        if isinstance(cell, str)
        and (text := plain(cell))
        and (heading := mapping.resolve(text, record))
    )
    return Header(row, columns, record, first, titles)


def _joined(upper: Row, lower: Row, mapping: HeaderMapping) -> Row:
    """The headings of two rows as one; nothing if the lower row is none of headings."""
    titles: list[CellValue] = []
    parent, joined = "", False
    for index in range(max(len(upper), len(lower))):
        above = upper[index] if index < len(upper) else None
        below = lower[index] if index < len(lower) else None
        if not not_given(above):
            parent = plain(above)
        if not_given(below):
            titles.append(above)
            continue
        text = plain(below)
        if _BARE_YEAR.fullmatch(text):
            text += "年"
        ways = (text + parent, parent + text, text)
        found = next((way for way in ways if mapping.resolve(way)), None)
        joined = joined or found is not None
        titles.append(found or parent + text)
    return titles if joined else []


def _record_of(sheet: str) -> RecordKind | None:
    try:
        return record_kind(sheet)
    except FactsError:
        return None


def filing_date(row: Row, sheet: str, number: int, log: Log) -> date | None:
    """The 填报日期 that a title or closing row names, in one cell or in the next."""
    for index, cell in enumerate(row):
        if not isinstance(cell, str) or not (match := _DATED.search(text := squeeze(cell))):
            continue
        rest: CellValue = text[match.end() :]
        if day := _DAY.match(str(rest)):
            rest = day[0]
        elif not rest:
            right = row[index + 1 :]
            rest = next((c for c in right if isinstance(c, Unsaved) or not not_given(c)), None)
        if isinstance(rest, Unsaved):
            place = Place(sheet, f"{get_column_letter(row.index(rest) + 1)}{number}")
            log.add("提示", place, rest, *Unsaved.SAID)
            return None
        if not_given(rest):
            return None
        parsed = read_date(rest)
        if isinstance(parsed.value, str):
            return date.fromisoformat(parsed.value)
        place = Place(sheet, f"{get_column_letter(index + 1)}{number}")
        log.add("提示", place, cell, parsed.said(AS_OF), parsed.expected)
    return None


def money_unit(rows: Sequence[Row]) -> str:
    """The unit of money that a title row states for the whole table, or nothing."""
    texts = (normalize("NFKC", c).strip() for row in rows for c in row if isinstance(c, str))
    return next((m[1] for text in texts if (m := _UNIT.search(text))), "")


def settle(header: Header, sheet: str, unit: str, as_of: date | None, log: Log) -> list[Column]:
    """The columns to be read, each with its unit and year; the others are reported.

    ``unit`` is the table's unit of money.
    """
    understood = {c.index for c in header.columns}
    for index, cell in enumerate(header.titles):
        place = Place(sheet, f"{get_column_letter(index + 1)}{header.row}")
        if isinstance(cell, Unsaved):
            log.add("提示", place, cell, Unsaved.SAID[0] + "，该列未读取", Unsaved.SAID[1])
        elif index not in understood and not not_given(cell):
            said = "看不懂这个表头，该列未读取"
            log.add(
                "提示",
                place,
                cell,
                said,
                "请改用模板的表头，或用 tidu import --draft 写出对照表来补",
            )
    by_row = header.column("year") is not None
    settled: list[Column] = []
    taken: dict[object, str] = {}
    for column in header.columns:
        place = Place(sheet, f"{column.letter}{header.row}")
        heading = column.heading
        fact = heading.target.fact
        if fact is not None and fact.yearly:
            if heading.offset is not None and as_of is not None:
                heading = replace(heading, year=as_of.year - 1 + heading.offset)
            elif heading.year is None and not by_row:
                heading = replace(heading, year=_inherited(heading, settled))
            if heading.year is None and not by_row:
                said = "没有写明年份，该列未读取"
                log.add("提示", place, column.text, said, f"应写成 2022年{column.text} 的样子")
                continue
        if fact is not None and fact.unit in MONEY and not heading.unit:
            if not unit:
                said = f"没有写明金额单位，已按{fact.unit}读取"
                log.add("提示", place, column.text, said, f"应写成 {column.text}（{fact.unit}）")
            heading = replace(heading, unit=unit or fact.unit)
        key = _key(heading)
        if heading.target.role == "ignore":
            continue
        if key in taken:
            log.add(
                "提示", place, column.text, f"与{taken[key]}列含义相同，该列未读取", "请删去其一"
            )
            continue
        taken[key] = column.letter
        settled.append(replace(column, heading=heading))
    return settled


def _key(heading: Heading) -> object:
    target = heading.target
    name = target.fact.id if target.fact else target.record
    return target.role, name, heading.year, tuple(sorted(target.constants.items()))


def _inherited(heading: Heading, before: Sequence[Column]) -> int | None:
    """The year of the heading that this one continues: 其中研发人员 after 2022年末从业人员."""
    fact = heading.target.fact
    assert fact is not None
    for column in reversed(before):
        other = column.heading.target.fact
        if other is None or column.heading.year is None:
            continue
        if other.id == PARTS.get(fact.id) or heading.nested:
            return column.heading.year
    return None
