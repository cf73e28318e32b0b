"""The judging worker: it judges cases one by one, and one that is refused holds up no other.

Whoever judges many cases derives from it and words what comes out, mostly for
``registry.kit.workers``, which runs it in this process or in others. What begins a worker and what
it answers must be picklable.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import TypeVar

from registry.errors import RegistryError, fault
from registry.judging.case import Case, Known, Request
from registry.judging.judge import (
    CheckRefusedError,
    Judge,
    Judgement,
    MisdatedError,
    Rules,
    refuse_wrong_day,
)
from registry.judging.verdicts import CaseResult, Checker
from rules.errors import (
    DisagreementError,
    EngineFaultError,
    EngineUnavailableError,
    NoRulesetError,
    RulesError,
)
from rules.language.editions import OTHERS, ApplicabilityRow, Governing
from rules.model.ruleset import Position
from rules.portable.errors import Remedy

Answer = TypeVar("Answer")


class Cause(Enum):
    """What a case was refused for."""

    DAY = auto()  #: it cannot be judged as of the day
    REGISTER = auto()  #: a registered title states impossible days
    APPLICABILITY = auto()  #: no ruleset governs, or several do
    ENGINE = auto()  #: the evaluators give no common result
    CRITERIA = auto()  #: what else the rules or the registry refuse
    FAULT = auto()  #: an error that nobody foresaw


@dataclass(frozen=True)
class Refusal:
    """Why a case was not judged; ``said`` is what the error says, without its remedy."""

    cause: Cause
    uscc: str
    name: str
    said: str
    remedy: Remedy | None = None

    @property
    def reason(self) -> str:
        """The sentence without the enterprise."""
        return self.said.removeprefix(f"{self.name}：")

    @property
    def text(self) -> str:
        """The sentence with the enterprise in front.

        >>> Refusal(Cause.ENGINE, "91110105MA00000000", "甲公司", "不能计算").text
        '甲公司（91110105MA00000000）：不能计算'
        >>> Refusal(Cause.DAY, "91110105MA00000000", "甲公司", "甲公司：填报较晚").text
        '甲公司：填报较晚'
        """
        named = self.cause in (Cause.DAY, Cause.REGISTER)
        return self.said if named else f"{self.name}（{self.uscc}）：{self.said}"


def refusal(case: Case, error: Exception) -> Refusal:
    """What an error means for the case that was being judged."""
    match error:
        case MisdatedError():
            cause = Cause.REGISTER
        case CheckRefusedError():
            cause = Cause.DAY
        case NoRulesetError():
            cause = Cause.APPLICABILITY
        case DisagreementError() | EngineFaultError():
            cause = Cause.ENGINE
        case RegistryError() | RulesError():
            cause = Cause.CRITERIA
        case _:
            return Refusal(Cause.FAULT, case.uscc, case.name, fault(error))
    return Refusal(cause, case.uscc, case.name, str(error), error.remedy)


def attempt(case: Case, answer: Callable[[], Answer]) -> Answer | Refusal:
    """The answer about a case, or why there is none."""
    try:
        return answer()
    except EngineUnavailableError:
        raise  # it is of all: nobody can be judged
    except Exception as error:  # whatever it is, it is of this one: the others are judged
        return refusal(case, error)


class JudgingWorker:
    """What every worker that judges is made of: a judge, released when the work ends.

    ``alone`` as in ``rules.decider.Decider``.
    """

    def __init__(self, rules: Rules, *, alone: bool = False) -> None:
        self.judge = Judge(rules, alone=alone)

    def close(self) -> None:
        """Release the engine's memory."""
        self.judge.close()


class CheckingWorker(JudgingWorker):
    """Checks cases, with reasons."""

    def __init__(self, rules: Rules, request: Request) -> None:
        super().__init__(rules)
        self._checker = Checker(self.judge)
        self._request = request

    def __call__(self, known: Known) -> CaseResult | Refusal:
        """Check one case."""
        return attempt(known.case, lambda: self._checker.check(known, self._request))


def judged_under(judge: Judge, root: str, known: Known, day: date) -> Judgement:
    """Judge a case under a ruleset as of a day, whatever governs it."""
    refuse_wrong_day(known.case, day)
    row = ApplicabilityRow("", "", OTHERS, "", None, None, root, "", Position("", 0))
    return judge.judge(Governing(row, "", ()), known, day)
