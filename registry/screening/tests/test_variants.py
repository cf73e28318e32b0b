"""Rulesets with moved edges: what a figure near an edge comes to, and that all evaluators agree on it."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from registry.screening.tests.support import by_reference, differing, duckdb, filed, rulebook
from registry.screening.tests.test_agreement import at_randoms
from registry.screening.variants import moved
from registry.tests.support import DAY, submission
from rules.decider import Decider
from rules.model.facts import Profile
from rules.model.ruleset import Band, Bands, Points, Ruleset

SHARE = Fraction(1, 20)
#: Takes 80 % for 5 points, 70 % for 3.
MAIN = "63.2.1.主营占比"
#: Takes growth, which may be negative, for its points: 2 from 0 % on.
GROWTH = "63.2.2.主营增长"
#: Takes debts of no more than 50 % for 5 points: less is better.
DEBTS = "63.2.8.资产负债率"


def points(ruleset: Ruleset, rule: str, **values: str) -> Fraction:
    profile = submission(**values).profile(DAY)
    [trace] = by_reference(ruleset, [profile])
    found = trace[rule]
    assert isinstance(found, Points)
    assert found.lo == found.hi
    return found.lo


@pytest.mark.parametrize(
    ("main", "as_it_is", "easier", "harder"),
    [
        # of 60 million: 76 % is 80 % less a twentieth of it, 84 % is 80 % and a twentieth
        ("45600000", 3, 5, 3),
        ("45599999.99", 3, 3, 3),
        ("50400000", 5, 5, 5),
        ("50399999.99", 5, 5, 3),
        # 66.5 % is 70 % less a twentieth
        ("39900000", 1, 3, 1),
        ("39899999.99", 1, 1, 1),
    ],
)
def test_a_figure_within_the_share_of_a_band(
    main: str, as_it_is: int, easier: int, harder: int
) -> None:
    ruleset = rulebook().ruleset("63.2")
    found = [
        points(r, MAIN, main_revenue__2022=main, revenue__2022="60000000")
        for r in (ruleset, moved(ruleset, SHARE), moved(ruleset, -SHARE))
    ]
    assert found == [as_it_is, easier, harder]


@pytest.mark.parametrize("rule", [GROWTH, DEBTS])
@pytest.mark.parametrize("share", [Fraction(1, 20), Fraction(3, 10), Fraction(9, 10)])
def test_no_figure_scores_less_for_easier_edges_nor_more_for_harder_ones(
    rule: str, share: Fraction
) -> None:
    ruleset = rulebook().ruleset("63.2")
    variants = [moved(ruleset, s) for s in (-share, Fraction(0), share)]
    profiles = [
        submission(
            main_revenue__2022=str(26_000_000 + 400_000 * n), total_liabilities__2022=f"{n}500000"
        ).profile(DAY)
        for n in range(90)
    ]
    traces = [by_reference(variant, profiles) for variant in variants]
    scores = [[t[rule].lo for t in trace] for trace in traces]  # type: ignore[union-attr]
    assert scores[1] == [t[rule].lo for t in by_reference(ruleset, profiles)]  # type: ignore[union-attr]
    assert all(a <= b <= c for a, b, c in zip(*scores, strict=True))
    assert scores[0] != scores[1] != scores[2]


@pytest.mark.parametrize("root", ["63.2@山东省.2022-08-01", "2026.3"])
@pytest.mark.parametrize("share", [SHARE, -SHARE, Fraction(-2, 5)])
def test_sql_engine_and_reference_agree_on_moved_edges(root: str, share: Fraction) -> None:
    ruleset = moved(rulebook().ruleset(root), share)
    profiles: list[Profile] = list(at_randoms())
    expected = by_reference(ruleset, profiles)
    assert differing(duckdb(filed(profiles)), ruleset, expected) == []
    with Decider(ruleset) as decider:
        assert [decider.decide(p).trace for p in profiles[:15]] == expected[:15]


def test_a_best_band_in_the_middle_grows_or_vanishes() -> None:
    """From 30 % to 40 % is best; harder by two fifths nothing is left of it, and the least counts."""
    ruleset = rulebook().ruleset("63.2")
    ends = (None, Fraction(3, 10), Fraction(4, 10), None)
    scores = map(Fraction, (0, 5, 2))
    rows = tuple(Band(*pair, p) for pair, p in zip(pairwise(ends), scores, strict=True))
    name = next(ruleset.rule(DEBTS).indicator_names())
    body = Bands(((name, rows),))
    rules = tuple(replace(r, body=body) if r.id == DEBTS else r for r in ruleset.rules)
    ruleset = replace(ruleset, rules=rules)

    def scored(share: Fraction) -> list[Fraction]:
        variant = moved(ruleset, share)
        filed = ("23", "25", "35", "43", "70")
        return [
            points(
                variant, DEBTS, total_liabilities__2022=f"{n}000000", total_assets__2022="100000000"
            )
            for n in filed
        ]

    assert scored(Fraction(0)) == [0, 0, 5, 2, 2]
    assert scored(Fraction(1, 5)) == [0, 5, 5, 5, 2]
    assert scored(Fraction(-1, 20)) == [0, 0, 5, 2, 2]
    assert scored(Fraction(-2, 5)) == [0, 0, 0, 2, 2]
