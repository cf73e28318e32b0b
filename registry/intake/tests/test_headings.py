"""What headings mean: marks, remarks, units, years, several rows of them, and industry codes."""

import pytest

from registry.errors import RegistryError
from registry.intake.cells import read_industry
from registry.intake.tables.mapping import HeaderMapping
from registry.intake.tests.counties import CATALOGUE

MAPPING = HeaderMapping(CATALOGUE)


def meaning(*levels):
    found = MAPPING.resolve_levels(levels)
    if found is None:
        return None
    target = found.target
    return target.fact.id if target.fact else target.role, found.unit, found.year, found.offset


@pytest.mark.parametrize(
    "heading",
    [
        "2022营业收入（万元）", "2022年营业收入/万元", "2022年营业收入[万元]", "2022年营业收入【万元】", "2022年营业收入〔万元〕",
        "2022年营业收入-万元", "2022年营业收入：万元", "2022年营业收入（单位：万元）", "营业收入（2022年，万元）",
        "营业收入2022年（万元）", "营业收入（万元）2022年", "二〇二二年营业收入（万元）", "FY2022营业收入（万元）",
        "2022年度营业收入总额（人民币万元）", "营业收入（2022）（万元）", "22年营业收入（万元）", "1.2022年营业收入（万元）①",
        "*2022年营业收入（必填）（万元）", "2022年营业收入（万元，保留两位小数）", "2022年营业收入[1]（万元）", "2022年营业收入（万元）注1",
        "★2022年营业收入^1（万元）", "2022年营业收入（万元）※1", "2022年营业收入（万元）*12", "*2022年营业收入（万元）", "截至2022年12月31日营业收入（万元）", "2022财年营业收入万元",
    ],
)  # fmt: skip
def test_one_heading_has_many_spellings(heading):
    assert meaning(heading) == ("revenue", "万元", 2022, None)


@pytest.mark.parametrize(
    ("heading", "offset"),
    [
        ("上年度", 0), ("上一年度", 0), ("前1年度", 0), ("前一年", 0), ("近一年", 0), ("上年", 0),
        ("前2年度", -1), ("上上年", -1), ("再上年度", -1), ("前三年度", -2), ("前3年度", -2), ("前四年度", -3),
    ],
)  # fmt: skip
def test_relative_years(heading, offset):
    assert meaning(f"{heading}研发费用总额（万元）") == ("rd_expense", "万元", None, offset)
    assert meaning(f"研发费用总额（{heading}）（万元）") == ("rd_expense", "万元", None, offset)


@pytest.mark.parametrize(
    "heading",
    [
        "2022年1-6月营业收入（万元）", "2022年上半年营业收入（万元）", "2020-2022年营业收入（万元）", "上年同期营业收入（万元）",
        "近三年营业收入（万元）", "前三年营业收入（万元）", "2022年预计营业收入（万元）", "营业收入（不含税，万元）", "2022年初资产总额（万元）",
        "2022年营业收入（万美元）", "2022年营业收入占比", "出口营业收入（万元）", "截至2022年6月30日资产总额（万元）",
    ],
)  # fmt: skip
def test_a_half_understood_heading_is_not_understood(heading):
    assert meaning(heading) is None


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        (("营业收入（万元）", "2022年"), ("revenue", "万元", 2022, None)),
        (("营业收入", "2022年", "万元"), ("revenue", "万元", 2022, None)),
        (("2022年", "营业收入（万元）"), ("revenue", "万元", 2022, None)),
        (("近三年营业收入（万元）", "2022"), ("revenue", "万元", 2022, None)),
        (("主要经济指标", "营业收入（万元）", "2022年"), ("revenue", "万元", 2022, None)),
        (("营业收入（万元）", "总额", "2022年"), ("revenue", "万元", 2022, None)),
        (
            ("营业收入（万元）", "其中：主营业务收入", "2022年"),
            ("main_revenue", "万元", 2022, None),
        ),
        (("全职员工数量（人）", "其中：研发人员数量", "2022年"), ("rd_staff", "人", 2022, None)),
        (("企业名称", "企业名称"), ("name", "", None, None)),
        (("子公司情况", "2022年营业收入（万元）"), None),
        (("2023年预计", "营业收入（万元）"), None),
        (("营业收入（万元）", "占比", "2022年"), None),
        (("营业收入（万元）", "2022年", "元"), None),
        (("2021年", "2022年营业收入（万元）"), None),
    ],
)
def test_headings_below_each_other_are_one(levels, found):
    assert meaning(*levels) == found


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("企业名称（盖章）", "name"), ("统一社会信用代码（必填、18位）", "uscc"), ("填报时间", "as_of"), ("联系电话", "ignore"),
        ("从事特定细分市场时间（年）", "unread"), ("2022年资产负债率（%）", "unread"), ("研发人员占比", "unread"),
        ("是否属于工业“六基”", "field_six_bases"), ("是否列入经营异常名录", "abnormal_list"),
        ("2022年末资产总计（万元）", "total_assets"), ("2022年末负债合计（万元）", "total_liabilities"),
        ("有效Ⅰ类知识产权数（项）", "ip_class_one"), ("数字化水平", "digital_level"),
    ],
)  # fmt: skip
def test_words_of_the_forms(heading, role):
    assert meaning(heading)[0] == role


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("3985", "C3985"), (3985, "C3985"), (3985.0, "C3985"), ("39", "C39"), ("C 3985", "C3985"), ("ｃ3985", "C3985"),
        ("3985 电子专用材料制造", "C3985"), ("C39计算机、通信和其他电子设备制造业", "C39"), ("电子专用材料制造（C3985）", "C3985"),
        ("C制造业/39计算机/398电子元件/3985电子专用材料制造", "C3985"), ("0111", "A0111"), ("O79", "O79"),
        ("111", None), (111, None), ("398", None), ("7910", None), ("A3985", None), ("制造业", None), ("C", None),
        ("C39、C40", None), ("39851", None), (98, None), ("GB/T 4754-2017", None),
    ],
)  # fmt: skip
def test_digits_have_the_letter_of_their_division_where_that_is_certain(cell, code):
    found = read_industry(cell)
    assert found.value == code
    assert bool(found.notice) == (code is None)


@pytest.mark.parametrize(
    ("line", "unit", "year", "offset"),
    [
        ("营收（元）,营业收入总额,", "元", None, None),
        ("营收（元）,营业收入总额,元", "元", None, None),
        ("2022年营收/亿元,营业收入总额,", "亿元", 2022, None),
        ("上年营收（千元）,营业收入总额,", "千元", None, 0),
        ("营收,营业收入总额,", "", None, None),
        ("占比（%）,全国细分市场占有率,", "%", None, None),
    ],
)
def test_a_line_of_a_mapping_keeps_the_unit_and_year_of_its_heading(
    tmp_path, line, unit, year, offset
):
    own = tmp_path / "表头.csv"
    own.write_text(f"表头,填报项,单位\n{line}\n", encoding="utf-8")
    found = HeaderMapping(CATALOGUE, own).resolve(line.partition(",")[0])
    assert (found.unit, found.year, found.offset) == (unit, year, offset)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("营收（元）,营业收入总额,万元", "的表头写的单位是「元」，单位列却是「万元」"),
        ("营收（人）,营业收入总额,", "的表头写的单位「人」不适用于「营业收入总额」"),
        ("本年营收,营业收入总额,万元", "的表头写的是本年度"),
    ],
)
def test_a_line_of_a_mapping_that_contradicts_its_heading_is_refused(tmp_path, line, said):
    own = tmp_path / "表头.csv"
    own.write_text(f"表头,填报项,单位\n{line}\n", encoding="utf-8")
    with pytest.raises(RegistryError, match=f"第2行「{line.partition(',')[0]}」{said}"):
        HeaderMapping(CATALOGUE, own)
