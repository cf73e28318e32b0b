"""Mutants: which alterations there are, and that comfortable examples let them live."""

from fractions import Fraction
from pathlib import Path

import pytest

from rules.drafting.mutants import mutants, read_equivalent, stale, survivors, unlisted
from rules.drafting.mutations import Lookup, of_formula, of_rule
from rules.errors import RulesetError
from rules.language.rulebook import Rulebook, load
from rules.model.expressions import (
    add,
    as_of,
    bounded,
    calendar_years,
    const,
    count,
    day,
    days,
    div,
    else_found,
    else_known,
    fact,
    field,
    least,
    lookup,
    most,
    mul,
    new_year,
    sub,
    total,
    year,
    years,
)
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Body,
    Case,
    Cases,
    Expr,
    Indicator,
    Item,
    Ladder,
    Line,
    Rule,
    Total,
)
from rules.tests.packaged import FEATURES, catalogue

INDICATORS = {
    "入行": Indicator(
        name="入行", kind="date", unit="天", expr=days(day("2020-01-01"), fact("segment_entry"))
    ),
    "费用": Indicator(name="费用", kind="number", unit="万元", expr=year("rd_expense")),
    "占比": Indicator(
        name="占比", kind="number", unit="%", expr=div(year("rd_expense"), year("revenue"))
    ),
    "件数": Indicator(name="件数", kind="number", unit="项", expr=fact("ip_class_two")),
    "年限": Indicator(
        name="年限", kind="number", unit="年", expr=years(fact("segment_entry"), as_of())
    ),
    "年数": Indicator(
        name="年数", kind="number", unit="年", expr=calendar_years(field("date"), as_of())
    ),
    "品牌": Indicator(name="品牌", kind="flag", unit="", expr=fact("own_brand")),
    "级别": Indicator(name="级别", kind="code", unit="", expr=field("level")),
    "日期": Indicator(name="日期", kind="date", unit="天", expr=("days", as_of(), field("date"))),
    "特色": Indicator(name="特色", kind="number", unit="分", expr=fact("local_points")),
    "自由": Indicator(name="自由", kind="number", unit="分", expr=fact("ip_class_one")),
}


LOOKUP = Lookup(lambda name: (INDICATORS[name], ("甲", "乙", "丙", "丁")), catalogue())


def texts(body: Body) -> list[str]:
    rule = Rule(id="一", title="", clause="", citation="", notes=(), body=body)
    found = list(of_rule(rule, LOOKUP))
    assert all(altered != rule for _, altered in found)
    names = [text for text, _ in found]
    assert len(names) == len(set(names))
    return names


def line(name: str, op: str, value: object) -> Line:
    return Line(subject="indicator", name=name, op=op, value=value)  # type: ignore[arg-type]


def case(name: str, *lines: Line, points: int | None = None) -> Case:
    return Case(name, lines, None if points is None else Fraction(points))


@pytest.mark.parametrize(
    ("single", "expected"),
    [
        (line("费用", ">=", Fraction(10**6)), ["门槛 100万元 改为 100.0001万元", "门槛 100万元 改为 99.9999万元", "不低于 改为 不高于", "不低于 改为 高于"]),
        (line("占比", ">", Fraction(3, 100)), ["门槛 3% 改为 3.0001%", "门槛 3% 改为 2.9999%", "高于 改为 低于", "高于 改为 不低于"]),
        (line("件数", "<", Fraction(2)), ["门槛 2项 改为 3项", "门槛 2项 改为 1项", "低于 改为 高于", "低于 改为 不高于"]),
        (line("年限", "<=", Fraction(2)), ["门槛 2年 改为 约2.00274年", "门槛 2年 改为 约1.99726年", "不高于 改为 不低于", "不高于 改为 低于"]),
        (line("年数", "<=", Fraction(3)), ["门槛 3年 改为 4年", "门槛 3年 改为 2年", "不高于 改为 不低于", "不高于 改为 低于"]),
        (line("日期", ">=", Fraction(0)), ["门槛 0天 改为 1天", "门槛 0天 改为 -1天", "不早于 改为 不晚于", "不早于 改为 晚于"]),
        (line("品牌", ">=", Fraction(1)), ["是 与 否 颠倒"]),
        (line("级别", "in", ("乙",)), ["加上「甲」", "加上「丙」"]),
        (line("级别", "in", ("甲", "乙")), ["去掉「甲」", "去掉「乙」", "加上「丙」", "加上「丁」"]),
        (Line(subject="points", name="分", op=">=", value=Fraction(60)), ["门槛 60分 改为 61分", "门槛 60分 改为 59分", "不低于 改为 不高于", "不低于 改为 高于"]),
        (line("入行", "<", Fraction(0)), ["门槛 2020-01-01 改为 2020-01-02", "门槛 2020-01-01 改为 2019-12-31", "早于 改为 晚于", "早于 改为 不晚于"]),
        (Line(subject="rule", name="二"), []),
        (Line(subject="unmet", name="二"), ["不符合 改为 符合"]),
    ],
)  # fmt: skip
def test_a_line(single: Line, expected: list[str]) -> None:
    assert texts(Cases((case("一", single),))) == [f"第1行 {e}" for e in expected]


def test_cases_and_lines_are_dropped() -> None:
    rule, flag = Line(subject="rule", name="二"), line("品牌", ">=", Fraction(1))
    assert texts(Cases((case("甲", rule, flag), case("乙", rule)))) == [
        "第1行 删去",
        "第2行 是 与 否 颠倒",
        "第2行 删去",
        "情形「甲」删去",
        "情形「乙」删去",
    ]


def test_bands() -> None:
    def band(lo: int | None, hi: int | None, points: int) -> Band:
        return Band(
            None if lo is None else Fraction(lo),
            None if hi is None else Fraction(hi),
            Fraction(points),
        )

    one = ("件数", (band(None, 2, 0), band(2, None, 5)))
    assert texts(Bands((one,))) == [
        "「件数」第1档 得分 0分 改为 1分",
        "「件数」第1档 得分 0分 改为 -1分",
        "「件数」界限 2项 改为 3项",
        "「件数」界限 2项 改为 1项",
        "「件数」第2档 得分 5分 改为 6分",
        "「件数」第2档 得分 5分 改为 4分",
    ]
    assert texts(Bands((one, ("品牌", (band(None, None, 0),))))) == [
        "「件数」第1档 得分 0分 改为 1分",
        "「件数」界限 2项 改为 3项",
        "「件数」界限 2项 改为 1项",
        "「件数」第2档 得分 5分 改为 6分",
        "「件数」第2档 得分 5分 改为 4分",
        "「件数」各档删去",
        "「品牌」第1档 得分 0分 改为 1分",
        "「品牌」各档删去",
    ]
    _, altered = list(
        of_rule(
            Rule(id="一", title="", clause="", citation="", notes=(), body=Bands((one,))), LOOKUP
        )
    )[2]
    assert altered.body == Bands((("件数", (band(None, 3, 0), band(3, None, 5))),))


def test_ladders() -> None:
    flag, rule = line("品牌", ">=", Fraction(1)), Line(subject="rule", name="二")
    ladder = Ladder((case("甲", flag, points=5), case("乙", rule, points=3)), Fraction(0))
    assert texts(ladder) == [
        "第1行 是 与 否 颠倒",
        "情形「甲」删去",
        "情形「乙」删去",
        "情形「甲」得分 5分 改为 6分",
        "情形「甲」得分 5分 改为 4分",
        "情形「甲」与「乙」调换",
        "情形「乙」得分 3分 改为 4分",
        "情形「乙」得分 3分 改为 2分",
        "其余 得分 0分 改为 1分",
        "其余 得分 0分 改为 -1分",
    ]
    alike = Ladder((case("甲", flag, points=5), case("乙", rule, points=5)), Fraction(0))
    assert "情形「甲」与「乙」调换" not in texts(alike)


def test_totals() -> None:
    five = Fraction(5)
    assert texts(Total((Item("甲", "一", five), Item("", "二", five)))) == [
        "「一」删去",
        "「一」加两次",
        "「一」改属「」组",
        "「二」删去",
        "「二」加两次",
        "「二」改属「甲」组",
    ]
    assert texts(Total((Item("", "一", five),))) == ["「一」删去", "「一」加两次"]
    assert texts(Total((Item("", "一", five),), Fraction(3))) == [
        "「一」删去",
        "「一」加两次",
        "最高 3分 改为 4分",
        "最高 3分 改为 2分",
    ]


def test_attested_points() -> None:
    bounds = ["上限 15分 改为 14分", "下限 0分 改为 1分"]
    assert texts(Attested("特色", Fraction(0), Fraction(15))) == bounds
    assert texts(Attested("自由", Fraction(0), Fraction(15))) == ["上限 15分 改为 16分", *bounds]


A, B = year("rd_expense"), year("revenue", -1)
A_EARLIER = ("研发费用总额 T+0年 改为 T-1年", year("rd_expense", -1))
B_EARLIER = ("营业收入总额 T-1年 改为 T-2年", year("revenue", -2))
B_LATER = ("营业收入总额 T-1年 改为 T+0年", year("revenue", 0))
F, G = fact("own_brand"), fact("standards")


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (F, []),
        (A, [A_EARLIER]),
        (div(A, B), [("div 两项调换", div(B, A)), (A_EARLIER[0], div(A_EARLIER[1], B)), (B_EARLIER[0], div(A, B_EARLIER[1])), (B_LATER[0], div(A, B_LATER[1]))]),
        (sub(A, A), [("sub 两项调换", sub(A, A)), (A_EARLIER[0], sub(A_EARLIER[1], A)), (f"{A_EARLIER[0]}（第2处）", sub(A, A_EARLIER[1]))]),
        (add(F, G), [("第1个加数 删去", add(G)), ("第2个加数 删去", add(F))]),
        (least(F, const("1")), [("取小者 改为 前一项", F), ("取小者 改为 后一项", const("1")), ("常数 1 改为 2", least(F, const("2"))), ("常数 1 改为 0", least(F, const("0")))]),
        (years(F, as_of()), [("years 两项调换", years(as_of(), F)), ("years 改为 calendar_years", calendar_years(F, as_of())), ("填报日 改为 年初", years(F, new_year(0)))]),
        (calendar_years(F, as_of()), [("calendar_years 两项调换", calendar_years(as_of(), F)), ("calendar_years 改为 years", years(F, as_of())), ("填报年 改为 上一年", calendar_years(F, new_year(-1)))]),
        (years(F, new_year(0)), [("years 两项调换", years(new_year(0), F)), ("years 改为 calendar_years", calendar_years(F, new_year(0))), ("年初 +0 改为 -1", years(F, new_year(-1))), ("年初 +0 改为 +1", years(F, new_year(1)))]),
        (count("ip", "一", "ip_class_one"), [("「一」改为恒符合", count("ip", "恒符合.ip", "ip_class_one")), ("「一」的填报总数 不用", count("ip", "一"))]),
        (total("financing", "amount", "一"), [("「一」改为恒符合", total("financing", "amount", "恒符合.financing"))]),
        (total("financing", "amount", "一", "f"), [("「一」改为恒符合", total("financing", "amount", "恒符合.financing", "f")), ("「一」的填报总数 不用", total("financing", "amount", "一"))]),
        (bounded(F, (G,), (A,)), [("第1个下界 删去", bounded(F, (), (A,))), ("第1个上界 删去", bounded(F, (G,), ())), (A_EARLIER[0], bounded(F, (G,), (A_EARLIER[1],)))]),
        (else_found(lookup("m", F), G), [("审核人的认定 不用", lookup("m", F))]),
        (else_known(F, G), [("未知时的替代 不用", F)]),
        (most(fact("a"), const("1")), [("取大者 改为 前一项", fact("a")), ("取大者 改为 后一项", const("1")), ("常数 1 改为 2", most(fact("a"), const("2"))), ("常数 1 改为 0", most(fact("a"), const("0")))]),
        (mul(fact("a"), fact("b")), [("第1个因数 删去", fact("b")), ("第2个因数 删去", fact("a"))]),
        (days(day("2020-01-01"), fact("a")), [("days 两项调换", days(fact("a"), day("2020-01-01"))), ("2020-01-01 改为 2019-12-31", days(day("2019-12-31"), fact("a"))), ("2020-01-01 改为 2020-01-02", days(day("2020-01-02"), fact("a")))]),
    ],
)  # fmt: skip
def test_a_formula(expr: Expr, expected: list[tuple[str, Expr]]) -> None:
    assert list(of_formula(expr, catalogue())) == expected


# whole libraries

FEATURE = """\
# language: zh-CN
@tier:创新型中小企业 @source:乙文
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
        | 上年度研发费用总额 | <研发>  |
        | 上年度营业收入总额 | 100万元 |
      那么 结论为“<结论>”
      例子:
        | 研发       | 结论   |
        | 3万元      | 符合   |
        | 2.9999万元 | 不符合 |
        | 3.1万元    | 符合   |

  @id:注册
  @对象:品牌
  规则: 注册品牌
    依据: 第二条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标       | 要求 | 门槛 |
        | 一   | 品牌已注册 | 为   | 是   |
    场景: 注册
      假如 一条“品牌”记录
        | 品牌已注册 | |
      那么 结论为“材料不足”

  @id:得分
  规则: 品牌至少1项
    依据: 第三条
    背景:
      假如 按下表计分，边界按高分
        | 指标         | 下限 | 上限 | 得分 |
        | 注册品牌件数 |      | 1项  | 0分  |
        | 注册品牌件数 | 1项  |      | 5分  |
    场景大纲: 品牌得分
      假如 已报全的“品牌”清单
        | 品牌已注册 |
        | <注册>     |
      那么 得分为“<得分>”
      例子:
        | 注册 | 得分 |
        | 是   | 5分  |
        | 否   | 0分  |

  @id:线
  规则: 线为60分
    依据: 第五条
    背景:
      假如 由省级主管部门设定
        | 项目 | 种类 | 默认 | 允许       |
        | 线   | 门槛 | 60分 | 不低于60分 |
    场景: 默认
      那么 门槛为“60分”

  @id:用线
  规则: 达到60分
    依据: 第六条
    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标 | 要求   | 门槛 |
        | 一   | 得分 | 不低于 | 线   |
        | 一   | 占比 | 为     | 符合 |
    场景大纲: 线
      假如 其他规则的结论
        | 得分 | <得分> |
        | 占比 | <占比> |
      那么 结论为“<结论>”
      例子:
        | 得分 | 占比   | 结论   |
        | 60分 | 符合   | 符合   |
        | 59分 | 符合   | 不符合 |
        | 61分 | 符合   | 符合   |
        | 60分 | 不符合 | 不符合 |

  @id:适用
  规则: 适用
    依据: 第七条
    背景:
      假如 按下表适用
        | 层级 | 程序 | 省份 | 批次 | 自         | 至         | 规则集         | 依据 |
        | 创新型中小企业 | 认定 | 其余 |      |            | 2026-03-31 | 占比           | 乙文 |
        | 创新型中小企业 | 认定 | 其余 |      | 2026-04-01 |            | 新文（未编码） | 丙文 |
    场景大纲: 适用
      假如 案件如下
        | 层级     | 创新型中小企业   |
        | 填报日期 | <日期> |
      那么 适用“<规则集>”
      例子:
        | 日期          | 规则集         |
        | 2026年3月31日 | 占比           |
        | 2026年4月1日  | 新文（未编码） |
"""


def rulebook(tmp_path: Path, *dropped: str) -> Rulebook:
    text = FEATURE
    for row in dropped:
        assert text.count(row) == 1
        text = text.replace(row, "")
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    return load(tmp_path, base=FEATURES)


def test_examples_at_the_edges_kill_every_mutant(tmp_path: Path) -> None:
    tried: list[str] = []
    assert survivors(rulebook(tmp_path), progress=lambda m: tried.append(str(m))) == []
    assert tried == [
        "占比：第1行 门槛 3% 改为 3.0001%",
        "占比：第1行 门槛 3% 改为 2.9999%",
        "占比：第1行 不低于 改为 不高于",
        "占比：第1行 不低于 改为 高于",
        "注册：第1行 是 与 否 颠倒",
        "得分：「注册品牌件数」第1档 得分 0分 改为 1分",
        "得分：「注册品牌件数」第1档 得分 0分 改为 -1分",
        "得分：「注册品牌件数」界限 1项 改为 2项",
        "得分：「注册品牌件数」界限 1项 改为 0项",
        "得分：「注册品牌件数」第2档 得分 5分 改为 6分",
        "得分：「注册品牌件数」第2档 得分 5分 改为 4分",
        "线：默认 60分 改为 61分",
        "线：默认 60分 改为 59分",
        "用线：第1行 门槛 60分 改为 61分",
        "用线：第1行 门槛 60分 改为 59分",
        "用线：第1行 不低于 改为 不高于",
        "用线：第1行 不低于 改为 高于",
        "用线：第1行 删去",
        "用线：第2行 删去",
        "适用：第1行 删去",
        "适用：第1行 至 2026-03-31 改为 2026-03-30",
        "适用：第1行 至 2026-03-31 改为 2026-04-01",
        "适用：第1行 规则集 改为「新文（未编码）」",
        "适用：第2行 删去",
        "适用：第2行 自 2026-04-01 改为 2026-03-31",
        "适用：第2行 自 2026-04-01 改为 2026-04-02",
        "适用：第2行 规则集 改为「占比」",
        "上年度研发费用占比：div 两项调换",
        "上年度研发费用占比：研发费用总额 T+0年 改为 T-1年",
        "上年度研发费用占比：营业收入总额 T+0年 改为 T-1年",
        "注册品牌件数：「注册」改为恒符合",
    ]


@pytest.mark.parametrize(
    ("dropped", "left"),
    [
        ("        | 3万元      | 符合   |\n", ["占比：第1行 门槛 3% 改为 3.0001%", "占比：第1行 不低于 改为 高于"]),
        ("        | 2.9999万元 | 不符合 |\n", ["占比：第1行 门槛 3% 改为 2.9999%", "上年度研发费用占比：div 两项调换"]),
        ("        | 否   | 0分  |\n", ["得分：「注册品牌件数」第1档 得分 0分 改为 1分", "得分：「注册品牌件数」第1档 得分 0分 改为 -1分", "得分：「注册品牌件数」界限 1项 改为 0项", "注册品牌件数：「注册」改为恒符合"]),
        ("        | 是   | 5分  |\n", ["得分：「注册品牌件数」界限 1项 改为 2项", "得分：「注册品牌件数」第2档 得分 5分 改为 6分", "得分：「注册品牌件数」第2档 得分 5分 改为 4分"]),
        ("        | 60分 | 不符合 | 不符合 |\n", ["用线：第2行 删去"]),
        ("        | 59分 | 符合   | 不符合 |\n", ["用线：第1行 门槛 60分 改为 59分", "用线：第1行 删去"]),
        ("        | 2026年3月31日 | 占比           |\n", ["适用：第1行 删去", "适用：第1行 至 2026-03-31 改为 2026-03-30", "适用：第1行 规则集 改为「新文（未编码）」", "适用：第2行 自 2026-04-01 改为 2026-03-31"]),
    ],
)  # fmt: skip
def test_a_missing_example_lets_mutants_live(tmp_path: Path, dropped: str, left: list[str]) -> None:
    assert [str(m) for m in survivors(rulebook(tmp_path, dropped))] == left


def test_only_some_rules(tmp_path: Path) -> None:
    found = mutants(rulebook(tmp_path), only=["线", "得分"])
    assert list(dict.fromkeys((m.rule, m.path, m.tried) for m in found)) == [
        ("得分", "a.feature", ("得分", "用线")),
        ("线", "a.feature", ("线",)),
        ("注册品牌件数", "a.feature", ("得分",)),
    ]


def test_equivalent_mutants_are_listed(tmp_path: Path) -> None:
    found = survivors(rulebook(tmp_path, "        | 3万元      | 符合   |\n"))
    table = tmp_path / "mutants-equivalent.csv"
    table.write_text(
        "规则,变异,理由\n占比,第1行 不低于 改为 高于,从不相等\n占比,第9行 删去,已改\n",
        encoding="utf-8",
    )
    listed = read_equivalent(table)
    assert listed == {
        ("占比", "第1行 不低于 改为 高于"): "从不相等",
        ("占比", "第9行 删去"): "已改",
    }
    assert [str(m) for m in unlisted(found, listed)] == ["占比：第1行 门槛 3% 改为 3.0001%"]
    assert stale(found, listed) == [("占比", "第9行 删去")]
    assert stale(found, listed, only=["得分"]) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m.csv:1: 表头应为 规则,变异,理由：请改正"),
        ("规则,变异\n", "m.csv:1: 表头应为 规则,变异,理由：请改正"),
        ("规则,变异,理由\n一,二\n", "m.csv:2: 此行缺列、有空白格或重复：请改正"),
        ("规则,变异,理由\n一,二,\n", "m.csv:2: 此行缺列、有空白格或重复：请改正"),
        ("规则,变异,理由\n一,二,三\n一,二,四\n", "m.csv:3: 此行缺列、有空白格或重复：请改正"),
    ],
)
def test_the_list_is_checked(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "m.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(RulesetError) as caught:
        read_equivalent(table)
    assert str(caught.value) == message
