"""The page of the calendar: what is known of each year, and a year that is added from a table."""

import re
from pathlib import Path

import pytest

from registry.cli.tests.test_calendars import TABLE
from registry.desk import calendars
from registry.desk.calendars import Notice
from registry.web.tests.visiting import Bureau, Page, Visitor

TYPED = {"year": "2031", "document": "通知6号", "dated": "2026-11-03"}


def table(text: str = TABLE) -> dict[str, tuple[str, bytes, str]]:
    return {"table": ("安排.csv", text.encode(), "text/csv")}


def seen(page: Page) -> dict[str, str]:
    """What the button that confirms sends, with the file that waits."""
    found = dict(re.findall(r'name="(table-waits|rehearsed)" value="([^"]*)"', page.source))
    return {**page.hidden, **TYPED, **found}


def test_every_year_is_shown_with_its_notice_and_the_next_is_not_published(
    visitor: Visitor,
) -> None:
    page = visitor.get("/calendar")
    assert "依据国办发明电〔2022〕16号" in page.words
    assert "2027年及以后：未公布" in page.words
    assert "2022年12月31日至1月2日" in page.words
    year = page.source.partition('id="y2024"')[2]
    days = re.findall(r'<th scope="row">10月</th>(.*)</tr>', year)[0].count("休")
    assert (days, year.count('<th scope="row">')) == (7, 24)  # and those of 2023
    assert "/calendar" in visitor.get("/rules").links


def test_a_year_is_seen_before_it_is_recorded_and_corrected_knowingly(bureau: Bureau) -> None:
    visitor, before = bureau.visitor, bureau.entries
    page = visitor.send("/calendar", TYPED, table())
    assert (page.status, bureau.entries) == (200, before)
    assert "还没有登记：请先核对" in page.words
    assert "表中2030年的安排没有用到" in page.words
    done = visitor.post("/calendar", seen(page))
    assert (done.status, bureau.entries[-1][1]) == (303, "calendar")
    assert "2031年，依据通知6号" in visitor.get(done.place).words
    assert "2030年 ？ 未公布" in visitor.get("/calendar").words
    assert "没有变化" in visitor.send("/calendar", TYPED, table()).words
    page = visitor.send("/calendar", TYPED, table(TABLE.replace("01-03", "01-02")))
    assert "将更正： 不再放假：2031-01-03" in page.words
    assert visitor.post("/calendar", seen(page)).status == 303


@pytest.mark.parametrize(
    ("changed", "text", "field"),
    [
        ({"year": "明年"}, TABLE, "year"),
        ({"year": "2029"}, TABLE, "year"),
        ({"document": "通知7号"}, TABLE, "document"),
        ({"dated": "昨天"}, TABLE, "dated"),
        ({}, "企业名称\n甲\n", "table"),
        ({}, TABLE.replace("放假", "休息"), "table"),
    ],
)
def test_what_is_amiss_stands_beside_its_field(
    bureau: Bureau, changed: dict[str, str], text: str, field: str
) -> None:
    before = bureau.entries
    page = bureau.visitor.send("/calendar", TYPED | changed, table(text))
    assert (page.status, bureau.entries) == (422, before)
    assert f'id="{field}-fault"' in page.source


def test_a_page_that_is_out_of_date_records_nothing(bureau: Bureau, tmp_path: Path) -> None:
    page = bureau.visitor.send("/calendar", TYPED, table())
    file = tmp_path / "安排.csv"
    file.write_text(TABLE.replace("01-03", "01-02"), encoding="utf-8")
    notice = Notice("通知6号", bureau.clock().date())
    assert calendars.add(bureau.desk, 2031, file, notice).entry
    before = bureau.entries
    again = bureau.visitor.post("/calendar", seen(page))
    assert (again.status, bureau.entries) == (409, before)
    assert "登记簿有了与此有关的记录" in again.words
