"""A case as a scenario ``/enterprises/{uscc}/{tier}/example``, for the drafter of a criterion."""

from dataclasses import replace

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from registry.desk import enterprises
from registry.desk.checking import Refusal
from registry.web.asked import Asked, Text, Tier
from registry.web.office import At
from registry.web.pages.case import refused
from registry.web.rendering import page
from rules.drafting import recorded

router = APIRouter()


@router.get("/enterprises/{uscc}/{tier}/example")
def example(
    request: Request, at: At, uscc: str, title: Tier, how: Asked, rule: Text = ""
) -> HTMLResponse:
    """The scenario of a rule, or of the whole; figures only, nobody is named."""
    filings = enterprises.current(at.desk, uscc)
    wanted = replace(how.request, tiers=(title,))
    answer = at.judging.check(uscc, wanted, known_at=how.known_at)
    if isinstance(answer, Refusal):
        head = {"uscc": uscc, "tier": title, "how": how, "filing": filings[-1]}
        return refused(request, answer, head)
    [verdict] = answer.verdicts
    if verdict.decision is None or verdict.finding is None:
        raise HTTPException(404)
    found = next((f for f in verdict.finding.walk() if f.rule == rule), verdict.finding)
    written = recorded.text(recorded.scenario(verdict.decision, found.rule))
    return page(
        request,
        "example.html",
        uscc=uscc,
        tier=title,
        how=how,
        filing=filings[-1],
        finding=found,
        written=written,
    )
