"""Deciding ``/enterprises/{uscc}/{tier}/decide``: what will be recorded, on what it rests, one button."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from registry.desk import deciding
from registry.desk.checking import Refusal
from registry.desk.place import Desk
from registry.web import addresses
from registry.web.forms import Form, Given, New
from registry.web.pages.case import CaseAsked, CaseNow, history

router = APIRouter()


@router.get("/enterprises/{uscc}/{tier}/decide")
def ask(case: CaseNow, form: New) -> HTMLResponse:
    """The page on which a case is decided."""
    return _shown(case, form)


@router.post("/enterprises/{uscc}/{tier}/decide")
def decide(case: CaseNow, given: Given) -> Response:
    """Decide it, and lead to the decision."""

    def act(desk: Desk) -> str:
        done = deciding.decide(desk, case.uscc, case.how.of(case.title))
        assert done.seq is not None
        return addresses.decision(done.seq, same="1" if done.earlier else "")

    return case.recorded(given, act, lambda form, status: _shown(case, form, status))


def _shown(case: CaseAsked, form: Form, status: int = 200) -> HTMLResponse:
    answer = case.answer
    if isinstance(answer, Refusal):
        return case.refused(answer)
    [verdict] = answer.verdicts
    return case.page(
        "decide.html",
        status,
        form=form,
        result=answer,
        verdict=verdict,
        waiting=deciding.waiting(case.at.desk, case.uscc, case.how.as_of),
        history=history(case.at, case.uscc, case.title),
    )
