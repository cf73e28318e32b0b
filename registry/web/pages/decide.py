"""Deciding ``/enterprises/{uscc}/{tier}/decide``: what will be recorded, on what it rests, one button."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import deciding, enterprises
from registry.desk.checking import Refusal
from registry.desk.place import Desk, Seen
from registry.web import addresses
from registry.web.asked import Asked, How, Tier
from registry.web.forms import Form, Given, New, recorded
from registry.web.office import At, Office
from registry.web.pages import case
from registry.web.rendering import page

router = APIRouter()


@router.get("/enterprises/{uscc}/{tier}/decide")
def ask(request: Request, at: At, uscc: str, title: Tier, how: Asked, form: New) -> HTMLResponse:
    """The page on which a case is decided."""
    return _shown(request, at, uscc, title, how, form)


@router.post("/enterprises/{uscc}/{tier}/decide")
def decide(request: Request, at: At, uscc: str, title: Tier, how: Asked, given: Given) -> Response:
    """Decide it, and lead to the decision."""

    def act(desk: Desk) -> str:
        done = deciding.decide(desk, uscc, how.of(title))
        assert done.seq is not None
        return addresses.decision(done.seq, same="1" if done.earlier else "")

    return recorded(
        request,
        given,
        lambda head: Seen(head, (uscc,)),
        act,
        lambda form, status: _shown(request, at, uscc, title, how, form, status),
    )


def _shown(
    request: Request,
    at: Office,
    uscc: str,
    title: str,
    how: How,
    form: Form,
    status: int = 200,
) -> HTMLResponse:
    filings = enterprises.current(at.desk, uscc)
    answer = at.judging.check(uscc, how.of(title))
    asked = [f for f in filings if how.as_of is None or f.as_of <= how.as_of]
    head = {"uscc": uscc, "tier": title, "how": how, "filing": asked[-1], "filings": filings}
    if isinstance(answer, Refusal):
        return case.refused(request, answer, head)
    [verdict] = answer.verdicts
    return page(
        request,
        "decide.html",
        status=status,
        **head,
        form=form,
        result=answer,
        verdict=verdict,
        waiting=deciding.waiting(at.desk, uscc, how.as_of),
        history=case.history(at, uscc, title),
    )
