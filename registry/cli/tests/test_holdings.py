"""The register of holdings on the command line."""

import json
from pathlib import Path

import openpyxl
import pytest

from registry.cli.tests.test_cli import GOOD, Run, workbook

#: What the commands say does not depend on the database; that either keeps the same, see the record.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

CODE, OTHER, THIRD = str(GOOD["统一社会信用代码"]), "9111000071783519X4", "91440300757632547Y"
PAPER = ("--document", "章程1号", "--dated", "2023-01-01")
ADD = ("holdings", "add", CODE, "--holder", OTHER, *PAPER)


@pytest.fixture
def filed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a registry that holds one filing, with a name to sign with."""
    monkeypatch.setenv("TIDU_BY", "李四")
    assert run("import", str(workbook(tmp_path / "汇总表.xlsx", GOOD))).exit_code == 0
    return run


def test_a_holding_is_registered_ended_and_listed(filed: Run) -> None:
    def listed(*arguments: str) -> list[int]:
        done = filed("holdings", "list", "--json", *arguments)
        return [e["seq"] for e in json.loads(done.output)]

    done = filed(*ADD, "--share", "51.5%", "--from", "2022年10月1日")
    assert done.output == (
        f"第2号持股 {CODE} {OTHER}持有测试一号有限公司 {CODE} 51.5%，2022-10-01起，"
        "依据章程1号（2023-01-01）\n"
    )
    assert (
        filed("holdings", "add", OTHER, "--holder", "王某", "--share", "9%", *PAPER).exit_code == 0
    )
    assert listed() == [2, 3]
    assert listed(CODE) == [2]
    assert listed(OTHER) == [2, 3]
    ended = filed("holdings", "end", CODE, "--holder", OTHER, "--on", "2023-05-01", *PAPER)
    assert "2022-10-01至2023-04-30" in ended.output
    assert listed() == [4, 3]
    assert listed("--history") == [2, 3, 4]
    assert listed("--as-of", "2023-04-30") == [4, 3]
    assert listed("--as-of", "2023-05-01") == [3]
    assert listed("--known-at", "2022-10-01") == []
    shown = filed("holdings", "list").output
    assert "王某持有" in shown
    assert "共2条" in shown
    assert "共3条" in filed("audit", "log", "--kind", "持股登记").output
    assert "titles" not in filed("titles", "list").output
    assert json.loads(filed("titles", "list", "--json").output) == []


@pytest.mark.parametrize(
    ("holder", "told"),
    [
        ("测试一号有限公司", "有同名企业"),
        ("测试一号", "有名称含这段文字的企业"),
        ("王某", ""),
    ],
)
def test_a_holder_who_may_be_an_enterprise_on_record_is_pointed_out(
    filed: Run, holder: str, told: str
) -> None:
    done = filed("holdings", "add", OTHER, "--holder", holder, "--share", "9%", *PAPER)
    assert (done.exit_code, "只写了名称" in done.stderr) == (0, bool(told))
    assert f"{told}{CODE if told else ''}" in done.stderr


ROWS = [
    ["某集团持股情况"],
    ["企业名称", "统一社会信用代码", "持股方", "持股方统一社会信用代码", "持股比例"],
    ["测试一号有限公司", CODE.lower(), "某集团", OTHER.lower(), "51%"],
    ["乙公司", THIRD, "张伟", None, 0.3],
    [None, None, None, None, None],
]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_list_is_registered_whole_or_not_at_all(filed: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"名单.{kind}"

    def write(rows: list[list[object]]) -> None:
        if kind == "csv":
            lines = (",".join("" if c is None else str(c) for c in row) for row in rows)
            path.write_text("\n".join(lines), encoding="utf-8")
            return
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(path)

    write([*ROWS, ["丙公司", OTHER, "自己", OTHER, "51%"]])
    done = filed("holdings", "add", str(path), *PAPER)
    assert done.exit_code == 1
    assert f"没有登记。丙公司{OTHER}：企业不能持有自己" in done.output
    marked = [
        f"*{ROWS[1][0]}",
        ROWS[1][1],
        "持股方（必填）",
        "持股方统一社会信用代码：",
        "★持股比例",
    ]
    write([ROWS[0], marked, *ROWS[2:]])
    done = filed("holdings", "add", str(path), *PAPER, "--json")
    found = json.loads(done.output)
    keys = ("name", "uscc", "holder_name", "holder", "share", "valid_until")
    assert [[e[k] for k in keys] for e in found] == [
        ["测试一号有限公司", CODE, "某集团", OTHER, "0.51", None],
        ["乙公司", THIRD, "张伟", "", "0.3", None],
    ]
    assert len(found[0]["evidence"]) == 1  # the list itself
    write([*ROWS[:2], ["测试一号有限公司", CODE, "某集团", OTHER, "51"]])
    said = filed("holdings", "add", str(path), *PAPER).output
    assert f"E3 测试一号有限公司{CODE}：持股比例「51」没有百分号，含义不明" in said
    assert f"名单.{kind} 有1处错误，整份名单没有登记：请改正后重试" in said
    write([*ROWS[:2], ["测试一号有限公司", CODE, "某\ufffd集团", OTHER, "51%"]])
    said = filed("holdings", "add", str(path), *PAPER).output
    assert "：持股方的名称含有乱码或控制字符，请删去后重新录入" in said
    write([*ROWS[:2], ["测试一号有限公司", CODE, " ", None, "51%"]])
    assert f"{CODE}：没有持股方，请填写" in filed("holdings", "add", str(path), *PAPER).output
    write(ROWS[:1])
    assert "中没有持股" in filed("holdings", "add", str(path), *PAPER).output


@pytest.mark.parametrize("column", ["企业名称", "持股方"])
def test_a_list_that_names_another_enterprise_than_its_code_is_refused(
    filed: Run, tmp_path: Path, column: str
) -> None:
    """Whether it is the one that is held or the one that holds."""
    book, path = openpyxl.Workbook(), tmp_path / "名单.xlsx"
    codes = (CODE, OTHER) if column == "企业名称" else (OTHER, CODE)
    row = ["测试二号有限公司", codes[0], "测试二号有限公司", codes[1], "51%"]
    for cells in (ROWS[1], row):
        book.worksheets[0].append(cells)
    book.save(path)
    done = filed("holdings", "add", str(path), *PAPER)
    assert done.exit_code == 1
    assert "名单写的是「测试二号有限公司」，登记的是「测试一号有限公司」" in done.output
    done = filed("holdings", "add", str(path), *PAPER, "--renamed", CODE)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("heading", "share", "stated"),
    [
        ("持股比例（%）", 51, "0.51"), ("持股比例（%）", 1, "0.01"), ("持股比例/%", "51%", "0.51"),
        ("持股比例（%）", 0.51, None), ("持股比例", 0.51, "0.51"), ("持股比例", 1, None),
    ],
)  # fmt: skip
def test_a_share_is_in_per_cent_where_its_heading_says_so(
    filed: Run, tmp_path: Path, heading: str, share: object, stated: str | None
) -> None:
    book, path = openpyxl.Workbook(), tmp_path / "名单.xlsx"
    for row in (
        ["企业名称", "统一社会信用代码", "持股方", heading],
        ["测试一号有限公司", CODE, "某集团", share],
    ):
        book.worksheets[0].append(row)
    book.save(path)
    done = filed("holdings", "add", str(path), *PAPER, "--json")
    if stated is None:
        assert f"D2 测试一号有限公司{CODE}：持股比例「{share}」没有百分号" in done.output
    else:
        assert [e["share"] for e in json.loads(done.output)] == [stated]


def test_a_share_merged_over_several_holdings_is_refused(filed: Run, tmp_path: Path) -> None:
    book, path = openpyxl.Workbook(), tmp_path / "名单.xlsx"
    sheet = book.worksheets[0]
    for row in (
        ROWS[1],
        ["测试一号有限公司", CODE, "某集团", OTHER, "51%"],
        ["乙公司", THIRD, None, None, None],
    ):
        sheet.append(row)
    for column in "CD":
        sheet.merge_cells(f"{column}2:{column}3")
    sheet["E3"] = "52%"
    book.save(path)
    assert filed("holdings", "add", str(path), *PAPER).exit_code == 0
    sheet.merge_cells("E2:E3")
    book.save(path)
    said = filed("holdings", "add", str(path), *PAPER).output
    assert f"E3 乙公司{THIRD}：持股比例合并在几行之间，不知归哪一行，请逐行填写" in said


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        ((*ADD, "--share", "51"), "「51」没有百分号，含义不明：请写明百分号", 1),
        ((*ADD, "--share", "101%"), "不超过100%", 1),
        (ADD, "须写明 --holder 和 --share", 2),
        (("holdings", "add", "没有的名单", *PAPER), "不是18位信用代码", 1),
        (("holdings", "add", "没有.csv", *PAPER), "没有.csv：找不到这个文件", 1),
        (("holdings", "add", "没有.csv", "--share", "9%", *PAPER), "不与 --holder", 2),
        (("holdings", "end", CODE, "--holder", "张伟", *PAPER), "没有这项持股", 1),
        (("holdings", "list", "--history", "--as-of", "2023-01-01"), "不能与 --as-of 同用", 2),
        (("titles", "strike", "1", "--document", "函", "--dated", "2023-05-02"), "不是称号登记", 1),
    ],
)
def test_refusals_are_one_sentence(
    filed: Run, arguments: tuple[str, ...], said: str, code: int
) -> None:
    done = filed(*arguments)
    assert done.exit_code == code, done.output
    assert said in done.output
