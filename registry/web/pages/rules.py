"""The criteria ``/rules``: clauses, tables, examples, texts, comparisons, and what applies when.

The same pages as the static site's, over the same values, in the frame of this face. ``criteria`` in
an address asks for an earlier publication, or for what the program has at hand.
"""

from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import auditing, documenting, tallying
from registry.desk.auditing import EntryQuery
from registry.portable.chain import KINDS
from registry.reports import site
from registry.web import addresses
from registry.web.criteria import ARCHIVE, AT_HAND, INDEX, Criteria, Shown
from registry.web.office import At
from registry.web.rendering import framed

router = APIRouter()
_COMPARED: Final = "..."


@router.get("/rules")
def home(request: Request, at: At, shown: Criteria) -> HTMLResponse:
    """All texts, how far their examples reach, and every publication."""
    publications = auditing.log(at.desk, EntryQuery(kind=KINDS["publication"]))[::-1]
    differs = not shown.named and documenting.at_hand_differs(at.desk)
    return _page(
        request,
        shown,
        "home",
        publications=publications,
        at_hand=addresses.asked("/rules", criteria=AT_HAND) if differs else "",
        archive=addresses.asked(ARCHIVE, criteria=shown.named),
    )


@router.get("/applicability")
def applicability(request: Request, shown: Criteria) -> HTMLResponse:
    """Which text applies when."""
    return _page(request, shown, "applicability")


@router.get("/indicators")
def indicators(request: Request, shown: Criteria) -> HTMLResponse:
    """The derived indicators with their formulas."""
    return _page(request, shown, "indicators")


@router.get("/changes")
def changes(request: Request, shown: Criteria) -> HTMLResponse:
    """What is not as it was in the publication before."""
    if not shown.made.pages.differs:
        raise HTTPException(404)
    return _page(request, shown, "changes")


@router.get(INDEX)
def index(shown: Criteria) -> Response:
    """What is searched."""
    text = site.index(shown.made.pages, shown.link)
    return Response(text, media_type="text/javascript; charset=utf-8")


@router.get(ARCHIVE)
def archive(shown: Criteria) -> Response:
    """The same pages as an archive, which opens anywhere without a server."""
    name = quote(f"{documenting.ARCHIVED}.zip")
    return Response(
        documenting.archive(shown.made),
        media_type="application/zip",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


@router.get("/rules/{id}")
def rule(request: Request, at: At, shown: Criteria, id: str) -> HTMLResponse:
    """A rule, with how many enterprises fail on it; one that does not exist is refused with similar ids."""
    shown.made.rulebook.clause(id)
    docs = shown.made.pages
    found = docs.rules[id]
    tiers = [*dict.fromkeys(row.tier for row in found.applies if row.encoded)]
    rulesets = {digest for e in docs.editions for digest in e.roots.values()}
    compiled = shown.made.rulebook.rules.get(id)
    judged = compiled and not compiled.records and compiled.possible is None
    ours = tallying.standings(at.desk, id, tiers, rulesets) if judged else []
    return _page(request, shown, "rule", page=found, ours=ours, named=tallying.NAMED)


@router.get("/editions/{text:path}")
def edition(request: Request, shown: Criteria, text: str) -> HTMLResponse:
    """A text, or two of them side by side."""
    docs = shown.made.pages
    before, compared, after = text.partition(_COMPARED)
    if compared and (before, after) in docs.compared:
        found = [c for c in docs.comparisons if (c.before, c.after) == (before, after)]
        return _page(request, shown, "comparison", before=before, after=after, pages=found)
    folder = addresses.TOP if text == addresses.GENERAL else text
    if folder not in {e.folder for e in docs.editions}:
        raise HTTPException(404)
    return _page(request, shown, "edition", page=docs.edition(folder))


def _page(request: Request, shown: Shown, template: str, **values: Any) -> HTMLResponse:
    frame = framed(request, "rules-frame.html")
    own = {"site": shown.made.site, "shown": shown, "publications": (), **values}
    return HTMLResponse(site.rendered(template, shown.made.pages, shown.link, **{**frame, **own}))
