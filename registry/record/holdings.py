"""Holdings: who holds which share of whom, as entries of the register.

Every entry states one holder's share in an enterprise anew: held (持股), or no longer held (终止).
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlmodel import Session

from registry.errors import RecordError
from registry.judging.settled import Registration
from registry.kit import uscc as codes
from registry.record import admissions, journal
from registry.record.register import (
    Holder,
    Notice,
    by_notice,
    draft,
    refuse,
    refuse_days,
    refuse_holder,
    registration,
    signed,
    standing,
)
from rules.portable.errors import Remedy
from rules.portable.record import Body, Json

#: The most characters in the text of a share.
_DIGITS: Final = 14


@dataclass(frozen=True)
class Holding:
    """A holder's share in an enterprise; a ``holder`` without a credit code has only a name.

    ``share`` is a ratio in decimal text: ``0.51`` is 51 %.
    """

    held: Holder
    holder: Holder
    share: str


def every(
    session: Session,
    until: int | None,
    *,
    subjects: Sequence[str] | None = None,
    holders: Sequence[str] | None = None,
) -> Iterator[Registration]:
    """All entries on holdings, or those in ``subjects`` or of ``holders``, in order."""
    for entry in journal.entries(
        session, last=until, kinds=["holding"], subjects=subjects, holders=holders
    ):
        yield registration(entry)


def of(
    session: Session, uscc: str | None = None, *, until: int | None = None
) -> list[Registration]:
    """All entries on holdings, or those in or of one enterprise, in order."""
    if uscc is None:
        return list(every(session, until))
    ends = [
        *every(session, until, subjects=[uscc]),
        *every(session, until, holders=[uscc]),
    ]
    return sorted(ends, key=lambda e: e.seq)


def hold(
    session: Session,
    stated: Sequence[Holding],
    notice: Notice,
    *,
    first: date,
    last: date | None = None,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Register shares that are held from a day on, to ``last`` or until further notice.

    Each entry replaces what was registered for the same holder and enterprise.
    """
    if last is not None and last < first:
        raise RecordError(
            "ends-before-it-begins",
            "持股自{expected}至{value}，终止早于开始：请核对日期",
            value=last,
            expected=first,
        )
    days = {"valid_from": first.isoformat(), "valid_until": last and last.isoformat()}
    bodies = [{**_holding(h), **days} for h in stated]
    return _record(session, "hold", bodies, notice, by=by, now=now)


def end(
    session: Session, uscc: str, holder: Holder, notice: Notice, *, on: date, by: str, now: datetime
) -> journal.Entry:
    """Register that a share is no longer held from the day ``on``."""
    known = standing(of(session, uscc))
    found = [e for e in known if e.content["uscc"] == uscc and _names(e.content, holder)]
    if not found:
        raise RecordError("no-such-holding", "登记簿中没有这项持股", remedy=Remedy("list-holdings"))
    content, day = found[0].content, on - timedelta(days=1)
    if not content["valid_from"] <= on.isoformat() <= (content["valid_until"] or "9999-12-31"):
        raise RecordError(
            "not-held-then",
            "持股自{first}至{last}，不能于{value}终止：请核对日期",
            first=content["valid_from"],
            last=content["valid_until"] or "今",
            value=on,
        )
    body = {**content, "valid_until": day.isoformat()}
    return _record(session, "end", [body], notice, by=by, now=now)[0]


def share_fault(share: str) -> str:
    """What is wrong with a share in decimal text; empty if nothing is.

    >>> share_fault("0.51")
    ''
    """
    ratio = Decimal(share)
    if not 0 < ratio <= 1:
        return "持股比例应大于0、不超过100%"
    return "持股比例的小数位过多" if len(share) > _DIGITS else ""


def _holding(stated: Holding) -> Json:
    return {
        "uscc": stated.held.uscc,
        "name": stated.held.name,
        "holder": stated.holder.uscc,
        "holder_name": stated.holder.name,
        "share": stated.share,
    }


def _names(content: Body, holder: Holder) -> bool:
    if holder.uscc:
        return bool(content["holder"] == holder.uscc)
    return not content["holder"] and bool(content["holder_name"] == holder.name)


def _record(
    session: Session,
    action: str,
    bodies: Sequence[Json],
    notice: Notice,
    *,
    by: str,
    now: datetime,
) -> list[journal.Entry]:
    """Add an entry for each holding, or none; ``RecordError`` with everything that is wrong."""
    named, seen = signed(notice, by), set[tuple[str, str]]()
    wrong = list[tuple[str, str, RecordError]]()
    admitted = admissions.Admitted(session)
    for body in bodies:
        pair = body["uscc"], body["holder"] or body["holder_name"]
        try:
            _refuse_holding(body, pair in seen, admitted)
        except RecordError as error:
            wrong.append((body["name"], body["uscc"], error))
        seen.add(pair)
    refuse(wrong)
    drafts = [draft({**body, **by_notice(action, notice)}) for body in bodies]
    return journal.append(session, drafts, by=named, now=now)


def _refuse_holding(body: Json, again: bool, admitted: Container[str]) -> None:
    refuse_holder(Holder(body["uscc"]), set(), admitted)
    refuse_days(body)
    if body["holder"]:
        wrong = codes.fault(body["holder"], admitted)
        if wrong is not None:
            raise RecordError("unsound-code", "持股方的统一社会信用代码{value}", value=wrong)
    elif not body["holder_name"]:
        raise RecordError("no-holder", "没有写明持股方")
    if body["holder"] == body["uscc"]:
        raise RecordError("holds-itself", "企业不能持有自己")
    if again:
        raise RecordError("holder-twice", "同一持股方在名单中出现两次")
    if fault := share_fault(body["share"]):
        raise RecordError("unusable-name", "{value}", value=fault)
