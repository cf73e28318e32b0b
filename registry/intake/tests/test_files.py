"""Formats: workbooks good and bad, CSV in its encodings, JSON, progress."""

import hashlib
import io
import json
import os
import re
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from registry.errors import RegistryError
from registry.intake import jsonfile, write_issues
from registry.intake.calendars import read_years
from registry.intake.files.sheets import Lines, sheets
from registry.intake.lists import enterprises, read_list
from registry.intake.tests.counties import read
from registry.intake.tests.test_summary import KEY, A, B, C, book, one, texts, told
from rules.model.facts import RecordList

__all__ = ["book"]

#: What this process has open.
OPEN = Path("/proc/self/fd")
HEADER = [*KEY, "2022年营业收入（万元）"]


@pytest.fixture
def workbook():
    made = Workbook()
    made.active.append(HEADER)
    made.active.append(["甲", A, 1])
    return made


def refusal(path, **more):
    with pytest.raises(RegistryError) as error:
        read(path, **more)
    return str(error.value)


def test_files_that_cannot_be_read_say_why(tmp_path, workbook):
    def file(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    broken = "文件已损坏或不是 Excel 工作簿，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试"
    assert refusal(tmp_path / "a.xlsx") == "a.xlsx：找不到这个文件，请核对文件名和位置"
    assert (
        refusal(file("a.xls", ole))
        == "a.xls：不支持 .xls 文件，请用 Excel 或 WPS 另存为 .xlsx 后重试"
    )
    assert refusal(file("a.pdf", b"x")) == "a.pdf：不支持这种文件，请提供 .xlsx、.csv 或 .json 文件"
    assert refusal(file("a.csv", b"")) == "a.csv：文件是空的，请核对后重试"
    assert refusal(file("b.xlsx", b"\0text")) == f"b.xlsx：{broken}"
    assert (
        refusal(file("c.xlsx", ole))
        == "c.xlsx：这是旧版 .xls 文件，请用 Excel 或 WPS 另存为 .xlsx 后重试"
    )
    locked = ole + "EncryptedPackage".encode("utf-16-le")
    assert (
        refusal(file("d.xlsx", locked))
        == "d.xlsx：文件设有打开密码，请取消密码并另存为 .xlsx 后重试"
    )
    with zipfile.ZipFile(tmp_path / "e.xlsx", "w") as archive:
        archive.writestr("hello.txt", "x")
    assert refusal(tmp_path / "e.xlsx").startswith("e.xlsx：这其实是压缩包，不是 Excel 工作簿，")
    workbook.save(tmp_path / "f.xlsx")
    whole = (tmp_path / "f.xlsx").read_bytes()
    assert refusal(file("g.xlsx", whole[: len(whole) // 2])) == f"g.xlsx：{broken}"
    with (
        zipfile.ZipFile(tmp_path / "f.xlsx") as old,
        zipfile.ZipFile(tmp_path / "h.xlsx", "w") as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[:300] if "sheet1" in name else data)
    assert refusal(tmp_path / "h.xlsx") == f"h.xlsx：{broken}"
    assert refusal(file("a.txt.csv", b"\x81\xff")) == (
        "a.txt.csv：文字编码不是 UTF-8 或 GB18030，请另存为 UTF-8 后重试"
    )
    cut = "从这一行起引号没有成对、分隔不完整或一格过长，请改正后重试"
    assert refusal(file("b.csv", '"企业\n名称",代码\n甲,"统一\n乙,丙'.encode())) == (
        f"b.csv第3行：{cut}"
    )
    assert refusal(file("d.csv", b"a,b\n" + b"x" * 200_000)) == f"d.csv第2行：{cut}"
    assert refusal(file("c.csv", b"a,b\n1,2\n")) == (
        "c.csv：没有找到带有“统一社会信用代码”和“企业名称”的表头，请核对表头或改用模板"
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("没有.xlsx", None, "没有.xlsx：找不到这个文件，请核对文件名和位置"),
        ("夹.xlsx", "folder", "夹.xlsx：是文件夹，请给出其中的文件"),
        ("夹", "folder", "夹：是文件夹，请给出其中的文件"),
        ("空.csv", "", "空.csv：文件是空的，请核对后重试"),
        ("空.xlsx", "", "空.xlsx：文件是空的，请核对后重试"),
        ("~$表.xlsx", "who", "~$表.xlsx：不是表格，只表示“表.xlsx”正在 Excel 或 WPS 中打开，请保存并关闭后给出“表.xlsx”"),
        ("表.et", "x", "表.et：不支持 .et 文件（这其实是文本文件（如 CSV）），请用 Excel 或 WPS 另存为 .xlsx 后重试"),
        ("表.pdf", "x", "表.pdf：不支持这种文件，请提供 .xlsx"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "reader",
    [read, lambda path: read_years(path, []), lambda path: read_list(path, enterprises, ["uscc"])],
)
def test_tables_of_all_kinds_refuse_the_same_files(tmp_path, reader, name, content, said):
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    with pytest.raises(RegistryError) as error:
        reader(path)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.csv", "这其实是损坏的压缩文件，不是 CSV 文件"), ("a.tsv", "这其实是损坏的压缩文件，不是 CSV 文件"),
        ("a.ods", "不支持 .ods 文件（这其实是损坏的压缩文件）"), ("a.et", "不支持 .et 文件（这其实是损坏的压缩文件）"),
        ("a.xlsx", "文件已损坏或不是 Excel 工作簿"),
    ],
)  # fmt: skip
def test_a_workbook_that_was_cut_off_is_named_for_what_it_is_whatever_its_name(
    tmp_path, workbook, name, said
):
    workbook.save(tmp_path / "whole.xlsx")
    (tmp_path / name).write_bytes((tmp_path / "whole.xlsx").read_bytes()[:-100])
    assert said in refusal(tmp_path / name)


def test_reading_leaves_the_file_alone_and_names_its_digest(tmp_path, workbook):
    path = tmp_path / "a.xlsx"
    workbook.save(path)
    before = path.read_bytes()
    reading = read(path)
    assert path.read_bytes() == before
    assert (reading.file, reading.digest) == ("a.xlsx", hashlib.sha256(before).hexdigest())


def test_hidden_rows_columns_and_merged_cells_are_read(tmp_path, workbook):
    sheet = workbook.active
    sheet.append(["乙", B, 2])
    sheet.insert_rows(1)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["C"].hidden = True
    sheet["A1"] = "汇总表"
    sheet.merge_cells("A1:C1")
    workbook.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert [s.values["revenue@2022"] for s in reading.submissions] == ["10000", "20000"]
    assert texts(reading) == [
        "提示 Sheet：隐藏的第3行，隐藏的“2022年营业收入（万元）”列也已读取，不该登记的，请取消隐藏后删去再读"
    ]


def test_the_table_may_stand_on_any_sheet_and_others_are_told(tmp_path, workbook):
    workbook.active.title = "数据"
    workbook.create_sheet("封面", 0).append(["优质中小企业"])
    workbook.create_sheet("空表")
    old = workbook.create_sheet("去年")
    old.sheet_state = "hidden"
    old.append(HEADER)
    old.append(["甲", A, 9])
    bare = workbook.create_sheet("无代码")
    bare.append(["企业名称", "2022年营业收入（万元）"])
    workbook.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert [s.sources["revenue@2022"] for s in reading.submissions] == ["数据!C2"]
    assert texts(reading) == [
        "提示 封面：没有找到表头，整张工作表未读取，需要读取时请核对表头",
        "提示 去年：隐藏的工作表未读取，需要读取时请取消隐藏",
        "错误 无代码：表头缺少统一社会信用代码列，整张工作表未读取（第1行最接近：认出企业名称、2022年营业收入（万元）），请补上该列",
    ]


def test_the_same_code_on_two_sheets_is_found(tmp_path, workbook):
    workbook.active.title = "甲县"
    other = workbook.create_sheet("乙县")
    other.append(HEADER)
    other.append(["甲", A, 1])
    workbook.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert [(i.sheet, i.cell, i.message) for i in told(reading)] == [
        ("乙县", "B2", "统一社会信用代码与甲县!B2重复")
    ]
    assert reading.submissions == ()


def test_percent_formats_decide_what_a_number_means(tmp_path):
    made = Workbook()
    made.active.append([*KEY, "全国细分市场占有率（%）"])
    made.active.append(["甲", A, 0.18])
    made.active.append(["乙", B, 1])
    made.active.append(["丙", C, 18])
    for row, shown in ((2, "0.00%"), (3, "0%"), (4, "General")):
        made.active.cell(row, 3).number_format = shown
    made.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert [s.values["market_share"] for s in reading.submissions] == ["0.18", "1", "0.18"]
    assert texts(reading) == []


def test_a_date_beyond_the_calendar_is_told_not_raised(tmp_path):
    made = Workbook()
    made.active.append([*KEY, "进入细分市场时间"])
    made.active.append(["甲", A, 99999999])
    made.active["C2"].number_format = "yyyy-mm-dd"
    made.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert [(i.cell, i.message) for i in told(reading)] == [
        ("C2", "“进入细分市场日期”没有这一天，按未提供处理")
    ]


UNSAVED = "公式没有保存计算结果，请用 Excel 或 WPS 打开并保存后再导入"


def test_formulas_without_a_saved_result_are_told(book):
    reading = book(
        [*KEY, "2022年营业收入（万元）", "自主品牌", '="2022年"&"净利润（万元）"'],
        ["甲", A, "=1+1", "是"],
        ["乙", '="9199"&"1"', 3],
        ["=A1", C, "未提供"],
        ["合计", None, "=SUM(C2:C4)"],
        [None, None, "=1"],
    )
    assert texts(reading) == [
        '提示 汇总表!E1「="2022年"&"净利润（万元）"」：公式没有保存计算结果，该列未读取，请用 Excel 或 WPS 打开并保存后再导入',
        f"提示 汇总表!C2「=1+1」：{UNSAVED.replace('，', '，按未提供处理，', 1)}",
        f'错误 汇总表!B3「="9199"&"1"」：{UNSAVED}',
        f"错误 汇总表!A4「=A1」：{UNSAVED}",
    ]
    (good,) = reading.submissions
    assert good.values == {"registered_in_prc": True, "own_brand": True}


def test_a_row_of_nothing_but_unsaved_formulas_is_not_blank(book):
    assert texts(book(KEY, ["甲", A], ["=Sheet9!A1", "=Sheet9!B1"])) == [
        f"错误 汇总表!B3「=Sheet9!B1」：{UNSAVED}",
        f"错误 汇总表!A3「=Sheet9!A1」：{UNSAVED}",
    ]


def test_an_unsaved_filing_date_is_told(book):
    assert texts(book(["填报日期：", "=TODAY()"], KEY, ["甲", A])) == [
        f"提示 汇总表!B1「=TODAY()」：{UNSAVED}"
    ]


def test_saved_results_of_formulas_are_read(tmp_path):
    made = Workbook()
    made.active.append([*KEY, "2022年营业收入（万元）", "自主品牌"])
    made.active.append(["甲", A, "=1+1", '=""'])
    made.save(tmp_path / "a.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as old,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new,
    ):
        for name in old.namelist():
            data = old.read(name).decode()
            if "sheet1" in name:
                data = re.sub(
                    r"(<f>1\+1</f>)<v ?/>|(<f>1\+1</f>)<v></v>", "<f>1+1</f><v>2</v>", data
                )
                data = data.replace('<c r="D2"', '<c r="D2" t="str"')
            new.writestr(name, data)
    found = one(read(tmp_path / "b.xlsx"))
    assert found.values == {"registered_in_prc": True, "revenue@2022": "20000"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_every_encoding(tmp_path, encoding, delimiter):
    rows = [
        ["填报日期：2023年6月30日"] + [""] * 2,
        HEADER,
        ["甲㐀", A, '"1,234.5"' if delimiter == "," else "1,234.5"],
    ]
    path = tmp_path / "a.csv"
    path.write_text("\r\n".join(delimiter.join(row) for row in rows), encoding)
    found = one(read(path))
    assert (found.name, found.values["revenue@2022"]) == ("甲㐀", "12345000")
    assert found.sources["revenue@2022"] == "a.csv!C3"
    assert str(found.as_of) == "2023-06-30"


def test_lines_are_the_same_wherever_the_text_is_cut(monkeypatch):
    text = "a,\u200b甲\r\n\r\r\n\ufeff乙\u2028\x0b\x85\n\n末"
    wanted = ["a,甲\r\n", "\r", "\r\n", "乙 \x0b \n", "\n", "末"]
    for length in range(1, len(text) + 2):
        monkeypatch.setattr("registry.intake.files.sheets._CHARACTERS", length)
        file = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")
        assert list(Lines("a.csv", file)) == wanted


def test_signs_inside_cells_do_not_separate_them(tmp_path):
    award = "近年科技奖励（级别/排名/发证日期）"
    cell = "省级/1/2021-07-28;国家级/4/2021-09-28;省级/2/2021-09-29;省级/3/2021-09-30"
    for name, said in {"plain": cell, "quoted": f'"{cell}"'}.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(
            f"企业名称,统一社会信用代码,自主品牌,参与制修订标准,{award}\n甲,{A},是,是,{said}\n"
        )
        assert len(one(read(path)).records["awards"].items) == 4


def filings(tmp_path, data):
    path = tmp_path / "a.json"
    path.write_text(
        data if isinstance(data, str) else json.dumps(data, ensure_ascii=False), "utf-8"
    )
    return read(path)


def test_json_round_trip(tmp_path):
    entry = {
        "uscc": A,
        "name": "甲",
        "as_of": "2023-06-30",
        "identity": {"province": "江苏省", "registered_on": "2005-12-20", "registered_capital": "10000000"},
        "values": {
            "revenue@2022": "12345678901234.56", "market_share": "1", "own_brand": True,
            "registered_in_prc": False, "sector": "工业", "net_profit@2022": "-0.5", "staff@2022": "3",
        },
        "records": {
            "awards": {"complete": True, "items": [{"level": "省级", "rank": "1"}]},
            "ip": {"complete": None, "items": []},
            "titles": [{"kind": "创新型中小企业", "held": False}],
        },
    }  # fmt: skip
    found = one(filings(tmp_path, [entry]))
    assert found.values == entry["values"]
    assert found.identity == entry["identity"]
    assert found.records == {
        "awards": RecordList(({"level": "省级", "rank": "1"},), True),
        "ip": RecordList((), None),
        "titles": RecordList(({"kind": "创新型中小企业", "held": False},), None),
    }
    assert found.sources["revenue@2022"] == "a.json![0].values.revenue@2022"
    assert str(found.as_of) == "2023-06-30"


def test_json_numbers_keep_every_digit(tmp_path):
    found = one(
        filings(
            tmp_path,
            f'[{{"uscc":"{A}","name":"甲","values":{{"revenue@2022":12345678901234.56,"market_share":0.1}}}}]',
        )
    )
    assert found.values["revenue@2022"] == "12345678901234.56"
    assert found.values["market_share"] == "0.1"


def test_json_amiss_is_told_with_its_path(tmp_path):
    reading = filings(
        tmp_path,
        [
            {
                "uscc": A, "name": "甲", "as_of": "昨天", "colour": 1,
                "identity": {"planet": "x", "registered_on": "2005-12"},
                "values": {"turnover": "1", "revenue": "1", "own_brand@2022": True, "staff@2022": [1],
                           "market_share": "1.5"},
                "records": {"medals": [], "awards": {"complete": "是"}, "ip": [{"编号": "1", "colour": 1}, 7]},
            },
            7,
        ],
    )  # fmt: skip
    assert [(i.severity, i.cell, i.message) for i in told(reading)] == [
        ("提示", "[0].colour", "不认识的键，未读取"),
        ("提示", "[0].as_of", "“填报日期”不是可识别的日期，按未提供处理"),
        ("提示", "[0].identity.planet", "不认识的键，未读取"),
        ("提示", "[0].identity.registered_on", "“注册时间”日期不完整，缺少日，按未提供处理"),
        ("提示", "[0].values.turnover", "不认识的填报项，未读取"),
        ("提示", "[0].values.revenue", "年份与填报项不符，未读取"),
        ("提示", "[0].values.own_brand@2022", "年份与填报项不符，未读取"),
        ("提示", "[0].values.staff@2022", "“从业人员”不是可识别的数字，按未提供处理"),
        ("提示", "[0].values.market_share", "“全国细分市场占有率”不应超过100%，按未提供处理"),
        ("提示", "[0].records.medals", "不认识的清单，未读取"),
        ("提示", "[0].records.awards", "清单结构不符，未读取"),
        ("提示", "[0].records.ip[0].colour", "不是知识产权清单的字段，未读取"),
        ("提示", "[0].records.ip[1].", "不是知识产权清单的字段，未读取"),
        ("错误", "[1]", "应为一个对象"),
    ]
    assert reading.submissions[0].records["ip"] == RecordList(({"number": "1"}, {}), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "a.json：不是完整的 JSON，请重新导出后再试"),
        ("{}", "a.json：最外层应为企业的列表，请重新导出后再试"),
        (
            '[{"uscc": "1", "uscc": "2"}]',
            "a.json：[0] 中同一对象里有两个「uscc」，请重新导出后再试",
        ),
        (
            '[{"\\ud800": 1, "\\ud800": 2}]',
            "a.json：[0] 中同一对象里有两个「\ufffd」，请重新导出后再试",
        ),
        ('[{"values": {"staff@2022": NaN}}]', "a.json：[0] 中NaN 不是数字，请重新导出后再试"),
    ],
)
def test_json_that_cannot_be_read(tmp_path, text, message):
    with pytest.raises(RegistryError, match=re.escape(message)):
        filings(tmp_path, text)


UNFIT = ["\0", "\x07", "\x1b", "\ufffe", "\ufffd"]


@pytest.mark.parametrize("odd", UNFIT, ids=ascii)
def test_a_text_that_cannot_be_kept_is_refused_with_its_cell(tmp_path, odd):
    (tmp_path / "a.csv").write_text(
        f"企业名称,统一社会信用代码,法定代表人,所在地,主导产品所属领域\n"
        f"甲{odd},{A},张三,江苏省苏州市,\n乙,{B},李{odd}四,江苏省苏{odd}州市,中{odd}\n丙,{C[:17]}{odd},,,\n",
        "utf-8",
    )
    reading = read(tmp_path / "a.csv")
    shown = [str(i) for i in told(reading)]
    assert [line.partition("，")[0] for line in shown] == [
        "错误 a.csv!A2「甲\ufffd」：企业名称含有乱码或控制字符",
        "提示 a.csv!C3「李\ufffd四」：“法定代表人”含有乱码或控制字符",
        "提示 a.csv!D3「江苏省苏\ufffd州市」：看不出所在省份",
        "提示 a.csv!E3「中\ufffd」：不认识的领域：中\ufffd",
        f"错误 a.csv!B4「{C[:17]}\ufffd」：统一社会信用代码含有不允许的字符 \ufffd",
    ]
    assert [s.name for s in reading.submissions] == ["乙"]
    assert reading.submissions[0].identity == {}
    write_issues(tmp_path / "问题.xlsx", reading)


@pytest.mark.parametrize("odd", [*UNFIT, "\ud800"], ids=ascii)
def test_a_json_text_that_cannot_be_kept_is_refused_with_its_place(tmp_path, odd):
    entry = {"uscc": A, "name": f"甲{odd}", f"k{odd}": 1, "identity": {"listing": odd}}
    reading = filings(tmp_path, json.dumps([entry]))
    assert [(i.severity, i.cell, i.value) for i in told(reading)] == [
        ("错误", "[0].name", "甲\ufffd"),
        ("提示", "[0].k\ufffd", ""),
        ("提示", "[0].identity.listing", "\ufffd"),
    ]
    assert not reading.submissions


def test_a_json_entry_that_is_no_object_counts_as_refused(tmp_path):
    reading = filings(tmp_path, [entry(), 5])
    (held,) = reading.refused
    assert (len(reading.submissions), held.uscc, held.where) == (1, "", "a.json![1]")
    assert reading.reasons(held) == str(reading.errors[0])


def test_json_rows_are_held_back_like_others(tmp_path):
    reading = filings(
        tmp_path, [{"name": "甲"}, {"uscc": A, "name": "乙"}, {"uscc": A, "name": "丙"}]
    )
    assert [(i.severity, i.cell) for i in reading.errors] == [
        ("错误", "[0].uscc"),
        ("错误", "[2].uscc"),
    ]
    assert reading.submissions == ()


def test_progress_counts_rows(tmp_path, workbook):
    for _ in range(450):
        workbook.active.append([])
        workbook.active.append(["备注：x"])
    workbook.save(tmp_path / "a.xlsx")
    seen = []
    read(tmp_path / "a.xlsx", progress=seen.append)
    assert seen == [200, 400, 600, 800, 901]


def test_values_in_the_issue_report_are_never_formulas(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"企业名称,统一社会信用代码,自主品牌\n甲,{A},=1+1\x01\n", "utf-8")
    write_issues(tmp_path / "errors.xlsx", read(path))
    cell = load_workbook(tmp_path / "errors.xlsx").worksheets[0]["E2"]
    assert (cell.value, cell.data_type) == ("=1+1\ufffd", "s")


@pytest.mark.skipif(
    not OPEN.exists(), reason="this system has no /proc to tell which files a process holds open"
)
def test_a_workbook_that_is_left_in_the_middle_is_closed(tmp_path, workbook):
    path = tmp_path / "book.xlsx"
    workbook.save(path)

    def is_open():
        return str(path) in {os.readlink(link) for link in OPEN.iterdir() if link.is_symlink()}

    found = sheets(path)
    rows = next(found).rows
    assert next(rows)
    assert is_open()
    found.close()
    assert not is_open()
    assert next(rows, None) is None


def entry(**more):
    return {"uscc": A, "name": "甲公司", "as_of": "2023-06-30", **more}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "[0] 的层次超过8层"),
        ('[{"uscc":' * 50_000, "[0] 的层次超过8层"),
        ("[1," + "[" * 9 + "]" * 9 + "]", "[1] 的层次超过8层"),
        (json.dumps([entry(values={f"k{n}": 1 for n in range(1001)})]), "[0] 中一个对象的键超过1000个"),
        (json.dumps([{}, {"k" * 101: 1}]), "[1] 中键「kkkkkkkkkkkkkkkkkkkk…」超过100个字"),
        (json.dumps([entry(name="名" * 4001)], ensure_ascii=False), "[0] 中有超过4000个字的文字"),
        ("[" + "1," * 50_000 + "1]", "超过50000家企业，须分成几个文件"),
        ("[{" + " " * (4 << 20) + "}]", "[0] 超过4MB"),
        ("[{} {}]", "不是完整的 JSON"),
        ("[{}] {}", "不是完整的 JSON"),
        ('[{"a": "', "不是完整的 JSON"),
    ],
    ids=range(11),
)  # fmt: skip
def test_json_beyond_all_bounds_is_refused_before_it_is_built(tmp_path, text, said):
    path = tmp_path / "a.json"
    path.write_text(text, "utf-8")
    tracemalloc.start()
    try:
        assert refusal(path) == f"a.json：{said}，请重新导出后再试"
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_json_file_is_not_larger_than_memory_bears(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(jsonfile.LARGEST + 1)
    assert refusal(path).startswith("a.json：超过32MB，请分成几个文件")


@pytest.mark.parametrize(
    "number",
    [
        "1e999999999",
        "-1E+99999999999999999999",
        "1e-999999999",
        "0e41",
        "9" * 5000,
        "0." + "1" * 40,
    ],
)
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": "数"}, ".name"),
        ({"as_of": "数"}, ".as_of"),
        ({"values": {"revenue@2022": "数"}}, ".values.revenue@2022"),
        ({"identity": {"size": ["数"]}}, ".identity.size[0]"),
        ({"records": {"titles": {"items": [{}, {"tier": "数"}]}}}, ".records.titles.items[1].tier"),
    ],
)
def test_a_json_number_that_no_filing_states_is_refused_with_its_place(
    tmp_path, number, fields, place
):
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps([entry(**fields)], ensure_ascii=False).replace('"数"', number), "utf-8"
    )
    reading = read(path)
    at = {str(issue).split("「")[0]: issue for issue in reading.errors}
    issue = at[f"错误 a.json![0]{place}"]
    assert (len(str(issue)) < 200, reading.submissions) == (True, ())
    [held] = reading.refused
    assert (held.uscc, str(issue) in reading.reasons(held)) == (A, True)
