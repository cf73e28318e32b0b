"""Whether the cells of a row are below their headings, or have slipped.

An amount such as 10,000.00 without quotes becomes two cells, and everything after it moves one
column to the right. A missing cell moves everything after it one column to the left. How well a row
reads as it is, and with cells joined or added, tells which has happened.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from registry.intake.cells import CellValue, plain

#: Whether the column with that number, from 0, cannot read a cell.
Unreadable: TypeAlias = Callable[[int, CellValue], bool]

_HEAD: Final = re.compile(r"[+-]?[0-9]{1,3}")
_GROUP: Final = re.compile(r"[0-9]{3}")
_TAIL: Final = re.compile(r"[0-9]{3}(?:\.[0-9]+)?(?:元|万元)?")
#: A row of texts, each after this sign, in which one may be an amount's head and the next its tail.
_BETWEEN: Final = "\x1f"
_SPLIT: Final = re.compile(
    rf"{_BETWEEN}[+-]?[0-9]{{1,3}}(?={_BETWEEN}([0-9]{{3}})(?:\.[0-9]+)?(?:{_BETWEEN}|$))"
)
#: The most groups of digits in an amount.
_GROUPS: Final = 4
#: The most cells beyond the headings that count as a slip.
_FAR: Final = 12
_NEVER: Final = 1_000_000


def has_slipped(cells: Sequence[CellValue], width: int, unreadable: Unreadable) -> bool:
    """Whether a row with more cells than headings reads as well, or better, with cells joined.

    >>> has_slipped(["甲", "10", "000.00", "320"], 3, lambda column, cell: False)
    True
    >>> has_slipped(["甲", "10000", "320", "待核实"], 3, lambda column, cell: False)
    False
    """
    as_it_is = sum(unreadable(i, cell) for i, cell in enumerate(cells[:width]))
    if len(cells) - width > _FAR:
        return as_it_is > 0
    if _least(cells, width, unreadable, _amount) <= as_it_is:
        return True
    return as_it_is > 0 and _least(cells, width, unreadable, _last) < as_it_is


def was_split(
    cells: Sequence[str], unreadable: Unreadable, is_number: Callable[[int], bool]
) -> bool:
    """Whether a row no longer than its headings has an amount in two cells: 9,000 as 9 and 000.

    The last cells may have been empty and so left out. Nobody types 012 below the heading of a
    number, or 000 anywhere.

    >>> was_split(["甲", "9", "000"], lambda column, cell: False, lambda column: column > 0)
    True
    """
    found = [*_SPLIT.finditer(_BETWEEN + _BETWEEN.join(cells))]
    if not found:
        return False
    columns = [match.string.count(_BETWEEN, 0, match.end()) for match in found]
    tails = [i for i, match in zip(columns, found, strict=True) if match[1].startswith("0")]
    if any(is_number(i - 1) and (is_number(i) or cells[i].startswith("000")) for i in tails):
        return True
    as_it_is = sum(unreadable(i, cell) for i, cell in enumerate(cells))
    if not as_it_is:
        return False
    shorter = range(len(cells) - len(found), len(cells))
    return any(_least(cells, width, unreadable, _amount) < as_it_is for width in shorter)


def lacks_cell(cells: Sequence[CellValue], width: int, unreadable: Unreadable) -> bool:
    """Whether a row with fewer cells than headings reads better with blanks inserted."""
    as_it_is = sum(unreadable(i, cell) for i, cell in enumerate(cells))
    if not as_it_is:
        return False
    best = [0, *[_NEVER] * len(cells)]
    for column in range(width):
        after = [_NEVER] * len(best)
        for used, cost in enumerate(best):
            after[used] = min(after[used], cost)
            if used < len(cells):
                taken = cost + unreadable(column, cells[used])
                after[used + 1] = min(after[used + 1], taken)
        best = after
    return best[-1] < as_it_is


def _least(
    cells: Sequence[CellValue],
    width: int,
    unreadable: Unreadable,
    joined: Callable[[Sequence[CellValue]], CellValue],
) -> int:
    """The least number of unreadable cells, if all are joined to fill the columns."""
    best = {0: 0}
    for column in range(width):
        after: dict[int, int] = {}
        for used, cost in best.items():
            for end in range(used + 1, min(used + _GROUPS, len(cells)) + 1):
                cell = cells[used] if end == used + 1 else joined(cells[used:end])
                if end - used > 1 and cell is None:
                    continue
                taken = cost + unreadable(column, cell)
                after[end] = min(after.get(end, _NEVER), taken)
        best = after
    return best.get(len(cells), _NEVER)


def _amount(cells: Sequence[CellValue]) -> str | None:
    """The amount that thousands separators split into cells."""
    *groups, tail = (_digits(cell, first=not i) for i, cell in enumerate(cells))
    head, *middle = groups
    if _HEAD.fullmatch(head) and _TAIL.fullmatch(tail) and all(map(_GROUP.fullmatch, middle)):
        return ",".join([*groups, tail])
    return None


def _digits(cell: CellValue, *, first: bool) -> str:
    """A cell as a group of digits; number cells have lost leading zeros."""
    text = plain(cell)
    if isinstance(cell, str) or first:
        return text
    whole, point, rest = text.partition(".")
    return whole.zfill(3) + point + rest if whole.isdecimal() else text


def _last(cells: Sequence[CellValue]) -> CellValue:
    """The remainder if a comma has split a text, or if an extra cell precedes."""
    return cells[-1]
