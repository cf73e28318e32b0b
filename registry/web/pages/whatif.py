"""What-if ``/enterprises/{uscc}/{tier}/what-if``: what would turn the verdict; nothing is recorded."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from registry.desk import trying
from registry.desk.checking import Refusal
from registry.web.asked import typed
from registry.web.pages.case import Case

router = APIRouter()
#: The beginning of the names of fields that hold a figure to be tried.
FIGURE = "f."


@router.get("/enterprises/{uscc}/{tier}/what-if")
def what_if(request: Request, case: Case) -> HTMLResponse:
    """The smallest changes that would turn the verdict, and figures of one's own."""
    given = {
        name.removeprefix(FIGURE): typed(text)
        for name, text in request.query_params.items()
        if name.startswith(FIGURE)
    }
    wanted, known_at = case.how.of(case.title), case.how.known_at
    found = trying.trial(case.at.judging, case.uscc, wanted, given, known_at=known_at)
    if found is None:
        raise HTTPException(404)
    if isinstance(found, Refusal):
        return case.refused(found)
    return case.page("what-if.html", trial=found, given=given, figure=FIGURE)
