"""What ``-o`` writes opens in the program that its name promises, whatever the command."""

import ast
import csv
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from openpyxl import load_workbook

from registry.conftest import Run
from registry.intake.tests.counties import code, county, firm, saved

#: What stands in every result that lists enterprises.
FIRM: Final = "云溪县第1泵阀有限公司"


def _workbook(path: Path) -> str:
    book = load_workbook(path)
    return "".join(str(row) for sheet in book for row in sheet.iter_rows(values_only=True))


def _page(path: Path) -> str:
    found: list[str] = []
    reader = HTMLParser()
    reader.handle_data = found.append  # type: ignore[method-assign]
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return "".join(found)


def _table(path: Path) -> str:
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert len({len(row) for row in rows}) == 1
    return str(rows)


def _columns(path: Path) -> str:
    return str(duckdb.read_parquet(str(path)).fetchall())


OPENED: Final[dict[str, Callable[[Path], Any]]] = {
    ".xlsx": _workbook,
    ".html": _page,
    ".csv": _table,
    ".parquet": _columns,
    ".json": lambda path: json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False),
    ".txt": lambda path: path.read_text("utf-8"),
    ".md": lambda path: path.read_text("utf-8"),
    ".py": lambda path: ast.dump(ast.parse(path.read_text("utf-8"))),
}
DAY: Final = ("--as-of", "2023-06-30")
#: Command -> the endings it writes, and what its results say. Bundles are opened by the tests of bundles.
COMMANDS: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]] = (
    (("check", "--all", "--tier", "创新型"), (".xlsx",), FIRM),
    (("screen", "--tier", "创新型", *DAY), (".xlsx", ".csv", ".parquet"), FIRM),
    (
        ("impact", "--to", "随附", "--from", "随附", "--tier", "创新型"),
        (".xlsx", ".html"),
        "创新型",
    ),
    (("explain", "3"), (".html", ".json", ".txt"), FIRM),
    (("rules", "diff", "63.2", "63.1"), (".txt", ".md", ".html"), "营业收入"),
    (("import", "汇总表.xlsx", "--dry-run"), (".xlsx",), ""),
    (("audit", "verifier"), (".py",), "FunctionDef"),
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_result_opens_in_the_program_that_its_name_promises(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_BY", "李四")
    rows = [firm(1), firm(2, '<b>甲</b>,&"乙"有限公司')]
    assert run("import", str(saved(county(rows), tmp_path))).exit_code == 0
    assert run("decide", code(1), "--tier", "创新型").exit_code == 0
    for arguments, endings, said in COMMANDS:
        for ending in endings:
            path = tmp_path / f"{'-'.join(arguments[:2])}{ending}"
            done = run(*arguments, "-o", str(path))
            assert done.exit_code == 0, (arguments, done.output)
            assert said in (OPENED[ending](path) or " "), (arguments, ending)
