"""Workbooks as counties send them: merged cells, lax writers, other kinds of files, bounds."""

import io
import re
import struct
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from registry.errors import RegistryError
from registry.intake.cells import Unsaved
from registry.intake.files import limits
from registry.intake.files.sheets import sheets
from registry.intake.tests.counties import CODE, NAME, code, county, firm, read, saved
from registry.intake.tests.test_summary import KEY, A, B, C, one, texts, told

SHEET = "xl/worksheets/sheet1.xml"
REVENUE = "2022年营业收入（万元）"
FIRMS = ("甲", A, 1), ("乙", B, 2), ("丙", C, 3)


@pytest.fixture
def lax(tmp_path):
    """Write a small workbook and alter its parts: ``None`` leaves a part out."""

    def make(parts=None, name="a.xlsx", rename=lambda part: part, book=None):
        if book is None:
            book = Workbook()
            book.active.title = "汇总表"
            book.active.append([*KEY, REVENUE])
            for row in FIRMS:
                book.active.append(row)
        plain = io.BytesIO()
        book.save(plain)
        path = tmp_path / name
        with (
            zipfile.ZipFile(plain) as old,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            known = dict.fromkeys(old.namelist()) | (parts or {})
            for part in known:
                if parts is None or part not in parts:
                    new.writestr(rename(part), old.read(part))
                elif parts[part] is not None:
                    change = parts[part]
                    new.writestr(
                        rename(part),
                        change(old.read(part).decode()) if callable(change) else change,
                    )
        return path

    return make


def revenues(path):
    reading = read(path)
    assert texts(reading) == []
    return [s.values["revenue@2022"] for s in reading.submissions]


def cells(path):
    """The rows of the only sheet."""
    (rows,) = [list(sheet.rows) for sheet in sheets(path)]
    return rows


def replaced(old, new, count=-1):
    def change(text):
        assert old in text, old
        return text.replace(old, new, count)

    return change


def no_references(text):
    return re.sub(r'(<(?:row|c)) r="\w+"', r"\1", text)


def prefixed(text):
    return re.sub(r"<(/?)(?=\w)", r"<\1x:", text.replace("xmlns=", "xmlns:x="))


STRICT = replaced(
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
GARBAGE = "<nonsense"
LAX = {
    "an empty fill": {"xl/styles.xml": replaced("</fills>", "<fill/></fills>")},
    "unknown styles": {"xl/styles.xml": replaced("<fonts", '<odd a="b"><c/></odd><fonts')},
    "no styles": {"xl/styles.xml": None},
    "no theme": {"xl/theme/theme1.xml": None},
    "a broken theme": {"xl/theme/theme1.xml": GARBAGE},
    "no properties": {"docProps/app.xml": None, "docProps/core.xml": None},
    "broken properties": {"docProps/app.xml": GARBAGE, "docProps/core.xml": GARBAGE},
    "no types of content": {"[Content_Types].xml": None},
    "no relationships of the package": {"_rels/.rels": None},
    "no relationships of the workbook": {"xl/_rels/workbook.xml.rels": None},
    "a relative target": {"xl/_rels/workbook.xml.rels": replaced('Target="/xl/worksheets', 'Target="worksheets')},
    "a target that goes round": {"xl/_rels/workbook.xml.rels": replaced('Target="/xl/worksheets', 'Target="../xl/./worksheets')},
    "broken names": {"xl/workbook.xml": replaced("</sheets>", '</sheets><definedNames><definedName name="x" localSheetId="99">#REF!</definedName></definedNames>')},
    "odd attributes of the workbook": {"xl/workbook.xml": replaced("<sheet ", '<sheet odd="1" ')},
    "a wrong dimension": {SHEET: lambda text: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:A1"', text)},
    "cells and rows without references": {SHEET: no_references},
    "prefixes": {SHEET: prefixed},
    "strict": {SHEET: STRICT, "xl/workbook.xml": STRICT},
    "broken rules and links": {SHEET: replaced("</sheetData>", '</sheetData><dataValidations count="x"><dataValidation/></dataValidations><hyperlinks><hyperlink/></hyperlinks><extLst><ext><f>1</f><row/></ext></extLst>')},
    "phonetic guides": {SHEET: lambda text: text.replace("<t>甲</t>", "<r><t>甲</t></r><rPh><t>jia</t></rPh>")},
    "UTF-16": {SHEET: lambda text: ('<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16")},
}  # fmt: skip


@pytest.mark.parametrize("parts", LAX.values(), ids=LAX.keys())
def test_what_lax_writers_do_is_read(lax, parts):
    assert revenues(lax(parts)) == ["10000", "20000", "30000"]


def test_names_of_parts_are_read_in_any_case_and_with_backslashes(lax):
    assert revenues(lax(rename=lambda part: part.upper().replace("/", "\\"))) == [
        "10000", "20000", "30000",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.xlsm", "a.xltx", "a.XLSX"])
def test_workbooks_by_other_names(lax, name):
    assert len(revenues(lax(name=name))) == 3


def test_cells_of_every_kind(lax):
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><r><t>甲</t></r><r><t>_x000D_乙</t></r></is></c><c r="C1"><v>1.5E3</v></c>'
        '<c t="str"><f>A1</f><v></v></c><c t="b"><v>1</v></c><c t="e"><v>#REF!</v></c><c t="d"><v>2012-03-01T00:00:00Z</v></c>'
        '<c><f>1+1</f></c><c><f t="shared" si="0" ref="I1:J1">A1+1</f></c><c><f t="shared" si="0"/><v/></c>'
        '<c><f>"9199"</f></c><c><v>1_0</v></c><c><v>12345678901234567890</v></c><c><v>nan</v></c><c s="7"/></row>'
        '<row r="4"><c r="B4"><v>-7</v></c></row>'
    )
    found = cells(lax({SHEET: f"<worksheet><sheetData>{rows}</sheetData></worksheet>"}))
    assert found == [
        ["甲\r乙", None, 1500.0, "", True, "#REF!", datetime(2012, 3, 1), Unsaved("=1+1"), Unsaved("=A1+1"),
         Unsaved("=B1+1"), "9199", "1_0", 12345678901234567890, "nan"],
        (), (), [None, -7],
    ]  # fmt: skip


def test_days_of_a_workbook_that_counts_from_1904(lax):
    book = Workbook()
    book.epoch = datetime(1904, 1, 1)
    book.active.append([*KEY, "进入细分市场时间"])
    book.active.append(["甲", A, date(2012, 3, 1)])
    book.active.append(["乙", B, 39507])
    reading = read(lax(book=book))
    assert reading.submissions[0].values["segment_entry"] == "2012-03-01"
    assert "像是日期2012-03-01显示成了数字" in told(reading)[0].message


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({SHEET: replaced("<sheetView ", '<sheetView showZeros="0" ')}, "“营业收入总额”存有0，但显示为空白，按未提供处理"),
        ({SHEET: replaced("<v>0</v>", "<f>D9</f><v>0</v>")}, "公式没有保存计算结果，按未提供处理"),
        ({SHEET: replaced('t="n"><v>0</v>', 't="e"><f>D9</f><v/>')}, "公式没有保存计算结果，按未提供处理"),
    ],
)  # fmt: skip
def test_a_zero_that_nobody_sees_or_worked_out_is_none(lax, parts, said):
    book = Workbook()
    book.active.append([*KEY, REVENUE])
    book.active.append(["甲", A, 0])
    reading = read(lax(parts, book=book))
    assert [i.message for i in told(reading)] == [said]
    assert "revenue@2022" not in reading.submissions[0].values


@pytest.mark.parametrize("number", [31, 58])
def test_built_in_dates_of_chinese_editions_need_no_code(lax, number):
    book = county([firm(1)])
    change = {
        "xl/styles.xml": lambda text: re.sub(
            r'numFmtId="164"(?= fontId)', f'numFmtId="{number}"', text
        )
    }
    (found,) = read(lax(change, book=book)).submissions
    assert (found.values["segment_entry"], found.identity["registered_on"]) == (
        "2012-03-01",
        "2008-05-06",
    )


def merged(
    *ranges, rows, headings=(*KEY, "所在地", REVENUE, "2021年营业收入（万元）", "自主品牌"), top=0
):
    book = Workbook()
    book.active.title = "汇总表"
    book.active.append(["汇总表"])
    book.active.append(list(headings))
    for row in rows:
        book.active.append(list(row))
    for found in ("A1:F1", *ranges):
        # openpyxl would empty what is covered
        book.active.merged_cells.add(found)
    return book


PLACE = "江苏省苏州市虎丘区"


def test_merged_cells_hold_for_all_that_they_cover(lax):
    book = merged("C3:C5", "F3:F4", rows=[
        ("甲", A, PLACE, 1, 1, "是"), ("乙", B, None, 2, 2, None), ("丙", C, "旧", 3, 3, "否"),
        (None, None, None, None), ("合计", None, None, 6, 6),
    ])  # fmt: skip
    reading = read(lax(book=book))
    assert texts(reading) == []
    assert [s.identity["county"] for s in reading.submissions] == ["虎丘区"] * 3
    assert [s.values["own_brand"] for s in reading.submissions] == [True, True, False]


def test_a_figure_merged_over_enterprises_or_columns_is_nobodys(lax):
    book = merged("D3:D4", "D5:E5", rows=[
        ("甲", A, PLACE, 10, 1, "是"), ("乙", B, PLACE, None, 2, "是"), ("丙", C, PLACE, 30, None, "是"),
    ])  # fmt: skip
    reading = read(lax(book=book))
    assert [(i.cell, i.message.partition("，")[0]) for i in told(reading)] == [
        ("D3", "“营业收入总额”写在合并的D3:D4里"),
        ("D4", "“营业收入总额”写在合并的D3:D4里"),
        ("D5", "“营业收入总额”写在合并的D5:E5里"),
        ("E5", "“营业收入总额”写在合并的D5:E5里"),
    ]
    assert [sorted(k for k in s.values if "revenue" in k) for s in reading.submissions] == [
        ["revenue@2021"], ["revenue@2021"], [],
    ]  # fmt: skip


def test_none_merged_over_figures_holds_for_each(lax):
    book = merged("D3:E3", rows=[("甲", A, PLACE, "无", None, "是")])
    assert one(read(lax(book=book))).values["revenue@2021"] == "0"


def test_an_enterprise_merged_over_two_rows_is_one(lax):
    wide = ("A3:A4", "B3:B4", "C3:C4", "D3:D4")
    rows = [("甲", A, PLACE, 10, 1, "是"), (None,) * 6]
    assert one(read(lax(book=merged(*wide, rows=rows)))).values["revenue@2022"] == "100000"
    rows[1] = (None, None, None, None, 2, None)
    reading = read(lax(book=merged(*wide, rows=rows)))
    assert reading.submissions == ()
    assert [(i.cell, i.message) for i in reading.errors] == [
        ("B4", "统一社会信用代码与汇总表!B3重复")
    ]


def test_an_enterprise_merged_over_its_years_has_them_all(lax):
    headings = (*KEY, "年度", "营业收入（万元）", "研发费用（万元）")
    rows = [("甲", A, 2021, 1, 5), (None, None, 2022, 2, None)]
    book = merged("A3:A4", "B3:B4", "E3:E4", rows=rows, headings=headings)
    book.active["C4"].number_format = '0"年"'
    book.create_sheet("企业", 0).append(KEY)
    book.worksheets[0].append(["甲", A])
    reading = read(lax(book=book))
    (found,) = reading.submissions
    assert {k: v for k, v in found.values.items() if "@" in k} == {
        "revenue@2021": "10000", "revenue@2022": "20000",
    }  # fmt: skip
    assert [i.cell for i in told(reading) if "合并" in i.message] == ["E3", "E4"]


@pytest.mark.parametrize(
    "ranges", [["A9:F9"], ["C3:C1048576"], ["C4:C3", "C3:C4", "C3:D3"], ["A1:XFD2"]]
)
def test_merged_cells_without_effect_do_no_harm(lax, ranges):
    book = merged(rows=[("甲", A, PLACE, 1, 1, "是"), ("乙", B, PLACE, 2, 2, "是")])
    cells = "".join(f'<mergeCell ref="{found}"/>' for found in ranges)
    change = {
        SHEET: lambda text: re.sub(
            r"<mergeCells.*</mergeCells>", f"<mergeCells>{cells}</mergeCells>", text
        )
    }
    assert [s.identity["county"] for s in read(lax(change, book=book)).submissions] == [
        "虎丘区"
    ] * 2


def refusal(path):
    with pytest.raises(RegistryError) as error:
        read(path)
    return str(error.value)


def rows(text):
    return {SHEET: f"<worksheet><sheetData>{text}</sheetData></worksheet>"}


def cell(at, value="<v>1</v>"):
    return f'<row><c r="{at}">{value}</c></row>'


BEYOND = {
    "the row of a cell": (rows('<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>'), "工作表“Sheet”的行号99999999999不在1至1048576之间"),
    "a row without r": (rows(cell("A1048577")), "的行号1048577不在1至1048576之间"),
    "row 0": (rows('<row r="0"/>'), "的行号0不在1至1048576之间"),
    "a negative row": (rows('<row r="-1"/>'), "的行号-1不在1至1048576之间"),
    "rows that go back": (rows('<row r="5"/><row r="4"/>'), "第4行排在第5行之后，行号有误"),
    "a column": (rows(cell("XFE1")), "工作表“Sheet”第1行超过16384列"),
    "a column of many letters": (rows(cell("AAAA1")), "第1行有单元格的位置「AAAA1」，不是列和行"),
    "a column that is none": (rows(cell("甲1")), "第1行有单元格的位置「甲1」，不是列和行"),
    "a cell twice": (rows('<row><c r="B1"><v>1</v></c><c r="B1"><v>2</v></c></row>'), "的单元格B1出现了两次"),
    "a text that is not there": (rows('<row><c/><c t="s"><v>99</v></c></row>'), "的单元格B1的文字不在文件里"),
    "a long text": (rows(f'<row><c t="str"><v>{"x" * 500_001}</v></c></row>'), "第1行有500000字以上"),
    "a long formula": (rows(f'<row><c><f>{"x" * 500_001}</f></c></row>'), "第1行有500000字以上"),
    "a document type": ({SHEET: '<!DOCTYPE a [<!ENTITY b "c">]><worksheet>&b;</worksheet>'}, "文件已损坏或不是 Excel 工作簿"),
    "tags in tags": (rows("<a>" * 100 + "</a>" * 100), "文件已损坏或不是 Excel 工作簿"),
    "sheets": ({"xl/workbook.xml": "<workbook><sheets>" + "<sheet name='a'/>" * 256 + "</sheets></workbook>"}, "有256张工作表，超过可读取的255张"),
    "a sheet without its part": ({"xl/workbook.xml": '<workbook xmlns:r="x"><sheets><sheet name="一" r:id="a"/><sheet name="二" r:id="b"/></sheets></workbook>'}, "找不到工作表“一”的内容"),
    "a part that unpacks": ({SHEET: " " * (17 << 20)}, f"其中的 {SHEET} 解开后是压缩时的"),
    "styles": ({"xl/styles.xml": "<styleSheet><cellXfs>" + "<xf/>" * 65_537 + "</cellXfs></styleSheet>"}, "单元格格式超过65536种"),
    "merged cells": ({SHEET: "<worksheet><sheetData/><mergeCells>" + '<mergeCell ref="A1:B1"/>' * 100_001 + "</mergeCells></worksheet>"}, "有100000处以上合并单元格"),
    "parts": ({f"xl/{'x' * 1000}{n}": "" for n in range(1100)}, "压缩包里的文件太多"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "said"), BEYOND.values(), ids=BEYOND.keys())
def test_what_is_beyond_bounds_is_refused_with_its_place(lax, parts, said):
    path = lax(parts, book=Workbook())
    message = refusal(path)
    assert message.startswith(f"{path.name}：")
    assert said in message


def test_shared_texts_are_bounded(lax, monkeypatch):
    monkeypatch.setattr(limits, "STRINGS", 2)
    assert "文字超过可读取的2条" in refusal(
        lax({"xl/sharedStrings.xml": "<sst>" + "<si/>" * 3 + "</sst>"})
    )


def test_a_tag_without_end_is_refused_soon(lax, monkeypatch):
    monkeypatch.setattr(limits, "TAG", 1 << 17)
    found = "".join(chr(97 + n * n % 26) for n in range(1 << 19))
    assert "文件已损坏" in refusal(lax(rows(f"<row a='{found}'/>")))


def test_a_directory_that_claims_to_be_huge_is_not_read(lax):
    path = lax()
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rfind(b"PK\x05\x06") + 12, 1 << 31)
    path.write_bytes(data)
    assert "压缩包里的文件太多" in refusal(path)


def test_the_last_row_is_read_and_numbers_of_any_length_do_no_harm(lax):
    digits = f'<row r="1"><c><v>{"9" * 5000}</v></c><c><v>1e999999</v></c></row>'
    found = cells(lax(rows(digits + cell("A1048576").replace("<row", '<row r="1048576"'))))
    assert (len(found), found[-1], found[0][1]) == (1_048_576, [1], float("inf"))
    book = Workbook()
    book.active.append([*KEY, REVENUE])
    book.active.append(["甲", A, 1])
    for number in ("9" * 5000, "1e999999", "1e-999999", "nan"):
        change = {SHEET: replaced("<v>1</v>", f"<v>{number}</v>")}
        reading = read(lax(change, book=book))
        assert reading.submissions[0].values.get("revenue@2022") in (None, "0"), number


def archive(*parts):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as new:
        for part in parts:
            new.writestr(part, "x")
    return packed.getvalue()


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
OTHERS = {
    "a web page": (b"\xef\xbb\xbf\r\n<html><table><tr><td>1</td></tr></table></html>", "网页"),
    "a saved web page": (b"MIME-Version: 1.0\nX-Document-Type: Workbook", "网页"),
    "XML of 2003": (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "XML 表格 2003"),
    "a text": ("企业名称,代码\n".encode("gb18030"), "文本文件（如 CSV）"),
    "a text in UTF-16": ("企业名称\t代码\n".encode("utf-16"), "文本文件（如 CSV）"),
    "a letter": (archive("word/document.xml"), "Word 文档（.docx）"),
    "OpenDocument": (archive("mimetype", "content.xml"), "OpenDocument 表格（.ods）"),
    "binary": (archive("xl/workbook.bin"), "二进制工作簿（.xlsb）"),
    "an archive": (archive("a.xlsx"), "压缩包"),
    "PDF": (b"%PDF-1.7", "PDF 文件"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), OTHERS.values(), ids=OTHERS.keys())
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path, data, kind):
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    assert refusal(path) == (
        f"a.xlsx：这其实是{kind}，不是 Excel 工作簿，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试"
    )
    path = path.rename(tmp_path / "a.xls")
    assert f"（这其实是{kind}）" in refusal(path)
    if not kind.startswith("文本"):
        assert f"这其实是{kind}，不是 CSV 文件" in refusal(path.rename(tmp_path / "a.csv"))


def test_a_workbook_by_the_name_of_a_text_is_called_what_it_is(lax):
    assert refusal(lax(name="a.csv")).endswith("不是 CSV 文件，请把扩展名改为 .xlsx 后重试")
    assert "（这其实是Excel 工作簿（.xlsx））" in refusal(lax(name="a.xls"))


TABLE = f'企业名称,统一社会信用代码,{REVENUE}\n甲,"=""{A}""",1\n乙,"=""{B}""",2\n'
TEXTS = {
    "a code as a formula": TABLE.encode(),
    "GB18030": TABLE.encode("gb18030"),
    "UTF-16": TABLE.replace(",", "\t").encode("utf-16"),
    "UTF-16 big-endian": b"\xfe\xff" + TABLE.replace(",", "\t").encode("utf-16-be"),
    "the delimiter named": ("\ufeffsep=;\r\n" + TABLE.replace(",", ";")).encode(),
    "mixed line ends": TABLE.replace("\n", "\r\n", 1).encode(),
    "a mark before a quote": b"\xef\xbb\xbf" + TABLE.replace("企业名称", '"企业名称"').encode(),
    "what cannot be seen": TABLE.replace("1", "\u200b1", 3).replace("甲", "\ufeff甲\u200e").encode(),
}  # fmt: skip


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("suffix", [".csv", ".txt", ".tsv"])
def test_texts_of_every_kind(tmp_path, data, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    reading = read(path)
    assert texts(reading) == []
    assert [(s.name, s.uscc, s.values["revenue@2022"]) for s in reading.submissions] == [
        ("甲", A, "10000"), ("乙", B, "20000"),
    ]  # fmt: skip


def test_a_line_without_end_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1," * (limits.LINE // 2))
    assert refusal(path) == "a.csv第2行超过1048576字，不是正常的表格，请核对"


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u200d", "\ufeff", "\xad", "\u2060", "\u202a", "\x9b", "\ufe0f"]
)
def test_what_cannot_be_seen_is_read_as_if_not_there(tmp_path, hidden):
    book = county([firm(1, **{
        NAME: f"甲{hidden}公司", CODE: f"{code(1)[:5]}{hidden}{code(1)[5:]}{hidden}", "自主品牌": f"√{hidden}",
        REVENUE: f"1{hidden}0000", "进入细分市场时间": f"{hidden}2012年3月1日", "全国细分市场占有率": f"12{hidden}%",
    })], title=f"汇总{hidden}表")  # fmt: skip
    sheet = book.active
    for heading in sheet[3]:
        heading.value = heading.value[:3] + hidden + heading.value[3:]
    (found,) = read(saved(book, tmp_path)).submissions
    assert (found.name, found.uscc) == ("甲公司", code(1))
    expected = {
        "revenue@2022": "100000000",
        "segment_entry": "2012-03-01",
        "market_share": "0.12",
        "own_brand": True,
    }
    assert {key: found.values[key] for key in expected} == expected


@pytest.mark.parametrize(
    "error", ["#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#SPILL!", "Err:502", "########"]
)
def test_the_error_value_of_a_formula_is_told_as_such(tmp_path, error):
    headings = [REVENUE, "全国细分市场占有率", "自主品牌", "进入细分市场时间", "2022年末从业人员（人）",
                "行业代码（GB/T 4754）", "研发机构级别", "近年科技奖励（级别/排名/发证日期）"]  # fmt: skip
    reading = read(saved(county([firm(1, **dict.fromkeys(headings, error))]), tmp_path))
    said = [i.message for i in told(reading) if "公式的错误值" in i.message]
    assert len(said) == len(headings)
