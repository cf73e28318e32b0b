"""The register: who holds which title, and the document that says so.

Every entry states one title anew, as a document left it: granted (授予), extended after a re-check
(延期), ended early (终止), cancelled for a cause (取消), or struck out because it was entered in error
(划销). Entries are never altered: the last entry on a title decides, and the state at an earlier moment
is what remains without later entries. Holdings (``registry.record.holdings``) are entries of the same
register; what both have in common stands here.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from registry.database import due
from registry.database.due import Timings
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.judging.settled import Registration
from registry.kit import uscc as codes
from registry.record import admissions, journal, publication
from registry.record.determinations import signed_name
from registry.record.validity import Proposed
from rules.model.facts import check_day
from rules.portable.clocks import ClockError
from rules.portable.duties import DutyError, refuse_cancelling
from rules.portable.errors import Remedy
from rules.portable.record import Json, is_holding, last_words

_SCHEMA: Final = 1
#: The action of an entry, as officers name it.
ACTIONS: Final = {
    "grant": "授予",
    "extend": "延期",
    "end": "终止",
    "cancel": "取消",
    "strike": "划销",
    "hold": "持股",
}
#: Why a title can end early.
REASONS: Final = ("撤销", "注销", "未通过复核", "主动放弃", "其他")


@dataclass(frozen=True)
class Notice:
    """The document that changed titles: number (文号), date, and digests of files that show it."""

    number: str
    dated: date
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holder:
    """An enterprise as a notice names it, with its title's days if the notice gives them each."""

    uscc: str
    name: str = ""
    first: date | None = None
    last: date | None = None


def titles(
    session: Session, usccs: Sequence[str] | None = None, *, until: int | None = None
) -> dict[str, list[Registration]]:
    """All entries on the titles of these enterprises (or of all), in order.

    ``until`` limits this to that many entries from the beginning of the journal.
    """
    found: dict[str, list[Registration]] = {}
    for part in [None] if usccs is None else chunks(usccs):
        for entry in journal.entries(session, last=until, kinds=["title"], subjects=part):
            assert entry.subject is not None
            found.setdefault(entry.subject, []).append(registration(entry))
    return found


def held(entry: Registration, day: date) -> bool:
    """Whether a registered title is valid, or a share is held, on a day."""
    return bool(entry.content["valid_from"] <= day.isoformat() <= _until(entry))


def registration(entry: journal.Entry) -> Registration:
    """The registration that an entry of the journal records."""
    assert entry.subject is not None
    return Registration(entry.seq, entry.digest, entry.content, entry.by, entry.subject)


def standing(register: Iterable[Registration]) -> list[Registration]:
    """The entries that hold: the last on each title or holding, except those struck out."""
    entries = {str(e.seq): e for e in register}
    return [entries[name] for name, _ in last_words((k, e.content) for k, e in entries.items())]


def grant(
    session: Session,
    holders: Sequence[Holder],
    kind: str,
    notice: Notice,
    *,
    first: date,
    last: date | None = None,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Register granted titles; needs a writing transaction, like all writing here.

    Without ``last``, they are valid for as long as the criteria in force say; a holder's own days
    take precedence. A title
    of the same kind that is valid at the same time raises ``RecordError``. If anything is wrong
    with one holder, nothing is registered.
    """
    refuse_days({"valid_from": str(first)})
    proposed = Proposed(session, kind, [h.uscc for h in holders])

    def stated(holder: Holder, held: list[Registration]) -> Json:
        begin = holder.first or first
        until = holder.last or last or proposed.granted(holder.uscc, begin)
        for entry in held:
            if _until(entry) >= begin.isoformat() and entry.content["valid_from"] <= str(until):
                raise RecordError(
                    "overlapping-title",
                    "第{where}号已登记同类称号，有效期至{value}，与新的有效期重叠",
                    where=entry.seq,
                    value=_until(entry),
                    remedy=Remedy("extend-title"),
                )
        return _title(holder, kind, begin.isoformat(), until.isoformat())

    return _record(session, "grant", holders, kind, notice, stated, by=by, now=now)


def extend(
    session: Session,
    holders: Sequence[Holder],
    kind: str,
    notice: Notice,
    *,
    first: date | None = None,
    last: date | None = None,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Register that titles were extended.

    They then end on the holder's own last day, on ``last``, or a term of validity later. ``first`` is the
    day on which the title began; it is needed if none is registered.
    """
    proposed = Proposed(session, kind, [h.uscc for h in holders])

    def stated(holder: Holder, held: list[Registration]) -> Json:
        latest = holder.last or last
        title = _the_title(held, holder, kind, first, latest)
        if title["ended_on"]:
            raise RecordError(
                "ended-title",
                "称号已于{value}终止，不能延期",
                value=title["ended_on"],
                remedy=Remedy("grant-anew"),
            )
        before = date.fromisoformat(title["valid_until"])
        until = latest or proposed.extended(holder.uscc, title["valid_from"], before, notice.dated)
        if held and until <= before:
            raise RecordError(
                "no-extension", "称号已登记至{expected}，延期应更晚：请核对有效期", expected=before
            )
        return {**title, "valid_until": until.isoformat()}

    return _record(session, "extend", holders, kind, notice, stated, by=by, now=now)


def end(
    session: Session,
    holders: Sequence[Holder],
    kind: str,
    notice: Notice,
    *,
    on: date,
    reason: str,
    first: date | None = None,
    last: date | None = None,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Register that titles ended early: from the day ``on`` they are no longer held.

    ``first`` and ``last`` describe a title that is not registered.
    """

    def stated(holder: Holder, held: list[Registration]) -> Json:
        return _ended(held, holder, kind, on, reason, first, last)

    return _record(session, "end", holders, kind, notice, stated, by=by, now=now)


def _ended(
    held: list[Registration],
    holder: Holder,
    kind: str,
    on: date,
    reason: str,
    first: date | None,
    last: date | None,
) -> Json:
    """The title meant, as it ends early on a day."""
    title = _the_title(held, holder, kind, first, last)
    if title["ended_on"]:
        raise RecordError("ended-title", "称号已登记于{value}终止", value=title["ended_on"])
    if on.isoformat() < title["valid_from"]:
        raise RecordError(
            "ends-before-it-begins",
            "称号自{expected}起有效，不能更早终止：请核对日期",
            expected=title["valid_from"],
        )
    return {**title, "ended_on": on.isoformat(), "reason": reason}


def cancel(
    session: Session,
    holders: Sequence[Holder],
    kind: str,
    notice: Notice,
    cause: str,
    *,
    on: date | None = None,
    barred_until: date | None = None,
    first: date | None = None,
    last: date | None = None,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Register that titles were cancelled for a cause: from the day ``on``, or the notice's, they end.

    The causes, and for how long each bars from applying again, are those of the clocks; from the day
    after the notice on. ``barred_until`` is the last day of a longer bar that the notice sets.
    Raises ``RecordError`` for any other cause. ``first`` and ``last`` as in ``end``.
    """
    clocks = publication.clocks_digest(session)
    timings = Timings.in_force(session.connection())
    places = due.provinces(session.connection(), [h.uscc for h in holders])
    since = on or notice.dated

    def stated(holder: Holder, held: list[Registration]) -> Json:
        body = _ended(held, holder, kind, since, cause, first, last)
        province = places.get(holder.uscc, "")
        cancelled = {
            **body,
            "barred_until": barred_until.isoformat() if barred_until else None,
            "cause": cause,
            "clocks": clocks,
            "province": province,
        }
        try:
            dated = {**cancelled, "dated": notice.dated.isoformat()}
            refuse_cancelling(dated, timings.of(kind, province))
        except (ClockError, DutyError) as error:
            raise RecordError("not-cancelled", "{value}", value=error) from error
        return cancelled

    return _record(session, "cancel", holders, kind, notice, stated, by=by, now=now)


def strike(session: Session, seq: int, notice: Notice, *, by: str, now: datetime) -> journal.Entry:
    """Strike out a title that was entered in error; ``seq`` is the last entry on it."""
    named, entry = signed(notice, by), journal.entry(session, seq)
    if entry.kind != "title" or entry.subject is None:
        raise RecordError(
            "not-a-title", "第{value}号记录不是称号登记", value=seq, remedy=Remedy("list-titles")
        )
    if seq not in [e.seq for e in standing(titles(session, [entry.subject])[entry.subject])]:
        raise RecordError(
            "not-the-standing-title",
            "第{value}号不是这项称号现行的登记",
            value=seq,
            remedy=Remedy("find-standing-title"),
        )
    body = {**entry.content, **by_notice("strike", notice), "strikes": entry.digest}
    [added] = journal.append(session, [draft(body)], by=named, now=now)
    due.refresh(session.connection(), [entry.subject])
    return added


def _title(holder: Holder, kind: str, first: str, last: str) -> Json:
    refuse_days({"valid_from": first, "valid_until": last})
    if first > last:
        raise RecordError(
            "ends-before-it-begins",
            "有效期自{expected}至{value}，终止早于开始：请核对日期",
            value=last,
            expected=first,
        )
    return {
        "uscc": holder.uscc,
        "name": holder.name,
        "kind": kind,
        "valid_from": first,
        "valid_until": last,
        "ended_on": None,
        "reason": "",
    }


def _the_title(
    held: list[Registration], holder: Holder, kind: str, first: date | None, last: date | None
) -> Json:
    """The title meant: the one that began on ``first``, or the latest, or one not registered."""
    meant = [e for e in held if first is None or e.content["valid_from"] == first.isoformat()]
    if meant:
        content = max(meant, key=lambda e: str(e.content["valid_from"])).content
        kept = _title(holder, kind, content["valid_from"], content["valid_until"])
        name = holder.name or content["name"]
        return {**kept, "name": name, **{k: content[k] for k in ("ended_on", "reason")}}
    if first is None or last is None:
        raise RecordError(
            "no-such-title", "登记簿中没有这项称号", remedy=Remedy("grant-or-tell-days")
        )
    return _title(holder, kind, first.isoformat(), last.isoformat())


def _record(
    session: Session,
    action: str,
    holders: Sequence[Holder],
    kind: str,
    notice: Notice,
    stated: Callable[[Holder, list[Registration]], Json],
    *,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Add an entry for each holder, or none; ``RecordError`` with everything that is wrong."""
    named = signed(notice, by)
    declared = publication.to_be_filed(session).titles
    if kind not in declared:
        raise RecordError(
            "unknown-title",
            "没有名为「{value}」的称号：应为{expected}",
            value=kind,
            expected="、".join(declared),
        )
    register = titles(session, [h.uscc for h in holders])
    drafts, wrong, seen = [], [], set[str]()
    admitted = admissions.Admitted(session)
    for holder in holders:
        held = [e for e in standing(register.get(holder.uscc, ())) if e.content["kind"] == kind]
        try:
            refuse_holder(holder, seen, admitted)
            body = {**stated(holder, held), **by_notice(action, notice)}
            refuse_days(body)
            drafts.append(draft(body))
        except RecordError as error:
            wrong.append((holder.name, holder.uscc, error))
        seen.add(holder.uscc)
    refuse(wrong)
    added = journal.append(session, drafts, by=named, now=now)
    due.refresh(session.connection(), [h.uscc for h in holders])
    return added


def signed(notice: Notice, by: str) -> str:
    """The name of the person who registers a notice; ``RecordError`` if either is missing."""
    named = signed_name(by)
    if not notice.number.strip():
        raise RecordError("no-document", "登记必须写明依据的文号", remedy=Remedy("give-document"))
    refuse_days({"dated": str(notice.dated)})
    return named


def refuse(wrong: Sequence[tuple[str, str, RecordError]]) -> None:
    """Refuse everything if anything is wrong, as (name and code of whom it concerns, what is wrong).

    The field ``refused`` of the error has every line by code.
    """
    if wrong:
        more = f"；……共{len(wrong)}家" if len(wrong) > _SHOWN else ""
        told = "；".join(f"{name}{uscc}：{error}" for name, uscc, error in wrong[:_SHOWN])
        remedies = (error.remedy for _, _, error in wrong if error.remedy)
        raise RecordError(
            "nothing-registered",
            "没有登记。{value}",
            value=told + more,
            remedy=next(remedies, None),
            refused=[(uscc, error) for _, uscc, error in wrong],
        )


#: The most complaints that are named.
_SHOWN: Final = 10


def refuse_holder(holder: Holder, seen: set[str], admitted: Container[str]) -> None:
    """Refuse an unsound code, and one that the list has already named."""
    wrong = codes.fault(holder.uscc, admitted)
    if wrong is not None:
        raise RecordError("unsound-code", "统一社会信用代码{value}", value=wrong)
    if holder.uscc in seen:
        raise RecordError("listed-twice", "名单中出现两次")


def refuse_days(body: Json) -> None:
    """Refuse days that no profile can state, because nobody could be judged by them."""
    for key, name in _DAYS.items():
        if body.get(key) and (wrong := check_day(body[key])):
            raise RecordError(
                "impossible-day",
                "{where}{value}的{fault}：请核对日期",
                where=name,
                value=body[key],
                fault=wrong,
            )


#: The fields of an entry that are days, as messages name them.
_DAYS: Final = {
    "dated": "文件日期",
    "valid_from": "有效期始",
    "valid_until": "有效期至",
    "ended_on": "终止日期",
}


def by_notice(action: str, notice: Notice) -> Json:
    """The fields of an entry that say what was done, and by which document."""
    return {
        "schema": _SCHEMA,
        "action": action,
        "document": notice.number.strip(),
        "dated": notice.dated.isoformat(),
        "evidence": list(notice.evidence),
    }


def draft(body: Json) -> journal.Draft:
    """The entry of the journal that records a title or a holding."""
    if is_holding(body):
        return journal.Draft(
            kind="holding", body=body, subject=body["uscc"], holder=body["holder"] or None
        )
    return journal.Draft(kind="title", body=body, tier=body["kind"], subject=body["uscc"])


def _until(entry: Registration) -> str:
    """The last day on which a registered title or holding stands."""
    content = entry.content
    if not content.get("ended_on"):
        return str(content["valid_until"] or "9999-12-31")
    last = date.fromisoformat(content["ended_on"]) - timedelta(days=1)
    return min(str(content["valid_until"]), last.isoformat())
