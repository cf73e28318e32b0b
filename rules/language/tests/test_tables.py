"""Definition tables: what each compiles to, typed by hand, and every refusal with its line."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rules.language.lines import Threshold
from rules.language.rulebook import Rulebook, compile_all
from rules.model.quantities import Quantity
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Body,
    Case,
    Cases,
    Item,
    Ladder,
    Line,
    Op,
    Total,
)
from rules.tests.packaged import FEATURES

CASES = "满足下列任一情形即为符合"
BANDS = "按下表计分，边界按高分"
LADDER = "按所满足的最高情形计分"
TOTAL = "得分为下列各项之和"
SLOT = "由省级主管部门设定"
APPLICABILITY = "按下表适用"

COLUMNS = {
    CASES: "情形 | 指标 | 要求 | 门槛",
    BANDS: "指标 | 下限 | 上限 | 得分",
    LADDER: "得分 | 情形 | 指标 | 要求 | 门槛",
    TOTAL: "组 | 项 | 满分",
    SLOT: "项目 | 种类 | 默认 | 允许",
}
#: The header of the table stands in line 9, its first row in line 10.
TEXT = """\
# language: zh-CN
@source:乙
功能: 测试
  @id:r {tags}
  规则: 标题{prose}
    依据: 第一条
    背景:
      假如 {sentence}
{table}
    场景: 甲
      那么 结论为“符合”

  @id:分
  规则: 附表
    依据: 第一条
    背景:
      假如 按下表计分，边界按高分
        | 指标           | 下限 | 上限 | 得分 |
        | 上年度从业人员 |      |      | 5分  |
    场景: 乙
      那么 得分为“5分”
"""


def compiled(
    tmp_path: Path, sentence: str, *rows: str, prose: str = "", tags: str = ""
) -> Rulebook:
    table = "\n".join(f"        | {row} |" for row in rows)
    text = TEXT.format(sentence=sentence, table=table, prose=prose, tags=tags)
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    return compile_all(tmp_path, base=FEATURES)


def body(tmp_path: Path, sentence: str, *rows: str, prose: str = "", tags: str = "") -> Body:
    rulebook = compiled(tmp_path, sentence, COLUMNS[sentence], *rows, prose=prose, tags=tags)
    assert rulebook.problems == ()
    return rulebook.rules["r"].body


def line(name: str, op: Op, value: Fraction | tuple[str, ...], text: str) -> Line:
    return Line(subject="indicator", name=name, op=op, value=value, text=text)


def test_cases(tmp_path: Path) -> None:
    found = body(
        tmp_path,
        CASES,
        "一 | 上年度研发费用总额 | 不低于 | 100万元",
        "一 | 上年度研发费用占比 | 高于 | 3%",
        "二 | 列入经营异常名录 | 为 | 否",
        "二 | 境内工商注册登记 | 为 | 是",
        "三 | 进入细分市场日期 | 不晚于 | 填报日",
        "四 | 分 | 不低于 | 5分",
        prose="：100万元、3%、5分",
    )
    assert found == Cases(
        (
            Case(
                "一",
                (
                    line("上年度研发费用总额", ">=", Fraction(1_000_000), "不低于100万元"),
                    line("上年度研发费用占比", ">", Fraction(3, 100), "高于3%"),
                ),
            ),
            Case(
                "二",
                (
                    line("列入经营异常名录", "<", Fraction(1), "为 否"),
                    line("境内工商注册登记", ">=", Fraction(1), "为 是"),
                ),
            ),
            Case("三", (line("进入细分市场日期", "<=", Fraction(0), "不晚于 填报日"),)),
            Case(
                "四",
                (Line(subject="points", name="分", op=">=", value=Fraction(5), text="不低于5分"),),
            ),
        )
    )


@pytest.mark.parametrize(
    ("requirement", "text", "codes"),
    [
        ("为", "省级", ("省级",)),
        ("属于", "国家级、省级", ("国家级", "省级")),
        ("不为", "市级", ("国家级", "省级", "市级以下")),
    ],
)
def test_codes(tmp_path: Path, requirement: str, text: str, codes: tuple[str, ...]) -> None:
    row = f"一 | 机构级别 | {requirement} | {text}"
    assert body(tmp_path, CASES, row, tags="@对象:研发机构") == Cases(
        (Case("一", (line("机构级别", "in", codes, f"{requirement} {text}"),)),)
    )


def test_a_code_may_contain_the_sign_that_separates_codes(tmp_path: Path) -> None:
    row = "一 | 申报划型行业 | 属于 | 农、林、牧、渔业"
    assert body(tmp_path, CASES, row) == Cases(
        (Case("一", (line("申报划型行业", "in", ("农、林、牧、渔业",), "属于 农、林、牧、渔业"),)),)
    )


@pytest.mark.parametrize("descending", [False, True])
def test_bands(tmp_path: Path, descending: bool) -> None:
    rows = [
        "上年度末资产负债率 | | 50% | 10分",
        "上年度末资产负债率 | 50% | 60% | 5分",
        "上年度末资产负债率 | 60% | | 0分",
    ]
    rows = list(reversed(rows)) if descending else rows
    rows.append("列入经营异常名录 | | | 1分")
    half, more = Fraction(1, 2), Fraction(3, 5)
    assert body(tmp_path, BANDS, *rows, prose="：50%、60%") == Bands(
        (
            (
                "上年度末资产负债率",
                (
                    Band(None, half, Fraction(10)),
                    Band(half, more, Fraction(5)),
                    Band(more, None, Fraction(0)),
                ),
            ),
            ("列入经营异常名录", (Band(None, None, Fraction(1)),)),
        )
    )


def test_ladder(tmp_path: Path) -> None:
    found = body(
        tmp_path,
        LADDER,
        "10分 | 甲 | 数字化水平等级 | 不低于 | 3级",
        "10分 | 甲 | 自主品牌 | 为 | 是",
        "10分 | 乙 | 参与制修订标准 | 为 | 是",
        "4 | | 数字化水平等级 | 不低于 | 2级",
        "0分 | 其余 | | |",
        prose="：3级、2级",
    )
    assert found == Ladder(
        (
            Case(
                "10分·甲",
                (
                    line("数字化水平等级", ">=", Fraction(3), "不低于3级"),
                    line("自主品牌", ">=", Fraction(1), "为 是"),
                ),
                Fraction(10),
            ),
            Case("10分·乙", (line("参与制修订标准", ">=", Fraction(1), "为 是"),), Fraction(10)),
            Case("4", (line("数字化水平等级", ">=", Fraction(2), "不低于2级"),), Fraction(4)),
        ),
        Fraction(0),
    )


def test_total(tmp_path: Path) -> None:
    found = body(tmp_path, TOTAL, "甲 | 分 | 5分")
    assert found == Total((Item("甲", "分", Fraction(5)),))


@pytest.mark.parametrize(
    ("requirement", "op"), [("不早于", ">="), ("不晚于", "<="), ("早于", "<"), ("晚于", ">")]
)
@pytest.mark.parametrize("day", ["2020年1月1日", "2020-01-01", "2020年01月01日"])
def test_a_fixed_day(tmp_path: Path, requirement: str, op: Op, day: str) -> None:
    row = f"一 | 进入细分市场日期 | {requirement} | {day}"
    found = compiled(tmp_path, CASES, COLUMNS[CASES], row, prose="：2020年1月1日")
    assert found.problems == ()
    name = "进入细分市场日期距2020年1月1日"
    compared = line(name, op, Fraction(0), f"{requirement} {day}")
    assert found.rules["r"].body == Cases((Case("一", (compared,)),))
    indicator = found.ruleset("r").indicators[name]
    assert indicator.expr == ("days", ("day", "2020-01-01"), ("fact", "segment_entry"))
    assert (indicator.kind, indicator.shown) == ("date", "进入细分市场日期")
    assert indicator.day == date(2020, 1, 1)


def test_a_fixed_day_of_a_record(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        CASES,
        COLUMNS[CASES],
        "一 | 授权日期 | 早于 | 2020年1月1日",
        "一 | 授权日期 | 不晚于 | 填报日",
        prose="：2020年1月1日",
        tags="@对象:知识产权",
    )
    assert found.problems == ()
    ruleset = found.ruleset("r")
    days = {k: i.expr for k, i in ruleset.indicators.items()}
    assert days == {
        "ip.授权日期": ("days", ("as_of",), ("field", "grant_date")),
        "ip.授权日期距2020年1月1日": ("days", ("day", "2020-01-01"), ("field", "grant_date")),
    }


@pytest.mark.parametrize(
    ("prose", "day", "problems"),
    [
        ("：2020年1月1日前", "2020年1月2日", ["5: 条文写有2020年1月1日，定义表中没有：请使条文与定义表的日期一致", "8: 定义表写有2020年1月2日，条文「标题：2020年1月1日前」中没有：请使条文与定义表的日期一致"]),
        ("", "2020年1月1日", ["8: 定义表写有2020年1月1日，条文「标题」中没有：请使条文与定义表的日期一致"]),
        ("：２０２０年１月１日前，满5年", "2020-01-01", ["5: 条文写有5年，定义表中没有：请使条文与定义表的数字一致"]),
    ],
)  # fmt: skip
def test_a_day_of_the_clause_and_of_the_table_are_one(
    tmp_path: Path, prose: str, day: str, problems: list[str]
) -> None:
    row = f"一 | 进入细分市场日期 | 早于 | {day}"
    found = compiled(tmp_path, CASES, COLUMNS[CASES], row, prose=prose).problems
    assert [str(p) for p in found] == [f"a.feature:{p}" for p in problems]


def test_a_rule_that_must_not_be_met(tmp_path: Path) -> None:
    other = """\

  @id:甲
  规则: 另一条
    依据: 第一条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标     | 要求 | 门槛 |
        | 一   | 自主品牌 | 为   | 是   |
    场景: 丙
      那么 结论为“材料不足”
"""
    rows = "\n".join(f"        | {row} |" for row in (COLUMNS[CASES], "一 | 甲 | 为 | 不符合"))
    text = TEXT.format(sentence=CASES, table=rows, prose="", tags="") + other
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    found = compile_all(tmp_path, base=FEATURES)
    assert found.problems == ()
    line = Line(subject="unmet", name="甲", text="为 不符合")
    assert found.rules["r"].body == Cases((Case("一", (line,)),))
    assert [r.id for r in found.ruleset("r").rules] == ["甲", "r"]


def test_a_total_with_a_cap(tmp_path: Path) -> None:
    found = compiled(tmp_path, TOTAL, COLUMNS[TOTAL], "甲 | 分 | 5分", " | 最高 | 2.5分")
    assert found.problems == ()
    assert found.rules["r"].body == Total((Item("甲", "分", Fraction(5)),), Fraction(5, 2))
    assert found.rules["r"].possible == Fraction(5, 2)


def test_attested_points(tmp_path: Path) -> None:
    found = body(tmp_path, SLOT, "特色 | 得分 | 地方特色指标得分 | 0分至15分")
    assert found == Attested("地方特色指标得分", Fraction(0), Fraction(15))


def test_a_slot_for_a_threshold(tmp_path: Path) -> None:
    text = TEXT.format(
        sentence=SLOT,
        table=f"        | {COLUMNS[SLOT]} |\n        | 线 | 门槛 | 60分 | 不低于55分 |",
        prose="：60分，不低于55分",
        tags="",
    )
    user = text[text.index("  @id:r") : text.index("  @id:分")]
    user = user.replace("@id:r", "@id:s").replace("标题：60分，不低于55分", "另一条：60分")
    user = user.replace(SLOT, CASES).replace(COLUMNS[SLOT], COLUMNS[CASES]).replace("甲", "丙")
    user = user.replace("线 | 门槛 | 60分 | 不低于55分", "一 | 分 | 不低于 | 线")
    (tmp_path / "a.feature").write_text(text + user, encoding="utf-8")
    rulebook = compile_all(tmp_path, base=FEATURES)
    assert rulebook.problems == ()
    sixty, least = Quantity(Fraction(60), "分"), Quantity(Fraction(55), "分")
    assert rulebook.thresholds == {"r": Threshold("线", sixty, "60分", least)}
    assert rulebook.rules["s"].body == Cases(
        (
            Case(
                "一",
                (
                    Line(
                        subject="points",
                        name="分",
                        op=">=",
                        value=Fraction(60),
                        text="不低于线（60分）",
                    ),
                ),
            ),
        )
    )
    assert "r" not in rulebook.rules


FEES = "一 | 上年度研发费用总额 | 不低于 | 100万元"
SHARE = "全国细分市场占有率"


@pytest.mark.parametrize(
    ("sentence", "rows", "problem"),
    [
        # the table as a whole
        ("满足即可", ["一"], "8: 定义句「满足即可」不认识：可用的有「满足下列任一情形即为符合」、「按下表计分，边界按高分」、「按所满足的最高情形计分」、「得分为下列各项之和」、「由省级主管部门设定」、「省级主管部门设定如下」、「按下表适用」、「按下表办理」、「办理程序按下表适用」、「按下表计时」、「计时按下表适用」、「填报项如下」、「指标按下式计算」、「参数如下」、「层级如下」"),
        (CASES, ["情形 | 指标 | 门槛", "一 | 二 | 三"], "9: 表头应为：情形 | 指标 | 要求 | 门槛"),
        (APPLICABILITY, ["层级 | 程序", "一 | 二"], "9: 表头应为：层级 | 程序 | 省份 | 批次 | 自 | 至 | 规则集 | 依据"),
        (CASES, [COLUMNS[CASES]], "9: 定义表没有数据行：请补写"),
        # rows of a case
        (CASES, [FEES, FEES], "11: 与第10行相同：请删去一行"),
        (CASES, [FEES, FEES.replace("一", "二", 1)], "11: 情形「二」与「一」相同，不起作用：请删去一个"),
        (CASES, [FEES, "二 | 自主品牌 | 为 | 是", "一 | 参与制修订标准 | 为 | 是"], "12: 「一」的各行应相邻：请调整次序"),
        (CASES, [" | 自主品牌 | 为 | 是"], "10: 首列不能为空：请每行都写"),
        (CASES, ["一/二 | 自主品牌 | 为 | 是"], "10: 「一/二」中有「/」：请改用其他字"),
        # comparisons
        (CASES, ["一 | 研发费 | 不低于 | 1元"], "10: 没有名为「研发费」的指标、填报项或规则（相近的有「上年度研发费用占比」、「近2年研发费用合计」、「上年度研发费用总额」）：请查对规则目录与填报项目录（年度数据前加 上年度、上上年度、再上年度 或 前四年度）"),
        (CASES, ["一 | 研发费用总额 | 不低于 | 1元"], "10: 没有名为「研发费用总额」的指标、填报项或规则（相近的有「上年度研发费用总额」、「上上年度研发费用总额」、「再上年度研发费用总额」）：请查对规则目录与填报项目录（年度数据前加 上年度、上上年度、再上年度 或 前四年度）"),
        (CASES, [FEES.replace("不低于", "大于")], "10: 要求「大于」不适用于数量：应为不低于、高于、低于、不高于"),
        (CASES, [FEES.replace("100万元", "100万")], "10: 「100万」不是可识别的数量：请写成数字加单位，例如 100万元、3%、2年、20分"),
        (CASES, [FEES.replace("100万元", "100人")], "10: 门槛「100人」的单位与指标不符：应以万元这类单位表示"),
        (CASES, ["一 | 分 | 不低于 | 5项"], "10: 门槛「5项」的单位与指标不符：应以分这类单位表示"),
        (CASES, ["一 | 进入细分市场日期 | 为 | 2020年1月1日"], "10: 「进入细分市场日期」是日期：要求应为不早于、不晚于、早于、晚于，门槛应为 填报日 或一个日期，例如 2020年1月1日"),
        (CASES, ["一 | 自主品牌 | 不低于 | 1项"], "10: 「自主品牌」是是否项：应写「为 是」或「为 否」"),
        (CASES, ["一 | 自主品牌 | 为 | 有"], "10: 「自主品牌」是是否项：应写「为 是」或「为 否」"),
        (CASES, ["一 | 申报划型行业 | 不低于 | 工业"], "10: 要求「不低于」不适用于类别：应为为、不为、属于"),
        (CASES, ["一 | 申报划型行业 | 属于 | 工业、农业"], "10: 「农业」不是申报划型行业的可选值（相近的有「工业」）：农、林、牧、渔业、工业、建筑业、批发业、零售业、交通运输业、仓储业、邮政业、住宿业、餐饮业、信息传输业、软件和信息技术服务业、房地产开发经营、物业管理、租赁和商务服务业、其他未列明行业"),
        (CASES, ["一 | 申报划型行业 | 属于 | 工业、工业"], "10: 「工业」重复列出：请删去一个"),
        (CASES, ["一 | r | 为 | 否"], "10: 规则「r」只能写「为 符合」或「为 不符合」：请改正"),
        (CASES, ["一 | r | 不为 | 符合"], "10: 规则「r」只能写「为 符合」或「为 不符合」：请改正"),
        (CASES, ["一 | 行业代码 | 为 | C3411"], "10: 「行业代码」是文字，不能比较：请另选指标"),
        # bands
        (BANDS, [f"{SHARE} | 10% | | 5分", f"{SHARE} | 5% | 10% | 0分"], "10: 分档应覆盖全部数值：最低一档下限留空，最高一档上限留空，各档按序排列"),
        (BANDS, [f"{SHARE} | | 5% | 0分", f"{SHARE} | 6% | | 5分"], "11: 相邻两档应共用同一界限：请使上一档的端点等于下一档的端点"),
        (BANDS, [f"{SHARE} | | 5% | 0分", f"{SHARE} | 5% | 5% | 3分", f"{SHARE} | 5% | | 5分"], "11: 下限应小于上限：请改正"),
        (BANDS, [f"{SHARE} | | 5% | 0分", f"{SHARE} | 5人 | | 5分"], "11: 「5人」的单位与指标「全国细分市场占有率」不符：应以%这类单位表示"),
        (BANDS, [f"{SHARE} | | | 五"], "10: 「五分」不是可识别的数量：请写成数字加单位，例如 100万元、3%、2年、20分"),
        (BANDS, ["申报划型行业 | | | 5分"], "10: 「申报划型行业」不是数量指标，不能分档计分"),
        (BANDS, ["分 | | | 5分"], "10: 「分」不是数量指标，不能分档计分"),
        # ladders
        (LADDER, ["5分 | 甲 | 自主品牌 | 为 | 是"], "10: 最后一行应为「其余」并只写得分：请补写"),
        (LADDER, ["5分 | 甲 | 自主品牌 | 为 | 是", "0分 | 其余 | 自主品牌 | 为 | 否"], "11: 最后一行应为「其余」并只写得分：请补写"),
        (LADDER, ["0分 | 其余 | | |"], "10: 「其余」之上没有任何情形：请补写"),
        (LADDER, ["3分 | 甲 | 自主品牌 | 为 | 是", "5分 | 乙 | 参与制修订标准 | 为 | 是", "0分 | 其余 | | |"], "11: 得分应从高到低排列：请调整各行次序"),
        (LADDER, ["3分 | 甲 | 自主品牌 | 为 | 是", "5分 | 其余 | | |"], "11: 「其余」的得分不应高于以上各行：请改正"),
        (LADDER, ["3分 | 甲 | 自主品牌 | 为 | 是", "2分 | 乙 | 自主品牌 | 为 | 是", "0分 | 其余 | | |"], "11: 情形「2分·乙」与「3分·甲」相同，不起作用：请删去一个"),
        # totals
        (TOTAL, ["甲 | 上年度从业人员 | 5分"], "10: 「上年度从业人员」不是计分规则，不能相加：请写计分规则的编号"),
        (TOTAL, ["甲 | 分 | 5分", "乙 | 分 | 5分"], "10: 「分」重复相加：请删去一行"),
        (TOTAL, ["甲/乙 | 分 | 5分"], "10: 「甲/乙」中有「/」：请改用其他字"),
        (TOTAL, ["甲 | 分 | 6分"], "10: 「分」的最高得分是5分，与满分6分不符：请改正"),
        (TOTAL, [" | 最高 | 3分", "甲 | 分 | 5分"], "10: 「最高」应是最后一行：请移到表末"),
        (TOTAL, ["甲 | 分 | 5分", "甲 | 最高 | 3分"], "11: 「最高」一行只限合计，不限一组：请使组一列留空"),
        (TOTAL, ["甲 | 分 | 5分", " | 最高 | 5分"], "11: 「最高」为5分，应大于零并小于各项满分之和5分：请改正，或删去此行"),
        (TOTAL, ["甲 | 分 | 5分", " | 最高 | 0分"], "11: 「最高」为0分，应大于零并小于各项满分之和5分：请改正，或删去此行"),
        # slots
        (SLOT, ["线 | 门槛 | 60分 | 不低于60分", "特色 | 得分 | 地方特色指标得分 | 0分至15分"], "11: 一条规则只设定一个项目：请把其余项目写成另一条规则"),
        (SLOT, ["线 | 门槛 | 60分 | 60分以上"], "10: 门槛的允许范围应写成「不低于60分」这样的形式"),
        (SLOT, ["线 | 门槛 | 50分 | 不低于60分"], "10: 默认值50分不在允许范围「不低于60分」之内：请改正"),
        (SLOT, ["线 | 门槛 | 60% | 不低于60分"], "10: 默认值60%不在允许范围「不低于60分」之内：请改正"),
        (SLOT, ["特色 | 得分 | 地方特色指标得分 | 15分"], "10: 得分项的默认应为以分计的填报项，允许范围应写成「0分至15分」这样的形式"),
        (SLOT, ["特色 | 得分 | 上年度从业人员 | 0分至15分"], "10: 得分项的默认应为以分计的填报项，允许范围应写成「0分至15分」这样的形式"),
        (SLOT, ["特色 | 加分 | 地方特色指标得分 | 0分至15分"], "10: 种类「加分」不认识：应为 门槛 或 得分"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, sentence: str, rows: list[str], problem: str) -> None:
    given = (
        rows if sentence not in COLUMNS or problem.startswith("9:") else [COLUMNS[sentence], *rows]
    )
    found = compiled(tmp_path, sentence, *given).problems
    assert [str(p) for p in found] == [f"a.feature:{problem}"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("一 | 编号 | 为 | 甲", "10: 「编号」是文字，不能比较：请另选指标"),
        ("一 | 上年度从业人员 | 不低于 | 5人", "10: 清单「知识产权」没有字段或指标「上年度从业人员」"),
        ("一 | 机构级别 | 为 | 省级", "10: 清单「知识产权」没有字段或指标「机构级别」"),
        ("一 | 分 | 不低于 | 5分", "8: 规则「分」不是逐条判断的规则，不能在此引用：请移到别的规则中"),
    ],
)  # fmt: skip
def test_refused_for_records(tmp_path: Path, row: str, problem: str) -> None:
    found = compiled(
        tmp_path,
        CASES,
        COLUMNS[CASES],
        row,
        prose="：5分" if "5分" in row else "",
        tags="@对象:知识产权",
    ).problems
    assert [str(p) for p in found] == [f"a.feature:{problem}"]
