"""Reads the calendar of a features folder: days off and make-up days, by year and notice."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from rules.errors import Problem
from rules.portable.calendar import days

#: The file below ``maps/``, and its columns.
FILE: Final = "calendar.csv"
COLUMNS: Final = ("首日", "末日", "安排", "名目", "年度", "依据")
_KINDS: Final = {"放假": "rest", "上班": "work"}
_WEEK: Final = "一二三四五六日"
_WEEKEND: Final = 5


def read_calendar(
    path: str, table: Sequence[Sequence[str]]
) -> tuple[dict[str, Any], list[Problem]]:
    """The years of a table as ``rules.portable.calendar.Calendar.of`` reads them, and all faults.

    A day off before the first or after the last day of its year belongs to the notice of that year.
    """
    years: dict[str, Any] = {}
    problems: list[Problem] = []
    taken: dict[date, int] = {}
    header, *rows = table or [[]]
    if tuple(header) != COLUMNS:
        return {}, [Problem(path, 1, f"表头应为：{','.join(COLUMNS)}")]
    for number, row in enumerate(rows, 2):
        if not any(row):
            continue
        try:
            first, last, kind, year, basis = _row(row)
            for day in days(first, last):
                if (before := taken.setdefault(day, number)) != number:
                    raise ValueError(f"{day}与第{before}行重复：请删去一处")
        except ValueError as fault:
            problems.append(Problem(path, number, str(fault)))
            continue
        found = years.setdefault(year, {"basis": basis, "rest": [], "work": []})
        if found["basis"] != basis:
            said = f"{year}年的依据有两种写法「{found['basis']}」「{basis}」：请写成一种"
            problems.append(Problem(path, number, said))
        if kind == "rest":
            found["rest"].append([first.isoformat(), last.isoformat()])
        else:
            found["work"] += [day.isoformat() for day in days(first, last)]
    return years, problems


def _row(row: Sequence[str]) -> tuple[date, date, str, str, str]:
    """The cells of a row; ``ValueError`` says what is wrong with them."""
    if len(row) != len(COLUMNS):
        raise ValueError(f"此行应有{len(COLUMNS)}列：{'、'.join(COLUMNS)}")
    first, last = (_day(cell) for cell in row[:2])
    kind, year, basis = row[2], row[4], row[5]
    if kind not in _KINDS:
        raise ValueError(f"安排「{kind}」应为{'或'.join(_KINDS)}")
    if not (year.isascii() and year.isdigit() and len(year) == len("2023")):
        raise ValueError(f"年度「{year}」应为四位数字")
    if not basis:
        raise ValueError("依据为空：请写明放假安排通知的文号")
    if last < first:
        raise ValueError(f"末日{last}早于首日{first}：请改正")
    if int(year) not in (first.year, last.year):
        raise ValueError(f"{first}至{last}不在{year}年：请查对年度")
    if kind == "上班":
        for day in days(first, last):
            if day.weekday() < _WEEKEND:
                raise ValueError(f"{day}是周{_WEEK[day.weekday()]}，本来就上班：请查对日期")
    return first, last, _KINDS[kind], year, basis


def _day(cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"日期「{cell}」应写成 2023-01-02 的形式") from None
