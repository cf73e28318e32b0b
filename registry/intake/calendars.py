"""Tables of days off and make-up days: a workbook or CSV file with the columns of the criteria's calendar."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from registry.errors import RegistryError
from registry.intake.cells import is_blank, plain, read_date
from registry.intake.files.sheets import FileSheet, Row, refuse_unread, sheets
from rules.language.calendars import COLUMNS, read_calendar
from rules.portable.errors import Remedy

#: The most faults that a message names.
_SHOWN: Final = 20
#: The first columns are days; a workbook may have them as such.
_DAYS: Final = 2


def read_years(path: Path, told: list[str]) -> Mapping[str, Any]:
    """The years of a file's first sheet with the columns, as ``rules.language.calendars`` reads them.

    What the officer should know about days that were read, and about what is hidden, is added to
    ``told``. Raises ``RegistryError`` if there is no such sheet, and with every fault of the table as
    details.
    """
    refuse_unread(path)
    faults = dict[int, list[str]]()
    table: Sequence[Sequence[str]] = ()
    with closing(sheets(path)) as book:
        for sheet in book:
            if sheet.hidden or tuple(_texts(next(sheet.rows, ()))) != COLUMNS:
                continue
            if table:
                told.append(f"工作表{sheet.name}也有放假安排，未读取：请合到第一张再登记")
            else:
                table = _table(sheet, faults, told)
    if not table:
        raise RegistryError(
            "no-calendar-table",
            "{where} 中没有放假安排：第1行表头应为{expected}",
            where=path.name,
            expected="、".join(COLUMNS),
        )
    years, problems = read_calendar(path.name, table)
    for problem in problems:
        if problem.line not in faults:  # an unread day is told of as such
            faults[problem.line] = [problem.message]
    wrong = [f"错误 第{line}行：{said}" for line in sorted(faults) for said in faults[line]]
    if wrong:
        raise RegistryError(
            "faulty-calendar",
            "{where} 有{value}处错误，没有登记",
            where=path.name,
            value=len(wrong),
            remedy=Remedy("mend-and-repeat"),
            details=tuple(wrong[:_SHOWN]),
        )
    return years


def _table(
    sheet: FileSheet, faults: dict[int, list[str]], told: list[str]
) -> Sequence[Sequence[str]]:
    """The columns, and the rows of a sheet below its heading as texts; ``faults`` are those of days by row."""
    table = [COLUMNS, *(_row(row, n, faults, told) for n, row in enumerate(sheet.rows, 2))]
    filled = [number for number, row in enumerate(table, 1) if any(row)]
    if hidden := sheet.hidden_among(filled, enumerate(COLUMNS, 1)):
        told.append(f"{sheet.name}{hidden}也已读取：不该登记的，请取消隐藏后删去再登记")
    if struck := sheet.struck_among(filled):
        told.append(f"{sheet.name}{struck}，也已读取：划去不登记的，请删去再登记")
    return table


def _row(row: Row, number: int, faults: dict[int, list[str]], told: list[str]) -> list[str]:
    found = _texts(row)
    if not any(found):
        return found
    for index, cell in enumerate(row[:_DAYS]):
        read = read_date(cell)
        said = f"{COLUMNS[index]}「{found[index]}」{read.notice}，{read.expected}"
        if isinstance(read.value, str):
            found[index] = read.value
            told += [f"第{number}行：{said}"] if read.notice else []
        elif not is_blank(cell):
            faults.setdefault(number, []).append(said)
    return found


def _texts(row: Row) -> list[str]:
    """The texts of a row's cells, as many as there are columns unless more are filled."""
    found = [plain(cell) for cell in row]
    while len(found) > len(COLUMNS) and not found[-1]:
        found.pop()
    return found + [""] * (len(COLUMNS) - len(found))
