"""Duties ``/duties/{duty}``: updates, changes, complaints, consequences, cancellations, and mistakes.

An address fills the form in: for an enterprise, for a line of what is due, or for the entry that is
reported, answered or taken back. Every act is rehearsed, and nothing is recorded before its entries
have been seen. The clocks on record say what may be chosen.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import auditing, candidates, due, duties, evidence
from registry.desk.auditing import EntryView
from registry.desk.due import DueLine
from registry.desk.duties import Cancelling, Change, Done, Firms, Matter, Papers
from registry.desk.place import Desk, Seen
from registry.kit.uscc import is_code, tidy
from registry.portable.chain import KINDS
from registry.web import addresses
from registry.web.asked import Number, Text, number
from registry.web.forms import Form, Given, New, RehearsedError, Sent, recorded
from registry.web.office import At, Office
from registry.web.pages.registering import codes_typed, noticed
from registry.web.rendering import page
from rules.model.catalogue import TITLE

router = APIRouter()

Name: TypeAlias = Literal[
    "update", "change", "report", "complain", "answer", "decide", "cancel", "revoke"
]
#: What an act does on a desk about some enterprises.
Run: TypeAlias = Callable[[Desk, Firms], Done]
#: The button that says which entries were rehearsed and seen.
_SEEN: Final = "rehearsed"
#: The choice of no consequence.
NONE: Final = "不追究"
#: The errors of acts -> the field to which each belongs.
_FIELDS: Final = {
    "faulty-list": "list",
    "empty-list": "list",
    "no-list": "list",
    "unclear-names": "list",
    "reported-before": "reported",
}


@dataclass(frozen=True)
class About:
    """What an address fills in; ``entry`` is the number of the entry that an act continues."""

    uscc: Annotated[tuple[str, ...], Query()] = ()
    tier: Text = ""
    matter: Text = ""
    subject: Text = ""
    year: Text = ""
    entry: Number = None

    @property
    def typed(self) -> dict[str, tuple[str, ...]]:
        """The same as if it had been typed."""
        found = {
            "codes": "\n".join(self.uscc), "tier": self.tier, "matter": self.matter,
            "subject": self.subject, "year": self.year,
        }  # fmt: skip
        return {name: (text,) for name, text in found.items() if text}


@dataclass(frozen=True, kw_only=True)
class Duty:
    """An act about a duty: its words, the fields of its form, and how they are read.

    ``day`` names the day that it states, empty if its document does; ``ground`` its ground, with a
    sign if it must be written. ``whom`` is whether it is about one enterprise, a list, or an entry.
    """

    heading: str
    said: str
    read: Callable[[Desk, Sent, int], Run]
    whom: Literal["one", "list", "entry"] = "list"
    fields: frozenset[str] = frozenset()
    day: str = ""
    ground: str = ""


def _update(desk: Desk, given: Sent, entry: int) -> Run:
    year = given.read("year", number, "请写明更新哪一年的信息，即最后一日所在的年度")
    papers = _papers(desk, given, "请写明企业提交更新的日期")
    return lambda at, firms: duties.update(at, firms, year or 0, papers(at))


def _change(desk: Desk, given: Sent, entry: int) -> Run:
    changed = Change(
        kind=given.text("kind", "请写明发生了什么变化，例如 更名"),
        day=given.day("happened", "请写明变化发生的日期") or date.min,
        reported=given.day("reported"),
        renamed=given.text("new_name"),
    )
    papers = _papers(desk, given)
    return lambda at, firms: duties.change(at, firms, changed, papers(at))


def _report(desk: Desk, given: Sent, entry: int) -> Run:
    papers = _papers(desk, given, "请写明企业报告的日期")
    return lambda at, _: duties.report(at, entry, papers(at))


def _complain(desk: Desk, given: Sent, entry: int) -> Run:
    informant = given.text("informant", "举报须实名：请写明举报人")
    papers = _papers(desk, given, "请写明收到举报的日期", "请写明举报的内容")
    return lambda at, firms: duties.complain(at, firms.codes[0], papers(at), informant)


def _answer(desk: Desk, given: Sent, entry: int) -> Run:
    outcome = given.text("outcome", "请写明核查的结果，例如 属实、不属实")
    papers = _papers(desk, given, "请写明答复的日期")
    return lambda at, _: duties.answer(at, entry, outcome, papers(at))


def _decide(desk: Desk, given: Sent, entry: int) -> Run:
    matter = Matter(
        tier=given.text("tier", "请选择层级"),
        matter=given.text("matter", "请选择逾期的事项"),
        subject=given.text("subject"),
    )
    consequence = given.text("consequence", "请选择后果，或不追究")
    drawn = "" if consequence == NONE else consequence
    papers = _papers(desk, given, "请写明决定的日期", "请写明理由")
    return lambda at, firms: duties.decide(at, firms, matter, drawn, papers(at))


def _cancel(desk: Desk, given: Sent, entry: int) -> Run:
    tier = given.text("tier")
    cancelling = Cancelling(
        cause=given.text("cause", "请选择取消的事由"),
        on=given.day("ended"),
        barred_until=given.day("barred_until"),
    )
    notice = noticed(desk, given, "决定")
    tiers = (tier,) if tier else ()
    return lambda at, firms: duties.cancel(at, firms, tiers, notice(at), cancelling)


def _revoke(desk: Desk, given: Sent, entry: int) -> Run:
    papers = _papers(desk, given, "请写明撤回的日期", "请写明理由")
    return lambda at, _: duties.revoke(at, entry, papers(at))


#: The acts by the last parts of their addresses.
ACTS: Final[Mapping[str, Duty]] = {
    "update": Duty(
        heading="登记年度更新",
        said="企业更新了信息的，登记是哪一年的、哪一日提交。有一家不须更新的，整份名单都不登记。",
        fields=frozenset({"year"}),
        day="提交的日期",
        read=_update,
    ),
    "change": Duty(
        heading="登记变化",
        said="企业发生了须报告的变化：已经报告的，一并写明报告的日期；还没有报告的先登记，报告以后再补登。",
        fields=frozenset({"change"}),
        ground="说明（可不填）",
        read=_change,
    ),
    "report": Duty(
        heading="补登变化的报告",
        said="企业后来报告了这一变化。变化的内容以原登记为准。",
        whom="entry",
        day="报告的日期",
        ground="说明（可不填）",
        read=_report,
    ),
    "complain": Duty(
        heading="登记举报",
        said="登记实名举报：举报人封存于登记簿，不随证据包交出。",
        whom="one",
        fields=frozenset({"informant"}),
        day="收到的日期",
        ground="举报的内容",
        read=_complain,
    ),
    "answer": Duty(
        heading="登记举报的答复",
        said="登记核查的结果和答复举报人的日期。查实后的处理另行登记。",
        whom="entry",
        fields=frozenset({"outcome"}),
        day="答复的日期",
        ground="说明（可不填）",
        read=_answer,
    ),
    "decide": Duty(
        heading="决定逾期的后果",
        said="逾期的后果由人决定，并写明理由。有一家没有逾期的，整份名单都不登记。",
        fields=frozenset({"matter"}),
        day="决定的日期",
        ground="理由",
        read=_decide,
    ),
    "cancel": Duty(
        heading="取消称号",
        said="依据一份决定，写明事由；不得再申报的期间由标准按事由写明，及于各个层级。",
        fields=frozenset({"cause"}),
        read=_cancel,
    ),
    "revoke": Duty(
        heading="撤回误登的记录",
        said="如同没有登记过；原记录和撤回都留在登记簿中。",
        whom="entry",
        day="撤回的日期",
        ground="理由",
        read=_revoke,
    ),
}


@router.get("/duties/{duty}")
def ask(
    request: Request, at: At, duty: Name, form: New, about: Annotated[About, Depends()]
) -> HTMLResponse:
    """The page of an act, with what its address fills in."""
    return _shown(request, at, duty, about, replace(form, typed=about.typed))


@router.post("/duties/{duty}")
def enter(
    request: Request, at: At, duty: Name, given: Given, about: Annotated[About, Depends()]
) -> Response:
    """Do it once its entries were seen, and lead to them."""
    wanted = ACTS[duty]

    def done(desk: Desk) -> str:
        with _firms(desk, given, wanted) as firms:
            run = wanted.read(desk, given, about.entry or 0)
            given.refuse()
            seen = given.digest(_SEEN)
            if given.text(_SEEN) != seen:
                found = run(desk.rehearsal(), firms)
                lines = auditing.lines(desk, found.entries[:_SHOWN])
                told = {"notices": found.notices, "count": len(found.entries), "lines": lines}
                raise RehearsedError({**told, "seen": seen})
            return _led(run(desk, firms))

    return recorded(
        request,
        given,
        _seen(at, given, about),
        done,
        lambda form, status: _shown(request, at, duty, about, form, status),
        _FIELDS,
    )


#: The most entries that are shown before they are recorded.
_SHOWN: Final = 200


def actions(found: EntryView) -> dict[str, str]:
    """What continues an entry about a duty, and on which page; nothing for other entries."""
    kinds = {KINDS[kind]: kind for kind in ("update", "change", "complaint", "consequence")}
    body, kind = json.loads(found.body), kinds.get(found.line.kind)
    if kind is None or "revokes" in body or found.revoked or found.answered:
        return {}  # an answer must be taken back first
    acts = {"撤回误登": "revoke"}
    if kind == "change" and not body["reported"]:
        acts = {"补登报告": "report", **acts}
    if kind == "complaint" and body["of"] is None:
        acts = {"登记答复": "answer", **acts}
    return {name: addresses.duty(act, entry=found.line.seq) for name, act in acts.items()}


# -- what they have in common ----------------------------------------------------------------------


def _papers(desk: Desk, given: Sent, day: str = "", ground: str = "") -> Callable[[Desk], Papers]:
    """The papers that a form names, as of today if it has no day of its own; a rehearsal keeps none."""
    on = given.day("day", day) if day else desk.today
    document, said = given.text("document"), given.text("ground", ground)
    files = given.held(desk, "evidence")

    def papers(at: Desk) -> Papers:
        assert on is not None, "a form without its day is refused"
        return Papers(day=on, document=document, evidence=evidence.sent(at, files), ground=said)

    return papers


@contextmanager
def _firms(desk: Desk, given: Sent, wanted: Duty) -> Iterator[Firms]:
    """The enterprises that a form names, with its list as a file for as long as it is read."""
    if wanted.whom == "entry":
        yield Firms()
        return
    with ExitStack() as stack:
        listed = wanted.whom == "list"
        lists = given.held(desk, "list", several=False) if listed else ()
        codes = codes_typed(desk, given, "codes", several=listed)
        if bool(codes) == bool(lists) and "codes" not in given.faults:
            given.faults["codes"] = (
                "企业和名单只写一样：请写信用代码，或附名单文件"
                if codes
                else f"请写明企业的信用代码或名称{'，或附名单文件' if listed else ''}"
            )
        renamed = codes_typed(desk, given, "renamed", several=True) if listed else ()
        if lists and not given.faults:
            path: Path = stack.enter_context(evidence.attached(desk).opened(lists[0]))
            yield Firms(file=path, renamed=frozenset(renamed))
        else:
            yield Firms(codes)


def _seen(at: Office, given: Sent, about: About) -> Seen:
    """What makes the act out of date: entries about whom it names, or of its kinds for a list."""
    if about.entry:
        return given.about(auditing.entry(at.desk, about.entry).uscc)
    lines = [tidy(line) for line in given.text("codes").splitlines() if line.strip()]
    if lines and all(map(is_code, lines)):
        return Seen(given.head, tuple(lines))
    kinds = ("title", "update", "change", "complaint", "consequence")
    return Seen(given.head, (), (*Seen(given.head).kinds, *kinds))


def _led(done: Done) -> str:
    first, last = done.entries[0], done.entries[-1]
    if first is last:
        return addresses.entry(first.seq)
    return addresses.asked("/journal", kind=KINDS[first.kind], before=last.seq + 1)


def _shown(
    request: Request, at: Office, act: Name, about: About, form: Form, status: int = 200
) -> HTMLResponse:
    wanted = ACTS[act]
    view = None
    if wanted.whom == "entry":
        view = auditing.entry(at.desk, about.entry or 0)
    titled = [t for t in at.desk.to_be_filed().tiers if t.kind == TITLE]
    line = _line(at.desk, form) if act == "decide" else None
    values: dict[str, Any] = {
        "act": act,
        "wanted": wanted,
        "view": view,
        "tiers": [(t.name, t.name) for t in titled],
        "matters": [
            ("", "请选择"),
            *((one, one) for one in due.MATTERS if duties.consequences(one)),
        ],
        "line": line,
        "named": candidates.named(at.desk, _fixed(about, form)),
        "drawn": [("", "请选择"), *((one, one) for one in _consequences(form, line)), (NONE, NONE)],
        "causes": [("", "请选择"), *((one, one) for one in duties.causes(at.desk))]
        if act == "cancel"
        else [],
        "kinds": duties.kinds(at.desk) if act == "change" else (),
        "today": at.desk.today,
    }
    return page(request, "duty.html", status=status, form=form, **values)


def _fixed(about: About, form: Form) -> tuple[str, ...]:
    """The enterprises that the address names, unless the form names others."""
    codes = tuple(form.value("codes").split())
    return codes if codes == about.uscc and "codes" not in form.faults else ()


def _line(desk: Desk, form: Form) -> DueLine | None:
    """The overdue line that a decision is about, if the form names a single one."""
    codes = form.value("codes").split()
    if len(codes) != 1 or not form.value("tier") or form.value("matter") not in due.MATTERS:
        return None
    asked = due.Asked(
        day=desk.today, states=(due.OVERDUE,), tier=form.value("tier"),
        matter=form.value("matter"), uscc=tidy(codes[0]),
    )  # fmt: skip
    found = due.due(desk, asked).lines
    return next((one for one in found if one.subject == form.value("subject")), None)


def _consequences(form: Form, line: DueLine | None) -> tuple[str, ...]:
    """What may be decided: what the clocks give the line, or else what any give its matter."""
    if line is not None:
        return line.consequences
    matters = (form.value("matter"),) if form.value("matter") else due.MATTERS
    return tuple(dict.fromkeys(one for matter in matters for one in duties.consequences(matter)))
