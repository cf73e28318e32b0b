"""Stocktaking ``/screen`` and ``/impact``: who meets a text, and what another one would change."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import simulating
from registry.desk.simulating import SimulationRequest
from registry.jobs.kinds import IMPACT, SCREEN, Screening
from registry.jobs.store import JobStore
from registry.web import work
from registry.web.forms import Form, Given, New, Sent
from registry.web.office import At, Office
from registry.web.pages.jobs import WORDS, Jobs
from registry.web.rendering import page

router = APIRouter()


@router.get("/screen")
def screen(request: Request, at: At, store: Jobs, form: New) -> HTMLResponse:
    """The page on which a screening is asked for."""
    return _screen(request, at, store, form)


@router.post("/screen")
def start_screening(request: Request, at: At, store: Jobs, given: Given) -> Response:
    """Ask for a screening, and lead to its job."""

    def arguments() -> Screening:
        return Screening(
            tiers=work.tier(given, at.to.tiers.values()),
            regions=work.parts(given.text("regions")),
            as_of=given.day("as_of"),
            text=_text(given, "text") or None,
        )

    return work.asked(
        request, store, given, SCREEN, arguments,
        lambda form, status: _screen(request, at, store, form, status),
    )  # fmt: skip


@router.get("/impact")
def impact(request: Request, at: At, store: Jobs, form: New) -> HTMLResponse:
    """The page on which an impact study is asked for."""
    return _impact(request, at, store, form)


@router.post("/impact")
def start_study(request: Request, at: At, store: Jobs, given: Given) -> Response:
    """Ask for an impact study, and lead to its job."""

    def arguments() -> SimulationRequest:
        after = _text(given, "after")
        if not after:
            given.faults.setdefault("after", "请选择后一文本，或写明草案的文件夹")
        return SimulationRequest(
            after=after,
            before=given.text("before") or None,
            tiers=work.tier(given, at.to.tiers.values()),
            regions=work.parts(given.text("regions")),
            holders=bool(given.text("holders")),
            changed=bool(given.text("changed")),
            as_of=given.day("as_of"),
        )

    return work.asked(
        request, store, given, IMPACT, arguments,
        lambda form, status: _impact(request, at, store, form, status),
    )  # fmt: skip


def _text(given: Sent, name: str) -> str:
    """The text that is meant: a draft's folder if one is named, else the chosen one."""
    return work.draft(given, "draft") or given.text(name)


def _screen(
    request: Request, at: Office, store: JobStore, form: Form, status: int = 200
) -> HTMLResponse:
    earlier = work.earlier(store, SCREEN)
    return _shown(request, "screen-form.html", at, form, status, earlier=earlier)


def _impact(
    request: Request, at: Office, store: JobStore, form: Form, status: int = 200
) -> HTMLResponse:
    earlier = work.earlier(store, IMPACT)
    return _shown(request, "impact-form.html", at, form, status, earlier=earlier)


def _shown(
    request: Request, template: str, at: Office, form: Form, status: int, **values: Any
) -> HTMLResponse:
    given = {
        "form": form,
        "tiers": at.to.tiers,
        "texts": simulating.choices(at.desk),
        **values,
        **WORDS,
    }
    return page(request, template, status=status, **given)
