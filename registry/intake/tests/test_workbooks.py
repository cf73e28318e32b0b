"""Workbooks as counties send them: merged cells, lax writers, other kinds of files, bounds."""

import io
import re
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from registry.intake import read
from registry.intake.cells import Unsaved
from registry.intake.tables import sheets
from registry.intake.tests.counties import county, firm
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
