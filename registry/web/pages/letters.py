"""Letters ``/letters``: to all enterprises that the list's filters find, as one archive."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import finding, letters
from registry.web.asked import Text
from registry.web.office import At, Office
from registry.web.pages.enterprises import Asked, Filters
from registry.web.rendering import page

router = APIRouter()
_ARCHIVE: Final = "attachment; filename*=UTF-8''%E5%91%8A%E7%9F%A5%E4%B9%A6.zip"


@router.get("/letters")
def ask(request: Request, at: At, filters: Asked) -> HTMLResponse:
    """The page on which letters are asked for: to whom, and in whose name."""
    return page(
        request,
        "letters.html",
        filters=filters,
        numbers=_numbers(at, filters),
        most=letters.MOST,
    )


@router.get("/letters.zip")
def archive(at: At, filters: Asked, office: Text = "") -> Response:
    """The letters, a file each; if some could not be written, a text says which, and why."""
    found = letters.written(at.desk, _numbers(at, filters), office)
    return Response(
        found.data, media_type="application/zip", headers={"Content-Disposition": _ARCHIVE}
    )


def _numbers(at: Office, filters: Filters) -> list[int]:
    """The decisions on the filings that stand, of the enterprises that are found."""
    wanted = filters.found
    tier = at.to.tiers.get(wanted["tier"], wanted["tier"])
    lines = finding.every(at.desk, **wanted)
    return [
        decided.seq
        for line in lines
        for decided in line.decisions
        if decided.current
        and tier in ("", decided.tier)
        and wanted["outcome"] in ("", decided.outcome)
    ]
