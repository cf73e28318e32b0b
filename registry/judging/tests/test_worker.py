"""A case that is refused says why, and holds up no other."""

import pickle
from datetime import date

import pytest

from registry.errors import RecordError
from registry.judging.case import Request, unfiled
from registry.judging.judge import CheckRefusedError, Judge, MisdatedError
from registry.judging.verdicts import CaseResult
from registry.judging.worker import Cause, CheckingWorker, Refusal, attempt, judged_under
from registry.tests.support import submission
from rules.errors import (
    DisagreementError,
    EngineFaultError,
    EngineUnavailableError,
    FactsError,
    NoRulesetError,
    RulesetError,
)
from rules.model.ruleset import Outcome
from rules.tests import packaged

DAY = date(2023, 6, 30)
NAME = submission().name
WHO = f"{NAME}（{submission().uscc}）"


@pytest.mark.parametrize(
    ("error", "cause", "text"),
    [
        (CheckRefusedError("made-up", f"{NAME}：日期不对"), Cause.DAY, f"{NAME}：日期不对"),
        (MisdatedError("made-up", f"{WHO}：称号日期"), Cause.REGISTER, f"{WHO}：称号日期"),
        (NoRulesetError("made-up", "无规则集"), Cause.APPLICABILITY, f"{WHO}：无规则集"),
        (DisagreementError("made-up", "不一致"), Cause.ENGINE, f"{WHO}：不一致"),
        (EngineFaultError("made-up", "引擎"), Cause.ENGINE, f"{WHO}：引擎"),
        (FactsError("made-up", "不合格式"), Cause.CRITERIA, f"{WHO}：不合格式"),
        (RulesetError("made-up", "无法计算"), Cause.CRITERIA, f"{WHO}：无法计算"),
        (RecordError("made-up", "尚未编入"), Cause.CRITERIA, f"{WHO}：尚未编入"),
    ],
)
def test_each_refusal_names_the_enterprise_once(error: Exception, cause: Cause, text: str) -> None:
    def answer() -> None:
        raise error

    found = attempt(unfiled(submission(), DAY).case, answer)
    assert isinstance(found, Refusal)
    assert (found.cause, found.text) == (cause, text)
    assert not found.reason.startswith(f"{NAME}：")
    assert pickle.loads(pickle.dumps(found)) == found


def test_an_error_that_nobody_foresaw_is_told_with_its_place() -> None:
    found = attempt(unfiled(submission(), DAY).case, lambda: 1 // 0)
    assert isinstance(found, Refusal)
    assert found.cause is Cause.FAULT
    assert found.text.startswith(f"{WHO}：程序内部出错（test_worker.py:")


def test_a_case_of_a_wrong_day_holds_up_no_other() -> None:
    worker = CheckingWorker(
        packaged.rulebook(), Request(as_of=date(2023, 12, 1)), lambda result: result
    )
    good, late = unfiled(submission(), DAY), unfiled(submission(), date(2023, 12, 2))
    first, refused, last = worker((good, late, good))
    worker.close()
    assert isinstance(first, CaseResult)
    assert first == last
    assert first.as_of == date(2023, 12, 1)
    assert isinstance(refused, Refusal)
    assert refused.cause is Cause.DAY


@pytest.mark.parametrize("place", ["", "山东省"])
def test_a_request_goes_by_the_place_of_the_case_unless_it_names_one(place: str) -> None:
    case = unfiled(submission(), DAY).case
    assert Request().how(case)["province"] == case.province
    assert Request(province=place).how(case)["province"] == place


def test_a_case_can_be_judged_under_a_ruleset_that_does_not_govern() -> None:
    judge = Judge(packaged.rulebook())
    known = unfiled(submission(), date(2030, 6, 30))
    with pytest.raises(CheckRefusedError):
        judged_under(judge, "63.2.年限", known, DAY)
    found = judged_under(judge, "63.2.年限", unfiled(submission(), DAY), DAY)
    judge.close()
    assert found.decision.verdict is Outcome.MET


def test_judging_leaves_the_facts_as_they_are() -> None:
    known = unfiled(submission(), DAY)
    before = pickle.dumps(known.case.facts)
    judge = Judge(packaged.rulebook())
    judged_under(judge, "63.2.年限", known, DAY)
    judge.close()
    assert pickle.dumps(known.case.facts) == before


def test_an_engine_that_is_not_there_is_no_matter_of_one_case() -> None:
    def answer() -> object:
        raise EngineUnavailableError("no-engine", "没有规则引擎")

    with pytest.raises(EngineUnavailableError):
        attempt(unfiled(submission(), DAY).case, answer)
