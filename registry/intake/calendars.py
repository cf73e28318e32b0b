"""Tables of days off and make-up days: a workbook or CSV file with the columns of the criteria's calendar."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from registry.errors import RegistryError
from registry.intake.cells import plain, read_date
from registry.intake.files.sheets import FileSheet, Row, refuse_unread, sheets
from rules.language.calendars import COLUMNS, read_calendar
from rules.portable.errors import Remedy

#: The most faults that a message names.
_SHOWN: Final = 20
#: The first columns are days; a workbook may have them as such.
_DAYS: Final = 2


def read_years(path: Path) -> Mapping[str, Any]:
    """The years of a file's first sheet with the columns, as ``rules.language.calendars`` reads them.

    Raises ``RegistryError`` if there is none, and with every fault of the table as details.
    """
    refuse_unread(path)
    with closing(sheets(path)) as book:
        table = next(filter(None, map(_table, book)), None)
    if table is None:
        raise RegistryError(
            "no-calendar-table",
            "{where} 中没有放假安排：第1行表头应为{expected}",
            where=path.name,
            expected="、".join(COLUMNS),
        )
    years, problems = read_calendar(path.name, table)
    if problems:
        raise RegistryError(
            "faulty-calendar",
            "{where} 有{value}处错误，没有登记",
            where=path.name,
            value=len(problems),
            remedy=Remedy("mend-and-repeat"),
            details=tuple(f"错误 第{p.line}行：{p.message}" for p in problems[:_SHOWN]),
        )
    return years


def _table(sheet: FileSheet) -> Sequence[Sequence[str]] | None:
    """The rows of a sheet with the columns as texts; None for any other, and for a hidden one."""
    heading = next(sheet.rows, ())
    if sheet.hidden or tuple(_texts(heading)) != COLUMNS:
        return None
    return [COLUMNS, *map(_row, sheet.rows)]


def _row(row: Row) -> list[str]:
    found = _texts(row)
    days = (
        str(read_date(cell).value or text) for cell, text in zip(row[:_DAYS], found, strict=False)
    )
    return [*days, *found[_DAYS:]] if any(found) else found


def _texts(row: Row) -> list[str]:
    """The texts of a row's cells, as many as there are columns unless more are filled."""
    found = [plain(cell) for cell in row]
    while len(found) > len(COLUMNS) and not found[-1]:
        found.pop()
    return found + [""] * (len(COLUMNS) - len(found))
