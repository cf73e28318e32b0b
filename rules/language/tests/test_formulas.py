"""Formulas in words: what each sign and function compiles to, every refusal, and the way back."""

from collections.abc import Iterable
from datetime import date
from functools import reduce
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.readings import years_between
from rules.language.formulas import (
    FUNCTIONS,
    Declared,
    Formula,
    FormulaError,
    Names,
    check_name,
    check_unit,
    filed_names,
    parse_formula,
    written,
)
from rules.language.formulas.algebra import COMPUTED
from rules.language.formulas.meaning import PLAIN
from rules.model.expressions import (
    add,
    as_of,
    bounded,
    calendar_years,
    const,
    count,
    days,
    div,
    else_found,
    else_known,
    fact,
    field,
    least,
    lookup,
    new_year,
    sub,
    total,
    year,
    year_number,
    years,
)
from rules.model.ruleset import Expr
from rules.tests.packaged import catalogue, rulebook

RULES = {
    "63.4.高价值": "ip",
    "63.4.自主研发": "ip",
    "63.4.Ⅰ类": "ip",
    "63.4.Ⅱ类": "ip",
    "63.4.效益Ⅰ类": "ip",
    "2026.4.效益Ⅰ类": "ip",
    "63.4.近三年融资": "financing",
    "63.4.近两年融资": "financing",
    "63.4.自主品牌": "brands",
    "63.2.年限": "",
}


def names(records: str = "", **more: Formula) -> Names:
    return filed_names(catalogue(), records, rules=RULES, maps=("gbt4754",), more=more)


KNOWN = names()

#: Today's indicators: unit and formula in words, by list and name.
WRITTEN = {
    "上年度研发费用占比": ("%", "上年度研发费用总额 ÷ 上年度营业收入总额"),
    "上上年度研发费用占比": ("%", "上上年度研发费用总额 ÷ 上上年度营业收入总额"),
    "上年度主营业务收入增长率": ("%", "增长率（上年度主营业务收入总额）"),
    "近2年主营业务收入平均增长率": (
        "%",
        "平均（增长率（上年度主营业务收入总额），增长率（上上年度主营业务收入总额））",
    ),
    "上年度末资产负债率": ("%", "上年度负债总额 ÷ 上年度资产总额"),
    "上年度主营业务收入占比": ("%", "上年度主营业务收入总额 ÷ 上年度营业收入总额"),
    "上年度净利润率": ("%", "上年度净利润总额 ÷ 上年度营业收入总额"),
    "上年度研发人员占比": ("%", "上年度研发人员 ÷ 上年度从业人员"),
    "近2年研发费用平均额": ("万元", "平均（上年度研发费用总额，上上年度研发费用总额）"),
    "上年度与再上年度营业收入之比": ("%", "上年度营业收入总额 ÷ 再上年度营业收入总额"),
    "近2年研发费用合计": ("万元", "上年度研发费用总额 + 上上年度研发费用总额"),
    "从事细分市场年限": ("年", "足年（进入细分市场日期，本年1月1日）"),
    "Ⅰ类高价值知识产权数": (
        "项",
        "受限于（件数（63.4.高价值，或 Ⅰ类高价值知识产权总数），上限 件数（63.4.Ⅰ类，或 Ⅰ类知识产权总数））",
    ),
    "自主研发Ⅰ类知识产权数": (
        "项",
        "受限于（件数（63.4.自主研发，或 自主研发Ⅰ类知识产权总数），上限 件数（63.4.Ⅰ类，或 Ⅰ类知识产权总数））",
    ),
    "Ⅰ类知识产权数": (
        "项",
        "受限于（件数（63.4.Ⅰ类，或 Ⅰ类知识产权总数），下限 件数（63.4.高价值，或 Ⅰ类高价值知识产权总数），"
        "下限 件数（63.4.自主研发，或 自主研发Ⅰ类知识产权总数），下限 件数（63.4.效益Ⅰ类，或 已应用并产生效益的Ⅰ类知识产权总数））",
    ),
    "Ⅱ类知识产权数": ("项", "件数（63.4.Ⅱ类，或 Ⅱ类知识产权总数）"),
    "应用并产生效益的Ⅰ类知识产权数": (
        "项",
        "受限于（件数（63.4.效益Ⅰ类，或 已应用并产生效益的Ⅰ类知识产权总数），上限 件数（63.4.Ⅰ类，或 Ⅰ类知识产权总数））",
    ),
    "应用并产生效益的自主申请Ⅰ类知识产权数": (
        "项",
        "受限于（件数（2026.4.效益Ⅰ类，或 已应用并产生效益的自主申请Ⅰ类知识产权总数），"
        "上限 已应用并产生效益的Ⅰ类知识产权总数，上限 Ⅰ类知识产权总数）",
    ),
    "近三年新增股权融资额": (
        "万元",
        "受限于（合计（63.4.近三年融资，实缴金额，或 近三年新增股权融资总额），"
        "下限 合计（63.4.近两年融资，实缴金额，或 近两年新增股权融资总额））",
    ),
    "近两年新增股权融资额": (
        "万元",
        "受限于（合计（63.4.近两年融资，实缴金额，或 近两年新增股权融资总额），"
        "上限 合计（63.4.近三年融资，实缴金额，或 近三年新增股权融资总额））",
    ),
    "自主品牌数": ("项", "最小（件数（63.4.自主品牌，或 自主品牌），1）"),
    "质量管理水平满足项数": (
        "项",
        "省级以上质量奖 + 管理体系认证 + 最小（件数（63.4.自主品牌，或 自主品牌），1） + 参与制修订标准",
    ),
    "生产创新满足项数": (
        "项",
        "近三年省级以上首台套等创新产品 + 省级创新大赛获奖 + 自有核心技术工艺配方 + 属新技术新产业新业态新模式"
        " + 最小（境外并购或设立境外研发机构 + 发达国家和地区产品认证，1） + 推行精益生产",
    ),
    "划型行业": (
        "类别",
        "未知时取（无法计算时取（查表（gbt4754，行业代码），认定划型行业），认定划型行业，申报划型行业）",
    ),
    "titles.称号起始日": ("日期", "未知时取（称号有效期始，填报日）"),
    "institutions.列入研发机构清单": ("是否", "是"),
    "ip.受让至填报年限": ("年", "足年（受让日期，填报日）"),
    "ip.授权至填报年限": ("年", "足年（授权日期，填报日）"),
    "financing.实缴距填报年度数": ("年", "年度差（实缴日期，填报日）"),
    "awards.发证距填报年度数": ("年", "年度差（发证日期，填报日）"),
    "competitions.公布距填报年度数": ("年", "年度差（名单公布日期，填报日）"),
    "competitions.公布年份": ("年", "年份（名单公布日期）"),
}


#: The same as the packaged feature files declare them.
INDICATORS = tuple(rulebook().indicators[key] for key in WRITTEN)
#: Those that are shorter by the names of others.
BY_NAMES = {
    "近2年主营业务收入平均增长率": "平均（上年度主营业务收入增长率，增长率（上上年度主营业务收入总额））",
    "近2年研发费用平均额": "近2年研发费用合计 ÷ 2",
    "质量管理水平满足项数": "省级以上质量奖 + 管理体系认证 + 自主品牌数 + 参与制修订标准",
}


def test_the_indicators_of_the_house_can_all_be_written() -> None:
    keys = [f"{i.records}.{i.name}" if i.records else i.name for i in INDICATORS]
    assert list(WRITTEN) == keys
    for indicator, (unit, text) in zip(INDICATORS, WRITTEN.values(), strict=True):
        known = names(indicator.records)
        formula = parse_formula(text, known)
        expr = days(as_of(), formula.expr) if formula.kind == "date" else formula.expr
        assert (expr, formula.kind) == (indicator.expr, indicator.kind)
        check_unit(formula, unit)
        assert written(formula.expr, known, unit=unit) == text


M, N, P = year("rd_expense"), year("revenue"), year("staff")
SHARE = fact("market_share")
AWARD, BRAND = fact("quality_award"), fact("own_brand")
LIFETIME = (date(2019, 12, 1), date(2024, 4, 1))
BEGUN, UNTIL = fact("segment_entry"), fact("tech_title_until")


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        # signs of either width, brackets and precedence
        ("上年度研发费用总额 + 上年度营业收入总额", add(M, N)),
        ("上年度研发费用总额＋上年度营业收入总额+上年度研发费用总额", add(M, N, M)),
        ("上年度研发费用总额+(上年度营业收入总额+上年度研发费用总额)", add(M, add(N, M))),
        ("（上年度研发费用总额 + 上年度营业收入总额） + 上年度研发费用总额", add(add(M, N), M)),
        ("上年度研发费用总额 − 上年度营业收入总额 - 上年度研发费用总额", sub(sub(M, N), M)),
        ("上年度研发费用总额 － （上年度营业收入总额 – 上年度研发费用总额）", sub(M, sub(N, M))),
        ("上年度研发费用总额 + 上年度营业收入总额 − 100万元", sub(add(M, N), const("1000000"))),
        ("上年度研发费用总额/上年度从业人员÷2", div(div(M, P), const("2"))),
        ("上年度研发费用总额 × 3", ("mul", M, const("3"))),
        ("2 * 上年度研发费用总额", ("mul", const("2"), M)),
        ("上年度研发费用总额 × 50%", ("mul", M, const("1/2"))),
        ("上年度研发费用总额 − 上年度营业收入总额 × 10%", sub(M, ("mul", N, const("1/10")))),
        ("0 − 上年度净利润总额", sub(const("0"), year("net_profit"))),
        ("全国细分市场占有率 − −5%", sub(SHARE, const("-1/20"))),
        ("（（上年度从业人员））", P),
        # numbers
        ("0.5", const("1/2")),
        ("10%", const("1/10")),
        ("−2", const("-2")),
        ("是", const("1")),
        ("否", const("0")),
        # functions
        ("合计(上年度研发费用总额,上年度营业收入总额)", add(M, N)),
        ("合计（省级以上质量奖，自主品牌，1）", add(AWARD, BRAND, const("1"))),
        ("占比（上年度研发费用总额，上年度营业收入总额）", div(M, N)),
        ("平均（上年度研发费用总额，上年度营业收入总额，0元）", div(add(M, N, const("0")), const("3"))),
        ("增长率（上年度营业收入总额）", div(sub(N, year("revenue", -1)), year("revenue", -1))),
        ("增长率（上年度研发费用总额，上年度营业收入总额）", div(sub(M, N), N)),
        ("最小（上年度研发费用总额，上年度营业收入总额，1亿元）", least(least(M, N), const("100000000"))),
        (
            "最大（上年度研发费用总额，上年度营业收入总额，0）",
            ("most", ("most", M, N), const("0")),
        ),
        ("受限于（上年度研发费用总额，上限上年度营业收入总额，下限 0）", bounded(M, (const("0"),), (N,))),
        ("未知时取（上年度研发费用总额，上年度营业收入总额，5元）", else_known(else_known(M, N), const("5"))),
        ("未知时取（省级以上质量奖，否）", else_known(AWARD, const("0"))),
        ("无法计算时取（全国细分市场占有率，国际细分市场占有率）", else_found(SHARE, fact("international_share"))),
        ("件数（63.4.Ⅰ类）", count("ip", "63.4.Ⅰ类")),
        ("件数（63.4.自主品牌，或自主品牌）", count("brands", "63.4.自主品牌", "own_brand")),
        ("合计（63.4.近两年融资，实缴金额）", total("financing", "amount", "63.4.近两年融资")),
        ("查表（gbt4754，行业代码）", lookup("gbt4754", fact("industry_code"))),
        # dates
        ("进入细分市场日期", BEGUN),
        ("天数（进入细分市场日期，填报日）", days(BEGUN, as_of())),
        ("足年（进入细分市场日期，上年1月1日）", years(BEGUN, new_year(-1))),
        ("年度差（前3年1月1日，进入细分市场日期）", calendar_years(new_year(-3), BEGUN)),
        (
            "足年（最早（进入细分市场日期，科技型中小企业称号有效期至），填报日）",
            ("most", years(BEGUN, as_of()), years(UNTIL, as_of())),
        ),
        (
            "天数（填报日，最早（进入细分市场日期，最晚（科技型中小企业称号有效期至，本年1月1日）））",
            least(
                days(as_of(), BEGUN),
                ("most", days(as_of(), UNTIL), days(as_of(), new_year(0))),
            ),
        ),
        (
            "年份（最晚（进入细分市场日期，科技型中小企业称号有效期至））",
            ("most", year_number(BEGUN), year_number(UNTIL)),
        ),
        ("足年（2020年1月1日，进入细分市场日期）", years(("day", "2020-01-01"), BEGUN)),
        ("年份（进入细分市场日期） − 2020年", sub(year_number(BEGUN), const("2020"))),
    ],
)  # fmt: skip
def test_what_a_formula_compiles_to(text: str, expr: Expr) -> None:
    known = names()
    assert parse_formula(text, known).expr == expr
    assert parse_formula(written(expr, known), known).expr == expr


@pytest.mark.parametrize(
    ("text", "kind", "dimension"),
    [
        ("上年度研发费用总额 ÷ 上年度营业收入总额", "number", "比例"),
        ("上年度营业收入总额 ÷ 上年度从业人员", "number", "金额"),
        ("上年度营业收入总额 ÷ 足年（进入细分市场日期，填报日）", "number", "金额"),
        ("上年度研发人员 ÷ 上年度从业人员", "number", "比例"),
        ("上年度营业收入总额 × 50%", "number", "金额"),
        ("全国细分市场占有率 × 上年度营业收入总额", "number", "金额"),
        ("上年度从业人员 × 全国细分市场占有率", "number", "人"),
        ("省级以上质量奖 × 上年度从业人员", "number", "人"),
        ("上年度营业收入总额 × 省级以上质量奖", "number", "金额"),
        ("2 × 省级以上质量奖", "number", "项"),
        ("省级以上质量奖 + 自主品牌", "number", "项"),
        ("最小（省级以上质量奖，自主品牌）", "flag", ""),
        ("最小（省级以上质量奖，1）", "number", "项"),
        ("自主品牌", "flag", ""),
        ("合计（63.4.近两年融资，实缴金额）", "number", "金额"),
        ("天数（进入细分市场日期，填报日）", "number", "天"),
        ("未知时取（认定划型行业，申报划型行业）", "code", ""),
        ("未知时取（进入细分市场日期，填报日）", "date", ""),
        ("3", "number", PLAIN),
    ],
)
def test_what_a_formula_yields(text: str, kind: str, dimension: str) -> None:
    formula = parse_formula(text, names())
    assert (formula.kind, formula.dimension) == (kind, dimension)


def test_an_indicator_is_inlined_and_named_again() -> None:
    share = parse_formula("上年度研发费用总额 ÷ 上年度营业收入总额", names())
    known = names(研发占比=share)
    formula = parse_formula("最小（研发占比，10%） − 1%", known)
    assert formula.expr == sub(least(div(M, N), const("1/10")), const("1/100"))
    assert written(formula.expr, known) == "最小（研发占比，0.1） − 0.01"
    assert written(share.expr, known) == "上年度研发费用总额 ÷ 上年度营业收入总额"


def test_an_alias_yields_to_what_it_names() -> None:
    known = names(别名=Formula(M, dimension="金额"))
    assert written(div(M, N), known) == f"{A} ÷ {R}"


def test_every_function_is_documented_and_made() -> None:
    apart = {"件数", "查表", "受限于", "复合增长率"}
    assert FUNCTIONS.keys() == COMPUTED.keys() | apart
    assert all(usage.startswith(f"{name}（") for name, usage in FUNCTIONS.items())


def test_a_field_of_the_record_at_hand() -> None:
    assert parse_formula("实缴金额 ÷ 2", names("financing")).expr == div(
        field("amount"), const("2")
    )
    with pytest.raises(FormulaError, match="没有名为「实缴金额」"):
        parse_formula("实缴金额 ÷ 2", names())


@given(st.dates(*LIFETIME), st.dates(*LIFETIME), st.dates(*LIFETIME))
def test_the_longest_span_is_that_from_the_earliest_day(a: date, b: date, end: date) -> None:
    assert years_between(min(a, b), end) == max(years_between(a, end), years_between(b, end))
    assert years_between(end, min(a, b)) == min(years_between(end, a), years_between(end, b))


def test_compound_growth_is_a_ratio_and_a_root() -> None:
    known = names()
    formula = parse_formula("复合增长率（上年度营业收入总额，2年）", known)
    assert formula == Formula(div(N, year("revenue", -2)), "number", "比例", 2)
    words = written(formula.expr, known, root=formula.root)
    assert words == "复合增长率（上年度营业收入总额，2）"
    assert parse_formula(words, known) == formula
    check_unit(formula, "%")


def test_indicators_may_name_one_another_in_any_order() -> None:
    texts = {name: text for name, (_, text) in WRITTEN.items() if "." not in name}
    declared = Declared({**dict(reversed(texts.items())), **BY_NAMES}, names())
    exprs = {i.name: i.expr for i in INDICATORS if not i.records}
    assert {name: declared[name].expr for name in texts} == exprs
    for name, text in BY_NAMES.items():
        assert written(exprs[name], declared.names) == text


def test_faults_of_indicators_that_name_one_another() -> None:
    texts = {
        "甲": "乙 + 1元",
        "乙": "丙",
        "丙": "甲",
        "丁": "甲 ÷ 2",
        "戊": "己 ÷ 2",
        "己": "庚",
        R: "1元",
    }
    declared = Declared(texts, names())
    for name, said in {
        "甲": "指标「甲」的算式经由「甲」、「乙」、「丙」引用自身：请断开循环",
        "丙": "指标「丙」的算式经由「丙」、「甲」、「乙」引用自身：请断开循环",
        "丁": "指标「甲」的算式经由「甲」、「乙」、「丙」引用自身：请断开循环",
        "戊": "所引的指标「己」的算式有误：请先改正它",
        "己": "算式第1字处：没有名为「庚」的填报项或指标：请查对名称",
    }.items():
        with pytest.raises(FormulaError) as refused:
            declared[name]
        assert str(refused.value) == said
    assert declared[R].expr == N
    assert R in declared
    assert len(declared) == len(list(declared)) == len(names().values) + 6
    with pytest.raises(KeyError):
        declared["庚"]


R, A = "上年度营业收入总额", "上年度研发费用总额"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # signs and places
        ("", "1字处：此处应为名称、数量、函数或「（」，却是算式结尾"),
        ("{A} +", "12字处：此处应为名称、数量、函数或「（」，却是算式结尾"),
        ("+ {A}", "1字处：此处应为名称、数量、函数或「（」，却是「+」"),
        ("{A} {R}", "11字处：「{R}」之前缺少运算符或逗号"),
        ("{A}（1）", "1字处：「{A}」不是函数，后面不能有括号"),
        ("（{A}", "11字处：缺少「）」，与第1字处的「（」成对"),
        ("{A}）", "10字处：多了一个「）」，没有与它成对的「（」"),
        ("平均（{A}", "13字处：缺少「）」，与第3字处的「（」成对"),
        ("{A}，1", "10字处：多了一个「，」：逗号只分隔函数的各项"),
        (
            "{A} ＝ 1元",
            "11字处：算式中不能有「＝」：可用的有 + − × ÷、括号、逗号、名称、数量和函数",
        ),
        ("{A}；1", "10字处：算式中不能有「；」：可用的有 + − × ÷、括号、逗号、名称、数量和函数"),
        ("{A} ÷ １０", "13字处：「１」是全角字符，请改为半角"),
        ("1 2", "3字处：「2」之前缺少运算符或逗号"),
        ("100 万元", "5字处：数字与单位「万元」之间不能有空格"),
        ("平均（1,000万元，{A}）", "5字处：数字不用逗号分节；若此处是两项，请在逗号后空一格"),
        ("−{A}", "1字处：「−」之前缺少被减数：求相反数请写 0 − …"),
        ("（（（（（（（（（（（（（（（（（（（（（{A}", "21字处：括号套得太深：请拆成几个指标"),
        # names and quantities
        ("研发费用总额 ÷ 2", "1字处：没有名为「研发费用总额」的填报项或指标，相近的有「{A}」"),
        ("甲", "1字处：没有名为「甲」的填报项或指标：请查对名称"),
        (
            "{A} − 100美元",
            "13字处：「100美元」不是可识别的数量：单位应为元、万元、亿元、%、个百分点、年、天、项、人、分、级、名、件、家、次",
        ),
        ("63.4.高价值 + 1", "1字处：「63.4.高价值」是规则，不是数：请写 件数（63.4.高价值）"),
        ("63.4.高价直", "1字处：没有名为「63.4.高价直」的填报项或指标，相近的有「63.4.高价值」"),
        ("63.2.年限", "1字处：「63.2.年限」是规则，不能用在算式中"),
        ("{A} + 行业代码", "13字处：「行业代码」是文字：不能相加"),
        ("平均", "1字处：函数「平均」之后应为括号，写成 平均（甲，乙，…）"),
        (
            "平均值（{A}，1元）",
            "1字处：没有名为「平均值」的函数：可用的有合计、平均、件数、占比、增长率、复合增长率、最大、最小、"
            "受限于、未知时取、无法计算时取、查表、足年、天数、年度差、最早、最晚、年份",
        ),
        (
            "未知时取（最早（进入细分市场日期，填报日），填报日）",
            "6字处：「最早（进入细分市场日期，填报日）」是日期：最早、最晚 只能用在 足年、天数、年度差、年份 中",
        ),
        (
            "最晚（进入细分市场日期，填报日）",
            "1字处：「最晚（进入细分市场日期，填报日）」是日期：最早、最晚 只能用在 足年、天数、年度差、年份 中",
        ),
        ("最早（进入细分市场日期，{A}）", "13字处：「{A}」是金额：此处应为日期"),
        (
            "天数（最早（进入细分市场日期，填报日），进入细分市场日期）",
            "1字处：两个日期中，至少一个应为 填报日、本年1月1日 这样的定日",
        ),
        ("足年（进入细分市场日期，2023年2月30日）", "13字处：没有「2023年2月30日」这一天"),
        ("足年（进入细分市场日期，1800年1月1日）", "13字处：没有「1800年1月1日」这一天"),
        # dimensions
        (
            "{A} + 全国细分市场占有率",
            "13字处：「全国细分市场占有率」是比例，「{A}」是金额，不能相加",
        ),
        ("{A} + 1", "13字处：「1」没有单位，不能与「{A}」相加：请写明单位"),
        ("填报日 + 1天", "1字处：「填报日」是日期：不能相加"),
        ("认定划型行业 × 2", "1字处：「认定划型行业」是类别：不能相乘"),
        ("1 + 1", "1字处：各项都是固定的数，不用相加：请直接写出结果"),
        ("最小（1，2）", "4字处：各项都是固定的数，不用比较：请直接写出结果"),
        (
            "足年（进入细分市场日期，填报日） × {R}",
            "20字处：「足年（进入细分市场日期，填报日）」是年数，不能乘以「{R}」，它是金额",
        ),
        ("{A} × {R}", "13字处：「{A}」是金额，不能乘以「{R}」，它是金额"),
        ("{A} × 2万元", "13字处：「2万元」不能作倍数或除数：应为大于零、不带单位的数"),
        ("{A} ÷ 0", "13字处：「0」不能作倍数或除数：应为大于零、不带单位的数"),
        ("{A} ÷ 100万元", "13字处：「100万元」不能作倍数或除数：应为大于零、不带单位的数"),
        ("1 ÷ {A}", "1字处：「1」是没有单位的数：固定的数不能作被除数"),
        (
            "全国细分市场占有率 ÷ {A}",
            "13字处：「全国细分市场占有率」是比例，不能除以「{A}」，它是金额",
        ),
        ("行业代码", "1字处：「行业代码」是文字：文字只能用在 查表 中"),
        # functions
        ("平均（）", "1字处：「平均」的各项不合：应写成 平均（甲，乙，…）"),
        ("平均（{A}）", "1字处：「平均」的各项不合：应写成 平均（甲，乙，…）"),
        ("占比（{A}）", "1字处：「占比」的各项不合：应写成 占比（甲，乙）"),
        (
            "增长率（全国细分市场占有率）",
            "5字处：「全国细分市场占有率」是比例：此处应为年度数据，例如以 上年度 开头的填报项",
        ),
        (
            "增长率（前四年度营业收入总额）",
            "5字处：「前四年度营业收入总额」之前1年的数据不在填报之列：可填报的年度有本年度、上年度、上上年度、再上年度、前四年度",
        ),
        ("增长率（{A}，1元）", "15字处：「1元」是金额：增长率应由两个数据计算"),
        (
            "复合增长率（{A}）",
            "1字处：「复合增长率」的各项不合：应写成 复合增长率（年度数据，年数）",
        ),
        ("复合增长率（{A}，两年）", "17字处：此处应为年数，例如 2，却是「两年」"),
        ("复合增长率（{A}，1）", "17字处：一年的增长率请写 增长率（…）"),
        (
            "复合增长率（{A}，4）",
            "7字处：「{A}」之前4年的数据不在填报之列：可填报的年度有本年度、上年度、上上年度、再上年度、前四年度",
        ),
        (
            "复合增长率（{A}，2） + 1",
            "1字处：「复合增长率（{A}，2）」是复合增长率：它不是有理数，只能单独成式，不能参加运算",
        ),
        (
            "平均（两年复合增长率，10%）",
            "4字处：「两年复合增长率」是复合增长率：它不是有理数，只能单独成式，不能参加运算",
        ),
        ("受限于（{A}）", "1字处：「受限于」的各项不合：应写成 受限于（甲，下限 乙，上限 丙，…）"),
        ("受限于（{A}，{R}）", "15字处：此处应为「下限」或「上限」，却是「{R}」"),
        ("受限于（{A}，上限 5）", "18字处：「5」没有单位，不能与「{A}」比较：请写明单位"),
        (
            "未知时取（认定划型行业，{A}）",
            "13字处：「{A}」是金额，「认定划型行业」是类别，不能互相替代",
        ),
        (
            "未知时取（上年度从业人员，认定划型行业）",
            "14字处：「认定划型行业」是类别，「上年度从业人员」是人数，不能互相替代",
        ),
        (
            "无法计算时取（进入细分市场日期，1）",
            "8字处：「进入细分市场日期」是日期：日期不会无法计算，请用 未知时取",
        ),
        ("未知时取（行业代码，行业代码）", "6字处：「行业代码」是文字：文字只能用在 查表 中"),
        (
            "无法计算时取（进入细分市场日期，填报日）",
            "8字处：「进入细分市场日期」是日期：日期不会无法计算，请用 未知时取",
        ),
        ("足年（{A}，填报日）", "4字处：「{A}」是金额：此处应为日期"),
        (
            "天数（进入细分市场日期，科技型中小企业称号有效期至）",
            "1字处：两个日期中，至少一个应为 填报日、本年1月1日 这样的定日",
        ),
        ("年份（{A}）", "4字处：「{A}」是金额：此处应为日期"),
        # records and maps
        (
            "件数（63.2.年限）",
            "4字处：规则「63.2.年限」不逐条适用于清单的记录，不能计数：应为标有 @对象 的规则",
        ),
        ("件数（63.4.高价）", "4字处：没有名为「63.4.高价」的规则，相近的有「63.4.高价值」"),
        ("件数（（1））", "4字处：此处应为规则的名称或编号，却是「（」"),
        ("合计（63.4.近两年融资，", "15字处：此处应为字段的名称或编号，却是算式结尾"),
        ("查表（，行业代码）", "4字处：此处应为对照表的名称或编号，却是「，」"),
        (
            "件数（63.4.Ⅰ类，Ⅰ类知识产权总数）",
            "1字处：「件数」的各项不合：应写成 件数（规则编号，或 申报总数）",
        ),
        ("件数（63.4.Ⅰ类，或 {R}）", "14字处：「{R}」不能作申报总数：应为以项计的填报项，不分年度"),
        (
            "合计（63.4.近两年融资）",
            "1字处：「合计」的各项不合：应写成 合计（甲，乙，…），或 合计（规则编号，字段，或 申报总数）",
        ),
        ("合计（63.4.近两年融资，金额）", "15字处：没有名为「金额」的字段，相近的有「实缴金额」"),
        (
            "合计（63.4.近两年融资，实缴日期）",
            "15字处：「实缴日期」不能逐条相加：应为不会小于零的数量字段",
        ),
        (
            "合计（63.4.近两年融资，实缴金额，或 Ⅰ类知识产权总数）",
            "22字处：「Ⅰ类知识产权总数」不能作申报总数：应为以金额计的填报项，不分年度",
        ),
        ("查表（gbt，行业代码）", "4字处：没有名为「gbt」的对照表，相近的有「gbt4754」"),
        (
            "查表（行业，行业代码）",
            "4字处：没有名为「行业」的对照表：请补上 maps/行业.csv，或改正名称",
        ),
        ("件数（甲）", "4字处：没有名为「甲」的规则：请补写这条规则，或改正编号"),
        ("查表（gbt4754）", "1字处：「查表」的各项不合：应写成 查表（对照表，文字填报项）"),
        (
            "查表（gbt4754，申报划型行业）",
            "12字处：「申报划型行业」是类别：查表所用的应为文字填报项",
        ),
    ],
)
def test_refusals(text: str, said: str) -> None:
    ratio = Formula(div(N, year("revenue", -2)), "number", "比例", 2)
    with pytest.raises(FormulaError) as refused:
        parse_formula(text.format(A=A, R=R), names(两年复合增长率=ratio))
    assert str(refused.value) == f"算式第{said.format(A=A, R=R)}"


def test_a_formula_can_be_too_long_or_too_large() -> None:
    with pytest.raises(FormulaError, match=r"^算式第1001字处：算式过长：请拆成几个指标$"):
        parse_formula("1" * 1001, names())
    wide = parse_formula(f"合计（{'，'.join([A] * 90)}）", names())
    with pytest.raises(FormulaError, match=r"^算式第1字处：算式连同所引的指标过大：请简化$"):
        parse_formula("宽 + 宽 + 宽", names(宽=wide))


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        (
            "上年度研发人员 ÷ 上年度从业人员",
            "万元",
            "算式得比例，单位不能写「万元」：应为%、个百分点",
        ),
        (
            "5",
            "万元",
            "算式得没有单位的数，单位不能写「万元」：应为%、个百分点、项、人、分、级、名、件、家、次",
        ),
        ("自主品牌", "%", "算式得是否项，单位不能写「%」：应为是否、项、件、家、次"),
        ("上年度从业人员", "是否", "算式得人数，单位不能写「是否」：应为人"),
        (
            "未知时取（认定划型行业，申报划型行业）",
            "日期",
            "算式得类别，单位不能写「日期」：应为类别",
        ),
        ("进入细分市场日期", "天", "算式得日期，单位不能写「天」：应为日期"),
        (A, "美元", "算式得金额，单位不能写「美元」：应为元、万元、亿元"),
        ("件数（63.4.Ⅰ类）", "人", "算式得项数，单位不能写「人」：应为项、件、家、次"),
    ],
)
def test_units_that_do_not_fit(text: str, unit: str, said: str) -> None:
    with pytest.raises(FormulaError) as refused:
        check_unit(parse_formula(text, names()), unit)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (A, "亿元"),
        ("5", "项"),
        ("自主品牌", "项"),
        ("自主品牌", "是否"),
        ("件数（63.4.Ⅰ类）", "件"),
    ],
)
def test_units_that_fit(text: str, unit: str) -> None:
    check_unit(parse_formula(text, names()), unit)


@pytest.mark.parametrize(
    "name",
    [
        "省级以上质量奖",
        "近2年研发费用合计",
        "“小巨人”企业",
        "Ⅰ类、Ⅱ类件数",
        "“A/B（1） − C”级次数",
        "M&A数",
    ],
)
def test_names(name: str) -> None:
    check_name(name)
    assert parse_formula(f"（{name}）", names(**{name: Formula(M, dimension="金额")})).expr == M


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("甲 乙", "名称「甲 乙」不能用，不能有「 」："),
        ("甲（乙）", "名称「甲（乙）」不能用，不能有「（」："),
        ("甲２", "名称「甲２」不能用，不能有「２」："),
        ("“甲", "名称「“甲」不能用，不能有「“」："),
        *((name, f"名称「{name}」不能用：请以文字开头") for name in ("", "10%", "2年", "63.4")),
        *((name, f"名称「{name}」在算式中另有含义：请改名$") for name in ("平均", "是", "或", "本年1月1日")),
    ],
)  # fmt: skip
def test_names_that_no_formula_could_name(name: str, said: str) -> None:
    with pytest.raises(FormulaError, match=f"^{said}"):
        check_name(name)


def test_every_name_of_the_catalogue_can_be_named() -> None:
    for known in (names(), *(names(kind.id) for kind in catalogue().records)):
        for name in known.values:
            check_name(name)


# the way back


def folded(node: str, parts: Iterable[Expr]) -> Expr:
    return reduce(lambda a, b: (node, a, b), parts)


class Kind(NamedTuple):
    """What random formulas of one dimension are made of."""

    leaves: tuple[Expr, ...]
    constants: tuple[str, ...]


EARLIER = [year("revenue", -1), year("net_profit", -2), year("rd_expense")]
KINDS = {
    "金额": Kind(
        (*EARLIER, total("financing", "amount", "63.4.近两年融资", "financing_two_years")),
        ("0", "1", "1000000", "-2469/20", "20000"),
    ),
    "项": Kind(
        (AWARD, BRAND, fact("ip_class_two"), count("ip", "63.4.Ⅰ类", "ip_class_one")),
        ("0", "1", "5/2", "-3"),
    ),
    "年": Kind((year_number(BEGUN),), ("0", "2", "5/2")),
    "天": Kind((days(BEGUN, as_of()),), ("0", "30")),
    "比例": Kind((SHARE, div(P, year("staff", -1))), ("0", "1", "1/10", "-1/100")),
}
FACTORS = ("2", "3", "1/2", "10", "1/10", "5/4")
ANCHORS = (as_of(), new_year(0), new_year(-1), new_year(-4), ("day", "2020-02-29"))


@st.composite
def dates(draw: st.DrawFn) -> Expr:
    parts = st.lists(st.sampled_from((BEGUN, *ANCHORS)), min_size=1, max_size=3)
    return folded("else_known", draw(parts))


@st.composite
def formulas(draw: st.DrawFn, dimension: str, depth: int = 3) -> Expr:
    """A random formula of a dimension."""
    kind = KINDS[dimension]
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(kind.leaves))
    inner = formulas(dimension, depth - 1)
    constants = st.sampled_from(kind.constants).map(const)
    if dimension == "比例" and draw(st.booleans()):
        parts = formulas(draw(st.sampled_from([d for d in KINDS if d != "比例"])), depth - 1)
        a, b = draw(parts), draw(parts)
        if draw(st.booleans()):
            return ("mul", draw(inner), draw(inner))
        return draw(st.sampled_from((div(a, b), div(sub(a, b), b))))
    if dimension in ("年", "天") and draw(st.booleans()):
        spans = (years, calendar_years) if dimension == "年" else (days,)
        ends = draw(st.permutations((draw(dates()), draw(st.sampled_from(ANCHORS)))))
        return draw(st.sampled_from(spans))(*ends)
    parts = draw(st.lists(inner | constants, min_size=1, max_size=3))
    parts.insert(draw(st.integers(0, len(parts))), draw(inner))
    if dimension == "金额" and draw(st.integers(0, 4)) == 0:
        by = draw(formulas(draw(st.sampled_from(("比例", "项"))), depth - 1))
        scaled = draw(inner)
        return draw(st.sampled_from((div(scaled, by), ("mul", scaled, by), ("mul", by, scaled))))
    head = parts[0] if parts[0][0] != "const" else draw(inner)
    match draw(st.integers(0, 8)):
        case 0:
            return add(*parts)
        case 1:
            return sub(*draw(st.permutations((head, parts[-1]))))
        case 2:
            return folded("least", parts)
        case 3:
            return folded("else_known", parts)
        case 4:
            return folded("most", parts)
        case 5:
            return div(add(*parts), const(str(len(parts))))
        case 6:
            factor = const(draw(st.sampled_from(FACTORS)))
            return draw(
                st.sampled_from((div(head, factor), ("mul", head, factor), ("mul", factor, head)))
            )
        case 7:
            return else_found(*draw(st.permutations((head, parts[-1]))))
    cut = draw(st.integers(0, len(parts)))
    return bounded(head, tuple(parts[:cut]), tuple(parts[cut:]))


CODES = st.recursive(
    st.sampled_from([fact("sector"), lookup("gbt4754", fact("industry_code"))]),
    lambda codes: st.builds(else_known, codes, codes) | st.builds(else_found, codes, codes),
    max_leaves=4,
)


@given(st.sampled_from(sorted(KINDS)).flatmap(formulas) | CODES | dates())
def test_a_formula_in_words_compiles_to_itself(expr: Expr) -> None:
    words = written(expr, KNOWN)
    assert parse_formula(words, KNOWN).expr == expr
    assert written(parse_formula(words, KNOWN).expr, KNOWN) == words


WORDS = (
    A, R, "上年度从业人员", "省级以上质量奖", "进入细分市场日期", "填报日", "行业代码", "申报划型行业",
    "63.4.Ⅰ类", "63.4.近两年融资", "实缴金额", "gbt4754", "Ⅰ类知识产权总数", "全国细分市场占有率", "1", "2", "10%",
    "100万元", "2年", "是", "前2年1月1日", "或", "下限", "上限", "甲", *"＋-×÷（）,，",
)  # fmt: skip


@given(
    st.lists(st.sampled_from((*WORDS, *(f"{name}（" for name in FUNCTIONS))), max_size=12).map(
        " ".join
    )
    | st.text()
)
def test_any_text_is_a_formula_or_is_refused(text: str) -> None:
    try:
        formula = parse_formula(text, KNOWN)
    except FormulaError:
        return
    words = written(formula.expr, KNOWN, root=formula.root)
    assert parse_formula(words, KNOWN).expr == formula.expr


@pytest.mark.parametrize(
    "expr",
    [
        add(M),
        const("1/3"),
        new_year(1),
        bounded(M),
        year("revenue", -4),
        ("strange", M),
        fact("nothing"),
    ],
)
def test_what_has_no_words(expr: Expr) -> None:
    with pytest.raises(FormulaError, match=r"^算式语言中没有.*的写法$"):
        written(expr, names())
