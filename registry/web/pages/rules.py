"""The criteria ``/rules``: clauses, tables, examples, texts, comparisons, and what applies when.

The same pages as the static site's, over the same values, in the frame of this face.
"""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import rulebooks
from registry.reports import site
from registry.web import addresses, assets
from registry.web.office import documented
from registry.web.rendering import framed

router = APIRouter()
_INDEX = "/rules/index.js"
_COMPARED = "..."


def link(kind: str, key: str = "", anchor: str = "") -> str:
    """The address of a page of the criteria; empty if there is none."""
    match kind:
        case "home":
            path = "/rules"
        case "applicability":
            path = "/applicability"
        case "indicators":
            path = "/indicators"
        case "rule":
            path = addresses.rule(key) if key in documented().pages.rules else ""
        case "edition" | "comparison":
            path = addresses.edition(key)
        case "asset":
            path = _INDEX if key == site.INDEX else assets.address(key)
        case _:
            path = ""
    return f"{path}#{anchor}" if path and anchor else path


@router.get("/rules")
def home(request: Request) -> HTMLResponse:
    """All texts, and how far their examples reach."""
    return _page(request, "home")


@router.get("/applicability")
def applicability(request: Request) -> HTMLResponse:
    """Which text applies when."""
    return _page(request, "applicability")


@router.get("/indicators")
def indicators(request: Request) -> HTMLResponse:
    """The derived indicators with their formulas."""
    return _page(request, "indicators")


@router.get(_INDEX)
def index() -> Response:
    """What is searched."""
    text = site.index(documented().pages, link)
    return Response(text, media_type="text/javascript; charset=utf-8")


@router.get("/rules/{id}")
def rule(request: Request, id: str) -> HTMLResponse:
    """A rule; one that does not exist is refused with similar ids."""
    rulebooks.rulebook().clause(id)
    return _page(request, "rule", page=documented().pages.rules[id])


@router.get("/editions/{text:path}")
def edition(request: Request, text: str) -> HTMLResponse:
    """A text, or two of them side by side."""
    docs = documented().pages
    before, compared, after = text.partition(_COMPARED)
    if compared and (before, after) in docs.compared:
        found = [c for c in docs.comparisons if (c.before, c.after) == (before, after)]
        return _page(request, "comparison", before=before, after=after, pages=found)
    folder = addresses.TOP if text == addresses.GENERAL else text
    if folder not in {e.folder for e in docs.editions}:
        raise HTTPException(404)
    return _page(request, "edition", page=docs.edition(folder))


def _page(request: Request, template: str, **values: Any) -> HTMLResponse:
    made = documented()
    frame = framed(request, "rules-frame.html")
    return HTMLResponse(
        site.rendered(template, made.pages, link, site=made.site, **{**frame, **values})
    )
