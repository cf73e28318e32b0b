"""Titles that end soon stand on the desk, with the days left, the entry and the clause."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copy

import pytest

from registry.desk import expiring, notices
from registry.desk.judging import Judging
from registry.desk.listed import Firms
from registry.desk.notices import Notice, Validity
from registry.desk.place import Desk
from registry.tests.support import CODES, Clock, load, submission
from registry.web.app import application
from registry.web.tests.visiting import Visitor

ONE, TWO = CODES[:2]
THREE = "914403007576325472"[:17] + "Y"
NOTICE = Notice("示范〔2020〕1号", date(2020, 8, 1))
DAY = date(2023, 7, 1)


@pytest.fixture
def desk(migrated: dict[str, str], tmp_path: Path) -> Iterator[Desk]:
    file = copy(migrated["sqlite"], tmp_path / "tidu.db")
    with Desk(f"sqlite:///{file}", by="李四", clock=Clock()) as found:  # on 2023-07-01
        load(found.database, found.clock, submission(ONE))
        yield found


def grant(desk: Desk, code: str, until: date) -> None:
    days = Validity(date(2020, 8, 1), until)
    notices.grant(desk, Firms((code,)), "专精特新", NOTICE, days)


def told(desk: Desk) -> list[tuple[str, int]]:
    return [(one.uscc, one.days) for one in expiring.titles(desk)]


def test_the_days_left_are_counted_to_the_last_one(desk: Desk) -> None:
    grant(desk, ONE, date(2023, 7, 31))
    grant(desk, TWO, date(2023, 6, 30))
    grant(desk, THREE, date(2024, 7, 31))
    assert told(desk) == [(TWO, 0), (ONE, 31)]


def test_what_is_extended_or_ended_is_not_told(desk: Desk) -> None:
    for code in (ONE, TWO):
        grant(desk, code, date(2023, 7, 31))
    assert len(told(desk)) == 2
    notices.extend(desk, Firms((ONE,)), "专精特新", NOTICE, Validity())
    assert told(desk) == [(TWO, 31)]
    notices.end(desk, Firms((TWO,)), "专精特新", NOTICE, Validity(), on=DAY, reason="撤销")
    assert told(desk) == []


def test_the_desk_shows_them_with_entry_and_clause(desk: Desk) -> None:
    grant(desk, ONE, date(2023, 7, 31))
    with Judging(desk) as judging:
        page = Visitor(application(desk, judging)).get("/")
    assert "日内到期或刚过期的称号1" in page.words
    assert "专精特新 2023-07-31 31日" in page.words
    assert "示范〔2020〕1号" in page.words
    assert "称号有效期3年" in page.words


def test_without_any_the_register_is_named(visitor: Visitor) -> None:
    page = visitor.get("/")
    assert "日内到期或刚过期的称号0" in page.words
    assert "/titles" in page.links


def test_the_day_is_that_of_china(desk: Desk) -> None:
    grant(desk, ONE, date(2023, 7, 31))
    evening = datetime(2023, 7, 30, 17, tzinfo=UTC)  # the 31st in Beijing
    with Desk(desk.url, clock=lambda: evening) as later:
        assert told(later) == [(ONE, 1)]
