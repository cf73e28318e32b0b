"""How many enterprises of the registry fail on a rule, on the page of the rule."""

import re

import pytest

from registry.desk.place import Desk
from registry.record import finding, tallies
from registry.web.addresses import rule
from registry.web.tests.test_case import NARROW, SECOND
from registry.web.tests.visiting import Visitor, case

RULE = "63.2.研发费用"


def test_a_rule_tells_how_many_fail_among_how_many_as_of_when(visitor: Visitor) -> None:
    page = visitor.get(rule(RULE))
    assert "本登记库的企业" in page.words
    counts = {
        word: int(n) for word, n in re.findall(r"(符合|不符合|材料不足) (\d+) ?家", page.words)
    }
    assert sum(counts.values()) == 5
    assert counts["不符合"] == 1
    assert "各家最近一次决定，共5家，判断日期2023-06-30" in page.words
    assert "登记的企业有42家" in page.words
    assert case(NARROW, SECOND, rule=RULE) in [href.replace("&amp;", "&") for href in page.links]


@pytest.mark.parametrize("id", ["63.1.直通", "63.3"])
def test_what_nobody_decided_is_not_known(visitor: Visitor, id: str) -> None:
    assert "不知道：还没有按这里的标准就此作出决定" in visitor.get(rule(id)).words


@pytest.mark.parametrize("id", ["63.2.评价得分", "63.4.取得"])
def test_points_and_single_records_fail_nobody(visitor: Visitor, id: str) -> None:
    page = visitor.get(rule(id))
    assert page.status == 200
    assert "本登记库的企业" not in page.words


def test_decisions_by_other_criteria_are_not_counted(example: str) -> None:
    with Desk(example) as desk, desk.reading() as session:
        found = tallies.of_tier(session, SECOND, {"0" * 64})
    assert found is not None
    assert (found.firms, found.others, dict(found.rules)) == (5, 5, {})


def test_more_than_can_be_counted_are_not_known(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST", 4)
    with Desk(example) as desk, desk.reading() as session:
        assert tallies.of_tier(session, SECOND, ()) is None
