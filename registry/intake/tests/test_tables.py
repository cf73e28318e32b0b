"""Tables as they are drawn: blocks, rows of units and numbers, examples, sums, and rows that slipped."""

from datetime import date, datetime

import pytest
from openpyxl import Workbook

from registry.errors import RegistryError
from registry.intake.drafts import NO_DATE
from registry.intake.tests.counties import CODE, NAME, code, read
from rules.model.facts import RecordList

A, B, C, D = (code(n) for n in range(1, 5))
KEY = ["序号", NAME, CODE]
DATED = ["填报日期：2023年6月30日"]
REVENUE = "2022年营业收入（万元）"


@pytest.fixture
def book(tmp_path):
    """Write the rows of sheets as a workbook and read it."""

    def make(*rows, sheets=(), **more):
        workbook = Workbook()
        workbook.active.title = "汇总表"
        for title, further in [("", rows), *sheets]:
            sheet = workbook.create_sheet(title) if title else workbook.active
            for row in further:
                sheet.append(row)
        workbook.save(tmp_path / "book.xlsx")
        return read(tmp_path / "book.xlsx", **more)

    return make


@pytest.fixture
def table(tmp_path):
    """Write the lines of a CSV file and read it."""

    def make(*lines, as_of=date(2023, 6, 30)):
        (tmp_path / "a.csv").write_text("\n".join(lines), "utf-8")
        return read(tmp_path / "a.csv", as_of=as_of)

    return make


def told(reading):
    return [(i.cell, i.message) for i in reading.issues if i.message != NO_DATE]


def figures(reading):
    found = [s.values for s in reading.submissions]
    return [{k: v for k, v in values.items() if k != "registered_in_prc"} for values in found]


FIRMS = [1, "甲公司", A, 9000, 100], [2, "乙公司", B, 8000, 80]
HEADINGS = [*KEY, "2022年营业收入", "2022年末从业人员"]
READ = [
    {"revenue@2022": "90000000", "staff@2022": "100"},
    {"revenue@2022": "80000000", "staff@2022": "80"},
]


@pytest.mark.parametrize(
    "row",
    [
        [None, None, None, "万元", "人"], ["单位", None, None, "（万元）", "（人）"], [None, "全称", "18位", "万元", "人"],
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "numbers",
    [
        [], [[1, 2, 3, 4, 5]], [["甲", "乙", "丙", 1, 2]], [["栏次", "A", "B", "C", "D"]], [["（一）", "（二）", "（三）", "（四）", "（五）"]],
        [["a", "b", "c", "d", "e"]], [["第1列", "第2列", "第3列", "第4列", "第5列"]], [["1.", "2.", "3.", "4.", "5."]],
        [["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ"]], [["填写要求", "填写全称", "18位代码", "按审计报告填写", "年末数"]],
    ],
)  # fmt: skip
def test_rows_of_units_and_of_numbers_belong_to_the_heading(book, row, numbers):
    for rows in ([row, *numbers], [*numbers, row]):
        reading = book(HEADINGS, *rows, *FIRMS)
        assert (told(reading), figures(reading)) == ([], READ)


def test_amounts_are_never_read_against_the_row_of_units(book):
    row = [None, None, None, "元", "人"]
    assert figures(book(HEADINGS, row, *FIRMS))[0]["revenue@2022"] == "9000"
    reading = book([*KEY, REVENUE, "2022年末从业人员"], row, *FIRMS)
    assert "revenue@2022" not in figures(reading)[0]
    assert [cell for cell, _ in told(reading)] == ["D2"]


def test_an_amount_without_unit_beside_others_in_yuan_is_not_read(book):
    reading = book([*KEY, "2022年营业收入（元）", "2022年净利润"], [1, "甲公司", A, 9000, 1])
    assert figures(reading) == [{"revenue@2022": "9000"}]
    assert told(reading) == [("E1", "没有写明金额单位，表中别处写的有元，该列未读取")]
    reading = book(["单位：元、人"], HEADINGS, *FIRMS)
    assert figures(reading)[0]["revenue@2022"] == "9000"


@pytest.mark.parametrize(
    "row",
    [
        ["合计", None, None, 17000, 180], [None, "总  计", None, 1, 1], ["全县合计", None, "2家", 1, 1], ["城关镇小计", None, None, 1, 1],
        ["平均", None, None, 8500, 90], ["均值", None, None, 1, 1], ["最大值", None, None, 1, 1], ["占比", None, None, 1, 1],
        ["同比增长率", None, None, 1, 1], ["排名", None, None, 1, 1], ["其中：规上企业", None, None, 1, 1], ["合计（2家）", None, None, 1, 1],
        [None, "（合计）", None, 1, 1], ["总和", None, None, 1, 1], ["Total", None, None, 1, 1], [None, "2家", None, 1, 1],
        [3, "（此行以下空白）"], [None, "以下无正文"], ["负责人签字", None, "填表人"], ["注", "金额为审计数。"],
        ["备注：金额为审计数。"], ["填报人：张三", None, "审核人：李四", "日期：", None], [3],
    ],
)  # fmt: skip
def test_sums_notes_and_blank_rows_are_passed_over(book, row):
    reading = book(["单位：万元"], HEADINGS, *FIRMS, row)
    assert (told(reading), figures(reading)) == ([], READ)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["例", "某某有限公司（填报示例）", "91XXXXXXXXXXXXXXXX", 1, 1], "像是表样中的填报示例"),
        (["示例", "云溪泵阀有限公司", A, 1, 1], "像是表样中的填报示例"),
        ([None, "XX有限公司", None, 1, 1], "像是表样中的填报示例"),
        ([3, None, None, 0, "0.00"], "只有预先填好的序号、零值等"),
        ([3, "无", "无", 0, "请选择"], "只有预先填好的序号、零值等"),
        ([1, "示例：云溪某公司", "91330000123456789X", 1, 1], "像是表样中的填报示例"),
        ([1, "XXXX", "XXXX", 1, 1], "像是表样中的填报示例"),
        ([None, "城关镇"], "看作标题或说明"),
        (["一、城关镇企业"], "看作标题或说明"),
        (["城关镇"] * 5, "看作标题或说明"),
    ],
)
def test_what_is_passed_over_as_something_else_is_told_once(book, row, said):
    reading = book(["单位：万元"], HEADINGS, row, FIRMS[0], row, FIRMS[1])
    ((cell, message),) = told(reading)
    assert cell == "A3"
    assert "第3、5行" in message
    assert said in message
    assert figures(reading) == READ


@pytest.mark.parametrize(
    "name",
    [
        "合计科技有限公司",
        "平均律乐器有限公司",
        "例外服饰有限公司",
        "排名第一网络有限公司",
        "示例"[0] + "达公司",
        "合计",
    ],
)
def test_a_row_with_a_code_is_an_enterprise(book, name):
    reading = book(["单位：万元"], HEADINGS, [1, name, A, 9000, 100], FIRMS[1])
    assert (told(reading), figures(reading)) == ([], READ)


@pytest.mark.parametrize("name", ["合计科技有限公司", "平均律乐器有限公司", "例外服饰有限公司"])
def test_an_enterprise_without_its_code_is_not_lost(book, name):
    reading = book(["单位：万元"], HEADINGS, [1, name, None, 9000, 100])
    assert [i.message for i in reading.errors] == ["没有统一社会信用代码"]


def test_tables_side_by_side_are_read_row_by_row(book):
    reading = book(
        ["名单"], [*KEY, *KEY], [1, "甲公司", A, 2, "乙公司", B], [3, "丙公司", C, 4, "丁公司", D], [5, "戊公司", code(5)]
    )  # fmt: skip
    assert told(reading) == []
    assert [s.uscc for s in reading.submissions] == [A, B, C, D, code(5)]
    reading = book([*KEY, None, "企业全称", "信用代码"], [1, "甲公司", A, None, "乙公司", B[:17]])
    assert [i.cell for i in reading.errors] == ["F2"]


SECOND = {
    "below other words": ["序号", "厂商", "编号", "2022年营业收入", "2022年末从业人员"],
    "without a code": ["序号", NAME, "2022年营业收入", "2022年末从业人员"],
    "without a name": ["序号", CODE, "2022年营业收入", "2022年末从业人员"],
}


@pytest.mark.parametrize("gap", [[], [None]])
@pytest.mark.parametrize("headings", SECOND.values(), ids=SECOND)
def test_a_block_that_is_not_understood_holds_its_table_back(book, headings, gap):
    further = [{NAME: "乙公司", CODE: B, "厂商": "乙公司", "编号": B}.get(h, 2) for h in headings]
    for rows in (
        [[*HEADINGS, *gap, *headings], [*FIRMS[0], *gap, *further]],
        [[*headings, *gap, *HEADINGS], [*further, *gap, *FIRMS[0]]],
    ):
        reading = book(["单位：万元"], *rows)
        assert (reading.submissions, reading.refused) == ((), ())
        assert "像是并排的另一块企业" in reading.errors[0].message


@pytest.mark.parametrize(
    ("titles", "found"),
    [
        (["A镇（单位：万元）", "B镇（单位：元）"], ["90000000", "8000"]),
        (["A镇", "B镇（单位：元）"], [None, "8000"]),
        (["A镇（单位：元）", "B镇"], ["9000", None]),
        (["填报单位：云溪县", "单位：元"], ["9000", "8000"]),
        (["汇总表（单位：元）", None], ["9000", "8000"]),
    ],
)
def test_a_unit_above_one_of_two_blocks_is_not_the_others(book, titles, found):
    reading = book(
        [titles[0], *[None] * 4, titles[1]], [*HEADINGS, *HEADINGS], [*FIRMS[0], *FIRMS[1]]
    )  # fmt: skip
    assert [f.get("revenue@2022") for f in figures(reading)] == found


def test_a_label_and_the_unit_in_the_next_cell_are_read_together(book):
    reading = book(["金额单位：", None, "千元"], HEADINGS, *FIRMS)
    assert (told(reading), figures(reading)[0]["revenue@2022"]) == ([], "9000000")


def test_a_unit_below_the_table_that_its_headings_leave_out_holds_it_back(book):
    reading = book(HEADINGS, *FIRMS, ["注：金额单位：元"])
    assert [i.cell for i in reading.errors] == ["A4"]
    assert not reading.submissions
    for rows in ([["单位：万元"], HEADINGS], [[*KEY, REVENUE, "2022年末从业人员"]]):
        assert figures(book(*rows, *FIRMS, ["注：金额单位：元"])) == READ


@pytest.mark.parametrize(
    "form",
    [
        [[NAME, "甲公司"], [CODE, A], [REVENUE, 9000]],
        [["申请书"], [NAME, "甲公司", CODE, A], [REVENUE, 9000, "2022年末从业人员", 100]],
        [["指标", "甲", "乙"], [CODE, A, B], [NAME, "甲公司", "乙公司"], [REVENUE, 1, 2]],
        [["企业名称：甲公司"], [f"{CODE}：{A}"]],
    ],
)
def test_a_form_of_one_enterprise_is_told_for_what_it_is(book, form):
    with pytest.raises(RegistryError, match="像是一家企业的申请表"):
        book(*form)
    reading = book(KEY, [2, "乙公司", B], sheets=[("申请表", form)])
    assert [(i.sheet, "申请表" in i.message) for i in reading.errors] == [("申请表", True)]


@pytest.mark.parametrize(
    ("parts", "staff"),
    [
        (["男", "女"], {}),
        (["合计", "女"], {"staff@2022": "60"}),
        (["男", "合计"], {"staff@2022": "40"}),
    ],
)
def test_a_part_below_a_heading_is_not_read_as_the_whole(book, parts, staff):
    above = [*KEY, "2022年末从业人员（人）", None, "2022年末资产总额（万元）"]
    reading = book(above, [None] * 3 + parts, [1, "甲公司", A, 60, 40, 1])
    assert figures(reading) == [{**staff, "total_assets@2022": "10000"}]
    odd = [f"2022年末从业人员（人）{part}" for part in parts if part != "合计"]
    assert [i.value for i in reading.issues if "看不懂" in i.message] == odd


def test_a_heading_repeated_on_every_page_is_no_row(book):
    page = [[*KEY, "营业收入（万元）", None], [None, None, None, "2021年", "2022年"]]
    reading = book(
        ["汇总表"],
        *page,
        [1, "甲公司", A, 1, 2],
        [],
        ["汇总表（续）"],
        *page,
        [2, "乙公司", B, 3, 4],
    )
    assert told(reading) == []
    assert [f["revenue@2022"] for f in figures(reading)] == ["20000", "40000"]


def test_a_second_table_below_adds_to_the_same_enterprises(book):
    reading = book(
        ["一、财务（单位：万元）"], HEADINGS, *FIRMS, ["合计", None, None, 17000], [],
        ["二、研发（单位：元）"], ["企业名称", "信用代码", "2022年研发费用"], ["甲公司", A, 300], ["乙公司", B, 200],
    )  # fmt: skip
    assert told(reading) == []
    assert figures(reading) == [
        READ[0] | {"rd_expense@2022": "300"},
        READ[1] | {"rd_expense@2022": "200"},
    ]


def test_the_same_columns_twice_are_a_repeated_enterprise(book):
    reading = book(["单位：万元"], HEADINGS, FIRMS[0], [], HEADINGS, FIRMS[0])
    assert len(reading.errors) == 1
    assert not reading.submissions


def test_a_group_above_the_headings_that_are_not_the_enterprises_own_is_not_read(book):
    reading = book(
        [None, None, None, "控股子公司情况", None], [*KEY, REVENUE, "2022年末从业人员"], *FIRMS
    )  # fmt: skip
    assert figures(reading)[0] == {}


@pytest.mark.parametrize(
    ("title", "day"),
    [
        (["填报时间：2023年6月30日"], date(2023, 6, 30)), (["填报日期（年月日）：2023-06-30"], date(2023, 6, 30)),
        (["申报时间", "2023年6月30日"], date(2023, 6, 30)), (["填报日期：2023年6月30日", "日期：2023年7月3日"], date(2023, 6, 30)),
        (["日期：2023年6月30日"], date(2023, 6, 30)), (["数据截至2023年6月30日"], None), (["审核日期：2023年6月30日"], None),
        (["填报日期：    年  月  日"], None),
    ],
)  # fmt: skip
def test_what_is_a_filing_date(book, title, day):
    reading = book(title, KEY, [1, "甲公司", A])
    assert (told(reading), reading.submissions[0].as_of) == ([], day)


def test_two_filing_dates_that_contradict_are_told(book):
    reading = book(["填报日期：2023年6月30日"], ["填报时间：2023年7月1日"], KEY, [1, "甲公司", A])
    assert reading.submissions[0].as_of is None
    assert told(reading) == [("", "写有不同的填报日期：2023-06-30、2023-07-01，均未采用")]


HEAD = f"序号,{NAME},{CODE},{REVENUE},2022年研发费用（万元）"


@pytest.mark.parametrize(
    "line",
    [
        f"1,甲公司,{A},10,000.00,320", f"1,甲公司,{A},1,234,567,320", f"1,甲公司,{A},9000,1,320.5", f"1,甲公司,{A},泵,9000,320",
        f"1,甲公司,{A},10,000", f"1,甲公司,{A},10,050.50,,",
    ],
)  # fmt: skip
def test_a_row_that_slipped_is_named_and_held_back(table, line):
    reading = table(HEAD, line, f"2,乙公司,{B},9000,200")
    (issue,) = reading.errors
    assert issue.cell == "A2"
    assert "错位" in issue.message
    assert [s.uscc for s in reading.submissions] == [B]
    assert [s.uscc for s in reading.refused] == [A]


def test_a_row_that_was_not_read_is_not_said_to_lack_its_filing_date(table):
    head, slipped = f"{NAME},{CODE},填报日期,{REVENUE}", f"甲公司,{A},2023-06-30,10,000.00"
    for rows in ([slipped], [slipped, f"乙公司,{B},2023-06-30,9000"]):
        assert [issue.cell for issue in table(head, *rows, as_of=None).issues] == ["A2"]
    undated = table(head, slipped, f"乙公司,{B},,9000", as_of=None)
    assert NO_DATE in [issue.message for issue in undated.issues]


def test_an_amount_in_two_cells_shows_by_what_stands_behind_it(table):
    head = f"{NAME},{CODE},{REVENUE},2022年研发费用（万元）,进入细分市场时间,自主品牌"
    reading = table(head, f"甲公司,{A},9,120,320,2012-03-01", f"乙公司,{B},900,120,待定,是")
    assert [i.cell for i in reading.errors] == ["A2"]
    assert "被逗号分成了两格" in reading.errors[0].message
    assert [s.uscc for s in reading.submissions] == [B]


@pytest.mark.parametrize("last", ["备注", "主导产品名称", "联系电话"])
def test_the_tail_of_an_amount_shows_in_a_column_of_texts_too(table, last):
    head = f"{NAME},{CODE},{REVENUE},{last}"
    reading = table(head, f"甲公司,{A},9,000", f"乙公司,{B},900,025", f"丙公司,{C},7,000.50,")
    assert [i.cell for i in reading.errors] == ["A2", "A4"]
    assert [s.values["revenue@2022"] for s in reading.submissions] == ["9000000"]


def test_a_row_that_lacks_a_cell_is_held_back_where_it_shows_and_told_where_not(table):
    head = f"{NAME},{CODE},{REVENUE},进入细分市场时间,2022年研发费用（万元）"
    reading = table(head, f"甲公司,{A},2012-03-01,320", f"乙公司,{B},9000,2012-03-01")
    assert [i.cell for i in reading.errors] == ["A2"]
    assert ("A3", "第3行比表头短，缺的各格按未填报处理") in told(reading)
    assert [s.uscc for s in reading.submissions] == [B]


def test_trailing_separators_and_a_remark_beside_the_table_harm_nothing(table):
    reading = table(HEAD, f"1,甲公司,{A},9000,320,,", f"2,乙公司,{B},9000,320,待核实")
    assert told(reading) == [("F", "这一列没有表头，未读取（第一处在第3行）")]
    assert len(reading.submissions) == 2


def test_a_row_of_a_list_with_nothing_but_its_code_is_an_unknown_record(book):
    reading = book(
        KEY, [1, "甲公司", A], sheets=[("知识产权", [[CODE, "类别", "编号"], [A, None, None]])]
    )  # fmt: skip
    assert told(reading) == [("A2", "这一行没有知识产权的内容，按一条内容不明的记录处理")]
    assert reading.submissions[0].records == {"ip": RecordList(({},))}


@pytest.mark.parametrize(
    ("cell", "records", "said"),
    [
        ("2022-12-31至2025-12-30", ("2022-12-31", "2025-12-30"), None),
        ("2022年12月31日—2025年12月30日", ("2022-12-31", "2025-12-30"), None),
        ("2025-12-30", (None, "2025-12-30"), None),
        ("2022.12-2025.12", None, "“称号有效期至”只写到月，缺少日，按未提供处理"),
    ],
)
def test_a_term_has_its_first_and_its_last_day(book, cell, records, said):
    reading = book([*KEY, "创新型中小企业有效期"], [1, "甲公司", A, cell])
    titles = reading.submissions[0].records.get("titles")
    found = titles and titles.items[0]
    assert (found and (found.get("valid_from"), found.get("valid_until"))) == records
    assert [m for _, m in told(reading)] == ([said] if said else [])


YEARS = (2017, "2018年", " ２０１９年度", "2020财年", "2021会计年度", datetime(2022, 12, 31))


def test_a_table_by_years_alone_opens_its_enterprises(book):
    reading = book(
        [NAME, CODE, "年份", "营业收入（万元）"],
        *([*("甲公司", A), year, n] for n, year in enumerate(YEARS, 2)),
    )
    assert told(reading) == []
    assert figures(reading) == [{f"revenue@{2015 + n}": f"{n}0000" for n in range(2, 8)}]
    assert reading.submissions[0].name == "甲公司"


def test_a_table_that_is_not_recognised_says_how_near_it_came(book):
    with pytest.raises(RegistryError) as error:
        book(["名单"], [NAME, "证号", REVENUE], ["甲公司", A, 1])
    assert (
        "工作表“汇总表”第2行最接近：认出企业名称、2022年营业收入（万元），看不懂证号，缺少统一社会信用代码"
        in str(error.value)
    )


def test_enterprises_above_the_heading_that_is_understood_are_told(book):
    wrong = [*KEY[:1], "名称及地址", CODE, *HEADINGS[3:]]
    reading = book(DATED, wrong, *FIRMS, HEADINGS, [3, "丙公司", C, 7000, 70])
    assert [s.uscc for s in reading.submissions] == [C]
    (issue,) = reading.errors
    assert (issue.cell, issue.message) == (
        "A3", "第3、4行有信用代码，却在第5行的表头之上，未读取"
    )  # fmt: skip


def test_the_code_of_the_office_above_the_heading_is_no_enterprise(book):
    office = "统一社会信用代码", D
    reading = book(DATED, ["填报单位", "云溪县工信局", *office], HEADINGS, *FIRMS)
    assert (len(reading.submissions), reading.errors) == (2, [])


def test_an_enterprise_in_a_form_above_the_heading_is_told(book):
    form = [NAME, "丙公司"], [CODE, C], ["2022年营业收入（万元）", 100]
    reading = book(DATED, *form, [], HEADINGS, *FIRMS)
    assert [s.uscc for s in reading.submissions] == [A, B]
    said = "第3行有企业的信用代码，在第6行的表头之上，未作为企业读取"
    assert ("A3", said) in told(reading)
    office = f"11{C[2:]}"
    assert not any("信用代码" in m for _, m in told(book([CODE, office], HEADINGS, *FIRMS)))
