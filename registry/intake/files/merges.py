"""Merged cells below a heading: their content applies to every row and column that they cover.

A place, a date or a yes applies to all. A figure over several enterprises, years or columns has no
clear owner; it stays open, with a notice for each. A code merged over rows makes them one
enterprise; in a table with one row per enterprise, a further row may contain nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from registry.intake.cells import CellValue, Percent, Shown, Spread, not_given, plain
from registry.intake.files.sheets import Row
from registry.intake.files.workbook import Range
from registry.intake.tables.headers import Column

_KEYS: Final = ("uscc", "name", "year")


class _Held(NamedTuple):
    """Merged cells and their content."""

    range: Range
    value: CellValue


class Merges:
    """Fills the rows of a sheet from merged cells, row by row.

    ``row`` is the number of the heading row; ``single`` says whether each enterprise has only one
    row.
    """

    def __init__(
        self, merged: Iterable[Range], row: int, columns: Sequence[Column], *, single: bool
    ) -> None:
        self._single = single
        self._columns = {c.index: c for c in columns}
        self._code = next((c.index for c in columns if c.heading.target.role == "uscc"), -1)
        self._starting: defaultdict[int, list[Range]] = defaultdict(list)
        for found in merged:
            if found.top > row:
                self._starting[found.top].append(found)
        self._held: dict[int, _Held] = {}

    def filled(self, number: int, row: Row) -> Row:
        """The row with that number, including merged cells; blank if they are all it contains."""
        for found in self._starting.pop(number, ()):
            self._hold(found, row)
        if not self._held:
            return row
        filled = row if not_given(self._code_of(number, row)) else self._fill(number, row)
        self._held = {c: held for c, held in self._held.items() if held.range.bottom > number}
        return filled

    def _hold(self, found: Range, row: Row) -> None:
        value = row[found.left - 1] if found.left <= len(row) else None
        if value is None:
            return
        for index, column in self._columns.items():
            within = found.left - 1 <= index < found.right
            key = column.heading.target.role in _KEYS
            if within and index not in self._held and (not key or index == found.left - 1):
                self._held[index] = _Held(found, value)

    def _code_of(self, number: int, row: Row) -> CellValue:
        if self._code in self._held:
            return self._held[self._code].value
        return row[self._code] if self._code < len(row) else None

    def _fill(self, number: int, row: Row) -> Row:
        code = self._held.get(self._code)
        if code and self._single and number > code.range.top and not self._own(number, row):
            return ()
        width = max(len(row), *(index + 1 for index in self._held))
        filled = [*row, *[None] * (width - len(row))]
        for index, held in self._held.items():
            filled[index] = self._said(index, held)
        return filled

    def _own(self, number: int, row: Row) -> bool:
        """Whether a row has content of its own in a column that is read."""
        return any(
            not not_given(row[index])
            for index in self._columns
            if index < len(row)
            and not (index in self._held and self._held[index].range.top < number)
        )

    def _said(self, index: int, held: _Held) -> CellValue:
        """The content of a covered cell; a figure only if its owner is clear."""
        fact = self._columns[index].heading.target.fact
        figure = fact is not None and fact.kind == "number" and _is_figure(held.value)
        return Spread(held.value, str(held.range)) if figure and self._open(held) else held.value

    def _open(self, held: _Held) -> bool:
        """Whether the cells span several read columns, or rows of more than one kind."""
        top, left, bottom, right = held.range
        if sum(left - 1 <= index < right for index in self._columns) > 1:
            return True
        code = self._held.get(self._code)
        one = code is not None and code.range.top <= top and bottom <= code.range.bottom
        return bottom > top and not (one and self._single)


def _is_figure(value: CellValue) -> bool:
    """Whether a cell gives a number, and not that there is none (无, 未提供)."""
    if isinstance(value, str):
        return any(character.isdigit() for character in plain(value))
    return isinstance(value, (int, float, Percent, Shown)) and not isinstance(value, bool)
