"""Constructs that few packaged criteria use come out in SQL as the reference evaluator says."""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest

from registry.judging.facts import facts_of
from registry.screening.compiler.program import Program
from registry.screening.compiler.widths import UnsupportedError
from registry.screening.engines import DuckDB
from registry.screening.tests.filings import DAY, at_random, below_zero
from registry.screening.tests.support import by_reference, differing, duckdb, filed
from rules.model.facts import Profile
from rules.model.ruleset import Ruleset
from rules.tests.test_agreement import AS_OF
from rules.tests.test_constructs import (
    FORMULAS,
    REGISTERED,
    anywhere,
    by_place,
    capped,
    dated,
    excluded,
    formulas,
    in_city,
    of_one_city,
    random_formulas,
    registered,
    some,
)

PLACES = ("province", "city")


@cache
def filings() -> tuple[Profile, ...]:
    rng = random.Random(20230630)
    found = [at_random(rng, known=rng.choice([0.5, 0.8, 0.95, 1])) for _ in range(60)]
    found += [below_zero(rng) for _ in range(12)]
    return (*found, *(some(rng, rng.choice([0.4, 0.7, 1])) for _ in range(100)))


@cache
def database() -> DuckDB:
    return duckdb(filed(filings()))


def told_apart(ruleset: Ruleset, *nodes: str) -> Sequence[str]:
    """The nodes on which SQL and the reference differ; these nodes come out in several ways."""
    expected = by_reference(ruleset, filings())
    for node in nodes:
        assert len({trace[node] for trace in expected}) > 1, node
    return differing(database(), ruleset, expected)


@pytest.mark.parametrize("cap", ["0.5", "7/3", "5", "12", None])
def test_a_capped_total(cap: str | None) -> None:
    assert told_apart(capped(cap, "4"), "合计", "线") == []


def test_a_rule_that_must_not_be_met() -> None:
    assert told_apart(excluded(), "小", "大", "线") == []


def test_products_maxima_and_fixed_days() -> None:
    apart = [f"{name}/0" for name in FORMULAS if name not in ("零乘", "定期")]
    assert told_apart(formulas(), *apart) == []


@pytest.mark.parametrize("seed", range(3))
def test_random_formulas(seed: int) -> None:
    possible = {n: f for n, f in random_formulas(seed, 2).items() if fits_in_sql(formulas({n: f}))}
    assert len(possible) > 12
    made = formulas(possible)
    assert differing(database(), made, by_reference(made, filings())) == []


def fits_in_sql(ruleset: Ruleset) -> bool:
    try:
        Program(ruleset, database().schema, DAY)
    except UnsupportedError:
        return False
    return True


def test_fixed_days() -> None:
    assert told_apart(dated(), "不早于", "不晚于", "早于", "晚于") == []


def test_parameters_and_conditions_by_place() -> None:
    profiles = anywhere()
    rows = [
        replace(row, case=replace(row.case, **{k: p.values.get(k) or "" for k in PLACES}))
        for row, p in zip(filed(profiles), profiles, strict=True)
    ]
    for ruleset in (by_place(), in_city(), of_one_city()):
        expected = by_reference(ruleset, profiles)
        assert differing(duckdb(rows), ruleset, expected) == []


def test_a_condition_on_the_registration() -> None:
    profiles = [Profile(AS_OF, {"registered_on": day} if day else {}) for day in REGISTERED]
    rows = [
        replace(
            row, case=replace(row.case, registered_on=day or ""), facts=facts_of(Profile(AS_OF))
        )
        for row, day in zip(filed(profiles), REGISTERED, strict=True)
    ]
    assert differing(duckdb(rows), registered(), by_reference(registered(), profiles)) == []
