"""A mapping drafted from what is not understood, confirmed, loaded again; and what its lines did not achieve."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from registry.errors import RegistryError
from registry.filings import FileReading
from registry.intake.tables.mapping_draft import draft, nearest
from registry.intake.tests.counties import CATALOGUE, CODE, NAME, code, county, firm, read, saved

#: Headings that nobody understands, the right 填报项, and what two enterprises say.
ODD: Mapping[str, tuple[str, Any]] = {
    "2021年度营业总盘子（亿元）": ("营业收入总额", 1.5),
    "2022年营业总盘子\n（亿元）": ("营业收入总额", 2),
    "研发大概花了多少（2022年，元）": ("研发费用总额", 3000000),
    '“自有”品牌, 有没有"注册"': ("自主品牌", "是"),
    "@号的表头": ("参与制修订标准", "否"),
    "+加号": ("管理体系认证", "是"),
}
GONE = ("2021年营业收入（万元）", "2022年营业收入（万元）", "2022年研发费用（万元）", "自主品牌",
        "参与制修订标准", "质量管理体系认证")  # fmt: skip


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A county's table with headings of its own."""
    rows = [firm(n) | {h: value for h, (_, value) in ODD.items()} for n in (1, 2)]
    kept = [h for h in rows[0] if h not in GONE]
    return saved(county(rows, headings=kept), tmp_path)


def written(path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8-sig") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def drafted(reading: FileReading, own: Path | None = None) -> list[list[str]]:
    text = draft(reading.headings, CATALOGUE, own)
    return list(csv.reader(text.splitlines(keepends=True))) if text else []


def notices(reading: FileReading, name: str) -> list[tuple[str, str, str]]:
    return [(i.cell, i.value, i.message) for i in reading.issues if i.sheet == name]


def confirmed(rows: list[list[str]]) -> list[list[str]]:
    """The draft as the officer fills it in, by the headings that it names."""
    items = {h.partition("\n")[0]: item for h, (item, _) in ODD.items()}
    return [rows[0]] + [
        [row[0], next(item for h, item in items.items() if h in row[3]), *row[2:]]
        for row in rows[1:]
    ]


def test_every_heading_not_understood_is_one_line_by_its_term(odd: Path) -> None:
    heading, *rows = drafted(read(odd))
    assert heading == ["表头", "填报项", "单位", "说明"]
    assert len(rows) == 5  # 2021 and 2022 share a line
    assert rows[0][0] == "营业总盘子"
    assert "2021年度营业总盘子" in rows[0][3]
    assert "2022年营业总盘子" in rows[0][3]
    assert all("待确认" in row[1] for row in rows)
    assert not any(row[0][:1] in "=+@" for row in rows)  # a spreadsheet would compute them


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_a_confirmed_draft_reads_every_heading(odd: Path, tmp_path: Path, encoding: str) -> None:
    mapping = written(tmp_path / "表头.csv", confirmed(drafted(read(odd))), encoding)
    reading = read(odd, mapping=mapping)
    assert [str(i) for i in reading.issues] == []
    assert drafted(reading) == []
    values = reading.submissions[0].values
    expected = {"revenue@2021": "150000000", "revenue@2022": "200000000", "rd_expense@2022": "3000000",
                "own_brand": True, "standards": False, "management_certificate": True}  # fmt: skip
    assert {k: values[k] for k in expected} == expected


@pytest.mark.parametrize(
    ("mark", "applied"),
    [("待确认：{}", False), ("待确认", False), ("", False), ("【待确认】{}", False), ("{}（待确认）", False),
     ("{}", True), ("：{}", True), (" {} ", True)],
)  # fmt: skip
def test_a_guess_counts_only_once_it_is_confirmed(
    odd: Path, tmp_path: Path, mark: str, applied: bool
) -> None:
    mapping = written(
        tmp_path / "m.csv",
        [["表头", "填报项", "单位"], ["营业总盘子", mark.format("营业收入总额"), ""]],
    )
    reading = read(odd, mapping=mapping)
    assert ("revenue@2022" in reading.submissions[0].values) is applied
    said = [("A2", "营业总盘子", "这一行还没有确认，没有采用")]
    assert notices(reading, "m.csv") == ([] if applied else said)


@pytest.mark.parametrize(
    ("heading", "guess"),
    [
        ("有效的Ⅰ类知识产权数（项）", "Ⅰ类知识产权总数"),
        ("2022年度营业总收入数（万元）", "营业收入总额"),
        ("企业社会统一信用代码", "统一社会信用代码"),
        ("创新型中小企业有效期", "梯度称号：称号有效期至；称号类别=创新型中小企业；填报时持有=是"),
        ("邮箱", ""),
        ("2022年研发费用强度（%）", ""),  # an amount is none of a unit of %
        ("2022年自主品牌数", ""),  # nor is it of any year
    ],
)
def test_the_nearest_item_of_that_unit_and_period_is_guessed(heading: str, guess: str) -> None:
    assert (nearest(CATALOGUE, heading) or [""])[0] == guess


def test_a_draft_goes_on_with_the_mapping_that_was_used(odd: Path, tmp_path: Path) -> None:
    rows = confirmed(drafted(read(odd)))
    first = written(tmp_path / "first.csv", [*rows[:3], ["没有的", "资产总额", "万元", "往年"]])
    again = drafted(read(odd, mapping=first), first)
    assert again[:4] == [*rows[:3], ["没有的", "资产总额", "万元", "往年"]]
    second = written(tmp_path / "second.csv", confirmed_rest(again, rows))
    assert drafted(read(odd, mapping=second)) == []


def confirmed_rest(again: list[list[str]], rows: list[list[str]]) -> list[list[str]]:
    names = {row[0]: row[1] for row in rows}
    return [[row[0], names.get(row[0], row[1]), *row[2:]] for row in again]


def mapping_lines(*rows: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    return [("表头", "填报项", "单位"), *rows]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("往年营收", "营业收入总额", "元"), "表中没有这个表头，这一行没有用到"),
        (("钱", "净利润总额", ""), "这一行对应的列没有读取：a.csv!C1「钱（元）」"),  # no year
        (("牌子", "自主品牌", ""), "这一行对应的列没有读取：a.csv!E1「牌子」"),  # like column D
        (
            ("钱", "自主品牌", ""),
            "这一行对应的列没有读取：a.csv!C1「钱（元）」",
        ),  # that unit is none of it
        (("钱", "忽略", ""), ""),
        (("牌子", "参与制修订标准", ""), ""),
    ],
    ids=["nowhere", "no year", "twice", "other unit", "ignored", "used"],
)
def test_what_a_line_does_not_achieve_is_said(
    tmp_path: Path, line: tuple[str, str, str], said: str
) -> None:
    names = ["企业名称", "统一社会信用代码", "钱（元）", "自主品牌", "牌子"]
    path = written(tmp_path / "a.csv", [names])
    reading = read(
        path, mapping=written(tmp_path / "m.csv", mapping_lines(("备用", "忽略", ""), line))
    )
    told = notices(reading, "m.csv")[1:]  # 备用 is in no table
    assert told == ([("A3", line[0], said)] if said else [])


#: Headings of several rows below 企业名称 and 统一社会信用代码, their merged cells, what a row of figures says by
#: them, and the lines that a draft has, with the right 填报项 for each.
DEEP: Mapping[str, tuple[list[list[str | None]], str, dict[str, str], dict[str, str]]] = {
    "years below": (
        [["营业总盘子", None], ["2021年", "2022年"]],
        "C1:D1",
        {"revenue@2021": "6000000", "revenue@2022": "5000000"},
        {"营业总盘子": "营业收入总额"},
    ),
    "years and units below": (
        [["营业总盘子", None], ["2021年", "2022年"], ["元", "元"]],
        "C1:D1",
        {"revenue@2021": "600", "revenue@2022": "500"},
        {"营业总盘子": "营业收入总额"},
    ),
    "the whole and a part": (
        [["人头", None], ["2022年末总数", "其中：搞研发的"]],
        "C1:D1",
        {"staff@2022": "600", "rd_staff@2022": "500"},
        {"人头": "从业人员", "人头搞研发的": "研发人员"},
    ),
    "a part of what is understood": (
        [["2022年末从业人员", None], ["总数", "其中：搞研发的"]],
        "C1:D1",
        {"staff@2022": "600", "rd_staff@2022": "500"},
        {"从业人员搞研发的": "研发人员"},
    ),
    "below a heading that only gathers": (
        [["经营情况", None], ["营业总盘子（万元）", "挣的钱"], ["2022年", "2022年"]],
        "C1:D1",
        {"revenue@2022": "6000000", "net_profit@2022": "5000000"},
        {"营业总盘子": "营业收入总额", "挣的钱": "净利润总额"},
    ),
    "below the year": (
        [["2022年", None], ["营业总盘子", "其中：搞研发的"], ["万元", "人"]],
        "C1:D1",
        {"revenue@2022": "6000000", "rd_staff@2022": "500"},
        {"营业总盘子": "营业收入总额", "搞研发的": "研发人员"},
    ),
}


@pytest.mark.parametrize(("levels", "merged", "values", "items"), DEEP.values(), ids=DEEP)
def test_headings_of_several_rows_are_drafted_by_the_term_that_reads_them(
    tmp_path: Path,
    levels: list[list[str | None]],
    merged: str,
    values: dict[str, str],
    items: dict[str, str],
) -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for n, level in enumerate(levels):
        sheet.append([*((NAME, CODE) if n == 0 else (None, None)), *level])
    sheet.append(["甲公司", code(1), 600, 500])
    for cells in (merged, *(f"{letter}1:{letter}{len(levels)}" for letter in "AB")):
        sheet.merge_cells(cells)
    path = saved(book, tmp_path)
    _, *rows = drafted(read(path))
    assert {row[0] for row in rows} == items.keys()
    lines = [(row[0], items[row[0]], "") for row in rows]
    mapping = written(tmp_path / "m.csv", mapping_lines(*lines, ("研发的人", "研发人员", "")))
    reading = read(path, mapping=mapping, as_of=date(2023, 6, 30))
    assert values.items() <= reading.submissions[0].values.items()
    unused = [(f"A{len(items) + 2}", "研发的人", "表中没有这个表头，这一行没有用到")]
    assert notices(reading, "m.csv") == unused


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            ("人头", "从业人员", ""),
            "这一行对应的列没有读取：汇总表!C2「人头2021年2022年」、汇总表!D2「人头男」",
        ),
        (("总部", "从业人员", ""), "表中没有这个表头，这一行没有用到"),
        (("人头男", "忽略", ""), ""),
    ],
    ids=["two years", "a part only", "ignored"],
)
def test_what_a_line_does_not_achieve_below_several_rows_is_said(
    tmp_path: Path, line: tuple[str, str, str], said: str
) -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "汇总表"
    for row in (
        [NAME, CODE, "人头", None],
        [None, None, "2021年2022年", "男"],
        ["甲", code(1), 1, 2],
    ):
        sheet.append(row)
    sheet.merge_cells("C1:D1")
    mapping = written(tmp_path / "m.csv", mapping_lines(line))
    told = notices(read(saved(book, tmp_path), mapping=mapping), "m.csv")
    assert told == ([("A2", line[0], said)] if said else [])


def test_of_two_lines_for_one_heading_the_first_is_said_to_be_of_no_use(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [["企业名称", "统一社会信用代码", "牌子"]])
    twice = mapping_lines(("牌子", "自主品牌", ""), ("牌 子", "参与制修订标准", ""))
    mapping = written(tmp_path / "m.csv", twice)
    said = "第3行又写了这个表头，这一行没有采用"
    assert notices(read(path, mapping=mapping), "m.csv") == [("A2", "牌子", said)]
    with pytest.raises(RegistryError, match=r"没有的\.csv：找不到这个文件"):
        read(path, mapping=tmp_path / "没有的.csv")


def test_an_unknown_item_is_an_error_with_near_names(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [["企业名称", "统一社会信用代码", "营收"]])
    mapping = written(
        tmp_path / "m.csv", mapping_lines(("营收", "营业收入总数", ""), ("人", "从业人", ""))
    )
    with pytest.raises(RegistryError) as error:
        read(path, mapping=mapping)
    assert "第2行「营收」没有名为「营业收入总数」的填报项" in str(error.value)
    assert "相近的有营业收入总额" in str(error.value)
    assert "第3行「人」没有名为「从业人」的填报项" in str(error.value)
