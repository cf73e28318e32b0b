"""County summaries: headings, rows, composite cells and what holds a row back."""

from datetime import date, datetime
from fractions import Fraction

import pytest
from openpyxl import Workbook, load_workbook

from registry.errors import RegistryError
from registry.intake import check_totals, write_issues
from registry.intake.drafts import NO_DATE
from registry.intake.tests.counties import read
from registry.kit.uscc import check_digit
from registry.record.publication import packaged_catalogue
from rules.model.facts import RecordList


def code(number: int) -> str:
    body = f"91990000MA{number:07d}"
    return body + check_digit(body)


A, B, C = code(1), code(2), code(3)
KEY = ["企业名称", "统一社会信用代码"]


@pytest.fixture
def book(tmp_path):
    """Write rows as a workbook and read it."""

    def make(*rows, **more):
        workbook = Workbook()
        workbook.active.title = "汇总表"
        for row in rows:
            workbook.active.append(row)
        path = tmp_path / "book.xlsx"
        workbook.save(path)
        return read(path, **more)

    return make


def texts(reading):
    """The issues but for the one on the filing date, which most of these tables do without.

    Whether figures are likely is tested in ``test_checks``; here they are only read.
    """
    return [str(issue) for issue in told(reading)]


def told(reading):
    return [i for i in reading.issues if i.message != NO_DATE and not i.doubt]


def one(reading):
    assert texts(reading) == []
    (submission,) = reading.submissions
    return submission


def test_a_table_among_titles_blanks_and_notes(book):
    reading = book(
        ["2023年度汇总表"],
        ["填报单位：某县工业和信息化局", None, "填报日期：2023年6月30日"],
        [],
        ["序号", *KEY, "2022年营业收入（万元）"],
        [],
        [1, "甲公司", A, 1.5],
        ["序号", *KEY, "2022年营业收入（万元）"],
        [2, "乙公司", B, "２"],
        [3],
        ["合 计", None, None, 3.5],
        [None, "合计", None, 3.5],
        ["审核人：张三", "联系电话：1", "日期：", "章"],
        ["备注：金额单位为万元", None, None, None],
    )
    assert texts(reading) == []
    first, second = reading.submissions
    assert (first.uscc, first.name, first.as_of) == (A, "甲公司", date(2023, 6, 30))
    assert (first.where, first.sources["revenue@2022"]) == ("汇总表!C6", "汇总表!D6")
    assert first.values == {"revenue@2022": "15000", "registered_in_prc": True}
    assert first.sources["registered_in_prc"] == "统一社会信用代码校验通过"
    assert second.values["revenue@2022"] == "20000"
    assert len(reading.digest) == 64


@pytest.mark.parametrize(
    "title",
    [
        ["填报日期：2023年6月30日"],
        ["填报单位：某局    填报日期:２０２３.６.３０  共1页"],
        ["填报日期", datetime(2023, 6, 30)],
        ["填报日期：", None, "2023-06-30"],
    ],
)
def test_the_filing_date_of_a_title_row(book, title):
    assert one(book(title, KEY, ["甲", A])).as_of == date(2023, 6, 30)


def test_the_filing_date_below_the_table_and_in_a_column(book):
    assert one(book(KEY, ["甲", A], ["填报日期：2023年6月30日"])).as_of == date(2023, 6, 30)
    assert one(book([*KEY, "填报日期"], ["甲", A, "2023.6.30"])).as_of == date(2023, 6, 30)
    assert one(book(KEY, ["甲", A])).as_of is None


def test_a_filing_date_that_cannot_be_read_is_told(book):
    reading = book(["填报日期：2023年6月"], KEY, ["甲", A])
    assert texts(reading) == [
        "提示 汇总表!A1「填报日期：2023年6月」：“填报日期”日期不完整，缺少日，按未提供处理，应为年月日，例如 2023-06-30"
    ]


NO_DATE_TEXT = "没有填报日期，请在表中写明「填报日期：2023年6月30日」"


def test_a_file_without_a_filing_date_says_so_once(book):
    reading = book(KEY, ["甲", A], ["乙", B])
    assert [str(i) for i in reading.issues] == [f"提示 汇总表：{NO_DATE_TEXT}"]
    reading = book(["填报日期：2023年6月31日"], KEY, ["甲", A], ["乙", B])
    assert [str(i) for i in reading.issues] == [
        "提示 汇总表!A1「填报日期：2023年6月31日」：“填报日期”没有这一天，按未提供处理，应为年月日，例如 2023-06-30",
        f"提示 汇总表：{NO_DATE_TEXT}",
    ]
    assert [s.as_of for s in reading.submissions] == [None, None]
    assert book(KEY, ["甲", A], as_of=date(2023, 6, 30)).issues == ()


def test_enterprises_without_a_filing_date_among_others_are_counted(book):
    reading = book([*KEY, "填报日期"], ["甲", A, "2023-06-30"], ["乙", B, None], ["丙", C, "—"])
    assert [i.message for i in reading.issues] == ["2家企业没有填报日期，第一家在汇总表!B3"]


def test_ministerial_levels_count_as_provincial_and_say_so(book):
    reading = book(
        [*KEY, "研发机构级别", COMPOSITE[2], "数字化水平等级"],
        ["甲", A, "部级", "省部级/2/2021-07-28", "三级"],
    )
    (found,) = reading.submissions
    assert found.records == {
        "institutions": RecordList(({"level": "省级"},), True),
        "awards": RecordList(({"level": "省级", "rank": "2", "date": "2021-07-28"},), True),
    }
    assert found.values["digital_level"] == "3"
    assert texts(reading) == [
        "提示 汇总表!C2「部级」：“机构级别”填报为部级，已按省级读取，请核对级别",
        "提示 汇总表!D2「省部级/2/2021-07-28」：“奖励级别”填报为省部级，已按省级读取，请核对级别",
    ]


def test_the_given_date_overrides_and_says_so(book):
    reading = book(["填报日期：2023-06-30"], KEY, ["甲", A], ["乙", B], as_of=date(2024, 1, 2))
    assert [s.as_of for s in reading.submissions] == [date(2024, 1, 2)] * 2
    assert texts(reading) == [
        "提示 汇总表「2023-06-30」：文件写明的填报日期是2023-06-30，已按指定的2024-01-02处理"
    ]


@pytest.mark.parametrize(
    ("header", "cell", "key", "value"),
    [
        ("2022年营业收入（万元）", 1, "revenue@2022", "10000"),
        ("２０２２年 营业收入（元）", 1, "revenue@2022", "1"),
        ("2022年度营业收入总额（亿元）", 1, "revenue@2022", "100000000"),
        ("营业收入（2022年）（万元）", 1, "revenue@2022", "10000"),
        ("2022年末资产总额（单位：万元）", 1, "total_assets@2022", "10000"),
        ("上年度研发费用总额（万元）", 1, "rd_expense@2022", "10000"),
        ("上上年主营业务收入（万元）", 1, "main_revenue@2021", "10000"),
        ("其中近两年新增股权融资（万元）", 1, "financing_two_years", "10000"),
        ("近三年新增股权融资（合格机构投资者实缴额，元）", 1, "financing_three_years", "1"),
        ("Ⅰ类知识产权（项）", 1, "ip_class_one", "1"),
        ("Ⅰ类知识产权（件）", 1, "ip_class_one", "1"),
        ("全国细分市场占有率（%）", 18, "market_share", "0.18"),
        ("* 质量管理体系认证", "√", "management_certificate", True),
        ("所属行业（划型）", "工业", "sector", "工业"),
    ],
)
def test_headings_with_period_and_unit(book, header, cell, key, value):
    reading = book(["填报日期：2023-06-30"], [*KEY, header], ["甲", A, cell])
    assert one(reading).values[key] == value


def test_a_nested_heading_takes_the_year_of_its_family(book):
    reading = book(
        [*KEY, "2022年末从业人员（人）", "其中研发人员（人）", "2021年营业收入（万元）", "主营业务收入（万元）"],
        ["甲", A, 10, 3, 5, 4],
    )  # fmt: skip
    assert one(reading).values == {
        "staff@2022": "10", "rd_staff@2022": "3", "revenue@2021": "50000",
        "main_revenue@2021": "40000", "registered_in_prc": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "2022年营业收入（千美元）",
            "看不懂这个表头，该列未读取，请改用模板的表头",
        ),
        (
            "2022年营业收入（人）",
            "看不懂这个表头，该列未读取，请改用模板的表头",
        ),
        (
            "2022年自主品牌",
            "看不懂这个表头，该列未读取，请改用模板的表头",
        ),
        (
            "2021年2022年营业收入（万元）",
            "看不懂这个表头，该列未读取，请改用模板的表头",
        ),
        ("净利润（万元）", "没有写明年份，该列未读取，应写成 2022年净利润（万元） 的样子"),
        (
            "上年度净利润（万元）",
            "没有写明年份，该列未读取，应写成 2022年上年度净利润（万元） 的样子",
        ),
        ("统一社会信用代码", "与B列含义相同，该列未读取，请删去其一"),
    ],
)
def test_a_heading_that_is_not_understood_is_named(book, header, message):
    reading = book([*KEY, header], ["甲", A, 1])
    assert texts(reading) == [f"提示 汇总表!C1「{header}」：{message}"]
    assert reading.submissions[0].values == {"registered_in_prc": True}


@pytest.mark.parametrize("years", [["2020年", "2021年", "2022年度"], [2020, 2021, 2022]])
def test_years_below_a_merged_heading(book, years):
    found = one(
        book(
            ["填报日期：2023年6月30日"],
            [*KEY, "营业收入（万元）", None, None, "自主品牌"],
            [None, None, *years],
            ["甲", A, 1, 2, 3, "是"],
        )
    )
    assert found.values == {
        "revenue@2020": "10000", "revenue@2021": "20000", "revenue@2022": "30000",
        "own_brand": True, "registered_in_prc": True,
    }  # fmt: skip
    assert found.sources["revenue@2021"] == "汇总表!D4"


def test_headings_below_headings_of_groups(book):
    found = one(
        book(
            [*KEY, "经营情况", None],
            [None, None, "2022年营业收入（万元）", "2022年净利润（万元）"],
            ["甲", A, 1, 2],
        )
    )
    assert found.values["net_profit@2022"] == "20000"


def test_a_first_row_without_code_and_name_is_no_heading(book):
    reading = book(
        [*KEY, "2022年营业收入（万元）", "自主品牌", "参与制修订标准"],
        [None, None, 2022, "是", "是"],
        ["乙", B, 1, "是", "是"],
    )
    assert next((i.cell, i.message) for i in reading.errors) == ("B2", "没有统一社会信用代码")
    assert reading.submissions[0].values["revenue@2022"] == "10000"


def test_money_without_a_unit(book):
    header = [*KEY, "2022年营业收入"]
    assert texts(book(header, ["甲", A, 1])) == [
        "提示 汇总表!C1「2022年营业收入」：没有写明金额单位，已按万元读取，应写成 2022年营业收入（万元）"
    ]
    for unit, yuan in {
        "金额单位：元": "1",
        "（单位：人民币亿元）": "100000000",
        "填报单位：元宝山区工信局　　单位：元　　填报日期：": "1",
    }.items():
        assert one(book([unit], header, ["甲", A, 1])).values["revenue@2022"] == yuan
    assert told(book(["推荐单位：元"], header, ["甲", A, 1]))


def test_an_officers_own_mapping(book, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "表头,填报项,单位,说明\n22年收入,营业收入总额,元,\n市场份额,全国细分市场占有率,,\n",
        "gb18030",
    )
    rows = [*KEY, "2022年22年收入", "市场份额"], ["甲", A, 7, "18%"]
    assert len(told(book(*rows))) == 2
    found = one(book(*rows, mapping=path))
    assert (found.values["revenue@2022"], found.values["market_share"]) == ("7", "0.18")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("头,项\n", "表头对照表 mine.csv：缺少列 表头、填报项、单位，第一行应为 表头,填报项,单位,说明"),
        (
            "表头,填报项,单位\n甲,乙,\n丙,资产总额,人\n丁,科技奖励：丑,\n戊,荣誉称号：荣誉有效期至；荣誉类别=己,\n",
            "表头对照表 mine.csv：第2行「甲」没有名为「乙」的填报项：请查对填报模板中的名称；"
            "第3行「丙」的单位「人」不适用于「资产总额」；"
            "第4行「丁」的「丑」不是科技奖励清单的字段，可用的有奖励级别、获奖单位排名、发证日期、奖励名称；"
            "第5行「戊」的「荣誉类别=己」不是「荣誉类别」的值",
        ),
        (
            '表头,填报项,单位\n甲,"1\n2",\n',
            "表头对照表 mine.csv：第2行「甲」没有名为「12」的填报项：请查对填报模板中的名称",
        ),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_says_every_reason(book, tmp_path, text, message):
    path = tmp_path / "mine.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(RegistryError) as error:
        book(KEY, ["甲", A], mapping=path)
    assert str(error.value) == message


COMPOSITE = [
    *KEY, "近年科技奖励（级别/排名/发证日期）", "创客中国全国名次（名次/日期）", "高新技术企业证书有效期至",
    "研发机构级别", "创新型中小企业有效期至", "专精特新中小企业有效期至",
]  # fmt: skip


def test_composite_cells_are_complete_lists(book):
    found = one(
        book(
            COMPOSITE,
            ["甲", A, "国家级/4/2021.09.28；省级／1／2021年7月8日", "50/2021-11-20",
             datetime(2024, 12, 31), "省级、市级", "2025-12-31", "无"],
        )
    )  # fmt: skip
    assert found.records == {
        "awards": RecordList(
            (
                {"level": "国家级", "rank": "4", "date": "2021-09-28"},
                {"level": "省级", "rank": "1", "date": "2021-07-08"},
            ),
            True,
        ),
        "competitions": RecordList(
            ({"group": "企业组", "rank": "50", "date": "2021-11-20"},), True
        ),
        "honours": RecordList(({"kind": "高新技术企业", "valid_until": "2024-12-31"},), True),
        "institutions": RecordList(({"level": "省级"}, {"level": "市级"}), True),
        "titles": RecordList(
            (
                {"kind": "创新型中小企业", "held": True, "valid_until": "2025-12-31"},
                {"kind": "专精特新“小巨人”企业"},
            ),
            True,
        ),
    }
    assert found.sources["awards#1"] == "汇总表!C2"
    assert found.sources["titles#0"] == "汇总表!G2"


def test_none_is_an_empty_list_and_a_blank_says_nothing(book):
    empty = RecordList((), True)
    found = one(book(COMPOSITE, ["甲", A, *["无"] * 6]))
    assert found.records == dict.fromkeys(
        ["awards", "competitions", "honours", "institutions"], empty
    ) | {"titles": RecordList(({"kind": "专精特新“小巨人”企业"},), True)}
    for blank in (None, "未提供", "—", "/"):
        assert one(book(COMPOSITE, ["甲", A, *[blank] * 6])).records == {}


def test_one_answered_title_completes_the_list_and_leaves_the_others_open(book):
    innovative, specialised = {"kind": "创新型中小企业"}, {"kind": "专精特新中小企业"}
    little_giant = {"kind": "专精特新“小巨人”企业"}
    held = innovative | {"held": True, "valid_until": "2025-12-31"}
    header = [*KEY, *COMPOSITE[6:]]

    found = one(book(header, ["甲", A, "无", None]))
    assert found.records == {"titles": RecordList((specialised, little_giant), True)}
    assert (found.sources["titles#0"], found.sources["titles#1"]) == ("汇总表!D2", "汇总表!2")

    found = one(book(header, ["甲", A, "2025-12-31", "未提供"]))
    assert found.records == {"titles": RecordList((held, specialised, little_giant), True)}

    found = one(book(header[:3], ["甲", A, "2025-12-31"]))
    assert found.records == {"titles": RecordList((held, specialised, little_giant), True)}

    every = [*header, "专精特新“小巨人”企业有效期至"]
    assert one(book(every, ["甲", A, "无", "无", "无"])).records == {"titles": RecordList((), True)}

    reading = book(header, ["甲", A, "申请中", "无"])
    (submission,) = reading.submissions
    assert submission.records == {"titles": RecordList((innovative, little_giant), True)}
    assert [i.cell for i in told(reading)] == ["C2"]
    assert book(header, ["甲", A, "申请中", None]).submissions[0].records == {}


def test_a_record_is_kept_without_the_part_that_cannot_be_read(book):
    reading = book(COMPOSITE[:3], ["甲", A, "省级/一/2021-09-28"], ["乙", B, "省级"])
    assert [s.records["awards"] for s in reading.submissions] == [
        RecordList(({"level": "省级", "date": "2021-09-28"},), True),
        RecordList(({"level": "省级"},), True),
    ]
    assert texts(reading) == [
        "提示 汇总表!C2「省级/一/2021-09-28」：“获奖单位排名”不是可识别的数字，按未提供处理，应为数字，单位名",
        "提示 汇总表!C3「省级」：「省级」不齐全，按其中看得懂的部分读取，应写成 奖励级别/获奖单位排名/发证日期",
    ]


def test_a_cell_without_any_part_that_can_be_read_leaves_the_list_unknown(book):
    reading = book([*KEY, COMPOSITE[4]], ["甲", A, "申请中"])
    assert reading.submissions[0].records == {}
    assert texts(reading) == [
        "提示 汇总表!C2「申请中」：“荣誉有效期至”不是可识别的日期，按未提供处理，应为年月日，例如 2023-06-30"
    ]


FIELDS = ["field_strategic", "field_key_link", "field_six_bases", "field_old_brand",
          "field_serves_leader", "field_ten_sectors", "field_network_power"]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("工业六基、战略性新兴产业", {"field_six_bases", "field_strategic"}),
        ("属于补短板锻长板填空白；网络强国 服务重点龙头企业",
         {"field_key_link", "field_network_power", "field_serves_leader"}),
        ("无", set()),
    ],
)  # fmt: skip
def test_the_fields_of_the_product(book, cell, named):
    values = one(book([*KEY, "主导产品所属领域（可多填）"], ["甲", A, cell])).values
    assert {k: v for k, v in values.items() if k in FIELDS} == {f: f in named for f in FIELDS}


def test_a_blank_field_is_unknown_and_an_odd_word_leaves_the_rest_unknown(book):
    reading = book(
        [*KEY, "主导产品所属领域（可多填）"], ["甲", A, None], ["乙", B, "元宇宙、十大重点产业"]
    )
    first, second = reading.submissions
    assert first.values == {"registered_in_prc": True}
    assert second.values == {"registered_in_prc": True, "field_ten_sectors": True}
    assert texts(reading) == [
        "提示 汇总表!C3「元宇宙、十大重点产业」：不认识的领域：元宇宙，未列出的领域按未填处理"
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("江苏省苏州市虎丘区", ("江苏省", "苏州市", "虎丘区")),
        ("江苏省/苏州市/虎丘区", ("江苏省", "苏州市", "虎丘区")),
        ("内蒙古自治区 锡林郭勒盟 二连浩特市", ("内蒙古自治区", "锡林郭勒盟", "二连浩特市")),
        ("四川省凉山彝族自治州西昌市", ("四川省", "凉山彝族自治州", "西昌市")),
        ("北京市海淀区", ("北京市", None, "海淀区")),
        ("山东省青岛市", ("山东省", "青岛市", None)),
    ],
)
def test_places(book, text, place):
    identity = one(book([*KEY, "所在地（省市县）"], ["甲", A, text])).identity
    assert tuple(identity.get(k) for k in ("province", "city", "county")) == place


def test_a_place_without_a_province_is_told(book):
    reading = book([*KEY, "所在地（省市县）", "注册时间"], ["甲", A, "朝阳区", "2005.12.20"])
    assert reading.submissions[0].identity == {"registered_on": "2005-12-20"}
    assert texts(reading) == [
        "提示 汇总表!C2「朝阳区」：看不出所在省份，按未提供处理，应写成 江苏省苏州市虎丘区 的样子"
    ]


def test_a_county_of_which_there_is_only_one_tells_its_province(book):
    reading = book([*KEY, "所在地（省市县）"], ["甲", A, "虎丘区"])
    place = {"province": "江苏省", "city": "苏州市", "county": "虎丘区"}
    assert reading.submissions[0].identity == place
    assert texts(reading) == []


def test_registration_is_taken_from_the_code_only_where_nothing_is_stated(book):
    body = "52990000500000000"
    reading = book(
        [*KEY, "境内工商注册登记"],
        ["甲", A, "否"],
        ["乙", B, None],
        ["丙", body + check_digit(body), None],
    )
    stated = [s.values.get("registered_in_prc") for s in reading.submissions]
    assert stated == [False, True, None]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["甲", A[:17]], f"错误 汇总表!B2「{A[:17]}」：统一社会信用代码应为18位，实为17位，请核对营业执照上的18位代码"),
        (["甲", A[:17] + "0"], f"错误 汇总表!B2「{A[:17]}0」：统一社会信用代码校验码不符：前17位对应的第18位应为 {A[17]}，请核对营业执照上的18位代码"),
        (["甲", "O" + A[1:]], f"错误 汇总表!B2「O{A[1:]}」：统一社会信用代码含有不允许的字符 O（代码中没有字母 I、O、Z、S、V），请核对营业执照上的18位代码"),
        (["甲", 914403001922038216], "错误 汇总表!B2「914403001922038000」：统一社会信用代码存成了数字，后几位已失真，请把单元格设为文本后重新录入18位代码"),
        (["甲", None], "错误 汇总表!B2：没有统一社会信用代码，请填写18位代码"),
        (["—", A], "错误 汇总表!A2「—」：没有企业名称，请填写企业全称"),
        ([None, None, 1, 2, 3], "错误 汇总表!B2：没有统一社会信用代码，请填写18位代码"),
    ],
)  # fmt: skip
def test_a_row_without_a_good_code_or_name_is_held_back(book, row, message):
    reading = book(
        [*KEY, "2022年净利润（万元）", "2021年研发费用（万元）", "2022年研发费用（万元）"],
        row,
        ["乙", B],
    )
    assert texts(reading)[0] == message
    assert [s.uscc for s in reading.submissions] == [B]
    assert len(reading.refused) == 1


def test_the_same_code_twice_holds_both_rows_back(book):
    reading = book(KEY, ["甲", A], ["乙", B], ["甲甲", A.lower()])
    assert texts(reading) == [
        f"错误 汇总表!B4「{A.lower()}」：统一社会信用代码与汇总表!B2重复，同一企业只填一行，请删去或更正其一"
    ]
    assert [s.uscc for s in reading.submissions] == [B]
    assert [s.name for s in reading.refused] == ["甲", "甲甲"]
    assert {i.uscc for i in reading.errors} == {A}


@pytest.mark.parametrize(
    ("part", "whole", "cells", "message"),
    [
        ("研发人员", "从业人员", ("2022年末从业人员（人）", "其中研发人员（人）"),
         "2022年研发人员大于2022年从业人员10人"),
        ("主营", "营收", ("2021年营业收入（万元）", "2021年主营业务收入（万元）"),
         "2021年主营业务收入总额大于2021年营业收入总额10万元"),
        ("高价值", "Ⅰ类", ("Ⅰ类知识产权（项）", "Ⅰ类高价值知识产权（项）"),
         "Ⅰ类高价值知识产权总数大于Ⅰ类知识产权总数10项"),
        ("自主", "Ⅰ类", ("Ⅰ类知识产权（项）", "自主研发Ⅰ类知识产权（项）"),
         "自主研发Ⅰ类知识产权总数大于Ⅰ类知识产权总数10项"),
        ("效益", "Ⅰ类", ("Ⅰ类知识产权（项）", "已应用并产生效益的Ⅰ类知识产权（项）"),
         "已应用并产生效益的Ⅰ类知识产权总数大于Ⅰ类知识产权总数10项"),
        ("自主申请效益", "效益",
         ("已应用并产生效益的Ⅰ类知识产权（项）", "已应用并产生效益的自主申请Ⅰ类知识产权（项）"),
         "已应用并产生效益的自主申请Ⅰ类知识产权总数大于已应用并产生效益的Ⅰ类知识产权总数10项"),
        ("两年", "三年", ("近三年新增股权融资（万元）", "其中近两年新增股权融资（万元）"),
         "近两年新增股权融资总额大于近三年新增股权融资总额10万元"),
    ],
)  # fmt: skip
def test_a_part_larger_than_its_whole_holds_the_row_back(book, part, whole, cells, message):
    reading = book([*KEY, *cells], ["甲", A, 10, 11], ["乙", B, 10, 10], ["丙", C, None, 11])
    (issue,) = told(reading)
    assert (issue.severity, issue.cell, issue.message) == ("错误", "D2", message)
    assert issue.value.startswith("11")
    assert [s.uscc for s in reading.submissions] == [B, C]
    assert [s.uscc for s in reading.refused] == [A]


def test_parts_of_another_year_are_not_compared(book):
    header = [*KEY, "2022年营业收入（万元）", "2021年主营业务收入（万元）"]
    assert one(book(header, ["甲", A, 1, 2]))


def test_totals_and_itemised_records(book):
    found = one(book([*KEY, "Ⅰ类知识产权（项）", "近两年新增股权融资（万元）"], ["甲", A, 3, 2000]))
    three, million = Fraction(3), Fraction(20_000_000)
    assert (
        check_totals(
            found,
            {"ip_class_one": (three, three), "financing_two_years": (million, None)},
            packaged_catalogue(),
        )
        == []
    )
    assert (
        check_totals(
            found,
            {"ip_class_one": (Fraction(1), None), "ip_class_two": (three, three)},
            packaged_catalogue(),
        )
        == []
    )
    more, fewer = check_totals(
        found,
        {"ip_class_one": (Fraction(4), None), "financing_two_years": (Fraction(0), million - 1)},
        packaged_catalogue(),
    )
    assert str(more) == (
        "错误 汇总表!C2「3项」：清单中符合的有4项，多于Ⅰ类知识产权总数3项，请核对总数和清单，使两者一致"
    )
    assert str(fewer) == (
        "错误 汇总表!D2「2000万元」：清单已报全但符合的至多1999.9999万元，"
        "少于近两年新增股权融资总额2000万元，请核对总数和清单，使两者一致"
    )
    assert more.uscc == A


def test_a_rating_is_of_its_own_year_and_only_a_rating_of_the_running_one(book):
    header = [
        *KEY,
        "2025年专精特新发展评价得分（分）",
        "本年度专精特新发展评价得分",
        "本年度营业收入（万元）",
    ]
    reading = book(header, ["甲", A, 61.5, 50, 100], as_of=date(2026, 6, 30))
    assert texts(reading) == [
        "提示 汇总表!E1「本年度营业收入（万元）」：看不懂这个表头，该列未读取，请改用模板的表头"
    ]
    assert reading.submissions[0].values == {
        "development_score@2025": "61.5", "development_score@2026": "50", "registered_in_prc": True,
    }  # fmt: skip


def test_unreadable_cells_are_all_told_in_one_run_and_hold_nothing_back(book):
    reading = book(
        [*KEY, "2022年营业收入（万元）", "全国细分市场占有率", "进入细分市场时间", "自主品牌", "2022年研发费用（万元）"],
        ["甲", A, "约100", 18, "2023年6月", "待定", 1.23456789],
    )  # fmt: skip
    assert texts(reading) == [
        "提示 汇总表!C2「约100」：“营业收入总额”不是可识别的金额，按未提供处理，应为数字，单位万元",
        "提示 汇总表!D2「18」：“全国细分市场占有率”没有百分号，含义不明，按未提供处理，请写明百分号，例如 18%",
        "提示 汇总表!E2「2023年6月」：“进入细分市场日期”日期不完整，缺少日，按未提供处理，应为年月日，例如 2023-06-30",
        "提示 汇总表!F2「待定」：“自主品牌”无法识别是或否，按未提供处理，应为 是 或 否",
        "提示 汇总表!G2「1.23456789」：“研发费用总额”金额细于1分，已按四舍六入五成双取为12345.68元，金额最细到分",
    ]
    assert reading.submissions[0].values == {
        "rd_expense@2022": "12345.68", "registered_in_prc": True,
    }  # fmt: skip


def test_the_issues_as_a_workbook(book, tmp_path):
    rows = [*KEY, "自主品牌"], ["甲", A, "待定"], ["乙", B[:17], "是"]
    reading = book(*rows, as_of=date(2023, 6, 30))
    path = tmp_path / "errors.xlsx"
    write_issues(path, reading)
    rows = list(load_workbook(path).worksheets[0].values)
    assert rows == [
        ("级别", "工作表", "单元格", "表头", "原值", "问题", "应如何填写", "统一社会信用代码", "企业名称"),
        ("错误", "汇总表", "B3", KEY[1], B[:17], "统一社会信用代码应为18位，实为17位", "请核对营业执照上的18位代码", B[:17], "乙"),
        ("提示", "汇总表", "C2", "自主品牌", "待定", "“自主品牌”无法识别是或否，按未提供处理", "应为 是 或 否", A, "甲"),
    ]  # fmt: skip
