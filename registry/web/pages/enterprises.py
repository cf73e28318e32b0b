"""The list ``/enterprises``: search and filters, page by page, and all that is found as a workbook."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import finding
from registry.reports import lists
from registry.web.addresses import asked
from registry.web.asked import Text
from registry.web.office import At
from registry.web.rendering import page
from rules.model.ruleset import OUTCOMES

router = APIRouter()
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Filters:
    """Which enterprises are asked for; an empty filter admits all."""

    q: Text = ""
    place: Text = ""
    tier: Text = ""
    outcome: Text = ""

    @property
    def query(self) -> dict[str, str]:
        """The same in an address."""
        return {"q": self.q, "place": self.place, "tier": self.tier, "outcome": self.outcome}

    @property
    def found(self) -> dict[str, Any]:
        """The same for the desk; an unknown tier is refused there, an unclear place here."""
        place = finding.region(self.place) if self.place else ""
        return {"query": self.q, "place": place, "tier": self.tier, "outcome": self.outcome}


Asked: TypeAlias = Annotated[Filters, Depends()]


@router.get("/enterprises")
def enterprises(request: Request, at: At, filters: Asked, after: Text = "") -> HTMLResponse:
    """A page of the list."""
    wanted = filters.found
    found = finding.find(at.desk, **wanted, after=after, limit=50)
    return page(
        request,
        "enterprises.html",
        filters=filters,
        found=found,
        after=after,
        tiers=at.to.tiers,
        tally=finding.tally(at.desk, place=wanted["place"], tier=wanted["tier"]),
        outcomes=(finding.UNDECIDED_WORD, *OUTCOMES),
        following=asked("/enterprises", **filters.query, after=found.after),
        first=asked("/enterprises", **filters.query),
        book=asked("/enterprises.xlsx", **filters.query),
    )


@router.get("/enterprises.xlsx")
def book(at: At, filters: Asked) -> Response:
    """All that is found, as a workbook."""
    found = finding.every(at.desk, **filters.found)
    return Response(
        lists.workbook(found, at.desk.to_be_filed().tiers),
        media_type=_WORKBOOK,
        headers={"Content-Disposition": "attachment; filename*=UTF-8''enterprises.xlsx"},
    )
