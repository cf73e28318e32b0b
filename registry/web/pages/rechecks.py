"""Re-checks ``/rechecks``: of a day, by tier, place and round; who is due, applied, lost or would fail."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from registry.desk import courses, finding, rechecks
from registry.desk.place import Desk
from registry.desk.rechecks import Holder, Judged
from registry.errors import RecordError
from registry.reports import rechecks as report
from registry.web.addresses import asked
from registry.web.asked import Day, Number, Text
from registry.web.office import At
from registry.web.rendering import page

router = APIRouter()
#: The holders of a page, of whom each is judged.
LEAF = 20


@dataclass(frozen=True)
class Filters:
    """What is asked of a day; what is empty asks nothing."""

    on: Day = None
    tier: Text = ""
    place: Text = ""
    round: Text = ""

    @property
    def query(self) -> dict[str, str]:
        """The same in an address."""
        on = self.on.isoformat() if self.on else ""
        return {"on": on, "tier": self.tier, "place": self.place, "round": self.round}

    def wanted(self, desk: Desk) -> rechecks.Asked:
        """The same for the desk; ``RecordError`` for what there is not."""
        return rechecks.Asked(
            day=self.on or desk.today, tier=self.tier, place=finding.region(self.place) if self.place else "",
            round=self.round,
        )  # fmt: skip


Asked: TypeAlias = Annotated[Filters, Depends()]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A holder as the page shows it: in words, with what the criteria say."""

    holder: Holder
    judged: Judged | None
    applied: str
    misses: tuple[str, ...]


@router.get("/rechecks")
def listed(request: Request, at: At, filters: Asked, number: Number = None) -> HTMLResponse:
    """A page of the list; whoever is on it is judged."""
    leaf = number or 1
    wanted = filters.wanted(at.desk)
    found = rechecks.find(at.desk, wanted, first=(leaf - 1) * LEAF, limit=LEAF)
    if not found.holders and leaf > 1:
        raise RecordError("no-such-page", "「{value}」不是翻页的位置：请从第一页看起", value=leaf)
    found = rechecks.judge_shown(at.judging, found)
    counts = Counter[str]()
    for (_, standing), count in found.counts.items():
        counts[standing] += count

    def turned(to: int) -> str:
        return asked("/rechecks", **filters.query, number=to if to > 1 else "")

    return page(
        request,
        "rechecks.html",
        filters=filters,
        found=found,
        shown=[_shown(holder, found.judged.get(holder.key)) for holder in found.holders],
        counts={one: counts[one] for one in report.STANDINGS if counts[one]},
        tiers=at.to.tiers,
        rounds=[view.round for view in courses.rounds(at.desk)],
        before=turned(leaf - 1) if leaf > 1 else "",
        following=turned(leaf + 1) if found.total > leaf * LEAF else "",
    )


def _shown(holder: Holder, judged: Judged | None) -> Shown:
    return Shown(
        holder=holder,
        judged=judged,
        applied=report.applied(holder.applied),
        misses=tuple(map(report.miss, judged.misses)) if judged else (),
    )
