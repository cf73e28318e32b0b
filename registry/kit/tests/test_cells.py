"""Cells for people, and the workbooks that hold them."""

import gc
import sys
from pathlib import Path

import pytest

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
                book.create_sheet(title).append(["值"])
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
