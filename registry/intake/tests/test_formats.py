"""Number formats: what a cell shows is what it means."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.intake.cells import (
    Percent,
    Shown,
    plain,
    read_date,
    read_fact,
    read_money,
    read_share,
)
from registry.intake.files.formats import BUILTIN, number_format
from registry.intake.files.serials import Since1904, day
from registry.intake.tests.counties import CATALOGUE


def cell(code, value):
    """The value of a cell of that format."""
    found = number_format(code)
    return value if found is None else found.cell(value)


@pytest.mark.parametrize(
    "code",
    [
        "General", "G/通用格式", "0", "0.00", "#,##0.00_);[Red](#,##0.00)", "0.00;[红色]0.00", "# ?/?", "0.00E+00",
        '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', "[$¥-804]#,##0.00", "[$-804]0.00", '"¥"0;-"¥"0',
        "[DBNum1][$-804]General", "@", "", "0_ ", r"0.0_);\(0.0\)", "000", '[>9]0.0;0',
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [0, 120, 9127.232, -68.3263])
def test_what_only_decorates_changes_nothing(code, value):
    if code == "000" and value in (0, -68.3263):
        return  # shown with zeros before it
    assert cell(code, value) == value


@pytest.mark.parametrize("code", ["0%", "0.00%", "0.0%;-0.0%", "[Red]0%", "0% ", '0.0%;-0.0%;"-"'])
def test_a_percent_sign_of_the_format_makes_a_ratio(code):
    assert cell(code, 0.8) == Percent(0.8)


@pytest.mark.parametrize(
    ("code", "value", "text", "typed"),
    [
        ('0.0"%"', 0.8, "0.8%", "0.8%"),
        (r"0.0\%", 0.8, "0.8%", "0.8%"),
        ("0!%", 0.8, "1%", "0.8%"),
        ('0"%"%', 0.5, "50%%", "50%%"),
        ('0"万元"', 100, "100万元", "100万元"),
        ('0.00"亿"', 1.234, "1.23亿", "1.234亿"),
        ('#,##0"元"', 10000, "10,000元", "10000元"),
        ("0.0万", 12, "12.0万", "12万"),
        ('"人民币"0"元"', 12, "人民币12元", "人民币12元"),
        ('G/通用格式"人"', 120, "120人", "120人"),
        ('"约"0', 4800, "约4800", "约4800"),
        ("[$$-409]#,##0", 5, "$5", "$5"),
        ('[=1]"是";[=0]"否"', 1, "是", "是"),
        ('[=1]"是";[=0]"否"', 0, "否", "否"),
        ('"C"0000', 3985, "C3985", "C3985"),
        ("000000", 12345, "012345", "012345"),
        ("000.0", 1.25, "001.3", "001.25"),
        ("000-0000-0000", 1012345678, "010-1234-5678", "010-1234-5678"),
        ('0"万元";-0"万元"', -5, "-5万元", "-5万元"),
        ('0"万元";[Red]0"万元"', -5, "5万元", "-5万元"),
        (";;;", 5, "", ""),
        ("0;-0;;@", 0, "", ""),
        ("#,###", 0, "", ""),
    ],
)
def test_what_is_printed_beside_a_number_is_as_if_typed(code, value, text, typed):
    assert cell(code, value) == Shown(value, text, typed, code.startswith("000-"))


@pytest.mark.parametrize(
    ("code", "value", "text", "typed"),
    [
        ('0!.0,"万"', 100000000, "10000.0万", "10000万"),
        (r'0\.0,"万"', 123456, "12.3万", "12.3456万"),
        ('0"."0,"万元"', 123456, "12.3万元", "12.3456万元"),
        ('#!.0000"万元"', 123456, "12.3456万元", "12.3456万元"),
        ('0!.00,,"亿"', 123456789, "1.23亿", "1.23456789亿"),
        ('0.0,,"百万"', 12345678, "12.3百万", "12.345678百万"),
        ("0.00,", 10000000, "10000.00", "10000"),
        ("0,.00", 10000000, "10000.00", "10000"),
        ("#,##0,", 10000000, "10,000", "10000"),
        ('[>=10000]0!.0,"万";0', 120000, "12.0万", "12万"),
    ],
)
def test_digits_that_are_not_those_of_the_number_are_marked(code, value, text, typed):
    assert cell(code, value) == Shown(value, text, typed, otherwise=True)


@pytest.mark.parametrize(
    ("code", "value", "plain_value"),
    [('[>=10000]0!.0,"万";0', 9999, 9999), ('[=1]"是";[=0]"否"', 2, 2), ("000000", 123456, 123456)],
)
def test_a_number_that_none_of_the_sections_alters_stays_as_it_is(code, value, plain_value):
    assert cell(code, value) == plain_value


def test_codes_without_sense_alter_nothing_and_raise_nothing():
    for code in [
        "\\",
        "[",
        "*",
        '"',
        "[>",
        "0" * 300,
        "_",
        ";" * 9,
        "[>=x]0",
        "E+",
        "%",
        ".",
        ",",
        "0,,,,.0",
    ]:
        cell(code, 12.5)
        cell(code, 0)


@given(
    st.text(alphabet='0#?.,%;@"\\!_*[]<>=¥-+()eEyYmMdDhHsS 万元', max_size=12), st.floats(-1e9, 1e9)
)
def test_no_code_raises(code, value):
    plain(cell(code, value))


@given(
    st.decimals(0, 10**9, places=4),
    st.sampled_from(["0!.0,", "0.00,", "#,##0.0", '0"%"', "0000.0"]),
)
def test_what_one_would_type_has_every_digit_of_the_number(number, code):
    value = float(number)
    factor = {"0!.0,": 4, "0.00,": 3}.get(code, 0)
    shown = cell(code, value)
    typed = shown.typed if isinstance(shown, Shown) and shown.text else str(number)
    assert Decimal(typed.rstrip("%").replace(",", "")) * 10**factor == number


@pytest.mark.parametrize(
    "number", [27, 28, 29, 30, 31, 36, *range(50, 55), 57, 58, 14, 15, 16, 17, 22]
)
def test_built_in_formats_of_dates_are_dates(number):
    assert cell(BUILTIN[number], 40969) == datetime(2012, 3, 1)


@pytest.mark.parametrize(
    "code",
    ['yyyy"年"m"月"d"日"', '[$-804]yyyy"年"m"月"d"日";@', "[$-F800]dddd", "aaaa", "yyyy年m月d日", "e/m/d",
     '[DBNum1][$-804]yyyy"年"m"月"d"日"', "yyyy/m/d h:mm", "m/d/yy", "[red]yyyy-mm-dd"],
)  # fmt: skip
def test_formats_of_dates(code):
    assert cell(code, 40969) == datetime(2012, 3, 1)


def test_hours_that_are_counted_are_no_date():
    assert cell("[h]:mm", 1.5) == timedelta(hours=36)


@pytest.mark.parametrize("value", [0, 0.5, 60, -1, 99999999])
def test_a_number_that_is_no_day_stays_a_number(value):
    assert cell("yyyy-mm-dd", value) == value


def test_days_are_counted_from_1900_or_1904():
    assert day(1) == datetime(1900, 1, 1)
    assert day(59) == datetime(1900, 2, 28)
    assert day(61) == datetime(1900, 3, 1)
    assert day(0, since_1904=True) == datetime(1904, 1, 1)
    assert day(43000.999999999) == datetime(2017, 9, 23)
    assert read_date(Since1904(39507)).value == "2012-03-01"


@pytest.mark.parametrize("value", [40969, 40969.0, "40969"])
def test_a_day_shown_as_a_number_is_read_and_told(value):
    found = read_date(value)
    assert (found.value, found.notice) == (
        "2012-03-01",
        "像是日期2012-03-01显示成了数字，已读作这一天",
    )


@pytest.mark.parametrize("value", [17898, 73051, 99999, 20123, 19951])
def test_a_number_that_is_hardly_a_day_or_may_be_a_month_is_no_day(value):
    found = read_date(value)
    assert found.value is None
    assert found.notice


@pytest.mark.parametrize(
    ("code", "text", "means"),
    [
        ('@"元"', "320", "320元"), ('0;0;0;"约"@', "320", "约320"), (r"General;;;@\%", "12", "12%"),
        ("0;-0;;@", "320", "320"), ("_ @_ ", "无", "无"), ('0"元"', "320", "320"), ("General", "320", "320"),
        (";;;", "320", Shown("320", "", "")),
    ],
)  # fmt: skip
def test_what_a_format_prints_beside_a_text_is_part_of_it(code, text, means):
    found = number_format(code)
    assert (text if found is None else found.text(text)) == means


def test_what_a_format_says_is_read_like_what_is_typed():
    assert read_share(cell('0.0"%"', 0.8)).value == "0.008"
    assert read_share(cell('0.0"‰"', 8)).value == "0.008"
    assert read_money(cell('0"万元"', 100), "元") == ("1000000", "", "")
    assert read_money(cell('0.00"亿"', 1.2), "万元") == ("120000000", "", "")
    assert read_money(cell('0!.0,"万"', 100000000), "元") == ("100000000", "", "")
    assert read_fact(CATALOGUE.fact("own_brand"), cell('[=1]"是";[=0]"否"', 1)).value is True
    assert read_fact(CATALOGUE.fact("industry_code"), cell('"C"0000', 3985)).value == "C3985"
    assert read_money(cell("[$$-409]0", 5), "元").value is None


def test_a_number_that_is_shown_otherwise_is_told_with_both():
    found = read_money(cell('0!.0,"万"', 100000000), "万元")
    assert found.value == "100000000"
    assert found.notice == "显示为10000.0万，存的却是100000000，相差10000倍，已按显示的读取"
    found = read_money(cell("0.00,", 10000000), "万元")
    assert (found.value, "10000.00" in found.notice) == ("100000000", True)
    found = read_money(cell('0"000"', 12), "元")
    assert (found.value, "显示为12000，存的却是12" in found.notice) == ("12000", True)
    assert read_money(cell('0;0;"无"', 0), "元") == ("0", "", "")


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("0;0", -12, "12"), ("#,##0.00;#,##0.00", -1200.5, "1,200.50"), ("General;General", -12, "12"),
        ("0%;0%", -0.5, "50%"), ("[Red]0;[Red]0", -12, "12"), ("0_);0_)", -12, "12"), ("¥0;¥0", -12, "¥12"),
        ('0"(万元)";0"(万元)"', -12, "12(万元)"), ('0;"亏"0', -12, "亏12"), ("0.0,;0.0,", -12000, "12.0"),
        ("0;;0", -12, ""), ("0;;", -12, ""), (";;;", -12, ""), ("0;-", -12, "-"), ('0;"无"', -12, "无"),
        ('"-"0', 12, "-12"), ("-0", -12, "--12"), ("(0)", 12, "(12)"), ('0"-"', 12, "12-"), ('"0"', 12, "0"),
    ],
)  # fmt: skip
def test_a_number_that_shows_another_sign_or_nothing_is_unknown_and_told_with_both(
    code, value, text
):
    found = read_money(cell(code, value), "万元")
    shown = f"显示为「{text}」" if text else "显示为空白"
    assert (found.value, found.notice) == (None, f"存有{plain(value)}，但{shown}")


@pytest.mark.parametrize(
    "code",
    [
        "0;-0", "0;(0)", "0;[红色]0", "0;[Red](0)", "[Red]0", "[黑色]0;[红色]0", "+0;-0", "0;−0", "0;－0",
        "0;0-", "0;△0", "[$¥-804]0;[$¥-804]-0", "0_ ;[Red]-0 ", "(¥0);(¥0)", '0"元";-0"元"', '0"(元)";-0"(元)"',
    ],
)  # fmt: skip
def test_a_negative_number_may_show_its_sign_by_a_bracket_a_mark_or_a_colour(code):
    assert read_money(cell(code, -12), "元") == ("-12", "", "")


@pytest.mark.parametrize("name", ["revenue", "market_share", "staff", "segment_entry", "own_brand"])
def test_a_number_that_is_not_shown_is_not_given_and_told(name):
    found = read_fact(CATALOGUE.fact(name), cell("0;-0;;@", 0))
    assert (found.value, found.notice) == (None, "存有0，但显示为空白")
