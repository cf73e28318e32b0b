"""The rows of one sheet, added cell by cell to the filings they belong to."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from registry.intake.cells import (
    CellValue,
    Parsed,
    Unsaved,
    not_given,
    plain,
    read_count,
    read_fact,
)
from registry.intake.composite import read_fields, read_records, read_region
from registry.intake.drafts import NO_CODE, Draft, Drafts, Place, lacking
from registry.intake.headers import Column, Header, filing_date
from registry.intake.mapping import AS_OF, Target
from registry.intake.tables import Row
from rules.facts import TITLES, Fact, RecordKind, Scalar, yearly_key

_TOTAL: Final = ("合计", "小计", "总计")
_NOTE: Final = re.compile(
    r"(?:附?注|备注|说明|填表|填报|制表|审核|复核|联系|负责人|单位负责人)\S{0,6}?\s*[0-9]*[:：]"
)
_KEYS: Final = ("uscc", "name", "year")
_AS_OF: Final = Fact("as_of", AS_OF, "date")
_REMEMBERED: Final = 1000


class _Said(dict[CellValue, Parsed]):
    """What the cells of one column say; the texts that come again and again are read once."""

    def __init__(self, fact: Fact, unit: str) -> None:
        self._fact = fact
        self._unit = unit

    def __missing__(self, value: CellValue) -> Parsed:
        found = read_fact(self._fact, value, self._unit)
        if isinstance(value, str) and len(self) < _REMEMBERED:  # of others, 1 and True are one key
            self[value] = found
        return found


class _Slot:
    """A column while rows are read; ``said`` gives what each of its cells says.

    ``source`` with the number of a row behind it is where a cell of the column stands; ``key`` is
    what its fact is kept by, or None if that depends on the year of the row.
    """

    def __init__(self, sheet: str, column: Column) -> None:
        self.index = column.index
        self.role = column.heading.target.role
        self.target = column.heading.target
        self.fact = self.target.fact
        self.source = str(Place(sheet, column.letter))
        self._sheet, self._letter = sheet, column.letter
        self.key = self._key(column.heading.year)
        self.said = _Said(self.fact or _AS_OF, column.heading.unit)

    def place(self, number: int) -> Place:
        """The cell in the row of that number."""
        return Place(self._sheet, f"{self._letter}{number}")

    def _key(self, year: int | None) -> str | None:
        if self.fact is None or (self.fact.yearly and year is None):
            return None
        return self.fact.id if year is None else yearly_key(self.fact.id, year)


class _Titles:
    """The columns of one row that each ask for one title: whether they are answered, and where.

    One answer makes the list complete. The titles that no cell answers stand in it as records of
    which only the kind is known, so that just these stay open.
    """

    def __init__(self) -> None:
        self._answered: set[Scalar] = set()
        self._asked: dict[Scalar, Place] = {}

    def note(self, target: Target, place: Place, answered: bool) -> bool:
        """Take down a cell; False if its column does not ask for one title."""
        kind = target.constants.get("kind")
        if target.record != "titles" or kind is None:
            return False
        self._asked.setdefault(kind, place)
        if answered:
            self._answered.add(kind)
        return True

    def complete(self, draft: Draft, row: Place) -> None:
        """Add the titles that are open, if any is answered."""
        if self._asked:
            draft.stated["titles"].append(bool(self._answered))
        for kind in TITLES if self._answered else ():
            if kind not in self._answered:
                draft.add("titles", {"kind": kind}, str(self._asked.get(kind, row)))


class Table:
    """One sheet with its settled columns."""

    def __init__(
        self, sheet: str, header: Header, columns: Sequence[Column], drafts: Drafts
    ) -> None:
        self.sheet = sheet
        self.drafts = drafts
        self.log = drafts.log
        self.as_of: date | None = None
        self._record: RecordKind | None = header.record
        self._columns = [_Slot(sheet, c) for c in columns if c.heading.target.role not in _KEYS]
        if header.record is not None:
            self._columns = [s for s in self._columns if s.fact in header.record.fields]
        self._keys: dict[str, Column] = {
            c.heading.target.role: c for c in columns if c.heading.target.role in _KEYS
        }
        self._code_text = self._keys["uscc"].text
        self._opened: list[Draft] = []
        self._years: set[tuple[str, int]] = set()

    def turn(self, drafts: Drafts) -> None:
        """Go on with other filings: those read so far have been handed over."""
        self.drafts, self.log = drafts, drafts.log
        self._opened.clear()
        self._years.clear()

    def read(self, number: int, row: Row) -> None:
        """Take in one row; blank rows, notes, sums and repeated headings are passed over."""
        code, name = self._cell(row, "uscc"), self._cell(row, "name")
        if self._passed_over(row, code, name):
            self.as_of = self.as_of or filing_date(row, self.sheet, number, self.log)
            return
        if self._record is not None or "year" in self._keys:
            self._add(number, row, code)
        else:
            draft = self.drafts.declare(
                code, name, self._place("uscc", number), self._place("name", number)
            )
            self._opened.append(draft)
            self._fill(draft, number, row)

    def close(self, as_of: date | None) -> None:
        """Give the table's filing date to the filings that name none themselves."""
        for draft in self._opened:
            draft.as_of = draft.as_of or as_of or self.as_of

    def _cell(self, row: Row, role: str) -> CellValue:
        column = self._keys.get(role)
        return row[column.index] if column is not None and column.index < len(row) else None

    def _place(self, role: str, number: int) -> Place:
        return Place(self.sheet, f"{self._keys[role].letter}{number}")

    def _passed_over(self, row: Row, code: CellValue, name: CellValue) -> bool:
        first = next((c for c in row if not not_given(c)), None)
        if isinstance(first, str) and _NOTE.match(first.strip()):
            return True
        if not not_given(code):
            return plain(code) == self._code_text
        if any("".join(plain(c).split()) in _TOTAL for c in (first, name)):
            return True
        if isinstance(code, Unsaved):
            return False
        return not_given(name) and sum(not not_given(c) for c in row) <= 2

    def _add(self, number: int, row: Row, code: CellValue) -> None:
        where = self._place("uscc", number)
        if not_given(code):
            self.log.add("错误", where, code, *lacking(code, *NO_CODE))
            return
        draft = self.drafts.of(code, where)
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
        """The cells of a row that are not empty, and all that hold lists: there, that is told too."""
        width = len(row)
        for slot in self._columns:
            value = row[slot.index] if slot.index < width else None
            if (value is not None and value != "") or slot.role == "records":
                yield slot, value

    def _fill(self, draft: Draft, number: int, row: Row, year: int = 0) -> None:
        """Take in a row about one fiscal year, or one that names none."""
        titles = _Titles()
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
        titles.complete(draft, Place(self.sheet, str(number)))

    def _put(
        self, draft: Draft, titles: _Titles, slot: _Slot, number: int, value: CellValue
    ) -> None:
        """Take in a cell that is no single fact."""
        place, target = slot.place(number), slot.target
        self._note_unsaved(draft, place, value)
        if slot.role == "records":
            stated = self._put_records(draft, place, target, value)
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

    def _fill_record(self, draft: Draft, number: int, row: Row, record: RecordKind) -> None:
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
        if given or item:
            draft.add(record.id, item, str(Place(self.sheet, str(number))))

    def _tell(
        self, draft: Draft, slot: _Slot, number: int, fact: Fact, value: CellValue, parsed: Parsed
    ) -> None:
        """Log what the officer should be told about a cell, if anything."""
        if parsed.notice:
            said = parsed.said(fact.name)
            self.log.add("提示", slot.place(number), value, said, parsed.expected, draft.uscc)
        elif parsed.value is None:
            self._note_unsaved(draft, slot.place(number), value)

    def _note_unsaved(self, draft: Draft, place: Place, value: CellValue) -> None:
        if isinstance(value, Unsaved):
            self.log.add("提示", place, value, *Unsaved.SAID, draft.uscc)

    def _put_records(self, draft: Draft, place: Place, target: Target, value: CellValue) -> bool:
        """Keep the records of a cell; whether it says anything that can be read."""
        found = read_records(target, value)
        for item in found.items:
            draft.add(target.record, item, str(place))
        for said, expected in found.notices:
            self.log.add("提示", place, value, said, expected, draft.uscc)
        return found.stated

    def _put_fields(self, draft: Draft, place: Place, value: CellValue) -> None:
        flags, unknown = read_fields(value)
        for key, flag in flags.items():
            draft.put(key, flag, str(place))
        if unknown:
            said = f"不认识的领域：{'、'.join(unknown)}"
            self.log.add("提示", place, value, said, "未列出的领域按未填处理", draft.uscc)

    def _put_region(self, draft: Draft, place: Place, value: CellValue) -> None:
        region = read_region(value)
        if region is None:
            expected = "应写成 江苏省苏州市虎丘区 的样子"
            self.log.add("提示", place, value, "看不出所在省份，按未提供处理", expected, draft.uscc)
        else:
            draft.identity.update(region)


@lru_cache(maxsize=256, typed=True)
def _year(cell: CellValue) -> int | None:
    """The fiscal year that a cell names."""
    year = read_count(plain(cell).replace("年", ""), "").value
    if not isinstance(year, str) or not year.isdecimal() or not 1949 <= int(year) <= 2999:
        return None
    return int(year)
