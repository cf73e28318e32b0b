"""Deciding many ``/decide``: all that the list's filters find, by a job."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import finding
from registry.desk.typed import province
from registry.jobs import kinds
from registry.web import work
from registry.web.forms import Form, Given, New, Sent
from registry.web.office import At, Office
from registry.web.pages.enterprises import Asked, Filters
from registry.web.pages.jobs import Jobs
from registry.web.rendering import page

router = APIRouter()


@router.get("/decide")
def ask(request: Request, at: At, filters: Asked, form: New) -> HTMLResponse:
    """The page on which all that is found is decided."""
    return _shown(request, at, filters, form)


@router.post("/decide")
def decide(request: Request, at: At, store: Jobs, filters: Asked, given: Given) -> Response:
    """Have them decided, and lead to the job."""
    return work.asked(
        request,
        store,
        given,
        kinds.DECIDE,
        lambda: _wanted(at, filters, given),
        lambda form, status: _shown(request, at, filters, form, status),
    )


def _wanted(at: Office, filters: Filters, given: Sent) -> kinds.Deciding:
    chosen = given.typed.get("tier", ())
    tiers = tuple(title for slug, title in at.to.tiers.items() if slug in chosen)
    if not tiers:
        given.faults["tier"] = "请选择层级"
    return kinds.Deciding(
        usccs=_found(at, filters),
        tiers=tiers,
        as_of=given.day("as_of"),
        procedure=given.text("procedure", "请选择程序"),
        batch=given.text("batch"),
        province=given.read("province", province),
    )


def _found(at: Office, filters: Filters) -> tuple[str, ...] | None:
    """Whom the filters find, with a filing to be decided; None for everybody."""
    if not any(filters.query.values()):
        return None
    return tuple(line.uscc for line in finding.every(at.desk, **filters.found) if line.filed)


def _shown(
    request: Request, at: Office, filters: Filters, form: Form, status: int = 200
) -> HTMLResponse:
    return page(
        request,
        "decide-many.html",
        status=status,
        form=form,
        filters=filters,
        found=finding.find(at.desk, **filters.found, limit=5),
        tiers=at.to.tiers,
    )
