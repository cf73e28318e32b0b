"""What an auditor has done: decisions taken again ``/replay``, and the record verified ``/audit``."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.jobs.kinds import BUNDLE, REPLAY, VERIFY, Exporting, Replaying, Verifying
from registry.jobs.store import JobStore
from registry.web import work
from registry.web.forms import Form, Given, New, Sent
from registry.web.office import At, Office
from registry.web.pages.jobs import WORDS, Jobs
from registry.web.rendering import page

router = APIRouter()


@router.get("/replay")
def replay(request: Request, store: Jobs, form: New) -> HTMLResponse:
    """The page on which decisions are taken again."""
    return _replay(request, store, form)


@router.post("/replay")
def start_replay(request: Request, store: Jobs, given: Given) -> Response:
    """Have them taken again, and lead to the job."""
    return work.asked(
        request, store, given, REPLAY, lambda: Replaying(given.day("since")),
        lambda form, status: _replay(request, store, form, status),
    )  # fmt: skip


@router.get("/audit")
def audit(request: Request, at: At, store: Jobs, form: New) -> HTMLResponse:
    """The page on which the record is verified, and evidence of it handed out."""
    return _audit(request, at, store, form)


@router.post("/audit")
def start_verification(request: Request, at: At, store: Jobs, given: Given) -> Response:
    """Have the record verified, and lead to the job."""
    return work.asked(
        request, store, given, VERIFY, lambda: Verifying(replay=bool(given.text("replay"))),
        lambda form, status: _audit(request, at, store, form, status),
    )  # fmt: skip


@router.post("/audit/bundle")
def start_bundle(request: Request, at: At, store: Jobs, given: Given) -> Response:
    """Have a bundle made, and lead to the job."""
    return work.asked(
        request, store, given, BUNDLE, lambda: _selected(given, at),
        lambda form, status: _audit(request, at, store, form, status),
    )  # fmt: skip


def _selected(given: Sent, at: Office) -> Exporting:
    tiers = work.tier(given, at.to.tiers.values())
    asked = Exporting(
        numbers=given.read("numbers", _numbers) or (),
        tier=tiers[0] if tiers else "",
        first=given.day("first"),
        last=given.day("last"),
        masked=bool(given.text("masked")),
    )
    if bool(asked.numbers) == bool(asked.tier or asked.first or asked.last):
        said = "请写决定的编号，或用层级和记录日期选定范围（二者择一）"
        given.faults.setdefault("numbers", said)
    return asked


def _numbers(text: str) -> tuple[int, ...]:
    """Numbers of entries.

    >>> _numbers("7、9")
    (7, 9)
    """
    found = work.parts(text)
    for part in found:
        if not (part.isascii() and part.isdecimal() and 0 < int(part[:20]) < 2**63):
            raise ValueError(f"「{part}」不是决定的编号：请写成1以上的整数，用顿号分开")
    return tuple(map(int, found))


def _replay(request: Request, store: JobStore, form: Form, status: int = 200) -> HTMLResponse:
    earlier = work.earlier(store, REPLAY)
    return page(request, "replay-form.html", status=status, form=form, earlier=earlier, **WORDS)


def _audit(
    request: Request, at: Office, store: JobStore, form: Form, status: int = 200
) -> HTMLResponse:
    shown = {"form": form, "tiers": at.to.tiers, "earlier": work.earlier(store, VERIFY, BUNDLE)}
    return page(request, "audit.html", status=status, **shown, **WORDS)
