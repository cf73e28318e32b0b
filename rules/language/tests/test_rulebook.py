"""Linking: what only the whole folder shows, and the rulesets that are cut from it."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rules.errors import RulesetError, SourceError
from rules.language.editions import ApplicabilityRow
from rules.language.rulebook import compile_all, load
from rules.model.ruleset import Assumed, Case, Cases, Indicator, Line, Note, Outcome, Position, Rule
from rules.tests.packaged import FEATURES

HEAD = "# language: zh-CN\n@tier:创新型中小企业 @source:乙文\n功能: 测试\n"
GOOD = """\
# language: zh-CN
@tier:创新型中小企业 @source:乙文
功能: 测试

  @id:根
  规则: 研发费用不低于100万元，属于中型，得分不低于认定分数线60分
    依据: 附件2第一条
    解读B: 按审计报告年末数
    续写条文。
    解读C：口径待定
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛       |
        | 一   | 上年度研发费用总额 | 不低于 | 100万元    |
        | 一   | 中型               | 为     | 符合       |
        | 一   | 创新得分           | 不低于 | 认定分数线 |
    场景: 根
      假如 其他规则的结论
        | 中型 | 符合 |
      那么 结论为“材料不足”

  @id:中型
  规则: 从业人员不低于300人
    依据: 第二条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标           | 要求   | 门槛  |
        | 一   | 上年度从业人员 | 不低于 | 300人 |
    场景: 中型
      那么 结论为“材料不足”

  @id:总分
  规则: 各项之和
    依据: 第三条
    背景:
      假如 得分为下列各项之和
        | 组   | 项   | 满分 |
        | 创新 | 机构 | 5分  |
    场景: 总分
      那么 得分为“0分至5分”

  @id:线
  规则: 认定分数线为60分
    依据: 第四条
    背景:
      假如 由省级主管部门设定
        | 项目       | 种类 | 默认 | 允许       |
        | 认定分数线 | 门槛 | 60分 | 不低于60分 |
    场景: 线
      那么 门槛为“60分”
"""
RECORDS = """\
# language: zh-CN
@source:乙文
功能: 逐条

  @id:机构
  规则: 省级研发机构至少1项
    依据: 第五条
    背景:
      假如 按下表计分，边界按高分
        | 指标           | 下限 | 上限 | 得分 |
        | 省级机构件数   |      | 1项  | 0分  |
        | 省级机构件数   | 1项  |      | 5分  |
    场景: 机构
      那么 得分为“0分至5分”

  @id:省级
  @对象:研发机构
  规则: 省级机构
    依据: 第六条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标     | 要求 | 门槛 |
        | 一   | 机构级别 | 为   | 省级 |
    场景: 省级
      假如 一条“研发机构”记录
        | 机构级别 | 省级 |
      那么 结论为“符合”
"""
APPLICABILITY = """\
# language: zh-CN
功能: 适用

  @id:适用
  规则: 适用表
    依据: 各文件
    背景:
      假如 按下表适用
        | 层级 | 程序 | 省份 | 批次 | 自           | 至            | 规则集           | 依据 |
        | 创新型中小企业 | 认定 | 其余 |      |              | 2026年3月31日 | 根               | 乙文 |
        | 创新型中小企业 | 认定 | 其余 |      | 2026年4月1日 |               | 新文（未编码） | 丙文 |
    场景: 适用
      假如 案件如下
        | 层级     | 创新型中小企业         |
        | 填报日期 | 2026年4月1日 |
      那么 适用“新文（未编码）”
"""


def written(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.feature").write_text(text, encoding="utf-8")
    return tmp_path


def test_good_files(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "gbt4754.csv").write_text("代码,行业\nC,工业\n", encoding="utf-8")
    rulebook = load(written(tmp_path, a=GOOD, b=RECORDS, c=APPLICABILITY), base=FEATURES)
    assert list(rulebook.rules) == ["根", "中型", "总分", "机构", "省级"]
    assert rulebook.rule("根") == Rule(
        id="根",
        title="研发费用不低于100万元，属于中型，得分不低于认定分数线60分",
        clause="续写条文。",
        citation="附件2第一条",
        notes=(Note("B", "按审计报告年末数"), Note("C", "口径待定")),
        body=Cases(
            (
                Case(
                    "一",
                    (
                        Line(subject="indicator", name="上年度研发费用总额", op=">=", value=Fraction(1_000_000), text="不低于100万元"),
                        Line(subject="rule", name="中型", text="为 符合"),
                        Line(subject="points", name="总分/创新", op=">=", value=Fraction(60), text="不低于认定分数线（60分）"),
                    ),
                ),
            )
        ),
    )  # fmt: skip
    assert rulebook.rule("根").position == Position("a.feature", 6)
    assert rulebook.rule("省级").records == "institutions"
    assert rulebook.indicators["省级机构件数"] == Indicator(
        name="省级机构件数", kind="number", unit="项", expr=("count", "institutions", "省级", None)
    )
    assert rulebook.maps == {"gbt4754": {"C": "工业"}}
    assert rulebook.applicability == (
        ApplicabilityRow(
            tier="创新型中小企业", procedure="认定", province="其余", batch="", start=None, end=date(2026, 3, 31), ruleset="根", basis="乙文", position=Position("c.feature", 10)
        ),
        ApplicabilityRow(
            tier="创新型中小企业", procedure="认定", province="其余", batch="", start=date(2026, 4, 1), end=None, ruleset="新文（未编码）", basis="丙文",
            position=Position("c.feature", 11),
        ),
    )  # fmt: skip


def test_a_ruleset_is_the_closure_of_its_root(tmp_path: Path) -> None:
    rulebook = load(written(tmp_path, a=GOOD, b=RECORDS), base=FEATURES)
    whole = rulebook.ruleset("根")
    assert [r.id for r in whole.rules] == ["省级", "中型", "机构", "总分", "根"]
    assert (whole.root, whole.tier, whole.source) == ("根", "创新型中小企业", "乙文")
    assert list(whole.indicators) == [
        "institutions.机构级别", "上年度从业人员", "上年度研发费用总额", "省级机构件数"
    ]  # fmt: skip
    assert list(whole.facts) == ["rd_expense", "staff"]
    assert list(whole.fields) == ["institutions.level"]
    assert rulebook.ruleset("根") is whole
    assert [r.id for r in rulebook.ruleset("中型").rules] == ["中型"]


def test_an_assumed_rule_is_cut_off(tmp_path: Path) -> None:
    rulebook = load(written(tmp_path, a=GOOD, b=RECORDS), base=FEATURES)
    ruleset = rulebook.ruleset("根", {"中型": Outcome.MET, "根": Outcome.MET})
    assert ruleset.rule("中型").body == Assumed(Outcome.MET)
    assert isinstance(ruleset.rule("根").body, Cases)
    assert "上年度从业人员" not in ruleset.indicators


def test_an_altered_rulebook_cuts_its_own_rulesets(tmp_path: Path) -> None:
    rulebook = load(written(tmp_path, a=GOOD, b=RECORDS), base=FEATURES)
    before = rulebook.ruleset("中型")
    altered = replace(rulebook.rule("中型"), title="另一条")
    other = replace(rulebook, rules={**rulebook.rules, "中型": altered})
    assert other.ruleset("中型").title == "另一条"
    assert rulebook.ruleset("中型") is before


def test_unknown_rule(tmp_path: Path) -> None:
    rulebook = load(written(tmp_path, a=GOOD, b=RECORDS), base=FEATURES)
    with pytest.raises(RulesetError) as caught:
        rulebook.rule("中")
    assert str(caught.value) == "没有编号为「中」的规则：相近的有中型"
    with pytest.raises(RulesetError) as caught:
        rulebook.ruleset("大型")
    assert str(caught.value) == "没有编号为「大型」的规则（相近的有「中型」）"


LINE = "        | 一   | 中型               | 为     | 符合       |\n"


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        # ids and names
        ("@id:中型", "@id:机构", ["a.feature:15: 没有名为「中型」的指标、填报项或规则：请查对规则目录与填报项目录（年度数据前加 上年度、上上年度、再上年度 或 前四年度）", "a.feature:38: 「机构」不是计分规则，不能相加：请写计分规则的编号", "b.feature:6: 编号「机构」与 a.feature:23 重复：请改编号"]),
        ("  @id:省级\n", "  @id:又一\n  @对象:研发机构\n  规则: 省级机构\n    依据: 一\n    背景:\n      假如 满足下列任一情形即为符合\n        | 情形 | 指标 | 要求 | 门槛 |\n        | 一 | 机构级别 | 为 | 国家级 |\n    场景: 又一\n      那么 结论为“符合”\n  @id:省级\n", ["b.feature:28: 「省级机构件数」已另有所指：请改规则的标题"]),
        ("@对象:研发机构", "@对象:机构", ["b.feature:11: 没有名为「省级机构件数」的指标、填报项或规则（相近的有「机构」）：请查对规则目录与填报项目录（年度数据前加 上年度、上上年度、再上年度 或 前四年度）", "b.feature:18: 没有名为「机构」的清单：可用的有知识产权、股权融资、科技奖励、荣誉称号、研发机构、创客中国、品牌、梯度称号"]),
        # prose
        ("    依据: 第二条\n", "", ["a.feature:23: 规则应恰有一行依据：请在标题下写「依据: 附件几第几条」"]),
        ("    依据: 第二条\n", "    依据:\n", ["a.feature:23: 规则应恰有一行依据：请在标题下写「依据: 附件几第几条」"]),
        ("    依据: 第二条\n", "    依据: 第二条\n    依据: 第三条\n", ["a.feature:23: 规则应恰有一行依据：请在标题下写「依据: 附件几第几条」"]),
        ("解读B:", "解读D:", ["a.feature:6: 「解读D: 按审计报告年末数」不能识别：请写「解读B: …」或「解读C: …」"]),
        ("解读B: 按审计报告年末数", "解读B:", ["a.feature:6: 「解读B:」不能识别：请写「解读B: …」或「解读C: …」"]),
        # clause against table
        ("规则: 从业人员不低于300人", "规则: 从业人员不低于三百零一人", ["a.feature:23: 条文写有301人，定义表中没有：请使条文与定义表的数字一致", "a.feature:26: 定义表写有300人，条文「从业人员不低于三百零一人」中没有：请使条文与定义表的数字一致"]),
        ("研发费用不低于100万元，", "研发费用不低于100万元且占3%，", ["a.feature:6: 条文写有3%，定义表中没有：请使条文与定义表的数字一致"]),
        ("规则: 省级研发机构至少1项", "规则: 省级研发机构至少2项", ["b.feature:6: 条文写有2项，定义表中没有：请使条文与定义表的数字一致", "b.feature:9: 定义表写有1项，条文「省级研发机构至少2项」中没有：请使条文与定义表的数字一致"]),
        ("规则: 认定分数线为60分", "规则: 认定分数线为70分", ["a.feature:43: 条文写有70分，定义表中没有：请使条文与定义表的数字一致", "a.feature:46: 定义表写有60分，条文「认定分数线为70分」中没有：请使条文与定义表的数字一致"]),
        ("续写条文。", "研发费用为1亿元。", ["a.feature:6: 条文写有10000万元，定义表中没有：请使条文与定义表的数字一致"]),
        # references
        (LINE, LINE.replace("中型", "根  "), ["a.feature:6: 规则循环引用：根 → 根，请断开其中一处"]),
        ("| 一   | 上年度从业人员 | 不低于 | 300人 |", "| 一   | 上年度从业人员 | 不低于 | 300人 |\n        | 一   | 根 | 为 | 符合 |", ["a.feature:6: 规则循环引用：根 → 中型 → 根，请断开其中一处"]),
        (LINE, LINE.replace("中型", "省级"), ["a.feature:12: 规则「省级」的对象不同，不能直接引用：请用「省级机构件数」"]),
        (LINE, LINE.replace("中型", "线  ").replace("为  ", "不低于").replace("符合", "60分"), ["a.feature:15: 「线」既没有结论也没有得分，不能作指标：请另选规则"]),
        (LINE, "        | 一   | Ⅱ类知识产权数     | 高于   | 0项        |\n", ["a.feature:15: 指标「Ⅱ类知识产权数」不能计算：算式第4字处：没有名为「63.4.Ⅱ类」的规则：请补写这条规则，或改正编号"]),
        ("| 创新 | 机构 | 5分  |", "| 创新 | 机构 | 6分  |", ["a.feature:38: 「机构」的最高得分是5分，与满分6分不符：请改正"]),
        # slots
        ("不低于 | 认定分数线 |", "不低于 | 60分       |", ["a.feature:46: 门槛「认定分数线」没有任何规则使用：请在门槛列写「认定分数线」，或删去此规则"]),
        # applicability
        ("2026年4月1日 |               | 新文", "四月一日     |               | 新文", ["c.feature:11: 自、至应为日期，例如 2026年4月1日，或留空"]),
        ("2026年4月1日 |               | 新文", "2026年3月31日 |               | 新文", ["c.feature:11: 与 c.feature:10 同时适用于同一批案件：请使日期不重叠"]),
        ("|              | 2026年3月31日 |", "| 2026年4月1日 | 2026年3月31日 |", ["c.feature:10: 自2026年4月1日晚于至2026年3月31日：请改正"]),
        ("| 根               |", "| 跟               |", ["c.feature:10: 规则集「跟」不存在：请写根规则编号，或注明（未编码）"]),
        ("| 其余 |      |              |", "|      |      |              |", ["c.feature:10: 层级、程序、省份、规则集、依据不能为空：请补写"]),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, old: str, new: str, problems: list[str]) -> None:
    texts = (GOOD, RECORDS, APPLICABILITY)
    assert sum(old in t for t in texts) == 1
    a, b, c = (t.replace(old, new, 1) for t in texts)
    found = compile_all(written(tmp_path, a=a, b=b, c=c), base=FEATURES).problems
    assert [str(p) for p in found] == problems


def test_two_slots_of_one_name(tmp_path: Path) -> None:
    slot = (
        GOOD[GOOD.index("  @id:线") :].replace("@id:线", "@id:线2").replace("场景: 线", "场景: 二")
    )
    found = compile_all(written(tmp_path, a=GOOD + slot, b=RECORDS), base=FEATURES).problems
    assert [str(p) for p in found] == ["a.feature:52: 门槛「认定分数线」已另有设定：请改名或删去"]


def test_a_group_of_two_totals(tmp_path: Path) -> None:
    total = GOOD[GOOD.index("  @id:总分") : GOOD.index("  @id:线")].replace("总分", "总分2")
    elsewhere = written(tmp_path, a=GOOD, b=RECORDS, d=HEAD + total)
    assert load(elsewhere, base=FEATURES).ruleset("根").rule("总分")
    found = compile_all(written(tmp_path, a=GOOD + total, b=RECORDS), base=FEATURES).problems
    assert "有几个总分都有「创新得分」，无法确定是哪一个：请给组另取名称" in [
        p.message for p in found
    ]


def test_maps_are_checked(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    text = "代码,行业\nC,工业\nC,建筑业\nD\n,零售业\n"
    (tmp_path / "maps" / "m.csv").write_text(text, encoding="utf-8")
    found = compile_all(written(tmp_path, a=GOOD, b=RECORDS), base=FEATURES).problems
    amiss = "此行缺列、代码为空或代码重复：请改正"
    assert [str(p) for p in found] == [f"maps/m.csv:{n}: {amiss}" for n in (3, 4, 5)]


@pytest.mark.parametrize(("text", "encoding"), [("C,工业", "gb18030"), ('"C,工业', "utf-8")])
def test_a_map_that_cannot_be_read_is_named(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "m.csv").write_text(f"代码,行业\n{text}\n", encoding)
    found = compile_all(written(tmp_path, a=GOOD, b=RECORDS), base=FEATURES).problems
    amiss = "不是 UTF-8 的 CSV 表，或引号没有成对：请改正"
    assert [str(p) for p in found] == [f"maps/m.csv:1: {amiss}"]


def test_a_map_that_an_indicator_needs_and_nobody_wrote_is_told(tmp_path: Path) -> None:
    told = GOOD.replace("规则: 从业人员不低于300人", "规则: 属于工业").replace(
        "| 一   | 上年度从业人员 | 不低于 | 300人 |", "| 一   | 划型行业 | 为 | 工业 |"
    )
    folder = written(tmp_path, a=told, b=RECORDS)
    assert compile_all(folder, base=FEATURES).problems == ()  # by the map beside the declarations
    (tmp_path / "maps").mkdir()
    found = compile_all(folder, base=FEATURES).problems
    said = "指标「划型行业」不能计算：算式第16字处：没有名为「gbt4754」的对照表"
    assert str(found[0]).startswith(f"a.feature:28: {said}")


def test_load_raises_everything_amiss(tmp_path: Path) -> None:
    bad = GOOD.replace("    依据: 第二条\n", "").replace("依据: 第三条", "备注: 第三条")
    with pytest.raises(SourceError) as caught:
        load(written(tmp_path, a=bad, b=RECORDS), base=FEATURES)
    message = "规则应恰有一行依据：请在标题下写「依据: 附件几第几条」"
    assert str(caught.value) == f"a.feature:23: {message}\na.feature:32: {message}"
