"""Cells for people, and the workbooks that hold them."""

import gc
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from registry.kit import workbooks
from registry.kit.workbooks import harmless, workbook


@pytest.mark.parametrize("name", ["a.xlsx", "没有/a.xlsx"])
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_workbook_that_is_not_finished_ends_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, interrupted: bool
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    def write() -> None:
        with workbook(tmp_path / name) as book:
            for title in ("甲", "乙"):
                book.sheet(title, ["值"])
            if interrupted:
                raise KeyboardInterrupt

    if interrupted or "/" in name:
        with pytest.raises((KeyboardInterrupt, FileNotFoundError)):
            write()
    else:
        write()
    gc.collect()
    assert complaints == []
    assert [p.name for p in tmp_path.iterdir()] == ([] if interrupted or "/" in name else [name])


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_takes_for_a_formula_is_marked_as_text(first: str) -> None:
    assert harmless(f"{first}1") == f"'{first}1"
    assert harmless(f"1{first}") == f"1{first}"


@pytest.mark.parametrize("rows", range(6))
def test_a_full_sheet_goes_on_in_another_with_heading_and_filter(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "FULL", 2)
    with workbook(tmp_path / "a.xlsx") as book:
        sheet = book.sheet("表", ["数"], [9], label="说明", filtered=True)
        for number in range(rows):
            sheet.add([number])
    book = load_workbook(tmp_path / "a.xlsx")
    assert [v for sheet in book for [v] in sheet.iter_rows(min_row=3, values_only=True)] == [
        *range(rows)
    ]
    for number, sheet in enumerate(book, 1):
        assert sheet.title == ("表" if number == 1 else f"表（{number}）")
        assert [sheet["A1"].value, sheet["A2"].value] == ["说明", "数"]
        assert sheet.auto_filter.ref == f"A2:A{sheet.max_row}"
        assert (sheet.freeze_panes, sheet.column_dimensions["A"].width) == ("A3", 9)
        assert sheet.max_row <= 4


def test_columns_are_as_wide_as_their_rows_ask_for(tmp_path: Path) -> None:
    with workbook(tmp_path / "a.xlsx") as book:
        book.sheet("后", ["一", "二"], rows=[["", "甲" * 10], [None, "乙" * 99]])
        book.sheet("前", ["一"], place=0)
    before, after = load_workbook(tmp_path / "a.xlsx")
    assert (before.title, before.max_row) == ("前", 1)
    widths = [after.column_dimensions[letter].width for letter in "AB"]
    assert widths == [pytest.approx(3.8), 60]


@pytest.mark.parametrize("text", ["=1+1", "#N/A", "#REF!", "=", "1"])
def test_a_text_stays_one_in_a_workbook(text: str, tmp_path: Path) -> None:
    with workbook(tmp_path / "a.xlsx") as book:
        book.sheet("表", [text], rows=[[text]])
    for [cell] in load_workbook(tmp_path / "a.xlsx")["表"].iter_rows():
        assert (cell.value, cell.data_type) == (text, "s")
