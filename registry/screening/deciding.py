"""Filings that SQL cannot decide: the engine decides them, in worker processes if they are many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from registry.judging.case import Known
from registry.judging.judge import Judge, Rules, holds_title
from registry.judging.sizes import sector_of
from registry.judging.worker import Cause, JudgingWorker, Refusal, attempt, judged_under
from registry.screening.agreement import Columns, Row, VerdictDifference, differences
from registry.screening.compiler.program import Code
from registry.screening.variants import Varied
from rules.model.ruleset import Outcome, Trace


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The engine's results for a filing that a screening needs.

    ``code`` holds the outcomes of all criteria. ``near`` holds them under easier thresholds, if the
    filing passes only under these. ``holds`` says whether the enterprise holds the title.
    """

    verdict: Outcome
    code: tuple[int, ...]
    steps: tuple[int, ...]
    sector: str | None
    near: tuple[int, ...] | None
    holds: bool


@dataclass(frozen=True, kw_only=True)
class Question:
    """The question about each filing: tier, ruleset, its criteria, day, and margin of near ones.

    Without ``near``, no filing counts as near.
    """

    tier: str
    root: str
    code: Code
    steps: tuple[str, ...]
    day: date
    near: Fraction | None


class ScreeningWorker(JudgingWorker):
    """Decides filings one by one; the answer for a filing that cannot be decided is the reason."""

    def __init__(self, rules: Rules, asked: Question) -> None:
        super().__init__(rules)
        self._asked = asked
        self._easier = None if asked.near is None else Judge(Varied(rules, asked.near))

    def __call__(self, known: Known) -> Decided | str:
        """Decide a filing; if it fails, decide it again with easier thresholds."""
        found = attempt(known.case, lambda: self._decided(known))
        if isinstance(found, Refusal):
            return "填报日期或年度不符" if found.cause is Cause.DAY else found.reason
        return found

    def _decided(self, known: Known) -> Decided:
        asked = self._asked
        decision = judged_under(self.judge, asked.root, known, asked.day).decision
        near = None
        if self._easier and decision.verdict is Outcome.NOT_MET:
            easier = judged_under(self._easier, asked.root, known, asked.day).decision
            near = tuple(asked.code.of(easier.trace)) if easier.verdict is Outcome.MET else None
        named = sector_of(decision.ruleset, self.judge.rules.catalogue.roles)
        sector, verdict = decision.readings.get(named), decision.verdict
        assert isinstance(verdict, Outcome)
        return Decided(
            verdict=verdict,
            code=tuple(asked.code.of(decision.trace)),
            steps=tuple(int(_outcome(decision.trace, id)) for id in asked.steps),
            sector=sector.code if sector else None,
            near=near,
            holds=holds_title(known, asked.tier, asked.day),
        )

    def close(self) -> None:
        """Release the engines' memory."""
        super().close()
        if self._easier:
            self._easier.close()


@dataclass(frozen=True)
class Screened:
    """A case with its screened results."""

    known: Known
    row: Row


class ComparingWorker(JudgingWorker):
    """Lets the engine decide screened filings again, and returns the nodes that differ.

    For each filing the answer is: the differences; None if it may not be judged as of that day; or
    the reason why the engine failed. The engine decides alone, because screening is the other
    evaluation.
    """

    def __init__(self, rules: Rules, root: str, day: date, columns: Columns) -> None:
        super().__init__(rules, alone=True)
        self._root, self._day, self._read = root, day, columns.reader()

    def __call__(self, screened: Sequence[Screened]) -> list[list[VerdictDifference] | str | None]:
        """Check filings one by one."""
        return [self._check(one) for one in screened]

    def _check(self, one: Screened) -> list[VerdictDifference] | str | None:
        found = attempt(one.known.case, lambda: self._differences(one))
        if isinstance(found, Refusal):
            return None if found.cause in (Cause.DAY, Cause.REGISTER) else found.reason
        return found

    def _differences(self, one: Screened) -> list[VerdictDifference]:
        decided = judged_under(self.judge, self._root, one.known, self._day).decision.trace
        return differences(one.known.case.filing_id, self._read(one.row), decided)


def _outcome(trace: Trace, rule: str) -> Outcome:
    found = trace[rule]
    assert isinstance(found, Outcome)
    return found
