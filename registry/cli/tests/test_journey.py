"""A county's untidy table is loaded at the second attempt by somebody who reads only what the program says."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from registry.cli import main
from registry.cli.common import console
from registry.intake.tests.counties import code

Run = Callable[..., Result]

UPPER = ["序号", "县（市、区）", "企业名称", "统一社会信用代码", "注册时间", "行业代码（4位数）",
         "全职员工数量（人）", None, "其中：研发人员数量（人）", "营业收入（万元）", None, None,
         "研发费用总额（万元）", None, "资产总额（万元）", "负债总额（万元）", "从事特定细分市场时间（年）",
         "国内细分市场占有率", "研发机构级别", "创新型中小企业有效期", "镇里自编的等次", "联系人", "备注"]  # fmt: skip
LOWER = [None, None, None, None, None, None, "2021年", "2022年", "2022年", "2020年", "2021年",
         "2022年", "2021年", "2022年", "2022年", "2022年"]  # fmt: skip
FIRST, FIRMS = 6, 60
#: The column of each faulty cell with what is typed there, and what mends it.
FAULTS = {
    17: ("D", "990000000012345", code(917)),
    26: ("D", code(25), code(926)),
    29: ("I", 999, 9),
    37: ("C", None, "云溪县第37泵阀有限公司"),
    39: ("D", code(39)[:17] + ("1" if code(39)[17] != "1" else "2"), code(39)),
    53: ("D", 9.19900001234567e17, code(953)),
}  # fmt: skip


def row(number: int) -> list[object]:
    """One firm's row; every fourth, third or second says what cannot be read."""
    share = "国内前三" if number % 4 == 0 else "12%"
    level = "企业自建" if number % 5 == 0 else "省级"
    until = "2022.12-2025.12" if number % 3 == 0 else "2025-12-31"
    return [number - FIRST + 1, "城关镇" if number == FIRST else None, f"云溪县第{number}泵阀有限公司", code(number),
            datetime(2010, 5, 1), "3441", 16, 18, 2, 9000, 9000, "约9000" if number % 20 == 0 else 9000, 364.5,
            405, 12600, 5400, 3, share, level, until, "A", "张某", None]  # fmt: skip


def table(path: Path, *, mended: bool) -> Path:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "汇总表"
    sheet.append(["附件2"])
    sheet.append(["2023年示范省专精特新中小企业推荐汇总表"])
    sheet.append(
        [
            "推荐单位（盖章）：云溪县工业和信息化局",
            None,
            None,
            None,
            None,
            "填报日期：2023年6月30日",
        ]
    )
    sheet.append(UPPER)
    sheet.append(LOWER)
    for number in range(FIRST, FIRST + FIRMS):
        sheet.append(row(number))
    sheet.append(["合计", None, f"{FIRMS}户", None, None, None, None, None, None, 123456])
    sheet.append(["填表说明：1.金额为审计报告数；2.本表一式两份。"])
    sheet.merge_cells(start_row=FIRST, end_row=FIRST + FIRMS - 1, start_column=2, end_column=2)
    for number, (letter, wrong, right) in FAULTS.items():
        sheet[f"{letter}{number}"] = right if mended else wrong
    book.save(path)
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on an empty registry."""
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path}/tidu.db")
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(
        main, list(arguments), prog_name="tidu", catch_exceptions=False
    )


def told(output: str, severity: str) -> list[str]:
    return [line.strip() for line in output.splitlines() if line.startswith(f"  {severity} ")]


def test_the_table_is_loaded_at_the_second_attempt(run: Run, tmp_path: Path) -> None:
    first = run("import", str(table(tmp_path / "一.xlsx", mended=False)))
    assert first.exit_code == 1
    errors = told(first.output, "错误")
    cells = {m[1] for line in errors if (m := re.match(r"错误 汇总表!([A-Z]+[0-9]+)", line))}
    assert cells == {f"{letter}{number}" for number, (letter, *_) in FAULTS.items()}
    assert len(errors) == len(FAULTS)
    assert all("，" in line for line in errors)  # each with what to do
    second = run("import", str(table(tmp_path / "二.xlsx", mended=True)))
    assert second.exit_code == 0
    assert f"已登记 新增{FIRMS}家" in second.output


def test_no_column_takes_more_than_a_line_for_each_problem(run: Run, tmp_path: Path) -> None:
    output = run("import", str(table(tmp_path / "一.xlsx", mended=False))).output
    notices = told(output, "提示")
    assert "……" not in output  # all is shown
    for letter, heading in (("R", "国内细分市场占有率"), ("S", "研发机构级别"), ("T", "创新型中小企业有效期"),
                            ("L", "营业收入"), ("Q", "从事特定细分市场时间"), ("U", "镇里自编的等次")):  # fmt: skip
        own = [n for n in notices if re.match(rf"提示 汇总表[! ]{letter}[0-9列]", n)]
        assert len(own) == 1, (letter, own)
        assert heading in own[0]
    [place] = [n for n in notices if "城关镇" in n]
    assert "不在行政区划中" in place
    assert len(notices) == 7
    assert "--draft" in output
