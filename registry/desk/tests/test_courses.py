"""Applications as pages read them: their courses, how they stand together, rounds, and who may be chosen."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from registry.database import storage
from registry.desk import candidates, caseload, courses, rounds
from registry.desk.caseload import Wanted
from registry.desk.place import Desk
from registry.record import applications
from registry.record.applications import Applying, Doing
from registry.record.register import Notice
from registry.record.rounds import Call, open_round, round_named
from registry.tests.support import CODES, Clock, decide, load, publish, submission

TIER = "专精特新中小企业"
OPENED = date(2023, 7, 3)


def at(clock: Clock, day: int, month: int = 7) -> date:
    """Let the clock be at noon of a day in China."""
    clock.moment = datetime(2023, month, day, 4, tzinfo=UTC)
    return date(2023, month, day)


def take(desk: Desk, code: str, level: str, act: str, day: date, **more: str) -> None:
    doing = Doing(act=act, level=level, day=day, **more)  # type: ignore[arg-type]
    with desk.writing() as session:
        applications.step(session, [code], TIER, doing, by=f"{level}人", now=desk.clock())


@pytest.fixture
def desk(database: sa.Engine) -> Iterator[Desk]:
    """Three firms that are decided and have applied in a round."""
    clock = Clock(datetime(2023, 7, 3, 1, tzinfo=UTC))
    publish(database, clock)
    load(database, clock, *(submission(code) for code in CODES[:3]))
    decide(database, clock, "专精特新", codes=CODES[:3])
    call = Call(name="第一批", tier=TIER, procedure="认定", opens=OPENED, lag=1)
    with storage.session(database, write=True) as session:
        open_round(session, call, Notice("某7号", OPENED), by="省", now=clock())
        asked = Applying(
            tier=TIER, procedure="认定", day=OPENED, level="县级",
            round=round_named(session, "第一批"),
        )  # fmt: skip
        applications.apply(session, CODES[:3], asked, by="县经办", now=clock())
    url = database.url.render_as_string(hide_password=False)
    with Desk(url, by="王某", clock=clock) as found:
        yield found


def test_a_course_says_what_was_done_where_it_stands_and_what_may_be_done_next(desk: Desk) -> None:
    clock = desk.clock
    assert isinstance(clock, Clock)
    at(clock, 10)
    take(desk, CODES[0], "县级", "退回补正", date(2023, 7, 4), ground="缺附件")
    [view] = courses.of(desk, CODES[0], TIER)
    assert (view.state, view.since, view.due, view.ended) == (
        "企业补正",
        date(2023, 7, 4),
        None,
        False,
    )
    assert view.round
    assert view.round.name == "第一批"
    [step] = view.steps
    assert (step.act, step.level, step.ground, step.by) == ("退回补正", "县级", "缺附件", "县级人")
    assert (step.lag, step.lagging, step.against, step.decision) == (6, True, False, view.decision)
    assert [(one.act, one.level, one.to) for one in view.next] == [
        ("重新提交", "企业", "县级初审"),
        ("撤回申报", "企业", "撤回"),
    ]
    assert view.clause.basis
    assert view.clause.title
    assert view.clause.notes
    assert not view.changed
    load(desk.database, clock, submission(CODES[0], staff__2022="101"), file="更正.xlsx")
    [view] = courses.of(desk, CODES[0], TIER)
    assert view.changed


def test_an_act_says_what_it_needs_and_whether_that_is_there(desk: Desk) -> None:
    [view] = courses.of(desk, CODES[0], TIER)
    said = {one.act: [(n.words, n.state) for n in one.needs] for one in view.next}
    assert said["推荐"] == [("符合的决定或理由", "met")]
    assert said["不予推荐"] == [("不符合的决定或理由", "asked")]
    assert said["退回补正"] == [("理由", "asked")]
    assert said["实地核查"] == []
    load(desk.database, desk.clock, submission(CODES[0], staff__2022="101"))  # type: ignore[arg-type]
    [view] = courses.of(desk, CODES[0], TIER)
    [act] = [one for one in view.next if one.act == "推荐"]
    assert (act.possible, act.lacks) == (False, "须先作出决定")


def test_what_the_clock_did_is_told_for_today_and_lists_follow_it(desk: Desk) -> None:
    clock = desk.clock
    assert isinstance(clock, Clock)
    for code in CODES[:2]:
        take(desk, code, "县级", "直接报省级", OPENED)
        take(desk, code, "省级", "拟认定", OPENED)
    at(clock, 4)
    take(desk, CODES[1], "省级", "提出异议", date(2023, 7, 4))
    due = caseload.due(desk)
    assert [(w.state, w.level, w.count) for w in due.waiting] == [
        ("县级初审", "县级", 1), ("公示", "省级", 2),
    ]  # fmt: skip
    assert [(e.state, e.due, e.days, e.count) for e in due.ending] == [
        ("公示", date(2023, 7, 7), 3, 2),
    ]  # fmt: skip
    at(clock, 20)
    [view] = courses.of(desk, CODES[0], TIER)
    assert (view.state, view.clocked, view.since) == ("待公告", ("待公告",), date(2023, 7, 8))
    [held] = courses.of(desk, CODES[1], TIER)
    assert (held.state, held.late, len(held.open)) == ("公示", 13, 1)
    [settling] = [one for one in held.next if one.act == "异议不成立"]
    assert [(n.words, n.state) for n in settling.needs] == [
        ("未处理的异议", "met"), ("理由", "asked"),
    ]  # fmt: skip
    due = caseload.due(desk)
    assert [(w.state, w.count) for w in due.waiting] == [
        ("县级初审", 1),
        ("公示", 1),
        ("待公告", 1),
    ]
    assert [(e.state, e.days, e.count) for e in due.ending] == [("公示", -13, 1)]
    for wanted, codes in (
        (Wanted(state="待公告"), [CODES[0]]),
        (Wanted(state="公示", tier=TIER), [CODES[1]]),
        (Wanted(level="省级"), sorted(CODES[:2])),
        (Wanted(due=date(2023, 7, 7)), [CODES[1]]),
        (Wanted(), sorted(CODES[:3])),
        (Wanted(state="认定"), []),
    ):
        assert [one.uscc for one in caseload.every(desk, wanted)] == codes, wanted
    page = caseload.page(desk, Wanted(), limit=2)
    assert [one.uscc for one in page.lines] == sorted(CODES[:3])[:2]
    rest = caseload.page(desk, Wanted(), after=page.after, limit=2)
    assert ([one.uscc for one in rest.lines], rest.after, rest.count) == (sorted(CODES)[2:], "", 3)


def test_a_round_counts_its_applications_wherever_they_stand(desk: Desk) -> None:
    take(desk, CODES[0], "企业", "撤回申报", OPENED)
    [line] = rounds.every(desk)
    view = rounds.numbered(desk, line.round.seq)
    counted = {(one.state, one.count) for one in view.counts}
    assert (view.total, counted, view.status) == (3, {("县级初审", 2), ("撤回", 1)}, "受理中")
    asked = Applying(tier=TIER, procedure="认定", day=OPENED, level="县级")
    with desk.writing() as session:
        applications.apply(session, [CODES[0]], asked, by="县", now=desk.clock())
    view = rounds.numbered(desk, line.round.seq)
    assert {(one.state, one.count) for one in view.counts} == counted
    found = caseload.every(desk, Wanted(round=view.round, state="撤回"))
    assert [one.uscc for one in found] == [CODES[0]]


def test_candidates_say_what_may_be_done_with_each(desk: Desk) -> None:
    take(desk, CODES[0], "企业", "撤回申报", OPENED)
    found = candidates.of(desk, CODES[:2], TIER)
    assert [one.state for one in found] == ["撤回", "县级初审"]
    assert found[0].may("推荐", "县级") is None
    offered = candidates.offers(found)
    assert ("推荐", "县级") in offered
    assert ("推荐", "市级") not in offered
