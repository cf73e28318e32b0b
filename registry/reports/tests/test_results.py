"""Results as they come: in parts, whole in every form, and none kept in memory."""

import gc
import io
import json
import pickle
import re
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.console import Console

from registry.conftest import Run
from registry.demo import DEMO_COUNTY
from registry.kit import workbooks
from registry.kit.workbooks import workbook
from registry.reports import books, results
from registry.reports.tests.test_verdicts import check, write

Made = Callable[[Path, ExitStack], results.Sink]


def console() -> Console:
    return Console(file=io.StringIO(), width=100)


SINKS: dict[str, Made] = {
    "table": lambda *_: results.Tables(console()),
    "explanations": lambda *_: results.Explanations(console()),
    "json": lambda *_: results.Json(io.StringIO().write, {}),
    "workbook": lambda folder, stack: books.ResultBook(
        stack.enter_context(workbook(folder / "a.xlsx"))
    ),
}


@pytest.mark.parametrize("form", SINKS)
def test_no_result_is_kept(form: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        counts, sink = results.VerdictCounts(), SINKS[form](tmp_path, stack)
        result = check("创新型")
        kept = weakref.ref(result)
        counts.add(counts.view(result))
        sink.add(sink.view(result))
        del result
        gc.collect()
        assert kept() is None
        sink.close([])


def test_a_table_is_shown_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "PART", 2)
    out = io.StringIO()
    tables = results.Tables(Console(file=out, width=100))
    result = check("创新型")
    seen = []
    for _ in range(3):
        tables.add(tables.view(result))
        seen.append(out.getvalue().count(result.name))
    tables.close([])
    shown = out.getvalue()
    assert (seen, shown.count(result.name)) == ([0, 2, 2], 3)
    assert (shown.count("主要原因"), shown.count("填报日期")) == (2, 1)


def test_a_full_sheet_goes_on_in_another_and_names_are_no_formulas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "FULL", 2)
    one = check("创新型")
    write(tmp_path / "a.xlsx", *(replace(one, name=f"=1+{n}") for n in range(3)))
    book = load_workbook(tmp_path / "a.xlsx")
    assert [(book[s].max_row, book[s]["A1"].value) for s in ("结论", "结论（2）")] == [
        (3, "统一社会信用代码"),
        (2, "统一社会信用代码"),
    ]
    cell = book["结论（2）"]["B2"]
    assert (cell.value, cell.data_type) == ("=1+2", "s")


@pytest.mark.parametrize("name", ["{}\x01公司", "={}\x1b", "{}\uffff"], ids=ascii)
def test_what_a_workbook_cannot_hold_is_replaced(name: str, tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", replace(check("创新型"), name=name.format("甲")))
    shown = load_workbook(tmp_path / "a.xlsx")["结论"]["B2"].value
    assert shown == re.sub("[^={}甲公司]", "\ufffd", name.format("甲"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_form_has_all_enterprises(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("import", str(DEMO_COUNTY), "--partial").exit_code == 0
    whole = run("check", "--all", "--tier", "创新型").output
    monkeypatch.setattr(results, "PART", 10)
    parts = run("check", "--all", "--tier", "创新型", "--output", "a.xlsx")
    printed = json.loads(run("check", "--all", "--tier", "创新型", "--json").stdout)
    names = [r["name"] for r in printed["results"]]
    assert len(names) == 42
    assert printed["refused"] == []
    rows = load_workbook(tmp_path / "a.xlsx")["结论"].iter_rows(values_only=True, min_row=2)
    assert [row[1] for row in rows] == names
    for shown in (whole, parts.output):
        assert [line.split()[0] for line in shown.splitlines() if "（虚构）" in line] == names
    assert whole.splitlines()[-1] == parts.output.splitlines()[-2] == "创新型：符合36家，不符合6家"


@pytest.mark.parametrize("form", SINKS)
def test_what_is_carried_between_processes_is_only_what_is_shown(form: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        sink = SINKS[form](tmp_path, stack)
        result = check("创新型")
        viewed = results.Views((sink.view, results.VerdictCounts.view))(result)
        carried = pickle.dumps(viewed)
        assert pickle.loads(carried) == viewed
        assert b"Decision" not in carried
        assert b"Finding" not in carried
        sink.add(viewed.parts[0])
        sink.close([])
