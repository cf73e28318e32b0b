"""Determining ``/enterprises/{uscc}/{tier}/determine``: what a person settles, and what proves it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from registry.desk import auditing, deciding, evidence
from registry.desk.auditing import EntryView
from registry.desk.checking import Refusal
from registry.desk.deciding import Matter, Ruling, Target
from registry.desk.place import Desk
from registry.web import addresses
from registry.web.addresses import Addresses
from registry.web.asked import Text, number
from registry.web.forms import Form, Given, New, Sent, recorded
from registry.web.office import At, Office
from registry.web.pages.case import CaseAsked, CaseNow
from registry.web.rendering import page

router = APIRouter()

#: The choices of what is determined beside what the case leaves open.
FACT, RECORD, LIST = "fact", "record", "list"
#: The errors of the record -> the field to which each belongs.
_FIELDS: Final = {
    "no-field": "fact",
    "no-item": "number",
    "no-year": "year",
    "not-yearly": "year",
    "nothing-to-settle": "value",
    "settled-by-figures": "target",
    "unknown-fact": "fact",
    "wrong-result": "value",
    "year-not-read": "year",
}


@dataclass(frozen=True)
class Filled:
    """The fields that an address fills in."""

    target: Text = ""
    records: Text = ""
    number: Text = ""
    fact: Text = ""
    year: Text = ""
    value: Text = ""

    @property
    def typed(self) -> dict[str, tuple[str, ...]]:
        """The same as if it had been typed."""
        return {name: (text,) for name, text in vars(self).items() if text}


def correction(to: Addresses, view: EntryView) -> str:
    """The address for determining a matter again, with the value before it filled in."""
    assert view.determined is not None
    target, tier = view.determined.target, view.tier or next(iter(to.tiers.values()))
    kind = FACT if not target.records else RECORD if target.number else LIST
    filled = Filled(
        target=f"rule:{target.name}" if target.rule else kind,
        records=target.records,
        number=str(target.number or ""),
        fact="" if target.rule else target.name,
        year=str(target.year or ""),
        value=view.determined.was,
    )
    return to.case(view.uscc, tier, "determine", **vars(filled))


@router.get("/enterprises/{uscc}/{tier}/determine")
def ask(case: CaseNow, form: New, filled: Annotated[Filled, Depends()]) -> HTMLResponse:
    """The page on which something is determined, with what is ``filled`` in beforehand."""
    return _shown(case, replace(form, typed=filled.typed))


@router.post("/enterprises/{uscc}/{tier}/determine")
def determine(case: CaseNow, given: Given) -> Response:
    """Determine it, and lead to the entry."""

    def act(desk: Desk) -> str:
        target = _target(given)
        value = given.text("value", "请写明认定为什么，例如 是、120万元、符合")
        ground = given.text("ground", "请写明理由")
        files = given.held(desk, "evidence", "请附证据文件")
        given.refuse()
        ruling = Ruling(
            uscc=case.uscc,
            target=target,
            value=value,
            ground=ground,
            evidence=evidence.sent(desk, files),
            tier=case.title if target.rule else "",
            procedure=case.how.request.procedure,
            batch=case.how.batch,
            province=case.how.province,
            as_of=case.how.as_of,
        )
        return addresses.entry(deciding.determine(desk, ruling).seq)

    return case.recorded(given, act, lambda form, status: _shown(case, form, status), _FIELDS)


def _target(given: Sent) -> Target:
    """What is determined: one of the open matters, a fact, or a record of a list."""
    match given.text("target", "请选择认定什么").partition(":"):
        case ["rule", _, id]:
            return Target(id, rule=True)
        case ["fact", ":", key]:
            id, _, year = key.partition("@")
            return Target(id, int(year) if year.isascii() and year.isdecimal() else None)
        case [what, _, _]:
            fact = given.text("fact", "" if what == LIST else "请写明填报项或字段的名称")
            if what == FACT:
                return Target(fact, given.read("year", number))
            records = given.text("records", "请写明清单的名称，例如 知识产权")
            if what == LIST:
                return Target("", None, records)
            return Target(fact, None, records, given.read("number", number, "请写明第几条") or 0)
    raise AssertionError


def _shown(case: CaseAsked, form: Form, status: int = 200) -> HTMLResponse:
    answer, desk = case.answer, case.at.desk
    if isinstance(answer, Refusal):
        return case.refused(answer)
    [verdict] = answer.verdicts
    return case.page(
        "determine.html",
        status,
        form=form,
        verdict=verdict,
        targets=[*_choices(deciding.matters(verdict)), *_OTHERS],
        facts=[fact.name for fact in desk.to_be_filed().facts],
        waiting=deciding.waiting(desk, case.uscc, case.how.as_of),
        four_eyes=auditing.four_eyes(desk),
    )


_OTHERS: Final = (
    (FACT, "另一项填报：更正其值"),
    (RECORD, "清单中的一条：更正其一个字段"),
    (LIST, "一份清单是否已报全"),
)


def _choices(matters: Iterable[Matter]) -> list[tuple[str, str]]:
    found = []
    for matter in matters:
        target = matter.target
        year = f"@{target.year}" if target.year else ""
        value = f"rule:{target.name}" if target.rule else f"fact:{target.name}{year}"
        found.append((value, f"{'规则 ' if target.rule else ''}{matter.name}"))
    return found


# -- taking back -----------------------------------------------------------------------------------


@router.get("/journal/{seq}/revoke")
def ask_back(request: Request, at: At, seq: int, form: New) -> HTMLResponse:
    """The page on which a determination is taken back."""
    return _back(request, at, seq, form)


@router.post("/journal/{seq}/revoke")
def revoke(request: Request, at: At, seq: int, given: Given) -> Response:
    """Take it back, and lead to the entry."""
    uscc = auditing.entry(at.desk, seq).uscc

    def act(desk: Desk) -> str:
        ground = given.text("ground", "请写明理由")
        files = given.held(desk, "evidence", "请附证据文件")
        given.refuse()
        return addresses.entry(deciding.revoke(desk, seq, ground, evidence.sent(desk, files)).seq)

    return recorded(
        request,
        given,
        given.about(uscc),
        act,
        lambda form, status: _back(request, at, seq, form, status),
    )


def _back(request: Request, at: Office, seq: int, form: Form, status: int = 200) -> HTMLResponse:
    found = deciding.revocable(at.desk, seq)
    return page(
        request,
        "revoke.html",
        status=status,
        form=form,
        seq=seq,
        found=found,
        catalogue=at.desk.to_be_filed(),
        four_eyes=auditing.four_eyes(at.desk),
    )


# -- a second person -------------------------------------------------------------------------------


@router.get("/journal/{seq}/confirm")
def ask_second(request: Request, at: At, seq: int, form: New) -> HTMLResponse:
    """The page on which a second person confirms; the first one reads who may."""
    return _second(request, at, seq, form)


@router.post("/journal/{seq}/confirm")
def confirm(request: Request, at: At, seq: int, given: Given) -> Response:
    """Confirm it, and lead to the entry."""
    uscc = auditing.entry(at.desk, seq).uscc
    return recorded(
        request,
        given,
        given.about(uscc),
        lambda desk: addresses.entry(deciding.confirm(desk, seq).seq),
        lambda form, status: _second(request, at, seq, form, status),
    )


def _second(request: Request, at: Office, seq: int, form: Form, status: int = 200) -> HTMLResponse:
    found = deciding.unconfirmed(at.desk, seq)
    files = [(one, evidence.is_kept(one)) for one in found.determination.content["evidence"]]
    return page(
        request,
        "confirm.html",
        status=status,
        form=form,
        seq=seq,
        found=found,
        files=files,
        catalogue=at.desk.to_be_filed(),
    )


# -- evidence --------------------------------------------------------------------------------------


@router.get("/evidence/{digest}")
def proof(digest: str) -> Response:
    """A file of evidence, only ever to be saved."""
    found = evidence.kept(digest)
    return FileResponse(
        found.path,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
        },
    )
