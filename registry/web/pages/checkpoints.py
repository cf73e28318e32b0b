"""Checkpoints ``/checkpoints``: signed statements of the journal, for others to hold, and whether each still fits it."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import auditing, checkpoints
from registry.desk.place import Desk
from registry.web import addresses
from registry.web.forms import Form, Given, Perhaps, recorded
from registry.web.office import At, Office
from registry.web.rendering import page

router = APIRouter()

#: A name of a key has no blanks: they part the fields of a note.
_NAME: Final = "请写明登记机关的名称，不含空格，例如 某市中小企业局"


@router.get("/checkpoints")
def kept(request: Request, at: At, form: Perhaps) -> HTMLResponse:
    """All checkpoints that are kept here, and the form that signs one more."""
    return _shown(request, at, form)


@router.post("/checkpoints")
def sign(request: Request, at: At, given: Given) -> Response:
    """Sign the present state, and lead to the checkpoint."""
    return recorded(
        request,
        given,
        given.unconcerned,
        lambda desk: addresses.checkpoint(auditing.checkpoint(desk).size),
        lambda form, status: _shown(request, at, form, status),
    )


@router.post("/checkpoints/key")
def create(request: Request, at: At, given: Given) -> Response:
    """Create the key that signs them, once."""

    def act(_: Desk) -> str:
        name = given.text("name", _NAME)
        given.refuse()
        auditing.new_key(name)
        return "/checkpoints"

    return recorded(
        request,
        given,
        given.unconcerned,
        act,
        lambda form, status: _shown(request, at, form, status),
    )


@router.get("/checkpoints/{size}")
def checkpoint(request: Request, at: At, size: int) -> HTMLResponse:
    """One checkpoint, and what to do with it."""
    note, key = checkpoints.note(at.desk, size), auditing.public_key()
    return page(request, "checkpoint.html", size=size, note=note, key=key)


@router.get("/checkpoints/{size}/note")
def note(at: At, size: int) -> Response:
    """A checkpoint as the note that was signed, to be handed to others byte by byte."""
    return Response(
        checkpoints.note(at.desk, size).encode(),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="checkpoint-{size}.txt"'},
    )


def _shown(request: Request, at: Office, form: Form | None, status: int = 200) -> HTMLResponse:
    found = checkpoints.on_record(at.desk)
    return page(
        request,
        "checkpoints.html",
        status=status,
        form=form,
        found=found,
        key=auditing.public_key(),
    )


@router.get("/verify.py")
def verifier() -> Response:
    """The program that verifies checkpoints and bundles with Python alone."""
    return Response(
        auditing.verifier_script(),
        media_type="application/octet-stream",
        headers={"Content-Disposition": 'attachment; filename="verify.py"'},
    )
