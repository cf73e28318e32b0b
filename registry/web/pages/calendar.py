"""The calendar ``/calendar``: the days off and make-up days of each year, and the form that adds one.

A year is rehearsed first: the page says what it changes, and nothing is recorded before that has
been seen.
"""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import calendars, evidence
from registry.desk.place import Desk, Seen
from registry.web import addresses
from registry.web.forms import Form, Given, Perhaps, RehearsedError, recorded
from registry.web.office import At, Office
from registry.web.pages.registering import noticed
from registry.web.rendering import page

router = APIRouter()

#: The button that says which year was rehearsed and seen.
_SEEN: Final = "rehearsed"
#: The errors of a year -> the field to which each belongs.
_FIELDS: Final = {
    "contradicting-day": "table",
    "faulty-calendar": "table",
    "no-calendar-table": "table",
    "damaged-workbook": "table",
    "lock-file": "table",
    "no-workbook": "table",
    "unknown-file-kind": "table",
    "unsupported-file": "table",
    "other-basis": "document",
    "year-not-stated": "year",
}
#: The signs of the kinds of days.
_SIGNS: Final = {calendars.REST: "休", calendars.WORK: "班", calendars.WEEK: "–", "": ""}
_YEAR: Final = "请写明年度，例如 2027"


@router.get("/calendar")
def years(request: Request, at: At, form: Perhaps) -> HTMLResponse:
    """All years that are known, and the form that adds one."""
    return _shown(request, at, form)


@router.post("/calendar")
def add(request: Request, at: At, given: Given) -> Response:
    """Add a year, or correct one, and lead to the entry."""

    def act(desk: Desk) -> str:
        year, tables = (
            given.read("year", _year, _YEAR),
            given.held(desk, "table", "请附放假安排表", several=False),
        )
        notice = noticed(desk, given, "放假安排通知")
        given.refuse()
        assert year is not None
        with evidence.attached(desk).opened(tables[0]) as file:
            rehearsed = desk.rehearsal()
            found = calendars.add(rehearsed, year, file, notice(rehearsed), replaced=True)
            seen = given.digest(_SEEN)
            if found.entry is None or given.text(_SEEN) != seen:
                raise RehearsedError({"found": found, "seen": seen})
            done = calendars.add(desk, year, file, notice(desk), replaced=True)
        assert done.entry is not None, "nothing was recorded since that concerns the year"
        return addresses.entry(done.entry.seq)

    return recorded(
        request,
        given,
        Seen(given.head, (), (*Seen(given.head).kinds, "calendar")),
        act,
        lambda form, status: _shown(request, at, form, status),
        _FIELDS,
    )


def _year(text: str) -> int:
    """A year; ``ValueError`` says how to write it."""
    if not (text.isascii() and text.isdigit() and len(text) == len("2027")):
        raise ValueError(_YEAR)
    return int(text)


def _shown(request: Request, at: Office, form: Form | None, status: int = 200) -> HTMLResponse:
    values: dict[str, Any] = {"found": calendars.known(at.desk), "signs": _SIGNS}
    return page(request, "calendar.html", status=status, form=form, **values)
