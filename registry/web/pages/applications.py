"""The list ``/applications``: where applications stand, whose turn it is, and until when."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from registry.desk import caseload, courses, rounds
from registry.desk.caseload import Wanted
from registry.desk.place import Desk
from registry.web.addresses import asked
from registry.web.asked import Day, Number, Text
from registry.web.office import At
from registry.web.rendering import page

router = APIRouter()


@dataclass(frozen=True)
class Filters:
    """Which applications are asked for; an empty filter admits all."""

    tier: Text = ""
    state: Text = ""
    level: Text = ""
    due: Day = None
    round: Number = None

    @property
    def query(self) -> dict[str, Any]:
        """The same in an address."""
        due = self.due.isoformat() if self.due else ""
        given = {
            "tier": self.tier, "state": self.state, "level": self.level, "due": due,
            "round": self.round,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}

    def wanted(self, desk: Desk) -> Wanted:
        """The same for the desk; an unknown tier or round is refused."""
        return Wanted(
            tier=desk.tier(self.tier).name if self.tier else "",
            state=self.state,
            level=self.level,
            due=self.due,
            round=rounds.numbered(desk, self.round).round if self.round else None,
        )


Asked: TypeAlias = Annotated[Filters, Depends()]


@router.get("/applications")
def applications(
    request: Request,
    at: At,
    filters: Asked,
    after: Text = "",
    first: Number = None,
    last: Number = None,
) -> HTMLResponse:
    """A page of the list; ``first`` and ``last`` are the numbers of what was just recorded."""
    wanted = filters.wanted(at.desk)
    found = caseload.page(at.desk, wanted, after=after)
    return page(
        request,
        "applications.html",
        filters=filters,
        found=found,
        after=after,
        done=(first, last) if first and last and first <= last else None,
        choosing=bool(filters.tier),
        tiers=at.to.tiers,
        states=caseload.states(at.desk, wanted.tier),
        levels=courses.ACTORS,
        rounds=rounds.every(at.desk),
        counted=caseload.counted,
        today=at.desk.today,
        following=asked("/applications", **filters.query, after=found.after),
        first=asked("/applications", **filters.query),
    )
