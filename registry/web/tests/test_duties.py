"""What is due, and what is entered about duties: lists and files, and acts that are seen first."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from shutil import copy
from typing import Any

import icalendar
import pytest
from openpyxl import load_workbook

from registry.desk import notices
from registry.desk.judging import Judging
from registry.desk.listed import Firms
from registry.desk.notices import Notice, Validity
from registry.desk.place import Desk
from registry.tests.support import CODES, Clock, load, submission
from registry.web.addresses import duty
from registry.web.app import application
from registry.web.tests.visiting import Bureau, Page, Visitor
from rules.tests.packaged import TITLES

ONE, TWO = CODES[:2]
THREE = "91440300757632547Y"
TIER = TITLES[1]
#: Both titles since 2022-10-01; the first yearly update was due on 2023-04-30.
GRANTED = Notice("示工信〔2022〕9号", date(2022, 10, 1))
LATE = {"on": "2023-05-01"}


@pytest.fixture
def held(
    migrated: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bureau]:
    """A bureau on 2023-05-10, with two enterprises that hold a title."""
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    file = copy(migrated["sqlite"], tmp_path / "tidu.db")
    clock = Clock(datetime(2023, 5, 10, 4, tzinfo=UTC))
    with Desk(f"sqlite:///{file}", by="王某", clock=clock) as desk, Judging(desk) as judging:
        load(desk.database, clock, *(submission(code) for code in (ONE, TWO)))
        notices.grant(desk, Firms((ONE, TWO)), TIER, GRANTED, Validity())
        yield Bureau(desk, Visitor(application(desk, judging)), clock)


def enter(bureau: Bureau, path: str, typed: Mapping[str, Any], files: Any = None) -> Page:
    """Send a form, see what would be recorded, and confirm it; where that leads."""
    before = bureau.entries
    page = bureau.visitor.send(path, typed, files)
    assert (page.status, bureau.entries) == (200, before), page.words
    assert "还没有登记：请先核对" in page.words
    found = dict(re.findall(r'name="([a-z]+-waits|rehearsed)" value="([^"]*)"', page.source))
    done = bureau.visitor.post(path, {**page.hidden, **typed, **found})
    assert done.status == 303, done.words
    return bureau.visitor.get(done.place)


def test_the_list_of_a_day_leads_to_the_enterprise_the_text_and_the_acts(held: Bureau) -> None:
    page = held.visitor.get("/due?on=2023-05-01&matter=年度更新")
    assert "共2项" in page.words
    assert "年度更新2023年 ✗ 逾期 2023-04-30 失去复核资格" in page.words
    assert f"/enterprises/{ONE}#owed" in page.links
    assert "/rules/63.%E8%AE%A1%E6%97%B6" in page.links
    assert held.visitor.get("/rules/63.%E8%AE%A1%E6%97%B6").status == 200
    decide = duty("decide", uscc=ONE, tier=TIER, matter="年度更新", subject="2023年")
    assert decide in page.links
    assert duty("update", uscc=ONE, year="2023") in page.links
    assert "没有这样的到期事项" in held.visitor.get("/due?on=2022-10-02").words
    assert "△ 临近" in held.visitor.get("/due?on=2023-04-01&state=临近").words
    assert "复核申报" in held.visitor.get("/due?state=未到").words
    for asked in ("state=快了", "matter=早饭", "place=火星", "on=昨天", "after=x"):
        assert held.visitor.get(f"/due?{asked}").status == 422


def test_who_holds_a_title_without_a_filing_has_a_page_of_the_register(held: Bureau) -> None:
    notices.grant(held.desk, Firms((THREE,)), TIER, GRANTED, Validity())
    page = held.visitor.get("/due?on=2023-05-01&matter=年度更新")
    assert "共3项" in page.words
    assert page.words.count("没有填报") == 1
    assert f"/enterprises/{THREE}#owed" in page.links
    page = held.visitor.get(f"/enterprises/{THREE}")
    assert "没有填报，只有登记簿的记录" in page.words
    assert duty("update", uscc=THREE, year="2023") in page.links
    assert f"/enterprises/{THREE}" in held.visitor.get(duty("update", uscc=THREE)).links


def test_pages_follow_each_other_and_files_hold_everything(
    held: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = held.visitor.raw("/due.json?state=全部").json()["lines"]
    monkeypatch.setattr("registry.desk.due.LEAF", 3)
    path, seen = "/due?state=全部", list[str]()
    while path:
        page = held.visitor.get(path)
        seen += re.findall(r"<code>(\w{18})</code>", page.source)
        path = next((link for link in page.links if "after=" in link), "")
    assert seen == [line["uscc"] for line in whole]
    assert len(seen) > 6
    assert held.visitor.raw("/due.xlsx?state=逾期").content.startswith(b"PK")
    calendar = held.visitor.raw("/due.ics?state=逾期")
    assert calendar.text.count("BEGIN:VEVENT") == 2
    assert calendar.headers["content-type"] == "text/calendar; charset=utf-8"
    # files have no last line: what is read at a time is no bound
    monkeypatch.setattr("registry.record.dues.MOST", 3)
    assert held.visitor.raw("/due.json?state=全部").json()["lines"] == whole
    book = held.visitor.raw("/due.xlsx?state=全部").content
    assert load_workbook(BytesIO(book)).worksheets[0].max_row == len(whole) + 1
    dated = sum(line["due"] is not None for line in whole)
    events = icalendar.Calendar.from_ical(held.visitor.raw("/due.ics?state=全部").content)
    assert len(events.events) == dated


def test_the_desk_and_the_enterprise_show_what_presses(held: Bureau) -> None:
    page = held.visitor.get("/")
    assert "年度更新 ✗ 2项" in page.words
    overdue = next(link for link in page.links if "state=%E9%80%BE%E6%9C%9F" in link)
    assert "共2项" in held.visitor.get(overdue).words
    page = held.visitor.get(f"/enterprises/{ONE}")
    assert "年度更新2023年 ✗ 逾期 2023-04-30" in page.words
    assert duty("cancel", uscc=ONE) in page.links


def test_a_missed_update_is_decided_from_its_row_and_taken_back(held: Bureau) -> None:
    [path] = [
        link
        for link in held.visitor.get("/due?state=逾期").links
        if link.startswith("/duties/decide") and ONE in link
    ]
    page = held.visitor.get(path)
    assert "标准所写的后果 失去复核资格 依据" in page.words
    about = {"day": "2023-05-10"}  # the rest is filled in
    without = held.visitor.send(path, {**about, "consequence": "失去复核资格"})
    assert (without.status, 'id="ground-fault"' in without.source) == (422, True)
    drawn = {**about, "consequence": "失去复核资格", "ground": "两次催告仍未填报"}
    entry = enter(held, path, drawn)
    assert "年度更新2023年（最迟2023-04-30）：失去复核资格：两次催告仍未填报" in entry.words
    assert "已决定失去复核资格" in held.visitor.get(f"/enterprises/{ONE}").words
    [back] = [link for link in entry.links if link.startswith("/duties/revoke")]
    enter(held, back, {"day": "2023-05-10", "ground": "误记"})
    assert "年度更新 ✗ 2项" in held.visitor.get("/").words
    excused = {**about, "consequence": "不追究", "ground": "平台故障"}
    assert "：不追究：平台故障" in enter(held, path, excused).words
    assert "年度更新 ✗ 1项" in held.visitor.get("/").words


def test_a_list_is_updated_whole_or_not_at_all(held: Bureau) -> None:
    table = f"企业名称,统一社会信用代码\n甲,{ONE}\n乙,{TWO}\n"
    files = {"list": ("名单.csv", table.encode(), "text/csv")}
    typed = {"year": "2024", "day": "2023-05-10", "renamed": f"{ONE}\n{TWO}"}
    page = held.visitor.send("/duties/update", {**typed, "year": "2030"}, files)
    assert (page.status, "2030年不须更新" in page.words) == (422, True)
    page = enter(held, "/duties/update", typed, files)
    assert [kind for _, kind in held.entries[-2:]] == ["update", "update"]
    assert "2024年，2023-05-10提交" in page.words


def test_what_was_exported_is_a_list_to_decide_on(held: Bureau) -> None:
    book = held.visitor.raw("/due.xlsx?state=逾期&matter=年度更新").content
    typed = {
        "tier": TIER,
        "matter": "年度更新",
        "subject": "2023年",
        "consequence": "失去复核资格",
        "day": "2023-05-10",
        "ground": "逾期",
    }
    enter(held, "/duties/decide", typed, {"list": ("逾期.xlsx", book, "application/zip")})
    assert [kind for _, kind in held.entries[-2:]] == ["consequence", "consequence"]


def test_a_change_is_noted_and_reported_later(held: Bureau) -> None:
    path = duty("change", uscc=ONE)
    assert held.visitor.get(path).hidden["codes"] == ONE
    typed = {"codes": ONE, "kind": "更名", "happened": "2023-05-04", "new_name": "甲新公司"}
    early = held.visitor.send(path, {**typed, "reported": "2023-05-03"})
    assert 'id="reported-fault"' in early.source
    noted = enter(held, path, typed)
    assert "2023-05-04更名为甲新公司，尚未报告" in noted.words
    [report] = [link for link in noted.links if link.startswith("/duties/report")]
    assert report in held.visitor.get("/due?state=全部").links
    assert "2023-05-09报告" in enter(held, report, {"day": "2023-05-09"}).words
    page = held.visitor.get("/due?state=全部")
    assert report not in page.links
    assert page.words.count("2023-05-09办理（2023-05-10登记）") == 1
    late = {"codes": ONE, "year": "2023", "day": "2023-04-20", "document": "平台"}
    enter(held, duty("update", uscc=ONE), late)
    assert "2023-04-20办理（2023-05-10登记）" in held.visitor.get("/due?state=了结").words


def test_a_renamed_enterprise_goes_by_its_present_name_and_the_one_it_filed_under(
    held: Bureau,
) -> None:
    held.clock.moment = datetime(2023, 7, 10, 4, tzinfo=UTC)
    filed, now = f"测试{ONE[-4:]}有限公司", "甲新公司"
    typed = {"codes": ONE, "kind": "更名", "happened": "2023-07-04", "new_name": now}
    enter(held, duty("change", uscc=ONE), {**typed, "new_name": "误登公司"})
    number = held.entries[-1][0]
    mistaken = duty("revoke", entry=number)
    enter(held, mistaken, {"day": "2023-07-10", "ground": "名称误登"})
    page = held.visitor.get(f"/journal/{number}")
    assert f"已由 第{number + 1}号撤回，如同没有登记过" in page.words
    assert not [link for link in page.links if link.startswith("/duties/")]
    assert "原名" not in held.visitor.get("/enterprises").words
    enter(held, duty("change", uscc=ONE), typed)
    for path in (f"/enterprises?q={now}", f"/enterprises?q={filed}", "/due?state=全部"):
        assert f"{now} 原名{filed} {ONE}" in held.visitor.get(path).words, path
    for path in (f"/enterprises/{ONE}", f"/enterprises/{ONE}/specialised"):
        page = held.visitor.get(path)
        assert f"{ONE} 原名{filed} 填报日期" in page.words, path
        assert f"<h1>{now}</h1>" in page.source, path
    lines = held.visitor.raw("/due.json?state=全部").json()["lines"]
    assert {(x["name"], x["former"]) for x in lines if x["uscc"] == ONE} == {(now, filed)}
    # what is entered as of an earlier day keeps the name of that day
    for day, name in (("2023-07-03", filed), ("2023-07-04", now)):
        given = {"codes": ONE, "day": day, "ground": "营业收入不实", "informant": "举报人甲"}
        assert f"{name}（{ONE}）" in enter(held, duty("complain", uscc=ONE), given).words
    # a later filing states the name anew
    load(held.desk.database, held.clock, submission(ONE, date(2023, 7, 5)))
    assert "原名" not in held.visitor.get("/due?state=全部").words


def test_a_complaint_is_answered(held: Bureau) -> None:
    path = duty("complain", uscc=ONE)
    typed = {"codes": ONE, "day": "2023-05-09", "ground": "营业收入不实", "informant": "举报人甲"}
    assert 'id="informant-fault"' in held.visitor.send(path, {**typed, "informant": ""}).source
    entry = enter(held, path, typed)
    assert "举报人 举报人甲" in entry.words
    [answer] = [link for link in entry.links if link.startswith("/duties/answer")]
    number = held.entries[-1][0]
    assert "不属实" in enter(held, answer, {"day": "2023-05-10", "outcome": "不属实"}).words
    entry = held.visitor.get(f"/journal/{number}")
    assert f"已由 第{number + 1}号答复" in entry.words
    assert answer not in entry.links


def test_a_title_is_cancelled_for_a_cause_of_the_clocks(held: Bureau) -> None:
    path = duty("cancel", uscc=ONE)
    assert '<option value="数据造假">' in held.visitor.get(path).source
    typed = {
        "codes": ONE,
        "cause": "数据造假",
        "document": "示工信〔2023〕3号",
        "dated": "2023-05-10",
    }
    short = held.visitor.send(path, {**typed, "barred_until": "2024-05-10"})
    assert "至少到2026-05-10不得申报" in short.words
    enter(held, path, typed)
    assert held.entries[-1][1] == "title"
    page = held.visitor.get(f"/enterprises/{ONE}")
    assert "有效期 ✓ 了结 2025-09-30 – 2023-05-10终止" in page.words
    assert path not in page.links
    assert "再次申报" in held.visitor.get("/due?state=全部&on=2023-05-11&matter=再次申报").words


def test_a_page_that_is_out_of_date_records_nothing(held: Bureau) -> None:
    typed = {"codes": ONE, "year": "2023", "day": "2023-05-10"}
    page = held.visitor.send("/duties/update", typed)
    seen = dict(re.findall(r'name="(rehearsed)" value="([^"]*)"', page.source))
    notices.extend(held.desk, Firms((ONE,)), TIER, GRANTED, Validity(None, date(2028, 1, 1)))
    before = held.entries
    again = held.visitor.post("/duties/update", {**page.hidden, **typed, **seen})
    assert (again.status, held.entries) == (409, before)


def test_without_clocks_pages_show_nothing_due(newcomer: Visitor) -> None:
    assert newcomer.get("/").status == 200
    assert "登记簿里还没有称号" in newcomer.get("/due?state=全部").words
