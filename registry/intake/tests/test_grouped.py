"""Issues of one kind in one line, on the terminal and in the report; single ones for machines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from registry.filings import Heading, Issue
from registry.intake import write_issues
from registry.intake.grouped import Groups, grouped
from registry.intake.tests.counties import column, county, firm, read, saved


def notice(cell: str, said: str = "不是可识别的金额", value: str = "约", **more: Any) -> Issue:
    return Issue(
        **{"severity": "提示", "sheet": "表", "cell": cell, "value": value, "message": said} | more
    )


def lines(issues: Sequence[Issue], *headings: Heading) -> list[str]:
    return [str(group) for group in grouped(issues, headings)]


def test_equal_notices_of_a_column_are_one_line_with_count_heading_and_places() -> None:
    heading = Heading("表", "X", 3, "从事特定细分市场时间（年）")
    found = lines([notice(f"X{n}") for n in (*range(6, 64), 70, 72, 80)], heading)
    assert found == [
        "提示 表 X列「从事特定细分市场时间（年）」 61处，如X6「约」：不是可识别的金额（X6至X63、X70、X72等）"
    ]


def test_a_single_notice_is_told_as_ever() -> None:
    assert lines([notice("X6", expected="应为数字")]) == [str(notice("X6", expected="应为数字"))]


def test_notices_that_differ_in_what_they_quote_or_count_are_of_one_kind() -> None:
    texts = (
        ("已按四舍六入五成双取为12.35元", "已按四舍六入五成双取为9.1元"),
        ("不认识的领域：甲", "不认识的领域：乙丙"),
    )
    for first, second in (*texts, ("「省级」不齐全", "「国家级/4」不齐全")):
        (line,) = lines([notice("A1", first), notice("A9", second)])
        assert line == f"提示 表 A列 2处，如A1「约」：{first}（A1、A9）"


@pytest.mark.parametrize(
    "other",
    [
        notice("A9", "不是整数"),
        notice("B9"),
        notice("A9", sheet="第二页"),
        notice("A9", severity="错误"),
        notice("A9", expected="应为数字"),
    ],
    ids=["message", "column", "sheet", "severity", "remedy"],
)
def test_other_notices_are_of_another_kind(other: Issue) -> None:
    assert len(lines([notice("A8"), other])) == 2


def test_what_names_another_cell_stands_alone() -> None:
    said = "企业名称与表!B{}相同，信用代码不同"
    assert len(lines([notice("B9", said.format(5)), notice("B10", said.format(6))])) == 2


def test_errors_are_one_line_only_where_they_say_the_same_and_name_every_cell() -> None:
    def error(cell: str, said: str) -> Issue:
        return notice(cell, said, severity="错误")

    digit = "校验码不符：前17位对应的第18位应为 {}"
    assert len(lines([error("D5", digit.format(1)), error("D6", digit.format(7))])) == 2
    cells = [f"D{n}" for n in range(5, 25, 2)]
    assert lines([error(c, "存成了数字") for c in cells]) == [
        f"错误 表 D列 10处，如D5「约」：存成了数字（{'、'.join(cells)}）"
    ]


def test_errors_come_first_and_then_what_concerns_most_cells() -> None:
    many = [notice(f"B{n}") for n in range(9)]
    found = grouped([notice("A1"), *many, notice("C1", "没有企业名称", severity="错误")])
    assert [(g.first.severity, g.count) for g in found] == [("错误", 1), ("提示", 9), ("提示", 1)]


def test_headings_of_one_row_are_one_line_that_names_each() -> None:
    headings = [
        Heading("表", letter, 5, text) for letter, text in zip("FGH", "甲乙丙", strict=True)
    ]
    issues = [notice(f"{h.letter}5", "看不懂这个表头", h.text) for h in headings]
    assert lines(issues, *headings) == [
        "提示 表 第5行表头 3列：看不懂这个表头（F5「甲」、G5「乙」、H5「丙」）"
    ]


def test_places_of_json_files_and_of_rows_are_told_too() -> None:
    found = lines([notice(f"[{n}].values.revenue@2022") for n in range(5)])
    assert found == [
        "提示 表 .values.revenue@2022 5处，如[0].values.revenue@2022「约」：不是可识别的金额"
        "（[0].values.revenue@2022、[1].values.revenue@2022、[2].values.revenue@2022等）"
    ]
    assert lines([notice(str(n), value="") for n in (5, 6, 8)]) == [
        "提示 表 3处：不是可识别的金额（5至6、8）"
    ]


def test_millions_of_issues_are_counted_in_flat_memory() -> None:
    groups = Groups()
    for start in range(0, 200_000, 1000):
        groups.add(notice(f"X{2 * n}", f"甲{'乙' * (n % 300)}") for n in range(start, start + 1000))
    assert sum(group.count for group in groups) == 200_000
    assert max(len(group.places) for group in groups) <= 200
    groups.add(notice("Y1", chr(0x4E00 + n)) for n in range(1, 11_000))
    assert len(groups) <= 10_001
    assert sum(group.count for group in groups) == 210_999


def test_the_report_names_the_firm_links_to_the_cell_and_sums_up(tmp_path: Path) -> None:
    heading = "2022年净利润（万元）"
    rows = [firm(n, **{heading: "约1200"}) for n in range(1, 6)]
    book = county([*rows, firm(6, "丙公司", 统一社会信用代码="91990000MA0000006")])
    book.active.title = "汇总 '23"
    source = saved(book, tmp_path, "某县 汇总表#1.xlsx")
    reading = read(source)
    (tmp_path / "out").mkdir()
    report = tmp_path / "out" / "问题.xlsx"
    write_issues(report, reading, source)
    single, grouped = load_workbook(report).worksheets
    assert (single.title, grouped.title) == ("问题清单", "汇总")
    assert (single.freeze_panes, single.auto_filter.ref) == ("A2", "A1:I7")
    names = [c.value for c in single[1]]
    first, second, *_ = single.iter_rows(min_row=2)
    told = dict(zip(names, first, strict=True))
    assert (told["级别"].value, told["企业名称"].value) == ("错误", "丙公司")
    told = dict(zip(names, second, strict=True))
    assert (told["企业名称"].value, told["表头"].value) == ("云溪县第1泵阀有限公司", heading)
    link = told["单元格"].hyperlink
    letter = told["单元格"].value
    assert (link.target, link.location) == ("../某县%20汇总表%231.xlsx", f"'汇总 ''23'!{letter}")
    rows = [[c.value for c in row] for row in grouped.iter_rows(min_row=2)]
    assert [row[:1] + row[2:4] for row in rows] == [
        ["错误", "C列「统一社会信用代码」", 1],
        ["提示", f"{letter[:-1]}列「{heading}」", 5],
    ]
    assert rows[1][-1] == f"{letter[:-1]}4至{letter[:-1]}8"
    assert letter == f"{get_column_letter(column(heading))}4"


def test_a_report_of_a_file_without_cells_has_no_links(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("企业名称,统一社会信用代码\n甲,91990000MA0000001\n", "utf-8")
    write_issues(tmp_path / "问题.xlsx", read(path), path)
    sheet = load_workbook(tmp_path / "问题.xlsx").worksheets[0]
    assert [c.hyperlink for c in sheet[2]] == [None] * 9


def test_a_sheet_is_not_given_more_links_than_it_can_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.intake.issues_report._LINKS", 3)
    rows = [firm(n, 自主品牌="待定") for n in range(1, 7)]
    source = saved(county(rows), tmp_path)
    write_issues(tmp_path / "问题.xlsx", read(source), source)
    sheet = load_workbook(tmp_path / "问题.xlsx").worksheets[0]
    links = [bool(row[2].hyperlink) for row in sheet.iter_rows(min_row=2)]
    assert links == [True] * 3 + [False] * 3
