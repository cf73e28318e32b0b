"""The checkpoints ``/checkpoints``: signed statements of the journal, and whether it still fits them."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import checkpoints
from registry.web.office import At
from registry.web.rendering import page

router = APIRouter()


@router.get("/checkpoints")
def kept(request: Request, at: At) -> HTMLResponse:
    """All checkpoints that are kept here."""
    return page(request, "checkpoints.html", found=checkpoints.on_record(at.desk))


@router.get("/checkpoints/{size}.txt")
def note(at: At, size: int) -> Response:
    """A checkpoint as the note that was signed, to be handed to others byte by byte."""
    text = checkpoints.note(at.desk, size)
    return Response(
        text.encode(),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename=checkpoint-{size}.txt"},
    )
