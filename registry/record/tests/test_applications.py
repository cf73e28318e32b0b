"""Applications and their steps on record: a round from its notice to the announcement, and what is refused."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.audit.bundle import export
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.verify import verify
from registry.database import projection, storage
from registry.errors import LoadError, RecordError
from registry.portable.verifier import verify_bundle
from registry.record import applications, calendars, caseload, journal, loading, register, rounds
from registry.record.applications import Applying, Doing, Reader
from registry.record.caseload import Wanted
from registry.record.register import Notice
from registry.record.rounds import Call
from registry.tests.support import CODES, DAY, Clock, decide, load, publish, submission
from rules.portable.applications import Application
from rules.portable.calendar import Term

TIER = "专精特新中小企业"
NOTICE = Notice("示工信〔2023〕7号", date(2023, 7, 3))
OPENED = date(2023, 7, 3)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2023, 7, 3, 1, tzinfo=UTC))


@pytest.fixture
def filed(database: sa.Engine, clock: Clock) -> sa.Engine:
    """A registry with published criteria and three firms that filed; one is decided."""
    publish(database, clock)
    load(database, clock, *(submission(code) for code in CODES[:3]))
    decide(database, clock, "专精特新", codes=CODES[:3])
    return database


def later(clock: Clock, day: date) -> None:
    """Let the clock be at noon of a day in China."""
    clock.moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def applied(database: sa.Engine, clock: Clock, *codes: str, name: str = "") -> None:
    with storage.session(database, write=True) as session:
        found = rounds.round_named(session, name) if name else None
        asked = Applying(tier=TIER, procedure="认定", day=OPENED, level="县级", round=found)
        applications.apply(session, codes, asked, by="县经办", now=clock())


def taken(database: sa.Engine, clock: Clock, code: str, level: str, act: str, day: date, **more: str) -> int:  # fmt: skip
    later(clock, day)
    doing = Doing(act=act, level=level, day=day, **more)  # type: ignore[arg-type]
    with storage.session(database, write=True) as session:
        [entry] = applications.step(session, [code], TIER, doing, by=f"{level}人", now=clock())
    return entry.seq


def state(database: sa.Engine, code: str) -> tuple[str | None, str | None, date | None]:
    table = projection.CASE_STATE
    with storage.session(database) as session:
        query = sa.select(table.c.state, table.c.level, table.c.due)
        row = session.execute(query.where(table.c.uscc == code, table.c.tier == TIER)).one()
    return row.state, row.level, row.due


def sound(database: sa.Engine) -> None:
    with storage.session(database) as session:
        report = verify(session)
    assert report.sound, (report.integrity, report.completeness, report.correctness)


def test_an_application_goes_from_the_notice_to_the_title(filed: sa.Engine, clock: Clock) -> None:
    call = Call(
        name="2023年第一批", tier=TIER, procedure="认定", opens=OPENED, closes=date(2023, 7, 14)
    )
    with storage.session(filed, write=True) as session:
        rounds.open_round(session, call, NOTICE, by="省经办", now=clock())
    applied(filed, clock, CODES[0], name="2023年第一批")
    assert state(filed, CODES[0]) == ("县级初审", "县级", None)
    taken(filed, clock, CODES[0], "县级", "推荐", date(2023, 7, 4))
    taken(filed, clock, CODES[0], "市级", "推荐", date(2023, 7, 5))
    taken(filed, clock, CODES[0], "省级", "拟认定", date(2023, 7, 6))
    # five working days from the 6th, the first included
    assert state(filed, CODES[0]) == ("公示", "省级", date(2023, 7, 12))
    later(clock, date(2023, 7, 20))
    notice = Notice("示工信〔2023〕9号", date(2023, 7, 13))
    with storage.session(filed, write=True) as session:
        done = applications.announce(
            session, [CODES[0]], TIER, notice, level="省级", by="省负责人", now=clock()
        )
        assert [entry.kind for entry in done] == ["announcement", "title", "step"]
    assert state(filed, CODES[0]) == ("认定", None, None)
    with storage.session(filed) as session:
        [title] = register.titles(session, [CODES[0]])[CODES[0]]
        assert title.content["valid_until"] == "2026-07-12"
    sound(filed)


def test_a_step_that_may_not_be_taken_is_refused_and_nothing_recorded(
    filed: sa.Engine, clock: Clock
) -> None:
    applied(filed, clock, *CODES[:2])
    before = _size(filed)
    for level, act, day, said in (
        ("市级", "推荐", date(2023, 7, 3), "“推荐”应由县级办理"),
        ("县级", "拟认定", date(2023, 7, 3), "“县级初审”环节没有“拟认定”"),
        ("县级", "退回补正", date(2023, 7, 3), "须写明理由"),
        ("县级", "推荐", date(2023, 7, 2), "早于本案的上一步"),
    ):
        with pytest.raises(RecordError, match=said):
            taken(filed, clock, CODES[0], level, act, day)
    clock.moment = datetime(2023, 7, 3, 9, tzinfo=UTC)
    doing = Doing(act="推荐", level="县级", day=date(2023, 7, 4))
    with (
        pytest.raises(RecordError, match="还没有到"),
        storage.session(filed, write=True) as session,
    ):
        applications.step(session, [CODES[0]], TIER, doing, by="某", now=clock())
    assert _size(filed) == before


def _size(database: sa.Engine) -> int:
    with storage.session(database) as session:
        return journal.size(session)


def test_a_list_is_taken_whole_or_not_at_all(filed: sa.Engine, clock: Clock) -> None:
    applied(filed, clock, *CODES[:3])
    taken(filed, clock, CODES[1], "企业", "撤回申报", date(2023, 7, 4))
    before = _size(filed)
    doing = Doing(act="推荐", level="县级", day=date(2023, 7, 4))
    with (
        pytest.raises(RecordError, match=f"3家都没有登记：{CODES[1]}：“撤回”环节没有“推荐”"),
        storage.session(filed, write=True) as session,
    ):
        applications.step(session, CODES[:3], TIER, doing, by="某", now=clock())
    assert _size(filed) == before
    with storage.session(filed, write=True) as session:
        codes = [CODES[0], CODES[2]]
        assert len(applications.step(session, codes, TIER, doing, by="某", now=clock())) == 2
    sound(filed)


def test_a_second_application_waits_for_the_first(filed: sa.Engine, clock: Clock) -> None:
    applied(filed, clock, CODES[0])
    with pytest.raises(RecordError, match="申报尚未办结（县级初审）"):
        applied(filed, clock, CODES[0])
    taken(filed, clock, CODES[0], "企业", "撤回申报", OPENED)
    applied(filed, clock, CODES[0])
    assert state(filed, CODES[0])[0] == "县级初审"
    sound(filed)


def test_an_objection_holds_the_announcement_up(filed: sa.Engine, clock: Clock) -> None:
    applied(filed, clock, CODES[0])
    for level, act, day in (
        ("县级", "推荐", 4), ("市级", "退回补正", 5), ("企业", "重新提交", 7),
        ("县级", "推荐", 7), ("市级", "推荐", 10), ("省级", "拟认定", 11),
    ):  # fmt: skip
        ground = {"ground": "材料不全"} if act == "退回补正" else {}
        taken(filed, clock, CODES[0], level, act, date(2023, 7, day), **ground)
    raised = taken(filed, clock, CODES[0], "省级", "提出异议", date(2023, 7, 12))
    notice = Notice("示工信〔2023〕9号", date(2023, 7, 20))
    later(clock, date(2023, 7, 20))
    with (
        pytest.raises(RecordError, match="“公示”环节不能公告"),
        storage.session(filed, write=True) as session,
    ):
        applications.announce(session, [CODES[0]], TIER, notice, level="省级", by="某", now=clock())
    settled = taken(
        filed, clock, CODES[0], "省级", "异议不成立", date(2023, 7, 20), ground="查无实据"
    )
    with storage.session(filed, write=True) as session:
        assert (
            journal.entry(session, settled).content["objection"]
            == journal.entry(session, raised).digest
        )
        applications.announce(session, [CODES[0]], TIER, notice, level="省级", by="某", now=clock())
    sound(filed)


def test_a_step_against_the_verdict_needs_a_ground_and_stands_out(
    filed: sa.Engine, clock: Clock
) -> None:
    applied(filed, clock, CODES[0])
    with pytest.raises(RecordError, match="与决定不一致，须写明理由"):
        taken(filed, clock, CODES[0], "县级", "不予推荐", date(2023, 7, 4))
    seq = taken(filed, clock, CODES[0], "县级", "不予推荐", date(2023, 7, 4), ground="现场不符")
    with storage.session(filed) as session:
        [one] = applications.Reader(session).of([CODES[0]])[CODES[0]]
    assert one.course.against == (seq,)
    assert state(filed, CODES[0])[0] == "不予认定"
    sound(filed)


def test_facts_that_changed_since_must_be_decided_again(filed: sa.Engine, clock: Clock) -> None:
    applied(filed, clock, CODES[0])
    load(filed, clock, submission(CODES[0], staff__2022="101"), file="更正.xlsx")
    with pytest.raises(RecordError, match="须先作出决定"):
        taken(filed, clock, CODES[0], "县级", "推荐", date(2023, 7, 4))
    decide(filed, clock, "专精特新", codes=[CODES[0]])
    taken(filed, clock, CODES[0], "县级", "推荐", date(2023, 7, 5))
    sound(filed)


def test_a_round_takes_what_it_asked_for_while_it_is_open(filed: sa.Engine, clock: Clock) -> None:
    later(clock, date(2023, 7, 5))
    calls = (
        ("早", {"opens": date(2023, 7, 4)}, "不在轮次的受理时间"),
        ("复核", {"opens": OPENED, "procedure": "复核"}, "轮次的程序是「复核」"),
        ("外省", {"opens": OPENED, "province": "浙江省"}, "轮次的省份是「浙江省」"),
    )
    with storage.session(filed, write=True) as session:
        for name, how, _ in calls:
            call = Call(**{"name": name, "tier": TIER, "procedure": "认定", **how})  # type: ignore[arg-type]
            rounds.open_round(session, call, NOTICE, by="某", now=clock())
        call = Call(name="早", tier=TIER, procedure="认定", opens=OPENED)
        with pytest.raises(RecordError, match="已有名为「早」的轮次"):
            rounds.open_round(session, call, NOTICE, by="某", now=clock())
    for name, _, said in calls:
        with pytest.raises(RecordError, match=said):
            applied(filed, clock, CODES[0], name=name)
    with storage.session(filed, write=True) as session:
        call = Call(name="今", tier=TIER, procedure="认定", opens=OPENED)
        rounds.open_round(session, call, NOTICE, by="某", now=clock())
        found = rounds.round_named(session, "今")
        rounds.close_round(session, found, on=OPENED, ground="额满", by="某", now=clock())
    with pytest.raises(RecordError, match="轮次「今」已于2023-07-03结束"):
        applied(filed, clock, CODES[0], name="今")
    with pytest.raises(RecordError, match="没有名为「金」的轮次"):
        applied(filed, clock, CODES[0], name="金")
    sound(filed)


def test_a_round_sets_what_no_text_settles(filed: sa.Engine, clock: Clock) -> None:
    call = Call(
        name="限期", tier=TIER, procedure="认定", opens=OPENED,
        terms={"县级初审": Term(10, "工作日"), "公示": Term(7, "工作日", running=True)},
    )  # fmt: skip
    with storage.session(filed, write=True) as session:
        rounds.open_round(session, call, NOTICE, by="某", now=clock())
    applied(filed, clock, CODES[0], name="限期")
    assert state(filed, CODES[0]) == ("县级初审", "县级", date(2023, 7, 17))
    for level, act, day in (("县级", "推荐", 4), ("市级", "推荐", 5), ("省级", "拟认定", 6)):
        taken(filed, clock, CODES[0], level, act, date(2023, 7, day))
    assert state(filed, CODES[0]) == ("公示", "省级", date(2023, 7, 14))
    sound(filed)


def test_where_applications_stand_can_be_made_anew(filed: sa.Engine, clock: Clock) -> None:
    applied(filed, clock, *CODES[:2])
    taken(filed, clock, CODES[0], "县级", "推荐", date(2023, 7, 4))
    grown = state(filed, CODES[0]), state(filed, CODES[1])
    with filed.begin() as connection:
        connection.execute(sa.update(projection.CASE_STATE).values(state=None, step=None))
        assert projection.rebuild(connection) > 0
        assert not list(projection.differences(connection))
    assert (state(filed, CODES[0]), state(filed, CODES[1])) == grown


@pytest.fixture
def played(filed: sa.Engine, clock: Clock) -> sa.Engine:
    """A round on all levels: one firm announced after an objection, one refused, one withdrawn."""
    call = Call(name="第一批", tier=TIER, procedure="认定", opens=OPENED, lag=1)
    with storage.session(filed, write=True) as session:
        rounds.open_round(session, call, NOTICE, by="省经办", now=clock())
    applied(filed, clock, *CODES[:3], name="第一批")
    for level, act, day in (
        ("县级", "推荐", 4), ("市级", "退回补正", 5), ("企业", "重新提交", 7),
        ("县级", "推荐", 7), ("市级", "推荐", 10), ("省级", "拟认定", 11),
        ("省级", "提出异议", 12), ("省级", "异议不成立", 20),
    ):  # fmt: skip
        ground = {"ground": "有理由"} if act in ("退回补正", "异议不成立") else {}
        taken(filed, clock, CODES[0], level, act, date(2023, 7, day), **ground)
    later(clock, date(2023, 7, 24))
    with storage.session(filed, write=True) as session:
        doing = Doing(act="不予推荐", level="县级", day=date(2023, 7, 10), ground="现场不符")
        applications.step(session, [CODES[1]], TIER, doing, by="县负责人", now=clock())
        doing = Doing(act="撤回申报", level="企业", day=date(2023, 7, 24))
        applications.step(session, [CODES[2]], TIER, doing, by="县经办", now=clock())
        notice = Notice("示工信〔2023〕9号", date(2023, 7, 21))
        applications.announce(
            session, [CODES[0]], TIER, notice, level="省级", by="省负责人", now=clock()
        )
    return filed


def test_what_a_step_stores_is_what_following_it_anew_tells(
    played: sa.Engine, clock: Clock
) -> None:
    with played.connect() as connection:
        assert not list(projection.differences(connection))
    table = projection.CASE_STATE
    applied(played, clock, CODES[2])
    with played.begin() as connection:  # a row that is lost is made anew
        connection.execute(sa.delete(table).where(table.c.uscc == CODES[2], table.c.tier == TIER))
    taken(played, clock, CODES[2], "县级", "退回补正", date(2023, 7, 25), ground="缺页")
    with played.connect() as connection:
        assert not list(projection.differences(connection))


def test_on_any_day_applications_stand_where_following_them_anew_brings_them(
    filed: sa.Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is remembered of another day, and after a step that changed it."""
    followed: list[str] = []

    class Noted(Reader):
        def of(self, usccs: Sequence[str] | None = None) -> dict[str, list[Application]]:
            followed.extend(usccs or ())
            return super().of(usccs)

    monkeypatch.setattr(caseload, "Reader", Noted)
    applied(filed, clock, *CODES[:3])
    for code in CODES[:2]:
        for level, act in (("县级", "推荐"), ("市级", "推荐"), ("省级", "拟认定")):
            taken(filed, clock, code, level, act, date(2023, 7, 10))
    taken(filed, clock, CODES[1], "省级", "提出异议", date(2023, 7, 11))

    def compare(days: Iterable[int]) -> None:
        with storage.session(filed) as session:
            anew = {code: Reader(session).of([code])[code] for code in CODES[:3]}
            for day in (date(2023, 7, 11) + timedelta(n) for n in days):
                found = caseload.every(session, Wanted(tier=TIER), day)
                assert [one.uscc for one in found] == sorted(CODES[:3])
                for one in found:
                    [application] = anew[one.uscc]
                    course, left = application.on(day), application.now()
                    assert (one.state, one.due) == (course.state, course.due)
                    assert one.before == (left.state if left.state != course.state else "")

    compare(range(40, -1, -1))
    assert sorted(followed) == sorted(CODES[:2])  # once each, and none whom no clock moves
    compare(range(40))
    assert len(followed) == 2
    with storage.session(filed) as session:
        assert {one.state for one in caseload.every(session, Wanted(), date(2023, 8, 1))} == {
            "县级初审", "公示", "待公告"
        }  # fmt: skip
    taken(filed, clock, CODES[1], "省级", "异议不成立", date(2023, 7, 20), ground="查无此事")
    compare(range(40))
    assert followed[2:] == [CODES[1]]


@pytest.mark.parametrize("masked", [False, True])
def test_a_bundle_shows_every_step_and_what_does_not_fit(
    played: sa.Engine, clock: Clock, tmp_path: Path, masked: bool
) -> None:
    key = SigningKey.create(tmp_path / "key", "示范局")
    with storage.session(played, write=True) as session:
        data = export(session, Selection(tier=TIER), key, now=clock(), masked=masked)
    found = verify_bundle(data, key=str(key.verifier_key))
    assert found.problems == []
    lines = [line for course in found.courses.values() for line in course]
    assert len(found.courses) == 3
    assert any("“提出异议”：公示 → 公示" in line for line in lines)
    marked = [line for line in lines if "△" in line]
    assert [line.partition("（")[2] for line in marked] == [
        "所称的2023-07-21与登记的2023-07-24相差3日）",
        "所称的2023-07-10与登记的2023-07-24相差14日；与决定（符合）不一致）",
    ]


def test_a_bundle_of_one_application_holds_its_decisions_and_nothing_of_others(
    played: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    key = SigningKey.create(tmp_path / "key", "示范局")
    with storage.session(played, write=True) as session:
        [one] = applications.Reader(session).of([CODES[0]])[CODES[0]]
        data = export(session, Selection((one.entry.seq,)), key, now=clock())
    found = verify_bundle(data, key=str(key.verifier_key))
    assert found.problems == []
    assert list(found.courses) == [one.entry.seq]
    assert len(found.verdicts) == 1


def test_filings_on_which_applications_rest_are_not_taken_back(
    filed: sa.Engine, clock: Clock
) -> None:
    load(filed, clock, submission(CODES[1], DAY + timedelta(1)), file="又一张.xlsx")
    decide(filed, clock, "专精特新", codes=[CODES[1]])
    applied(filed, clock, *CODES[:3])
    taken(filed, clock, CODES[2], "县级", "不予推荐", date(2023, 7, 4), ground="现场不符")

    def undone(number: int) -> loading.UndoReport:
        with storage.session(filed, write=True) as session:
            return loading.undo(session, number, now=clock(), by="导入人")

    with pytest.raises(
        LoadError, match=r"有1件申报（第[0-9]+号测试19X4有限公司），尚未办结的请先撤回"
    ):
        undone(2)
    taken(filed, clock, CODES[1], "企业", "撤回申报", date(2023, 7, 4))
    assert undone(2).withdrawn == (CODES[1],)
    for level, act in (("县级", "直接报省级"), ("省级", "拟认定")):
        taken(filed, clock, CODES[0], level, act, date(2023, 7, 5))
    later(clock, date(2023, 7, 20))
    notice = Notice("示工信〔2023〕9号", date(2023, 7, 20))
    with storage.session(filed, write=True) as session:
        applications.announce(session, CODES[:1], TIER, notice, level="省级", by="某", now=clock())
    with pytest.raises(LoadError, match=r"（第[0-9]+号测试R3JN有限公司）.*已公告的不能撤销"):
        undone(1)
    sound(filed)


def test_a_year_that_becomes_known_tells_the_last_day(database: sa.Engine, clock: Clock) -> None:
    """Until the days off of 2031 are known, a publicity over its beginning has no last day."""
    later(clock, date(2030, 12, 30))
    publish(database, clock)
    load(database, clock, submission(CODES[0]))
    decide(database, clock, "专精特新", codes=[CODES[0]])
    asked = Applying(tier=TIER, procedure="认定", day=date(2030, 12, 30), level="县级")
    with storage.session(database, write=True) as session:
        applications.apply(session, [CODES[0]], asked, by="县经办", now=clock())
    for level, act in (("县级", "推荐"), ("市级", "推荐"), ("省级", "拟认定")):
        doing = Doing(act=act, level=level, day=date(2030, 12, 30), ground="有理由")
        with storage.session(database, write=True) as session:
            applications.step(session, [CODES[0]], TIER, doing, by="某", now=clock())
    assert state(database, CODES[0]) == ("公示", "省级", None)
    for year, rest in ((2030, []), (2031, [["2031-01-01", "2031-01-01"]])):
        stated = {"basis": "通知6号", "rest": rest, "work": []}
        with storage.session(database, write=True) as session:
            calendars.record(
                session, year, stated, document="通知6号", dated="2030-11-01",
                evidence=["a" * 64], by="某", now=clock(),
            )  # fmt: skip
    # 30 and 31 December, 2, 3 and 6 January
    assert state(database, CODES[0]) == ("公示", "省级", date(2031, 1, 6))
    sound(database)
