"""Declarations of facts: what a table says, and every way to say it wrong."""

from fractions import Fraction
from pathlib import Path

import pytest

from rules.errors import FactsError
from rules.language.declarations import COLUMNS, written
from rules.language.rulebook import Rulebook, compile_all
from rules.model.catalogue import catalogue_of
from rules.model.facts import Fact
from rules.tests.packaged import catalogue

HEAD = """# language: zh-CN
@source:示范省工信厅〔2026〕1号
功能: 示范省的填报项

  @id:示范.填报项
  规则: 示范省的填报项
    依据: 第一条

    背景:
      假如 填报项如下
"""
TIERS = """
  @id:示范.层级
  规则: 示范省的层级
    依据: 第一条

    背景:
      假如 层级如下
        | 名称 | 简称 | 标识 |
"""
SHORT = "名称 | 标识 | 类型"
SHARES = f"{SHORT} | 单位 | 期间 | 清单 | 持股对方"
WIDE = " | ".join(COLUMNS)


def compiled(folder: Path, header: str, *rows: str, titles: tuple[str, ...] = ()) -> Rulebook:
    table = "".join(f"        | {row} |\n" for row in (header, *rows))
    tiers = "".join(f"        | {name} | {name} | t{n} |\n" for n, name in enumerate(titles))
    text = HEAD + table + (TIERS + tiers if tiers else "")
    (folder / "a.feature").write_text(text, encoding="utf-8")
    return compile_all(folder)


def row(**cells: str) -> str:
    return " | ".join(cells.get(column, "") for column in COLUMNS)


def test_a_catalogue_survives_its_canonical_text_and_its_tables(tmp_path: Path) -> None:
    assert catalogue_of(catalogue().to_json()) == catalogue()
    rows = (row(**cells) for cells in written(catalogue()))
    again = compiled(tmp_path, WIDE, *rows, titles=catalogue().titles)
    assert again.problems == ()
    assert again.catalogue.records == catalogue().records
    assert again.catalogue.facts == catalogue().facts


def test_a_fact_is_what_its_row_says(tmp_path: Path) -> None:
    one = row(
        名称="绿色产品收入", 标识="green_revenue", 类型="数量", 单位="万元", 期间="会计年度", 下限="0",
        上限="1亿元", 属于="营收", 企业可影响="否", 佐证="审计报告", 说明="不含税",
    )  # fmt: skip
    whole = row(名称="营收", 标识="sales", 类型="数量", 单位="万元", 期间="会计年度", 下限="0")
    found = compiled(tmp_path, WIDE, one, whole)
    assert found.problems == ()
    assert found.catalogue.fact("绿色产品收入") == Fact(
        "green_revenue",
        "绿色产品收入",
        "number",
        "万元",
        yearly=True,
        minimum=Fraction(0),
        maximum=Fraction(100_000_000),
        part_of="sales",
        fixed=True,
        evidence="审计报告",
        note="不含税",
    )
    assert found.catalogue.period_fact("上年度绿色产品收入") == (
        found.catalogue.fact("green_revenue"),
        0,
    )


def test_a_share_names_the_title_of_the_other_enterprise(tmp_path: Path) -> None:
    found = compiled(tmp_path, SHARES, "与甲类的持股 | a | 数量 | % | | | 甲类", titles=("甲类",))
    assert found.problems == ()
    assert found.catalogue.fact("a").share_with == "甲类"


RULES = """
  @id:示范.指标
  规则: 示范省的指标
    依据: 第一条

    背景:
      假如 指标按下式计算
        | 指标     | 单位 | 算式         |
        | 持股两倍 | %    | 与甲类的持股 × 2 |

  @id:示范.标准
  规则: {title}
    依据: 第一条

    背景:
      假如 {sentence}
        {columns}
        {row}

    场景: 未填
      那么 {result}
"""
SHARE_ROW = "与甲类的持股 | a | 数量 | % | | | 甲类"
CASES = ("满足下列任一情形即为符合", "| 情形 | 指标 | 要求 | 门槛 |", "结论为“材料不足”")


@pytest.mark.parametrize(
    ("title", "sentence", "row", "right"),
    [
        ("与甲类的持股不高于40%", CASES, "| 一 | 与甲类的持股 | 不高于 | 40% |", True),
        ("持股两倍不高于40%", CASES, "| 一 | 持股两倍 | 不高于 | 40% |", False),
        (
            "与甲类的持股按档计分",
            ("按下表计分，边界按高分", "| 指标 | 下限 | 上限 | 得分 |", "得分为“5分”"),
            "| 与甲类的持股 | | | 5分 |",
            False,
        ),
    ],
    ids=["compared", "in a formula", "in bands"],
)
def test_a_share_that_holdings_prove_is_compared_with_a_threshold(
    tmp_path: Path, title: str, sentence: tuple[str, str, str], row: str, right: bool
) -> None:
    """Otherwise no threshold would say which holdings are control."""
    compiled(tmp_path, SHARES, SHARE_ROW, titles=("甲类",))
    file = tmp_path / "a.feature"
    words, columns, result = sentence
    more = RULES.format(title=title, sentence=words, columns=columns, row=row, result=result)
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    said = [p.message for p in compile_all(tmp_path).problems]
    assert said == ([] if right else [said[0]])
    assert right or said[0].startswith(
        "「与甲类的持股」由登记的持股证明，只能在情形中直接与一个比例相比"
    )


def test_a_list_of_records_has_fields(tmp_path: Path) -> None:
    table = "名称 | 标识 | 类型 | 取值 | 清单"
    kinds = "类别 | kind | 类别 | 甲类、乙类 | 绿色工厂"
    found = compiled(tmp_path, table, "绿色工厂 | green | 清单 | | ", kinds)
    assert found.problems == ()
    kind = found.catalogue.record_kind("绿色工厂")
    assert (kind.id, kind.fields) == (
        "green",
        (Fact("kind", "类别", "code", codes=("甲类", "乙类")),),
    )


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("名称 | 类型", ["甲 | 是否"], "11: 表头缺少标识：请补列"),
        ("名称 | 标识 | 类形", ["甲 | a | 是否"], "11: 表头「类形」不认识（相近的有「类型」）"),
        ("标识 | 名称 | 类型", ["a | 甲 | 是否"], "11: 表头的次序应为：名称 | 标识 | 类型"),
        (SHORT, ["甲 | A | 是否"], "12: 标识「A」应为小写字母、数字和下划线"),
        (SHORT, ["甲 | a b | 是否"], "12: 标识「a b」应为小写字母"),
        (SHORT, [" | a | 是否"], "12: 名称「」不能用"),
        (SHORT, ["甲×乙 | a | 是否"], "12: 名称「甲×乙」不能用，不能有「×」"),
        (SHORT, ["上年度甲 | a | 是否"], "12: 名称「上年度甲」以期间开头"),
        (SHORT, ["甲 | a | 布尔"], "12: 类型「布尔」不认识：可写数量、是否、类别、日期、文字、清单"),
        (SHORT, ["甲 | a | 是否", "甲 | b | 是否"], "13: 名称「甲」与 a.feature:12 重复"),
        (SHORT, ["甲 | a | 是否", "乙 | a | 是否"], "13: 标识「a」与 a.feature:12 重复"),
        (SHORT, ["甲 | a | 数量"], "12: 单位「」不认识"),
        (SHORT, ["甲 | a | 类别"], "12: 类别应在取值一列写出各类"),
        (SHORT, ["甲 | a | 清单"], "12: 清单「甲」没有字段"),
        (f"{SHORT} | 单位", ["甲 | a | 数量 | 亿元"], "12: 填报项的单位不用「亿元」：请写万元"),
        (f"{SHORT} | 单位", ["甲 | a | 是否 | 项"], "12: 类型为「是否」的不写单位：请留空"),
        (f"{SHORT} | 取值", ["甲 | a | 类别 | 一；一"], "12: 取值有空的或重复的一类"),
        (f"{SHORT} | 取值", ["甲 | a | 类别 | 一"], "12: 取值只有「一」一类"),
        (f"{SHORT} | 取值", ["甲 | a | 是否 | 一；二"], "12: 只有类别才写取值"),
        (f"{SHORT} | 期间", ["甲 | a | 是否 | 会计年度"], "12: 按年度填报的只能是数量"),
        (f"{SHORT} | 单位 | 期间", ["甲 | a | 数量 | 人 | 年度"], "12: 期间「年度」不认识（相近的有「会计年度」、「自然年度」）：可写会计年度、自然年度，或留空"),
        (f"{SHORT} | 单位 | 下限", ["甲 | a | 数量 | 万元 | 5"], "12: 「5」不是可识别的数量"),
        (f"{SHORT} | 单位 | 下限", ["甲 | a | 数量 | 万元 | 5人"], "12: 下限「5人」的单位与「万元」不符"),
        (f"{SHORT} | 单位 | 下限 | 上限", ["甲 | a | 数量 | 人 | 5 | 5"], "12: 下限应小于上限"),
        (f"{SHORT} | 清单", ["甲 | a | 是否 | 乙"], "12: 清单「乙」没有声明"),
        (f"{SHORT} | 由谁", ["甲 | a | 是否 | 审核"], "12: 由谁「审核」不认识（相近的有「审核人」）"),
        (f"{SHORT} | 单位 | 属于", ["甲 | a | 数量 | 人 | 乙"], "12: 属于「乙」：没有这个填报项"),
        (SHARES, ["甲 | a | 数量 | 人 | | | 丙"], "12: 写持股对方的是一个比例：请把单位改为 %"),
        (SHARES, ["甲 | a | 数量 | % | 会计年度 | | 丙"], "12: 写持股对方的是一个比例"),
        (SHARES, ["甲 | a | 是否 | | | | 丙"], "12: 类型为「是否」的不写持股对方：请留空"),
        (SHARES, ["甲 | a | 清单 | | | |", "乙 | b | 是否 | | | 甲 |", "丁 | c | 数量 | % | | 甲 | 丙"], "14: 清单的字段不写期间、属于和持股对方"),
        (SHARES, ["甲 | a | 数量 | % | | | 丙"], "12: 持股对方「丙」不是已声明的称号：请改正，或留空"),
        (
            f"{SHORT} | 单位 | 属于",
            ["甲 | a | 数量 | 人 | 乙", "乙 | b | 数量 | 人 | 甲"],
            "12: 属于「乙」：循环",
        ),
        (
            f"{SHORT} | 单位 | 属于",
            ["甲 | a | 数量 | 人 | 乙", "乙 | b | 数量 | 万元 | "],
            "12: 属于「乙」：单位或期间不同",
        ),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, header: str, rows: list[str], said: str) -> None:
    found = [str(p) for p in compiled(tmp_path, header, *rows).problems]
    assert found[0].startswith(f"a.feature:{said}")


def test_a_declaration_has_no_examples_and_is_no_indicator(tmp_path: Path) -> None:
    example = "\n    场景: 甲\n      假如 企业填报\n        | 甲 | 是 |\n      那么 结论为“符合”\n"
    (tmp_path / "a.feature").write_text(
        f"{HEAD}        | {SHORT} |\n        | 甲 | a | 是否 |\n{example}", encoding="utf-8"
    )
    [problem] = compile_all(tmp_path).problems
    assert problem.message == "声明之下不写场景：请把例子写在使用它的规则之下"


def test_an_altered_catalogue_is_refused() -> None:
    plain = catalogue().to_json()
    with pytest.raises(FactsError, match="填报项目录的格式版本2不为本程序所知"):
        catalogue_of({**plain, "schema": 2})
    with pytest.raises(FactsError, match="不完整或被改动"):
        catalogue_of({**plain, "facts": [{"id": "a"}]})
