"""Two pairs of eyes ``/policy``: whether a second person must confirm what somebody determines."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import auditing
from registry.desk.auditing import EntryQuery
from registry.desk.place import Seen
from registry.portable.chain import KINDS
from registry.web import addresses
from registry.web.forms import Form, Given, Perhaps, recorded
from registry.web.office import At, Office
from registry.web.rendering import page

router = APIRouter()


@router.get("/policy")
def policy(request: Request, at: At, form: Perhaps) -> HTMLResponse:
    """What holds now, since which entry, and the button that changes it."""
    return _shown(request, at, form)


@router.post("/policy")
def change(request: Request, at: At, given: Given) -> Response:
    """Change it, and lead to the entry."""
    asked = given.text("four_eyes") == "on"
    return recorded(
        request,
        given,
        Seen(given.head, (), ("policy",)),
        lambda desk: addresses.entry(auditing.set_four_eyes(desk, asked).seq),
        lambda form, status: _shown(request, at, form, status),
    )


def _shown(request: Request, at: Office, form: Form | None, status: int = 200) -> HTMLResponse:
    return page(
        request,
        "policy.html",
        status=status,
        form=form,
        four_eyes=auditing.four_eyes(at.desk),
        changes=auditing.log(at.desk, EntryQuery(kind=KINDS["policy"]))[::-1],
        waiting=len(auditing.unconfirmed(at.desk)),
    )
