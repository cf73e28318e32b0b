"""Provinces: their names, the rows that follow from what they set, and what is refused or reported."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from rules.decider import by_both
from rules.drafting.check import check, notices
from rules.drafting.examples import examples, read_indicator, run
from rules.drafting.format import format_text
from rules.drafting.mutants import survivors
from rules.drafting.scaffold import clauses_of_province, scaffold_province
from rules.errors import RulesetError
from rules.language.editions import ApplicabilityRow
from rules.language.provinces import PROVINCES, Fill, acting, effective, full_name, parted
from rules.language.rulebook import Rulebook, compile_all, load
from rules.model.ruleset import Attested, Cases, Position, Total
from rules.tests import packaged
from rules.tests.packaged import FEATURES

NATIONAL = """# language: zh-CN
@tier:创新型中小企业 @source:某办法
功能: 标准

  @id:根
  规则: 评价得分达到分数线60分
    依据: 一

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标 | 要求   | 门槛   |
        | 一   | 总分 | 不低于 | 分数线 |

    场景大纲: 根
      假如 其他规则的结论
        | 总分 | <分> |
      那么 结论为“<应为>”
      例子:
        | 分      | 应为   |
        | 60分    | 符合   |
        | 59.9999分 | 不符合 |
        | 60.0001分 | 符合   |

  @id:分数线
  规则: 分数线为60分
    依据: 二

    背景:
      假如 由省级主管部门设定
        | 项目   | 种类 | 默认 | 允许       |
        | 分数线 | 门槛 | 60分 | 不低于60分 |

    场景: 默认
      那么 门槛为“60分”

  @id:总分
  规则: 总分
    依据: 三

    背景:
      假如 得分为下列各项之和
        | 组 | 项   | 满分 |
        |    | 本地 | 15分 |

    场景: 相加
      假如 其他规则的结论
        | 本地 | 4分 |
      那么 得分为“4分”

  @id:本地
  规则: 本地指标最高15分
    依据: 四

    背景:
      假如 由省级主管部门设定
        | 项目 | 种类 | 默认             | 允许                |
        | 本地 | 得分 | 地方特色指标得分 | 0分至15分，1项至1项 |

    场景大纲: 出具
      假如 企业填报
        | 地方特色指标得分 | <分> |
      那么 得分为“<应为>”
      例子:
        | 分   | 应为      |
        | 15分 | 15分      |
        | 0分  | 0分       |
        | 1分  | 1分       |
        |      | 0分至15分 |

  @id:适用
  规则: 何时适用
    依据: 五

    背景:
      假如 按下表适用
        | 层级 | 程序 | 省份 | 批次 | 自           | 至             | 规则集 | 依据 |
        | 创新型中小企业 | 认定 | 其余 |      | 2020年1月1日 | 2025年12月31日 | 根     | 甲   |
        | 创新型中小企业 | 认定 | 其余 | 特批 | 2020年1月1日 | 2025年12月31日 | 平     | 乙   |

    场景大纲: 起止
      假如 案件如下
        | 层级     | 创新型中小企业   |
        | 批次     | <批次> |
        | 填报日期 | <日期> |
      那么 适用“<规则集>”
      例子:
        | 批次 | 日期           | 规则集 |
        |      | 2020年1月1日   | 根     |
        | 特批 | 2020年1月1日   | 平     |

  @id:平
  规则: 独立法人
    依据: 六

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标     | 要求 | 门槛 |
        | 一   | 独立法人 | 为   | 是   |

    场景: 平
      假如 企业填报
        | 独立法人 | 是 |
      那么 结论为“符合”
"""

PACK = """# language: zh-CN
@tier:创新型中小企业 @source:某省文
功能: 某省

  @id:某省.线
  规则: 分数线为70分
    依据: 一

    背景:
      假如 省级主管部门设定如下
        | 省份 | 项目 | 自 | 至 | 设定 |
{rows}

    场景: 某省
      假如 案件如下
        | 层级     | 创新型中小企业         |
        | 省份     | 江苏省       |
        | 填报日期 | 2022年1月1日 |
      那么 设定为“70分”
"""


def pack(*rows: str) -> str:
    return PACK.format(rows="\n".join(f"        | {r} |" for r in rows))


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Rulebook]:
    def compile(*rows: str, text: str = "") -> Rulebook:
        (tmp_path / "a.feature").write_text(NATIONAL, encoding="utf-8")
        (tmp_path / "b.feature").write_text(text or pack(*rows), encoding="utf-8")
        return compile_all(tmp_path, base=FEATURES)

    return compile


GOOD = "江苏省 | 分数线 | 2022年1月1日 | 2023年12月31日 | 70分"


def test_every_short_name_is_of_one_province() -> None:
    assert len({full_name(name) for name in PROVINCES}) == len(PROVINCES)
    assert full_name("新疆") == "新疆维吾尔自治区"
    assert full_name("内蒙古") == "内蒙古自治区"


@pytest.mark.parametrize(
    ("province", "city", "expected"),
    [
        ("辽宁省", "大连市", "大连市"),
        ("辽宁", "大连", "大连市"),
        ("福建省", "厦门市思明区", "厦门市"),
        ("", "宁波市", "宁波市"),
        ("青岛市", "", "青岛市"),
        ("山东省青岛", "", "青岛市"),
        ("山东省", "济南市", "山东省"),
        ("江苏省", "深圳市", "江苏省"),
        ("", "", ""),
    ],
)
def test_a_city_with_independent_planning_status_acts_as_a_province(
    province: str, city: str, expected: str
) -> None:
    assert acting(province, city) == expected


def test_a_fill_divides_the_periods_and_keeps_batches(compiled: Callable[..., Rulebook]) -> None:
    rulebook = compiled(GOOD)
    assert not rulebook.problems
    assert [(r.province, r.batch, r.ruleset, r.period) for r in rulebook.applicability] == [
        ("其余", "", "根", "自2020-01-01至2025-12-31"),
        ("江苏省", "", "根@江苏省.2022-01-01", "自2022-01-01至2023-12-31"),
        ("其余", "特批", "平", "自2020-01-01至2025-12-31"),
        ("江苏省", "特批", "平", "自2022-01-01至2023-12-31"),
    ]
    assert rulebook.applicability[1].basis == "某省文；甲"


def test_the_compiler_substitutes_in_table_words_and_citation(
    compiled: Callable[..., Rulebook],
) -> None:
    rulebook = compiled(GOOD)
    national, filled = rulebook.ruleset("根"), rulebook.ruleset("根@江苏省.2022-01-01")
    rule = filled.rule("根")
    assert isinstance(rule.body, Cases)
    [[line]] = [case.lines for case in rule.body.cases]
    assert (line.value, line.text) == (70, "不低于分数线（70分）")
    assert rule.title == "评价得分达到分数线70分"
    assert rule.citation == "一；某省文：一"
    assert filled.source == "某办法；某省文"
    assert national.rule("根").title == "评价得分达到分数线60分"
    assert national.digest != filled.digest
    assert filled.root == "根"


def test_points_are_given_by_a_rule_of_the_province(compiled: Callable[..., Rulebook]) -> None:
    text = """# language: zh-CN
@tier:创新型中小企业 @source:某省文
功能: 某省

  @id:某省.法人
  规则: 独立法人得20分
    依据: 一

    背景:
      假如 按所满足的最高情形计分
        | 得分 | 情形 | 指标     | 要求 | 门槛 |
        | 20分 | 一   | 独立法人 | 为   | 是   |
        | 0分  | 其余 |          |      |      |

    场景: 法人
      假如 企业填报
        | 独立法人 | 是 |
      那么 得分为“20分”

  @id:某省.本地
  规则: 得分之和
    依据: 一

    背景:
      假如 得分为下列各项之和
        | 组 | 项        | 满分 |
        |    | 某省.法人 | 20分 |
        |    | 总和之外  | 1分  |

    场景: 相加
      假如 其他规则的结论
        | 某省.法人 | 20分 |
      那么 得分为“20分”

  @id:总和之外
  规则: 独立法人得1分
    依据: 一

    背景:
      假如 按所满足的最高情形计分
        | 得分 | 情形 | 指标     | 要求 | 门槛 |
        | 1分  | 一   | 独立法人 | 为   | 是   |
        | 0分  | 其余 |          |      |      |

    场景: 另一项
      假如 企业填报
        | 独立法人 | 是 |
      那么 得分为“1分”

  @id:某省.设定
  规则: 本地指标按本省
    依据: 一

    背景:
      假如 省级主管部门设定如下
        | 省份   | 项目 | 自           | 至 | 设定      |
        | 江苏省 | 本地 | 2022年1月1日 |    | 某省.本地 |

    场景大纲: 某省
      假如 案件如下
        | 层级     | 创新型中小企业         |
        | 省份     | 江苏省       |
        | 填报日期 | 2022年1月1日 |
      而且 企业填报
        | 独立法人 | <法人> |
      那么 规则“本地”的得分为“<得分>”
      而且 规则“根”的结论为“不符合”

      例子:
        | 法人 | 得分      |
        | 是   | 21分      |
        | 否   | 0分       |
        |      | 0分至21分 |
"""
    rulebook = compiled(text=text)
    assert not rulebook.problems
    rule = rulebook.ruleset("根@江苏省.2022-01-01").rule("本地")
    assert isinstance(rule.body, Total)
    assert [i.rule for i in rule.body.items] == ["某省.本地"]
    assert isinstance(rulebook.ruleset("根").rule("本地").body, Attested)
    clause = rulebook.clauses["某省.设定"]
    ran = [
        r
        for e in examples(clause, rulebook.catalogue)
        for r in run(rulebook, e, by_both, read_indicator)
    ]
    assert [r.actual for r in ran] == ["21分", "不符合", "0分", "不符合", "0分至21分", "不符合"]
    assert [n.message for n in notices(rulebook)] == [
        "江苏省的「本地」最高21分，全国文本允许最高15分（a.feature:51）：照录，请核对原文",
        "江苏省的「本地」设了2项指标，全国文本允许1项至1项（a.feature:51）：照录，请核对原文",
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["江苏 | 分数线 | 2022年1月1日 | | 70分"], "省份「江苏」应写全称：江苏省"),
        (["苏省 | 分数线 | 2022年1月1日 | | 70分"], "「苏省」不是省级行政区，也不是计划单列市（相近的有「江苏省」）：请查对"),
        (["其余 | 分数线 | 2022年1月1日 | | 70分"], "省级设定须写明省份：请补写"),
        (["江苏省 | 分线 | 2022年1月1日 | | 70分"], "「分线」不是可由省级设定的项目（相近的有「分数线」）：可设定的有分数线、本地"),
        (["江苏省 | 分数线 | | | 70分"], "省级设定须写明自何日起，且不晚于至：请补写或改正"),
        (["江苏省 | 分数线 | 2022年 | | 70分"], "自、至应为日期，例如 2026年4月1日，或留空"),
        (["江苏省 | 分数线 | 2022年1月1日 | | 70万元"], "设定「70万元」的单位与默认的60分不符：请改正"),
        (["江苏省 | 本地 | 2022年1月1日 | | 根"], "「根」不是计分规则，不能作为得分：请写计分规则的编号"),
        (["江苏省 | 本地 | 2022年1月1日 | | 总分"], "「总分」自身用到「本地」，不能用来设定它：请断开循环"),
        ([GOOD, "江苏省 | 本地 | 2022年1月1日 | | 总分"], "一条规则只设定一个项目：请把其余项目写成另一条规则"),
        ([GOOD, "江苏省 | 分数线 | 2023年12月31日 | | 80分"], "与 b.feature:12 同时设定江苏省的「分数线」：请使日期不重叠"),
        (["江苏省 | 分数线 | 2022年1月1日 | | 65分"], "条文写有70分，定义表中没有：请使条文与定义表的数字一致"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_refused(
    compiled: Callable[..., Rulebook], rows: list[str], message: str
) -> None:
    found = compiled(*rows).problems
    assert message in {p.message for p in found}
    assert {p.path for p in found} == {"b.feature"}


def test_a_fill_needs_a_source(compiled: Callable[..., Rulebook]) -> None:
    [problem] = compiled(text=pack(GOOD).replace(" @source:某省文", "")).problems
    assert problem.message == "省级设定没有文号：请在功能之上写 @source:文号"


def test_mutants_of_a_fill_need_its_boundaries(compiled: Callable[..., Rulebook]) -> None:
    assert [str(m) for m in survivors(compiled(GOOD), only=["某省.线"])] == [
        "某省.线：第1行 自 2022-01-01 改为 2021-12-31",
        "某省.线：第1行 至 2023-12-31 改为 2023-12-30",
        "某省.线：第1行 至 2023-12-31 改为 2024-01-01",
    ]


def row(ruleset: str, province: str = "其余", batch: str = "", end: int = 2029) -> ApplicabilityRow:
    where = Position("a.feature", 1)
    first, last = date(2020, 1, 1), date(end, 12, 31)
    return ApplicabilityRow(
        tier="创新型中小企业",
        procedure="认定",
        province=province,
        batch=batch,
        start=first,
        end=last,
        ruleset=ruleset,
        basis="甲",
        position=where,
    )


def fill(start: date, end: date | None = None, slot: str = "线") -> Fill:
    where = Position("b.feature", 1)
    return Fill(
        slot=slot,
        province="江苏省",
        start=start,
        end=end,
        text="70分",
        value=None,
        clause="设定",
        source="某省文",
        citation="一",
        notes=(),
        position=where,
    )


def test_a_provinces_own_row_goes_before_the_national_one_and_is_filled_too() -> None:
    rows = [row("根"), row("自有", "江苏省", end=2023)]
    found = effective(
        rows, [fill(date(2022, 1, 1), date(2024, 12, 31))], lambda _: frozenset({"线"})
    )
    assert [(r.province, r.ruleset, r.period) for r in found] == [
        ("其余", "根", "自2020-01-01至2029-12-31"),
        ("江苏省", "根@江苏省.2024-01-01", "自2024-01-01至2024-12-31"),
        ("江苏省", "自有", "自2020-01-01至2021-12-31"),
        ("江苏省", "自有@江苏省.2022-01-01", "自2022-01-01至2023-12-31"),
    ]


def test_two_fills_divide_a_row_at_each_day_on_which_one_changes() -> None:
    fills = [fill(date(2022, 1, 1)), fill(date(2021, 1, 1), date(2022, 6, 30), "本地")]
    found = effective([row("根")], fills, lambda _: frozenset({"线", "本地"}))
    assert [(r.ruleset, r.period) for r in found[1:]] == [
        ("根@江苏省.2021-01-01", "自2021-01-01至2021-12-31"),
        ("根@江苏省.2022-01-01", "自2022-01-01至2022-06-30"),
        ("根@江苏省.2022-07-01", "自2022-07-01至2029-12-31"),
    ]


def test_a_slot_that_a_root_does_not_rest_on_changes_nothing() -> None:
    rows = [row("根")]
    assert effective(rows, [fill(date(2022, 1, 1))], lambda _: frozenset()) == tuple(rows)


def test_an_incomplete_id_is_refused() -> None:
    with pytest.raises(RulesetError, match="规则集编号「根@江苏省」不完整"):
        parted("根@江苏省")


def test_own_packs_are_laid_over(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "a.feature").write_text(NATIONAL, encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "b.feature").write_text(pack(GOOD), encoding="utf-8")
    rulebook = load(tmp_path / "whole", tmp_path / "own", base=FEATURES)
    assert rulebook.clauses["某省.线"].path == "own/b.feature"
    (tmp_path / "whole" / "own").mkdir()
    [problem] = compile_all(tmp_path / "whole", tmp_path / "own", base=FEATURES).problems
    assert problem.message == "目录名「own」与随附标准中的目录相同，无法区分：请改目录名"


def test_own_packs_change_nothing_that_is_packaged(tmp_path: Path) -> None:
    line = "| 上年度专精特新发展评价得分 | 高于 | 0分 |"
    national = NATIONAL.replace("| 独立法人 | 为   | 是   |", line)
    national = national.replace("规则: 独立法人", "规则: 得分高于0分")
    own = """# language: zh-CN
@tier:创新型中小企业 @source:某省文
功能: 某省

  @id:某省.合计
  规则: 得分之和
    依据: 一

    背景:
      假如 得分为下列各项之和
        | 组                     | 项   | 满分 |
        | 上年度专精特新发展评价 | 本地 | 15分 |

    场景: 相加
      假如 其他规则的结论
        | 本地 | 4分 |
      那么 得分为“4分”
"""
    for folder, text in (("whole", national), ("own", own)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.feature").write_text(text, encoding="utf-8")
    assert not compile_all(tmp_path / "whole", base=FEATURES).problems
    [problem] = compile_all(tmp_path / "whole", tmp_path / "own", base=FEATURES).problems
    assert str(problem) == (
        "own:1: 随附的规则集「平」因本目录的文件而改变：其编号、组名或项目名与条文用语相同，请改名"
    )


def test_a_provinces_file_rules_for_no_other(tmp_path: Path) -> None:
    (tmp_path / "provinces").mkdir()
    (tmp_path / "provinces" / "a.feature").write_text(NATIONAL, encoding="utf-8")
    found = [p.message for p in compile_all(tmp_path, base=FEATURES).problems]
    assert found == ["省级文件只能规定本省：请写明省份"] * 2


FILLED = {
    "本省文号": "湘某〔2024〕1号",
    "自何日起认定分数线为多少，日期和数值与定义表一致": "自2024年1月1日起，评价得分的认定分数线为65分",
    "自何日起特色化指标按本省的各项指标计分，日期与定义表一致": "自2024年1月1日起，特色化指标按本省的各项指标计分",
    "第几条": "第一条",
    "自何日起": "2024年1月1日",
    "认定分数线": "65分",
    "起始日的前一日": "2023年12月31日",
    "起始日的后一日": "2024年1月2日",
    "起始日": "2024年1月1日",
    "第一项特色化指标，写明各情形的得分": "主导产品属省级规划重点领域的得15分，其余不得分",
    "特色化指标第几项": "第一项",
    "特色化指标": "第二条",
    "最高得分": "15分",
    "填报项的名称": "主导产品属省级规划重点领域",
    "填报项": "主导产品属省级规划重点领域",
    "要求，如 为": "为",
    "门槛，如 是": "是",
    "满足时的值，数字写恰在门槛上": "是",
    "不满足时的值，数字写略低于门槛": "否",
    "得分范围，从0分至最高得分": "0分至15分",
    "该项最高得分": "15分",
    "满分": "15分",
    "总分范围": "0分至15分",
    "总分": "15分",
    "未定的范围，从0分至满分": "0分至15分",
}


def test_a_new_pack_passes_once_it_is_written(tmp_path: Path) -> None:
    text = scaffold_province("湖南省", packaged.rulebook())
    assert format_text(text) == text
    lines = []
    points = iter(["15分", "0分"])
    for line in text.splitlines():
        for blank in sorted(FILLED, key=len, reverse=True):
            line = line.replace(f"待填：{blank}", FILLED[blank])
        while "待填：得分" in line:
            line = line.replace("待填：得分", next(points), 1)
        if "待填：规则集" in line:
            root = "63.2.复核" if "复核" in line else "63.2"
            filled = f"{root}@湖南省.2024-01-01"
            other = root if "2023年" in line else root.replace("63", "2026")
            here = other if "2023年" in line or "4月1日" in line else filled
            line = line.replace("待填：规则集", here)
        lines.append(line)
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.feature").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rulebook, problems = check(FEATURES, own=own, only=own.name)
    assert problems == []
    assert not [n for n in notices(rulebook) if n.path.startswith("own/")]


def test_a_new_pack_asks_for_what_the_text_leaves_to_provinces(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(NATIONAL, encoding="utf-8")
    national = load(tmp_path, base=FEATURES)
    text = scaffold_province("湖南省", national)
    assert "@tier:创新型中小企业" in text
    told = clauses_of_province("湖南省", national)
    assert national.slots
    for id, slot in national.slots.items():
        assert id in text
        assert f"@id:湖南.{slot.name}" in text
        assert f"`{id}`" in told
    assert not [word for word in ("63.2", "专精特新") if word in text]


def test_a_text_that_leaves_nothing_to_provinces_has_no_pack(tmp_path: Path) -> None:
    with pytest.raises(RulesetError, match="没有留给省级设定的项目"):
        scaffold_province("湖南省", compile_all(tmp_path, base=FEATURES))
