"""Tables of days off are read from a CSV file or a workbook, or every fault is told with its row."""

import csv
import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from registry.errors import RegistryError
from registry.intake.calendars import read_years

HEAD = ["首日", "末日", "安排", "名目", "年度", "依据"]
ROWS: list[list[object]] = [
    [date(2031, 1, 1), date(2031, 1, 3), "放假", "元旦", 2031, "通知6号"],
    [],
    [date(2031, 1, 4), date(2031, 1, 4), "上班", "调休", 2031, "通知6号"],
]
READ = {
    "2031": {"basis": "通知6号", "rest": [["2031-01-01", "2031-01-03"]], "work": ["2031-01-04"]}
}


def written(path: Path, rows: list[list[object]]) -> Path:
    if path.suffix == ".csv":
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        path.write_text(text.getvalue(), encoding="gb18030")
        return path
    book = openpyxl.Workbook()
    book.worksheets[0].append(["说明"])
    sheet = book.create_sheet("安排")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("name", ["安排.csv", "安排.xlsx"])
def test_a_table_is_read(tmp_path: Path, name: str) -> None:
    told: list[str] = []
    assert read_years(written(tmp_path / name, [HEAD, *ROWS]), told) == READ
    assert told == []


def test_days_may_be_written_as_people_write_them(tmp_path: Path) -> None:
    rows = [["2031/1/1", "2031年1月3日", *ROWS[0][2:]], *ROWS[1:]]
    assert read_years(written(tmp_path / "安排.csv", [HEAD, *rows]), []) == READ


def test_what_is_doubtful_about_a_table_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "安排.xlsx", [HEAD, [47849, *ROWS[0][1:]], *ROWS[1:]])
    book = openpyxl.load_workbook(path)
    book["安排"].row_dimensions[4].hidden = True
    book.create_sheet("第二张").append(HEAD)
    book.save(path)
    told: list[str] = []
    assert read_years(path, told) == READ
    number, hidden, further = told
    assert number.startswith(
        "第2行：首日「47849」像是日期2031-01-01显示成了数字，已读作这一天，请核对"
    )
    assert hidden.startswith("安排隐藏的第4行也已读取：")
    assert further == "工作表第二张也有放假安排，未读取：请合到第一张再登记"


@pytest.mark.parametrize("name", ["安排.csv", "安排.xlsx"])
def test_every_fault_is_told_with_its_row(tmp_path: Path, name: str) -> None:
    rows = [*ROWS, ["2031-13-01", *ROWS[0][1:]], [*ROWS[0], "多余"], [*ROWS[0][:5]]]
    with pytest.raises(RegistryError, match=f"{name} 有3处错误，没有登记") as refused:
        read_years(written(tmp_path / name, [HEAD, *rows]), [])
    days, wide, short = refused.value.details
    assert days == "错误 第5行：首日「2031-13-01」没有这一天，应为年月日，例如 2023-06-30"
    assert wide.startswith("错误 第6行：此行应有6列")
    assert short == "错误 第7行：依据为空：请写明放假安排通知的文号"


def test_what_is_no_such_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="没有放假安排：第1行表头应为首日、末日、安排、名目"):
        read_years(written(tmp_path / "安排.xlsx", [["企业名称"], *ROWS]), [])
