"""Parameters as they are declared: figures set by place, sector and year."""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Final, Literal

from rules.errors import Problem, QuantityError
from rules.language.columns import rows_of
from rules.language.formulas import Formula, FormulaError, check_name
from rules.language.provinces import PROVINCES, full_name
from rules.language.source import DECLARATIONS, Clause, Row
from rules.model.facts import PERIODS
from rules.model.quantities import UNITS, parse
from rules.model.ruleset import Parameter, ParameterRow

PARAMETERS: Final = DECLARATIONS[2]
#: The columns of the table; those that no row needs may be left out.
COLUMNS: Final = ("参数", "地区", "行业", "年度", "数值", "依据")
_REQUIRED: Final = ("参数", "数值")
_YEAR: Final = re.compile(r"([0-9]{4})年?", re.ASCII)
_SECTOR: Final = re.compile(r"[A-T][0-9]{0,4}", re.ASCII)
_UNIT: Final = re.compile(r"[-+.0-9]+")


def declared_parameters(
    clauses: Iterable[Clause],
) -> tuple[dict[str, Parameter], list[Problem]]:
    """The parameters that these clauses declare, by name, and the faults found on the way."""
    problems: list[Problem] = []
    units: dict[str, str] = {}
    rows: dict[str, dict[str, ParameterRow]] = {}
    for clause, row, cells in rows_of(clauses, PARAMETERS, COLUMNS, _REQUIRED, problems):
        try:
            name, unit, found = _parameter(cells)
        except (FormulaError, QuantityError, ValueError) as fault:
            problems.append(_problem(clause, row, cells, str(fault)))
            continue
        first = units.setdefault(name, unit)
        if UNITS[first][0] != UNITS[unit][0]:
            said = f"数值「{cells['数值']}」的单位与前面各行的{first}不符：请改正"
            problems.append(_problem(clause, row, cells, said))
            continue
        others = rows.setdefault(name, {})
        place = f"{clause.path}:{row.line}"
        for earlier, other in others.items():
            if collisions([other, found]):
                said = f"与 {earlier} 的地区、行业和年度相同：请删去一行"
                problems.append(_problem(clause, row, cells, said))
        others[place] = found
    return {n: Parameter(units[n], tuple(r.values())) for n, r in rows.items()}, problems


def readings(parameters: dict[str, Parameter]) -> dict[str, Formula]:
    """What the names of parameters stand for in formulas: with a period, and bare for year T."""
    found: dict[str, Formula] = {}
    for name, parameter in parameters.items():
        dimension = UNITS[parameter.unit][0]
        for prefix, offset in ({"": 0} | PERIODS).items():
            if offset <= 0:
                expr = ("parameter", name, offset)
                found[f"{prefix}{name}"] = Formula(expr, "number", dimension)
    return found


def _parameter(cells: dict[str, str]) -> tuple[str, str, ParameterRow]:
    name, place, sector, year = (cells[c] for c in COLUMNS[:4])
    check_name(name)
    if any(name.startswith(period) for period in PERIODS):
        raise ValueError("名称以期间开头：请去掉期间，在年度一列写年份")
    if place and full_name(place) != place:
        raise ValueError(f"地区「{place}」应写全称：{full_name(place)}")
    if sector and not _SECTOR.fullmatch(sector):
        raise ValueError(f"行业「{sector}」应为行业代码的开头，例如 C、C35 或 C3511")
    written = _YEAR.fullmatch(year)
    if year and written is None:
        raise ValueError(f"年度「{year}」应为年份，例如 2025年")
    quantity = parse(cells["数值"])
    unit = _UNIT.sub("", cells["数值"].strip())
    number = int(written[1]) if written else None
    return name, unit, row(place, sector, number, quantity.value, cells["依据"])


def _problem(clause: Clause, line: Row, cells: dict[str, str], said: str) -> Problem:
    return Problem(clause.path, line.line, f"参数「{cells['参数']}」：{said}")


def row(place: str, sector: str, year: int | None, value: Fraction, basis: str) -> ParameterRow:
    """A row for a province or a city, told apart by its name; a blank place is everywhere.

    >>> row("江苏省", "", 2022, Fraction(7, 250), "").of, row("南京市", "", 2022, Fraction(1), "").of
    ('province', 'city')
    """
    of: Literal["", "province", "city"] = ""
    if place:
        of = "province" if place in PROVINCES else "city"
    return ParameterRow(of=of, place=place, sector=sector, year=year, value=value, basis=basis)


def collisions(rows: Iterable[ParameterRow]) -> Sequence[tuple[ParameterRow, ParameterRow]]:
    """The pairs of rows neither of which precedes the other: same place, sector and year.

    Any two others that fit one case differ in rank, so that one of them counts.
    """
    keyed = [((row.of, row.place, row.sector, row.year), row) for row in rows]
    return [(a, b) for (one, a), (other, b) in combinations(keyed, 2) if one == other]
