"""Filings that SQL cannot decide: the engine does, in processes of their own where they are many."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from sqlmodel import Session

from registry.database.versions import chunks
from registry.judging.judge import (
    CheckRefusedError,
    Determination,
    Judge,
    Judgement,
    MisdatedError,
    Registration,
    Rules,
    holds_title,
    refuse_wrong_day,
)
from registry.record import cases, register
from registry.record.cases import Case
from registry.screening.agreement import Columns, Difference, Row, differences
from registry.screening.compiler.program import Code
from registry.screening.variants import Varied
from rules.errors import DisagreementError, EngineFaultError
from rules.language.editions import OTHERS, ApplicabilityRow, Governing
from rules.model.roles import SECTOR
from rules.model.ruleset import Outcome, Position, Trace

#: What persons determined of a filing, and the registered titles of its enterprise.
Known: TypeAlias = tuple[Sequence[Determination], Sequence[Registration]]


def filings(
    session: Session, until: int | None = None
) -> Callable[[Sequence[int]], Iterator[tuple[Case, Known]]]:
    """Where filings of a registry come from, each with what is known of it beside.

    ``until`` asks for what was known after that many entries of the journal.
    """

    def found(ids: Sequence[int]) -> Iterator[tuple[Case, Known]]:
        for part in chunks(ids):
            determined = cases.determinations(session, part, until=until)
            usccs = sorted(set(cases.codes(session, part).values()))
            registered = register.bearing(session, usccs, until=until)
            for case in cases.cases(session, part):
                yield case, (determined.get(case.filing_id, ()), registered.get(case.uscc, ()))

    return found


@dataclass(frozen=True)
class Decided:
    """What the engine says of a filing, as far as a screening asks.

    ``code`` are the outcomes of all criteria; ``near`` are those under thresholds that are easier to
    reach, if it is met under these only. ``holds`` says whether the title is held.
    """

    verdict: Outcome
    code: list[int]
    steps: list[int]
    sector: str | None
    near: list[int] | None
    holds: bool


@dataclass(frozen=True)
class Question:
    """What is asked of each filing: a tier, a ruleset, its criteria, the day, and how near is near, if at all."""

    tier: str
    root: str
    code: Code
    steps: tuple[str, ...]
    day: date
    near: Fraction | None


class Bench:
    """Decides filings one by one; one that cannot be decided is a text that says why."""

    def __init__(self, rules: Rules, asked: Question) -> None:
        self._asked = asked
        self._judge = Judge(rules)
        self._easier = None if asked.near is None else Judge(Varied(rules, asked.near))

    def __call__(self, filing: tuple[Case, Known]) -> Decided | str:
        """Decide a filing; again with easier thresholds if it does not meet these."""
        case, known = filing
        asked = self._asked
        try:
            decision = judge(self._judge, case, asked.root, asked.day, known).decision
            near = None
            if self._easier and decision.verdict is Outcome.NOT_MET:
                easier = judge(self._easier, case, asked.root, asked.day, known).decision
                near = asked.code.of(easier.trace) if easier.verdict is Outcome.MET else None
        except MisdatedError as error:
            return str(error)
        except CheckRefusedError:
            return "填报日期或年度不符"
        except (DisagreementError, EngineFaultError) as error:
            return str(error)
        sector, verdict = decision.readings.get(SECTOR), decision.verdict
        assert isinstance(verdict, Outcome)
        return Decided(
            verdict,
            asked.code.of(decision.trace),
            [int(_outcome(decision.trace, id)) for id in asked.steps],
            sector.code if sector else None,
            near,
            holds_title(case.profile_as_of(asked.day), *known, asked.tier),
        )

    def close(self) -> None:
        """Release the engines' memory."""
        self._judge.close()
        if self._easier:
            self._easier.close()


@dataclass(frozen=True)
class Screened:
    """A filing, what is known of it, and what was screened of it."""

    case: Case
    known: Known
    row: Row


class Checker:
    """Has the engine decide screened filings again; tells the nodes on which it says otherwise.

    None is of one that nobody may decide as of the day, a text says why one could not be decided. The
    engine decides alone, since what was screened is the other evaluation.
    """

    def __init__(self, rules: Rules, root: str, day: date, columns: Columns) -> None:
        self._judge = Judge(rules, alone=True)
        self._root, self._day, self._read = root, day, columns.reader()

    def __call__(self, screened: Sequence[Screened]) -> list[list[Difference] | str | None]:
        """Check filings one by one."""
        return [self._check(one) for one in screened]

    def _check(self, one: Screened) -> list[Difference] | str | None:
        case = one.case
        try:
            decided = judge(self._judge, case, self._root, self._day, one.known).decision.trace
        except CheckRefusedError:
            return None
        except EngineFaultError as error:
            return str(error)
        return differences(case.filing_id, self._read(one.row), decided)

    def close(self) -> None:
        """Release the engine's memory."""
        self._judge.close()


def judge(by: Judge, case: Case, root: str, day: date, known: Known) -> Judgement:
    """Judge a filing under a ruleset as of a day, whatever governs it."""
    refuse_wrong_day(case.name, case.profile, day)
    row = ApplicabilityRow("", "", OTHERS, "", None, None, root, "", Position("", 0))
    return by.judge(Governing(row, "", ()), case.profile_as_of(day), *known)


def _outcome(trace: Trace, rule: str) -> Outcome:
    found = trace[rule]
    assert isinstance(found, Outcome)
    return found
