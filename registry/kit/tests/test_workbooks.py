"""Workbooks: the same content makes the same file, whenever it is written."""

from pathlib import Path
from time import sleep

from openpyxl import load_workbook

from registry.kit.workbooks import workbook


def _written(path: Path) -> bytes:
    with workbook(path) as book:
        book.sheet("企业", ("名称", "家数"), rows=[("甲", 1), ("=乙", 2)])
    return path.read_bytes()


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    first = _written(tmp_path / "一.xlsx")
    sleep(2.1)  # an archive tells times by two seconds
    assert _written(tmp_path / "二.xlsx") == first
    rows = load_workbook(tmp_path / "二.xlsx")["企业"].values
    assert list(rows) == [("名称", "家数"), ("甲", 1), ("=乙", 2)]
