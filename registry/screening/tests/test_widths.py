"""Whole numbers in SQL at the ends of their types: exact, or refused; never wrapped, never a float."""

from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from registry.screening.compiler.program import Program
from registry.screening.compiler.truths import Truth
from registry.screening.compiler.widths import (
    Int,
    Size,
    UnsupportedError,
    compare,
    literal,
    size_of,
)
from registry.screening.engines import duckdb_connection, text_of
from registry.screening.schema import schema_of
from registry.screening.tests.filings import DAY
from registry.screening.tests.support import (
    by_reference,
    differing,
    duckdb,
    filed,
    postgresql,
    rulebook,
)
from rules.model.facts import Profile
from rules.tests.packaged import catalogue

#: In fen: what the design names, the least that fills a column, and what lies about 63 bits.
FIGURES = (0, 1, 9 * 10**14 - 1, 9 * 10**14, 9 * 10**14 + 1, 3037000500, 10**17 - 1, 10**17)


def test_the_least_type_is_found() -> None:
    assert [size_of(-n, n - 1) for n in (2**31 - 1, 2**31, 2**63 - 1, 2**63)] == [
        Size.INT, Size.LONG, Size.LONG, Size.WIDE,
    ]  # fmt: skip
    assert size_of(0, 10**38 - 1) is Size.WIDE
    with pytest.raises(UnsupportedError, match="38位"):
        size_of(0, 10**38)


def test_a_product_of_too_many_figures_is_refused() -> None:
    money = Int(sa.column("x"), 0, 10**17, Size.LONG, True)
    assert (money * money).size is Size.WIDE
    with pytest.raises(UnsupportedError):
        money * money * money


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def growing() -> list[Profile]:
    """Main revenues of three years, all combinations of extremes, and means of just 5 % and about."""
    found = [
        {"main_revenue@2020": yuan(a), "main_revenue@2021": yuan(b), "main_revenue@2022": yuan(c)}
        for a, b, c in product(FIGURES, repeat=3)
    ]
    for base in (10**3, 9 * 10**12, 9 * 10**14, 5 * 10**16):
        for off in (-1, 0, 1):
            last = base * 21 // 20 * 21 // 20 + off
            found.append(
                {
                    "main_revenue@2020": yuan(base),
                    "main_revenue@2021": yuan(base * 21 // 20),
                    "main_revenue@2022": yuan(last),
                }
            )
    return [Profile(DAY, v) for v in found]


def mean_growth_rule() -> str:
    """A rule that compares the mean growth of two years."""
    rules = rulebook().ruleset("63.3").rules
    return next(r.id for r in rules if "近2年主营业务收入平均增长率" in r.indicator_names())


def test_extreme_figures_are_compared_exactly(postgresql_url: sa.URL) -> None:
    ruleset = rulebook().ruleset(mean_growth_rule())
    profiles = growing()
    expected = by_reference(ruleset, profiles)
    filings = filed(profiles)
    for database in (duckdb(filings), postgresql(filings, postgresql_url)):
        program = Program(ruleset, database.schema, DAY)
        assert "NUMERIC(38, 0)" in text_of(program.statement(program.everything()))
        assert differing(database, ruleset, expected) == []
        database.close()
    assert max(len({t[key] for t in expected}) for key in expected[0]) >= 3


def test_small_figures_need_no_wide_numbers() -> None:
    bounds = {f"main_revenue_t{n}": (0, 10**8) for n in range(3)}
    program = Program(
        rulebook().ruleset(mean_growth_rule()), schema_of(catalogue()).narrowed(bounds), DAY
    )
    assert "NUMERIC" not in text_of(program.statement(program.everything()))


@pytest.mark.parametrize("op", [">=", ">", "<", "<=", "="])
def test_wide_numbers_are_compared_exactly(op: Any) -> None:
    values = (-(10**35), -(2**63), -1, 0, 1, 2**63 - 1, 2**63, 10**35)
    truth = {">=": int.__ge__, ">": int.__gt__, "<": int.__lt__, "<=": int.__le__, "=": int.__eq__}
    connection = duckdb_connection(1)
    for a, b in product(values, repeat=2):
        wide = [_wide(x) for x in (a, b)]
        compared = compare(op, *wide)
        assert isinstance(compared, Truth)
        query = sa.select(compared.sql)
        [(found,)] = connection.execute(text_of(query)).fetchall()
        assert bool(found) is truth[op](a, b), (a, op, b)


def _wide(value: int) -> Int:
    """A number that is made in SQL from parts that fit."""
    high, low = divmod(value, 10**18)
    part = Int(sa.literal_column(f"({high})"), high - 1, high + 1, Size.LONG)
    rest = Int(sa.literal_column(str(low)), 0, 10**18, Size.LONG)
    return part.times(10**18) + rest


def test_results_of_wide_numbers_are_whole() -> None:
    product_ = _wide(10**35) * literal(9)
    [(found,)] = duckdb_connection(1).execute(text_of(sa.select(product_.sql))).fetchall()
    assert Fraction(Decimal(found)) == 9 * 10**35
