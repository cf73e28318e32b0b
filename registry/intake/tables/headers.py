"""Finds the headings of the tables in a sheet, in one or several rows, and settles columns."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

from openpyxl.utils import get_column_letter

from registry.intake.cells import MONEY, CellValue, Unsaved, not_given, plain
from registry.intake.drafts import CellPlace, Log
from registry.intake.files.sheets import Row
from registry.intake.tables.mapping import CODE, NAME, HeaderMapping, MappedHeading, turns
from registry.intake.tables.rowkinds import good_code, is_numbers, is_units
from rules.model.facts import RecordKind
from rules.portable.errors import Remedy

#: The most rows of a heading, besides rows of units.
_DEEPEST: Final = 4

#: What to do about a heading that is not understood.
_ASK: Final = "请改用模板的表头"


@dataclass(frozen=True)
class Column:
    """A column that is read: its position and the meaning of its heading."""

    index: int
    text: str
    heading: MappedHeading

    @property
    def letter(self) -> str:
        """The column's letter."""
        return get_column_letter(self.index + 1)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The heading of a table, with last row ``row``, and its columns; ``record`` if of a list.

    ``first`` is its top row, counted from 1. ``titles`` are all headings; ``levels`` are the parts
    of each, from the top. The table has the columns from ``start`` up to ``end``; it is
    ``rightmost`` unless another one follows beside it.
    """

    row: int
    columns: tuple[Column, ...]
    record: RecordKind | None
    first: int
    titles: Row
    levels: tuple[tuple[str, ...], ...]
    start: int = 0
    end: int = 0
    rightmost: bool = True

    @property
    def weight(self) -> tuple[bool, int, int, int]:
        """How much is understood: needed columns, all columns, those with year, those with unit."""
        dated = sum(c.heading.year is not None for c in self.columns)
        united = sum(c.heading.unit != "" for c in self.columns)
        return not self.missing, len(self.columns), dated, united

    def column(self, role: str) -> Column | None:
        """The first column with a role."""
        return next((c for c in self.columns if c.heading.target.role == role), None)

    @property
    def missing(self) -> list[str]:
        """The missing columns without which the sheet cannot be read."""
        wanted = {"uscc": CODE}
        if self.record is None and self.column("year") is None:
            wanted["name"] = NAME
        return [name for role, name in wanted.items() if self.column(role) is None]

    def blocks(self) -> list["Header"]:
        """The tables side by side below one heading row, from the left."""
        starts = [0, *self._further()]
        return [self._block(a, b) for a, b in pairwise([*starts, self.end])]

    def _further(self) -> list[int]:
        """The positions where further tables begin: each is as complete as the first."""
        starts: list[int] = []
        seen: set[object] = set()
        for index, key in self._keyed():
            if key in seen:
                starts.append(index)
                seen.clear()
            seen.add(key)
        return (
            []
            if any(self._block(a, b).missing for a, b in pairwise([0, *starts, self.end]))
            else starts
        )

    def unclear(self, rows: Sequence[Row]) -> int | None:
        """The column of a further block that is not understood, if there is such a block.

        Such a block repeats headings of the first, but its name and code are under others, or one
        is missing.
        """
        keys = [key for _, key in self._keyed()]
        again = [i for n, (i, key) in enumerate(self._keyed()) if key in keys[:n]]
        if not again or len(self.blocks()) > 1:
            return None
        roles = {c.index: c.heading.target.role for c in self.columns}
        repeated = {roles[i] for i in again}
        understood = {i for i, role in roles.items() if role != "ignore"}
        coded = _coded(rows, understood)
        if coded is not None and repeated & {"fact", "name", "ignore"}:
            return coded
        return again[0] if repeated & {"name", "uscc"} and "fact" in repeated else None

    def _keyed(self) -> Iterator[tuple[int, object]]:
        """A unique name for each column: the role of a needed one, else the text."""
        for column in self.columns:
            role = column.heading.target.role
            yield column.index, _key(column.heading) if role != "ignore" else column.text

    def _block(self, start: int, end: int) -> "Header":
        titles = [t if start <= i < end else None for i, t in enumerate(self.titles)]
        columns = tuple(c for c in self.columns if start <= c.index < end)
        found = replace(self, columns=columns, titles=titles, start=start, end=end)
        return replace(found, rightmost=end == self.end)


def _coded(rows: Sequence[Row], understood: Container[int]) -> int | None:
    """The first column that is not understood but contains a credit code."""
    found = (i for row in rows for i, c in enumerate(row) if i not in understood and good_code(c))
    return min(found, default=None)


def find_header(sheet: str, rows: Sequence[Row], mapping: HeaderMapping) -> Header | None:
    """The rows whose headings are understood best, if any is understood; data end the search.

    Several rows are one heading if the lower ones divide or complete the upper ones: 2020年 and
    2021年 below 营业收入, 万元 below these.
    """
    record = mapping.list_of(sheet)
    above = next((i for i, row in enumerate(rows) if any(map(good_code, row))), len(rows))
    best = _best(rows, above, mapping, record)
    if above < len(rows) and (best is None or best.missing):
        whole = _best(rows, len(rows), mapping, record)
        best = whole if whole is not None and not whole.missing else best or whole
    if best is None:
        return None
    whole = _with_parts(_with_group(best, rows, mapping), rows, mapping)
    return _with_units(whole, rows, mapping)


def _best(
    rows: Sequence[Row], end: int, mapping: HeaderMapping, record: RecordKind | None
) -> Header | None:
    """The span of rows that is understood best; among equals the shortest, then the upper one."""
    best: Header | None = None
    for first in range(end):
        if all(not_given(cell) for cell in rows[first]):
            continue
        deepest = 1 if record is not None else _DEEPEST
        for last in range(first, min(first + deepest, end)):
            if last > first and any(map(good_code, rows[last])):
                break
            found = _header(rows, first, last, mapping, record)
            if found.columns and (best is None or found.weight > best.weight):
                best = found
    return best


def _with_group(found: Header, rows: Sequence[Row], mapping: HeaderMapping) -> Header:
    """The heading with the row above it, if that says that figures are not the enterprise's own."""
    above = rows[found.first - 2] if found.first > 1 else ()
    titles = [i for i, cell in enumerate(above) if isinstance(cell, str) and turns(plain(cell))]
    if found.record is not None or not any(titles) or len(set(above)) == 1:
        return found
    return _composed(
        rows[found.first - 2 : found.row], found.first - 1, found.row, mapping, found.record
    )


def _with_parts(found: Header, rows: Sequence[Row], mapping: HeaderMapping) -> Header:
    """The heading with the rows below that divide its columns, even if they are not understood."""
    while found.row < len(rows) and _divides(rows[found.row], found):
        levels = rows[found.first - 1 : found.row + 1]
        deeper = _composed(levels, found.first, found.row + 1, mapping, found.record)
        if len(levels) > _DEEPEST or deeper.missing:
            break
        found = deeper
    return found


def _divides(row: Row, above: Header) -> bool:
    """Whether a row has only texts, none below code or name, and some below no heading."""
    given = [(i, cell) for i, cell in enumerate(row) if not not_given(cell)]
    keys = {c.index for c in above.columns if c.heading.target.role in ("uscc", "name")}
    if above.missing or above.record or not all(isinstance(cell, str) for _, cell in given):
        return False
    bare = [i for i, _ in given if i >= len(above.titles) or not_given(above.titles[i])]
    return bool(bare) and keys.isdisjoint(i for i, _ in given)


def _with_units(found: Header, rows: Sequence[Row], mapping: HeaderMapping) -> Header:
    """The heading with the following rows of units and of column numbers."""
    taken = list(range(found.first - 1, found.row))
    for last in range(found.row, len(rows)):
        if is_units(rows[last]):
            taken.append(last)
        elif not (is_numbers(rows[last]) and _numbers_keys(found, rows[last])):
            break
        levels = [rows[i] for i in taken]
        found = _composed(levels, found.first, last + 1, mapping, found.record)
    return found


def _numbers_keys(found: Header, row: Row) -> bool:
    """Whether a row of numbers also numbers the columns of names and codes."""
    keys = [c.index for c in found.columns if c.heading.target.role in ("uscc", "name")]
    return any(index < len(row) and not not_given(row[index]) for index in keys)


def _header(
    rows: Sequence[Row], first: int, last: int, mapping: HeaderMapping, record: RecordKind | None
) -> Header:
    return _composed(rows[first : last + 1], first + 1, last + 1, mapping, record)


def _composed(
    levels: Sequence[Row], first: int, row: int, mapping: HeaderMapping, record: RecordKind | None
) -> Header:
    columns: list[Column] = []
    titles: list[CellValue] = []
    named: list[tuple[str, ...]] = []
    for index, stack in enumerate(_stacks(levels)):
        unsaved = next((cell for cell in stack if isinstance(cell, Unsaved)), None)
        texts = tuple(dict.fromkeys(plain(cell) for cell in stack if not not_given(cell)))
        titles.append(unsaved if unsaved and not texts else "".join(texts) or None)
        named.append(texts)
        if not texts or (len(levels) == 1 and not isinstance(stack[0], str)):
            continue
        heading = mapping.resolve_levels(texts, record)
        if heading is not None:
            columns.append(Column(index, "".join(texts), heading))
    while titles and titles[-1] is None:
        titles.pop()
    return Header(
        row=row,
        columns=tuple(columns),
        record=record,
        first=first,
        titles=titles,
        levels=tuple(named),
        start=0,
        end=len(titles),
    )


def _stacks(levels: Sequence[Row]) -> Iterator[tuple[CellValue, ...]]:
    """The headings of each column from the top; an upper one extends over blank ones beside it."""
    filled: list[list[CellValue]] = []
    width = max(map(len, levels))
    padded = [[*row, *[None] * (width - len(row))] for row in levels]
    for depth, row in enumerate(padded):
        below = [lower for lower in padded[depth + 1 :] if not is_units(lower)]
        line = list(row)
        for index in range(1, width):
            divided = any(not not_given(lower[index]) for lower in below)
            same = all(upper[index] == upper[index - 1] for upper in filled)
            if not_given(line[index]) and divided and same and row[index] is None:
                line[index] = line[index - 1]
        filled.append(line)
    return zip(*filled, strict=True)


def settle(
    header: Header, sheet: str, units: frozenset[str], as_of: date | None, log: Log
) -> list[Column]:
    """The columns to be read, each with its unit and year; the others are reported.

    ``units`` are the units of money stated for the whole table.
    """
    _tell_unread(header, sheet, log)
    by_row = header.column("year") is not None
    known = _units(header, units)
    settled: list[Column] = []
    taken: dict[object, str] = {}
    for column in header.columns:
        if column.heading.target.role in ("ignore", "unread"):
            continue
        place = CellPlace(sheet, f"{column.letter}{header.row}")
        dated = column if by_row else _dated(column, settled, as_of, place, log)
        found = dated and _united(dated, known, place, log)
        if found is None:
            continue
        key = _key(found.heading)
        if key in taken:
            said = f"与{taken[key]}列含义相同，该列未读取"
            log.add("提示", place, column.text, said, "请删去其一")
            continue
        taken[key] = column.letter
        settled.append(found)
    return settled


def _tell_unread(header: Header, sheet: str, log: Log) -> None:
    """Report each heading that is not understood, or whose column is not read."""
    understood = {c.index: c for c in header.columns}
    for index, cell in enumerate(header.titles):
        place = CellPlace(sheet, f"{get_column_letter(index + 1)}{header.row}")
        column = understood.get(index)
        if isinstance(cell, Unsaved):
            log.add("提示", place, cell, Unsaved.SAID[0] + "，该列未读取", Unsaved.SAID[1])
        elif column is not None and column.heading.target.role == "unread":
            wanted = column.heading.target.wanted
            log.add("提示", place, cell, "这一列不读取", wanted)
        elif column is None and not not_given(cell):
            said = "看不懂这个表头，该列未读取"
            log.add("提示", place, cell, said, _ASK, remedy=Remedy("draft-mapping"))


class _Units(NamedTuple):
    """The units of money that title rows state for a table, and those of its columns."""

    stated: frozenset[str]
    columns: frozenset[str]


def _units(header: Header, stated: frozenset[str]) -> _Units:
    own = (c.heading for c in header.columns if c.heading.target.role == "fact")
    return _Units(stated, frozenset(h.unit for h in own if h.unit in MONEY))


def _dated(
    column: Column, before: Sequence[Column], as_of: date | None, place: CellPlace, log: Log
) -> Column | None:
    """The column with the fiscal year of its heading; None, with a report, if it has none."""
    heading = column.heading
    fact = heading.target.fact
    if fact is None or not fact.yearly or heading.year is not None:
        return column
    year = _inherited(heading, before) if heading.offset is None else None
    if heading.offset is not None and as_of is not None:
        year = as_of.year - 1 + heading.offset
    if year is None:
        said = "没有写明年份，该列未读取"
        log.add("提示", place, column.text, said, f"应写成 2022年{column.text} 的样子")
        return None
    return replace(column, heading=replace(heading, year=year))


def _united(column: Column, units: _Units, place: CellPlace, log: Log) -> Column | None:
    """The column with its unit of money; None, with a report, if others contradict the usual."""
    heading = column.heading
    fact = heading.target.fact
    if fact is None or fact.unit not in MONEY or heading.unit:
        return column
    if len(units.stated) == 1:
        return replace(column, heading=replace(heading, unit=next(iter(units.stated))))
    expected = f"应写成 {column.text}（{fact.unit}）"
    if others := sorted((units.stated | units.columns) - {fact.unit}):
        said = f"没有写明金额单位，表中别处写的有{'、'.join(others)}，该列未读取"
        log.add("提示", place, column.text, said, expected)
        return None
    log.add("提示", place, column.text, f"没有写明金额单位，已按{fact.unit}读取", expected)
    return replace(column, heading=replace(heading, unit=fact.unit))


def _key(heading: MappedHeading) -> object:
    target = heading.target
    name = target.fact.id if target.fact else target.record
    return target.role, name, heading.year, tuple(sorted(target.constants.items()))


def _inherited(heading: MappedHeading, before: Sequence[Column]) -> int | None:
    """The year of the heading that this one continues: 其中研发人员 after 2022年末从业人员."""
    fact = heading.target.fact
    assert fact is not None
    for column in reversed(before):
        other = column.heading.target.fact
        if other is None or column.heading.year is None:
            continue
        if other.id == fact.part_of or heading.nested:
            return column.heading.year
    return None
