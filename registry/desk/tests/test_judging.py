"""One thread judges for many: the same answers as a checker's own, remembered until something changes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import cycle, islice
from pathlib import Path
from threading import current_thread
from threading import enumerate as threads
from typing import Any

import pytest
import sqlalchemy as sa

from registry.database import storage
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.errors import RecordError, RegistryError
from registry.judging.case import Known, Request
from registry.judging.judge import Judge, Judgement
from registry.judging.verdicts import CaseResult, Checker
from registry.judging.worker import Cause, Refusal
from registry.record import known, publication
from registry.record.determinations import Target
from registry.tests.support import CODES, Clock, decide, determine, load, publish, submission
from rules.errors import EngineFaultError
from rules.tests.packaged import TITLES

#: Three that stand differently: one has all, one lacks a figure, one has another that is too low.
FILED = (
    submission(CODES[0]),
    submission(CODES[1], revenue__2022=None),
    submission(CODES[2], rd_expense__2022="1000000"),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(fresh: Callable[..., sa.Engine], clock: Clock) -> Iterator[Desk]:
    engine = fresh("sqlite")
    load(engine, clock, *FILED)
    publish(engine, clock)
    with Desk(engine.url.render_as_string(hide_password=False), clock=clock) as found:
        yield found


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads in which cases are judged, one for each time."""
    found: list[str] = []
    judge = Judge.judge

    def told(self: Judge, *given: Any) -> Judgement:
        found.append(current_thread().name)
        return judge(self, *given)

    monkeypatch.setattr(Judge, "judge", told)
    return found


def directly(desk: Desk, request: Request) -> dict[str, CaseResult]:
    with desk.reading() as session:
        rules = publication.current(session)
        assert rules is not None
        judge = Judge(rules)
        checker = Checker(judge)
        stock = known.stock(session)
        found = [checker.check(case, request) for case in known.fetch(session, stock)]
    judge.close()
    return {result.uscc: result for result in found}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_threads_get_the_answers_of_a_checker_and_all_are_judged_in_one(
    kind: str, fresh: Callable[..., sa.Engine], clock: Clock, judged: list[str]
) -> None:
    engine = fresh(kind)
    load(engine, clock, *FILED)
    url = engine.url.render_as_string(hide_password=False)
    tiers = TITLES[:2]
    with Desk(url, clock=clock) as desk, Judging(desk) as judging, ThreadPoolExecutor(8) as pool:
        asked = list(islice(cycle(f.uscc for f in FILED), 24))
        answers = list(pool.map(lambda uscc: judging.check(uscc, Request(tiers)), asked))
        assert len(set(judged)) == 1
        assert len(judged) == len(FILED) * len(tiers)
        expected = directly(desk, Request(tiers))
    assert [expected[uscc] for uscc in asked] == answers
    assert len({v.outcome for r in expected.values() for v in r.verdicts}) > 1


def test_what_may_change_a_verdict_makes_a_new_judgement_and_a_decision_does_not(
    desk: Desk, clock: Clock, judged: list[str], tmp_path: Path
) -> None:
    request = Request(TITLES[1:2])
    evidence = tmp_path / "核查.txt"
    evidence.write_text("核查", encoding="utf-8")
    with Judging(desk) as judging:
        before = judging.check(CODES[0], request)
        decide(desk.database, clock, codes=[CODES[0]])
        judged.clear()
        assert judging.check(CODES[0], request) == before
        assert judged == []
        determine(desk.database, clock, Target("研发费用总额", 2022), "1万元", evidence)
        after = judging.check(CODES[0], request)
        assert isinstance(before, CaseResult)
        assert isinstance(after, CaseResult)
        assert [v.outcome for r in (before, after) for v in r.verdicts] == ["符合", "不符合"]
        load(desk.database, clock, submission(CODES[0], day=date(2023, 7, 1)))
        newer = judging.check(CODES[0], request)
        assert isinstance(newer, CaseResult)
        assert newer.as_of == date(2023, 7, 1)


@pytest.mark.parametrize(
    "other",
    [
        Request(TITLES[:1]),
        Request(TITLES[1:2], procedure="复核"),
        Request(TITLES[1:2], batch="某一批"),
        Request(TITLES[1:2], province="广东省"),
        Request(TITLES[1:2], as_of=date(2023, 9, 1)),
    ],
    ids=["tier", "procedure", "batch", "province", "day"],
)
def test_each_part_of_a_question_is_judged_for_itself(
    desk: Desk, judged: list[str], other: Request
) -> None:
    request = Request(TITLES[1:2])
    with Judging(desk) as judging:
        judging.check(CODES[0], request)
        judging.check(CODES[0], other)
        assert len(judged) == 2
        judging.check(CODES[0], request)
        judging.check(CODES[0], replace(other))
        assert len(judged) == 2


def test_no_more_are_remembered_than_were_allowed(desk: Desk, judged: list[str]) -> None:
    request = Request(TITLES[:1])
    with Judging(desk, remembered=2) as judging:
        for uscc in (*CODES[:2], CODES[0], CODES[2], CODES[0]):
            judging.check(uscc, request)
        assert len(judged) == 3
        judging.check(CODES[1], request)  # the one that was asked for longest ago
        assert len(judged) == 4


@pytest.mark.parametrize(
    ("error", "cause"),
    [(EngineFaultError("made-up", "引擎"), Cause.ENGINE), (KeyError("x"), Cause.FAULT)],
)
def test_a_fault_on_one_case_is_its_answer_and_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, cause: Cause
) -> None:
    judge, faulty = Judge.judge, [True]

    def failing(self: Judge, found: Any, case: Known, day: date) -> Judgement:
        if case.case.uscc == CODES[0] and faulty[0]:
            raise error
        return judge(self, found, case, day)

    monkeypatch.setattr(Judge, "judge", failing)
    with Judging(desk) as judging, ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(lambda uscc: judging.check(uscc, Request()), CODES[:3])
        assert isinstance(first, Refusal)
        assert first.cause is cause
        assert all(isinstance(answer, CaseResult) for answer in others)
        faulty[0] = False  # and it is not remembered
        assert isinstance(judging.check(CODES[0], Request()), CaseResult)


def test_a_day_that_no_filing_can_be_judged_as_of_is_an_answer_and_a_stranger_is_none(
    desk: Desk,
) -> None:
    with Judging(desk) as judging:
        refused = judging.check(CODES[0], Request(as_of=date(2020, 1, 1)))
        assert isinstance(refused, Refusal)
        assert refused.cause is Cause.DAY
        with pytest.raises(RecordError) as raised:
            judging.check("91110105MA00000000", Request())
        assert raised.value.slug == "not-on-record"
        with pytest.raises(RecordError):
            judging.check_filing(99, Request())
        with storage.session(desk.database) as session:
            [first] = known.stock(session, [CODES[0]])
        assert judging.check_filing(first, Request()) == judging.check(CODES[0], Request())


def test_closing_ends_the_thread(desk: Desk) -> None:
    before = {*threads()}
    judging = Judging(desk)
    judging.check(CODES[0], Request())
    [own] = {*threads()} - before
    assert own.name.startswith("judging")
    judging.close()
    assert own not in threads()
    with pytest.raises(RuntimeError):
        judging.check(CODES[1], Request())


@pytest.mark.parametrize(
    "asked",
    [{"province": "火星"}, {"procedure": "x"}],
    ids=["province", "procedure"],
)
def test_a_choice_that_there_is_not_is_refused_and_judged_by_nothing_else(
    asked: dict[str, Any],
) -> None:
    with pytest.raises(RegistryError) as caught:
        Request(**asked)
    assert caught.value.slug == "no-such-choice"


def test_a_moment_is_asked_of_what_was_known_then(desk: Desk, clock: Clock) -> None:
    with Judging(desk) as judging:
        now = judging.check(CODES[2], Request())
        moment = clock()
        load(desk.database, clock, submission(CODES[2]))
        assert isinstance(then := judging.check(CODES[2], Request(), known_at=moment), CaseResult)
        assert isinstance(now, CaseResult)
        assert isinstance(later := judging.check(CODES[2], Request()), CaseResult)
        assert [v.outcome for v in then.verdicts] == [v.outcome for v in now.verdicts]
        assert [v.outcome for v in then.verdicts] != [v.outcome for v in later.verdicts]
        with pytest.raises(RecordError, match="以前没有登记信用代码"):
            judging.check(CODES[2], Request(), known_at=datetime(2023, 1, 1, tzinfo=UTC))
