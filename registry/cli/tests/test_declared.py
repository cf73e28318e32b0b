"""A bureau declares what it asks for in a pack; it is asked for, filed, shown and judged, without code."""

import csv
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from registry.cli import main
from registry.cli.common import console
from registry.intake.tests.counties import code
from registry.tests import packs

Run = Callable[..., Result]

FIRM = code(1)
#: A reason of a verdict.
SHARE = re.compile("绿色收入占比 不低于10%.*70%")
#: Heading -> cell of a county's table.
CELLS = {
    "统一社会信用代码": FIRM,
    "企业名称": "测试甲有限公司",
    "填报日期": "2023-06-30",
    "省份": "江苏省",
    "绿色工厂": "是",
    "2022年营业收入总额（万元）": "1000",
    "2022年绿色产品收入（万元）": "700",
    "排污级别": "丙类",
    "环保设备（件）": "12",
    "绿色商店": "是",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on an empty registry, for a bureau with a pack of its own."""
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path}/tidu.db")
    monkeypatch.setenv("TIDU_FEATURES", str(packs.written(tmp_path / "own")))
    monkeypatch.setenv("TIDU_BY", "甲")
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(
        main, list(arguments), prog_name="tidu", catch_exceptions=False
    )


def table(folder: Path) -> Path:
    path = folder / "汇总表.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(zip(*CELLS.items(), strict=True))
    return path


def test_what_a_pack_declares_is_asked_for_filed_shown_and_judged(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("template", "模板.xlsx").exit_code == 0
    template = load_workbook(tmp_path / "模板.xlsx")
    assert "绿色产品收入（万元）" in [cell.value for cell in template["年度数据"][1]]
    assert "绿色项目" in template.sheetnames

    done = run("import", str(table(tmp_path)))
    assert "已登记 新增1家" in done.output
    assert [line.strip() for line in done.output.splitlines() if "提示 " in line] == [
        "提示 汇总表.csv!J1「绿色商店」：看不懂这个表头，该列未读取，请改用模板的表头，"
        "或用 tidu import --draft 写出对照表来补",
        "提示 汇总表.csv!H2「丙类」：“排污级别”不在可选范围内，按未提供处理，应为甲类、乙类之一",
    ]
    shown = run("enterprise", "show", FIRM).output
    rows = [line.split()[:3] for line in shown.splitlines() if "绿色" in line or "环保" in line]
    assert rows == [
        ["绿色工厂", "是", "汇总表.csv!E2"],
        ["环保设备", "12件", "汇总表.csv!I2"],
        ["绿色产品收入", "2022", "700万元"],
    ]
    asked = ("check", FIRM, "--tier", packs.TIER, "--batch", packs.ROUND, "--explain")
    assert SHARE.search(run(*asked).output)

    (tmp_path / "报告.txt").write_text("审计报告", encoding="utf-8")
    ground = ("--ground", "审计更正", "--evidence", "报告.txt")
    revenue = ("--fact", "绿色产品收入", "--year", "2022", "--value", "600万元")
    assert run("determine", FIRM, *revenue, *ground).exit_code == 0
    told, shown = run(*asked).output, run("enterprise", "show", FIRM).output
    assert "2022年绿色产品收入：700万元 → 600万元，理由：审计更正" in told
    assert f"{FIRM} 2022年绿色产品收入：审计更正" in run("audit", "log").output

    # the registry knows what it published, wherever the pack is now
    monkeypatch.delenv("TIDU_FEATURES")
    assert "内容没有变化，1家均已登记" in run("import", str(tmp_path / "汇总表.csv")).output
    assert run("enterprise", "show", FIRM).output == shown
    assert run(*asked).output == told


def test_a_file_is_checked_by_the_declarations_beside_its_rules(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIDU_FEATURES")
    asked = ("check", str(table(tmp_path)), "--tier", packs.TIER, "--batch", packs.ROUND)
    assert "看不懂这个表头" in run(*asked).output
    own = run(*asked, "--features", str(tmp_path / "own"), "--explain").output
    assert SHARE.search(own)
    assert own.count("看不懂这个表头") == 1  # 绿色商店


def test_what_is_declared_but_not_published_is_told_as_such(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filings are stored by what is published; the officer is told what is missing for that."""
    with monkeypatch.context() as before:
        before.delenv("TIDU_FEATURES")
        assert run("rules", "publish").exit_code == 0
    told = run("import", str(table(tmp_path)), "--dry-run", "--json").stdout
    said = {i["value"]: (i["message"], i["expected"]) for i in json.loads(told)["issues"]}
    wanted = ("标准声明了这个填报项，但还没有发布，该列未读取", "请先运行 tidu rules publish")
    assert said["绿色工厂"] == said["2022年绿色产品收入（万元）"] == wanted
    assert said["绿色商店"][0] == "看不懂这个表头，该列未读取"


def test_the_journal_is_readable_though_the_declarations_are_damaged(
    run: Run, tmp_path: Path
) -> None:
    run("import", str(table(tmp_path)))
    (tmp_path / "报告.txt").write_text("审计报告", encoding="utf-8")
    revenue = ("--fact", "绿色产品收入", "--year", "2022", "--value", "600万元")
    run("determine", FIRM, *revenue, "--ground", "审计更正", "--evidence", "报告.txt")
    with closing(sqlite3.connect(tmp_path / "tidu.db")) as damaged, damaged:
        for (name,) in damaged.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            damaged.execute(f"DROP TRIGGER {name}")
        changed = "UPDATE document SET text = text || ' ' WHERE kind = 'catalogue'"
        assert damaged.execute(changed).rowcount == 1
    said = run("audit", "log")
    assert said.exit_code == 0
    assert f"{FIRM} 2022年green_revenue：审计更正" in said.output
