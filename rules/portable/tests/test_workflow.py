"""Courses of cases: what the clock does, what is refused and why, and what does not depend on when one asks."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.portable.calendar import Calendar, Term
from rules.portable.workflow import (
    CLOCK,
    ENDINGS,
    Course,
    Handling,
    Step,
    StepError,
    Workflow,
    folded,
)
from rules.tests.packaged import rulebook

CALENDAR = Calendar.of(rulebook().calendar)
PROVINCIAL = Handling(rulebook().workflows["63.办理.省级认定"], CALENDAR)
DAY = timedelta(days=1)
MONDAY = date(2023, 7, 3)


def step(act: str, level: str, day: date, number: int = 0, **more: object) -> Step:
    return replace(Step(act=act, level=level, day=day, number=number, outcome="符合"), **more)


def published() -> Course:
    return PROVINCIAL.entered(PROVINCIAL.applied(MONDAY), "公示", date(2023, 7, 14))


def test_a_case_runs_from_its_application_to_the_announcement() -> None:
    steps = [
        step("退回补正", "县级", date(2023, 7, 4), 1, ground=True),
        step("重新提交", "企业", date(2023, 7, 5), 2),
        step("推荐", "县级", date(2023, 7, 6), 3),
        step("推荐", "市级", date(2023, 7, 10), 4),
        step("拟认定", "省级", date(2023, 7, 14), 5),
        step("提出异议", "省级", date(2023, 7, 17), 6),
        step("异议不成立", "省级", date(2023, 7, 19), 7, ground=True, objection=6),
        step("公告", "省级", date(2023, 7, 24), 8),
    ]
    states = [
        folded(PROVINCIAL, MONDAY, steps[:n], day).state
        for n, day in enumerate([MONDAY, *(s.day for s in steps)])
    ]
    assert states == [
        "县级初审",
        "企业补正",
        "县级初审",
        "市级审核",
        "省级审核",
        "公示",
        "公示",
        "公示",
        "认定",
    ]
    end = folded(PROVINCIAL, MONDAY, steps, date(2023, 7, 24))
    assert end.ended
    assert end.effects == ("授予称号",)
    assert end.against == ()


def test_the_clock_is_derived_for_the_day_that_is_asked() -> None:
    last = date(2023, 7, 20)
    assert published().due == last
    assert PROVINCIAL.on(published(), last).state == "公示"
    after = PROVINCIAL.on(published(), last + DAY)
    assert (after.state, after.since) == ("待公告", last + DAY)
    assert PROVINCIAL.on(after, date(2023, 12, 1)) == after


def test_an_objection_holds_the_clock_until_it_is_settled() -> None:
    objected = PROVINCIAL.taken(published(), step("提出异议", "省级", date(2023, 7, 17), 9))
    late = date(2023, 8, 1)
    assert PROVINCIAL.on(objected, late).state == "公示"
    settling = step("异议不成立", "省级", late, 10, ground=True, objection=9)
    settled = PROVINCIAL.on(PROVINCIAL.taken(objected, settling), late)
    assert (settled.state, settled.since, settled.objections) == ("待公告", late, ())
    for other in (None, 10):
        with pytest.raises(StepError, match="没有这一件未处理的异议"):
            PROVINCIAL.taken(objected, replace(settling, objection=other))


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (step("公告", "省级", MONDAY), "“县级初审”环节没有“公告”"),
        (step("推荐", "市级", MONDAY), "“推荐”应由县级办理"),
        (step("推荐", "县级", MONDAY - DAY), f"{MONDAY - DAY}早于本案的上一步（{MONDAY}）"),
        (step("推荐", "县级", MONDAY, outcome=""), "须先作出决定"),
        (step("推荐", "县级", MONDAY, outcome="", ground=True), "须先作出决定"),
        (step("推荐", "县级", MONDAY, outcome="材料不足"), "与决定不一致，须写明理由"),
        (step("不予推荐", "县级", MONDAY), "与决定不一致，须写明理由"),
        (step("不予推荐", "县级", MONDAY, outcome=""), "没有决定，须写明理由"),
        (step("退回补正", "县级", MONDAY), "须写明理由"),
        (step("", "县级", MONDAY), "“县级初审”环节没有“”"),
    ],
)  # fmt: skip
def test_a_step_that_may_not_be_taken_is_refused_with_the_reason(taken: Step, said: str) -> None:
    course = PROVINCIAL.applied(MONDAY)
    with pytest.raises(StepError) as refused:
        PROVINCIAL.taken(course, taken)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("act", "outcome", "against"),
    [
        ("推荐", "符合", False),
        ("推荐", "不符合", True),
        ("推荐", "待人工认定", True),
        ("不予推荐", "不符合", False),
        ("不予推荐", "符合", True),
    ],
)
def test_a_step_against_the_verdict_stands_out(act: str, outcome: str, against: bool) -> None:
    taken = step(act, "县级", MONDAY, 5, outcome=outcome, ground=True)
    found = PROVINCIAL.taken(PROVINCIAL.applied(MONDAY), taken)
    assert found.against == ((5,) if against else ())


def test_nothing_is_done_after_the_end() -> None:
    ended = PROVINCIAL.taken(PROVINCIAL.applied(MONDAY), step("撤回申报", "企业", MONDAY))
    assert ended.ended
    assert PROVINCIAL.allowed(ended, MONDAY) == ()
    with pytest.raises(StepError, match="“撤回”环节没有"):
        PROVINCIAL.taken(ended, step("推荐", "县级", MONDAY))


def test_a_round_may_set_another_term_than_the_table() -> None:
    longer = replace(PROVINCIAL, terms={"公示": Term(7, "工作日", running=True)})
    assert longer.entered(published(), "公示", date(2023, 7, 14)).due == date(2023, 7, 24)


def test_a_term_in_a_year_without_a_calendar_is_unknown_and_the_clock_waits() -> None:
    course = PROVINCIAL.entered(published(), "公示", date(2026, 12, 30))
    assert (course.due, course.unpublished) == (None, 2027)
    assert PROVINCIAL.on(course, date(2027, 6, 1)).state == "公示"


@pytest.mark.parametrize("id", rulebook().workflows)
def test_every_state_of_a_packaged_procedure_leads_to_an_ending(id: str) -> None:
    workflow = rulebook().workflows[id]
    assert {a.to for a in workflow.acts} <= {*workflow.states, *ENDINGS}
    assert Workflow.of(workflow.to_json()) == workflow


@given(st.data())
def test_a_course_does_not_depend_on_when_one_asks(data: st.DataObject) -> None:
    """Asking on days in between changes nothing, and time alone never goes back."""
    handling = Handling(data.draw(st.sampled_from([*rulebook().workflows.values()])), CALENDAR)
    day = MONDAY + data.draw(st.integers(0, 500)) * DAY
    plain = asked = handling.applied(day)
    for number in range(1, data.draw(st.integers(1, 12))):
        day += data.draw(st.integers(0, 20)) * DAY
        for between in range(3):
            asked = handling.on(asked, max(asked.last, day - between * DAY))
        acts = handling.allowed(plain, day)
        if not acts:
            assert handling.on(plain, day).ended
            break
        act = data.draw(st.sampled_from(acts))
        assert act.actor != CLOCK
        done = Step(
            act=act.act,
            level=act.level,
            day=day,
            number=number,
            ground=data.draw(st.booleans()),
            outcome=data.draw(st.sampled_from(["", "符合", "不符合"])),
            objection=next(iter(plain.objections), None),
        )
        try:
            plain = handling.taken(plain, done)
        except StepError as refused:
            said = str(refused)
        else:
            said = ""
        if said:
            with pytest.raises(StepError, match=re.escape(said)):
                handling.taken(asked, done)
        else:
            asked = handling.taken(asked, done)
        assert handling.on(asked, day) == handling.on(plain, day)
