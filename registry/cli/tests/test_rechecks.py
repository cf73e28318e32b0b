"""The list of re-checks of a day: who is due, who applied, who lost the right, and who would fail."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from registry.conftest import Run
from registry.desk import rechecks
from registry.desk.place import Desk
from registry.tests.support import CODES, Clock, load, publish, submission

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ONE, TWO, THREE = FIRMS = (*CODES[:2], "91320509MA1W5UJM03")
TIER = ("--tier", "专精特新")


@pytest.fixture
def held(run: Run, database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Three titles until 2023-09-30: one firm qualifies, one spends too little, one lacks a figure."""
    monkeypatch.setenv("TIDU_BY", "李四")
    clock = Clock()
    publish(database, clock)
    load(
        database,
        clock,
        submission(ONE),
        submission(TWO, rd_expense__2022="800000"),
        submission(THREE, rd_expense__2022=None),
    )
    granted = ("--document", "示工信〔2022〕9号", "--dated", "2022-10-01")
    said(run, "titles", "grant", *FIRMS, *TIER, *granted, "--until", "2023-09-30")
    return run


def said(run: Run, *arguments: str) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.output


def found(run: Run, day: str, *more: str) -> dict[str, dict[str, Any]]:
    """The holders of a day by credit code."""
    plain = json.loads(said(run, "recheck", "--on", day, *more, "--json"))
    return {holder["uscc"]: holder for holder in plain["holders"]}


def standings(run: Run, day: str, *more: str) -> list[str]:
    listed = found(run, day, *more)
    return [listed[uscc]["standing"] for uscc in FIRMS if uscc in listed]


@ON_SQLITE
def test_who_is_due_before_on_and_after_each_day(held: Run) -> None:
    assert standings(held, "2022-12-31") == []
    assert standings(held, "2023-01-01") == ["可申报"] * 3
    assert standings(held, "2023-06-29") == ["可申报"] * 3
    assert standings(held, "2023-06-30") == ["临近"] * 3
    assert standings(held, "2023-07-01") == ["临近"] * 3
    assert standings(held, "2023-09-30") == ["临近"] * 3
    assert standings(held, "2023-10-01") == ["逾期"] * 3
    listed = found(held, "2023-07-01")[ONE]
    assert (listed["due"], listed["clocks"]) == ("2023-09-30", "63.计时")
    assert listed["basis"] == "工信部企业〔2022〕63号"
    assert standings(held, "2023-07-01", "--tier", "小巨人") == []
    assert standings(held, "2023-07-01", "--place", "江苏省") == ["临近"] * 3
    assert standings(held, "2023-07-01", "--place", "广东省") == []


@ON_SQLITE
def test_who_applied_and_where_the_application_stands(held: Run) -> None:
    said(held, "apply", ONE, *TIER, "--procedure", "复核", "--day", "2023-07-01")
    assert found(held, "2023-06-30")[ONE]["applied"] is None
    listed = found(held, "2023-07-01")[ONE]
    assert listed["standing"] == "已申报"
    assert (listed["applied"]["day"], listed["applied"]["state"]) == ("2023-07-01", "县级初审")
    assert standings(held, "2023-10-01") == ["已申报", "逾期", "逾期"]
    text = said(held, "recheck", "--on", "2023-07-01")
    recorded = listed["applied"]["recorded"]
    assert recorded > "2023-07-01"
    assert f"2023-07-01申报（{recorded}登记），县级初审" in text.replace("\n  ", "")
    assert "临近2家、已申报1家；按标准" in text


def test_who_lost_the_right_and_why(held: Run, tmp_path: Path) -> None:
    drawn = ("consequence", THREE, *TIER, "--matter", "年度更新", "--which", "2023年")
    lost = ("--draw", "失去复核资格", "--ground", "两次催告仍未填报", "--day", "2023-05-10")
    entry = json.loads(said(held, *drawn, *lost, "--document", "示工信函〔2023〕4号", "--json"))
    seq = entry["entries"][0]["seq"]
    assert standings(held, "2023-05-09") == ["可申报"] * 3
    for day in ("2023-05-10", "2023-05-11", "2023-10-01"):
        listed = found(held, day)[THREE]
        assert (listed["standing"], listed["judged"]) == ("失去复核资格", None)
        [why] = listed["lost"]
        assert why.pop("recorded") > why["day"]
        assert why == {
            "matter": "年度更新", "subject": "2023年", "due": "2023-04-30",
            "basis": "工信部企业〔2022〕63号", "clocks": "63.计时", "seq": seq,
            "day": "2023-05-10", "document": "示工信函〔2023〕4号",
        }  # fmt: skip
    assert f"第{seq}号" in said(held, "recheck", "--on", "2023-07-01").replace("\n", "")
    paper = tmp_path / "更正.txt"
    paper.write_text("记错了企业", encoding="utf-8")
    said(held, "revoke", str(seq), "--ground", "记错了企业", "--evidence", str(paper))
    assert standings(held, "2023-07-01") == ["临近"] * 3


def test_who_would_fail_by_the_criteria_of_the_day(
    held: Run, database: sa.Engine, tmp_path: Path
) -> None:
    listed = found(held, "2023-07-01")
    outcomes = {uscc: holder["judged"]["outcome"] for uscc, holder in listed.items()}
    assert outcomes == {ONE: "符合", TWO: "不符合", THREE: "材料不足"}
    miss = listed[TWO]["judged"]["misses"][0]
    assert (miss["rule"], miss["value"], miss["distance"]) == (
        "63.2.研发费用", "80万元", "差20万元",
    )  # fmt: skip
    assert any("研发费用" in one for one in listed[THREE]["judged"]["missing"])
    question = ("--procedure", "复核", "--as-of", "2023-07-01", *TIER, "--json")
    for uscc, outcome in outcomes.items():
        checked = json.loads(said(held, "check", uscc, *question))["results"][0]["verdicts"][0]
        assert (checked["outcome"], checked["ruleset"]) == (outcome, "63.2.复核")
    assert found(held, "2023-06-29")[ONE]["judged"]["note"] == "2023-06-29以前没有填报"
    late = found(held, "2024-01-01")[ONE]["judged"]
    assert (late["outcome"], "2023" in late["note"]) == ("不能判断", True)

    url = database.url.render_as_string(hide_password=False)
    with Desk(url) as desk:
        who = rechecks.find(desk, rechecks.Asked(day=date(2023, 7, 1)))
        screened = rechecks.judge(desk, who, many=1).judged
        for key, exact in rechecks.judge(desk, who).judged.items():
            assert screened[key].outcome == exact.outcome
            assert screened[key].misses == exact.misses
            assert screened[key].ruleset == exact.ruleset
        late_ones = rechecks.find(desk, rechecks.Asked(day=date(2024, 1, 1)))
        assert {j.outcome for j in rechecks.judge(desk, late_ones, many=1).judged.values()} == {
            "不能判断"
        }
    book = tmp_path / "复核.xlsx"
    assert "3家已写入" in said(held, "recheck", "--on", "2023-07-01", "-o", str(book))
    [head, *rows] = load_workbook(book).worksheets[0].iter_rows(values_only=True)
    assert head[4:6] == ("情形", "最后一日")
    assert "63.2.研发费用" in next(str(row[10]) for row in rows if row[1] == TWO)


def test_of_a_round(held: Run) -> None:
    notice = ("--opens", "2023-05-01", "--document", "示工信〔2023〕2号", "--dated", "2023-04-20")
    opened = ("round", "open", "甲", *TIER, "--procedure", "复核", *notice)
    said(held, *opened, "--province", "江苏省")
    assert standings(held, "2023-07-01", "--round", "甲") == ["临近"] * 3
    said(held, "round", "open", "乙", *TIER, "--procedure", "复核", *notice, "--province", "广东省")
    assert standings(held, "2023-07-01", "--round", "乙") == []
    said(held, "round", "open", "丙", *TIER, *notice)
    other = held("recheck", "--round", "丙")
    assert (other.exit_code, "不是复核" in other.output) == (1, True)
    other = held("recheck", "--round", "甲", "--tier", "小巨人")
    assert (other.exit_code, "轮次「甲」是「专精特新中小企业」的" in other.output) == (1, True)
