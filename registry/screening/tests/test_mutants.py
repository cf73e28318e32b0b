"""Small mistakes in the screening compiler, each of which the comparison with the reference must notice."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from registry.screening.compiler import (
    arithmetic,
    bodies,
    figures,
    formulas,
    outcomes,
    records,
    widths,
)
from registry.screening.compiler.figures import Gap, Number, Span
from registry.screening.compiler.widths import Int, literal
from registry.screening.tests.support import differing, duckdb, filed, rulebook
from registry.screening.tests.test_agreement import corpus, expected
from rules.model.ruleset import Outcome

Patch = Callable[[str, Any], None]
ROOT = "63.2@山东省.2022-08-01"


def _inclusive(patch: Patch) -> None:
    """>= for >, and <= for <, in figures."""
    original = figures.compare
    swapped = {">": ">=", "<": "<="}
    patch("figures.compare", lambda op, a, b: original(swapped.get(op, op), a, b))


def _exclusive(patch: Patch) -> None:
    """< for <= in lines and bands."""
    original = Number._compared
    swapped = {">=": ">", "<=": "<"}
    patch("figures.Number._compared", lambda s, e, op, t: original(s, e, swapped.get(op, op), t))


def _ends_of_bands(patch: Patch) -> None:
    """A shared end of two bands scores low."""
    original = bodies._score

    def lower(rows: Any, cell: Any) -> Fraction:
        if cell.lo is None or cell.lo != cell.hi:
            return original(rows, cell)
        return min(b.points for b in rows if cell.lo in (b.lo, b.hi))

    patch("bodies._score", lower)


def _days(patch: Patch) -> None:
    """A time is reached a day late."""
    original = Span._is
    patch(
        "figures.Span._is",
        lambda s, op, t: original(s, {">=": ">", "<": "<="}.get(op, op), t),
    )


def _zero_divisor(patch: Patch) -> None:
    """What is divided by zero is open, not broken."""
    original = arithmetic.quotient
    patch("formulas.quotient", lambda a, *b: replace(original(a, *b), broken=False, gap=a.gap))


def _unknown_is_zero(patch: Patch) -> None:
    """A figure that is not filed is taken for the least it may be."""
    original = formulas._leaf

    def known(column: Any) -> Any:
        found = original(column)
        return replace(found, hi=found.lo, gap=Gap()) if isinstance(found, Number) else found

    patch("formulas._leaf", known)


def _gap(patch: Patch) -> None:
    """Whatever is open is for a person."""
    patch("figures.Gap.outcome", lambda gap: literal(2))


def _persons_first(patch: Patch) -> None:
    """In a conjunction, a person is asked before figures."""
    order = (Outcome.NOT_MET, Outcome.PENDING, Outcome.MISSING)
    patch("bodies.all_met", lambda o: outcomes._first(o, order, Outcome.MET))


def _any_before(patch: Patch) -> None:
    """In a disjunction, an open case hides one that is met."""
    order = (Outcome.MISSING, Outcome.MET, Outcome.PENDING)
    patch("bodies.any_met", lambda o: outcomes._first(o, order, Outcome.NOT_MET))


def _dropped_case(patch: Patch) -> None:
    """A CASE loses its last branch."""
    original = widths.case
    patch("arithmetic.case", lambda branches, rest: original(branches[:-1] or branches, rest))


def _records_met_only(patch: Patch) -> None:
    """Records that may satisfy a rule are not counted as such."""
    original = records.Lists.outcomes

    def outcomes(lists: Any, *names: str) -> tuple[Int, Int, Gap]:
        met, _, gap = original(lists, *names)
        return met, met, gap

    patch("records.Lists.outcomes", outcomes)


def _sums(patch: Patch) -> None:
    """Amounts of records that are not decided are left out of what there may be."""
    original = records.Lists.amounts

    def amounts(lists: Any, *names: str) -> Any:
        least, _, gap, endless = original(lists, *names)
        return least, least, gap, endless

    patch("records.Lists.amounts", amounts)


def _contradiction(patch: Patch) -> None:
    """A filed total goes before the records, whatever they are."""
    patch("formulas._contradicted", lambda listed, own, column: False)


def _best_indicator(patch: Patch) -> None:
    """The first of several banded figures counts, not the best."""
    patch("bodies.greatest", lambda values: values[0])


MUTANTS = [
    f for name, f in list(globals().items()) if name.startswith("_") and callable(f) and f.__doc__
]


@pytest.fixture(scope="module")
def database() -> Any:
    return duckdb(filed(corpus(ROOT)))


def test_without_a_mistake_there_is_no_difference(database: Any) -> None:
    assert differing(database, rulebook().ruleset(ROOT), expected(ROOT)) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__.strip("_"))
def test_a_mistake_is_noticed(
    mutant: Callable[[Patch], None], database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(
        lambda target, value: monkeypatch.setattr(
            f"registry.screening.compiler.{target}", value, raising=False
        )
    )
    assert differing(database, rulebook().ruleset(ROOT), expected(ROOT))
