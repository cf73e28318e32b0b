"""Years of the calendar on record: the newest statement holds, and a year is replaced knowingly."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import rules
from registry.audit.bundle import export
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.verify import verify
from registry.database import storage
from registry.errors import RecordError
from registry.kit import resources
from registry.portable.verifier import verify_bundle
from registry.record import applications, calendars, journal, publication
from registry.record.register import Notice
from registry.record.tests.test_applications import TIER, applied, later, sound, state, taken
from registry.tests.history import History
from registry.tests.support import CODES, Clock, decide, load, publish, submission
from rules.portable.calendar import UnpublishedError

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NEW_YEAR = [["2031-01-01", "2031-01-02"]]


@pytest.fixture
def told(database: sa.Engine) -> History:
    return History(database)


def record(told: History, year: int = 2031, **changed: Any) -> journal.Entry | None:
    paper = {"document": "通知6号", "dated": "2024-01-03", "evidence": ["c" * 64]}
    given = {name: changed.pop(name) for name in (*paper, "replace") if name in changed}
    stated = {"basis": "通知6号", "rest": NEW_YEAR, "work": ["2031-01-04"]} | changed
    with storage.session(told.engine, write=True) as session:
        return calendars.record(
            session, year, stated, **{**paper, **given}, by="戊", now=told.now()
        )


def size(told: History) -> int:
    with storage.session(told.engine) as session:
        return journal.size(session)


def test_a_year_is_known_from_its_entry_on(told: History) -> None:
    entry = record(told)
    assert entry is not None
    assert entry.body.startswith('{"calendar":"')
    assert entry.content["year"] == 2031
    with storage.session(told.engine) as session:
        known = publication.calendars(session)
        calendar = known.before()
        assert calendar.years[2031] == "通知6号"
        assert not calendar.works(date(2031, 1, 2))
        assert calendar.works(date(2031, 1, 4))
        with pytest.raises(UnpublishedError):
            known.before(entry.seq).works(date(2031, 1, 2))
        # a registry without any publication published its criteria first
        assert list(known.since) == [1, 2]
        assert verify(session).sound


def test_a_year_that_is_stated_alike_changes_nothing(told: History) -> None:
    record(told)
    day_by_day = [["2031-01-02", "2031-01-02"], ["2031-01-01", "2031-01-01"]]
    assert record(told, rest=day_by_day) is None
    assert size(told) == 2


def test_a_year_is_replaced_knowingly(told: History) -> None:
    record(told)
    changed = {"rest": [["2031-01-01", "2031-01-01"]], "basis": "通知7号", "document": "通知7号"}
    with pytest.raises(RecordError, match="2031年的放假安排已在登记库中，与这里的不同") as refused:
        record(told, **changed)
    assert refused.value.details == ("依据：通知6号 → 通知7号", "不再放假：2031-01-02")
    assert size(told) == 2
    assert record(told, **changed, replace=True)
    with storage.session(told.engine) as session:
        assert publication.calendars(session).before().works(date(2031, 1, 2))
        assert verify(session).sound


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"document": "通知8号"}, "表中2031年的依据是「通知6号」，写明的文号是「通知8号」"),
        ({"evidence": []}, "必须写明依据的文件并附原件"),
        ({"dated": "2024-02-30"}, "文件日期2024-02-30"),
        ({"work": ["2026-10-01"]}, "2026-10-01这里是上班，2026年的安排"),
        ({"rest": [["2026-10-10", "2026-10-10"]]}, "2026-10-10这里是放假，2026年的安排"),
    ],
)
def test_what_cannot_be_stated_is_refused_and_nothing_is_kept(
    told: History, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(RecordError, match=said):
        record(told, **changed)
    assert size(told) == 0


def test_criteria_of_a_time_without_calendars_are_published_anew_first(
    told: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.publish()
    monkeypatch.setattr(publication, "calendar_in_force", lambda *_, **__: None)
    with pytest.raises(RecordError, match="还没有工作日历"):
        record(told)


def test_the_term_of_a_case_that_waited_for_the_year_is_known_at_once(
    database: sa.Engine, tmp_path: Path
) -> None:
    """And a bundle of the case carries the year, by which anyone follows its steps."""
    clock = Clock(datetime(2023, 7, 3, 1, tzinfo=UTC))
    publish(database, clock)
    load(database, clock, submission(CODES[0]))
    decide(database, clock, "专精特新", codes=CODES[:1])
    applied(database, clock, CODES[0])
    for level, act in (("县级", "推荐"), ("市级", "推荐"), ("省级", "拟认定")):
        taken(database, clock, CODES[0], level, act, date(2026, 12, 30))
    assert state(database, CODES[0]) == ("公示", "省级", None)
    told = History(database, clock())
    record(told, 2027, rest=[["2027-01-01", "2027-01-03"]], work=[])
    assert state(database, CODES[0]) == ("公示", "省级", date(2027, 1, 6))
    clock.moment = told.now()
    day = date(2027, 1, 7)
    notice = Notice("示工信〔2027〕1号", day)
    later(clock, day)
    with storage.session(database, write=True) as session:
        applications.announce(
            session, [CODES[0]], TIER, notice, level="省级", by="省负责人", now=clock()
        )
    sound(database)
    key = SigningKey.create(tmp_path / "key", "示范局")
    with storage.session(database, write=True) as session:
        data = export(session, Selection(tier=TIER), key, now=clock())
    assert verify_bundle(data, key=str(key.verifier_key)).problems == []


def test_publishing_the_same_criteria_again_keeps_the_year_and_is_no_entry(told: History) -> None:
    folder: Path = resources.features()
    record(told)
    with storage.session(told.engine, write=True) as session:
        again = publication.publish(session, rules.load(folder), folder, by="乙", now=told.now())
        assert again.seq is None
        assert 2031 in publication.calendars(session).before().years
