"""The desk ``/``: what waits for somebody, and the cases on record."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from registry.desk import enterprises
from registry.web.office import At
from registry.web.rendering import page

router = APIRouter()


@router.get("/")
def desk(request: Request, at: At) -> HTMLResponse:
    """The first page."""
    return page(request, "desk.html", filings=enterprises.listed(at.desk))
