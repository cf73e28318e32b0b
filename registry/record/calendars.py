"""The calendar on record: the days off and make-up days of each year, by the notice that says them.

Criteria are published with a calendar. Entries of the kind ``calendar`` add a year to it, or state
one anew: the newest statement holds, be it an entry or a publication.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from sqlmodel import Session

from registry.database import projection
from registry.errors import RecordError
from registry.record import journal, publication
from registry.record.determinations import signed_name
from rules.model.facts import check_day
from rules.portable.calendar import Calendar
from rules.portable.canonical import canonical_json
from rules.portable.errors import Remedy
from rules.portable.record import Json

_SCHEMA: Final = 1
#: What two statements of a day may call it.
_WORDS: Final = {"rest": "放假", "work": "上班"}
#: The most days that a message names.
_SHOWN: Final = 10

#: The years of a calendar as ``rules.portable.calendar.Calendar.of`` reads them.
Years: TypeAlias = Mapping[str, Any]


def years(session: Session, *, until: int | None = None) -> Years:
    """The years on record after that many entries, or now; empty if none was published."""
    digest = publication.calendar_in_force(session, until=until)
    if digest is None:
        return {}
    found: Json = json.loads(publication.document(session, digest, "calendar"))["years"]
    return found


def record(
    session: Session,
    year: int,
    stated: Mapping[str, Any],
    *,
    document: str,
    dated: str,
    evidence: Sequence[str],
    replace: bool = False,
    by: str,
    now: datetime,
) -> journal.Entry | None:
    """State the days off and make-up days of a year by a document; needs a writing transaction.

    None if they are on record already. Raises ``RecordError`` for a year on record that is stated
    otherwise, unless told to ``replace`` it; for a day that another year states otherwise; for a
    document other than the year's basis; and if document or evidence is missing. A registry
    without any publication first publishes its criteria.
    """
    named = signed_name(by)
    if not document.strip() or not evidence:
        raise RecordError(
            "no-document",
            "登记放假安排必须写明依据的文件并附原件",
            remedy=Remedy("give-document-and-evidence"),
        )
    if wrong := check_day(dated):
        raise RecordError(
            "impossible-day", "文件日期{value}的{fault}：请核对日期", value=dated, fault=wrong
        )
    if stated["basis"] != document.strip():
        raise RecordError(
            "other-basis",
            "表中{year}年的依据是「{expected}」，写明的文号是「{value}」：请核对，改成一致",
            year=year,
            expected=stated["basis"],
            value=document.strip(),
        )
    if publication.latest(session) is None:
        publication.in_force(session, by=named, now=now)
    known = years(session)
    if not known:
        raise RecordError(
            "no-calendar",
            "现行标准发布时还没有工作日历，不能在其后登记",
            remedy=Remedy("publish-criteria"),
        )
    if (before := known.get(str(year))) is not None:
        if not (differing := differences(before, stated)):
            return None
        if not replace:
            raise RecordError(
                "known-otherwise",
                "{year}年的放假安排已在登记库中，与这里的不同，没有登记",
                year=year,
                details=differing,
                remedy=Remedy("replace-year"),
            )
    _refuse_contradiction(known, year, stated)
    text = canonical_json({"schema": _SCHEMA, "years": {**known, str(year): dict(stated)}})
    body: Json = {
        "calendar": publication.hold_calendar(session, text),
        "dated": dated,
        "document": document.strip(),
        "evidence": list(evidence),
        "schema": _SCHEMA,
        "year": year,
    }
    draft = journal.Draft(kind="calendar", body=body)
    [entry] = journal.append(session, [draft], by=named, now=now)
    projection.refresh_open(session.connection())
    return entry


def follows(former: Years, named: Years, year: int) -> bool:
    """Whether a calendar is the former one with just that year stated anew."""
    stated, before = named.get(str(year)), former.get(str(year))
    if stated is None or {**former, str(year): stated} != named:
        return False
    return before is None or bool(differences(before, stated))


def differences(known: Mapping[str, Any], stated: Mapping[str, Any]) -> tuple[str, ...]:
    """What a year's statement changes in what is known of it, in words; empty if nothing.

    >>> new_year = {"basis": "甲", "rest": [["2031-01-01", "2031-01-01"]], "work": []}
    >>> differences(new_year, {"basis": "乙", "rest": [], "work": ["2031-01-04"]})
    ('依据：甲 → 乙', '不再放假：2031-01-01', '新增上班：2031-01-04')
    >>> differences(new_year, new_year)
    ()
    """
    was, now = _days(known), _days(stated)
    found = []
    if known["basis"] != stated["basis"]:
        found.append(f"依据：{known['basis']} → {stated['basis']}")
    for kind, said in _WORDS.items():
        for change, days in (("不再", was[kind] - now[kind]), ("新增", now[kind] - was[kind])):
            if days:
                more = f"等{len(days)}天" if len(days) > _SHOWN else ""
                shown = "、".join(map(str, sorted(days)[:_SHOWN]))
                found.append(f"{change}{said}：{shown}{more}")
    return tuple(found)


def changed(before: Years, after: Years) -> dict[str, tuple[str, ...]]:
    """What is stated otherwise of each year that was known before."""
    found = {year: differences(before[year], after[year]) for year in before if year in after}
    return {year: said for year, said in found.items() if said}


def _days(stated: Mapping[str, Any]) -> dict[str, frozenset[date]]:
    found = Calendar.of({"1": stated})
    return {"rest": found.rest, "work": found.work}


def _refuse_contradiction(known: Years, year: int, stated: Mapping[str, Any]) -> None:
    """Raise ``RecordError`` for a day off that another year's notice has people work, or the reverse."""
    days = _days(stated)
    for other, found in known.items():
        theirs = _days(found)
        for kind, against in (("rest", "work"), ("work", "rest")):
            if other != str(year) and (both := days[kind] & theirs[against]):
                raise RecordError(
                    "contradicting-day",
                    "{day}这里是{said}，{other}年的安排（{basis}）是{against}：请核对日期",
                    day=min(both),
                    said=_WORDS[kind],
                    other=other,
                    basis=found["basis"],
                    against=_WORDS[against],
                )
