"""Screening says of every node what the engine and the reference evaluator say, on every database."""

import random
import re
from dataclasses import replace
from functools import cache

import pytest
import sqlalchemy as sa

from registry.screening.compiler.program import Program
from registry.screening.engines import DuckDB, text_of
from registry.screening.schema import schema_of
from registry.screening.tests.filings import DAY, at_random, below_zero, itemised, on_edges
from registry.screening.tests.support import (
    by_reference,
    differing,
    duckdb,
    filed,
    postgresql,
    roots,
    rulebook,
)
from rules.decider import Decider
from rules.model.facts import Profile
from rules.model.ruleset import Outcome, Points, Trace
from rules.tests.packaged import catalogue

#: One of each kind: points, direct ways, a province's items, findings, a re-check.
FEW = ("63.1", "63.2@山东省.2022-08-01", "2026.2.复核", "63.3")


@cache
def at_randoms() -> tuple[Profile, ...]:
    """Filings at random, from nearly empty to complete."""
    rng = random.Random(20230630)
    found = [at_random(rng, known=rng.choice([0.2, 0.6, 0.9, 0.97, 1])) for _ in range(60)]
    more = [itemised(rng) for _ in range(20)]
    return (*found, *more, *(below_zero(rng) for _ in range(12)))


@cache
def corpus(root: str) -> tuple[Profile, ...]:
    """These, and a complete one moved to each side of every threshold of a ruleset."""
    complete = at_random(random.Random(1), known=1)
    return (*at_randoms(), *on_edges(rulebook().ruleset(root), complete))


@cache
def expected(root: str) -> tuple[Trace, ...]:
    return tuple(by_reference(rulebook().ruleset(root), corpus(root)))


@cache
def of_randoms() -> DuckDB:
    return duckdb(filed(at_randoms()))


@pytest.mark.parametrize("root", FEW)
def test_duckdb_agrees_with_the_reference_on_every_node(root: str) -> None:
    database = duckdb(filed(corpus(root)))
    assert differing(database, rulebook().ruleset(root), expected(root)) == []


#: Re-checks of 63.2 are its rules under another root, for each province.
OTHERS = sorted({r for r in roots() if not r.startswith("63.2.复核@")} - set(FEW))


@pytest.mark.parametrize("root", OTHERS)
def test_so_it_does_for_every_ruleset_that_may_govern(root: str) -> None:
    ruleset = rulebook().ruleset(root)
    known = by_reference(ruleset, at_randoms())
    assert differing(of_randoms(), ruleset, known) == []


@pytest.mark.parametrize("root", FEW)
def test_the_filings_tell_the_results_apart(root: str) -> None:
    """Nearly every node comes out in more than one way, or agreement would say little."""
    seen: dict[str, set[object]] = {}
    for trace in expected(root):
        for key, result in trace.items():
            if "#" not in key:
                seen.setdefault(key, set()).add(result)
    same = {k for k, results in seen.items() if len(results) < 2}
    assert len(same) <= len(seen) // 20, same
    outcomes = {r for results in seen.values() for r in results}
    assert {o for o in outcomes if isinstance(o, Outcome)} == set(Outcome) - {
        Outcome.NOT_APPLICABLE
    }
    scored = any(r.scored for r in rulebook().ruleset(root).rules)
    assert any(isinstance(o, Points) and o.lo < o.hi for o in outcomes) is scored


@pytest.mark.parametrize("root", FEW)
def test_the_engine_agrees_on_the_same_filings(root: str) -> None:
    ruleset = rulebook().ruleset(root)
    with Decider(ruleset) as decider:
        decided = [decider.decide(p).trace for p in at_randoms()[:25]]
    assert decided == list(expected(root)[:25])


def test_postgresql_agrees_with_the_reference_on_every_node(postgresql_url: sa.URL) -> None:
    for root in FEW:
        found = postgresql(filed(corpus(root)), postgresql_url)
        assert differing(found, rulebook().ruleset(root), expected(root)) == []
        found.close()


def test_of_several_prefixes_of_a_code_the_longest_counts() -> None:
    ruleset = rulebook().ruleset("63.8.中小企业")
    table = {"C": "工业", "C35": "建筑业", "C3511": "零售业", "F5": "仓储业"}
    ruleset = replace(ruleset, maps={"gbt4754": table})
    codes = ("C", "C3", "C35", "C351", "C3511", "C35119", "F", "c3511", "F51")
    firms = [(at_random(random.Random(n), known=1), code) for n in range(3) for code in codes]
    coded = [replace(f, values={**f.values, "industry_code": code}) for f, code in firms]
    assert differing(duckdb(filed(coded)), ruleset, by_reference(ruleset, coded)) == []


@pytest.mark.parametrize("root", FEW)
def test_the_text_holds_the_closed_vocabulary_only(root: str) -> None:

    program = Program(rulebook().ruleset(root), schema_of(catalogue()), DAY)
    text = text_of(program.statement(program.everything(), fence="offset"))
    without_texts = re.sub(r"'[^']*'", "", text)
    words = set(re.findall(r"[A-Z_]{2,}", without_texts))
    assert words <= {
        "WITH", "AS", "SELECT", "FROM", "LEFT", "OUTER", "JOIN", "ON", "GROUP", "BY", "LIMIT",
        "ALL", "OFFSET", "DISTINCT",
        "CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "NOT", "IS", "NULL", "IN", "CAST",
        "BIGINT", "NUMERIC", "DATE",
    }  # fmt: skip
    calls = set(re.findall(r"([a-z_]+)\(", without_texts))
    assert calls <= {"coalesce", "sum", "count", "substr"}
    assert not re.search(r"[/%\"]|\d\.\d", without_texts)
