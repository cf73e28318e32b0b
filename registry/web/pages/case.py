"""A case ``/enterprises/{uscc}/{tier}``: the verdict and its reasons beside the law."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import auditing, courses, documenting, enterprises
from registry.desk.auditing import EntryQuery
from registry.desk.checking import Cause, Refusal
from registry.desk.courses import CourseView
from registry.desk.enterprises import FilingLine
from registry.desk.judging import Answer
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.portable.chain import KINDS
from registry.reports import scores, tree
from registry.reports.tree import VerdictPart
from registry.reports.verdicts import not_applied
from registry.web import addresses
from registry.web.asked import Asked, How, Text, Tier
from registry.web.forms import Form, Sent, recorded
from registry.web.office import At, Office
from registry.web.remedies import advice
from registry.web.rendering import page
from rules.decider import Decision
from rules.drafting.documentation.values import RulePage
from rules.explanation.findings import Finding
from rules.explanation.tables import CaseTable, case_table
from rules.model.catalogue import Catalogue

router = APIRouter()


@dataclass(frozen=True)
class LawBeside:
    """What stands beside a verdict: a finding's clause, its table with the case, and what is known about it.

    ``page`` is the address of the rule's own page, empty if it has none.
    """

    finding: Finding
    table: CaseTable | None
    told: RulePage | None
    page: str


@dataclass(frozen=True)
class CaseAsked:
    """A case as an address asks for it: whose it is, for which tier, and how it is to be judged."""

    request: Request
    at: At
    uscc: str
    title: Tier
    how: Asked

    @cached_property
    def answer(self) -> Answer:
        """The verdict for this tier alone, or why there is none."""
        return self.at.judging.check(self.uscc, self.how.of(self.title), known_at=self.how.known_at)

    @cached_property
    def filing(self) -> FilingLine:
        """The filing that is judged; the newest if what is asked of the past is no longer listed."""
        moment = self.how.known_at
        found = enterprises.current(self.at.desk, self.uscc, history=moment is not None)
        then = (f for f in reversed(found) if self.how.as_of is None or f.as_of <= self.how.as_of)
        return next((f for f in then if moment is None or f.stood(moment)), found[-1])

    @cached_property
    def courses(self) -> Sequence[CourseView]:
        """What became of the enterprise's applications for the tier, the newest first."""
        return courses.of(self.at.desk, self.uscc, self.title)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page of the case, in the frame that all of them share."""
        head = {"uscc": self.uscc, "tier": self.title, "how": self.how, "filing": self.filing}
        return page(self.request, template, status=status, **head, **values)

    def refused(self, refusal: Refusal) -> HTMLResponse:
        """The page of a case that could not be judged."""
        faulty = refusal.cause in (Cause.ENGINE, Cause.FAULT)
        status = HTTPStatus.INTERNAL_SERVER_ERROR if faulty else HTTPStatus.UNPROCESSABLE_ENTITY
        said = {"refusal": refusal, "advice": advice(refusal.remedy), "faulty": faulty}
        return self.page("case-refused.html", status, courses=self.courses, **said)

    def recorded(
        self,
        given: Sent,
        act: Callable[[Desk], str],
        again: Callable[[Form, int], HTMLResponse],
        fields: Mapping[str, str] | None = None,
    ) -> Response:
        """Do an act on the case once, as ``recorded`` does any; it rests on what was seen of it."""
        return recorded(self.request, given, given.about(self.uscc), act, again, fields)


#: The case that an address asks for.
Case: TypeAlias = Annotated[CaseAsked, Depends()]


def _of_now(case: Case) -> CaseAsked:
    return replace(case, how=replace(case.how, known_at=None))


#: The same for an act, which rests on what is known now, whatever the address asks of the past.
CaseNow: TypeAlias = Annotated[CaseAsked, Depends(_of_now)]


@router.get("/enterprises/{uscc}/{tier}")
def case(asked: Case, rule: Text = "", print: bool = False) -> HTMLResponse:
    """The page of a case; ``rule`` chooses the clause beside it, ``print`` unfolds everything."""
    at, title, how = asked.at, asked.title, asked.how
    answer = at.judging.check(asked.uscc, how.request, known_at=how.known_at)
    if not isinstance(answer, Refusal) and title not in {v.tier for v in answer.verdicts}:
        answer = asked.answer  # a tier that is asked about only by name
    if isinstance(answer, Refusal):
        return asked.refused(answer)
    verdict = next(v for v in answer.verdicts if v.tier == title)
    parts = tree.parts(verdict)
    found = verdict.finding
    return asked.page(
        "case.html",
        courses=asked.courses,
        result=answer,
        verdict=verdict,
        parts=parts,
        tree=tree.tree(verdict, full=print),
        score=scores.score(found, verdict.catalogue) if found else None,
        law=_law(
            at, how, verdict.decision, found, rule or _deciding(parts, found, verdict.catalogue)
        ),
        rejected=[*not_applied(verdict.governing, answer.as_of)] if verdict.governing else [],
        history=history(at, asked.uscc, title),
        unfolded=print,
    )


def _deciding(parts: tuple[VerdictPart, ...], finding: Finding | None, catalogue: Catalogue) -> str:
    """The first rule on which the verdict rests; for one that is met, the score or the whole."""
    grounds = [ground.rule for part in parts for ground in part.grounds]
    if grounds or finding is None:
        return next(iter(grounds), "")
    score = scores.score(finding, catalogue)
    return score.whole.rule if score else finding.rule


def _law(
    at: Office, how: How, decision: Decision | None, finding: Finding | None, rule: str
) -> LawBeside | None:
    if decision is None or finding is None:
        return None
    found = next((f for f in finding.walk() if f.rule == rule), finding)
    table = case_table(decision, found)
    with suppress(RegistryError):  # what was published may no longer compile; the verdict stands
        made = documenting.known_at(at.desk, how.known_at)
        if told := made.pages.rules.get(found.rule):
            criteria = made.publication if how.known_at else ""
            page = addresses.asked(addresses.rule(found.rule), criteria=criteria)
            return LawBeside(found, table, told, page)
    return LawBeside(found, table, None, "")


def history(at: Office, uscc: str, title: str) -> list[auditing.EntryLine]:
    """The decisions on this enterprise and tier, newest first."""
    query = EntryQuery(uscc=uscc, tier=title, kind=KINDS["decision"])
    return auditing.log(at.desk, query)[::-1]
