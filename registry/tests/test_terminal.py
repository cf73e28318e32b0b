"""What is printed reads well in a terminal, however narrow, and whole where there is none."""

import io
import re

import pytest
from rich.cells import cell_len

from registry.kit.screens import Screen, listing
from registry.reports.layout import Report, Section, Table, text

LINE = "    ✗ 上年度研发费用占比 不低于3%：2.9999%（差0.0001个百分点，合0.01万元）　〔汇总表!S7、汇总表!M7〕"
HEADER = ("企业", "信用代码", "小巨人", "主要原因", "摘要")
ROWS = (
    ("示例十一号（虚构）有限公司", "91990000MA0000011C", "待人工认定", "近2年平均增长率无法计算（2020年主营业务收入总额填报为0万元）", "a1" * 32),
    ("甲公司", "91990000MA0000001B", "符合", "", ""),
)  # fmt: skip
WIDTHS = pytest.mark.parametrize("width", [40, 60, 80, 120, 200])


def printed(what: object, width: int, *, terminal: bool, whole: bool = False) -> list[str]:
    screen = Screen(
        file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, highlight=False
    )
    screen.print(what, markup=False, soft_wrap=whole)
    assert isinstance(screen.file, io.StringIO)
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]


@WIDTHS
def test_a_long_line_goes_on_under_its_own_text_and_breaks_no_number(width: int) -> None:
    lines = printed(LINE, width, terminal=True, whole=True)
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.startswith(" " * 6) for line in lines[1:])
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", LINE)
    assert any("0.0001个百分点" in line for line in lines)


def test_a_line_is_whole_where_there_is_no_terminal() -> None:
    assert printed(LINE, 40, terminal=False, whole=True) == [LINE]


@WIDTHS
def test_a_table_is_no_wider_than_the_terminal_and_loses_nothing(width: int) -> None:
    lines = printed(listing(HEADER, ROWS, width), width, terminal=True)
    assert all(cell_len(line) <= width for line in lines)
    said = "".join(lines)
    for cell in (c for row in ROWS for c in row):
        assert sorted(set(cell) - set(said)) == []
    assert "…" not in said
    assert said.count("a1") + said.count("1a") >= 20


@pytest.mark.parametrize("width", [80, 120, 200])
def test_narrow_columns_of_a_table_are_not_broken(width: int) -> None:
    said = "\n".join(printed(listing(HEADER, ROWS, width), width, terminal=True))
    for cell in ("91990000MA0000011C", "待人工认定", "甲公司"):
        assert cell in said


@pytest.mark.parametrize(("width", "stacked"), [(110, False), (40, True)])
def test_a_table_of_a_report_that_has_no_room_is_told_row_by_row(
    width: int, *, stacked: bool
) -> None:
    report = Report(
        title="理由",
        facts=(),
        verdict="符合",
        sections=(Section(title="数据", table=Table(HEADER, ROWS)),),
    )
    lines = text(report, width).splitlines()
    assert ("  · 企业：甲公司" in lines, "    小巨人：符合" in lines) == (stacked, stacked)
