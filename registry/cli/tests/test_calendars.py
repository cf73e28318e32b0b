"""The calendar on the command line: a year is tried, added, corrected and listed."""

import json
from pathlib import Path

import pytest

from registry.cli.tests.test_cli import Run

#: What the commands say does not depend on the database; that either keeps the same, see the record.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PAPER = ("--document", "通知6号", "--dated", "2026-11-03")
TABLE = """首日,末日,安排,名目,年度,依据
2030-01-01,2030-01-01,放假,元旦,2030,通知5号
2031-01-01,2031-01-03,放假,元旦,2031,通知6号
2031-01-04,2031-01-04,上班,调休,2031,通知6号
"""


def test_a_year_is_tried_added_corrected_and_listed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_BY", "李四")
    path = tmp_path / "安排.csv"
    path.write_text(TABLE, encoding="utf-8")
    add = ("calendar", "add", "2031", str(path), *PAPER)
    tried = run(*add, "--dry-run")
    assert tried.stdout == (
        "将会登记2031年放假安排：放假3天，调休上班1天，全年工作日259天，依据通知6号\n"
    )
    assert "表中2030年的安排没有用到" in tried.stderr
    assert json.loads(run("audit", "log", "--json").stdout) == []
    assert run(*add).stdout.startswith("第2号放假安排 2031年：放假3天")
    assert run(*add).stdout == "2031年的放假安排已在登记库中，没有变化\n"
    path.write_text(TABLE.replace("01-03", "01-02"), encoding="utf-8")
    refused = run(*add)
    assert refused.exit_code == 1
    assert "不再放假：2031-01-03" in refused.stderr
    assert "与这里的不同，没有登记：核对后确要更正的，请加上 --replace" in refused.stderr
    done = json.loads(run(*add, "--replace", "--json").stdout)
    assert (done["seq"], done["working_days"]) == (3, 260)
    shown = run("calendar", "list").stdout
    assert "1月1日至2日" in shown
    assert "2032年及以后：未公布" in shown
    found = json.loads(run("calendar", "list", "--json").stdout)
    assert found["unpublished_from"] == 2032
    by_year = {line["year"]: line for line in found["years"]}
    assert by_year[2030] == {"year": 2030, "published": False}
    assert by_year[2031]["work"] == ["2031-01-04"]
    assert "2031年，依据通知6号（2026-11-03）" in run("audit", "log", "--kind", "放假安排").stdout
    assert run("audit", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2029",), "没有2029年的安排，只有2030年、2031年：请核对年度"),
        (("2030",), "表中2030年的依据是「通知5号」，写明的文号是「通知6号」"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    path = tmp_path / "安排.csv"
    path.write_text(TABLE, encoding="utf-8")
    done = run("calendar", "add", *arguments, str(path), *PAPER, "--by", "李四")
    assert done.exit_code == 1
    assert said in done.output
    assert json.loads(run("audit", "log", "--json").stdout) == []


def test_where_nothing_was_published_the_years_at_hand_are_listed(run: Run) -> None:
    assert json.loads(run("calendar", "list", "--json").stdout)["years"][0]["published"] is True
