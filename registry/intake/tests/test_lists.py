"""Lists of enterprises as notices have them: what merged cells say holds for the rows that they cover."""

from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font

from registry.intake.lists import enterprises, read_list
from registry.intake.tests.counties import code, read


def _column(heading: str) -> str:
    return enterprises(heading) or ("share" if heading == "持股比例" else "")


@pytest.mark.parametrize(
    ("merged", "shares", "found"),
    [
        ((), (1, 2, 3), [(code(1), 1), ("", 2), (code(2), 3)]),
        (("A2:A3", "B2:B3"), (1, 2, 3), [(code(1), 1), (code(1), 2), (code(2), 3)]),
        (("A2:A3", "B2:B3", "C2:C3"), (1, None, 3), [(code(1), 1), (code(2), 3)]),
        (("A2:A3", "B2:B3"), (1, None, 3), [(code(1), 1), (code(2), 3)]),
    ],
)
def test_a_merged_enterprise_is_that_of_every_row_that_says_something(
    tmp_path: Path,
    merged: tuple[str, ...],
    shares: tuple[object, ...],
    found: list[tuple[str, int]],
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ("统一社会信用代码", "企业名称", "持股比例", "备注"),
        (code(1), "甲公司", shares[0], "一"),
        (None, None, shares[1], "二"),
        (code(2), "乙公司", shares[2], "三"),
    ):
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    book.save(tmp_path / "名单.xlsx")
    listing = read_list(tmp_path / "名单.xlsx", _column, ("share",))
    assert [(line.text("uscc"), line.cells["share"]) for line in listing.lines] == found
    assert listing.told == ()


@pytest.mark.parametrize("name", ["如东县甲子泵阀有限公司", "如皋市机械厂", "例外服饰有限公司"])
def test_a_firm_whose_name_begins_like_a_remark_is_an_entry(tmp_path: Path, name: str) -> None:
    path = tmp_path / "名单.csv"
    path.write_text(f"序号,企业名称\n1,{name}\n2,乙公司\n", encoding="utf-8")
    found = read_list(path, enterprises, ("uscc", "name"))
    assert [line.text("name") for line in found.lines] == [name, "乙公司"]


HIDDEN = "隐藏的第3行，隐藏的“统一社会信用代码”列也已读取"


def test_rows_that_are_struck_out_are_told(tmp_path: Path) -> None:
    """In a list and in a filing, whether the whole row is struck out or one cell."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (
        ("企业名称", "统一社会信用代码", "自主品牌"),
        *((f"{n}公司", code(n), "是") for n in (1, 2, 3)),
    ):
        sheet.append(row)
    for cell in (*sheet[3], sheet["A4"], sheet["A9"]):
        cell.font = Font(strike=True)
    sheet["A2"].font = Font(strike=False, bold=True)
    book.save(tmp_path / "名单.xlsx")
    listed = read_list(tmp_path / "名单.xlsx", enterprises, ("uscc",))
    struck = "第3、4行有带删除线的内容，也已读取"
    assert listed.told[-1] == f"Sheet{struck}：划去不登记的，请删去再登记"
    reading = read(tmp_path / "名单.xlsx")
    assert f"提示 Sheet：{struck}，划去不要的，请删去再读" in map(str, reading.issues)


def _hidden(path: Path, rows: list[list[object]], row: int, column: str) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    for cells in rows:
        sheet.append(cells)
    sheet.row_dimensions[row].hidden = True
    sheet.row_dimensions[len(rows) + 3].hidden = True  # nothing stands there
    sheet.column_dimensions[column].hidden = True
    sheet.column_dimensions["F"].hidden = True
    book.save(path)
    return path


def test_hidden_rows_and_columns_of_a_list_are_told(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["企业名称", "统一社会信用代码"], ["甲公司", code(1)], ["乙公司", code(2)], ["丙公司", code(3)],
    ]  # fmt: skip
    found = read_list(_hidden(tmp_path / "名单.xlsx", rows, 3, "B"), enterprises, ("uscc",))
    assert len(found.lines) == 3
    assert found.told == (f"Sheet{HIDDEN}：不该登记的，请取消隐藏后删去再登记",)


def test_hidden_rows_and_columns_of_a_filing_are_told(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["企业名称", "统一社会信用代码", "自主品牌"], ["甲公司", code(1), "是"], ["乙公司", code(2), "是"],
    ]  # fmt: skip
    reading = read(_hidden(tmp_path / "汇总.xlsx", rows, 3, "B"))
    assert len(reading.submissions) == 2
    assert [str(i) for i in reading.issues if "隐藏" in i.message] == [
        f"提示 Sheet：{HIDDEN}，不该登记的，请取消隐藏后删去再读"
    ]
