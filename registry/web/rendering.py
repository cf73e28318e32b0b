"""Pages from templates: the frame around each of them, and the addresses that templates use."""

from functools import cache
from typing import Any, Final, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from registry.kit.characters import legible
from registry.reports import pages
from registry.reports.explaining import material
from registry.reports.verdicts import (
    determination_text,
    doubt_text,
    overruled_text,
    registration_text,
    stated,
)
from registry.web import addresses, assets


class Room(NamedTuple):
    """A part of the site, as the bar on top names it."""

    href: str
    name: str


#: The rooms of the bar, in order.
ROOMS: Final = (Room("/", "工作台"),)


@cache
def _environment() -> Environment:
    made = pages.environment("registry.web").overlay()
    made.globals |= {"asset": assets.address, "to": addresses, "rooms": ROOMS}
    made.filters |= {
        "short": addresses.short,
        "determination": determination_text,
        "doubt": doubt_text,
        "material": material,
        "overruled": overruled_text,
        "registration": registration_text,
        "stated": stated,
    }
    return made


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in its frame; the values are escaped and made legible.

    A template that stands outside a request's registry, such as that of an error, shows no place.
    """
    path = request.url.path
    here = max((r.href for r in ROOMS if _within(path, r.href)), key=len, default="")
    office = getattr(request.app.state, "office", None)
    by = office.desk.by if office else ""
    frame = {"here": here, "path": path, "by": by, "unfolded": False}
    text = _environment().get_template(template).render({**frame, **values})
    return HTMLResponse(legible(text), status)


def _within(path: str, room: str) -> bool:
    return path == room or (path.startswith(f"{room.rstrip('/')}/") and room != "/")
