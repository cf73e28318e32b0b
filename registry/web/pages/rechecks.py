"""Re-checks ``/rechecks``: of a day, by tier, place and round; who is due, applied, lost or would fail."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import finding, rechecks, rounds
from registry.desk.place import Desk
from registry.desk.rechecks import Holder, Judged
from registry.kit.jsontext import json_text
from registry.reports import rechecks as report
from registry.web.addresses import asked
from registry.web.asked import Day, Text
from registry.web.office import At
from registry.web.rendering import page
from registry.web.sending import made

router = APIRouter()


@dataclass(frozen=True)
class Filters:
    """Which re-checks of a day are asked for; an empty filter admits all."""

    on: Day = None
    tier: Text = ""
    place: Text = ""
    round: Text = ""
    batch: Text = ""

    @property
    def query(self) -> dict[str, str]:
        """The same in an address."""
        return {
            "on": self.on.isoformat() if self.on else "",
            "tier": self.tier,
            "place": self.place,
            "round": self.round,
            "batch": self.batch,
        }

    def wanted(self, desk: Desk) -> rechecks.Asked:
        """The same for the desk; ``RecordError`` for anything that does not exist."""
        return rechecks.Asked(
            day=self.on or desk.today, tier=self.tier, place=finding.region(self.place) if self.place else "",
            round=self.round, batch=self.batch,
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
def listed(request: Request, at: At, filters: Asked, after: Text = "") -> HTMLResponse:
    """A page of the list; whoever is on it is judged."""
    found, following = rechecks.leafed(at.judging, at.desk, filters.wanted(at.desk), after)
    counts = Counter[str]()
    for (_, standing), count in found.counts.items():
        counts[standing] += count
    return page(
        request,
        "rechecks.html",
        filters=filters,
        found=found,
        shown=[_shown(holder, found.judged.get(holder.key)) for holder in found.holders],
        counts={one: counts[one] for one in report.STANDINGS if counts[one]},
        tiers=at.to.tiers,
        rounds=[view.round for view in rounds.every(at.desk)],
        unjudged=rechecks.UNJUDGED,
        after=after,
        first=asked("/rechecks", **filters.query),
        following=asked("/rechecks", **filters.query, after=following) if following else "",
        files={
            name: asked(f"/rechecks.{ending}", **filters.query)
            for name, ending in (("导出表格", "xlsx"), ("JSON", "json"))
        },
    )


@router.get("/rechecks.xlsx")
def book(at: At, filters: Asked) -> Response:
    """All that is found, judged, as a workbook."""
    found = rechecks.whole(at.judging, at.desk, filters.wanted(at.desk))
    return made("rechecks.xlsx", partial(report.write_workbook, found))


@router.get("/rechecks.json")
def plain(at: At, filters: Asked) -> Response:
    """The same in JSON."""
    found = rechecks.whole(at.judging, at.desk, filters.wanted(at.desk))
    text = f"{json_text(report.plain(found))}\n"
    return made("rechecks.json", partial(Path.write_text, data=text, encoding="utf-8"))


def _shown(holder: Holder, judged: Judged | None) -> Shown:
    return Shown(
        holder=holder,
        judged=judged,
        applied=report.applied(holder.applied),
        misses=tuple(map(report.miss, judged.misses)) if judged else (),
    )
