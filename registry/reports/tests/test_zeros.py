"""Zeros, negative figures and what cannot be computed: no verdict comes of them, and every report says so."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from registry.cli import main
from registry.desk.importing import read_file
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.intake.tests.counties import CATALOGUE, DAY, code, county, firm, saved
from registry.judging import verdicts as checking
from registry.judging.case import Known, Request, unfiled
from registry.judging.judge import Judge
from registry.judging.verdicts import Checker
from registry.reports.verdicts import obstacle
from rules.explanation.findings import Finding
from rules.model.ruleset import Outcome

GROWTH, DEBT = "近2年主营业务收入平均增长率", "上年度末资产负债率"
MAIN = {y: f"{y}年主营业务收入（万元）" for y in (2020, 2021, 2022)}
REVENUE = {y: f"{y}年营业收入（万元）" for y in (2020, 2021, 2022)}
ASSETS, DEBTS = "2022年末资产总额（万元）", "2022年末负债总额（万元）"
STAFF, RESEARCHERS = "2022年末从业人员（人）", "其中研发人员（人）"
RIGHTS = (
    "Ⅰ类高价值知识产权（项）",
    "自主研发Ⅰ类知识产权（项）",
    "Ⅰ类知识产权（项）",
    "已应用并产生效益的Ⅰ类知识产权（项）",
)
#: What is filed -> what 小巨人 comes to, and how the main reason begins.
KINDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "growth from zero": ({MAIN[2020]: 0}, "待人工认定", f"{GROWTH}无法计算"),
    "growth to and from zero": ({MAIN[2021]: 0}, "待人工认定", f"{GROWTH}无法计算"),
    "missing beside zero": ({MAIN[2020]: 0, MAIN[2022]: None}, "材料不足", "2022年主营业务收入"),
    "no assets": ({ASSETS: 0}, "待人工认定", f"{DEBT}无法计算"),
    "no assets, debts missing": ({ASSETS: 0, DEBTS: None}, "待人工认定", f"{DEBT}无法计算"),
    "negative assets": ({ASSETS: -15000}, "待人工认定", f"{DEBT}无法计算"),
    "growth from a negative": ({MAIN[2020]: "-7000"}, "待人工认定", f"{GROWTH}无法计算"),
    "negative revenue": ({REVENUE[2021]: "（9500）"}, "待人工认定", "上上年度研发费用占比无法计算"),
    "negative R&D": ({"2022年研发费用（万元）": -320}, "待人工认定", "上年度研发费用占比无法计算"),
    "negative staff": ({STAFF: -120, RESEARCHERS: None}, "符合", ""),
    "no revenue": (
        dict.fromkeys((*MAIN.values(), *REVENUE.values()), 0),
        "不符合",
        "近两年新增股权融资额差8000万元",
    ),
    "no staff": ({STAFF: 0, RESEARCHERS: 0}, "符合", ""),
    "no intellectual property": (dict.fromkeys(RIGHTS, 0), "不符合", "应用并产生效益的Ⅰ类"),
    "no market share": ({"全国细分市场占有率": "0%"}, "不符合", "全国细分市场占有率差10个百分点"),
    "a loss": ({"2022年净利润（万元）": -300}, "符合", ""),
    "a sector that no map knows": (
        {"行业代码（GB/T 4754）": "K7040"},
        "待人工认定",
        "认定划型行业待审核认定",
    ),
}


def filed(folder: Path, *kinds: str) -> Path:
    """A county's summary: a firm of each kind, named after it, and one that meets all."""
    firms = [firm(n, k, **KINDS[k][0]) for n, k in enumerate(kinds, 1)]
    return saved(county([*firms, firm(99, "样样符合")]), folder)


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_computed_is_for_a_person_and_named_as_the_main_reason(
    kind: str, tmp_path: Path
) -> None:
    [one, other] = read_file(Desk(), filed(tmp_path, kind), CATALOGUE).submissions
    _, outcome, reason = KINDS[kind]
    checker = Checker(Judge(rulebook()))
    asked = Request(("小巨人",))
    found, good = (checker.check(unfiled(s, DAY), asked) for s in (one, other))
    assert [v.outcome for v in (*found.verdicts, *good.verdicts)] == [outcome, "符合"]
    assert obstacle(found, short=True).removeprefix("小巨人：").startswith(reason)
    assert reason.partition("差")[0] in obstacle(found)


Run = Callable[..., Result]
SHOWN = ("growth from zero", "no assets", "no revenue")


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The command line on a registry of firms that filed zeros, each with a decision on 小巨人."""
    folder = tmp_path_factory.mktemp("zeros")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TIDU_DATABASE_URL", f"sqlite:///{folder / 'tidu.db'}")
        patched.setenv("TIDU_BY", "李四")

        def run(*arguments: str) -> Result:
            return CliRunner().invoke(main, list(arguments), prog_name="tidu")

        assert run("import", str(filed(folder, *SHOWN))).exit_code == 0
        assert run("decide", "--all", "--tier", "小巨人").exit_code == 0
        yield run


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("check", "--all"), f"{GROWTH}无法计算"),
        (("check", "--all", "--tier", "小巨人", "--explain"), "2020年主营业务收入总额填报为0万元"),
        (("check", "--all", "--json"), "2020年主营业务收入总额填报为0万元"),
        (
            ("screen", "--tier", "小巨人", "--near", "90%"),
            "符合1家，不符合1家，材料不足0家，待人工认定2家",
        ),
        (("impact", "--from", "miit-2026-2", "--to", "63.3"), "数据齐全，待人工认定2家"),
        (("explain", "3"), f"{GROWTH}：无法计算"),
        (("explain", "3", "--for", "auditor"), "2020年主营业务收入总额填报为0万元"),
        (("explain", "4", "--for", "enterprise"), f"{DEBT}无法计算（2022年资产总额填报为0万元）"),
        (("explain", "4", "--format", "letter"), "2022年资产总额填报为0万元"),
        (("explain", "5", "--for", "enterprise"), "为0万元，差8000万元"),
        (("explain", "3", "--json"), "填报为0万元"),
    ],
)
def test_every_report_says_what_was_filed_as_zero(
    registered: Run, command: tuple[str, ...], said: str
) -> None:
    done = registered(*command)
    assert done.exit_code == 0, done.output
    assert said in "".join(done.output.split("\n")).replace(" ", "")


def test_a_negative_figure_is_stored_screened_and_shown_as_filed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path / 'tidu.db'}")
    file = filed(tmp_path, "negative assets", "negative revenue")
    said = []
    for command in (
        ("import", str(file), "--by", "李四"),
        ("check", code(1), "--tier", "小巨人", "--explain"),
        ("screen", "--tier", "小巨人", "--as-of", "2023-06-30"),
    ):
        done = CliRunner().invoke(main, command, prog_name="tidu")
        assert done.exit_code == 0, done.output
        said.append(done.output)
    assert "“资产总额”为负数，照录，但不能用来计算" in said[0]
    assert "未提供" not in said[0]
    assert "2022年资产总额（上年度）：-15000万元" in said[1]
    assert "符合1家，不符合0家，材料不足0家，待人工认定2家" in said[2]
    assert "逐项一致" in said[2]


def test_a_workbook_lists_what_cannot_be_computed_with_the_cells(
    registered: Run, tmp_path: Path
) -> None:
    assert registered("check", "--all", "--output", str(tmp_path / "结果.xlsx")).exit_code == 0
    rows = openpyxl.load_workbook(tmp_path / "结果.xlsx")["待补材料"].values
    [row] = [r for r in rows if r[0] == code(1)]
    assert row[3:5] == (GROWTH, "无法计算（2020年主营业务收入总额填报为0万元）")
    assert "汇总表!" in str(row[5])


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the program that only shows with verdicts that wait for a person."""
    known = checking.missing

    def missing(finding: Finding) -> Any:
        return [][1] if finding.result is Outcome.PENDING else known(finding)

    monkeypatch.setattr(checking, "missing", missing)


@pytest.mark.parametrize("how", [(), ("--explain",), ("--json",), ("--output", "结果.xlsx")])
def test_a_firm_that_cannot_be_shown_holds_up_no_other(
    registered: Run,
    failing: None,
    how: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    done = registered("check", "--all", "--tier", "小巨人", *how)
    assert done.exit_code == 1
    said = done.output + capfd.readouterr().err
    assert "2家企业未能检查，原因见上" in said
    assert f"growth from zero（{code(1)}）：结果没有写出：程序内部出错（test_zeros.py:" in said
    assert "样样符合" in said
    if how == ("--json",):
        found = json.loads(done.output.partition("\n")[0])
        assert [len(found["results"]), len(found["refused"])] == [2, 2]
    if how[:1] == ("--output",):
        book = openpyxl.load_workbook(tmp_path / "结果.xlsx")
        named = {row[0] for sheet in ("结论", "逐项") for row in book[sheet].values}
        assert named == {"统一社会信用代码", code(3), code(99)}


def test_a_firm_on_which_the_program_fails_holds_up_no_other(
    registered: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    original = Checker.check

    def check(self: Checker, known: Known, request: Request) -> Any:
        return original(self, known, request) if known.case.uscc != code(2) else 1 // 0

    monkeypatch.setattr(Checker, "check", check)
    done = registered("check", "--all", "--tier", "小巨人")
    assert done.exit_code == 1
    assert "样样符合" in done.output
    assert f"（{code(2)}）：程序内部出错" in done.output + capfd.readouterr().err
