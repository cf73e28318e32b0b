"""Withdrawing ``/enterprises/{uscc}/withdraw``: closes a filing without a decision."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import deciding, enterprises
from registry.desk.place import Desk
from registry.web import addresses
from registry.web.asked import Day
from registry.web.forms import Form, Given, New, recorded
from registry.web.office import At, Office
from registry.web.rendering import page

router = APIRouter()


@router.get("/enterprises/{uscc}/withdraw")
def ask(request: Request, at: At, uscc: str, form: New, as_of: Day = None) -> HTMLResponse:
    """The page on which a filing is withdrawn; ``as_of`` asks for the newest on or before a day."""
    return _shown(request, at, uscc, form, as_of)


@router.post("/enterprises/{uscc}/withdraw")
def withdraw(request: Request, at: At, uscc: str, given: Given, as_of: Day = None) -> Response:
    """Withdraw it, and lead to the entry."""

    def act(desk: Desk) -> str:
        ground = given.text("ground", "请写明理由，例如 企业来函撤回申报")
        given.refuse()
        return addresses.entry(deciding.withdraw(desk, uscc, ground, as_of).seq)

    return recorded(
        request,
        given,
        given.about(uscc),
        act,
        lambda form, status: _shown(request, at, uscc, form, as_of, status),
    )


def _shown(
    request: Request, at: Office, uscc: str, form: Form, as_of: Day, status: int = 200
) -> HTMLResponse:
    filings = [f for f in enterprises.current(at.desk, uscc) if as_of is None or f.as_of <= as_of]
    return page(request, "withdraw.html", status=status, uscc=uscc, form=form, filings=filings[-1:])
