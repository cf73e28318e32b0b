"""What holding a title entails: updates, changes, complaints, and what persons decide on them.

Each act is an entry of the journal about one enterprise, followed like those before it, so that one
that does not fit is refused. A person decides what follows from a missed day: one of the
consequences that the clocks give the matter, or none, always with the ground. A mistaken entry is
taken back by another that repeats it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from sqlmodel import Session

from registry.database import called, due, projection
from registry.database.due import Timings
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.portable.chain import KINDS as KIND_WORDS
from registry.portable.clock import china_day
from registry.record import journal, publication
from registry.record.determinations import signed_name
from registry.record.whole import whole
from rules.portable.applications import Recorded
from rules.portable.duties import KINDS, SCHEMA, Duties
from rules.portable.record import Json
from rules.portable.timing import Timing


@dataclass(frozen=True, kw_only=True)
class Papers:
    """The day on which something was done or came in, and the papers that show it.

    ``ground`` is a person's own statement, which stays sealed in masked bundles.
    """

    day: date
    document: str = ""
    evidence: tuple[str, ...] = ()
    ground: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change that has to be reported: its kind, the day it happened, and the day of the report.

    ``reported`` is None if nobody reported it yet. ``renamed`` is the new name, if it is another.
    """

    kind: str
    day: date
    reported: date | None = None
    renamed: str = ""


@dataclass(frozen=True, kw_only=True)
class Matter:
    """What is overdue: a matter of a tier, and which of several it is (``2024年``, or an entry's number)."""

    tier: str
    matter: str
    subject: str = ""


class Reader:
    """What is on record about the titles and duties of some enterprises, with the clocks of each."""

    def __init__(self, session: Session, usccs: Sequence[str], day: date | None = None) -> None:
        """``day`` is the day whose names are given; without it, they are the present ones."""
        connection = session.connection()
        self._duties: dict[str, Duties] = {}
        for part in chunks(usccs):
            self._duties |= due.duties(connection, part)
        self._names = called.names(connection, usccs, day)
        self._places = due.provinces(connection, usccs)
        self._timings = Timings.in_force(connection)

    def name(self, uscc: str) -> str:
        """The name of an enterprise, by its filings and changes, else by its titles."""
        held = self._duties.get(uscc)
        return self._names.get(uscc, "") or (held.name if held else "")

    def known(self, uscc: str) -> Duties:
        """The duties of an enterprise that has a filing or a title; ``RecordError`` for any other."""
        if uscc not in self._duties and uscc not in self._names:
            raise RecordError("no-such-enterprise", "登记库中没有这家企业")
        return self._duties.setdefault(uscc, Duties())

    def province(self, uscc: str) -> str:
        """What acts as the province of an enterprise; empty if it is not known."""
        return self._places.get(uscc, "")

    def timing(self, uscc: str, tier: str) -> Timing:
        """The clocks of a tier where an enterprise is."""
        return self._timings.of(tier, self.province(uscc))


def update(
    session: Session, usccs: Sequence[str], year: int, papers: Papers, *, by: str, now: datetime
) -> list[journal.Entry]:
    """Record that these enterprises updated their information for a year.

    Raises ``RecordError`` if one of them has no title for which that is due.
    """

    def stated(_uscc: str, _reader: Reader) -> tuple[Json, str]:
        return {"year": year}, ""

    return _record(session, "update", usccs, papers, stated, by=by, now=now)


def change(
    session: Session,
    usccs: Sequence[str],
    changed: Change,
    papers: Papers,
    *,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Record a change, and its report if there is one."""
    if changed.reported and changed.reported < changed.day:
        raise RecordError(
            "reported-before",
            "报告日期{value}早于变化日期{expected}",
            value=changed.reported,
            expected=changed.day,
        )

    def stated(_uscc: str, _reader: Reader) -> tuple[Json, str]:
        return _changed(changed, None), ""

    return _record(
        session, "change", usccs, replace(papers, day=changed.day), stated, by=by, now=now
    )


def report(session: Session, seq: int, papers: Papers, *, by: str, now: datetime) -> journal.Entry:
    """Record that a change was reported after all; ``seq`` is the number of the entry that noted it."""
    first = _entry(session, seq, "change")
    body = first.content
    changed = Change(
        kind=body["changed"], day=date.fromisoformat(body["day"]), reported=papers.day,
        renamed=body["renamed"],
    )  # fmt: skip

    def stated(uscc: str, reader: Reader) -> tuple[Json, str]:
        return _changed(changed, first.digest), ""

    at = replace(papers, day=changed.day)
    return _record(session, "change", [body["uscc"]], at, stated, by=by, now=now)[0]


def _changed(changed: Change, first: str | None) -> Json:
    return {
        "changed": changed.kind,
        "of": first,
        "renamed": changed.renamed.strip(),
        "reported": changed.reported.isoformat() if changed.reported else None,
    }


def complain(
    session: Session, uscc: str, papers: Papers, informant: str, *, by: str, now: datetime
) -> journal.Entry:
    """Record a complaint that came in under a real name; nobody but this registry learns the name.

    Raises ``RecordError`` without the name, or without what is complained of.
    """
    if not informant.strip():
        raise RecordError("no-informant", "举报须实名：请写明举报人")
    _refuse_groundless(papers, "举报的内容")

    def stated(uscc: str, reader: Reader) -> tuple[Json, str]:
        reader.known(uscc)
        return {"informant": journal.SEALED, "of": None, "outcome": ""}, ""

    texts = {"informant": informant.strip()}
    return _record(session, "complaint", [uscc], papers, stated, texts, by=by, now=now)[0]


def answer(
    session: Session, seq: int, outcome: str, papers: Papers, *, by: str, now: datetime
) -> journal.Entry:
    """Record that a complaint was answered, with what came of it; ``seq`` is the complaint's number."""
    if not outcome.strip():
        raise RecordError("no-outcome", "请写明核查的结果")
    first = _entry(session, seq, "complaint")

    def stated(uscc: str, reader: Reader) -> tuple[Json, str]:
        return {"of": first.digest, "outcome": outcome.strip()}, ""

    uscc = first.content["uscc"]
    return _record(session, "complaint", [uscc], papers, stated, by=by, now=now)[0]


def decide(
    session: Session,
    usccs: Sequence[str],
    matter: Matter,
    consequence: str,
    papers: Papers,
    *,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Record what a person decided on an overdue matter: one of its consequences, or none.

    Raises ``RecordError`` if it is not overdue, if the clocks give it another consequence, and
    without a ground.
    """
    _refuse_groundless(papers, "理由")
    clocks = publication.clocks_digest(session)

    def stated(uscc: str, reader: Reader) -> tuple[Json, str]:
        items = reader.known(uscc).items(matter.tier, reader.timing(uscc, matter.tier), papers.day)
        meant = (i for i in items if (i.matter, i.subject) == (matter.matter, matter.subject))
        last = next((i.due for i in meant if i.due), None)
        return {
            "clocks": clocks,
            "consequence": consequence,
            "due": str(last),
            "matter": matter.matter,
            "subject": matter.subject,
            "tier": matter.tier,
        }, matter.tier

    return _record(session, "consequence", usccs, papers, stated, by=by, now=now)


def revoke(session: Session, seq: int, papers: Papers, *, by: str, now: datetime) -> journal.Entry:
    """Take a mistaken entry about a duty back, with the ground.

    Raises ``RecordError`` if it is not about a duty, was already taken back, or others rest on it.
    """
    _refuse_groundless(papers, "理由")
    first = journal.entry(session, seq)
    if first.kind not in KINDS or "revokes" in first.content:
        raise RecordError("not-revocable", "第{value}号记录不是可以撤回的记录", value=seq)
    kept = {k: v for k, v in first.content.items() if k not in ("ground", "informant")}

    def stated(uscc: str, reader: Reader) -> tuple[Json, str]:
        return {**kept, "revokes": first.digest}, first.tier

    return _record(session, first.kind, [kept["uscc"]], papers, stated, by=by, now=now)[0]


def refuse_barred(reader: Reader, uscc: str, day: date, *, recheck: str = "") -> None:
    """Raise ``DutyError`` if an enterprise may not apply on a day; ``recheck`` as in ``Duties``."""
    reader.known(uscc).refuse_barred(partial(reader.timing, uscc), day, recheck)


# -- recording -------------------------------------------------------------------------------------


def _record(
    session: Session,
    kind: str,
    usccs: Sequence[str],
    papers: Papers,
    stated: Callable[[str, Reader], tuple[Json, str]],
    texts: Mapping[str, str] | None = None,
    *,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Append an entry about each of these enterprises, or none, and bring up to date what is due."""
    named = signed_name(by)
    publication.clocks_digest(session)  # without clocks nothing could be followed
    reader = Reader(session, usccs, papers.day)
    number = journal.last_number(session) + 1
    ground = papers.ground.strip()
    sealed = {**(texts or {}), **({"ground": ground} if ground else {})}

    def draft(uscc: str) -> journal.Draft:
        own, tier = stated(uscc, reader)
        body: Json = {
            "schema": SCHEMA,
            "uscc": uscc,
            "name": reader.name(uscc),
            "province": reader.province(uscc),
            **own,
            "day": papers.day.isoformat(),
            "document": papers.document.strip(),
            "evidence": list(papers.evidence),
        }
        if ground:
            body["ground"] = journal.SEALED
        clocks = partial(reader.timing, uscc)
        reader.known(uscc).follow(kind, Recorded(number, "", china_day(now), body), clocks)
        return journal.Draft(kind=kind, tier=tier, subject=uscc, body=body, texts=sealed)

    added = journal.append(session, whole(usccs, draft), by=named, now=now)
    connection, concerned = session.connection(), list(dict.fromkeys(usccs))
    due.refresh(connection, concerned)
    if kind == "change":  # which may be one of the name
        projection.refresh(connection, projection.ids_of(connection, concerned))
    return added


def _entry(session: Session, seq: int, kind: str) -> journal.Entry:
    entry = journal.entry(session, seq)
    if entry.kind != kind:
        raise RecordError(
            "other-entry",
            "第{value}号记录是{found}，不是{expected}：请核对编号",
            value=seq,
            found=KIND_WORDS[entry.kind],
            expected=KIND_WORDS[kind],
        )
    return entry


def _refuse_groundless(papers: Papers, what: str) -> None:
    if not papers.ground.strip():
        raise RecordError("no-ground", "请写明{value}", value=what)
