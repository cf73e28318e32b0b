"""A verdict as a tree, and its score for drawing."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from registry.desk.rulebooks import rulebook
from registry.judging.case import Request, unfiled
from registry.judging.judge import Judge
from registry.judging.verdicts import Checker, TierVerdict
from registry.reports.scores import score
from registry.reports.tree import Node, parts, tree
from registry.tests.support import DAY, submission
from rules.tests.packaged import TITLES, catalogue


@cache
def judge() -> Judge:
    return Judge(rulebook(), alone=True)


def verdict(tier: str = TITLES[1], **changes: Any) -> TierVerdict:
    case = unfiled(submission(**changes), DAY)
    [found] = Checker(judge()).check(case, Request((tier,))).verdicts
    return found


def nodes(node: Node | None) -> Iterator[Node]:
    assert node is not None
    yield node
    for child in node.children:
        yield from nodes(child)


def test_only_the_branch_of_the_reason_is_unfolded() -> None:
    root = tree(verdict(rd_expense__2022="1000000"))
    unfolded = [n.rule for n in nodes(root) if n.unfolded and n.rule]
    assert unfolded == ["63.2", "63.2.实质条件", "63.2.研发费用"]
    assert all(n.unfolded for n in nodes(tree(verdict(), full=True)) if n.children and not n.above)


def test_a_rule_that_recurs_is_named_and_not_repeated() -> None:
    found = [*nodes(tree(verdict(tier=TITLES[2])))]
    shown = [n.rule for n in found if n.rule and not n.above]
    assert len(shown) == len({*shown})
    assert all(not n.children for n in found if n.above)


def test_figures_carry_their_sources_once() -> None:
    found = {n.label: n for n in nodes(tree(verdict()))}
    assert found["上年度研发费用占比 不低于3%"].figures
    assert not found["上年度研发费用总额 不低于100万元"].figures


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"dishonesty_list": True}, "列入严重失信主体名单，是（须为“否”）"),
        ({"independent_legal_person": False}, "独立法人，否（须为“是”）"),
        ({"independent_legal_person": None}, "独立法人，未填报"),
        (
            {"staff__2022": None, "revenue__2022": "500000000", "rd_expense__2022": "20000000"},
            "上年度从业人员 低于1000人，未填报",
        ),
    ],
)
def test_a_ground_says_what_the_case_has_and_what_it_must_have(
    changes: dict[str, Any], text: str
) -> None:
    grounds = [g for part in parts(verdict(**changes)) for g in part.grounds]
    assert text in [c.text for g in grounds for c in g.comparisons]


def test_an_interval_says_which_figure_leaves_it_open() -> None:
    changes = {"rd_expense__2022": None, "revenue__2022": "1000000", "financing_two_years": None}
    found = [n for n in nodes(tree(verdict(**changes))) if "平均额" in n.label]
    assert "2022年研发费用总额（上年度）未填报" in found[0].value


def test_comparisons_of_several_cases_are_alternatives() -> None:
    changes = {"revenue__2022": "5000000", "financing_two_years": "0"}
    grounds = [g for part in parts(verdict(**changes)) for g in part.grounds]
    either = {g.rule: g.either for g in grounds}
    assert either["63.2.营收或融资"]


def test_a_part_that_the_procedure_leaves_out_does_not_apply() -> None:
    case = unfiled(submission(), DAY)
    [found] = Checker(judge()).check(case, Request((TITLES[1],), procedure="复核")).verdicts
    assert "不适用" in {part.outcome for part in parts(found)}


def test_a_case_without_a_written_text_has_no_tree() -> None:
    nothing = TierVerdict(tier=TITLES[0], governing=None, decision=None)
    assert tree(nothing) is None
    assert parts(nothing) == ()


def test_a_score_is_drawn_with_what_is_sure_possible_and_wanted() -> None:
    found = verdict(main_revenue__2022=None).finding
    assert found is not None
    drawn = score(found, catalogue())
    assert drawn is not None
    assert drawn.whole.line == 60.0
    assert drawn.whole.wanted == "60分"
    assert drawn.whole.lo < drawn.whole.hi <= 100
    first = drawn.groups[0][1][0]
    assert (first.name, first.points, first.lo, first.hi) == ("主营占比", "0～5分", 0.0, 100.0)
    assert [bar.name for bar in drawn.corners] == ["专业化", "精细化", "特色化", "创新能力"]


def test_a_tier_without_a_score_draws_none() -> None:
    found = verdict(tier=TITLES[2]).finding
    assert found is not None
    assert score(found, catalogue()) is None
