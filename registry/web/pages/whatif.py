"""What-if ``/enterprises/{uscc}/{tier}/what-if``: what would turn the verdict; nothing is recorded."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from registry.desk import enterprises, trying
from registry.desk.checking import Refusal
from registry.web.asked import Asked, Tier, typed
from registry.web.office import At
from registry.web.pages.case import refused
from registry.web.rendering import page

router = APIRouter()
#: The beginning of the names of fields that hold a figure to be tried.
FIGURE = "f."


@router.get("/enterprises/{uscc}/{tier}/what-if")
def what_if(request: Request, at: At, uscc: str, title: Tier, how: Asked) -> HTMLResponse:
    """The smallest changes that would turn the verdict, and figures of one's own."""
    filings = enterprises.current(at.desk, uscc)
    given = {
        name.removeprefix(FIGURE): typed(text)
        for name, text in request.query_params.items()
        if name.startswith(FIGURE)
    }
    wanted = replace(how.request, tiers=(title,))
    found = trying.trial(at.judging, uscc, wanted, given, known_at=how.known_at)
    head: dict[str, Any] = {"uscc": uscc, "tier": title, "how": how, "filing": filings[-1]}
    if found is None:
        raise HTTPException(404)
    if isinstance(found, Refusal):
        return refused(request, found, head)
    return page(request, "what-if.html", **head, trial=found, given=given, figure=FIGURE)
