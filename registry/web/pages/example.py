"""A case as a scenario ``/enterprises/{uscc}/{tier}/example``, for the drafter of a criterion."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from registry.desk.checking import Refusal
from registry.web.asked import Text
from registry.web.pages.case import Case
from rules.drafting import recorded

router = APIRouter()


@router.get("/enterprises/{uscc}/{tier}/example")
def example(case: Case, rule: Text = "") -> HTMLResponse:
    """The scenario of a rule, or of the whole; figures only, nobody is named."""
    answer = case.answer
    if isinstance(answer, Refusal):
        return case.refused(answer)
    [verdict] = answer.verdicts
    if verdict.decision is None or verdict.finding is None:
        raise HTTPException(404)
    found = next((f for f in verdict.finding.walk() if f.rule == rule), verdict.finding)
    written = recorded.text(recorded.scenario(verdict.decision, found.rule))
    return case.page("example.html", finding=found, written=written)
