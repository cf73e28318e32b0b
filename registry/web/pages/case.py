"""A case ``/enterprises/{uscc}/{tier}``: the verdict and its reasons beside the law."""

from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from registry.desk import auditing, documenting, enterprises
from registry.desk.auditing import EntryQuery
from registry.desk.checking import Cause, Refusal
from registry.errors import RegistryError
from registry.portable.chain import KINDS
from registry.reports import scores, tree
from registry.reports.tree import VerdictPart
from registry.reports.verdicts import not_applied
from registry.web import addresses
from registry.web.asked import Asked, How, Text, Tier
from registry.web.office import At, Office
from registry.web.remedies import advice
from registry.web.rendering import page
from rules.decider import Decision
from rules.drafting.documentation.values import RulePage
from rules.explanation.explain import Finding
from rules.explanation.tables import CaseTable, case_table
from rules.model.catalogue import Catalogue

router = APIRouter()


@dataclass(frozen=True)
class LawBeside:
    """What stands beside a verdict: a finding's clause, its table with the case, and what is told of it.

    ``page`` is the address of the rule's own page, empty if it has none.
    """

    finding: Finding
    table: CaseTable | None
    told: RulePage | None
    page: str


@router.get("/enterprises/{uscc}/{tier}")
def case(
    request: Request,
    at: At,
    uscc: str,
    title: Tier,
    how: Asked,
    rule: Text = "",
    print: bool = False,
) -> HTMLResponse:
    """The page of a case; ``rule`` chooses the clause beside it, ``print`` unfolds everything."""
    filings = enterprises.current(at.desk, uscc)
    answer = at.judging.check(uscc, how.request, known_at=how.known_at)
    if not isinstance(answer, Refusal) and title not in {v.tier for v in answer.verdicts}:
        wanted = replace(how.request, tiers=(title,))  # a tier that is asked about only by name
        answer = at.judging.check(uscc, wanted, known_at=how.known_at)
    head: dict[str, Any] = {
        "uscc": uscc,
        "tier": title,
        "how": how,
        "filing": filings[-1],
        "filings": filings,
    }
    if isinstance(answer, Refusal):
        return refused(request, answer, head)
    verdict = next(v for v in answer.verdicts if v.tier == title)
    parts = tree.parts(verdict)
    found = verdict.finding
    return page(
        request,
        "case.html",
        **head,
        result=answer,
        verdict=verdict,
        parts=parts,
        tree=tree.tree(verdict, full=print),
        score=scores.score(found, verdict.catalogue) if found else None,
        law=_law(
            at, how, verdict.decision, found, rule or _deciding(parts, found, verdict.catalogue)
        ),
        rejected=[*not_applied(verdict.governing, answer.as_of)] if verdict.governing else [],
        history=history(at, uscc, title),
        unfolded=print,
    )


def refused(request: Request, refusal: Refusal, head: dict[str, Any]) -> HTMLResponse:
    """The page of a case that could not be judged."""
    faulty = refusal.cause in (Cause.ENGINE, Cause.FAULT)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if faulty else HTTPStatus.UNPROCESSABLE_ENTITY
    said = {"refusal": refusal, "advice": advice(refusal.remedy), "faulty": faulty}
    return page(request, "case-refused.html", status=status, **head, **said)


def _deciding(parts: tuple[VerdictPart, ...], finding: Finding | None, catalogue: Catalogue) -> str:
    """The first rule on which the verdict rests; of one that is met, the score or the whole."""
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
