"""The register ``/titles``, ``/holdings``: what documents state, one by one or by list.

A list is rehearsed first: the page says what would be registered, or every line that cannot be, and
nothing is registered before that has been seen. So are remarks about a single registration.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import auditing, enterprises, evidence, notices
from registry.desk.notices import REASONS, Firms, Notice, Registered, Validity
from registry.desk.place import Desk, Seen
from registry.errors import RegistryError
from registry.kit.uscc import is_code, tidy
from registry.portable.chain import KINDS
from registry.web import addresses
from registry.web.asked import Text
from registry.web.forms import Form, Given, New, RehearsedError, Sent, recorded
from registry.web.office import At, Office
from registry.web.rendering import page
from rules.model.catalogue import TITLE

router = APIRouter()

Titles: TypeAlias = Literal["grant", "extend", "end"]
Holdings: TypeAlias = Literal["add", "end"]
#: The button that says which registration was rehearsed and seen.
_SEEN: Final = "rehearsed"


@dataclass(frozen=True, kw_only=True)
class Registering:
    """An act on the register: its words, the fields of its form, and whether it takes a list."""

    heading: str
    said: str
    fields: frozenset[str]
    listed: bool
    run: "Callable[[Desk, Stated], Registered]"


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a form states: the enterprises, the document, and the rest as it was typed."""

    firms: Firms
    notice: Notice
    days: Validity
    on: date | None
    reason: str
    tier: str
    holder: str
    share: str


def _add(desk: Desk, said: Stated) -> Registered:
    if said.firms.file is not None:
        return notices.hold_listed(desk, said.firms, said.notice, said.days)
    [code] = said.firms.codes
    return notices.hold(desk, code, said.holder, said.share, said.notice, said.days)


def _end_holding(desk: Desk, said: Stated) -> Registered:
    [code] = said.firms.codes
    return Registered([notices.end_holding(desk, code, said.holder, said.notice, on=said.on)])


#: The acts by the parts of their addresses.
ACTS: Final[Mapping[tuple[str, str], Registering]] = {
    ("titles", "grant"): Registering(
        heading="登记新认定的称号",
        said="有一家不能登记的，整份名单都不登记。",
        fields=frozenset({"tier", "first", "last"}),
        listed=True,
        run=lambda desk, s: notices.grant(desk, s.firms, s.tier, s.notice, s.days),
    ),
    ("titles", "extend"): Registering(
        heading="登记复核通过而延长的称号",
        said="有一家不能登记的，整份名单都不登记。",
        fields=frozenset({"tier", "first", "last"}),
        listed=True,
        run=lambda desk, s: notices.extend(desk, s.firms, s.tier, s.notice, s.days),
    ),
    ("titles", "end"): Registering(
        heading="登记提前终止的称号",
        said="撤销、注销、未通过复核等。有一家不能登记的，整份名单都不登记。",
        fields=frozenset({"tier", "on", "reason", "first", "last"}),
        listed=True,
        run=lambda desk, s: notices.end(
            desk, s.firms, s.tier, s.notice, s.days, on=s.on, reason=s.reason
        ),
    ),
    ("holdings", "add"): Registering(
        heading="登记持股",
        said="同一持股方对同一企业的，以最后一次登记为准。只有名称的持股方可能同名，不用来认定两家企业受同一方控制。",
        fields=frozenset({"holder", "share", "first", "last"}),
        listed=True,
        run=_add,
    ),
    ("holdings", "end"): Registering(
        heading="登记不再持有的股权",
        said="持股方的代码或名称须与登记的一致。",
        fields=frozenset({"holder", "on"}),
        listed=False,
        run=_end_holding,
    ),
}
#: The errors of the register -> the field to which each belongs.
_FIELDS: Final = {
    "faulty-list": "list",
    "empty-list": "list",
    "no-list": "list",
    "unclear-names": "list",
    "no-term": "last",
    "unreadable-share": "share",
}


@router.get("/titles")
def titles(request: Request, at: At, tier: Text = "", history: bool = False) -> HTMLResponse:
    """The titles on the register."""
    found = notices.titles(at.desk, kind=tier, history=history)
    tiers = [(slug, at.to.short(title)) for slug, title in at.to.tiers.items()]
    shown: dict[str, Any] = {
        "what": "titles",
        "found": found,
        "tier": tier,
        "tiers": tiers,
        "history": history,
    }
    return page(request, "register.html", actions=notices.ACTIONS, **shown)


@router.get("/holdings")
def holdings(request: Request, at: At, history: bool = False) -> HTMLResponse:
    """The holdings on the register."""
    found = notices.holdings(at.desk, history=history)
    shown: dict[str, Any] = {
        "what": "holdings",
        "found": found,
        "tier": "",
        "tiers": (),
        "history": history,
    }
    return page(request, "register.html", actions=notices.ACTIONS, **shown)


@router.get("/titles/{act}")
def ask_title(request: Request, at: At, act: Titles, form: New, uscc: Text = "") -> HTMLResponse:
    """The page on which titles are registered; ``uscc`` is filled in."""
    return _shown(request, at, ("titles", act), form, uscc)


@router.post("/titles/{act}")
def register_title(request: Request, at: At, act: Titles, given: Given) -> Response:
    """Register them, and lead to the entries."""
    return _registered(request, at, ("titles", act), given)


@router.get("/holdings/{act}")
def ask_holding(
    request: Request, at: At, act: Holdings, form: New, uscc: Text = ""
) -> HTMLResponse:
    """The page on which holdings are registered; ``uscc`` is filled in."""
    return _shown(request, at, ("holdings", act), form, uscc)


@router.post("/holdings/{act}")
def register_holding(request: Request, at: At, act: Holdings, given: Given) -> Response:
    """Register them, and lead to the entries."""
    return _registered(request, at, ("holdings", act), given)


@router.get("/journal/{seq}/strike")
def ask_strike(request: Request, at: At, seq: int, form: New) -> HTMLResponse:
    """The page on which a title that was registered by mistake is struck out."""
    return _striking(request, at, seq, form)


@router.post("/journal/{seq}/strike")
def strike(request: Request, at: At, seq: int, given: Given) -> Response:
    """Strike it out, and lead to the entry."""
    uscc = auditing.entry(at.desk, seq).uscc

    def act(desk: Desk) -> str:
        notice = noticed(desk, given)
        given.refuse()
        return addresses.entry(notices.strike(desk, seq, notice(desk)).seq)

    return recorded(
        request,
        given,
        given.about(uscc),
        act,
        lambda form, status: _striking(request, at, seq, form, status),
    )


def _striking(
    request: Request, at: Office, seq: int, form: Form, status: int = 200
) -> HTMLResponse:
    view = auditing.entry(at.desk, seq)
    return page(request, "strike.html", status=status, form=form, view=view)


def _registered(request: Request, at: Office, what: tuple[str, str], given: Sent) -> Response:
    wanted = ACTS[what]

    def act(desk: Desk) -> str:
        with _stated(desk, wanted, given) as (stated, notice):
            rehearsed = desk.rehearsal()
            found = wanted.run(rehearsed, replace(stated, notice=notice(rehearsed)))
            seen = given.digest(_SEEN)
            if given.text(_SEEN) != seen and (stated.firms.file is not None or found.notices):
                raise RehearsedError({"found": found, "seen": seen})
            done = wanted.run(desk, replace(stated, notice=notice(desk)))
        first, last = done.entries[0], done.entries[-1]
        if first is last:
            return addresses.entry(first.seq)
        return addresses.asked("/journal", kind=KINDS[first.kind], before=last.seq + 1)

    kind = what[0].removesuffix("s")
    return recorded(
        request,
        given,
        Seen(given.head, (), (*Seen(given.head).kinds, kind)),
        act,
        lambda form, status: _shown(request, at, what, form, "", status),
        _FIELDS,
    )


@contextmanager
def _stated(
    desk: Desk, wanted: Registering, given: Sent
) -> "Iterator[tuple[Stated, Callable[[Desk], Notice]]]":
    """What a form states, with its list as a file for as long as it is read."""
    with ExitStack() as stack:
        lists = given.held(desk, "list", several=False) if wanted.listed else ()
        codes = codes_typed(desk, given, "codes", several="tier" in wanted.fields)
        if bool(codes) == bool(lists) and not given.faults:
            given.faults["codes"] = (
                "企业和名单只写一样：请写信用代码，或附名单文件" if codes else _whom(wanted)
            )
        renamed = codes_typed(desk, given, "renamed", several=True) if wanted.listed else ()
        single = not lists and "holder" in wanted.fields
        stated = Stated(
            firms=Firms(codes),
            notice=Notice("", date.min),
            days=Validity(given.day("first"), given.day("last")),
            on=given.day("on"),
            reason=given.text("reason", "请选择原因" if "reason" in wanted.fields else ""),
            tier=given.text("tier", "请选择层级" if "tier" in wanted.fields else ""),
            holder=given.text("holder", "请写明持股方的信用代码或名称" if single else ""),
            share=given.text(
                "share", "请写明持股比例，例如 51%" if single and "share" in wanted.fields else ""
            ),
        )
        if lists and (stated.holder or stated.share):
            given.faults.setdefault("holder", "名单文件自己写明持股方和比例，请不要另写")
        notice = noticed(desk, given)
        given.refuse()
        if lists:
            path: Path = stack.enter_context(evidence.attached(desk).opened(lists[0]))
            stated = replace(stated, firms=Firms(file=path, renamed=frozenset(renamed)))
        yield stated, notice


def _whom(wanted: Registering) -> str:
    return "请写明企业的信用代码或名称" + ("，或附名单文件" if wanted.listed else "")


def noticed(desk: Desk, given: Sent, what: str = "公告或决定") -> Callable[[Desk], Notice]:
    """The document that a form names; a desk that rehearses keeps none of its files."""
    number, dated = (
        given.text("document", f"请写明{what}的文号"),
        given.day("dated", "请写明日期"),
    )
    files = given.held(desk, "evidence")

    def notice(at: Desk) -> Notice:
        assert dated is not None
        return Notice(number, dated, evidence.sent(at, files))

    return notice


def codes_typed(desk: Desk, given: Sent, name: str, *, several: bool) -> tuple[str, ...]:
    """The enterprises of a field, by code or name, one a line."""
    found = []
    for line in filter(None, map(str.strip, re.split(r"[\n;；]", given.text(name)))):
        code = tidy(line)
        if is_code(code):
            found.append(code)
            continue
        try:
            found.append(enterprises.named(desk, line))
        except RegistryError as error:
            given.faults.setdefault(name, str(error))
    if len(found) > 1 and not several:
        given.faults.setdefault(name, "一次只登记一家：请只写一家，或附名单文件")
    return tuple(found)


def _shown(
    request: Request,
    at: Office,
    what: tuple[str, str],
    form: Form,
    uscc: str,
    status: int = 200,
) -> HTMLResponse:
    wanted = ACTS[what]
    titled = [t for t in at.desk.to_be_filed().tiers if t.kind == TITLE]
    values: dict[str, Any] = {
        "what": what[0],
        "act": what[1],
        "wanted": wanted,
        "uscc": uscc,
        "tiers": [("", "请选择"), *((t.slug, t.name) for t in titled)],
        "reasons": [("", "请选择"), *((r, r) for r in REASONS)],
        "actions": notices.ACTIONS,
        "registered_text": notices.registered_text,
    }
    return page(request, "registering.html", status=status, form=form, **values)
