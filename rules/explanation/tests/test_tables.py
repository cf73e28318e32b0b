"""A definition table beside a case: the rows of the ruleset, what the case has, what decided."""

from datetime import date

import pytest

from rules.decider import Decider, Decision
from rules.explanation.explain import explain
from rules.explanation.tables import CaseTable, case_table
from rules.model.facts import Profile, Scalar
from rules.tests.packaged import rulebook


def table(root: str, rule: str = "", **values: Scalar) -> CaseTable:
    decision = decided(root, {k.replace("__", "@"): v for k, v in values.items()})
    finding = next(f for f in explain(decision).walk() if f.rule == (rule or root))
    found = case_table(decision, finding)
    assert found is not None
    return found


def decided(root: str, values: dict[str, Scalar]) -> Decision:
    with Decider(rulebook().ruleset(root)) as decider:
        return decider.decide(Profile(date(2023, 6, 30), values))


def ruling(found: CaseTable) -> list[tuple[str, ...]]:
    return [row.cells for row in found.rows if row.decides]


def test_of_a_case_that_fails_the_failing_comparison_decides() -> None:
    found = table("63.2.研发费用", rd_expense__2022="1400000", revenue__2022="50000000")
    assert found.header == ("情形", "指标", "要求", "本案")
    assert [r.cells for r in found.rows] == [
        ("一", "上年度研发费用总额", "不低于100万元"),
        ("一", "上年度研发费用占比", "不低于3%"),
    ]
    assert ruling(found) == [("一", "上年度研发费用占比", "不低于3%")]
    assert [(r.value, r.distance, r.outcome) for r in found.rows] == [
        ("140万元", "高出40万元", "符合"),
        ("2.8%", "差0.2个百分点，合10万元", "不符合"),
    ]


def test_of_a_case_that_holds_the_rows_of_the_holding_case_decide() -> None:
    found = table("63.2.营收或融资", revenue__2022="50000000", financing_two_years="0")
    assert ruling(found) == [("营业收入", "上年度营业收入总额", "不低于1000万元")]


def test_of_an_open_case_what_is_open_decides() -> None:
    found = table("63.2.研发费用", rd_expense__2022="1400000")
    assert ruling(found) == [("一", "上年度研发费用占比", "不低于3%")]
    assert found.rows[1].outcome == "材料不足"


@pytest.mark.parametrize(
    ("revenue", "main", "bands"),
    [
        ("100", "80", ["5分"]),
        ("100", "79.99", ["3分"]),
        ("100", None, ["0分", "1分", "3分", "5分"]),
    ],
)
def test_the_band_in_which_a_value_lies_decides(
    revenue: str, main: str | None, bands: list[str]
) -> None:
    values: dict[str, Scalar] = {"revenue__2022": revenue}
    if main:
        values["main_revenue__2022"] = main
    assert [cells[-1] for cells in ruling(table("63.2.1.主营占比", **values))] == bands


def test_of_two_indicators_the_one_that_counts_decides() -> None:
    found = table("63.2.11.研发投入", rd_expense__2022="2999900", revenue__2022="100000000")
    assert ruling(found) == [("上年度研发费用总额", "200万元", "300万元", "4分")]


@pytest.mark.parametrize(("held", "reached"), [("1", "6分"), ("0", "0分")])
def test_the_highest_rung_that_holds_decides(held: str, reached: str) -> None:
    zeros = dict.fromkeys(("ip_high_value", "ip_self_developed", "ip_class_two"), "0")
    found = table("63.2.10.知识产权", ip_class_one=held, **zeros)
    assert {cells[0] for cells in ruling(found)} == {reached}
    assert ("10分", "Ⅰ类高价值", "Ⅰ类高价值知识产权数", "不低于1项") in [
        r.cells for r in found.rows
    ]
    assert found.rows[-1].cells == ("0分", "其余", "", "")


def test_a_total_names_its_parts_and_their_points() -> None:
    found = table("63.2.评价得分", main_revenue__2022="80", revenue__2022="100")
    assert found.header == ("组", "项", "满分", "本案")
    first = found.rows[0]
    assert (first.cells, first.value, first.rule) == (
        ("专业化", "主营占比", "5分"),
        "5分",
        "63.2.1.主营占比",
    )


def test_points_that_are_filed_stand_between_their_bounds() -> None:
    [row] = table("63.2.9.特色化指标", local_points="8").rows
    assert (row.cells, row.value) == (("地方特色指标得分", "0分", "15分"), "8分")


def test_cases_meant_for_other_sectors_are_only_counted() -> None:
    found = table("63.8.中小企业", industry_code="C3511", revenue__2022="100", staff__2022="1")
    assert {row.cells[0] for row in found.rows} == {"工业"}
    assert found.others > 10


def test_a_row_names_the_rule_that_it_asks_for() -> None:
    found = table("63.2", revenue__2022="1")
    assert [row.rule for row in found.rows] == ["63.2.实质条件", "63.2.前置称号"]
    assert all(not row.value and row.outcome for row in found.rows)
