"""Adds the rows of a sheet, cell by cell, to the filings to which they belong."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache, partial
from typing import Final, TypeVar

from openpyxl.utils import get_column_letter

from registry.intake.cells import (
    MONEY,
    CellValue,
    Parsed,
    Unsaved,
    not_given,
    plain,
    read_fact,
    squeeze,
)
from registry.intake.composite import read_fields, read_records, read_region
from registry.intake.drafts import CellPlace, Drafts, FilingDraft
from registry.intake.files.sheets import Row
from registry.intake.identity import NO_CODE, lacking
from registry.intake.tables.headers import Column, Header
from registry.intake.tables.mapping import AS_OF, MappingTarget
from registry.intake.tables.rowkinds import TOLD, Kind, good_code, kind_of, says_example
from registry.intake.tables.shifts import has_slipped, lacks_cell, was_split
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, RecordKind, Scalar, yearly_key

_KEYS: Final = ("uscc", "name", "year")
#: Roles of the columns whose cells are filed, which are therefore in one table only.
_FILED: Final = ("fact", "records", "fields", "complete")
_PLACES: Final = ("province", "city", "county")
_SPLIT: Final = "金额中有千分位逗号的请加引号或去掉逗号，多出的格请给出表头或删去"
_DROPPED: Final = "请补上漏掉的一格（没有内容的格也要留出位置）"
_AS_OF: Final = Fact("as_of", AS_OF, "date")
_YEAR: Final = re.compile(r"(?:FY)?([0-9]{4})(?:\.0*)?(?:年度?|财年|会计年度|年12月31日|-12-31)?")
_REMEMBERED: Final = 1000
#: The most rows, or groups of rows, that are named.
_SPANS: Final = 20


_Read = TypeVar("_Read")


class _Said(dict[CellValue, _Read]):
    """The content of one column's cells; caches the texts read last."""

    def __init__(self, read: Callable[[CellValue], _Read]) -> None:
        self._read = read

    def __missing__(self, value: CellValue) -> _Read:
        found = self._read(value)
        if isinstance(value, str):  # otherwise 1 and True would be one key
            if len(self) >= _REMEMBERED:
                self.clear()
            self[value] = found
        return found


class _Slot:
    """A column while rows are read.

    ``said`` gives the content of each cell, ``records`` that of a cell with several records.
    ``source`` followed by a row's number is the place of a cell. ``key`` is the key of its fact, or
    None if that depends on the year of the row.
    """

    def __init__(self, sheet: str, column: Column) -> None:
        self.index = column.index
        self.role = column.heading.target.role
        self.target = column.heading.target
        self.fact = self.target.fact
        self.source = str(CellPlace(sheet, column.letter))
        self._sheet, self._letter = sheet, column.letter
        self.key = self._key(column.heading.year)
        self.said = _Said(partial(read_fact, self.fact or _AS_OF, unit=column.heading.unit))
        self.records = _Said(partial(read_records, self.target))

    def place(self, number: int) -> CellPlace:
        """The cell in the row with that number."""
        return CellPlace(self._sheet, f"{self._letter}{number}")

    @property
    def is_place(self) -> bool:
        """Whether the column says where an enterprise is, which many rows share."""
        return self.role == "region" or (self.fact is not None and self.fact.id in _PLACES)

    def _key(self, year: int | None) -> str | None:
        if self.fact is None or (self.fact.yearly and year is None):
            return None
        return self.fact.id if year is None else yearly_key(self.fact.id, year)


class _Titles:
    """The columns of a row that each ask for one title: which are answered, and where.

    One answer makes the list complete. Titles without an answer are added with their kind only, so
    that only they remain unknown.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        # a title that a pack adds is known only to the rulesets that read it; no other could judge
        # an enterprise for which it is stated
        self._kinds = [kind for kind in catalogue.titles if kind not in catalogue.added]
        self._answered: set[Scalar] = set()
        self._asked: dict[Scalar, CellPlace] = {}

    def note(self, target: MappingTarget, place: CellPlace, answered: bool) -> bool:
        """Note a cell; False if its column does not ask for one title."""
        kind = target.constants.get("kind")
        if target.record != "titles" or kind is None:
            return False
        self._asked.setdefault(kind, place)
        if answered:
            self._answered.add(kind)
        return True

    def complete(self, draft: FilingDraft, row: CellPlace) -> None:
        """Add the open titles, if any is answered."""
        if self._asked:
            draft.stated["titles"].append(bool(self._answered))
        for kind in self._kinds if self._answered else ():
            if kind not in self._answered:
                draft.add("titles", {"kind": kind}, str(self._asked.get(kind, row)))


class FilingTable:
    """One table of a sheet with its settled columns."""

    def __init__(
        self,
        sheet: str,
        header: Header,
        columns: Sequence[Column],
        drafts: Drafts,
        *,
        exact: bool = False,
    ) -> None:
        """``exact`` means that every row is written with all its cells, as in a CSV file."""
        self.sheet = sheet
        self._exact = exact
        self.header = header
        self.drafts = drafts
        drafts.tables += 1
        self.log = drafts.log
        self._record: RecordKind | None = header.record
        self._columns = [_Slot(sheet, c) for c in columns if c.heading.target.role not in _KEYS]
        if header.record is not None:
            self._columns = [s for s in self._columns if s.fact in header.record.fields]
        self._keys: dict[str, Column] = {
            c.heading.target.role: c for c in columns if c.heading.target.role in _KEYS
        }
        self._roles = {column.index: role for role, column in self._keys.items()}
        self._asks = frozenset(_asked(s) for s in self._columns if s.role in _FILED)
        self._slots = {slot.index: slot for slot in self._columns}
        self._said = {slot.index: slot.said for slot in self._columns if slot.fact is not None}
        self._untitled = [
            i for i in range(header.start, header.end) if not_given(_at(header.titles, i))
        ]
        self._opened: list[FilingDraft] = []
        self._years: set[tuple[str, int]] = set()
        self._named: dict[str, tuple[int, CellValue, CellValue]] = {}
        self._as_of: date | None = None
        self._passed: defaultdict[Kind, list[int]] = defaultdict(list)
        self._further: dict[int, int] = {}
        self._short: list[int] = []

    def turn(self, drafts: Drafts) -> None:
        """Continue with other filings: those read so far have been passed on."""
        self.drafts, self.log = drafts, drafts.log
        drafts.tables += 1
        self._opened.clear()
        self._years.clear()
        self._named.clear()

    def take(self, number: int, row: Row) -> bool:
        """Read a row with a good credit code that is not an example; else return False."""
        code, name = self._cell(row, "uscc"), self._cell(row, "name")
        first = row[self.header.start] if len(row) > self.header.start else None
        if not good_code(code) or says_example(name, first):
            return False
        if not self._held_back(number, row):
            self._take(number, row, code, name)
        return True

    def read(self, number: int, row: Row) -> Kind:
        """Read a row; ignores blank rows, notes, sums and the like."""
        if self.take(number, row):
            return Kind.DATA
        code, name = self._cell(row, "uscc"), self._cell(row, "name")
        kind = kind_of(self._slice(row), code, name, self._counts)
        if kind is Kind.DATA and not self._held_back(number, row):
            self._take(number, row, code, name)
        if kind in TOLD:
            self._passed[kind].append(number)
        return kind

    def close(self, as_of: date | None) -> None:
        """Give the table's filing date to filings without one, and report the rest."""
        self._as_of = as_of
        for draft in self._opened:
            draft.as_of = draft.as_of or as_of
        self.tell()

    @property
    def is_yearly(self) -> bool:
        """Whether each row concerns one fiscal year of an enterprise."""
        return self._record is None and "year" in self._keys

    def declare(self) -> None:
        """Open the filings to which the rows add, because no other table of the file does."""
        for number, code, name in self._named.values():
            places = self._place("uscc", number), self._place("name", number)
            draft = self.drafts.declare(code, name, *places)
            draft.as_of = draft.as_of or self._as_of

    def forget(self, first: int) -> None:
        """Drop remarks on the rows from that number on: they are titles of a further heading."""
        for kind, numbers in self._passed.items():
            self._passed[kind] = [n for n in numbers if n < first]

    def refuse_unstated(self) -> bool:
        """Hold back the filings opened here if the headings leave a unit of money unstated."""
        unstated = [c.index for c in self.header.columns if not c.heading.unit]
        slots = (self._slots[i] for i in unstated if i in self._slots)
        if not any(slot.fact is not None and slot.fact.unit in MONEY for slot in slots):
            return False
        for draft in self._opened:
            draft.refused = True
        return True

    def tell(self) -> None:
        """Report, once per kind, the rows and columns that were ignored."""
        for kind, told in TOLD.items():
            if numbers := self._passed.pop(kind, []):
                said = f"{row_numbers(numbers)}{told}，未作为企业读取"
                self.log.add(
                    "提示",
                    self._row_place(numbers[0]),
                    None,
                    said,
                    "如是企业，请补全名称和信用代码",
                )
        for index, number in sorted(self._further.items()):
            place = CellPlace(self.sheet, get_column_letter(index + 1))
            said = f"这一列没有表头，未读取（第一处在第{number}行）"
            self.log.add("提示", place, None, said, "需要读取时请补上表头")
        if self._short:
            said = f"{row_numbers(self._short)}比表头短，缺的各格按未填报处理"
            place = self._row_place(self._short[0])
            self.log.add("提示", place, None, said, "请核对是否漏了一格、后面的数随之错位")
        self._further.clear()
        self._short.clear()

    def _slice(self, row: Row) -> Row:
        """The table's own part of a row."""
        header = self.header
        return row if not header.start else row[header.start : header.end]

    def _counts(self, index: int, cell: CellValue) -> bool:
        """Whether a cell, by its position in the table, states what only an enterprise states."""
        slot = self._slots.get(index + self.header.start)
        return slot is not None and not slot.is_place

    def _held_back(self, number: int, row: Row) -> bool:
        """Whether the cells of a row are not below their headings, with a report."""
        for index in self._untitled:
            if index < len(row) and not not_given(row[index]):
                self._further.setdefault(index, number)
        end = self.header.end
        if self._exact and self._was_split(row):
            self._hold_back(number, row, "有金额被逗号分成了两格", _SPLIT)
            return True
        if len(row) > end and self.header.rightmost:
            return self._has_slipped(number, row)
        if len(row) < end and self._exact:
            if lacks_cell(row[self.header.start :], end - self.header.start, self._unreadable):
                self._hold_back(number, row, "的格数比表头少", _DROPPED)
                return True
            self._short.append(number)
        return False

    def _was_split(self, row: Row) -> bool:
        start, end = self.header.start, self.header.end
        if any(not not_given(cell) for cell in row[end:]):
            return False
        cells = [cell if isinstance(cell, str) else "" for cell in row[start:end]]
        while cells and not cells[-1]:
            cells.pop()
        return was_split(cells, self._unreadable, self._is_number)

    def _is_number(self, index: int) -> bool:
        """Whether the column at a position in the table asks for a number."""
        slot = self._slots.get(index + self.header.start)
        return slot is not None and slot.fact is not None and slot.fact.kind == "number"

    def _has_slipped(self, number: int, row: Row) -> bool:
        start, end = self.header.start, self.header.end
        further = [i for i in range(end, len(row)) if not not_given(row[i])]
        if not further:
            return False
        cells = row[start : further[-1] + 1]
        if has_slipped(cells, end - start, self._unreadable):
            self._hold_back(number, row, "的格数比表头多", _SPLIT)
            return True
        for index in further:
            self._further.setdefault(index, number)
        return False

    def _unreadable(self, index: int, cell: CellValue) -> bool:
        """Whether the number column at a position in the table cannot contain a cell."""
        index += self.header.start
        if (said := self._said.get(index)) is not None:
            parsed = said[cell]
            return parsed.value is None and parsed.notice != "" and not not_given(cell)
        role = self._roles.get(index, "")
        if role == "uscc":
            return not good_code(cell) and not not_given(cell)
        if role == "name" and not not_given(cell):
            return not isinstance(cell, str) or cell.strip().replace(".", "").isdecimal()
        return False

    def _hold_back(self, number: int, row: Row, what: str, expected: str) -> None:
        """Hold back an enterprise whose cells are not below their headings."""
        code = self._cell(row, "uscc")
        said = f"第{number}行{what}，各格与表头错位，整行未读取"
        draft = self._open(number, code, self._cell(row, "name"))
        self.log.add("错误", self._row_place(number), None, said, expected, draft.uscc)
        draft.refused = True
        draft.unread |= self._opened[-1:] == [draft]

    def _row_place(self, number: int) -> CellPlace:
        return CellPlace(self.sheet, f"{get_column_letter(self.header.start + 1)}{number}")

    def _open(self, number: int, code: CellValue, name: CellValue) -> FilingDraft:
        """The filing that a row opens or adds to."""
        if self._record is not None or "year" in self._keys:
            return self.drafts.of(code, self._place("uscc", number))
        draft = self._joined(code, name) if self.drafts.tables > 1 else None
        if draft is None:
            places = self._place("uscc", number), self._place("name", number)
            draft = self.drafts.declare(code, name, *places)
            self._opened.append(draft)
        draft.asked = draft.asked | self._asks if draft.asked else self._asks
        return draft

    def _take(self, number: int, row: Row, code: CellValue, name: CellValue) -> None:
        if self.is_yearly and "name" in self._keys:
            self._named.setdefault(plain(code), (number, code, name))
        if self._record is not None or "year" in self._keys:
            self._add(number, row, code)
        else:
            self._fill(self._open(number, code, name), number, row)

    def _joined(self, code: CellValue, name: CellValue) -> FilingDraft | None:
        """The filing of the same enterprise from another table without any of these columns."""
        draft = self.drafts.known(code)
        if draft is None or draft.asked & self._asks or not (draft.asked | self._asks):
            return None
        return draft if squeeze(draft.name) == squeeze(plain(name)) else None

    def _cell(self, row: Row, role: str) -> CellValue:
        column = self._keys.get(role)
        return row[column.index] if column is not None and column.index < len(row) else None

    def _place(self, role: str, number: int) -> CellPlace:
        return CellPlace(self.sheet, f"{self._keys[role].letter}{number}")

    def _add(self, number: int, row: Row, code: CellValue) -> None:
        where = self._place("uscc", number)
        if not_given(code):
            self.log.add("错误", where, code, *lacking(code, *NO_CODE))
            return
        draft = self._open(number, code, None)
        if self._record is not None:
            self._fill_record(draft, number, row, self._record)
            return
        cell = self._cell(row, "year")
        year = _year(cell)
        place = self._place("year", number)
        if year is None:
            said = lacking(cell, "没有可识别的年度", "应为四位年份")
            self.log.add("错误", place, cell, *said, draft.uscc)
            draft.refused = True
        elif (draft.uscc, year) in self._years:
            twice = f"该企业{year}年度填了不止一行"
            self.log.add("错误", place, cell, twice, "每家企业每年只填一行", draft.uscc)
            draft.refused = True
        else:
            self._years.add((draft.uscc, year))
            self._fill(draft, number, row, year)

    def _given(self, row: Row) -> Iterator[tuple[_Slot, CellValue]]:
        """The nonempty cells of a row, and all cells of lists, whose emptiness is reported too."""
        width = len(row)
        for slot in self._columns:
            value = row[slot.index] if slot.index < width else None
            if (value is not None and value != "") or slot.role == "records":
                yield slot, value

    def _fill(self, draft: FilingDraft, number: int, row: Row, year: int = 0) -> None:
        """Read a row about one fiscal year, or without a year."""
        titles = _Titles(self.drafts.catalogue)
        for slot, value in self._given(row):
            if slot.fact is None:
                self._put(draft, titles, slot, number, value)
                continue
            parsed = slot.said[value]
            found = parsed.value
            if found is None or parsed.notice:
                self._tell(draft, slot, number, slot.fact, value, parsed)
            if found is None:
                continue
            if slot.role == "fact":
                key = slot.key or yearly_key(slot.fact.id, year)
                draft.put(key, found, f"{slot.source}{number}")
            elif slot.role == "identity":
                draft.identity[slot.fact.id] = str(found)
            else:
                draft.complete[slot.target.record] = bool(found)
        titles.complete(draft, CellPlace(self.sheet, str(number)))

    def _put(
        self, draft: FilingDraft, titles: _Titles, slot: _Slot, number: int, value: CellValue
    ) -> None:
        """Read a cell that is not a single fact."""
        place, target = slot.place(number), slot.target
        self._note_unsaved(draft, place, value)
        if slot.role == "records":
            stated = self._put_records(draft, place, slot, value)
            if not titles.note(target, place, stated):
                draft.stated[target.record].append(stated)
        elif not_given(value):
            return
        elif slot.role == "fields":
            self._put_fields(draft, place, value)
        elif slot.role == "region":
            self._put_region(draft, place, value)
        else:
            parsed = slot.said[value]
            self._tell(draft, slot, number, _AS_OF, value, parsed)
            found = parsed.value
            draft.as_of = date.fromisoformat(found) if isinstance(found, str) else None

    def _fill_record(self, draft: FilingDraft, number: int, row: Row, record: RecordKind) -> None:
        item: dict[str, Scalar] = {}
        given = False
        for slot, value in self._given(row):
            assert slot.fact is not None
            parsed = slot.said[value]
            if parsed.value is None or parsed.notice:
                self._tell(draft, slot, number, slot.fact, value, parsed)
            if parsed.value is not None:
                item[slot.fact.id] = parsed.value
            elif isinstance(value, Unsaved) or not not_given(value):
                given = True
        if not given and not item:
            said = f"这一行没有{record.name}的内容，按一条内容不明的记录处理"
            place = self._place("uscc", number)
            self.log.add(
                "提示", place, draft.uscc, said, "没有的请删去这一行，有的请补全", draft.uscc
            )
        draft.add(record.id, item, str(CellPlace(self.sheet, str(number))))

    def _tell(
        self,
        draft: FilingDraft,
        slot: _Slot,
        number: int,
        fact: Fact,
        value: CellValue,
        parsed: Parsed,
    ) -> None:
        """Log what the officer should know about a cell, if anything."""
        if parsed.notice:
            said = parsed.said(fact.name)
            self.log.add("提示", slot.place(number), value, said, parsed.expected, draft.uscc)
        elif parsed.value is None:
            self._note_unsaved(draft, slot.place(number), value)

    def _note_unsaved(self, draft: FilingDraft, place: CellPlace, value: CellValue) -> None:
        if isinstance(value, Unsaved):
            said, expected = Unsaved.SAID
            self.log.add("提示", place, value, f"{said}，按未提供处理", expected, draft.uscc)

    def _put_records(
        self, draft: FilingDraft, place: CellPlace, slot: _Slot, value: CellValue
    ) -> bool:
        """Keep the records of a cell; returns whether it has readable content."""
        found = slot.records[value]
        for item in found.items:
            draft.add(slot.target.record, dict(item), str(place))
        for said, expected in found.notices:
            self.log.add("提示", place, value, said, expected, draft.uscc)
        return found.stated

    def _put_fields(self, draft: FilingDraft, place: CellPlace, value: CellValue) -> None:
        flags, unknown = read_fields(value)
        for key, flag in flags.items():
            draft.put(key, flag, str(place))
        if unknown:
            said = f"不认识的领域：{'、'.join(unknown)}"
            self.log.add("提示", place, value, said, "未列出的领域按未填处理", draft.uscc)

    def _put_region(self, draft: FilingDraft, place: CellPlace, value: CellValue) -> None:
        region = read_region(value)
        if region is None:
            expected = "应写成 江苏省苏州市虎丘区 的样子"
            self.log.add("提示", place, value, "看不出所在省份，按未提供处理", expected, draft.uscc)
        else:
            draft.identity.update(region)


@lru_cache(maxsize=256, typed=True)
def _year(cell: CellValue) -> int | None:
    """The fiscal year in a cell."""
    year = _YEAR.fullmatch(squeeze(plain(cell)))
    return int(year[1]) if year and 1949 <= int(year[1]) <= 2999 else None


def _asked(slot: _Slot) -> object:
    """The subject of a column; no other table of the same enterprises may repeat it."""
    return slot.role, slot.key or slot.target.record, slot.target.constants.get("kind")


def _at(row: Row, index: int) -> CellValue:
    return row[index] if index < len(row) else None


def row_numbers(numbers: Sequence[int]) -> str:
    """Numbers of rows as a phrase.

    >>> row_numbers([6, 7, 8, 12])
    '第6至8、12行'
    """
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    spans = [f"{p[0]}至{p[-1]}" if len(p) > 2 else "、".join(map(str, p)) for p in parts]
    return f"第{'、'.join(spans[:_SPANS])}行{'等' if len(spans) > _SPANS else ''}"
