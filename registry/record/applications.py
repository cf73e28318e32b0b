"""Applications and their steps: recorded, and read back as the course that each has taken.

An application (申报) opens a case under the workflow that governs; every step (办理) is an entry by a
person, with the level acted for, the day it says it was done, ground and evidence. An announcement
(公告) takes the last step of many applications at once and registers their titles. Everything is
recorded whole or not at all: one line that is wrong refuses the whole list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import called, projection
from registry.database.altered import UNREADABLE
from registry.database.versions import ENTERPRISE, FILING, chunks
from registry.errors import AlteredError, RecordError
from registry.portable.chain import KINDS
from registry.portable.clock import china_day
from registry.record import duties, journal, publication, register, rounds
from registry.record.determinations import signed_name
from registry.record.register import Holder, Notice
from registry.record.rounds import Round
from registry.record.whole import whole
from rules.language.provinces import acting
from rules.model.ruleset import Outcome
from rules.portable.applications import (
    SCHEMA,
    Application,
    Applications,
    Recorded,
    governing,
    refuse_outside,
)
from rules.portable.canonical import digest
from rules.portable.duties import is_recheck
from rules.portable.errors import Remedy
from rules.portable.record import Body, Json
from rules.portable.record import RecordError as PortableError
from rules.portable.workflow import EXTEND, GRANT, SETTLE, Act, StepError


@dataclass(frozen=True, kw_only=True)
class Applying:
    """What applicants ask for: a tier's procedure, by papers handed in on a day.

    ``level`` entered them; ``round`` and ``batch`` are empty without one. ``document`` and
    ``evidence`` are the papers.
    """

    tier: str
    procedure: str
    day: date
    level: str
    batch: str = ""
    round: Round | None = None
    document: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Doing:
    """A step to be recorded: what is done, by which level, and on which day it is said to have been done.

    ``ground`` says why, ``document`` and ``evidence`` show it. ``objection`` is the number of the
    step that registered the objection which is settled; None means the only open one.
    """

    act: str
    level: str
    day: date
    ground: str = ""
    document: str = ""
    evidence: tuple[str, ...] = ()
    objection: int | None = None


# -- reading ---------------------------------------------------------------------------------------


class Reader:
    """Reads applications, keeping what they rest on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._calendars = publication.calendars(session)
        self._rounds = {one.digest: one.body for one in rounds.rounds(session)}

    def of(self, usccs: Sequence[str] | None = None) -> dict[str, list[Application]]:
        """All applications of these enterprises (or of all) with their steps, oldest first."""
        found: dict[str, list[Application]] = {}
        for part in [None] if usccs is None else chunks(usccs):
            for application in self._followed(part):
                found.setdefault(application.entry.body["uscc"], []).append(application)
        return found

    def _followed(self, usccs: Sequence[str] | None) -> Iterable[Application]:
        followed = Applications(
            partial(publication.workflows, self.session), self._rounds.__getitem__, self._calendars
        )
        kinds = ("application", "step")
        for entry in journal.entries(self.session, kinds=kinds, subjects=usccs):
            try:
                followed.follow(entry.kind, recorded(entry))
            except (StepError, PortableError, *UNREADABLE) as error:
                raise _unfollowed(entry, error) from error
        return followed.found.values()


def _unfollowed(entry: journal.Entry, error: Exception) -> AlteredError:
    return AlteredError(
        "unfollowed-step",
        "第{where}号{kind}不合办理程序（{cause}），不可采信",
        where=entry.seq,
        kind=KINDS[entry.kind],
        cause=error,
        remedy=Remedy("verify-record"),
    )


def recorded(entry: journal.Entry) -> Recorded:
    """An entry of the journal in the form that is followed."""
    return Recorded(entry.seq, entry.digest, china_day(entry.recorded_at), entry.content)


def standing(found: Iterable[Application], tier: str, procedure: str = "") -> Application | None:
    """The newest of an enterprise's applications for a tier; None if there is none."""
    asked = [
        one
        for one in found
        if one.entry.body["tier"] == tier and procedure in ("", one.entry.body["procedure"])
    ]
    return asked[-1] if asked else None


# -- applying --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Applicant:
    """An enterprise as it is known when it applies."""

    name: str
    province: str
    filed_as_of: date | None


def apply(
    session: Session, usccs: Sequence[str], applying: Applying, *, by: str, now: datetime
) -> list[journal.Entry]:
    """Record applications of these enterprises; needs a writing transaction, like all writing here.

    Raises ``RecordError`` if anything is wrong with one of them: no filing by that day, an
    application that is still open, a round that does not take it, no workflow that governs.
    """
    named = signed_name(by)
    _refuse_future(applying.day, now)
    handled = publication.workflow_table(session)
    open_ = Reader(session).of(usccs)
    held = duties.Reader(session, usccs)
    applicants = _applicants(session, usccs, applying.day)

    def stated(uscc: str) -> Json:
        applicant = applicants.get(uscc)
        if applicant is None:
            raise RecordError("no-such-enterprise", "登记库中没有这家企业")
        if applicant.filed_as_of is None:
            raise RecordError("no-filing-by-then", "{value}以前没有填报", value=applying.day)
        before = standing(open_.get(uscc, ()), applying.tier)
        if before and not before.on(applying.day).ended:
            raise RecordError(
                "application-open",
                "第{where}号申报尚未办结（{state}）",
                where=before.entry.seq,
                state=before.on(applying.day).state,
            )
        body = _application(uscc, applicant, applying, handled.digest)
        body["workflow"] = _governing(body, handled.table)
        recheck = is_recheck(handled.table["workflows"][body["workflow"]])
        duties.refuse_barred(held, uscc, applying.day, recheck=applying.tier if recheck else "")
        if applying.round:
            _refuse_closed(applying.round, applying.day)
            refuse_outside(body, applying.round.body)
        return body

    bodies = whole(usccs, stated)
    drafts = [
        journal.Draft(kind="application", tier=applying.tier, subject=body["uscc"], body=body)
        for body in bodies
    ]
    return _append(session, drafts, by=named, now=now)


def _governing(body: Json, table: Body) -> str:
    try:
        return governing(body, table)
    except PortableError as error:
        raise RecordError(
            "no-workflow",
            "所发布的标准没有适用于它的{value}{procedure}办理程序（{cause}）：请核对层级、程序、省份和填报日期",
            value=body["tier"],
            procedure=body["procedure"],
            cause=error,
        ) from error


def _application(uscc: str, applicant: _Applicant, applying: Applying, workflows: str) -> Json:
    assert applicant.filed_as_of is not None
    return {
        "schema": SCHEMA,
        "applied_on": applying.day.isoformat(),
        "uscc": uscc,
        "name": applicant.name,
        "tier": applying.tier,
        "procedure": applying.procedure,
        "province": applicant.province,
        "batch": applying.round.body["batch"] if applying.round else applying.batch,
        "round": applying.round.digest if applying.round else None,
        "filed_as_of": applicant.filed_as_of.isoformat(),
        "level": applying.level,
        "workflows": workflows,
        "document": applying.document.strip(),
        "evidence": list(applying.evidence),
    }


def _refuse_closed(one: Round, day: date) -> None:
    if one.closed_on is not None and day >= one.closed_on:
        raise RecordError(
            "round-closed",
            "轮次「{value}」已于{expected}结束",
            value=one.name,
            expected=one.closed_on,
        )


def _refuse_future(day: date, now: datetime) -> None:
    if day > china_day(now):
        raise RecordError("day-in-future", "{value}还没有到，不能登记：请核对日期", value=day)


def _applicants(session: Session, usccs: Sequence[str], day: date) -> dict[str, _Applicant]:
    """These enterprises as of a day, each with the day of its newest current filing by then."""
    newest = sa.func.max(FILING.c.as_of)
    filed = (FILING.c.enterprise_id == ENTERPRISE.c.id) & FILING.c.known_until.is_(None)
    columns = [ENTERPRISE.c[name] for name in ("uscc", "province", "city")]
    query = (
        sa.select(*columns, newest)
        .outerjoin_from(ENTERPRISE, FILING, filed & (FILING.c.as_of <= day))
        .group_by(ENTERPRISE.c.id, *columns)
    )
    named = called.names(session.connection(), usccs, day)
    return {
        uscc: _Applicant(named[uscc], acting(province or "", city or ""), as_of)
        for part in chunks(usccs)
        for uscc, province, city, as_of in session.execute(query.where(ENTERPRISE.c.uscc.in_(part)))
    }


# -- steps -----------------------------------------------------------------------------------------


def step(
    session: Session,
    usccs: Sequence[str],
    tier: str,
    doing: Doing,
    *,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Take the same step in the newest application of each of these enterprises for a tier.

    Raises ``RecordError`` if one of them may not take it, and for a step that grants or extends a
    title, which only ``announce`` takes.
    """
    named = signed_name(by)
    _refuse_future(doing.day, now)
    found, decided = Reader(session).of(usccs), newest_decisions(session, usccs, tier)

    def stated(uscc: str) -> journal.Draft:
        application = newest(found.get(uscc, ()), tier)
        draft, act = _step(session, application, doing, decided.get(uscc), now)
        if {GRANT, EXTEND}.intersection(act.effects):
            raise RecordError(
                "announced-only", "“{value}”随公告办理", value=act.act, remedy=Remedy("announce")
            )
        return draft

    drafts = whole(usccs, stated)
    return _append_steps(session, drafts, found, by=named, now=now)


def newest(found: Iterable[Application], tier: str) -> Application:
    """The newest of an enterprise's applications for a tier; ``RecordError`` if there is none."""
    application = standing(found, tier)
    if application is None:
        raise RecordError("no-application", "没有「{value}」的申报", value=tier)
    return application


def _step(
    session: Session,
    application: Application,
    doing: Doing,
    decided: "Decided | None",
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> tuple[journal.Draft, Act]:
    """The draft of a step, followed as if it were recorded, so that it is refused here if ever."""
    said = application.entry.body
    if decided is not None and decided.procedure != said["procedure"]:
        decided = None
    ground = doing.ground.strip()
    objection = _objection(application, doing)
    body: Json = {
        "schema": SCHEMA,
        "act": doing.act,
        "after": application.last.digest,
        "application": application.entry.digest,
        "uscc": said["uscc"],
        "level": doing.level,
        "day": doing.day.isoformat(),
        "decision": decided.digest if decided else None,
        "outcome": decided.outcome if decided else "",
        "objection": objection,
        "document": doing.document.strip(),
        "evidence": list(doing.evidence),
        **(more or {}),
    }
    texts = {}
    if ground:
        body["ground"], texts = journal.SEALED, {"ground": ground}
    draft = journal.Draft(
        kind="step", tier=str(said["tier"]), subject=said["uscc"], body=body, texts=texts
    )
    # by the calendar that is known now, which may be newer than the last step
    number = max([application.last.seq, *application.calendars.since]) + 1
    taken = application.take(Recorded(number, "", china_day(now), body))
    return draft, taken.act


def _objection(application: Application, doing: Doing) -> str | None:
    """The digest of the objection that a step settles: the one that is named, or the only open one."""
    settles = [
        act
        for act in application.allowed(doing.day)
        if act.act == doing.act and SETTLE in act.effects
    ]
    if not settles:
        return None
    open_ = application.objections(doing.day)
    for entry in open_:
        if doing.objection in (None, entry.seq) and (doing.objection or len(open_) == 1):
            return entry.digest
    if not open_:
        raise RecordError("no-such-objection", "没有未处理的异议")
    raise RecordError(
        "which-objection",
        "未处理的异议有{value}件：请写明是哪一件",
        value="、".join(f"第{entry.seq}号" for entry in open_),
    )


# -- announcing ------------------------------------------------------------------------------------


def announce(
    session: Session,
    usccs: Sequence[str],
    tier: str,
    notice: Notice,
    *,
    level: str,
    first: date | None = None,
    last: date | None = None,
    stated: Mapping[str, Holder] | None = None,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Announce these enterprises: grant or extend their titles, and close their applications.

    The titles begin on ``first``, or on the notice's date, and last for the usual time unless
    ``last`` says otherwise, or an enterprise's own days as ``stated``. Returns the announcement, the
    titles and the steps.
    """
    named = signed_name(by)
    _refuse_future(notice.dated, now)
    found, decided = Reader(session).of(usccs), newest_decisions(session, usccs, tier)

    def meant(uscc: str) -> tuple[Application, Act]:
        application = newest(found.get(uscc, ()), tier)
        acts = [
            act
            for act in application.allowed(notice.dated)
            if {GRANT, EXTEND}.intersection(act.effects)
        ]
        if not acts:
            state = application.on(notice.dated).state
            raise RecordError("not-to-be-announced", "“{state}”环节不能公告", state=state)
        return application, acts[0]

    applications = dict(zip(usccs, whole(usccs, meant), strict=True))
    listed = [one.entry.digest for one, _ in applications.values()]
    body = {
        "schema": SCHEMA,
        "announced": digest(listed),
        "count": len(listed),
        "document": notice.number.strip(),
        "dated": notice.dated.isoformat(),
        "evidence": list(notice.evidence),
    }
    [announcement] = journal.append(
        session, [journal.Draft(kind="announcement", tier=tier, body=body)], by=named, now=now
    )
    days = stated or {}
    titled = _titles(session, applications, tier, notice, first, last, days, by=named, now=now)

    def closing(uscc: str) -> journal.Draft:
        application, act = applications[uscc]
        doing = Doing(
            act=act.act, level=level, day=notice.dated, document=notice.number,
            evidence=notice.evidence,
        )  # fmt: skip
        more = {"announcement": announcement.digest, "title": titled[uscc].digest}
        return _step(session, application, doing, decided.get(uscc), now, more)[0]

    steps = _append_steps(session, whole(usccs, closing), found, by=named, now=now)
    return [announcement, *titled.values(), *steps]


def _titles(
    session: Session,
    applications: Mapping[str, tuple[Application, Act]],
    tier: str,
    notice: Notice,
    first: date | None,
    last: date | None,
    stated: Mapping[str, Holder],
    *,
    by: str,
    now: datetime,
) -> dict[str, journal.Entry]:
    """Register the titles of announced enterprises: new ones, and those that a re-check extends."""
    entries: list[journal.Entry] = []
    named = called.names(session.connection(), list(applications), notice.dated)
    for effect in (GRANT, EXTEND):
        holders = [
            replace(
                stated.get(uscc) or Holder(uscc), name=named.get(uscc) or one.entry.body["name"]
            )
            for uscc, (one, act) in applications.items()
            if effect in act.effects
        ]
        if holders and effect == GRANT:
            entries += register.grant(
                session, holders, tier, notice,
                first=first or notice.dated, last=last, by=by, now=now,
            )  # fmt: skip
        elif holders:
            entries += register.extend(session, holders, tier, notice, last=last, by=by, now=now)
    return {str(entry.subject): entry for entry in entries}


# -- what steps rest on ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Decided:
    """The newest decision on an enterprise for a tier, if its facts have not changed since."""

    digest: str
    procedure: str
    outcome: str


def newest_decisions(session: Session, usccs: Sequence[str], tier: str) -> dict[str, Decided]:
    """The newest decision on each of these enterprises that still rests on all that is known.

    It does not if a newer filing is current, if the filing was corrected, undone or withdrawn, or
    if somebody determined something about it later.
    """
    state = projection.CASE_STATE
    found: dict[str, Decided] = {}
    for part in chunks(usccs):
        query = sa.select(state.c.uscc, state.c.tier, state.c.decision, state.c.filing_id)
        rows = session.execute(
            query.where(state.c.uscc.in_(part), state.c.tier.in_(("", tier)))
        ).all()
        newest = {row.uscc: row.filing_id for row in rows if not row.tier}
        decided = {
            row.decision: row
            for row in rows
            if row.tier and row.decision and row.filing_id == newest.get(row.uscc)
        }
        filings = [row.filing_id for row in decided.values()]
        settled = _settled(session, filings)
        for entry in journal.numbered(session, sorted(decided)):
            if entry.seq > settled.get(entry.filing_id or 0, 0):
                body = entry.content
                found[decided[entry.seq].uscc] = Decided(
                    entry.digest, body["case"]["procedure"], Outcome(body["verdict"]).text
                )
    return found


def _settled(session: Session, filing_ids: Sequence[int]) -> dict[int, int]:
    """The number of the last entry on each filing that changes what a decision would say."""
    table = journal.JOURNAL
    query = (
        sa.select(table.c.filing_id, sa.func.max(table.c.seq).label("last"))
        .where(table.c.filing_id.in_(filing_ids), table.c.kind.in_(CHANGING))
        .group_by(table.c.filing_id)
    )
    return {row.filing_id: row.last for row in session.execute(query)}


#: The kinds of entries on a filing after which an earlier decision says nothing of it any more.
CHANGING: Final = ("determination", "confirmation", "withdrawal")


def _append(
    session: Session, drafts: Sequence[journal.Draft], *, by: str, now: datetime
) -> list[journal.Entry]:
    """Append entries, and bring up to date where the enterprises stand."""
    added = journal.append(session, drafts, by=by, now=now)
    connection = session.connection()
    subjects = [entry.subject for entry in added if entry.subject]
    projection.refresh(connection, projection.ids_of(connection, subjects))
    return added


def _append_steps(
    session: Session,
    drafts: Sequence[journal.Draft],
    found: Mapping[str, Sequence[Application]],
    *,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Append steps that have been followed, and bring up to date where their applications stand."""
    added = journal.append(session, drafts, by=by, now=now)
    taken = {entry.seq: newest(found[str(entry.subject)], entry.tier) for entry in added}
    projection.step(session.connection(), taken)
    return added
