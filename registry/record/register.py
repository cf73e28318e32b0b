"""The register of titles: who was granted which, until when, and which document changed it.

Every entry states one title anew, as a document left it: granted (授予), extended after a re-check
(延期), ended early (终止), or struck out because it was entered in error (划销). Nothing is altered: the
last entry on a title holds, and an earlier moment is asked for by leaving out what came later.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry import uscc as codes
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.judging import Registration
from registry.record import journal
from registry.record.determinations import signed_name
from rules.facts import TITLES
from rules.record import Json, last_words

_SCHEMA: Final = 1
#: How long a title is valid, and by how long a re-check extends it (63号; 2号 keeps it), in years.
VALIDITY: Final = 3
#: What an entry does, as officers name it.
ACTIONS: Final = {"grant": "授予", "extend": "延期", "end": "终止", "strike": "划销"}
#: Why a title can end early.
REASONS: Final = ("撤销", "注销", "未通过复核", "主动放弃", "其他")


@dataclass(frozen=True)
class Notice:
    """The document that changed titles: its number (文号) and date, and digests of files that show it."""

    number: str
    dated: date
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holder:
    """An enterprise as a notice names it."""

    uscc: str
    name: str = ""


def titles(
    session: Session, usccs: Sequence[str], *, until: int | None = None
) -> dict[str, list[Registration]]:
    """All entries on the titles of these enterprises, in order; ``until`` after that many entries."""
    found: dict[str, list[Registration]] = {}
    for part in chunks(usccs):
        for entry in journal.entries(session, last=until, kinds=["title"], subjects=part):
            assert entry.subject is not None
            found.setdefault(entry.subject, []).append(registration(entry))
    return found


def holders(session: Session) -> list[str]:
    """The credit codes of all enterprises of which any title is registered, in order."""
    subject = journal.JOURNAL.c.subject
    query = sa.select(subject).where(subject.is_not(None)).distinct().order_by(subject)
    return [code for code in session.scalars(query) if code]


def held(entry: Registration, day: date) -> bool:
    """Whether a registered title is held and valid on a day."""
    return bool(entry.content["valid_from"] <= day.isoformat() <= _until(entry))


def registration(entry: journal.Entry) -> Registration:
    """The registration that an entry of the journal records."""
    return Registration(entry.seq, entry.digest, entry.content, entry.by)


def standing(register: Iterable[Registration]) -> list[Registration]:
    """The entries that hold: the last on each title, but for those struck out."""
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
    """Register titles that were granted; needs a writing transaction, as all writing here does.

    Without ``last``, they are valid for three years. A title of the same kind that is valid at the
    same time raises ``RecordError``; whatever is wrong with one holder, nothing is registered.
    """
    until = last or years_later(first) - timedelta(days=1)

    def stated(holder: Holder, held: list[Registration]) -> Json:
        for entry in held:
            if _until(entry) >= first.isoformat() and entry.content["valid_from"] <= str(until):
                raise RecordError(
                    f"第{entry.seq}号已登记同类称号，有效期至{_until(entry)}，与新的有效期重叠："
                    "复核通过请用 tidu titles extend"
                )
        return _title(holder, kind, first.isoformat(), until.isoformat())

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
    """Register that titles were extended: to ``last``, or by three years.

    ``first`` names the title by the day on which it began; it is needed where none is registered.
    """

    def stated(holder: Holder, held: list[Registration]) -> Json:
        title = _the_title(held, holder, kind, first, last)
        if title["ended_on"]:
            raise RecordError(
                f"称号已于{title['ended_on']}终止，不能延期：重新认定请用 tidu titles grant"
            )
        before = date.fromisoformat(title["valid_until"])
        until = last or years_later(before + timedelta(days=1)) - timedelta(days=1)
        if held and until <= before:
            raise RecordError(f"称号已登记至{before.isoformat()}，延期应更晚：请核对有效期")
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
    """Register that titles ended early: from the day ``on`` they are not held any more.

    ``first`` and ``last`` state a title that is not registered.
    """

    def stated(holder: Holder, held: list[Registration]) -> Json:
        title = _the_title(held, holder, kind, first, last)
        if title["ended_on"]:
            raise RecordError(f"称号已登记于{title['ended_on']}终止")
        if on.isoformat() < title["valid_from"]:
            raise RecordError(f"称号自{title['valid_from']}起有效，不能更早终止：请核对日期")
        return {**title, "ended_on": on.isoformat(), "reason": reason}

    return _record(session, "end", holders, kind, notice, stated, by=by, now=now)


def strike(session: Session, seq: int, notice: Notice, *, by: str, now: datetime) -> journal.Entry:
    """Strike out a title that was entered in error; ``seq`` is the last entry on it."""
    named, entry = signed_name(by), journal.entry(session, seq)
    if entry.kind != "title" or entry.subject is None:
        raise RecordError(f"第{seq}号记录不是称号登记：用 tidu titles list 查看")
    if seq not in [e.seq for e in standing(titles(session, [entry.subject])[entry.subject])]:
        raise RecordError(f"第{seq}号不是这项称号现行的登记：用 tidu titles list 查看现行的编号")
    body = {**entry.content, **_by_notice("strike", notice), "strikes": entry.digest}
    return journal.append(session, [_draft(body)], by=named, now=now)[0]


def years_later(day: date, years: int = VALIDITY) -> date:
    """The same day some years later; of 29 February, 1 March.

    >>> years_later(date(2022, 10, 1)), years_later(date(2024, 2, 29))
    (datetime.date(2025, 10, 1), datetime.date(2027, 3, 1))
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _title(holder: Holder, kind: str, first: str, last: str) -> Json:
    if first > last:
        raise RecordError(f"有效期自{first}至{last}，终止早于开始：请核对日期")
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
    """The title that is meant: the one that began on ``first``, or else the latest; or one not registered."""
    meant = [e for e in held if first is None or e.content["valid_from"] == first.isoformat()]
    if meant:
        content = max(meant, key=lambda e: str(e.content["valid_from"])).content
        kept = _title(holder, kind, content["valid_from"], content["valid_until"])
        name = holder.name or content["name"]
        return {**kept, "name": name, **{k: content[k] for k in ("ended_on", "reason")}}
    if first is None or last is None:
        raise RecordError(
            "登记簿中没有这项称号：请先用 tidu titles grant 登记，或用 --from、--until 写明其有效期"
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
    named, number = signed_name(by), notice.number.strip()
    if kind not in TITLES:
        raise RecordError(f"没有名为「{kind}」的称号：应为{'、'.join(TITLES)}")
    if not number:
        raise RecordError("称号登记必须写明依据的文号（--document）")
    register = titles(session, [h.uscc for h in holders])
    drafts, wrong, seen = [], [], set[str]()
    for holder in holders:
        held = [e for e in standing(register.get(holder.uscc, ())) if e.content["kind"] == kind]
        try:
            _refuse_holder(holder, seen)
            body = {**stated(holder, held), **_by_notice(action, notice)}
            drafts.append(_draft(body))
        except RecordError as error:
            wrong.append(f"{holder.name}{holder.uscc}：{error}")
        seen.add(holder.uscc)
    if wrong:
        more = f"；……共{len(wrong)}家" if len(wrong) > _SHOWN else ""
        raise RecordError(f"没有登记。{'；'.join(wrong[:_SHOWN])}{more}")
    return journal.append(session, drafts, by=named, now=now)


#: How many complaints are named at most.
_SHOWN: Final = 10


def _refuse_holder(holder: Holder, seen: set[str]) -> None:
    wrong = codes.fault(holder.uscc)
    if wrong is not None:
        raise RecordError(f"统一社会信用代码{wrong}")
    if holder.uscc in seen:
        raise RecordError("名单中出现两次")


def _by_notice(action: str, notice: Notice) -> Json:
    return {
        "schema": _SCHEMA,
        "action": action,
        "document": notice.number.strip(),
        "dated": notice.dated.isoformat(),
        "evidence": list(notice.evidence),
    }


def _draft(body: Json) -> journal.Draft:
    return journal.Draft("title", body, body["kind"], subject=body["uscc"])


def _until(entry: Registration) -> str:
    """The last day on which a registered title holds."""
    content = entry.content
    if not content["ended_on"]:
        return str(content["valid_until"])
    last = date.fromisoformat(content["ended_on"]) - timedelta(days=1)
    return min(str(content["valid_until"]), last.isoformat())
