"""Rounds ``/rounds``: what each notice called for, and how its applications stand."""

from datetime import date
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import caseload, evidence, rounds
from registry.desk.place import Desk, Seen
from registry.desk.rounds import Call, Notice, Term
from registry.web import addresses
from registry.web.forms import Form, Given, New, Sent, recorded
from registry.web.office import At, Office
from registry.web.rendering import page

router = APIRouter()

#: The errors of rounds -> the field to which each belongs.
_FIELDS: Final = {
    "unnamed-round": "name",
    "round-exists": "name",
    "no-document": "document",
    "ends-before-it-begins": "closes",
    "no-workflow": "tier",
    "no-such-state": "terms",
    "no-ground": "ground",
}
#: Entries that concern every act on rounds.
_KINDS: Final = (*Seen(0).kinds, "round")


@router.get("/rounds")
def listed(request: Request, at: At) -> HTMLResponse:
    """All rounds."""
    return page(request, "rounds.html", rounds=rounds.every(at.desk))


@router.get("/rounds/{seq:int}")
def one(request: Request, at: At, seq: int) -> HTMLResponse:
    """One round."""
    found = rounds.numbered(at.desk, seq)
    return page(request, "round.html", found=found, counted=caseload.counted)


@router.get("/rounds/open")
def ask_open(request: Request, at: At, form: New) -> HTMLResponse:
    """The page on which a round is opened."""
    return _opening(request, at, form)


@router.post("/rounds/open")
def open_round(request: Request, at: At, given: Given) -> Response:
    """Open it, and lead to its page."""

    def act(desk: Desk) -> str:
        dated = given.day("dated", "请写明通知的日期")
        opens = given.day("opens")
        tier = given.text("tier", "请选择层级")
        call = Call(
            name=given.text("name", "请写明名称"),
            tier=at.to.tiers.get(tier, tier),
            procedure=given.text("procedure", "请选择程序"),
            batch=given.text("batch"),
            province=given.text("province"),
            opens=opens or dated or date.min,
            closes=given.day("closes"),
            terms=_terms(given),
            lag=given.read("lag", _days) or 0,
        )
        number = given.text("document", "请写明通知的文号")
        files = given.held(desk, "evidence")
        given.refuse()
        assert dated is not None
        notice = Notice(number, dated, evidence.sent(desk, files))
        return addresses.rounded(rounds.open_round(desk, call, notice).seq)

    return recorded(
        request,
        given,
        Seen(given.head, (), _KINDS),
        act,
        lambda form, status: _opening(request, at, form, status),
        _FIELDS,
    )


@router.get("/rounds/{seq:int}/close")
def ask_close(request: Request, at: At, seq: int, form: New) -> HTMLResponse:
    """The page on which a round is closed."""
    return _closing(request, at, seq, form)


@router.post("/rounds/{seq:int}/close")
def close_round(request: Request, at: At, seq: int, given: Given) -> Response:
    """Close it, and lead back to it."""

    def act(desk: Desk) -> str:
        on = given.day("on", "请写明自哪天起不再受理")
        ground = given.text("ground", "请写明理由")
        given.refuse()
        assert on is not None
        rounds.close_round(desk, str(seq), on=on, ground=ground)
        return addresses.rounded(seq)

    return recorded(
        request,
        given,
        Seen(given.head, (), _KINDS),
        act,
        lambda form, status: _closing(request, at, seq, form, status),
        _FIELDS,
    )


def _terms(given: Sent) -> dict[str, Term]:
    """The terms that a form gives, one state a line; what cannot be read is a fault."""
    found: dict[str, Term] = {}
    for line in filter(None, map(str.strip, given.text("terms").splitlines())):
        state, _, text = line.replace("　", " ").replace("：", " ").replace(":", " ").partition(" ")
        try:
            found[state] = rounds.term(text.replace(" ", ""))
        except ValueError as error:
            given.faults.setdefault("terms", f"「{line}」：{error}")
    return found


def _days(text: str) -> int:
    """A number of days.

    >>> _days("3")
    3
    """
    if text.isascii() and text.isdecimal() and len(text) < 4:
        return int(text)
    raise ValueError(f"「{text}」不是日数：请写 0 至 999 的整数")


def _opening(request: Request, at: Office, form: Form, status: int = 200) -> HTMLResponse:
    return page(request, "round-open.html", status=status, form=form, tiers=at.to.tiers)


def _closing(request: Request, at: Office, seq: int, form: Form, status: int = 200) -> HTMLResponse:
    return page(
        request,
        "round-close.html",
        status=status,
        form=form,
        found=rounds.numbered(at.desk, seq),
        counted=caseload.counted,
        today=at.desk.today,
    )
