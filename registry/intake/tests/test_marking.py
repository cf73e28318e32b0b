"""A workbook with its cells marked: mended there and read again, with all that it had."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from registry.errors import RegistryError
from registry.filings import FileReading
from registry.intake import marking
from registry.intake.marking import mark
from registry.intake.tests.counties import county, firm, read, saved

CODE, NAME, REVENUE = "统一社会信用代码", "企业名称", "2022年营业收入（万元）"
#: What an enterprise may type to have a spreadsheet do something.
TYPED = '=HYPERLINK("http://example.invalid","点我")'


@pytest.fixture
def amiss(tmp_path: Path) -> Path:
    """A county's table with one wrong code, two unreadable figures, and a look of its own."""
    rows = [firm(n) | {REVENUE: value} for n, value in ((1, 10000), (2, "约1万"), (3, "约1万"))]
    rows[0][CODE] = str(rows[0][CODE])[:17] + "?"
    rows[2][NAME] = TYPED
    path = saved(county(rows), tmp_path)
    book = load_workbook(path)
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet["A1"].font = Font(bold=True, color="FF0000FF")
    sheet["A1"].comment = Comment("县里的批注", "县局")
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value == TYPED:
                cell.data_type = "s"
    sheet["B4"].fill = PatternFill(fill_type="solid", start_color="FF00FF00")
    sheet.column_dimensions["C"].width = 44
    book.create_sheet("计算")["A1"] = "=1+1"
    book.save(path)
    return path


def marked(path: Path, reading: FileReading | None = None) -> Path:
    reading = reading or read(path)
    target = path.with_name("标出.xlsx")
    mark(path, reading, target)
    return target


def comments(path: Path) -> Mapping[str, str]:
    sheet = load_workbook(path)["汇总表"]
    return {
        cell.coordinate: cell.comment.text
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment and cell.comment.author == "梯度"
    }


def coloured(path: Path) -> set[str]:
    sheet = load_workbook(path)["汇总表"]
    return {
        f"{get_column_letter(column)}{row}"
        for formatting in sheet.conditional_formatting
        for ranged in formatting.sqref.ranges
        for row, column in ranged.cells
    }


def test_every_cell_that_is_amiss_is_marked_and_says_why(amiss: Path) -> None:
    reading = read(amiss)
    target = marked(amiss, reading)
    cells = {i.cell for i in reading.issues if i.sheet == "汇总表"}
    assert len(cells) >= 3
    assert comments(target).keys() == coloured(target) == cells
    for issue in reading.issues:
        assert f"{issue.severity}：{issue.said}" in comments(target)[issue.cell]


def test_the_list_has_each_issue_with_a_link_to_its_cell(amiss: Path) -> None:
    reading = read(amiss)
    sheet = load_workbook(marked(amiss, reading))["问题"]
    head, *lines = sheet.iter_rows(values_only=True)
    assert head == ("级别", "位置", "企业", "原文", "问题", "应为")
    assert len(lines) == len(reading.issues)
    assert [line[0] for line in lines] == sorted((str(line[0]) for line in lines), reverse=True)
    assert sheet["B2"].hyperlink.location == f"'汇总表'!{str(lines[0][1]).partition('!')[2]}"


def test_all_else_stays_as_it_was(amiss: Path) -> None:
    before, after = load_workbook(amiss), load_workbook(marked(amiss))
    assert after.sheetnames == [*before.sheetnames, "问题"]
    one, two = before["汇总表"], after["汇总表"]
    assert [*one.iter_rows(values_only=True)] == [*two.iter_rows(values_only=True)]
    assert two["A1"].font.b
    assert two["A1"].comment.text == "县里的批注"
    assert two["B4"].fill.start_color.rgb == "FF00FF00"
    assert two.column_dimensions["C"].width == 44
    assert after["计算"]["A1"].value == "=1+1"
    assert after["计算"]["A1"].data_type == "f"


def test_nothing_that_was_typed_becomes_a_formula(amiss: Path) -> None:
    book = load_workbook(marked(amiss))
    found = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value == TYPED]
    assert len(found) >= 2  # in the table, and as the enterprise of its issue
    assert {c.data_type for c in found} == {"s"}


def test_a_marked_workbook_is_read_as_the_one_without_marks(amiss: Path) -> None:
    def said(reading: FileReading) -> list[Any]:
        return [*reading.submissions, *reading.refused, *map(str, reading.issues)]

    assert said(read(marked(amiss))) == said(read(amiss))


def test_what_is_mended_loses_its_mark_and_the_list_is_there_once(amiss: Path) -> None:
    above, below = (i.cell for i in read(amiss).issues if i.value == "约1万")
    first = marked(amiss)
    book = load_workbook(first)
    book["汇总表"][below] = 10000
    book.save(first)
    target = marked(first.rename(first.with_name("再次.xlsx")))
    assert load_workbook(target).sheetnames.count("问题") == 1
    assert above in comments(target)
    assert below not in comments(target)
    assert coloured(target) == comments(target).keys()


def test_a_merged_cell_is_marked_at_its_corner(tmp_path: Path) -> None:
    path = saved(county([firm(1), firm(2)]), tmp_path)
    book = load_workbook(path)
    sheet = book["汇总表"]
    column = next(c.column_letter for c in sheet[3] if c.value == REVENUE)
    sheet[f"{column}4"] = "约1万"
    sheet.merge_cells(f"{column}4:{column}5")
    book.save(path)
    reading = read(path)
    assert any(i.cell.startswith(column) for i in reading.issues)
    assert f"{column}4" in comments(marked(path, reading))


def _with(path: Path, part: str, text: str) -> Path:
    """The workbook with one part replaced or added."""
    other = path.with_name("炸弹.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename != part:
                new.writestr(info, old.read(info))
        new.writestr(part, text)
    return other


def test_bombs_in_parts_that_no_table_needs_are_refused(amiss: Path) -> None:
    lol = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    with pytest.raises(RegistryError, match="不能在原表上标出"):
        marked(_with(amiss, "xl/theme/theme1.xml", lol), read(amiss))
    blank = "<a>" + " " * (17 << 20) + "</a>"
    with pytest.raises(RegistryError, match="不是正常的工作簿"):
        marked(_with(amiss, "docProps/app.xml", blank), read(amiss))


def test_a_sheet_that_is_nearly_empty_stays_so(amiss: Path) -> None:
    book = load_workbook(amiss)
    book["汇总表"]["XFD1048576"] = "远"
    book.save(amiss)
    with zipfile.ZipFile(marked(amiss)) as archive:
        assert archive.getinfo("xl/worksheets/sheet1.xml").file_size < 1 << 20


def test_a_workbook_that_is_too_large_is_not_held(
    amiss: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "_HELD", 1000)
    with pytest.raises(RegistryError, match="表太大"):
        marked(amiss)
    assert not amiss.with_name("标出.xlsx").exists()


def test_a_sheet_of_the_bureaus_own_with_that_name_stays(amiss: Path) -> None:
    book = load_workbook(amiss)
    book.create_sheet("问题")["A1"] = "县里自己的"
    book.save(amiss)
    assert load_workbook(marked(amiss)).sheetnames[-2:] == ["问题", "问题1"]
