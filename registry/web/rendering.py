"""Pages from templates: the frame around each of them, and the addresses that templates use."""

from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from registry.desk.checking import RECHECK, RECOGNITION
from registry.kit.characters import legible
from registry.reports import pages
from registry.reports.explaining import material, signed
from registry.reports.verdicts import (
    brief,
    determination_text,
    determined_text,
    doubt_text,
    overruled_text,
    registration_text,
    stated,
)
from registry.web import assets
from registry.web.addresses import Addresses
from registry.web.office import Office
from rules.explanation.wording import value_text
from rules.language.provinces import PROVINCES


class Room(NamedTuple):
    """A part of the site, as the bar on top names it; ``others`` are further beginnings of addresses."""

    href: str
    name: str
    others: tuple[str, ...] = ()


#: The rooms of the bar, in order, with the other addresses that belong to each.
ROOMS: Final = (
    Room("/", "工作台"),
    Room("/enterprises", "企业"),
    Room("/applications", "办理", ("/rounds", "/due", "/rechecks", "/duties")),
    Room("/imports", "导入"),
    Room("/rules", "标准", ("/editions", "/applicability", "/indicators", "/changes", "/calendar")),
    Room("/screen", "筛查"),
    Room("/impact", "影响"),
    Room(
        "/journal",
        "登记簿",
        (
            "/decisions",
            "/titles",
            "/holdings",
            "/admissions",
            "/policy",
            "/checkpoints",
            "/bundle",
            "/replay",
            "/audit",
        ),
    ),
)


@cache
def _environment() -> Environment:
    made = pages.environment("registry.web").overlay()
    made.globals |= {"asset": assets.address, "rooms": ROOMS}
    made.globals |= {
        "procedures": [(word, word) for word in (RECOGNITION, RECHECK)],
        "provinces": [(name, name) for name in PROVINCES],
    }
    made.filters |= {
        "brief": brief,
        "filed": lambda value, fact: value_text(fact, value),
        "settled": lambda content, catalogue: determined_text(content, content["value"], catalogue),
        "short": _short,
        "signed": signed,
        "determination": determination_text,
        "doubt": doubt_text,
        "material": material,
        "overruled": overruled_text,
        "registration": registration_text,
        "stated": stated,
    }
    return made


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in its frame; the values are escaped and made legible."""
    text = _environment().get_template(template).render({**_frame(request), **values})
    return HTMLResponse(legible(text), status)


def framed(request: Request, template: str) -> dict[str, Any]:
    """What a page of the reports needs to stand in a frame of this face: ``frame``, and its values.

    ``part`` gives it a template of this face to include.
    """
    made = _environment()
    own = {name: made.globals[name] for name in ("asset", "rooms")}
    return {
        **own,
        **_frame(request),
        "frame": made.get_template(template),
        "part": made.get_template,
    }


def _frame(request: Request) -> dict[str, Any]:
    """What every frame shows: where the reader is, and who is at work.

    ``bare`` is the address without what it asks, if it asks anything.
    """
    path = request.url.path
    here = max((r.href for r in ROOMS if _within(path, r)), key=len, default="")
    office: Office = request.app.state.office
    return {
        "here": here, "path": path, "by": office.desk.by, "to": office.to, "unfolded": False,
        "bare": quote(path) if request.method == "GET" and request.url.query else "",
    }  # fmt: skip


@pass_context
def _short(context: Context, tier: str) -> str:
    to: Addresses = context["to"]
    return to.short(tier)


def _within(path: str, room: Room) -> bool:
    return any(
        path == start or (start != "/" and path.startswith(f"{start}/"))
        for start in (room.href, *room.others)
    )
