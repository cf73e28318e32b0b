"""Exactly one ruleset governs every cell of tier × procedure × province × batch, or a listed gap."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import pytest

from rules.errors import NoRulesetError
from rules.language.editions import OTHERS, ApplicabilityRow, governing
from rules.language.provinces import CITIES, PROVINCES, acting
from rules.language.rulebook import Rulebook
from rules.tests.packaged import TITLES

PROCEDURES = ("认定", "复核")
#: Days on which no ruleset governs, as (tiers, first day, last day, why).
GAPS = ((TITLES, date.min, date(2022, 7, 31), "2022年办法施行以前"),)
YEARS = range(2021, 2031)


def days(rulebook: Rulebook) -> list[date]:
    """The first and last days of all years, and every day on or beside which some row changes."""
    edges = {d for r in rulebook.applicability for d in (r.start, r.end) if d}
    beside = {d + timedelta(days=n) for d in edges for n in (-1, 0, 1)}
    return sorted(beside | {date(y, m, d) for y in YEARS for m, d in ((1, 1), (12, 31))})


def gap(tier: str, day: date) -> bool:
    return any(tier in tiers and first <= day <= last for tiers, first, last, _ in GAPS)


@pytest.mark.parametrize("tier", TITLES)
@pytest.mark.parametrize("procedure", PROCEDURES)
def test_every_cell_has_exactly_one_ruleset_or_a_listed_gap(
    rulebook: Rulebook, tier: str, procedure: str
) -> None:
    batches = ["", *dict.fromkeys(r.batch for r in rulebook.applicability if r.batch)]
    for province, batch, day in product(("", *PROVINCES), batches, days(rulebook)):
        case = f"{province}{batch}{day}"
        if gap(tier, day):
            with pytest.raises(NoRulesetError):
                found(rulebook, tier, procedure, province, batch, day)
        else:
            assert found(rulebook, tier, procedure, province, batch, day) in roots(rulebook), case


@pytest.mark.parametrize("tier", TITLES)
def test_every_title_has_exactly_one_table_of_clocks_or_a_listed_gap(
    rulebook: Rulebook, tier: str
) -> None:
    edges = {d for r in rulebook.clock_rows for d in (r.start, r.end) if d}
    beside = {d + timedelta(days=n) for d in edges for n in (-1, 0, 1)}
    for province, day in product(("", *PROVINCES), sorted(beside)):
        covering = [p for p in rulebook.timing(tier, province).periods if p.covers(day)]
        assert len(covering) == (0 if gap(tier, day) else 1), f"{province}{day}"


def found(
    rulebook: Rulebook, tier: str, procedure: str, province: str, batch: str, day: date
) -> str:
    case = {"tier": tier, "procedure": procedure, "province": province, "batch": batch}
    return governing(rulebook.applicability, day=day, **case).row.ruleset


def roots(rulebook: Rulebook) -> set[str]:
    return {r.ruleset for r in rulebook.applicability}


def test_every_row_governs_some_case(rulebook: Rulebook) -> None:
    for row in rulebook.applicability:
        province = "" if row.province == OTHERS else row.province
        case = (row.tier, row.procedure, province, row.batch, row.start or row.end or date.max)
        assert found(rulebook, *case) == row.ruleset


def test_what_governs_can_be_cut(rulebook: Rulebook) -> None:
    for root in roots(rulebook):
        assert rulebook.ruleset(root).root == root.partition("@")[0]


def filled(rulebook: Rulebook) -> Iterator[tuple[str, str]]:
    """The rulesets that provinces have filled, with the national ones."""
    for root in roots(rulebook):
        if "@" in root:
            yield root, root.partition("@")[0]


def test_a_province_changes_the_slots_and_what_follows_from_them_only(rulebook: Rulebook) -> None:
    touched = {"63.2.评分或直通", "63.2.9.特色化指标"}
    for root, national in filled(rulebook):
        before = {r.id: r for r in rulebook.ruleset(national).rules}
        after = {r.id: r for r in rulebook.ruleset(root).rules}
        assert before.keys() <= after.keys()
        assert {id for id in before if before[id] != after[id]} <= touched
        assert rulebook.ruleset(root).digest != rulebook.ruleset(national).digest


def test_a_row_governs_on_its_first_and_last_day_and_not_the_day_beside(rulebook: Rulebook) -> None:
    day = timedelta(days=1)
    edges = 0
    for row in rulebook.applicability:
        for edge, inwards in ((row.start, day), (row.end, -day)):
            if edge is None:
                continue
            edges += 1
            assert governed(rulebook, row, edge - inwards) is not row, row.position
            assert governed(rulebook, row, edge) is row, row.position
            assert governed(rulebook, row, edge + inwards) is row, row.position
    assert edges > len(rulebook.applicability)


def governed(rulebook: Rulebook, row: ApplicabilityRow, day: date) -> ApplicabilityRow | None:
    """The row that governs a case such as this row is for, on a day; None in a listed gap."""
    case = {"tier": row.tier, "procedure": row.procedure, "batch": row.batch}
    case["province"] = "" if row.province == OTHERS else row.province
    if gap(row.tier, day):
        with pytest.raises(NoRulesetError):
            governing(rulebook.applicability, day=day, **case)
        return None
    return governing(rulebook.applicability, day=day, **case).row


def test_cities_with_independent_planning_status_go_by_no_rules_of_their_provinces(
    rulebook: Rulebook,
) -> None:
    day = date(2024, 5, 31)
    for city, province in CITIES.items():
        for acting_in, place in ((city, city), (province, "")):
            there = acting(province, place)
            assert there == acting_in
            root = found(rulebook, "专精特新中小企业", "认定", there, "", day)
            assert (root == "63.2") is (acting_in not in ("广东省", "山东省")), there


def test_a_round_ends_with_its_year(rulebook: Rulebook) -> None:
    for row in rulebook.applicability:
        if row.batch:
            assert row.start, row
            assert row.end, row
            assert row.start.year == row.end.year, row


@pytest.mark.parametrize("tier", TITLES)
@pytest.mark.parametrize("procedure", PROCEDURES)
def test_a_case_without_a_batch_is_told_just_those_that_would_change_its_ruleset(
    rulebook: Rulebook, tier: str, procedure: str
) -> None:
    batches = dict.fromkeys(r.batch for r in rulebook.applicability if r.batch)
    for province, day in product(("", "广东省", "江苏省"), days(rulebook)):
        if gap(tier, day):
            continue
        case = {"tier": tier, "procedure": procedure, "province": province, "day": day}
        plain = governing(rulebook.applicability, **case)
        rounds = {b: governing(rulebook.applicability, batch=b, **case).row for b in batches}
        other = [row for row in rounds.values() if row.ruleset != plain.row.ruleset]
        assert sorted(r.batch for r in plain.rounds) == sorted(r.batch for r in other)
        assert all(
            governing(rulebook.applicability, batch=r.batch, **case).rounds == () for r in other
        )
        assert all(any(r.batch in said for said in plain.told()) for r in other)
