"""What cannot be true in a filing, or can hardly be; codes and names that are none."""

import csv
import json
from datetime import date, datetime

import pytest
from openpyxl import load_workbook

from registry.demo import DEMO_COUNTY
from registry.filings import Submission
from registry.intake import directory
from registry.intake.tests.counties import (
    CODE,
    NAME,
    code,
    column,
    county,
    firm,
    read,
    saved,
    survey,
)
from registry.judging.relations import CHECKS, check
from registry.kit import uscc
from registry.record.publication import packaged_catalogue
from rules.model.facts import RecordList
from rules.portable.errors import Remedy

DAY = date(2023, 6, 30)
ENTRY, FOUNDED = "进入细分市场时间", "注册时间"


FIRM = code(1)


def filed(values=(), records=(), identity=(), code=FIRM, day=DAY):
    """What the checks say of one filing."""
    lists = {name: RecordList((item,)) for name, item in dict(records).items()}
    found = Submission(
        uscc=code,
        name="甲",
        as_of=day,
        identity=dict(identity),
        values=dict(values),
        records=lists,
        where="表!B2",
    )
    return [(i.severity, i.message) for i in check(found, packaged_catalogue())]


def test_the_examples_give_no_doubt(tmp_path):
    assert read(DEMO_COUNTY).doubts == []
    assert read(saved(county([firm(1), firm(2)]), tmp_path)).doubts == []


#: Changes of a row that meets all conditions, with the heading of the cell that is told of.
SLIPS = [
    ({"2021年研发费用（万元）": 2850000, "2022年研发费用（万元）": 3200000}, "2022年研发费用（万元）", "研发费用总额大于2022年营业收入总额10000万元"),
    ({"2022年净利润（万元）": 12000000}, "2022年净利润（万元）", "净利润总额大于2022年营业收入总额10000万元"),
    ({"2022年营业收入（万元）": 120000000}, "2022年营业收入（万元）", "营业收入总额是2021年营业收入总额9500万元的约12631倍"),
    ({"2021年营业收入（万元）": 7600.5, "2022年末资产总额（万元）": 150000000}, "2022年末资产总额（万元）", "资产总额是2022年营业收入总额10000万元的约15000倍"),
    ({"2022年末负债总额（万元）": 60000000}, "2022年末负债总额（万元）", "负债总额大于2022年资产总额15000万元"),
    ({"2022年末负债总额（万元）": 0.6}, "2022年末负债总额（万元）", "负债总额只有2022年资产总额15000万元的约25000分之一"),
    ({"2022年末从业人员（人）": 1200000}, "2022年营业收入（万元）", "人均不到1000元"),
    ({"近三年新增股权融资（合格机构投资者实缴额，万元）": 20000000}, "近三年新增股权融资（合格机构投资者实缴额，万元）", "近三年新增股权融资总额超过2022年资产总额15000万元的10倍"),
    ({ENTRY: datetime(2032, 1, 1)}, ENTRY, "进入细分市场日期晚于填报日期2023-06-30"),
    ({ENTRY: datetime(1912, 3, 1)}, ENTRY, "进入细分市场日期比填报日期早80年以上"),
    ({ENTRY: datetime(2008, 5, 5)}, ENTRY, "进入细分市场日期早于注册时间2008-05-06"),
    ({"高新技术企业证书有效期至": datetime(2124, 12, 31)}, "高新技术企业证书有效期至", "荣誉有效期至比填报日期晚10年以上"),
    ({"创新型中小企业有效期至": datetime(2125, 12, 31)}, "创新型中小企业有效期至", "称号有效期至比填报日期晚10年以上"),
    ({"近年科技奖励（级别/排名/发证日期）": "省级/1/2032-01-01"}, "近年科技奖励（级别/排名/发证日期）", "发证日期晚于填报日期2023-06-30"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "heading", "said"), SLIPS)
def test_a_figure_that_can_hardly_be_is_told_at_its_cell_and_kept(tmp_path, changes, heading, said):
    reading = read(saved(county([firm(1, **changes), firm(2)]), tmp_path))
    letter = load_workbook(tmp_path / "汇总表.xlsx").active.cell(4, column(heading)).coordinate
    assert [i.cell for i in reading.doubts if said in i.message] == [letter]
    assert {i.uscc for i in reading.doubts} == {code(1)}
    assert len(reading.submissions) == 2


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        ({"rd_expense@2022": "100", "revenue@2022": "100"}, True),
        ({"rd_expense@2022": "100.01", "revenue@2022": "100"}, False),
        ({"rd_expense@2022": "100.01", "revenue@2021": "100"}, True),
        ({"revenue@2021": "100", "revenue@2022": "99999.99"}, True),
        ({"revenue@2021": "100", "revenue@2022": "100000"}, False),
        ({"revenue@2020": "100", "revenue@2022": "100000"}, False),
        ({"revenue@2021": "0", "revenue@2022": "100000"}, True),
        ({"revenue@2021": "-100", "revenue@2022": "100000"}, True),
        ({"total_assets@2022": "99999", "revenue@2022": "100"}, True),
        ({"total_assets@2022": "100", "revenue@2022": "100000"}, False),
        ({"total_liabilities@2022": "100.01", "total_assets@2022": "100"}, False),
        ({"total_liabilities@2022": "0", "total_assets@2022": "100000"}, True),
        ({"financing_three_years": "1000", "total_assets@2022": "100"}, True),
        ({"financing_three_years": "1000.01", "total_assets@2022": "100"}, False),
        ({"financing_three_years": "1000.01", "total_assets@2021": "100"}, True),
        ({"staff@2022": "1", "revenue@2022": "100000000"}, True),
        ({"staff@2022": "1", "revenue@2022": "100000000.01"}, False),
        ({"staff@2022": "1", "revenue@2022": "1000"}, True),
        ({"staff@2022": "1", "revenue@2022": "999.99"}, False),
        ({"staff@2022": "1", "revenue@2022": "0"}, True),
        ({"staff@2022": "0", "revenue@2022": "100"}, True),
        ({"segment_entry": "2023-06-30"}, True),
        ({"segment_entry": "2023-07-01"}, False),
        ({"segment_entry": "1943-06-30"}, True),
        ({"segment_entry": "1943-06-29"}, False),
        ({"tech_title_until": "2033-06-30"}, True),
        ({"tech_title_until": "2033-07-01"}, False),
    ],
)
def test_relations_hold_up_to_their_bounds(values, holds):
    assert (filed(values) == []) is holds


@pytest.mark.parametrize(
    ("listing", "item"),
    [
        ("ip", {"grant_date": "2023-07-01"}),
        ("ip", {"transfer_date": "2023-07-01"}),
        ("financing", {"date": "2023-07-01"}),
        ("awards", {"date": "2023-07-01"}),
        ("competitions", {"date": "2023-07-01"}),
        ("honours", {"valid_until": "2033-07-01"}),
        ("titles", {"valid_until": "2033-07-01"}),
    ],
)
def test_days_of_records_that_have_not_come_are_told(listing, item):
    (((severity, _)),) = filed(records={listing: item})
    assert severity == "提示"
    ((field, day),) = item.items()
    assert filed(records={listing: {field: day.replace("07-01", "06-30")}}) == []
    assert filed(records={listing: item}, day=None) == []


def test_a_title_ends_after_it_begins_and_is_not_held_before():
    span = {"valid_from": "2023-06-01", "valid_until": "2023-05-31"}
    assert filed(records={"titles": span}) == [("错误", "称号有效期至2023-05-31早于有效期始")]
    early = {"valid_from": "2023-07-01", "held": True}
    said = "称号有效期始晚于填报日期2023-06-30，却填报为持有"
    assert filed(records={"titles": early}) == [("错误", said)]
    assert filed(records={"titles": {**early, "held": False}}) == []


def test_the_year_that_stands_apart_is_the_one_that_is_told():
    values = {"revenue@2020": "90", "revenue@2021": "9500000", "revenue@2022": "100"}
    assert filed(values) == [
        ("提示", "2021年营业收入总额是2020年营业收入总额0.009万元的约105555倍")
    ]
    values = {"revenue@2020": "0.01", "revenue@2021": "95", "revenue@2022": "100"}
    (((_, said)),) = filed(values)
    assert said.startswith("2020年营业收入总额只有2021年营业收入总额")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("92", "信用代码以92开头，是个体工商户，不是独立法人，与填报的“独立法人：是”矛盾"),
        ("12", "信用代码以1开头，是机构编制部门登记的机关、事业单位，不是企业"),
        ("52", "信用代码以5开头，是民政部门登记的社会组织，不是企业"),
        ("N2", "信用代码以N开头，是农业农村部门登记的集体经济组织，不是企业"),
    ],
)
def test_a_code_that_says_what_the_body_is_is_held_against_it(start, said):
    own = start + code(1)[2:]
    assert filed({"independent_legal_person": True}, code=own) == [("提示", said)]
    assert filed({"independent_legal_person": True}) == []
    assert filed({"independent_legal_person": True}, code="93" + code(1)[2:]) == []
    assert (filed({"independent_legal_person": False}, code=own) == []) is (start == "92")


def test_every_check_is_of_what_can_be_filed_and_none_stands_twice():
    keys = [(c.fact, c.relation, c.other, c.times) for c in CHECKS]
    assert len(set(keys)) == len(keys)


def test_workbook_csv_json_and_folder_are_checked_alike(tmp_path):
    head = [
        "企业名称",
        "统一社会信用代码",
        "填报日期",
        "2022年营业收入（元）",
        "2022年研发费用（元）",
    ]
    row = ["甲公司", code(1), "2023-06-30", "100", "320"]
    with (tmp_path / "表.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, row])
    values = {"revenue@2022": "100", "rd_expense@2022": "320"}
    entry = {"uscc": code(1), "name": "甲公司", "as_of": "2023-06-30", "values": values}
    (tmp_path / "表.json").write_text(json.dumps([entry]))
    folder = tmp_path / "表"
    folder.mkdir()
    (folder / "enterprises.csv").write_text(f"uscc,name,as_of\n{code(1)},甲公司,2023-06-30\n")
    (folder / "yearly.csv").write_text(f"uscc,year,revenue,rd_expense\n{code(1)},2022,100,320\n")
    found = survey(folder)
    (part,) = directory.parts(found)
    readings = [
        read(tmp_path / "表.csv"), read(tmp_path / "表.json"), directory.FolderReader(found).read(part),
    ]  # fmt: skip
    said = {(i.message, i.doubt) for r in readings for i in r.issues}
    assert said == {("2022年研发费用总额大于2022年营业收入总额0.01万元", True)}
    assert [len(r.doubts) for r in readings] == [1, 1, 1]


OTHER = code(2)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("9.199E+17", "存成了科学计数法，后几位数字已丢失"),
        ("9.19900001234567e17", "存成了科学计数法"),
        (9.19900001234567e17, "存成了数字，后几位已失真"),
        ("919900001234567000", "末三位都是0且校验码不符：很可能曾存成数字"),
        ("919900001234567000.00", "存成了数字，后几位已失真"),
        ("919,900,001,234,567,000", "存成了数字，后几位已失真"),
        ("990000000012345", "这是旧的工商注册号"),
        (990000000012345, "这是旧的工商注册号"),
        ("12345678-X", "这是组织机构代码"),
        (OTHER[:17], "应为18位，实为17位"),
        (OTHER + "0", "其中的代码是 " + OTHER),
        (OTHER.replace("0", "O"), f"可能是 {OTHER}"),
        (OTHER.replace("1", "I"), f"可能是 {OTHER}"),
        (OTHER.replace("M", "М").replace("A", "А"), "不是英文字母或数字，只是看起来像"),
        (f"{OTHER}、{code(3)}", f"写了2个代码：{OTHER}、{code(3)}"),
        (f"{OTHER}\n{code(3)}", f"写了2个代码：{OTHER}、{code(3)}"),
        ("#REF!", "是公式的错误值"),
        ("#N/A", "是公式的错误值"),
        (True, "不是代码"),
        (datetime(2023, 6, 30), "不是代码"),
    ],
)
def test_what_is_no_code_is_named_for_what_it_is(tmp_path, cell, said):
    reading = read(saved(county([firm(1), firm(2, **{CODE: cell})]), tmp_path))
    (issue,) = reading.errors
    assert issue.cell == "C5"
    assert said in issue.message
    assert [s.uscc for s in reading.submissions] == [code(1)]


@pytest.mark.parametrize(
    "typed",
    [
        OTHER.lower(), f" {OTHER[:8]} {OTHER[8:]}", f"{OTHER[:9]}-{OTHER[9:]}", f"'{OTHER}'",
        f'="{OTHER}"', f"统一社会信用代码：{OTHER}", f"信用代码 {OTHER}", f"\u200b{OTHER}\ufeff",
        "".join(chr(ord(c) + 0xFEE0) for c in OTHER),
    ],
)  # fmt: skip
def test_a_code_is_read_however_it_is_typed(typed):
    assert uscc.tidy(typed) == OTHER


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("#REF!", "企业名称是公式的错误值"), ("#N/A", "企业名称是公式的错误值"),
        (123, "企业名称只有数字"), ("２０２３", "企业名称只有数字"), (True, "企业名称是是或否，不是名称"),
        (datetime(2023, 6, 30), "企业名称是日期"), ("2023年6月30日", "企业名称是日期"),
        ("。。。", "企业名称只有符号"), ("甲" * 201, "企业名称有201字，太长"),
        (code(3), "企业名称列里是信用代码"), ("—", "没有企业名称"), (None, "没有企业名称"),
    ],
)  # fmt: skip
def test_what_is_no_name_is_not_registered_under(tmp_path, cell, said):
    reading = read(saved(county([firm(1) | {NAME: cell}, firm(2)]), tmp_path))
    (issue,) = reading.errors
    assert (issue.cell, issue.message) == ("B4", said)
    assert [s.uscc for s in reading.submissions] == [code(2)]


def test_a_name_and_a_code_in_each_other_s_place_are_told_once(tmp_path):
    reading = read(
        saved(county([firm(1) | {NAME: code(1), CODE: "甲有限公司"}, firm(2)]), tmp_path)
    )
    assert [str(i) for i in reading.errors] == [
        "错误 汇总表!C4「甲有限公司」：企业名称和统一社会信用代码填反了，请对调这两格，并核对同列的其他各行"
    ]


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("xx有限公司", True), ("ＸＸ有限公司", True), ("某某公司", True), ("云溪县某某泵阀有限公司", True), ("××科技有限公司", True),
        ("**有限公司", True), ("云溪某公司", True), ("测试公司", True), ("测试企业A", True), ("测试有限公司1", True), ("test", True),
        ("企业名称", True), ("有限公司", True), ("aaa有限公司", True), ("公司123", True),
        ("云溪县电子测试技术有限公司", False), ("埃克森XXL公司", False), ("福克斯Foxx公司", False), ("甲公司", False), ("3M公司", False),
        ("示例一号（虚构）有限公司", False), ("云溪企业有限公司", False), ("TCL集团", False), ("一汽集团", False),
    ],
)  # fmt: skip
def test_a_name_that_no_enterprise_has_is_told_and_kept(tmp_path, name, odd):
    reading = read(saved(county([firm(1, name)]), tmp_path))
    assert [s.name for s in reading.submissions] == [name]
    told = [i for i in reading.issues if "像是示例或测试用的" in i.message]
    assert [(i.severity, i.value, i.doubt) for i in told] == [("提示", name, True)] * odd


@pytest.mark.parametrize(
    "other", ["甲（云溪）公司", "甲(云溪)公司", " 甲 （云溪） 公司", "甲云溪公司"]
)
def test_one_name_beside_two_codes_is_told_with_both_rows(tmp_path, other):
    reading = read(saved(county([firm(1, "甲（云溪）公司"), firm(2, other), firm(3)]), tmp_path))
    (issue,) = reading.doubts
    assert (issue.severity, issue.cell) == ("提示", "B5")
    assert issue.message == (
        f"与汇总表!B4同名（甲（云溪）公司），但信用代码不同：{code(1)}、{code(2)}"
    )
    assert len(reading.submissions) == 3


def test_a_code_of_early_issue_is_read_once_it_is_admitted(tmp_path):
    early = code(1)[:17] + ("0" if code(1)[17] != "0" else "1")
    path = saved(county([firm(1, **{CODE: early})]), tmp_path)
    assert read(path).errors[0].remedy == Remedy("admit-code", {"code": early})
    reading = read(path, admitted={early})
    said = [i.message for i in reading.issues if i.uscc]
    assert said == [f"信用代码{early}校验码不符，已按登记的认可接受"]
    assert reading.submissions[0].values["registered_in_prc"] is True
    assert read(path, admitted={code(1)}).errors
