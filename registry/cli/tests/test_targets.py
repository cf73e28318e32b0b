"""Enterprises by name, lists of names, and codes of early issue on the command line."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from registry.cli import main
from registry.cli.tests.test_cli import Run
from registry.intake.tests.counties import CODE, NAME, code, county, firm, saved

PAPER = ("--document", "示工信〔2022〕1号", "--dated", "2022-10-08")
GRANT = ("titles", "grant", "--tier", "创新型", *PAPER)
ONE, TWO, THREE = "云溪县甲子泵阀有限公司", "云溪县乙丑泵阀有限公司", "丙寅（云溪）轴承厂"


@pytest.fixture
def filed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a registry of three enterprises, with a name to sign with."""
    monkeypatch.setenv("TIDU_BY", "李四")
    firms = [firm(number, name) for number, name in enumerate((ONE, TWO, THREE), 1)]
    assert run("import", str(saved(county(firms), tmp_path))).exit_code == 0
    return run


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_enterprise_is_named_wherever_a_code_is_asked_for(filed: Run, tmp_path: Path) -> None:
    paper = tmp_path / "证明.txt"
    paper.write_text("证明")
    for arguments in (
        ("enterprise", "show", THREE),
        ("check", "丙寅(云溪) 轴承厂", "--tier", "创新型"),
        ("check", "轴承", "--tier", "创新型"),
        (*GRANT, THREE),
        ("titles", "list", "轴承厂"),
        ("holdings", "add", THREE, "--holder", ONE, "--share", "10%", *PAPER),
        ("holdings", "list", THREE),
        ("determine", "丙寅", "--fact", "知名度和影响力", "--value", "否", "--ground", "无",
         "--evidence", str(paper)),
        ("decide", "轴承厂", "--tier", "创新型"),
    ):  # fmt: skip
        done = filed(*arguments)
        assert done.exit_code == 0, done.output
        assert THREE in done.output or code(3) in done.output or arguments[0] == "determine"
    assert filed("withdraw", ONE, "--ground", "来函").output.startswith(
        f"已撤回 {code(1)} 2023-06-30的填报"
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_names_that_differ_by_the_width_of_brackets_mean_several(
    filed: Run, tmp_path: Path
) -> None:
    rows = [firm(8, THREE.translate(str.maketrans("()（）", "（）()")))]
    assert filed("import", str(saved(county(rows), tmp_path, "二.xlsx"))).exit_code == 0
    done = filed("check", THREE)
    assert done.exit_code == 1
    assert code(3) in done.output
    assert code(8) in done.output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_name_that_means_several_or_none_is_refused_with_those_that_are_near(
    filed: Run, tmp_path: Path
) -> None:
    several = filed("enterprise", "show", "泵阀")
    assert several.exit_code == 1
    assert f"{ONE}（{code(1)}）、{TWO}（{code(2)}）：请写全称或信用代码" in several.output
    near = filed("check", "云溪县甲子泵阀公司")
    assert f"名称相近的有{ONE}（{code(1)}）" in near.output
    assert (
        "没有名称为「张三饭店」的企业：请核对名称"
        in filed("withdraw", "张三饭店", "--ground", "无").output
    )
    assert "找不到这个文件" in filed("check", "没有.xlsx").output
    assert code(1)[:17] in filed("enterprise", "show", code(1)[:17]).output
    (tmp_path / "轴承厂").write_text("")  # a file that is there is meant first
    assert (
        "不支持这种文件" in filed("check", "./轴承厂").output
        or filed("check", "轴承厂").exit_code == 1
    )


def listed(
    folder: Path, *rows: Sequence[Any], name: str = "名单.xlsx", hidden: bool = False
) -> str:
    """A list with these rows, and a hidden sheet if asked for."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    if hidden:
        book.create_sheet("旧").sheet_state = "hidden"
    book.save(folder / name)
    return str(folder / name)


TITLE = (["附件"], ["2023年度创新型中小企业名单"])
NAMES = ["序号", NAME, "所属地区"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "rows",
    [
        [NAMES, [1, ONE, "云溪县"], [2, "丙寅(云溪)轴承厂", "云溪县"], ["合计", "2家"]],
        [["序号", NAME, CODE], [1, ONE, code(1)], [2, THREE, None], [None, "合计", None]],
        [["序号", NAME, CODE] * 2, [1, ONE, code(1), 2, THREE, code(3)]],
        [["序号", NAME, CODE, "序号", NAME], [1, ONE, code(1), 2, THREE]],
        [["序号", NAME, CODE], [1, ONE, code(1)], ["序号", NAME, CODE], [2, THREE, code(3).lower()]],
        [[CODE], [code(1)], [f" {code(3)}"], ["注：以上按代码排序"]],
        [["序号", NAME, CODE], [1, 2, 3], ["例", "某某公司", "91XXXXXXXXXXXXXXXX"], [1, ONE, code(1)], [2, THREE, code(3)]],
    ],
    ids=["names", "some codes", "two blocks", "a block of names", "headings again", "codes", "numbers and an example"],
)  # fmt: skip
def test_a_list_is_registered_by_codes_and_names(
    filed: Run, tmp_path: Path, rows: list[list[Any]]
) -> None:
    done = filed(*GRANT, listed(tmp_path, *TITLE, *rows))
    assert done.exit_code == 0, done.output
    assert "已登记2家" in done.output
    held = json.loads(filed("titles", "list", "--json").output)
    assert [(e["uscc"], e["name"]) for e in held] == [
        (code(1), ONE), (code(3), THREE),
    ]  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([NAMES, [1, ONE, ""], [2, "云溪县乙丑泵阀公司", ""], [3, "张三饭店", ""]],
         f"没有统一社会信用代码列，整份名单没有登记：按名称在登记库中找到1家，不能确定的有Sheet!B5 云溪县乙丑泵阀公司（相近的有{TWO}（{code(2)}）"),
        ([["序号", NAME, CODE], [1, ONE, code(1)], [2, "张三饭店", None]], "有企业没有写统一社会信用代码"),
        ([NAMES, [1, ONE, ""], [2, "云溪县 甲子泵阀有限公司", ""]], "名单中出现两次"),
        ([["序号", NAME, CODE], [1, ONE, code(1)[:17]]], "有1处错误，整份名单没有登记"),
        ([["序号", "地区"], [1, "云溪县"]], "没有带有企业名称或统一社会信用代码的表头"),
        ([["序号", "地区"], [code(1), "云溪县"]], "有信用代码但没有看得懂的表头"),
        ([NAMES], "中没有企业"),
        ([["序号", NAME, CODE, "编号"], [1, ONE, code(1), code(3)]], "D4有信用代码，这一列却没有看得懂的表头"),
    ],
)  # fmt: skip
def test_a_list_in_doubt_is_registered_not_at_all(
    filed: Run, tmp_path: Path, rows: list[list[Any]], said: str
) -> None:
    done = filed(*GRANT, listed(tmp_path, *TITLE, *rows))
    assert done.exit_code == 1
    assert said in done.output
    assert json.loads(filed("titles", "list", "--json").output) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_folder_that_is_called_as_a_code_does_not_hide_the_enterprise(
    filed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bureaus keep the papers of each enterprise in a folder with its code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / code(1)).mkdir()
    (tmp_path / "名单.xlsx").mkdir()
    assert ONE in filed("check", code(1), code(2), "--tier", "创新型").output
    assert ONE in filed(*GRANT, code(1)).output
    assert "名单.xlsx：是文件夹，请给出其中的文件" in filed(*GRANT, "名单.xlsx").output
    (tmp_path / code(2)).write_text("企业名称\n")
    assert f"{code(2)}：不支持这种文件" in filed(*GRANT, code(2)).output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_left_out_of_a_list_is_told_first(filed: Run, tmp_path: Path) -> None:
    rows = [[1, ONE, "云溪县"], [2, None, "云溪县", "备注"]]
    done = filed(*GRANT, listed(tmp_path, NAMES, *rows, hidden=True))
    told = done.output.splitlines()
    assert told[0] == "提示 Sheet第3行没有名称和代码，未读取"
    assert told[1] == "提示 Sheet的这些列不用，未读取：所属地区"
    assert told[2] == "提示 隐藏的工作表旧未读取，需要读取时请取消隐藏"
    assert told[-1].startswith("第2号授予")


VALID = ["序号", NAME, CODE, "证书编号", "有效期至"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_days_of_a_list_hold_for_each_of_its_enterprises(filed: Run, tmp_path: Path) -> None:
    rows = [[1, ONE, code(1), "SX1", "2025-09-30"], [2, THREE, code(3), None, date(2025, 12, 31)]]
    book = listed(tmp_path, VALID, *rows, [3, TWO, code(2), None, None])
    wrong = filed(*GRANT, book, "--until", "2025-12-31")
    assert wrong.exit_code == 1
    assert (
        f"错误 Sheet!E2 {ONE}{code(1)}：名单的有效期至是2025-09-30，另外给出的是2025-12-31\n"
        in wrong.output
    )
    done = filed(*GRANT, book, "--from", "2022-10-01", "--json")
    assert done.exit_code == 0, done.output
    assert "Sheet的这些列不用，未读取：证书编号\n" in done.stderr
    assert {e["uscc"]: (e["valid_from"], e["valid_until"]) for e in json.loads(done.stdout)} == {
        code(1): ("2022-10-01", "2025-09-30"),
        code(3): ("2022-10-01", "2025-12-31"),
        code(2): ("2022-10-01", "2025-09-30"),
    }
    longer = [["企业名称", "有效期"], [ONE, "2025年10月1日至2028年9月30日"]]
    done = filed(
        "titles", "extend", *GRANT[2:], listed(tmp_path, *longer, name="复核.xlsx"), "--json"
    )
    assert "名单写的有效期始没有用到" in done.stderr
    assert [(e["valid_from"], e["valid_until"]) for e in json.loads(done.stdout)] == [
        ("2022-10-01", "2028-09-30")
    ]
    end = ("titles", "end", *GRANT[2:], "--reason", "注销")
    done = filed(*end, listed(tmp_path, *longer, name="注销.xlsx"))
    assert "名单写的有效期始、有效期至没有用到" in done.stderr
    odd = listed(tmp_path, VALID, [1, ONE, code(1), None, "2025年9月"], name="缺日.xlsx")
    assert "“有效期至”「2025年9月」日期不完整，缺少日，应为年月日" in filed(*GRANT, odd).output


def test_a_code_of_early_issue_is_admitted_on_the_record_and_then_read(
    filed: Run, tmp_path: Path
) -> None:
    early = code(9)[:17] + ("0" if code(9)[17] != "0" else "1")
    book = str(saved(county([firm(9, **{CODE: early})]), tmp_path, "早期.xlsx"))
    refused = filed("import", book)
    assert refused.exit_code == 1
    assert f"tidu enterprise admit {early}" in refused.output
    paper = ("--document", "营业执照", "--dated", "2016-01-05", "--evidence", book)
    for wrong, said in ((code(1), "校验通过，无须认可"), (early[:17], "应为18位")):
        assert said in filed("enterprise", "admit", wrong, *paper).output
    assert "没有认可" in filed("enterprise", "admit", early, *paper, "--revoke").output
    done = filed("enterprise", "admit", early, *paper)
    assert done.output == f"第2号认可信用代码 {early}，依据营业执照（2016-01-05）\n"
    assert "已经认可" in filed("enterprise", "admit", early, *paper).output
    loaded = filed("import", book)
    assert loaded.exit_code == 0
    assert "已按登记的认可接受" in loaded.output
    assert filed(*GRANT, early).exit_code == 0
    assert filed("audit", "verify").exit_code == 0
    assert f"认可 {early}，依据营业执照" in filed("audit", "log", "--kind", "认可代码").output
    assert filed("enterprise", "admit", early, *paper, "--revoke").exit_code == 0
    assert filed("import", book, "--dry-run").exit_code == 1


def test_undoing_a_load_says_what_rests_on_it(filed: Run, tmp_path: Path) -> None:
    paper = tmp_path / "证明.txt"
    paper.write_text("证明")
    plain = filed("import", "--undo", "1", "--dry-run").output
    assert plain == "将会撤销导入1（汇总表.xlsx）：撤回3家，恢复原内容0家\n"
    fact = ("--fact", "知名度和影响力", "--value", "否", "--ground", "无", "--evidence", str(paper))
    assert filed("determine", ONE, *fact).exit_code == 0
    assert filed("decide", ONE, "--tier", "专精特新").exit_code == 0
    assert filed(*GRANT, TWO).exit_code == 0
    share = ("--holder", ONE, "--share", "51%", "--document", "章程", "--dated", "2023-01-10")
    assert filed("holdings", "add", TWO, *share).exit_code == 0
    told = (
        "登记簿中仍有决定1项（第4号）、人工认定1项（第3号）、这些企业的称号登记1项（第5号）、"
        "这些企业的持股登记1项（第6号），撤销导入不改变它们\n"
    )
    assert told in filed("import", "--undo", "1", "--dry-run").output
    done = filed("import", "--undo", "1")
    assert done.output.startswith("已撤销导入1（汇总表.xlsx）：撤回3家，恢复原内容0家\n" + told)
    assert "tidu decide" in done.output
    assert filed("audit", "verify").exit_code == 0
    again = filed("import", "--undo", "1")
    assert (again.exit_code, "已经撤销过" in again.output) == (1, True)


@pytest.mark.parametrize("command", ["check", "enterprise show", "titles list", "explain"])
def test_a_database_that_cannot_be_read_is_refused_while_a_name_is_looked_up(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    junk = tmp_path / "别的.db"
    junk.write_text("不是数据库" * 100)
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{junk}")
    done = CliRunner().invoke(main, [*command.split(), ONE])
    assert (done.exit_code, done.output) == (
        1, f"错误：数据库「sqlite:///{junk}」不是SQLite数据库文件：请检查路径，或换一个文件\n"
    )  # fmt: skip


@pytest.mark.parametrize("command", ["check", "decide"])
def test_a_file_goes_with_nothing_else(command: str) -> None:
    done = CliRunner().invoke(main, [command, code(1), "汇总表.xlsx"])
    assert done.exit_code == 2
    assert "一次只能给出一个文件" in done.output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_search_that_finds_nobody_is_no_empty_registry(filed: Run) -> None:
    assert filed("enterprise", "list", "--search", "无此").output == (
        "没有名称或信用代码含「无此」的企业：请核对，或去掉 --search 列出全部\n"
    )


def test_a_name_that_cannot_be_shown_is_never_looked_up() -> None:
    done = CliRunner().invoke(main, ["check", "甲\udcb8公司"])
    assert done.exit_code == 2
    assert "含有不能显示的字符（U+DCB8），请删去后重新输入" in done.output
