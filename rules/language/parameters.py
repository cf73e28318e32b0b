"""Parameters as they are declared: figures set by place, sector and year."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Literal

from rules.language.provinces import PROVINCES
from rules.model.ruleset import ParameterRow


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
    """The pairs of rows of which neither counts before the other: same place, sector and year.

    Any two others that fit one case differ in rank, so that one of them counts.
    """
    keyed = [((row.of, row.place, row.sector, row.year), row) for row in rows]
    return [(a, b) for (one, a), (other, b) in combinations(keyed, 2) if one == other]
