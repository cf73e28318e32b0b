"""What is due ``/due``: of a day, by tier, matter, state and place; as a list, and as files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import due as desk_due
from registry.desk import finding
from registry.desk.due import DONE, MATTERS, OVERDUE, PRESSING, STATES, DueLine
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.reports import dues
from registry.web import addresses
from registry.web.addresses import asked
from registry.web.asked import Day, Text
from registry.web.office import At
from registry.web.rendering import page
from registry.web.sending import made
from rules.portable.clocks import CHANGE, COMPLAINT, RECHECK, UPDATE

router = APIRouter()
#: The choice of all states.
ALL: Final = "全部"


@dataclass(frozen=True)
class Filters:
    """Which matters of a day are asked for; an empty filter admits all, except that the states default to pressing ones."""

    on: Day = None
    tier: Text = ""
    matter: Text = ""
    state: Text = ""
    place: Text = ""

    @property
    def query(self) -> dict[str, str]:
        """The same in an address."""
        return {
            "on": self.on.isoformat() if self.on else "",
            "tier": self.tier,
            "matter": self.matter,
            "state": self.state,
            "place": self.place,
        }

    @property
    def states(self) -> tuple[str, ...]:
        """The states that are listed."""
        return {"": PRESSING, ALL: STATES}.get(self.state, (self.state,))

    def wanted(self, desk: Desk) -> desk_due.Asked:
        """The same for the desk; ``RecordError`` for anything that does not exist."""
        return desk_due.Asked(
            day=self.on or desk.today, states=self.states, tier=self.tier, matter=self.matter,
            place=finding.region(self.place) if self.place else "",
        )  # fmt: skip


Asked: TypeAlias = Annotated[Filters, Depends()]


@router.get("/due")
def due(request: Request, at: At, filters: Asked, after: Text = "") -> HTMLResponse:
    """A page of the list."""
    wanted = filters.wanted(at.desk)
    found = desk_due.leafed(at.desk, wanted, after)
    tally = counted(desk_due.counts(at.desk, wanted))
    return page(
        request,
        "due.html",
        filters=filters,
        on=wanted.day,
        lines=[shown(line) for line in found.lines],
        after=after,
        tally=tally,
        count=sum(n for states in tally.values() for n in states.values()),
        tiers=at.to.tiers,
        matters=MATTERS,
        states=(*STATES, ALL),
        pressing="、".join(PRESSING),
        following=asked("/due", **filters.query, after=found.after) if found.after else "",
        first=asked("/due", **filters.query),
        everything=asked("/due", on=filters.query["on"], state=ALL),
        files={
            name: asked(f"/due.{ending}", **filters.query)
            for name, ending in (("导出表格", "xlsx"), ("JSON", "json"), ("日历文件", "ics"))
        },
    )


@router.get("/due.xlsx")
def book(at: At, filters: Asked) -> Response:
    """All that is found, as a workbook."""
    with desk_due.whole(at.desk, filters.wanted(at.desk)) as found:
        write = partial(dues.write_workbook, found.day, found.lines, found.texts)
        return made("due.xlsx", write)


@router.get("/due.json")
def plain(at: At, filters: Asked) -> Response:
    """The same in JSON."""
    with desk_due.whole(at.desk, filters.wanted(at.desk)) as found:

        def write(path: Path) -> None:
            with path.open("w", encoding="utf-8") as file:
                dues.write_json(found.day, found.lines, found.texts, file.write)

        return made("due.json", write)


@router.get("/due.ics")
def calendar(at: At, filters: Asked) -> Response:
    """The same as a calendar file, of what has a last day."""
    with desk_due.whole(at.desk, filters.wanted(at.desk)) as found:
        return made("due.ics", partial(dues.write_calendar, found.lines))


# -- what other pages show of it too ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A line as pages show it: in words, and with the pages on which something is done about it."""

    line: DueLine
    matter: str
    last: str
    follows: str
    told: str
    acts: Mapping[str, str]


def shown(line: DueLine) -> Shown:
    """A line in words."""
    return Shown(
        line=line, matter=dues.matter(line), last=dues.last_day(line), follows=dues.follows(line),
        told=dues.told(line), acts=_acts(line),
    )  # fmt: skip


def of(desk: Desk, uscc: str) -> list[Shown]:
    """Everything that is due from an enterprise today; nothing until clocks are published."""
    try:
        found = desk_due.due(desk, desk_due.Asked(day=desk.today, states=STATES, uscc=uscc))
    except RecordError as error:
        if error.slug != "no-clocks":
            raise
        return []
    return [shown(line) for line in found.lines]


def pressing(desk: Desk) -> dict[str, dict[str, int]]:
    """How much is overdue, unknown or near today, by matter and state."""
    return counted(desk_due.counts(desk, desk_due.Asked(day=desk.today)))


def counted(found: Mapping[tuple[str, str, str], int]) -> dict[str, dict[str, int]]:
    """Counts by matter and state, in the order of the matters, of all tiers together."""
    tally: dict[str, dict[str, int]] = {}
    for _, matter, state in sorted(found, key=lambda key: MATTERS.index(key[1])):
        tally.setdefault(matter, {}).setdefault(state, 0)
    for (_, matter, state), n in found.items():
        tally[matter][state] += n
    return tally


def _acts(line: DueLine) -> dict[str, str]:
    """What may be done about a line, and on which page."""
    if line.state == DONE:
        return {}
    started: Any = {"entry": line.subject}
    found = {
        UPDATE: {
            "登记更新": addresses.duty(
                "update", uscc=line.uscc, year=line.subject.removesuffix("年")
            )
        },
        CHANGE: {"登记报告": addresses.duty("report", **started)},
        COMPLAINT: {"登记答复": addresses.duty("answer", **started)},
        RECHECK: {"复核名单": "/rechecks"},
    }.get(line.matter, {})
    if line.state == OVERDUE and line.consequences:
        about = {"tier": line.tier, "matter": line.matter, "subject": line.subject}
        found["决定后果"] = addresses.duty("decide", uscc=line.uscc, **about)
    return found
