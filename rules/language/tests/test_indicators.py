"""Declarations of indicators: what a table says, and every way to say it wrong."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rules.decider import Decider, by_both
from rules.drafting.examples import read_indicator
from rules.explanation.explain import explain
from rules.explanation.reasons import reasons
from rules.language.rulebook import Rulebook, compile_all, load
from rules.model.facts import Profile
from rules.model.ruleset import Outcome
from rules.tests.packaged import FEATURES

HEAD = """# language: zh-CN
@source:示范省工信厅〔2026〕1号
功能: 示范省的指标

  @id:示范.指标{tags}
  规则: 示范省的指标
    依据: 第二条

    背景:
      假如 指标按下式计算
"""
RULE = """
  @id:示范.{name}
  规则: {clause}
    依据: 第三条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标   | 要求   | 门槛    |
        | 一   | {name} | {required} |

    场景: 未填报
      假如 企业填报
        | 上年度资产总额 | 1万元 |
      那么 结论为“材料不足”
"""
COLUMNS = "指标 | 单位 | 算式"


def written(
    folder: Path, *rows: str, header: str = COLUMNS, tags: str = "", rule: str = ""
) -> Path:
    table = "".join(f"        | {row} |\n" for row in (header, *rows))
    text = HEAD.format(tags=tags) + table + rule
    (folder / "provinces").mkdir(parents=True, exist_ok=True)
    (folder / "provinces" / "a.feature").write_text(text, encoding="utf-8")
    return folder


def compiled(folder: Path, *rows: str, **more: str) -> Rulebook:
    return compile_all(FEATURES, written(folder / "own", *rows, **more))


@pytest.mark.parametrize(
    ("first", "verdict"),
    [
        ("1000", Outcome.MET),
        ("1000.01", Outcome.NOT_MET),
        ("999.99", Outcome.MET),
        (None, Outcome.MISSING),
        ("0", Outcome.PENDING),
    ],
)
def test_growth_over_three_years_reads_a_fourth(
    tmp_path: Path, first: str | None, verdict: Outcome
) -> None:
    years = "上年度", "上上年度", "再上年度"
    growths = "，".join(f"增长率（{year}营业收入总额）" for year in years)
    row = f"近三年平均增长率 | % | 平均（{growths}）"
    rule = RULE.format(
        name="近三年平均增长率", clause="近三年平均增长率不低于10%", required="不低于 | 10%"
    )
    found = compiled(tmp_path, row, rule=rule)
    assert [str(p) for p in found.problems] == []
    filed = {"revenue@2025": "1331", "revenue@2024": "1210", "revenue@2023": "1100"}
    filed |= {} if first is None else {"revenue@2022": first}
    trace = by_both(found.ruleset("示范.近三年平均增长率"), Profile(date(2026, 6, 30), filed))
    assert trace["示范.近三年平均增长率"] is verdict


def test_an_indicator_is_what_its_row_says(tmp_path: Path) -> None:
    row = "人均营收 | 万元 | 上年度营业收入总额 ÷ 上年度从业人员 | 第二条第一项"
    found = compiled(tmp_path, row, header=f"{COLUMNS} | 依据")
    assert found.problems == ()
    one = found.indicators["人均营收"]
    assert one.expr == ("div", ("year", "revenue", 0), ("year", "staff", 0))
    assert (one.kind, one.unit, one.clause) == ("number", "万元", "第二条第一项")


def test_an_indicator_of_a_record_has_its_list(tmp_path: Path) -> None:
    tags = " @对象:知识产权"
    found = compiled(tmp_path, "授权后满年限 | 年 | 足年（授权日期，填报日）", tags=tags)
    assert found.problems == ()
    assert found.indicators["ip.授权后满年限"].records == "ip"
    assert "示范省的指标件数" not in found.indicators


@pytest.mark.parametrize(
    ("required", "value"),
    [("不低于 | 10%", Fraction("1.21")), ("低于 | 0%", Fraction(1)), ("高于 | -100%", Fraction(0))],
)
def test_thresholds_of_a_compound_growth_are_compounded(
    tmp_path: Path, required: str, value: Fraction
) -> None:
    row = "营收年均增长率 | % | 复合增长率（上年度营业收入总额，2年）"
    threshold = required.rpartition(" ")[2]
    clause = f"营收年均增长率{required.replace(' | ', '')}"
    rule = RULE.format(name="营收年均增长率", clause=clause, required=required)
    found = compiled(tmp_path, row, rule=rule)
    assert [str(p) for p in found.problems] == []
    [(_, line)] = found.rule("示范.营收年均增长率").lines()
    assert (line.value, line.text) == (value, required.replace(" | ", ""))
    assert threshold in line.text


def test_a_compound_growth_is_decided_exactly_and_shown_as_a_rate(tmp_path: Path) -> None:
    row = "营收年均增长率 | % | 复合增长率（上年度营业收入总额，2年）"
    clause = "营收年均增长率不低于10%"
    rule = RULE.format(name="营收年均增长率", clause=clause, required="不低于 | 10%")
    ruleset = load(FEATURES, written(tmp_path / "own", row, rule=rule)).ruleset(
        "示范.营收年均增长率"
    )

    def filed(last: str, first: str) -> Profile:
        return Profile(date(2026, 6, 30), {"revenue@2025": last, "revenue@2023": first})

    for last, first, outcome in (
        ("12100", "10000", Outcome.MET),
        ("12099.99", "10000", Outcome.NOT_MET),
        ("12100.01", "10000", Outcome.MET),
    ):
        assert by_both(ruleset, filed(last, first))["示范.营收年均增长率"] is outcome
    with Decider(ruleset) as decider:
        [check] = reasons(explain(decider.decide(filed("11000", "10000"))))
        assert (check.value, check.distance) == ("约4.8809%", "差约5.1191个百分点，合0.11万元")
        [check] = reasons(explain(decider.decide(filed("14400", "10000"))), Outcome.MET)
        assert (check.value, check.distance) == ("20%", "高出10个百分点")
        assert check.measure is not None
        assert (check.measure.lo, check.measure.threshold) == (20, 10)
    assert read_indicator(ruleset, filed("14400", "10000"), "营收年均增长率") == "20%"


def test_a_rate_below_a_total_loss_is_refused(tmp_path: Path) -> None:
    row = "营收年均增长率 | % | 复合增长率（上年度营业收入总额，2年）"
    clause = "营收年均增长率不低于-101%"
    rule = RULE.format(name="营收年均增长率", clause=clause, required="不低于 | -101%")
    [problem] = compiled(tmp_path, row, rule=rule).problems
    assert problem.message == "增长率不能低于-100%：请改正门槛"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["研发人员占比 | % | 上年度研发人员 ÷ 上年度员工"], "上年度员工"),
        (["甲 | 万元 | 上年度研发人员"], "算式得人数，单位不能写「万元」"),
        (["自有核心技术工艺配方 | 是否 | 是"], "指标「自有核心技术工艺配方」：已有同名的填报项：请改名"),
        (["上年度从业人员 | 人 | 上年度研发人员"], "指标「上年度从业人员」：已有同名的填报项：请改名"),
        (["国家级奖励排名前三件数 | 项 | 1"], "已是一条规则的件数：请改名"),
        (["上年度净利润率 | % | 1"], "重复：请改名，或删去一行"),
        (["甲 | 项 | 1", "甲 | 项 | 2"], "指标「甲」：与 own/provinces/a.feature:12 重复"),
        (["甲 | 项 | "], "指标「甲」：没有写算式：请补写"),
        (["甲 | 项 | 乙", "乙 | 项 | 甲"], "引用自身：请断开循环"),
        (["甲 | 项 | 件数（63.4.Ⅲ类）"], "63.4.Ⅲ类"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, rows: list[str], said: str) -> None:
    found = [str(p) for p in compiled(tmp_path, *rows).problems]
    assert found
    assert said in found[0]


def test_a_header_may_leave_out_only_the_source(tmp_path: Path) -> None:
    [problem] = compiled(tmp_path, "甲 | 项", header="指标 | 单位").problems
    assert problem.message == "表头缺少算式：请补列"
