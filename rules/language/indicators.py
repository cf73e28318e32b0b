"""The derived indicators that tables may name, each defined once with its clause.

Filed facts need no entry here: a fact's own name is an indicator. A yearly figure has its period in
its name (上年度研发费用总额 is year T, 上上年度… is T-1, 再上年度… is T-2). Every rule over records defines 「<rule
title>件数」. Clauses are those of 工信部企业〔2022〕63号 unless another source is named.
"""

from typing import Final

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
from rules.model.facts import wholes
from rules.model.ruleset import Expr, Indicator


def _number(name: str, unit: str, expr: Expr, clause: str, records: str = "") -> Indicator:
    return Indicator(name=name, kind="number", unit=unit, expr=expr, records=records, clause=clause)


def _growth(offset: int) -> Expr:
    now, before = year("main_revenue", offset), year("main_revenue", offset - 1)
    return div(sub(now, before), before)


_HIGH_VALUE = count("ip", "63.4.高价值", "ip_high_value")
_SELF_DEVELOPED = count("ip", "63.4.自主研发", "ip_self_developed")
_CLASS_ONE = count("ip", "63.4.Ⅰ类", "ip_class_one")
_EARNING = count("ip", "63.4.效益Ⅰ类", "ip_class_one_earning")
_THREE_YEARS = total("financing", "amount", "63.4.近三年融资", "financing_three_years")
_TWO_YEARS = total("financing", "amount", "63.4.近两年融资", "financing_two_years")
_OWN_EARNING = count("ip", "2026.4.效益Ⅰ类", "ip_own_earning")
_AT_MOST = tuple(fact(whole) for whole in wholes("ip_own_earning"))
_OWN_BRAND = least(count("brands", "63.4.自主品牌", "own_brand"), const("1"))
_ABROAD = least(add(fact("overseas_research"), fact("developed_certificate")), const("1"))

INDICATORS: Final[tuple[Indicator, ...]] = (
    # ratios and growth
    _number("上年度研发费用占比", "%", div(year("rd_expense"), year("revenue")), "附件4"),
    _number("上上年度研发费用占比", "%", div(year("rd_expense", -1), year("revenue", -1)), "附件4"),
    _number("上年度主营业务收入增长率", "%", _growth(0), "附件4"),
    _number(
        "近2年主营业务收入平均增长率",
        "%",
        div(add(_growth(0), _growth(-1)), const("2")),
        "附件4：上年度与上上年度增长率的算术平均数",
    ),
    _number(
        "上年度末资产负债率", "%", div(year("total_liabilities"), year("total_assets")), "附件4"
    ),
    _number("上年度主营业务收入占比", "%", div(year("main_revenue"), year("revenue")), "附件4"),
    _number("上年度净利润率", "%", div(year("net_profit"), year("revenue")), "附件4"),
    _number("上年度研发人员占比", "%", div(year("rd_staff"), year("staff")), "附件4"),
    _number(
        "近2年研发费用平均额",
        "万元",
        div(add(year("rd_expense"), year("rd_expense", -1)), const("2")),
        "附件2",
    ),
    _number(
        "上年度与再上年度营业收入之比",
        "%",
        div(year("revenue"), year("revenue", -2)),
        "工信部企业〔2026〕2号附件2：两年复合增长率加一的平方",
    ),
    _number("近2年研发费用合计", "万元", add(year("rd_expense"), year("rd_expense", -1)), "附件3"),
    _number(
        "从事细分市场年限", "年", years(fact("segment_entry"), new_year(0)), "附件4：算至上年末"
    ),
    # records and filed totals
    _number("Ⅰ类高价值知识产权数", "项", bounded(_HIGH_VALUE, (), (_CLASS_ONE,)), "附件4"),
    _number("自主研发Ⅰ类知识产权数", "项", bounded(_SELF_DEVELOPED, (), (_CLASS_ONE,)), "附件4"),
    _number(
        "Ⅰ类知识产权数",
        "项",
        bounded(_CLASS_ONE, (_HIGH_VALUE, _SELF_DEVELOPED, _EARNING)),
        "附件4",
    ),
    _number("Ⅱ类知识产权数", "项", count("ip", "63.4.Ⅱ类", "ip_class_two"), "附件4"),
    _number("应用并产生效益的Ⅰ类知识产权数", "项", bounded(_EARNING, (), (_CLASS_ONE,)), "附件3"),
    _number(
        "应用并产生效益的自主申请Ⅰ类知识产权数",
        "项",
        bounded(_OWN_EARNING, (), _AT_MOST),
        "工信部企业〔2026〕2号附件1、附件2",
    ),
    _number("近三年新增股权融资额", "万元", bounded(_THREE_YEARS, (_TWO_YEARS,)), "附件4"),
    _number("近两年新增股权融资额", "万元", bounded(_TWO_YEARS, (), (_THREE_YEARS,)), "附件4"),
    _number("自主品牌数", "项", _OWN_BRAND, "附件4"),
    _number(
        "质量管理水平满足项数",
        "项",
        add(
            fact("quality_award"),
            fact("management_certificate"),
            _OWN_BRAND,
            fact("standards"),
        ),
        "附件2",
    ),
    _number(
        "生产创新满足项数",
        "项",
        add(
            fact("first_product"),
            fact("contest_prize"),
            fact("core_process"),
            fact("new_forms"),
            _ABROAD,
            fact("lean_production"),
        ),
        "鲁工信发〔2022〕8号",
    ),
    # classification
    Indicator(
        name="划型行业",
        kind="code",
        unit="",
        expr=else_known(
            else_known(
                else_found(lookup("gbt4754", fact("industry_code")), fact("sector_found")),
                fact("sector_found"),
            ),
            fact("sector"),
        ),
        records="",
        clause="工信部联企业〔2011〕300号",
    ),
    # figures of one record
    Indicator(
        name="称号起始日",
        kind="date",
        unit="天",
        expr=days(as_of(), else_known(field("valid_from"), as_of())),
        records="titles",
        clause="填报时持有的称号，有效期始没有填的，视为已经开始",
    ),
    Indicator(
        name="列入研发机构清单",
        kind="flag",
        unit="",
        expr=const("1"),
        records="institutions",
        clause="附件3：自建或者联合建立，不限级别",
    ),
    _number("受让至填报年限", "年", years(field("transfer_date"), as_of()), "附件4", "ip"),
    _number("授权至填报年限", "年", years(field("grant_date"), as_of()), "附件4", "ip"),
    _number("实缴距填报年度数", "年", calendar_years(field("date"), as_of()), "附件4", "financing"),
    _number("发证距填报年度数", "年", calendar_years(field("date"), as_of()), "附件4", "awards"),
    _number(
        "公布距填报年度数", "年", calendar_years(field("date"), as_of()), "附件4", "competitions"
    ),
    _number("公布年份", "年", year_number(field("date")), "附件4", "competitions"),
)
