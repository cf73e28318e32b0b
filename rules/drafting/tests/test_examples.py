"""Examples: every step sentence, what it files or expects, every refusal, and the linter."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rules.decider import by_reference
from rules.drafting.check import check, check_examples
from rules.drafting.examples import examples, read_indicator, run
from rules.drafting.steps import Expectation, Given, take
from rules.errors import RulesError
from rules.language.rulebook import load
from rules.language.source import GherkinStep, Row
from rules.model.facts import RecordList
from rules.model.ruleset import Gap, Outcome, Points
from rules.tests.packaged import FEATURES, catalogue


def step(text: str, *rows: tuple[str, ...]) -> GherkinStep:
    return GherkinStep(text, 1, tuple(Row(2 + n, cells) for n, cells in enumerate(rows)))


def given(*steps: GherkinStep) -> Given:
    found = Given(rule="一", catalogue=catalogue())
    for each in steps:
        assert take(found, each) is None
    return found


# steps that file


def test_filed_facts() -> None:
    found = given(
        step(
            "企业填报",
            ("上年度研发费用总额", "99.9999万元"),
            ("上上年度研发费用总额", "0.5元"),
            ("再上年度从业人员", "12人"),
            ("上年度净利润总额", "-1.5万元"),
            ("全国细分市场占有率", "12.5%"),
            ("自主品牌", "是"),
            ("参与制修订标准", "否"),
            ("申报划型行业", "农、林、牧、渔业"),
            ("进入细分市场日期", "2020年2月29日"),
            ("行业代码", "C3411"),
            ("再上年度营业收入总额", ""),
        )
    )
    profile = found.profile()
    assert profile.as_of == date(2023, 6, 30)
    assert profile.values == {
        "rd_expense@2022": "999999",
        "rd_expense@2021": "0.5",
        "staff@2020": "12",
        "net_profit@2022": "-15000",
        "market_share": "0.125",
        "own_brand": True,
        "standards": False,
        "sector": "农、林、牧、渔业",
        "segment_entry": "2020-02-29",
        "industry_code": "C3411",
    }


def test_the_years_follow_the_filing_date() -> None:
    facts = step("企业填报", ("上年度从业人员", "1人"))
    for steps in ((step("填报日期为2026年4月1日"), facts), (facts, step("填报日期为2026-04-01"))):
        profile = given(*steps).profile()
        assert (profile.as_of, profile.values) == (date(2026, 4, 1), {"staff@2025": "1"})


def test_records() -> None:
    rows = [("类别", "有效"), ("发明专利", "是"), ("商标", "")]
    items: tuple[dict[str, str | bool], ...] = (
        {"kind": "发明专利", "in_force": True},
        {"kind": "商标"},
    )
    assert given(step("已报全的“知识产权”清单", *rows)).records == {"ip": RecordList(items, True)}
    assert given(step("未报全的“知识产权”清单", *rows)).records == {"ip": RecordList(items, False)}
    empty = step("已报全的“知识产权”清单", rows[0])
    assert given(empty).records == {"ip": RecordList((), True)}


def test_one_record() -> None:
    one = step(
        "一条“科技奖励”记录", ("奖励级别", "国家级"), ("获奖单位排名", ""), ("奖励名称", "甲")
    )
    assert given(one).records == {"awards": RecordList(({"level": "国家级", "name": "甲"},), True)}


def test_results_taken_as_given() -> None:
    found = given(
        step(
            "其他规则的结论",
            ("甲", "符合"),
            ("乙", "材料不足"),
            ("丙", "20分"),
            ("丁", "6分至10分"),
        )
    )
    assert found.assume == {
        "甲": Outcome.MET,
        "乙": Outcome.MISSING,
        "丙": Points(Fraction(20), Fraction(20)),
        "丁": Points(Fraction(6), Fraction(10), Gap.MISSING),
    }


def test_a_case() -> None:
    found = given(step("案件如下", ("层级", "专精特新中小企业"), ("省份", "")))
    assert found.case == {"层级": "专精特新中小企业", "省份": ""}


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("结论为“符合”", Expectation("结论", "", "符合")),
        ("得分为“6分至10分”", Expectation("得分", "", "6分至10分")),
        ("“创新能力”得分为“20分”", Expectation("组得分", "创新能力", "20分")),
        ("指标“上年度研发费用占比”为“3%”", Expectation("指标", "上年度研发费用占比", "3%")),
        ("门槛为“60分”", Expectation("门槛", "", "60分")),
        ("适用“新文（未编码）”", Expectation("适用", "", "新文（未编码）")),
        ("没有适用的规则集", Expectation("适用", "", "没有适用的规则集")),
    ],
)
def test_what_is_expected(text: str, expectation: Expectation) -> None:
    assert take(Given(rule="一", catalogue=catalogue()), step(text)) == expectation


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (step("结论是符合"), "步骤「结论是符合」不认识（相近的有「结论为“符合”」）：请用 docs/language.md 所列的句式"),
        (step("企业填报"), "「企业填报」没有表：请逐行写名称和值"),
        (step("企业填报", ("自主品牌", "是", "否")), "「企业填报」的表应为两列：名称和值"),
        (step("企业填报", ("自主品牌", "是"), ("自主品牌", "否")), "「自主品牌」写了两次：请删去一行"),
        (step("企业填报", ("品牌", "是")), "没有名为「品牌」的填报项（相近的有「自主品牌」）：请查对填报模板中的名称"),
        (step("企业填报", ("从业人员", "3人")), "「从业人员」是年度数据：请加上 上年度、上上年度、再上年度 或 前四年度"),
        (step("企业填报", ("自主品牌", "有")), "「自主品牌」应为 是 或 否，不是「有」"),
        (step("企业填报", ("上年度从业人员", "三人")), "「从业人员」的值「三人」无法读取：「三人」不是可识别的数量：请写成数字加单位，例如 100万元、3%、2年、20分"),
        (step("企业填报", ("上年度从业人员", "3万元")), "「从业人员」的值「3万元」无法读取：应以人计，例如 2人"),
        (step("企业填报", ("上年度研发费用总额", "3%")), "「研发费用总额」的值「3%」无法读取：应以万元计，例如 2万元"),
        (step("企业填报", ("上年度研发费用总额", "300人")), "「研发费用总额」的值「300人」无法读取：应以万元计，例如 2万元"),
        (step("企业填报", ("全国细分市场占有率", "3分")), "「全国细分市场占有率」的值「3分」无法读取：应以%计，例如 2%"),
        (step("企业填报", ("Ⅰ类知识产权总数", "-3项")), "「Ⅰ类知识产权总数」的值「-3项」不应小于0"),
        (step("企业填报", ("全国细分市场占有率", "101%")), "「全国细分市场占有率」的值「101%」不应超过100%"),
        (step("企业填报", ("进入细分市场日期", "2020年2月30日")), "「进入细分市场日期」的值「2020年2月30日」无法读取：请写成 2023-06-30 或 2023年6月30日"),
        (step("企业填报", ("进入细分市场日期", "2015/6/30")), "「进入细分市场日期」的值「2015/6/30」无法读取：请写成 2023-06-30 或 2023年6月30日"),
        (step("已报全的“专利”清单", ("类别",)), "没有名为「专利」的清单：可用的有知识产权、股权融资、科技奖励、荣誉称号、研发机构、创客中国、品牌、梯度称号"),
        (step("已报全的“知识产权”清单"), "清单“知识产权”没有表：请至少写表头"),
        (step("已报全的“知识产权”清单", ("类别", "类别"), ("商标", "商标")), "清单“知识产权”有两列「类别」：请删去一列"),
        (step("已报全的“知识产权”清单", ("种类",), ("商标",)), "清单“知识产权”没有字段「种类」（相近的有「类别」）"),
        (step("一条“知识产权”记录", ("类别", "专利")), "「类别」的值「专利」应为发明专利、国防专利、植物新品种、国家级农作物品种、国家新药、国家一级中药保护品种、集成电路布图设计专有权、软件著作权、实用新型专利、外观设计专利、商标之一"),
        (step("其他规则的结论", ("甲", "合格")), "「合格」不是得分：应写成 15分 或 6分至10分（相近的有「符合」）"),
        (step("其他规则的结论", ("甲", "")), "「」不是得分：应写成 15分 或 6分至10分"),
        (step("案件如下", ("省", "浙江")), "案件没有「省」这一项：可写的有层级、程序、省份、城市、批次、填报日期"),
    ],
)  # fmt: skip
def test_refused_steps(bad: GherkinStep, message: str) -> None:
    with pytest.raises((RulesError, ValueError)) as caught:
        take(Given(rule="一", catalogue=catalogue()), bad)
    assert str(caught.value) == message


# whole files

FEATURE = """\
# language: zh-CN
@tier:专精特新中小企业 @source:乙文
功能: 测试

  @id:占比
  规则: 研发费用占比不低于3%
    依据: 第一条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛 |
        | 一   | 上年度研发费用占比 | 不低于 | 3%   |
    场景大纲: 占比边界
      假如 企业填报
        | 上年度研发费用总额 | <研发> |
        | 上年度营业收入总额 | <营收> |
      那么 结论为“<结论>”
      而且 指标“上年度研发费用占比”为“<占比>”
      例子:
        | 研发      | 营收     | 结论       | 占比       |
        | 3万元     | 100万元  | 符合       | 3%         |
        | 2.9999万元| 100万元  | 不符合     | 2.9999%    |
        |           | 100万元  | 材料不足   | 材料不足   |
        | 3万元     | 0万元    | 待人工认定 | 待人工认定 |

  @id:品牌
  @对象:品牌
  规则: 自主品牌
    依据: 第二条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标       | 要求 | 门槛 |
        | 一   | 品牌已注册 | 为   | 是   |
    场景: 一条品牌
      假如 一条“品牌”记录
        | 品牌已注册 | 是 |
      那么 结论为“符合”
      而且 指标“品牌已注册”为“1”

  @id:得分
  规则: 品牌件数得分，至少1项
    依据: 第三条
    背景:
      假如 按下表计分，边界按高分
        | 指标         | 下限 | 上限 | 得分 |
        | 自主品牌件数 |      | 1项  | 0分  |
        | 自主品牌件数 | 1项  |      | 5分  |
    场景: 品牌得分
      假如 未报全的“品牌”清单
        | 品牌已注册 |
        | 否         |
      那么 得分为“0分至5分”

  @id:总分
  规则: 总分
    依据: 第四条
    背景:
      假如 得分为下列各项之和
        | 组   | 项   | 满分 |
        | 创新 | 得分 | 5分  |
    场景: 合计
      假如 其他规则的结论
        | 得分 | 2.5分 |
      那么 得分为“2.5分”
      而且 “创新”得分为“2.5分”

  @id:线
  规则: 占比线3%
    依据: 第五条
    背景:
      假如 由省级主管部门设定
        | 项目   | 种类 | 默认 | 允许     |
        | 占比线 | 门槛 | 3%   | 不低于3% |
    场景: 默认
      那么 门槛为“3%”

  @id:用线
  规则: 占有率达到占比线3%
    依据: 第六条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛   |
        | 一   | 全国细分市场占有率 | 不低于 | 占比线 |
        | 二   | 总分               | 高于   | 0分    |
        | 三   | 占比               | 为     | 符合   |
    场景: 占有率
      假如 企业填报
        | 全国细分市场占有率 | 3% |
      那么 结论为“符合”

  @id:适用
  规则: 适用
    依据: 第七条
    背景:
      假如 按下表适用
        | 层级 | 程序 | 省份 | 批次 | 自 | 至         | 规则集 | 依据 |
        | 专精特新中小企业 | 认定 | 其余 |      |    | 2026-03-31 | 占比   | 乙文 |
    场景大纲: 适用
      假如 案件如下
        | 层级     | 专精特新中小企业   |
        | 填报日期 | <日期> |
      那么 适用“<规则集>”
      例子:
        | 日期          | 规则集 |
        | 2026年3月31日 | 占比   |
        |               | 占比   |
    场景: 不适用
      假如 填报日期为2026年4月1日
      而且 案件如下
        | 层级 | 专精特新中小企业 |
      那么 没有适用的规则集
"""
FEATURE = FEATURE.replace("规则: 占有率达到占比线3%", "规则: 占有率达到占比线3%，或得分高于0分")


def linted(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    return [str(p) for p in check(tmp_path, base=FEATURES)[1]]


def test_good_examples(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(FEATURE, encoding="utf-8")
    assert check_examples(load(tmp_path, base=FEATURES)) == []


def test_examples_that_do_not_notice_an_altered_rule_are_not_enough(tmp_path: Path) -> None:
    text = """# language: zh-CN
@tier:示例 @source:示例
功能: 示例

  @id:甲
  规则: 从业人员不低于300人
    依据: 示例

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标           | 要求   | 门槛  |
        | 一   | 上年度从业人员 | 不低于 | 300人 |

    场景大纲: 从业人员
      假如 企业填报
        | 上年度从业人员 | <人数> |
      那么 结论为“<结论>”

      例子:
        | 人数  | 结论   |
        | 300人 | 符合   |
        | <低>  | 不符合 |
"""
    assert (
        linted(tmp_path, text.replace("<低>", "299人").replace("        | 300人 | 符合   |\n", ""))
        != []
    )
    assert linted(tmp_path, text.replace("<低>", "298人")) == [
        "a.feature:6: 规则「甲」第1行 门槛 300人 改为 299人后，例子仍全部成立："
        "请补上恰在门槛、略低、略高或只有此处不同的例子；确认改后结论处处相同的，"
        "在 mutants-equivalent.csv 中写一行「甲,第1行 门槛 300人 改为 299人,理由」"
    ]
    assert linted(tmp_path, text.replace("<低>", "299人")) == []


def test_examples_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(FEATURE, encoding="utf-8")
    rulebook = load(tmp_path, base=FEATURES)
    found = list(examples(rulebook.clauses["占比"], rulebook.catalogue))
    assert [(e.rule, e.path, e.line) for e in found] == [
        ("占比", "a.feature", n) for n in (20, 21, 22, 23)
    ]
    assert found[2].name == "占比边界［空、100万元、材料不足、材料不足］"
    assert [
        (r.expectation.kind, r.actual, r.passed)
        for r in run(rulebook, found[1], by_reference, read_indicator)
    ] == [("结论", "不符合", True), ("指标", "2.9999%", True)]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("| 3万元     | 100万元  | 符合       |", "| 3万元     | 100万元  | 不符合     |", "20: 规则「占比」的例子「占比边界［3万元、100万元、不符合、3%］」应为“不符合”，按定义表得“符合”：请改正例子或定义表"),
        ("| 2.9999%    |", "| 3%         |", "21: 规则「占比」的例子「占比边界［2.9999万元、100万元、不符合、3%］」应为“3%”，按定义表得“2.9999%”：请改正例子或定义表"),
        ("品牌已注册”为“1”", "拥有自主知识产权”为“1”", "33: 规则「品牌」的例子「一条品牌」应为“1”，按定义表得“规则「品牌」没有用到指标「拥有自主知识产权」”：请改正例子或定义表"),
        ("“0分至5分”", "“0分”", "47: 规则「得分」的例子「品牌得分」应为“0分”，按定义表得“0分至5分”：请改正例子或定义表"),
        ("门槛为“3%”", "门槛为“4%”", "73: 规则「线」的例子「默认」应为“4%”，按定义表得“3%”：请改正例子或定义表"),
        ("那么 没有适用的规则集", "那么 适用“占比”", "106: 规则「适用」的例子「不适用」应为“占比”，按定义表得“没有适用的规则集”：请改正例子或定义表"),
        ("那么 得分为“0分至5分”", "那么 门槛为“5分”", "47: 规则「得分」的例子「品牌得分」：规则「得分」不是门槛：请改写结论或得分"),
        ("“创新”得分", "“创意”得分", "60: 规则「总分」的例子「合计」：规则「总分」没有「创意」这一项"),
        ("假如 一条“品牌”记录\n        | 品牌已注册 | 是 |", "假如 企业填报\n        | 自主品牌 | 是 |", "33: 规则「品牌」的例子「一条品牌」：规则「品牌」逐条判断：请写「一条“品牌”记录」"),
        ("        | 得分 | 2.5分 |", "        | 品牌 | 2.5分 |", "60: 规则「总分」的例子「合计」：「品牌」应给出结论：请改正"),
        ("        | 得分 | 2.5分 |", "        | 得分 | 符合 |", "60: 规则「总分」的例子「合计」：「得分」应给出得分：请改正"),
        ("        | 得分 | 2.5分 |", "        | 占比 | 符合 |", "60: 规则「总分」的例子「合计」：本规则没有用到「占比」的结论：请查对编号，或删去此行"),
        ("        | 得分 | 2.5分 |", "        | 总分 | 2.5分 |", "60: 规则「总分」的例子「合计」：本规则没有用到「总分」的结论（相近的有「得分」）：请查对编号，或删去此行"),
        ("那么 结论为“符合”\n      而且 指标“品牌", "那么 企业填报\n      而且 指标“品牌", "36: 一条品牌：「企业填报」没有表：请逐行写名称和值"),
        ("      那么 门槛为“3%”", "      那么 填报日期为2023年6月30日", "73: 场景「默认」的「那么」没有写结论：请写出应有的结论"),
    ],
)  # fmt: skip
def test_failing_examples(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert FEATURE.count(old) == 1
    assert linted(tmp_path, FEATURE.replace(old, new)) == [f"a.feature:{problem}"]


def test_only_some_rules(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(
        FEATURE.replace("门槛为“3%”", "门槛为“4%”"), encoding="utf-8"
    )
    rulebook = load(tmp_path, base=FEATURES)
    assert check_examples(rulebook, only=["占比"]) == []
    assert len(check_examples(rulebook, only=["占比", "线"])) == 1


def test_problems_of_compilation_come_first(tmp_path: Path) -> None:
    text = FEATURE.replace("    依据: 第一条\n", "").replace("门槛为“3%”", "门槛为“4%”")
    assert linted(tmp_path, text) == [
        "a.feature:6: 规则应恰有一行依据：请在标题下写「依据: 附件几第几条」",
        "a.feature:72: 规则「线」的例子「默认」应为“4%”，按定义表得“3%”：请改正例子或定义表",
    ]


@pytest.mark.parametrize(
    ("place", "acting"),
    [
        ((("省份", "福建省"), ("城市", "厦门市")), "厦门市"),
        ((("省份", "福建省"), ("城市", "泉州市")), "福建省"),
        ((("城市", "厦门市"),), "厦门市"),
        ((("城市", "泉州市"),), None),
    ],
)
def test_the_province_of_a_filing_is_what_acts_as_it(
    place: tuple[tuple[str, str], ...], acting: str | None
) -> None:
    assert given(step("企业填报", *place)).profile().values.get("province") == acting
