"""The judging worker judges cases one by one; a refused case does not hold up the others.

Code that judges many cases derives from it and words the answers, mostly for
``registry.kit.workers``, which runs it in this process or in others. The arguments that start a
worker, and its answers, must be picklable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Generic, TypeVar

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
    """The cause of a refusal."""

    DAY = auto()  #: it cannot be judged as of the day
    REGISTER = auto()  #: a registered title states impossible days
    APPLICABILITY = auto()  #: no ruleset governs, or several do
    ENGINE = auto()  #: the evaluators give no common result
    CRITERIA = auto()  #: the rules or the registry refuse for another reason
    FAULT = auto()  #: an unforeseen error


@dataclass(frozen=True)
class Refusal:
    """The reason why a case was not judged; ``said`` is the error's sentence without its remedy."""

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
    """The refusal that an error means for the case being judged."""
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
    """The answer about a case, or the refusal."""
    try:
        return answer()
    except EngineUnavailableError:
        raise  # it concerns all cases: none can be judged
    except Exception as error:  # any error concerns only this case: the others go on
        return refusal(case, error)


class JudgingWorker:
    """The base of every worker that judges: it holds a judge, released when the work ends.

    ``alone`` is that of ``registry.judging.judge.Judge``.
    """

    def __init__(self, rules: Rules, *, alone: bool = False) -> None:
        self.judge = Judge(rules, alone=alone)

    def close(self) -> None:
        """Release the engine's memory."""
        self.judge.close()


class CheckingWorker(JudgingWorker, Generic[Answer]):
    """Checks cases, and answers what ``view`` makes of each: only what is shown need be made and carried.

    Cases are handed in several together, because a message for each would cost as much as reading it.
    """

    def __init__(
        self, rules: Rules, request: Request, view: Callable[[CaseResult], Answer]
    ) -> None:
        super().__init__(rules)
        self._checker = Checker(self.judge)
        self._request = request
        self._view = view

    def __call__(self, cases: Sequence[Known]) -> list[Answer | Refusal]:
        """Check cases one by one."""
        return [self._check(known) for known in cases]

    def _check(self, known: Known) -> Answer | Refusal:
        found = attempt(known.case, lambda: self._checker.check(known, self._request))
        if isinstance(found, Refusal):
            return found
        try:
            return self._view(found)
        except Exception as error:
            return unwritten(found.uscc, found.name, error)


def unwritten(uscc: str, name: str, error: Exception) -> Refusal:
    """What an error means for a result that was being written."""
    return Refusal(Cause.FAULT, uscc, name, f"结果没有写出：{fault(error)}")


def judged_under(judge: Judge, root: str, known: Known, day: date) -> Judgement:
    """Judge a case under a ruleset as of a day, whichever ruleset governs it."""
    refuse_wrong_day(known.case, day, judge.rules.catalogue)
    row = ApplicabilityRow(
        tier="",
        procedure="",
        province=OTHERS,
        batch="",
        start=None,
        end=None,
        ruleset=root,
        basis="",
        position=Position("", 0),
    )
    return judge.judge(Governing(row, "", ()), known, day)
