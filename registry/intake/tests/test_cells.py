from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.intake.cells import (
    NOTHING,
    Percent,
    not_given,
    plain,
    read_count,
    read_date,
    read_fact,
    read_flag,
    read_money,
    read_share,
)
from registry.intake.tests.counties import CATALOGUE


@pytest.mark.parametrize(
    ("cell", "unit", "yuan"),
    [
        (9127.232, "万元", "91272320"),
        (0.1 + 0.2, "元", "0.3"),
        (1.005, "万元", "10050"),
        (8669.408, "万元", "86694080"),
        (40000, "万元", "400000000"),
        ("６１６．０８８２", "万元", "6160882"),
        ("3,592.18", "万元", "35921800"),
        ("３，５９２．１８", "万元", "35921800"),
        (" 1 234.5 ", "元", "1234.5"),
        ("-６８．３２６３", "万元", "-683263"),
        ("－68.3263", "万元", "-683263"),
        ("−68.3263", "万元", "-683263"),
        ("(68.3263)", "万元", "-683263"),
        ("（68.3263）万元", "元", "-683263"),
        ("100万元", "元", "1000000"),
        ("0.3亿元", "万元", "30000000"),
        ("5000元", "万元", "5000"),
        ("12 万", "元", "120000"),
        ("７ 千元", "万元", "7000"),
        ("0.00", "万元", "0"),
        ("-0", "万元", "0"),
        ("无", "万元", "0"),
        ("¥1,000", "万元", "10000000"),
        ("￥ 1，000.00 元", "万元", "1000"),
        ("人民币1000万元", "元", "10000000"),
        ("RMB 80.5 万", "元", "805000"),
        ("1000万元整", "元", "10000000"),
        ("-¥5", "元", "-5"),
        ("¥-5", "元", "-5"),
        ("（¥5）", "元", "-5"),
        ("1.2亿", "万元", "120000000"),
        ("3千万", "元", "30000000"),
        ("2百万", "元", "2000000"),
        ("1 234 567.5", "元", "1234567.5"),
        ("1\u202f234", "元", "1234"),
        ("10, 000", "元", "10000"),
        ("320\n万元", "元", "3200000"),
    ],
)
def test_money_is_exact_yuan(cell, unit, yuan):
    assert read_money(cell, unit) == (yuan, "", "")


@pytest.mark.parametrize(
    ("cell", "yuan"), [(0.125, "0.12"), (0.135, "0.14"), ("-0.125", "-0.12"), ("0.1251", "0.13")]
)
def test_what_is_finer_than_a_fen_is_rounded_half_even_and_told(cell, yuan):
    parsed = read_money(cell, "元")
    assert parsed.value == yuan
    assert parsed.notice == f"金额细于1分，已按四舍六入五成双取为{yuan}元"


@pytest.mark.parametrize(
    "cell",
    ["约100", "300余万元", "$5", "-(5)", "-¥-5", "5¥", "1000.00.0", "万元", "1,23", "1.2E+5", "10²", "100万美元", "12人", "--5", "1-2", "120\n300", "120 30", "10000. 5", "1 0000", True, datetime(2020, 1, 1), "1" * 41, 1e300],
)  # fmt: skip
def test_what_is_no_amount_is_unknown(cell):
    parsed = read_money(cell, "万元")
    assert parsed.value is None
    assert parsed.notice


def test_an_amount_beyond_what_can_be_kept_is_refused():
    assert read_money("10亿", "元").value == "1000000000"
    assert read_money("10000000亿", "元").notice == "金额超出可保存的范围"


@given(st.decimals(min_value=-(10**10), max_value=10**10, places=4, allow_nan=False))
def test_a_float_of_a_workbook_is_the_decimal_that_was_typed(number: Decimal):
    expected = Fraction(number) * 10_000
    for cell in (float(number), number, f"{number:f}", f"{number:,f}"):
        parsed = read_money(cell, "万元")
        assert isinstance(parsed.value, str)
        assert Fraction(parsed.value) == expected


@pytest.mark.parametrize(
    ("cell", "unit", "ratio"),
    [
        (0.1, "", "0.1"),
        ("10%", "", "0.1"),
        ("９．９９％", "", "0.0999"),
        ("0.0999", "", "0.0999"),
        (Percent(0.18), "", "0.18"),
        (Percent(1), "", "1"),
        ("18", "%", "0.18"),
        ("12 %", "%", "0.12"),
        ("12％", "", "0.12"),
        ("8‰", "%", "0.008"),
        (18, "%", "0.18"),
        (Percent(0.18), "%", "0.18"),
        (0, "%", "0"),
        ("无", "", "0"),
        (0, "", "0"),
    ],
)
def test_shares(cell, unit, ratio):
    assert read_share(cell, unit) == (ratio, "", "")


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        (18, "", "请写明百分号，例如 18%"),
        ("18.5", "", "请写明百分号，例如 18.5%"),
        (1, "", "请写明百分号，例如 1%"),
        (0.18, "%", "请写明百分号，例如 0.18%"),
    ],
)
def test_a_share_that_could_be_either_stays_unknown(cell, unit, expected):
    assert read_share(cell, unit) == (None, "没有百分号，含义不明", expected)


def test_a_share_above_one_hundred_percent_is_unknown():
    share = CATALOGUE.fact("market_share")
    assert read_fact(share, "101%") == (None, "不应超过100%", "请核对")
    assert read_fact(share, "全国第三").notice == "不是可识别的百分比"


@pytest.mark.parametrize(
    ("cell", "unit", "number"),
    [(64, "人", "64"), ("１，０７７人", "人", "1077"), ("3项", "项", "3"), ("5 件", "项", "5"),
     ("无", "项", "0"), (64.0, "人", "64"), ("7.5", "分", "7.5"), ("2级", "级", "2")],
)  # fmt: skip
def test_counts(cell, unit, number):
    assert read_count(cell, unit) == (number, "", "")


@pytest.mark.parametrize(
    ("cell", "unit", "notice"),
    [("12.5", "人", "不是整数"), ("12万元", "人", "不是可识别的数字"), ("二等", "级", "不是可识别的数字"),
     (1e20, "人", "数字超出可保存的范围")],
)  # fmt: skip
def test_what_is_no_count_is_unknown(cell, unit, notice):
    parsed = read_count(cell, unit)
    assert (parsed.value, parsed.notice) == (None, notice)


@pytest.mark.parametrize("cell", ["是", "有", "√", "Y", "y", "ｙ", " 是 ", True])
def test_yes(cell):
    assert read_flag(cell).value is True


@pytest.mark.parametrize("cell", ["否", "无", "×", "N", "no", False])
def test_no(cell):
    assert read_flag(cell).value is False


@pytest.mark.parametrize("cell", ["是（ISO9001）", 1, 0, "申请中"])
def test_neither_yes_nor_no(cell):
    assert read_flag(cell) == (None, "无法识别是或否", "应为 是 或 否")


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (datetime(2012, 3, 1), "2012-03-01"),
        (date(2012, 3, 1), "2012-03-01"),
        ("2005.12.20", "2005-12-20"),
        ("2019年12月31日", "2019-12-31"),
        ("2023-6-30", "2023-06-30"),
        ("２０２３／６／３０", "2023-06-30"),
        ("2023 年 6 月 30 日", "2023-06-30"),
        ("20230630", "2023-06-30"),
        (20230630, "2023-06-30"),
        ("2023-06-30 00:00:00", "2023-06-30"),
        ("2023-06-30T00:00:00.000", "2023-06-30"),
        ("2023/6/30 上午12:00", "2023-06-30"),
        ("20230630.0", "2023-06-30"),
        ("2023—6‑30", "2023-06-30"),
        ("2023。6。30", "2023-06-30"),
        ("2023年6月30号", "2023-06-30"),
        ("2023年06月30日 星期五", "2023-06-30"),
        ("自2023年6月30日起", "2023-06-30"),
        ("二〇二三年六月三十日", "2023-06-30"),
        ("二○二三年十二月三十一日", "2023-12-31"),
        ("二零二三年十月十日", "2023-10-10"),
        ("2023年六月二十一日", "2023-06-21"),
        ("1945-03-01", "1945-03-01"),
    ],
)
def test_dates(cell, day):
    assert read_date(cell) == (day, "", "")


@pytest.mark.parametrize(
    ("cell", "notice"),
    [
        ("2023年6月", "日期不完整，缺少日"),
        ("2023.6", "日期不完整，缺少日"),
        (2023.6, "日期不完整，缺少日"),
        ("2023年", "日期不完整，缺少日"),
        ("2023年6月份", "日期不完整，缺少日"),
        ("二〇二三年六月", "日期不完整，缺少日"),
        ("二〇二三年六月三十一日", "没有这一天"),
        ("23-6-30", "不是可识别的日期"),
        ("民国112年6月30日", "不是可识别的日期"),
        ("2023-06-29T16:00:00Z", "不是可识别的日期"),
        (2019, "日期不完整，缺少日"),
        ("2023-02-30", "没有这一天"),
        ("20231301", "没有这一天"),
        ("30/6/2023", "不是可识别的日期"),
        ("2023-6.30", "不是可识别的日期"),
        ("长期", "不是可识别的日期"),
    ],
)
def test_what_is_no_day_is_unknown(cell, notice):
    assert read_date(cell) == (None, notice, "应为年月日，例如 2023-06-30")


@pytest.mark.parametrize(
    "cell",
    [None, "", "　", "未提供", "—", "——", "－", "-", "/", "／", "不详", "暂无数据", "空白", "n/a"],
)
@pytest.mark.parametrize("name", ["staff", "revenue", "market_share", "legal", "segment_entry"])
def test_not_given_is_unknown_without_a_notice(cell, name):
    one = CATALOGUE.fact("independent_legal_person" if name == "legal" else name)
    assert not_given(cell)
    assert read_fact(one, cell) == NOTHING


def test_none_means_no_zero_or_nothing_by_the_kind_of_column():
    meanings = {"own_brand": False, "ip_class_two": "0", "financing_two_years": "0",
                "segment_entry": None, "sector": None, "industry_code": None}  # fmt: skip
    assert {name: read_fact(CATALOGUE.fact(name), "无").value for name in meanings} == meanings


def test_codes_are_found_through_full_width_forms_and_blanks():
    assert read_fact(CATALOGUE.fact("sector"), " 农、林、牧、 渔业").value == "农、林、牧、渔业"
    assert read_fact(CATALOGUE.fact("sector"), "制造业").notice == "不在可选范围内"
    assert read_fact(CATALOGUE.fact("industry_code"), " ｃ３９８５ ").value == "C3985"


def test_what_cannot_be_true_of_a_fact_is_unknown():
    assert read_fact(CATALOGUE.fact("ip_class_one"), "-5") == (None, "不应小于0", "请核对")
    assert read_fact(CATALOGUE.fact("digital_level"), 5) == (None, "不应大于4", "请核对")
    assert read_fact(CATALOGUE.fact("local_points"), "15").value == "15"


@pytest.mark.parametrize("text", ["-5", "（5）", "－5"])
def test_a_negative_figure_of_accounts_is_kept_and_told(text):
    kept = "为负数，照录，但不能用来计算", "请核对正负号"
    assert read_fact(CATALOGUE.fact("revenue"), text, "元") == ("-5", *kept)
    assert read_fact(CATALOGUE.fact("staff"), text) == ("-5", *kept)
    assert read_fact(CATALOGUE.fact("net_profit"), text, "元") == ("-5", "", "")


@pytest.mark.parametrize("cell", ["百分之十二", "¥5", "12‱", "约12%"])
def test_what_is_no_share_is_unknown(cell):
    assert read_share(cell).notice == "不是可识别的百分比"


@pytest.mark.parametrize("cell", ["201506", 201506, 2015, "2015"])
def test_a_month_or_a_year_is_no_day(cell):
    assert read_date(cell).notice == "日期不完整，缺少日"


def test_error_values_of_formulas_are_not_text():
    assert read_fact(CATALOGUE.fact("industry_code"), "#REF!").notice == "是公式的错误值"
    assert read_fact(CATALOGUE.fact("staff"), "#DIV/0!").value is None


def test_cells_are_shown_as_the_officer_sees_them():
    shown = [None, " 甲\n乙 ", True, 0.1 + 0.2, Percent(0.18), datetime(2020, 1, 2), 12]
    assert [plain(cell) for cell in shown] == [
        "",
        "甲 乙",
        "TRUE",
        "0.3",
        "18%",
        "2020-01-02",
        "12",
    ]
