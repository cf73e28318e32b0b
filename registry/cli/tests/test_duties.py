"""The life of a title as officers work it on the command line, from the grant to applying again."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import icalendar
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from registry.audit.verify import verify
from registry.conftest import Run
from registry.database import projection, storage
from registry.tests.support import CODES, Clock, load, publish, submission

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ONE, TWO = CODES[:2]
TIER = ("--tier", "专精特新")


@pytest.fixture
def held(run: Run, database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a registry with two firms that hold a title from 2022-10-01 on."""
    monkeypatch.setenv("TIDU_BY", "李四")
    clock = Clock()
    publish(database, clock)
    load(database, clock, *(submission(code, date(2022, 9, 30)) for code in (ONE, TWO)))
    granted = ("--document", "示工信〔2022〕9号", "--dated", "2022-10-01")
    said(run, "titles", "grant", ONE, TWO, *TIER, *granted)
    return run


def said(run: Run, *arguments: str) -> str:
    """What a command says that does what it should."""
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.output


def refused(run: Run, *arguments: str, code: int = 1) -> str:
    done = run(*arguments)
    assert done.exit_code == code, done.output
    return done.output


def due(run: Run, day: str, *more: str) -> list[tuple[str, str, str | None]]:
    """What a day shows of the first firm: matter, state and last day."""
    found = json.loads(said(run, "due", ONE, "--on", day, *more, "--json"))
    return [
        (f"{one['matter']}{one['subject']}", one["state"], one["due"]) for one in found["lines"]
    ]


def test_a_title_from_a_missed_update_to_the_day_of_applying_again(
    held: Run, database: sa.Engine
) -> None:
    assert due(held, "2023-03-30") == []
    assert due(held, "2023-03-31") == [("年度更新2023年", "临近", "2023-04-30")]
    assert due(held, "2023-05-01") == [("年度更新2023年", "逾期", "2023-04-30")]
    drawn = ("consequence", ONE, *TIER, "--matter", "年度更新", "--which", "2023年")
    lost = ("--draw", "失去复核资格", "--ground", "两次催告仍未填报")
    assert "已决定失去复核资格" in said(held, *drawn, *lost, "--day", "2023-05-10")
    assert due(held, "2023-05-10") == []
    assert due(held, "2023-05-09") == [("年度更新2023年", "逾期", "2023-04-30")]

    happened = ("--kind", "更名", "--happened", "2024-01-10", "--name", "新名有限公司")
    noted = json.loads(said(held, "change", ONE, *happened, "--json"))["entries"][0]["seq"]
    changed = f"变化报告{noted}"
    assert (changed, "临近", "2024-04-10") in due(held, "2024-04-10")
    assert (changed, "逾期", "2024-04-10") in due(held, "2024-04-11")
    said(held, "change", "--of", str(noted), "--reported", "2024-04-09")
    assert changed not in [matter for matter, _, _ in due(held, "2024-04-11")]
    assert "新名有限公司" in said(held, "due", ONE, "--on", "2024-05-01", "--json")
    again = refused(held, "change", "--of", str(noted), "--reported", "2024-04-12")
    assert f"第{noted}号记录已答复或报告" in again

    assert "不能申报复核" in refused(
        held, "apply", ONE, *TIER, "--procedure", "复核", "--day", "2025-01-10"
    )
    notice = ("--document", "示工信〔2025〕3号", "--dated", "2025-03-03")
    assert "已取消称号" in said(held, "cancel", ONE, "--cause", "数据造假", *notice)
    assert due(held, "2025-03-04", "--state", "未到") == [("再次申报8", "未到", "2028-03-03")]
    barred = refused(held, "apply", ONE, *TIER, "--day", "2025-06-01")
    assert "因数据造假取消（示工信〔2025〕3号），不得申报至2028-03-03" in barred
    assert "最早可于2028-03-04申报" in barred
    with storage.session(database, write=True) as session:
        assert projection.rebuild(session.connection()) == 0
        report = verify(session)
        assert report.sound, (report.integrity, report.completeness, report.correctness)
    log = said(held, "audit", "log")
    for phrase in (
        "年度更新2023年（最迟2023-04-30）",
        "更名为新名有限公司，尚未报告",
        "取消 专精特新",
    ):
        assert phrase.replace(" ", "") in re.sub(r"\s", "", log), phrase
    assert "新名有限公司" in said(held, "due", "新名有限公司", "--on", "2023-05-01")
    assert "逐条按当时的计时表核对" in said(held, "audit", "verify")


@ON_SQLITE
def test_what_is_due_as_table_workbook_and_calendar(held: Run, tmp_path: Path) -> None:
    table = said(held, "due", "--on", "2023-05-01")
    assert "2023-05-01：逾期2项" in table
    assert "解读C" in table or "年度更新" in table
    book, calendar = tmp_path / "到期.xlsx", tmp_path / "到期.ics"
    coming = ("due", "--on", "2023-02-01", "--until", "2025-12-31")
    said(held, *coming, "-o", str(book))
    [head, *rows] = load_workbook(book).worksheets[0].iter_rows(values_only=True)
    assert head[:6] == ("企业名称", "统一社会信用代码", "地区", "层级", "事项", "情形")
    said(held, *coming, "-o", str(calendar))
    events = icalendar.Calendar.from_ical(calendar.read_bytes()).walk("VEVENT")
    assert len(events) == len(rows) == 10
    assert len({event["uid"] for event in events}) == len(events)
    first = min(events, key=lambda event: (event.decoded("dtstart"), str(event["uid"])))
    assert first.decoded("dtstart") == date(2023, 4, 30)
    [alarm] = first.walk("VALARM")
    assert alarm.decoded("trigger") == timedelta(days=-30)


@ON_SQLITE
def test_a_complaint_and_its_answer(held: Run) -> None:
    assert "实名" in refused(held, "complain", ONE, "--ground", "营业收入不实")
    entered = said(
        held, "complain", ONE, "--ground", "营业收入不实", "--informant", "王五", "--day", "2023-07-03",
        "--json",
    )  # fmt: skip
    assert "王五" not in entered
    seq = json.loads(entered)["entries"][0]["seq"]
    assert due(held, "2023-07-25", "--matter", "举报答复") == [
        (f"举报答复{seq}", "逾期", "2023-07-24")
    ]
    said(held, "complain", "--answer", str(seq), "--outcome", "不属实", "--day", "2023-07-20")
    assert due(held, "2023-07-25", "--matter", "举报答复") == []


@ON_SQLITE
def test_a_list_is_entered_whole_or_not_at_all(held: Run, tmp_path: Path) -> None:
    firms = tmp_path / "更新.csv"
    firms.write_text(
        f"企业名称,统一社会信用代码\n甲,{ONE}\n乙,91320509MA1W5UJM0Q\n", encoding="utf-8"
    )
    answer = refused(held, "update", str(firms), "--year", "2023", "--day", "2023-04-01")
    assert "整份名单没有登记" in answer or "没有登记" in answer
    assert len(due(held, "2023-05-01")) == 1
    dry = said(held, "update", ONE, TWO, "--year", "2023", "--day", "2023-04-01", "--dry-run")
    assert "将会登记2023年的更新：2家" in dry
    assert len(due(held, "2023-05-01")) == 1
    said(held, "update", ONE, TWO, "--year", "2023", "--day", "2023-04-01")
    assert due(held, "2023-05-01") == []


@ON_SQLITE
def test_what_is_meant_must_be_clear(held: Run) -> None:
    for arguments, said_ in (
        (("change", "--kind", "更名"), "请写明企业"),
        (("change", ONE, "--of", "3", "--reported", "2023-01-01"), "企业和变化以原登记为准"),
        (("complain",), "请写明被举报的企业"),
        (("consequence", ONE, *TIER, "--matter", "年度更新", "--ground", "x"), "--none"),
    ):
        assert said_ in refused(held, *arguments, code=2)
    assert "没有列出“搬家”这一变化：可写更名、合并" in refused(
        held, "change", ONE, "--kind", "搬家", "--happened", "2023-01-01"
    )
    notice = ("--document", "1", "--dated", "2023-03-03")
    assert "没有“高兴”这一取消事由：可写" in refused(
        held, "cancel", ONE, "--cause", "高兴", *notice
    )
    assert "不能确定是哪个地区" in refused(held, "due", "--place", "乌有之乡")


@ON_SQLITE
def test_a_registry_without_clocks_says_so(
    run: Run, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_BY", "李四")
    assert "还没有发布计时表" in refused(run, "due")
    assert "还没有发布计时表" in refused(run, "update", ONE, "--year", "2023")
