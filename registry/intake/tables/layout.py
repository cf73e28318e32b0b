"""The tables of a sheet as they are laid out: stacked, side by side, with titles in between."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Final, NamedTuple

from openpyxl.utils import get_column_letter

from registry.intake.cells import CellValue, not_given, plain
from registry.intake.drafts import CellPlace, Drafts
from registry.intake.files.merges import Merges
from registry.intake.files.sheets import FileSheet, Row
from registry.intake.tables.captions import (
    USUAL,
    Dated,
    block_units,
    filing_date,
    money_unit,
    one_date,
)
from registry.intake.tables.headers import Column, Header, find_header, settle
from registry.intake.tables.mapping import CODE, NAME, HeaderMapping
from registry.intake.tables.rowkinds import Kind, good_code
from registry.intake.tables.rows import FilingTable, row_numbers
from registry.kit import uscc

#: The number of rows searched for the first heading, and the most rows of a further one.
_LOOK: Final = 50
_DEEP: Final = 6
#: The message for a block beside another if its enterprises are unclear.
_UNCLEAR: Final = (
    f"像是并排的另一块企业，却没有认出它的“{CODE}”和“{NAME}”两列，整张表未读取",
    "请把各块的表头写得相同，或把它们接成一块",
)
#: The most rows of titles above a further heading.
_CAPTIONS: Final = 10


class Found(NamedTuple):
    """A table that was read: its heading and the columns read."""

    header: Header
    columns: tuple[Column, ...]
    table: FilingTable


class _Rows:
    """The rows of a sheet with their numbers from 1; allows looking ahead."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._ahead: deque[Row] = deque()
        self.number = 0

    def __iter__(self) -> Iterator[Row]:
        ahead = self._ahead
        while True:
            row = ahead.popleft() if ahead else next(self._rows, None)
            if row is None:
                return
            self.number += 1
            yield row

    def ahead(self, count: int) -> list[Row]:
        """The next ``count`` rows."""
        if (lacking := count - len(self._ahead)) > 0:
            self._ahead.extend(islice(self._rows, lacking))
        return list(islice(self._ahead, count))

    def skip(self, count: int) -> None:
        """Skip ``count`` rows that were looked at."""
        for _ in range(count):
            self._ahead.popleft()
            self.number += 1


class Layout:
    """Reads one sheet: finds its headings and gives each row to its table."""

    def __init__(
        self,
        sheet: FileSheet,
        mapping: HeaderMapping,
        drafts: Drafts,
        as_of: date | None,
        *,
        exact: bool,
    ) -> None:
        self.name = sheet.name
        self.found: list[Found] = []
        self._merged = sheet.merged
        self._rows = _Rows(sheet.rows)
        self._mapping = mapping
        self._drafts = drafts
        self._as_of = as_of
        self._exact = exact
        self._header: Header | None = None
        self._units: frozenset[str] = frozenset()
        self._written: date | None = None
        self._tables: list[FilingTable] = []
        self._merges: list[Merges] = []
        self._all: list[tuple[FilingTable, date | None]] = []
        self._captions: deque[tuple[int, Row]] = deque(maxlen=_CAPTIONS)
        self._closing: list[tuple[int, Dated]] = []

    def look(self) -> Header | None:
        """The heading of the first table, or the rows most similar to one."""
        return find_header(self.name, self.top, self._mapping)

    @property
    def top(self) -> list[Row]:
        """The rows in which the first heading is searched."""
        return self._rows.ahead(_LOOK)

    @property
    def is_blank(self) -> bool:
        """Whether these rows are empty."""
        return all(not_given(cell) for row in self.top for cell in row)

    def read(self, header: Header, progress: Callable[[], None]) -> None:
        """Read all rows below the first heading."""
        above = list(enumerate(self._rows.ahead(header.first - 1), 1))
        self._tell_above(header, above)
        self._rows.skip(header.row)
        self._open(header, above)
        for row in self._rows:
            self._row(self._rows.number, row)
            progress()
        self._refuse_other_unit()
        closing = one_date((d for _, d in self._closing), self.name, self._drafts.log)
        for table, written in self._all:
            table.close(written or closing)

    def _refuse_other_unit(self) -> None:
        """Hold back what was read in the usual unit of money if a note below states another."""
        for number, row in self._captions:
            below = money_unit([row]) - {USUAL}
            if not below or self._units:
                continue
            for table in self._tables:
                if table.refuse_unstated():
                    said = f"表下写明金额单位是{'、'.join(sorted(below))}，表头没有写，不能按{USUAL}读取"
                    place = CellPlace(self.name, f"A{number}")
                    self._drafts.log.add("错误", place, None, said, "请把金额单位写进表头")

    def _tell_above(self, header: Header, above: Sequence[tuple[int, Row]]) -> None:
        """Report enterprises above the first understood heading: they have no heading."""
        coded = [n for n, row in above if any(map(good_code, row)) and not self._names_codes(row)]
        if coded:
            said = f"{row_numbers(coded)}有信用代码，却在第{header.first}行的表头之上，未读取"
            expected = "请补全或改正这几行上面的表头"
            self._drafts.log.add("错误", CellPlace(self.name, f"A{coded[0]}"), None, said, expected)
        # the filing office may write its own code above the table; so may a form of one enterprise
        named = [n for n, row in above if n not in coded and any(map(_is_business, row))]
        if named:
            said = f"{row_numbers(named)}有企业的信用代码，在第{header.first}行的表头之上，未作为企业读取"
            place = CellPlace(self.name, f"A{named[0]}")
            self._drafts.log.add("提示", place, None, said, "如是要申报的企业，请写到表里")

    def _row(self, number: int, row: Row) -> None:
        rows = [merges.filled(number, row) for merges in self._merges]
        tables = list(zip(self._tables, rows, strict=True))
        kinds = [Kind.DATA if table.take(number, own) else None for table, own in tables]
        if None in kinds or not kinds:
            if Kind.DATA not in kinds and (header := self._opens(number, row)):
                self._turn(header)
                return
            kinds = [
                kind or table.read(number, own)
                for kind, (table, own) in zip(kinds, tables, strict=True)
            ]
        if Kind.DATA in kinds:
            self._captions.clear()
            return
        if set(kinds) == {Kind.BLANK}:
            return
        self._captions.append((number, row))
        if found := filing_date(row, self.name, number, self._drafts.log):
            self._closing.append((number, found))

    def _opens(self, number: int, row: Row) -> Header | None:
        """The heading that begins with a row, if any."""
        if sum(isinstance(cell, str) and cell != "" for cell in row) < 2:
            return None
        window = [row, *self._rows.ahead(_DEEP)]
        if not any(self._names_codes(other) for other in window):
            return None
        found = find_header(self.name, window, self._mapping)
        if found is None or found.missing or found.first != 1:
            return None
        return replace(found, first=number, row=number + found.row - 1)

    def _names_codes(self, row: Row) -> bool:
        texts = (plain(cell) for cell in row if isinstance(cell, str) and not good_code(cell))
        found = (self._mapping.resolve(text) for text in texts if text)
        return any(heading is not None and heading.target.role == "uscc" for heading in found)

    def _turn(self, header: Header) -> None:
        """Continue below a further heading: with the same table if it is the same heading."""
        self._rows.skip(header.row - header.first)
        captions = list(self._captions)
        first = captions[0][0] if captions else header.first
        for table in self._tables:
            table.forget(first)
        same = self._header is not None and _drawn(self._header) == _drawn(header)
        if same and money_unit([row for _, row in captions]) <= self._units:
            self._captions.clear()
            return
        self._closing = [(n, found) for n, found in self._closing if n < first]
        self._open(header, captions)

    def _open(self, header: Header, captions: Sequence[tuple[int, Row]]) -> None:
        """Begin the tables below a heading, which may be side by side."""
        log = self._drafts.log
        dates = [filing_date(row, self.name, number, log) for number, row in captions]
        written = one_date(dates, self.name, log) or self._written
        self._header, self._written = header, written
        self._units = money_unit([row for _, row in captions]) or self._units
        self._captions.clear()
        self._tables, self._merges = [], []
        if (unclear := header.unclear(self._rows.ahead(_LOOK))) is not None:
            place = CellPlace(self.name, f"{get_column_letter(unclear + 1)}{header.row}")
            log.add("错误", place, _at(header.titles, unclear), *_UNCLEAR)
            return
        blocks = header.blocks()
        units = block_units([row for _, row in captions], blocks, self._units)
        for block, stated in zip(blocks, units, strict=True):
            columns = settle(block, self.name, stated, self._as_of or written, log)
            table = FilingTable(self.name, block, columns, self._drafts, exact=self._exact)
            self._tables.append(table)
            single = block.record is None and not table.is_yearly
            self._merges.append(Merges(self._merged, header.row, columns, single=single))
            self._all.append((table, written))
            self.found.append(Found(block, tuple(columns), table))


def _is_business(cell: CellValue) -> bool:
    return good_code(cell) and uscc.is_business(uscc.tidy(plain(cell)))


def _at(titles: Row, index: int) -> CellValue:
    return titles[index] if index < len(titles) else None


def _drawn(header: Header) -> tuple[object, ...]:
    """The content of a heading, wherever it is."""
    return tuple(header.titles), tuple((c.index, c.heading) for c in header.columns)
