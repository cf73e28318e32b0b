"""A tier that a bureau declares itself goes through every act like the packaged ones."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.desk import auditing, checking, deciding, explaining, finding, notices, screening
from registry.desk.auditing import EntryQuery
from registry.desk.checking import CaseResult, Inquiry, Request
from registry.desk.explaining import DecisionQuery
from registry.desk.listed import Firms
from registry.desk.notices import Notice, Validity
from registry.desk.place import Desk
from registry.desk.screening import ScreeningRequest
from registry.errors import RecordError
from registry.tests import packs
from registry.tests.support import CODES, DAY, Clock, load, publish, submission
from rules.errors import FactsError
from rules.tests.packaged import TITLES

ONE, TWO = CODES[:2]
#: Every way to name it.
NAMES = (packs.OWN_TIER, "标杆", "model")
NOTICE = Notice("苏示范〔2023〕2号", DAY)


@pytest.fixture
def desk(
    fresh: Callable[..., sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("TIDU_FEATURES", str(packs.tier(tmp_path / "own")))
    engine, clock = fresh("sqlite"), Clock()
    publish(engine, clock)
    load(engine, clock, submission(ONE), submission(TWO, rd_staff__2022="5"))
    url = engine.url.render_as_string(hide_password=False)
    with Desk(url, by="经办人", clock=clock) as found:
        yield found


def checked(desk: Desk, *tiers: str) -> list[list[tuple[str, str]]]:
    with checking.run(desk, Inquiry(request=Request(tiers)), view=checking.whole) as run:
        results = [r for r in run.results() if isinstance(r, CaseResult)]
    return [[(v.tier, v.outcome) for v in r.verdicts] for r in results]


def decided(desk: Desk, *tiers: str) -> list[tuple[str, str, str]]:
    with deciding.run(desk, None, Request(tiers)) as run:
        return [(line.uscc, line.tier, line.verdict) for line in run]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_checked_by_any_of_its_names(desk: Desk, name: str) -> None:
    found = {("符合",), ("不符合",)}
    results = checked(desk, name)
    assert {tuple(word for _, word in verdicts) for verdicts in results} == found
    assert {tier for verdicts in results for tier, _ in verdicts} == {packs.OWN_TIER}


def test_a_tier_of_one_province_and_a_measure_are_asked_about_only_by_name(desk: Desk) -> None:
    assert [[tier for tier, _ in verdicts] for verdicts in checked(desk)] == [[*TITLES]] * 2
    both = checked(desk, "贴息", "model")
    assert {tier for verdicts in both for tier, _ in verdicts} == {"研发贷款贴息", packs.OWN_TIER}


def test_it_is_decided_found_explained_and_read_in_the_journal(desk: Desk) -> None:
    assert sorted(decided(desk, "标杆", "model")) == sorted(
        [(ONE, packs.OWN_TIER, "符合"), (TWO, packs.OWN_TIER, "不符合")]
    )
    decided(desk, "专精特新")
    [line] = auditing.log(desk, EntryQuery(uscc=ONE, tier="标杆"))
    assert "示范标杆企业" in line.what
    assert len(auditing.leafed(desk, tier="model").lines) == 2
    with explaining.chosen(desk, DecisionQuery(tiers=("标杆",))) as chosen:
        told = [found.verdict.tier for _, found in chosen.each(lambda e: e)]
    assert told == [packs.OWN_TIER] * 2
    assert finding.short_names(desk)[packs.OWN_TIER] == "标杆"
    for name in NAMES:
        [line] = finding.find(desk, tier=name, outcome="符合").lines
        assert line.uscc == ONE
    assert [d.tier for d in line.decisions] == [TITLES[1], packs.OWN_TIER]


def test_it_is_screened(desk: Desk) -> None:
    asked = ScreeningRequest(tiers=("标杆",))
    with screening.run(desk, asked) as run:
        [tally] = run.tallies.values()
        outcomes = {firm.uscc: firm.outcome.text for firm in run.firms()}
    assert (tally.tier, tally.total) == (packs.OWN_TIER, 2)
    assert outcomes == {ONE: "符合", TWO: "不符合"}
    with screening.run(desk, ScreeningRequest()) as run:
        assert set(run.tallies) == set(TITLES)


def test_its_title_is_granted_and_a_measure_is_no_title(desk: Desk) -> None:
    done = notices.grant(desk, Firms((ONE,)), "标杆", NOTICE, Validity(DAY, None))
    [entry] = done.entries
    assert entry.content["kind"] == packs.OWN_TIER
    [held] = notices.titles(desk, kind="model")
    assert held.content["uscc"] == ONE
    with pytest.raises(RecordError, match="「研发贷款贴息」是措施，不是称号，不能登记"):
        notices.grant(desk, Firms((ONE,)), "贴息", NOTICE, Validity(DAY, None))


def test_an_unknown_tier_is_refused_with_the_nearest_name(desk: Desk) -> None:
    said = (
        "没有名为「标干」的层级（相近的有「标杆」）：可用的有创新型、专精特新、小巨人、标杆、贴息"
    )
    for act in (
        lambda: checked(desk, "标干"),
        lambda: decided(desk, "标干"),
        lambda: notices.titles(desk, kind="标干"),
        lambda: auditing.log(desk, EntryQuery(tier="标干")),
        lambda: finding.find(desk, tier="标干"),
    ):
        with pytest.raises(FactsError, match=said):
            act()
