"""Taking steps ``/applications/{apply,step,announce}``: for one enterprise, those chosen, or a list.

Whom a page is about stands in its address: enterprises by code, or the filters of the list; else the
form asks for codes or a file. A page offers only acts that the workflow has, with the fields that
each needs. A list that was typed or sent, and every announcement, is rehearsed first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import applications, candidates, caseload, courses, evidence, notices, rounds
from registry.desk.applications import Applying, Doing, Done, Firms
from registry.desk.candidates import Candidate
from registry.desk.courses import NextAct
from registry.desk.place import Desk, Seen
from registry.errors import RecordError
from registry.kit.jsontext import json_text
from registry.web import addresses
from registry.web.asked import Text
from registry.web.forms import Form, Given, New, RehearsedError, Sent, recorded
from registry.web.office import At, Office
from registry.web.pages.applications import Filters
from registry.web.pages.registering import codes_typed, noticed
from registry.web.rendering import page

router = APIRouter()

#: The button that says which list was rehearsed and seen.
_SEEN: Final = "rehearsed"
#: The hidden field that says whom the address meant when the page was made.
_MEANT: Final = "meant"
#: The most enterprises that a link names one by one.
_NAMED: Final = 200
#: The errors of lists and steps -> the field to which each belongs.
_FIELDS: Final = {
    "faulty-list": "list",
    "empty-list": "list",
    "no-list": "list",
    "unclear-names": "list",
    "no-term": "last",
    "day-in-future": "day",
    "which-objection": "objection",
    "no-such-round": "round",
}


@dataclass(frozen=True)
class Whom:
    """The enterprises that a page is about, and the act and its level; whatever is empty is asked for."""

    filters: Annotated[Filters, Depends()]
    uscc: Annotated[tuple[str, ...], Query()] = ()
    act: Text = ""
    acting: Text = ""

    @property
    def named(self) -> bool:
        """Whether the address names enterprises."""
        asked = self.filters
        return bool(self.uscc or asked.state or asked.level or asked.due or asked.round)

    @property
    def query(self) -> dict[str, Any]:
        """The same in an address, without the act."""
        return {**self.filters.query, "uscc": self.uscc}

    def towards(self, act: NextAct) -> str:
        """The page on which an act takes them further."""
        if act.announced:
            return addresses.taking("announce", **self.query)
        return addresses.taking("step", **self.query, act=act.act, acting=act.level)

    def codes(self, at: Office) -> tuple[str, ...]:
        """The enterprises that the address names or finds."""
        if self.uscc or not self.named:
            return tuple(dict.fromkeys(self.uscc))
        return tuple(one.uscc for one in caseload.every(at.desk, self.filters.wanted(at.desk)))


Asked: TypeAlias = Annotated[Whom, Depends()]


# -- steps -----------------------------------------------------------------------------------------


@router.get("/applications/step")
def ask_step(request: Request, at: At, whom: Asked, form: New) -> HTMLResponse:
    """The page on which a step is chosen and taken."""
    return _step(request, at, whom, form)


@router.post("/applications/step")
def step(request: Request, at: At, whom: Asked, given: Given) -> Response:
    """Take it, and lead to where the cases stand."""
    title = _tier(at, whom)
    codes = whom.codes(at)

    def act(desk: Desk) -> str:
        _refuse_others(given, codes)
        found = candidates.of(desk, codes, title)
        wanted = _wanted(at, whom, found)
        with _firms(desk, given, codes) as firms:
            objection = given.text("objection")
            doing = Doing(
                act=whom.act,
                level=whom.acting,
                day=given.day("day", "请写明办理的日期") or date.min,
                ground=given.text("ground", "请写明理由" if _grounded(whom, found, wanted) else ""),
                document=given.text("document"),
                objection=int(objection) if objection.isdecimal() else None,
            )
            files = given.held(desk, "evidence", "请附佐证" if wanted.proven else "")
            given.refuse()

            def done(on: Desk) -> Done:
                proof = evidence.sent(on, files)
                return applications.step(on, firms, title, replace(doing, evidence=proof))

            return _led(at, desk, given, title, done, rehearsed=firms.file is not None)

    return _recorded(request, at, whom, given, codes, act, _step)


def _step(request: Request, at: Office, whom: Whom, form: Form, status: int = 200) -> HTMLResponse:
    title = _tier(at, whom)
    found = candidates.of(at.desk, whom.codes(at), title) if title else []
    offers = candidates.offers(found) if whom.named else candidates.acts(at.desk, title)
    wanted = _wanted(at, whom, found) if form.typed else offers.get((whom.act, whom.acting))
    able = [one for one in found if (may := _may(whom, one)) and may.possible]
    against = [one for one in able if (may := _may(whom, one)) and may.grounded]
    return page(
        request,
        "step.html",
        status=status,
        form=form,
        whom=whom,
        tier=title,
        tiers=at.to.tiers,
        found=found,
        meant=_meant(one.uscc for one in found),
        offers=[one for one in offers.values() if one.possible or len(found) != 1],
        barred=[one for one in offers.values() if not one.possible and len(found) == 1],
        wanted=wanted,
        able=able,
        only=_only(whom, able, of=found),
        against=against,
        apart=[
            (len(part), _only(whom, part, of=able))
            for part in ([one for one in able if one not in against], against)
        ],
        grounded=bool(wanted and _grounded(whom, found, wanted)),
        objections=_objections(at, found, title, wanted),
        today=at.desk.today,
    )


def _may(whom: Whom, one: Candidate) -> NextAct | None:
    return one.may(whom.act, whom.acting)


def _only(whom: Whom, some: list[Candidate], *, of: list[Candidate]) -> str:
    """The same page for some of the cases only; empty if they are none, all, or too many to name."""
    if not 0 < len(some) < len(of) or len(some) > _NAMED:
        return ""
    return addresses.taking(
        "step",
        tier=whom.filters.tier,
        uscc=[one.uscc for one in some],
        act=whom.act,
        acting=whom.acting,
    )


def _objections(
    at: Office, found: list[Candidate], title: str, wanted: NextAct | None
) -> list[tuple[str, str]]:
    """The open objections of a single case, one of which must be chosen."""
    if wanted is None or not wanted.settles or len(found) != 1:
        return []
    [view] = courses.of(at.desk, found[0].uscc, title)[:1]
    return [
        (str(one.seq), f"第{one.seq}号　{one.day.isoformat()}　{one.ground or one.document}")
        for one in view.open
    ]


def _grounded(whom: Whom, found: list[Candidate], wanted: NextAct) -> bool:
    """Whether a ground must be written: for one of the cases, or by the workflow in any case."""
    acts = [may for one in found if (may := _may(whom, one))]
    return any(act.grounded for act in acts) or any(need.words == "理由" for need in wanted.needs)


def _wanted(at: Office, whom: Whom, found: list[Candidate]) -> NextAct:
    offers = candidates.offers(found) if whom.named else candidates.acts(at.desk, _tier(at, whom))
    if wanted := offers.get((whom.act, whom.acting)):
        return wanted
    # it was possible when the page was made; the record itself says why it no longer is
    return NextAct(
        act=whom.act, actor=whom.acting, level=whom.acting, to="", needs=(), announced=False,
        settles=False, raises=False,
    )  # fmt: skip


# -- applying --------------------------------------------------------------------------------------


@router.get("/applications/apply")
def ask_apply(
    request: Request, at: At, whom: Asked, form: New, procedure: Text = ""
) -> HTMLResponse:
    """The page on which applications are entered."""
    typed = {"procedure": (procedure,)} if procedure else {}
    return _apply(request, at, whom, replace(form, typed=typed))


@router.post("/applications/apply")
def apply(request: Request, at: At, whom: Asked, given: Given) -> Response:
    """Enter them, and lead to where the cases stand."""
    codes = tuple(dict.fromkeys(whom.uscc))

    def act(desk: Desk) -> str:
        with _firms(desk, given, codes) as firms:
            named = given.text("round")
            tier = given.text("tier", "" if named else "请选择层级")
            title = _round_tier(desk, named) if named else at.to.tiers.get(tier, tier)
            if named and tier and at.to.tiers.get(tier, tier) != title:
                given.faults.setdefault("tier", f"这个轮次是{title}的：请选择同一层级，或不选")
            applying = Applying(
                tier=title,
                procedure=given.text("procedure"),
                day=given.day("day", "请写明企业申报的日期") or date.min,
                level=given.text("level", "请选择由哪一级录入"),
                batch="" if named else given.text("batch"),
                document=given.text("document"),
            )
            files = given.held(desk, "evidence")
            given.refuse()

            def done(on: Desk) -> Done:
                proof = replace(applying, evidence=evidence.sent(on, files))
                return applications.apply(on, firms, proof, round_name=named)

            return _led(at, desk, given, title, done, rehearsed=firms.file is not None)

    return _recorded(request, at, whom, given, codes, act, _apply)


def _round_tier(desk: Desk, named: str) -> str:
    found = rounds.numbered(desk, int(named) if named.isdecimal() else 0)
    return str(found.round.body["tier"])


def _apply(request: Request, at: Office, whom: Whom, form: Form, status: int = 200) -> HTMLResponse:
    title = at.to.tiers.get(whom.filters.tier, "")
    still = [
        one
        for one in rounds.every(at.desk)
        if one.status != "已结束" and title in ("", one.round.body["tier"])
    ]
    return page(
        request,
        "apply.html",
        status=status,
        form=form,
        whom=whom,
        tier=title,
        tiers=at.to.tiers,
        found=candidates.named(at.desk, whom.uscc),
        rounds=[
            ("", "不属于轮次"),
            *((one.round.seq, f"{one.round.name}（{one.status}）") for one in still),
        ],
        chosen=whom.filters.round or (still[0].round.seq if title and len(still) == 1 else ""),
        levels=[(one, one) for one in applications.LEVELS],
        today=at.desk.today,
    )


# -- announcing ------------------------------------------------------------------------------------


@router.get("/applications/announce")
def ask_announce(request: Request, at: At, whom: Asked, form: New) -> HTMLResponse:
    """The page on which titles are announced."""
    return _announce(request, at, whom, form)


@router.post("/applications/announce")
def announce(request: Request, at: At, whom: Asked, given: Given) -> Response:
    """Announce them once that was seen, and lead to where the cases stand."""
    title = _tier(at, whom)
    codes = whom.codes(at)

    def act(desk: Desk) -> str:
        _refuse_others(given, codes)
        with _firms(desk, given, codes) as firms:
            notice = noticed(desk, given, "公告")
            first, last = given.day("first"), given.day("last")
            level = given.text("level", "请选择由哪一级公告")
            given.refuse()

            def done(on: Desk) -> Done:
                return applications.announce(
                    on, firms, title, notice(on), level=level, first=first, last=last
                )

            return _led(at, desk, given, title, done, rehearsed=True)

    return _recorded(request, at, whom, given, codes, act, _announce, ("title",))


def _announce(
    request: Request, at: Office, whom: Whom, form: Form, status: int = 200
) -> HTMLResponse:
    title = _tier(at, whom)
    found = candidates.of(at.desk, whom.codes(at), title) if title else []
    levels = [
        one.level
        for one in (candidates.acts(at.desk, title, announced=True) if title else {}).values()
    ]
    return page(
        request,
        "announce.html",
        status=status,
        form=form,
        whom=whom,
        tier=title,
        tiers=at.to.tiers,
        found=found,
        meant=_meant(one.uscc for one in found),
        able=[one for one in found if any(act.announced for act in one.next)],
        levels=[(one, one) for one in dict.fromkeys(levels)],
        registered_text=notices.registered_text,
        today=at.desk.today,
    )


# -- what they have in common ----------------------------------------------------------------------


def _tier(at: Office, whom: Whom) -> str:
    """The title of the tier; empty if the address names none, an error if it names another."""
    slug = whom.filters.tier
    return at.desk.tier(slug).name if slug else ""


def _meant(codes: Iterable[str]) -> str:
    """What a form says of the enterprises that its page showed."""
    return sha256(" ".join(codes).encode()).hexdigest()


def _refuse_others(given: Sent, codes: Sequence[str]) -> None:
    """Refuse an act on other enterprises than the page showed: whom filters find may change."""
    if given.text(_MEANT) != _meant(codes):
        raise RecordError(
            "other-list",
            "打开本页以后名单有变化，现在是{value}家，没有登记：请看过后再办",
            value=len(codes),
        )


@contextmanager
def _firms(desk: Desk, given: Sent, codes: tuple[str, ...]) -> Iterator[Firms]:
    """The enterprises of the address, or those that the form names, with its list as a file."""
    if codes:
        yield Firms(codes)
        return
    with ExitStack() as stack:
        lists = given.held(desk, "list", several=False)
        typed = codes_typed(desk, given, "codes", several=True)
        if bool(typed) == bool(lists) and "codes" not in given.faults:
            given.faults["codes"] = (
                "企业和名单只写一样：请写信用代码，或附名单文件"
                if typed
                else "请写明企业的信用代码或名称，或附名单文件"
            )
        renamed = codes_typed(desk, given, "renamed", several=True)
        if lists and not given.faults:
            path: Path = stack.enter_context(evidence.attached(desk).opened(lists[0]))
            yield Firms(file=path, renamed=frozenset(renamed))
        else:
            yield Firms(typed)


def _led(
    at: Office,
    desk: Desk,
    given: Sent,
    title: str,
    done: Callable[[Desk], Done],
    *,
    rehearsed: bool,
) -> str:
    """Do an act, after it was rehearsed and seen if it must be, and say where it leads."""
    seen = _digest(given)
    if rehearsed and given.text(_SEEN) != seen:
        raise RehearsedError({"found": done(desk.rehearsal()), "seen": seen})
    made = done(desk)
    if len(made.stands) == 1:
        return f"{at.to.case(made.stands[0].uscc, title)}#course"
    numbers = [entry.seq for entry in made.entries]
    states = {one.state for one in made.stands}
    return addresses.asked(
        "/applications",
        tier=at.to.slug(title),
        state=states.pop() if len(states) == 1 else "",
        first=min(numbers),
        last=max(numbers),
    )


def _digest(given: Sent) -> str:
    """What was typed and sent, so that only what was seen is recorded."""
    typed: Mapping[str, Any] = {k: v for k, v in sorted(given.typed.items()) if k != _SEEN}
    return sha256(json_text(typed).encode()).hexdigest()


def _recorded(
    request: Request,
    at: Office,
    whom: Whom,
    given: Sent,
    codes: tuple[str, ...],
    act: Callable[[Desk], str],
    shown: Callable[[Request, Office, Whom, Form, int], HTMLResponse],
    kinds: tuple[str, ...] = (),
) -> Response:
    """Do an act that concerns these enterprises, or if none are named, whatever a list names.

    ``shown`` is the page on which the form stands, also if the act was refused.
    """
    concerned = (*Seen(0).kinds, "round", *kinds)

    def again(form: Form, status: int) -> HTMLResponse:
        return shown(request, at, whom, form, status)

    return recorded(request, given, Seen(given.head, codes, concerned), act, again, _FIELDS)
