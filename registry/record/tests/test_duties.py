"""Duties of who holds a title: from the announcement to the first day on which it may apply again."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from registry.audit.verify import verify
from registry.database import due, projection, storage
from registry.errors import RecordError
from registry.record import applications, dues, duties, finding, journal, register
from registry.record.applications import Applying, Doing
from registry.record.duties import Change, Matter, Papers
from registry.record.register import Holder, Notice
from registry.tests.support import CODES, Clock, decide, load, publish, submission
from rules.portable.duties import KINDS
from rules.portable.timing import STATES

TIER, UPPER = "专精特新中小企业", "专精特新“小巨人”企业"
CODE, OTHER = CODES[:2]
GRANTED = date(2022, 10, 1)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2022, 10, 8, 1, tzinfo=UTC))


@pytest.fixture
def held(database: sa.Engine, clock: Clock) -> sa.Engine:
    """A registry in which two enterprises hold a title since 2022-10-01."""
    publish(database, clock)
    load(database, clock, *(submission(c, date(2022, 9, 30)) for c in (CODE, OTHER)))
    with storage.session(database, write=True) as session:
        register.grant(
            session, [Holder(CODE, "甲公司"), Holder(OTHER, "乙公司")], TIER,
            Notice("示工信〔2022〕9号", GRANTED), first=GRANTED, by="省", now=clock(),
        )  # fmt: skip
    return database


def at(clock: Clock, day: date) -> datetime:
    """Let the clock be at noon of a day in China."""
    clock.moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    return clock()


def shows(database: sa.Engine, code: str, day: date) -> dict[str, str]:
    """What the lists show of a title on a day, by matter and subject."""
    with storage.session(database) as session:
        rows = session.execute(sa.select(due.DUE_ITEM).where(due.DUE_ITEM.c.uscc == code)).all()
        [(_, found)] = due.duties(session.connection(), [code]).items()
        timing = due.Timings.in_force(session.connection()).of(TIER, "")
        items = {f"{i.matter}{i.subject}": i.state for i in found.items(TIER, timing, day)}
    listed = {}
    for row in rows:
        if row.first <= day and (row.last is None or day <= row.last):
            states = (("逾期", row.late), ("未公布", row.unknown), ("临近", row.near))
            reached = [state for state, since in states if since and since <= day]
            open_ = any((row.near, row.late, row.unknown))
            state = next(iter(reached), "未到" if open_ else "了结")
            listed[f"{row.matter}{row.subject}"] = state
    assert listed == items  # the projection shows what the clocks say
    return listed


def sound(database: sa.Engine) -> None:
    with storage.session(database, write=True) as session:
        assert projection.rebuild(session.connection()) == 0
        report = verify(session)
    assert report.sound, (report.integrity, report.completeness, report.correctness)


def announced(database: sa.Engine, clock: Clock) -> None:
    """Bring an application of the first enterprise to its announcement on 2023-07-13."""
    publish(database, clock)
    load(database, clock, submission(CODE))
    decide(database, clock, "专精特新", codes=[CODE])
    opened = date(2023, 7, 3)
    asked = Applying(tier=TIER, procedure="认定", day=opened, level="县级")
    with storage.session(database, write=True) as session:
        applications.apply(session, [CODE], asked, by="县", now=at(clock, opened))
        for level, act, day in (("县级", "推荐", 4), ("市级", "推荐", 5), ("省级", "拟认定", 6)):
            done = date(2023, 7, day)
            doing = Doing(act=act, level=level, day=done)
            applications.step(session, [CODE], TIER, doing, by=level, now=at(clock, done))
        notice = Notice("示工信〔2023〕9号", date(2023, 7, 13))
        applications.announce(
            session, [CODE], TIER, notice, level="省级", by="省", now=at(clock, notice.dated)
        )


def test_a_title_goes_from_the_announcement_to_the_first_day_of_applying_again(
    database: sa.Engine, clock: Clock
) -> None:
    clock.moment = datetime(2023, 7, 3, 1, tzinfo=UTC)
    announced(database, clock)
    assert shows(database, CODE, date(2023, 7, 13)) == {
        "有效期": "未到", "年度更新2024年": "未到", "年度更新2025年": "未到", "年度更新2026年": "未到", "复核申报": "未到",
    }  # fmt: skip
    # a missed update, and what a person decides on it
    for last, state in ((date(2024, 4, 30), "临近"), (date(2024, 5, 1), "逾期")):
        assert shows(database, CODE, last)["年度更新2024年"] == state
    now = at(clock, date(2024, 5, 10))
    missed = Matter(tier=TIER, matter="年度更新", subject="2024年")
    with storage.session(database, write=True) as session:
        papers = Papers(day=date(2024, 5, 10), ground="两次催告仍未填报")
        duties.decide(session, [CODE], missed, "失去复核资格", papers, by="省", now=now)
    assert shows(database, CODE, date(2024, 5, 9))["复核申报"] == "未到"
    then = shows(database, CODE, date(2024, 5, 10))
    assert (then["年度更新2024年"], then["复核申报"]) == ("了结", "了结")
    # a renaming, reported in time
    now = at(clock, date(2024, 9, 20))
    renaming = Change(
        kind="更名", day=date(2024, 9, 10), reported=date(2024, 9, 19), renamed="甲新公司"
    )
    with storage.session(database, write=True) as session:
        papers = Papers(day=date(2024, 9, 20))
        [entry] = duties.change(session, [CODE], renaming, papers, by="县", now=now)
        assert duties.Reader(session, [CODE]).name(CODE) == "甲新公司"
    with storage.session(database) as session:
        for query in ("甲新公司", f"测试{CODE[-4:]}"):
            [line] = finding.page(session, finding.Asked(query=query)).lines
            assert (line.name, line.former) == ("甲新公司", f"测试{CODE[-4:]}有限公司")
    assert shows(database, CODE, date(2024, 9, 15))[f"变化报告{entry.seq}"] == "未到"
    assert shows(database, CODE, date(2024, 9, 19))[f"变化报告{entry.seq}"] == "了结"
    # no re-check without the right to it
    now = at(clock, date(2025, 1, 2))
    asked = Applying(tier=TIER, procedure="复核", day=date(2025, 1, 2), level="县级")
    with (
        pytest.raises(RecordError, match="已决定失去复核资格（年度更新2024年，最迟2024-04-30"),
        storage.session(database, write=True) as session,
    ):
        applications.apply(session, [CODE], asked, by="县", now=now)
    # a cancellation, and the bar that follows it
    day = date(2025, 3, 3)
    now = at(clock, day)
    with storage.session(database, write=True) as session:
        register.cancel(
            session, [Holder(CODE)], TIER, Notice("示工信〔2025〕3号", day), "数据造假",
            by="省", now=now,
        )  # fmt: skip
    then = shows(database, CODE, date(2025, 3, 4))
    bar = f"再次申报{entry.seq + 1}"
    assert [matter for matter, state in then.items() if state != "了结"] == [bar]
    for day, state in ((2, "未到"), (3, "临近"), (4, "了结")):
        assert shows(database, CODE, date(2028, 3, day))[bar] == state
    for day, allowed in ((date(2028, 3, 3), False), (date(2028, 3, 4), True)):
        now = at(clock, day)
        asked = Applying(tier=TIER, procedure="认定", day=day, level="县级")
        with storage.session(database, write=True) as session:
            if allowed:
                [applied] = applications.apply(session, [CODE], asked, by="县", now=now)
                assert applied.kind == "application"
                continue
            said = (
                f"「{TIER}」称号于2025-03-03因数据造假取消（示工信〔2025〕3号），不得申报至2028-03-03"
                "（工信部企业〔2022〕63号，63.计时），最早可于2028-03-04申报"
            )
            with pytest.raises(RecordError) as refused:
                applications.apply(session, [CODE], asked, by="县", now=now)
            assert said in str(refused.value)
    sound(database)


def test_an_update_in_time_is_done_and_one_that_nobody_owes_is_refused(
    held: sa.Engine, clock: Clock
) -> None:
    now = at(clock, date(2023, 4, 30))
    with storage.session(held, write=True) as session:
        papers = Papers(day=date(2023, 4, 30), document="平台")
        duties.update(session, [CODE, OTHER], 2023, papers, by="县", now=now)
    assert shows(held, CODE, date(2023, 5, 1))["年度更新2023年"] == "了结"
    with (
        pytest.raises(RecordError, match="2022年不须更新：须更新的是2023年、2024年、2025年"),
        storage.session(held, write=True) as session,
    ):
        duties.update(session, [CODE], 2022, papers, by="县", now=now)
    sound(held)


def test_what_is_not_overdue_needs_no_decision_and_no_other_consequence_is_drawn(
    held: sa.Engine, clock: Clock
) -> None:
    now = at(clock, date(2023, 5, 1))
    for subject, consequence, ground, said in (
        ("2024年", "失去复核资格", "迟", "年度更新2024年在2023-05-01没有逾期：.*年度更新2023年"),
        ("2023年", "取消称号", "迟", "逾期的后果是“失去复核资格”，不是“取消称号”"),
        ("2023年", "失去复核资格", " ", "请写明理由"),
    ):
        matter = Matter(tier=TIER, matter="年度更新", subject=subject)
        papers = Papers(day=date(2023, 5, 1), ground=ground)
        with (
            pytest.raises(RecordError, match=said),
            storage.session(held, write=True) as session,
        ):
            duties.decide(session, [CODE], matter, consequence, papers, by="省", now=now)


def test_a_mistaken_entry_is_taken_back_and_what_rests_on_it_first(
    held: sa.Engine, clock: Clock
) -> None:
    now = at(clock, date(2023, 5, 10))
    matter = Matter(tier=TIER, matter="年度更新", subject="2023年")
    papers = Papers(day=date(2023, 5, 10), ground="误记")
    with storage.session(held, write=True) as session:
        [drawn] = duties.decide(session, [CODE], matter, "失去复核资格", papers, by="省", now=now)
        complaint = duties.complain(session, CODE, papers, "某某", by="省", now=now)
        answered = duties.answer(session, complaint.seq, "不属实", papers, by="省", now=now)
    assert shows(held, CODE, date(2023, 5, 10))[f"举报答复{complaint.seq}"] == "了结"
    with storage.session(held, write=True) as session:
        duties.revoke(session, drawn.seq, papers, by="省", now=now)
        with pytest.raises(RecordError, match="已有答复或补报"):
            duties.revoke(session, complaint.seq, papers, by="省", now=now)
        duties.revoke(session, answered.seq, papers, by="省", now=now)
    then = shows(held, CODE, date(2023, 5, 10))
    assert (then["年度更新2023年"], then[f"举报答复{complaint.seq}"]) == ("逾期", "未到")
    with storage.session(held, write=True) as session:
        duties.revoke(session, complaint.seq, papers, by="省", now=now)
        with pytest.raises(RecordError, match="不存在、已撤回"):
            duties.revoke(session, complaint.seq, papers, by="省", now=now)
    assert f"举报答复{complaint.seq}" not in shows(held, CODE, date(2023, 5, 10))
    sound(held)


def test_what_somebody_decided_on_is_not_taken_back_before_the_decision(
    held: sa.Engine, clock: Clock
) -> None:
    noon = at(clock, date(2023, 3, 1))
    with storage.session(held, write=True) as session:
        moved = Change(kind="跨省迁移", day=date(2022, 11, 1))
        [noted] = duties.change(session, [CODE], moved, Papers(day=moved.day), by="县", now=noon)
        matter = Matter(tier=TIER, matter="变化报告", subject=str(noted.seq))
        papers = Papers(day=date(2023, 3, 1), ground="逾期未报")
        [drawn] = duties.decide(session, [CODE], matter, "", papers, by="县", now=noon)
        with pytest.raises(RecordError, match="请先撤回该决定"):
            duties.revoke(session, noted.seq, papers, by="县", now=noon)
        duties.revoke(session, drawn.seq, papers, by="县", now=noon)
        duties.revoke(session, noted.seq, papers, by="县", now=noon)
        assert verify(session, replay=False).sound


def test_the_informant_is_on_record_sealed(held: sa.Engine, clock: Clock) -> None:
    now = at(clock, date(2023, 5, 10))
    with storage.session(held, write=True) as session:
        papers = Papers(day=date(2023, 5, 10), ground="营业收入不实")
        entry = duties.complain(session, CODE, papers, "举报人甲", by="省", now=now)
        stored = journal.entry(session, entry.seq)
        assert "举报人甲" not in stored.body
        assert stored.texts["informant"] == "举报人甲"
        with pytest.raises(RecordError, match="实名"):
            duties.complain(session, CODE, papers, " ", by="省", now=now)


def test_a_cancellation_has_a_known_cause_and_no_shorter_bar(held: sa.Engine, clock: Clock) -> None:
    day = date(2023, 6, 1)
    now = at(clock, day)
    notice = Notice("示工信〔2023〕3号", day)
    for cause, until, said in (
        ("不高兴", None, "没有“不高兴”这一取消事由：可写数据造假、"),
        ("数据造假", date(2026, 5, 31), "至少到2026-06-01不得申报"),
        ("自愿放弃", date(2026, 5, 31), "没有不得申报的期间"),
    ):
        with (
            pytest.raises(RecordError, match=said),
            storage.session(held, write=True) as session,
        ):
            register.cancel(
                session, [Holder(CODE)], TIER, notice, cause, barred_until=until, by="省", now=now
            )
    with storage.session(held, write=True) as session:
        register.cancel(session, [Holder(CODE)], TIER, notice, "自愿放弃", by="省", now=now)
        asked = Applying(tier=TIER, procedure="认定", day=day, level="县级")
        applications.apply(session, [CODE], asked, by="县", now=now)
    sound(held)


def test_a_title_ends_when_the_clocks_say_so_unless_the_notice_does(
    held: sa.Engine, clock: Clock
) -> None:
    with storage.session(held, write=True) as session:
        leap = Notice("示工信〔2024〕1号", date(2024, 2, 29))
        now = at(clock, date(2024, 3, 1))
        [entry] = register.grant(
            session, [Holder(CODE)], UPPER, leap, first=date(2024, 2, 29), by="省", now=now
        )
        assert entry.content["valid_until"] == "2027-02-28"
        [entry] = register.extend(
            session, [Holder(CODE)], TIER, Notice("示工信〔2025〕1号", date(2025, 9, 1)),
            by="省", now=at(clock, date(2025, 9, 2)),
        )  # fmt: skip
        assert entry.content["valid_until"] == "2028-09-30"
    sound(held)


class _UndoneError(Exception):
    """Ends a session of which nothing is kept."""


ACTS = st.tuples(
    st.sampled_from(("update", "change", "report", "complain", "answer", "decide", "revoke", "cancel", "extend", "grant")),
    st.integers(1, 200),
    st.integers(0, 3),
)  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(ACTS, min_size=1, max_size=12),
    st.lists(st.dates(date(2022, 9, 1), date(2032, 1, 1)), min_size=1, max_size=12),
)
def test_what_grew_is_what_is_rebuilt_and_what_the_clocks_say_of_any_day(
    held: sa.Engine, acts: list[tuple[str, int, int]], days: list[date]
) -> None:
    with suppress(_UndoneError), storage.session(held, write=True) as session:
        clock, day = Clock(datetime(2022, 10, 9, 4, tzinfo=UTC)), date(2022, 10, 9)
        done = 0
        for act, later, which in acts:
            day += timedelta(days=later)
            with suppress(RecordError), session.begin_nested():
                _act(session, act, day, which, at(clock, day))
                done += 1
        connection = session.connection()
        assert list(due.differences(connection)) == []
        grown = connection.execute(
            sa.select(due.DUE_ITEM).order_by(*due.DUE_ITEM.primary_key)
        ).all()
        connection.execute(sa.delete(due.DUE_ITEM))
        due.rebuild(connection)
        anew = connection.execute(sa.select(due.DUE_ITEM).order_by(*due.DUE_ITEM.primary_key)).all()
        assert grown == anew
        [found] = due.duties(connection, [CODE]).values()
        timing = due.Timings.in_force(connection).of(TIER, "江苏省")
        for asked in days:
            expected = [
                (i.matter, i.subject, i.due, i.state) for i in found.items(TIER, timing, asked)
            ]
            lines = dues.lines(session, dues.Asked(day=asked, states=STATES, uscc=CODE))
            assert sorted(expected, key=str) == sorted(
                ((one.matter, one.subject, one.due, one.state) for one in lines), key=str
            )
        event(f"{done} acts")
        raise _UndoneError


def _act(session: Session, act: str, day: date, which: int, now: datetime) -> None:
    """Do what an act says about the first enterprise, as far as it may be done on that day."""
    papers = Papers(day=day - timedelta(days=which), ground="说明")
    noted = [e.seq for e in journal.entries(session, kinds=KINDS, subjects=[CODE])][-1 - which :]
    seq = noted[0] if noted else 0
    late = [
        line
        for line in dues.lines(session, dues.Asked(day=papers.day, states=("逾期",), uscc=CODE))
        if line.due
    ]
    notice = Notice("示工信", papers.day)
    holder = [Holder(CODE)]
    match act:
        case "update":
            duties.update(session, [CODE], day.year + which % 2, papers, by="县", now=now)
        case "change":
            changed = Change(kind="更名", day=papers.day, reported=day if which % 2 else None)
            duties.change(session, [CODE], changed, papers, by="县", now=now)
        case "report":
            duties.report(session, seq, papers, by="县", now=now)
        case "complain":
            duties.complain(session, CODE, papers, "某某", by="县", now=now)
        case "answer":
            duties.answer(session, seq, "不属实", papers, by="县", now=now)
        case "decide" if late:
            one = late[which % len(late)]
            matter = Matter(tier=TIER, matter=one.matter, subject=one.subject)
            drawn = one.consequences[0] if which % 2 else ""
            duties.decide(session, [CODE], matter, drawn, papers, by="省", now=now)
        case "revoke":
            duties.revoke(session, seq, papers, by="省", now=now)
        case "cancel":
            cause = ("数据造假", "自愿放弃")[which % 2]
            register.cancel(session, holder, TIER, notice, cause, by="省", now=now)
        case "extend":
            register.extend(session, holder, TIER, notice, by="省", now=now)
        case "grant":
            register.grant(session, holder, TIER, notice, first=papers.day, by="省", now=now)


def test_places_are_known_of_more_enterprises_than_one_query_names(held: sa.Engine) -> None:
    others = [f"没有{number}" for number in range(600)]
    with storage.session(held) as session:
        assert list(due.provinces(session.connection(), [CODE, *others, OTHER])) == [CODE, OTHER]
