"""Loading on the command line: equal notices in one line, and a mapping drafted, completed and used."""

import csv
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from registry.cli import main
from registry.cli.common import console
from registry.desk.importing import rechecked
from registry.filings import FileReading, Submission
from registry.intake.tests.counties import code, county, firm, saved
from registry.record.publication import packaged_catalogue

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on an empty registry."""
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path}/tidu.db")
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(
        main, list(arguments), prog_name="tidu", catch_exceptions=False
    )


PROFIT = "2022年净利润（万元）"


def untidy(folder: Path, firms: int = 12) -> Path:
    return saved(county([firm(n, **{PROFIT: "约1200"}) for n in range(1, firms + 1)]), folder)


def test_a_column_of_cells_with_the_same_problem_are_one_line(run: Run, tmp_path: Path) -> None:
    path = untidy(tmp_path)
    for done in (
        run("import", str(path), "--dry-run"),
        run("check", str(path), "--tier", "创新型"),
    ):
        told = [line for line in done.output.splitlines() if "约1200" in line]
        assert len(told) == 1
        assert re.search(
            rf"提示 汇总表 \w+列「{PROFIT}」 12处，如\w+4「约1200」：.*（\w+4至\w+15）$", told[0]
        )


def test_machines_are_given_every_issue(run: Run, tmp_path: Path) -> None:
    done = json.loads(run("import", str(untidy(tmp_path, 3)), "--dry-run", "--json").stdout)
    assert [i["cell"][-1] for i in done["issues"]] == ["4", "5", "6"]


def test_the_folder_of_a_county_is_told_in_one_line_too(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "数据"
    folder.mkdir()
    with (folder / "enterprises.csv").open("w", encoding="utf-8", newline="") as file:
        rows = sorted([code(n), f"第{n}公司", "2023-06-30", "待定"] for n in range(1, 61))
        csv.writer(file).writerows([["uscc", "name", "as_of", "own_brand"], *rows])
    done = run("import", str(folder), "--dry-run")
    assert [line for line in done.output.splitlines() if "待定" in line] == [
        "  提示 enterprises.csv D列「own_brand」 60处，如D2「待定」：“自主品牌”无法识别是或否，按未提供处理，"
        "应为 是 或 否（D2至D61）"
    ]


ODD = "自有牌子"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    row = firm(1) | {ODD: "是"}
    return saved(county([row], headings=[h for h in row if h != "自主品牌"]), tmp_path)


def test_a_draft_is_offered_written_completed_and_used(run: Run, odd: Path, tmp_path: Path) -> None:
    done = run("import", str(odd), "--dry-run")
    assert "1列的表头看不懂：tidu import 文件 --dry-run --draft 表头.csv" in done.output
    done = run("import", str(odd), "--dry-run", "--draft", "表头.csv")
    assert "看不懂的表头已写入 表头.csv" in done.output
    draft = tmp_path / "表头.csv"
    assert draft.read_bytes().startswith(b"\xef\xbb\xbf")  # Excel opens it as UTF-8
    rows = list(csv.reader(draft.read_text("utf-8-sig").splitlines()))
    with draft.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([rows[0], [ODD, "自主品牌", "", ""]])
    done = run("import", str(odd), "--mapping", "表头.csv", "--draft", "再.csv")
    assert "表头都看得懂，没有写出 再.csv" in done.output
    assert not (tmp_path / "再.csv").exists()
    assert "自主品牌" in run("enterprise", "show", code(1)).output


def test_a_draft_of_a_folder_completed_reads_its_tables(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "数据"
    folder.mkdir()
    heads = ["uscc", "name", "as_of", ODD]
    (folder / "enterprises.csv").write_text(
        f"{','.join(heads)}\n{code(1)},甲,2023-06-30,是\n", "utf-8"
    )
    (folder / "ip.csv").write_text(f"uscc,number,权利的归属\n{code(1)},5,原始取得\n", "utf-8")
    done = run("import", str(folder), "--dry-run", "--draft", "表头.csv")
    assert "看不懂的表头已写入 表头.csv" in done.output
    rows = list(csv.reader(Path("表头.csv").read_text("utf-8-sig").splitlines()))[1:]
    assert [row[0] for row in rows] == [ODD, "权利的归属"]
    Path("表头.csv").write_text(f"表头,填报项,单位\n{ODD},自主品牌,\n权利的归属,忽略,\n", "utf-8")
    done = run("import", str(folder), "--mapping", "表头.csv", "--draft", "再.csv")
    assert "表头都看得懂，没有写出 再.csv" in done.output
    assert "自主品牌" in run("enterprise", "show", code(1)).output


@pytest.mark.parametrize(
    "headings", ["名称,代码,牌子", "企业名称,代码,牌子", "企业名称,企业编码,自主品牌"]
)
def test_a_draft_is_written_where_no_heading_is_found(
    run: Run, tmp_path: Path, headings: str
) -> None:
    Path("a.csv").write_text(f"某县汇总\n{headings}\n甲,{code(1)},是\n", "utf-8")
    done = run("import", "a.csv", "--draft", "表头.csv")
    assert done.exit_code == 1
    assert "没有找到带有" in done.output
    assert "看不懂的表头已写入 表头.csv" in done.output
    text = Path("表头.csv").read_text("utf-8-sig")
    names = {
        "名称": "企业名称",
        "代码": "统一社会信用代码",
        "企业编码": "统一社会信用代码",
        "牌子": "自主品牌",
    }
    rows = [[r[0], names[r[0]]] for r in list(csv.reader(text.splitlines()))[1:]]
    with open("表头.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["表头", "填报项", "单位"], *([*r, ""] for r in rows)])
    done = run("import", "a.csv", "--mapping", "表头.csv", "--dry-run", "--as-of", "2023-06-30")
    assert "将会登记 新增1家" in done.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("汇总表.xlsx", "文件名请以 .csv 结尾"),
        ("旧.csv", "旧.csv 已存在：请另取文件名"),
        ("表.csv", "表.csv 已存在：请另取文件名"),
        ("无此/表头.csv", "没有文件夹 无此"),
    ],
)
def test_a_draft_is_written_over_nothing(run: Run, odd: Path, name: str, said: str) -> None:
    for own in ("旧.csv", "表.csv"):
        Path(own).write_text("表头,填报项,单位\n", "utf-8")
    before = odd.read_bytes()
    done = run("import", str(odd), "--mapping", "表.csv", "--draft", name, "--dry-run")
    assert done.exit_code != 0
    assert said in done.output
    assert odd.read_bytes() == before
    assert {Path(n).read_text("utf-8") for n in ("旧.csv", "表.csv")} == {"表头,填报项,单位\n"}


def test_a_mapping_that_is_a_workbook_is_refused_with_what_to_do(run: Run, odd: Path) -> None:
    done = run("import", str(odd), "--mapping", str(odd), "--dry-run")
    assert "表头对照表 汇总表.xlsx：请用 Excel 或 WPS 另存为 .csv 后给出" in done.output


def test_a_template_of_a_day_has_that_days_columns(run: Run, tmp_path: Path) -> None:
    def heads(*options: str) -> set[str]:
        name = f"模板{len(list(tmp_path.iterdir()))}.xlsx"
        assert run("template", name, *options).exit_code == 0
        return {str(c.value).partition("（")[0] for c in load_workbook(name)["企业基本情况"][1]}

    lean = "推行精益生产"
    assert lean in heads()
    assert lean not in heads("--as-of", "2024-06-30")
    assert lean in heads("--as-of", "2024-06-30", "--province", "山东")
    assert "--as-of" in run("template", "x.xlsx", "--province", "山东").output
    assert "还没有适用的文本" in run("template", "x.xlsx", "--as-of", "2020-06-30").output
    assert not Path("x.xlsx").exists()


def test_a_name_of_another_code_and_a_code_of_another_name_are_told(
    run: Run, tmp_path: Path
) -> None:
    first = saved(county([firm(1, "甲（云溪）公司"), firm(2)]), tmp_path)
    assert run("import", str(first)).exit_code == 0
    after = [firm(1, "甲(云溪)公司"), firm(2, "乙公司"), firm(3, "甲(云溪) 公司"), firm(4)]
    path = saved(county(after), tmp_path)
    for way in (("--dry-run",), ("--report", "问题.xlsx")):
        done = run("import", str(path), *way)
        lines = (line.strip() for line in done.output.splitlines())
        assert sorted(line for line in lines if "登记" in line and "提示 汇总表" in line) == [
            "提示 汇总表!C5「乙公司」：这个信用代码登记的名称是「云溪县第2泵阀有限公司」，与本次填报的不同，"
            "确已更名的不必更改；否则请核对代码和名称是否错行",
            "提示 汇总表!C6「甲(云溪) 公司」：登记库中有同名的企业（甲（云溪）公司），但信用代码不同："
            f"{code(1)}，请核对代码是否填错，或是否重复填报",
        ]
    report = load_workbook(tmp_path / "问题.xlsx")["问题清单"]
    assert any("登记的名称是" in str(row[5]) for row in report.iter_rows(values_only=True))
    assert "登记的名称是" not in run("import", str(path)).output  # nothing of it is new


def test_a_marked_workbook_is_written_only_of_one_that_has_issues(run: Run, tmp_path: Path) -> None:
    path = saved(county([firm(1)]), tmp_path)
    done = run("import", str(path), "--marked", "标出.xlsx", "--json")
    assert json.loads(done.stdout)["new"]
    assert "没有错误和提示，没有写出 标出.xlsx" in done.stderr
    assert not (tmp_path / "标出.xlsx").exists()
    for given, said in (
        ([str(path), "--marked", str(path)], "就是要读取的文件"),
        ([str(path), "--marked", "标出.csv"], "标出.csv"),
        ([str(path), "--marked", "x.xlsx", "--report", "x.xlsx"], "写成了同一个文件"),
        ([str(tmp_path), "--marked", "标出.xlsx"], "文件夹和压缩包没有可以标出的原表"),
    ):
        done = run("import", *given)
        assert done.exit_code
        assert said in done.output


def test_a_folder_tells_of_names_on_record_rows_passed_over_and_lines_of_no_use(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "数据"
    folder.mkdir()
    rows = sorted([code(n), f"第{n}公司", "2023-06-30"] for n in range(1, 4))
    heading = ["统一社会信用代码", "企业名称", "填报日期"]

    def write(rows: list[list[str]]) -> None:
        with (folder / "enterprises.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([heading, *rows])

    write(rows)
    assert run("import", str(folder)).exit_code == 0
    rows[1][1] = "新名公司"
    write([["", "合计", ""], *rows, ["x", "", ""]])
    (tmp_path / "表头.csv").write_text(
        "表头,填报项,单位\n营收,营业收入总额,万元\n", encoding="utf-8"
    )
    done = run(
        "import",
        str(folder),
        "--dry-run",
        "--partial",
        "--mapping",
        "表头.csv",
        "--report",
        "问题.csv",
    )
    assert "登记的名称是「第2公司」，与本次填报的不同" in done.output
    assert "表中没有这个表头，这一行没有用到" in done.output
    with (tmp_path / "问题.csv").open(encoding="utf-8-sig") as file:
        told = {line["问题"][:8]: line["企业名称"] for line in csv.DictReader(file)}
    assert told["这个信用代码登记"] == "新名公司"


@pytest.mark.parametrize(
    ("industry", "filed", "found", "told", "read"),
    [
        ("C3985", "工业", "工业", [], ""),
        ("C3985", "建筑业", None, ["申报划型行业"], "工业"),
        ("C3985", None, "建筑业", ["认定划型行业"], "工业"),
        ("C3985", "建筑业", "零售业", ["申报划型行业", "认定划型行业"], "工业"),
        ("J6621", "建筑业", "零售业", ["申报划型行业"], "零售业"),
        (None, "建筑业", "零售业", ["申报划型行业"], "零售业"),
        ("J6621", "建筑业", None, [], ""),
        (None, "建筑业", None, [], ""),
    ],
)
def test_a_sector_that_is_not_the_one_the_rules_read_is_told_with_that_one(
    industry: str | None, filed: str | None, found: str | None, told: list[str], read: str
) -> None:
    given = {"industry_code": industry, "sector": filed, "sector_found": found}
    values = {key: value for key, value in given.items() if value}
    firm = Submission(
        uscc=code(1), name="甲", as_of=date(2023, 6, 30), values=values, where="表!B2"
    )
    reading = rechecked(
        FileReading(file="表.xlsx", digest="", submissions=(firm,), refused=(), issues=()),
        packaged_catalogue(),
        None,
    )
    assert [issue.message.partition("填报为")[0] for issue in reading.issues] == told
    assert all(issue.message.endswith(f"，划型所依据的行业是“{read}”") for issue in reading.issues)
    assert reading.submissions == (firm,)
