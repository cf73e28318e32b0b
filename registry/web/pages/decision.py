"""A decision ``/decisions/{seq}``: explained from its record, for whoever reads it, and taken again."""

from typing import Annotated, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import auditing, documenting, explaining, replaying
from registry.errors import RecordError
from registry.reports import readers
from registry.reports.layout import CITED
from registry.reports.readers import READERS
from registry.reports.writing import Writer, file_name
from registry.web.asked import Text
from registry.web.office import At
from registry.web.remedies import words
from registry.web.rendering import page

router = APIRouter()
#: For whom a decision is explained, and what each is called.
_READERS: Final = dict(zip(READERS, ("企业", "经办人", "审计人"), strict=True))
OFFICER: Final = "officer"
Reader = Annotated[Literal["enterprise", "officer", "auditor"], Query(alias="for")]


#: The errors of a number that is no decision's, so that there is nothing to show.
_UNFIT: Final = ("no-such-entry", "not-a-decision")


@router.get("/decisions/{seq}.json")
def data(at: At, seq: int) -> Response:
    """Everything about a decision, for programs."""
    return _file(at, seq, "json", "application/json")


@router.get("/decisions/{seq}/letter")
def letter(at: At, seq: int, office: Text = "") -> Response:
    """The letter to the enterprise from the ``office``, as a file to print or to send."""
    return _file(at, seq, "letter", "text/html; charset=utf-8", office)


@router.get("/decisions/{seq}/replay")
def replay(request: Request, at: At, seq: int) -> HTMLResponse:
    """A decision with the facts and rules of then and now."""
    found = replaying.crossed(at.desk, seq)
    view = auditing.entry(at.desk, seq)
    return page(request, "crossed.html", found=found, view=view)


@router.get("/decisions/{seq}")
def decision(
    request: Request, at: At, seq: int, reader: Reader = OFFICER, same: bool = False
) -> HTMLResponse:
    """The page of a decision for a reader; ``same`` says that it was not recorded again."""
    try:
        found = explaining.one(at.desk, seq)
    except RecordError as error:
        if error.slug in _UNFIT:
            raise
        failed = replaying.replay(at.desk, seq)
        return page(request, "decision-differs.html", status=500, seq=seq, failed=failed)
    return page(
        request,
        "decision.html",
        found=found,
        report=readers.report(found, reader, words),
        cited=CITED,
        reader=reader,
        readers=_READERS,
        publication=documenting.in_force_at(at.desk, seq),
        same=same,
    )


def _file(at: At, seq: int, form: str, kind: str, office: str = "") -> Response:
    """A decision as a file that the browser saves: it has a look of its own, and no page's policy."""
    found = explaining.one(at.desk, seq)
    writer = Writer(form, "officer", office, words=words)
    name = quote(file_name(found.entry, form, at.desk.to_be_filed()))
    return Response(
        writer.file([writer.one(found)], seq),
        media_type=kind,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )
