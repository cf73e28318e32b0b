"""Filings as cases: the facts they state, what persons determined, and what became of them.

A case is one version of a filing. A determination holds for its version only: a filing that is
stated anew in other words is a new case and must be examined again.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.altered import UNREADABLE
from registry.database.rows import Row, altered_filing, identity_columns, refuse_altered
from registry.database.versions import ENTERPRISE, FILING, chunks, known
from registry.errors import RecordError
from registry.judging.case import Case
from registry.judging.facts import profile_of
from registry.judging.settled import Determination
from registry.record import journal
from rules.language.provinces import acting
from rules.portable.errors import Remedy
from rules.portable.record import Body

_COLUMNS: Final = (
    FILING.c.id.label("filing_id"),
    ENTERPRISE.c.uscc,
    ENTERPRISE.c.name,
    ENTERPRISE.c.province,
    ENTERPRISE.c.city,
    ENTERPRISE.c.county,
    FILING.c.as_of,
    FILING.c.known_until,
    FILING.c.identity,
    FILING.c.facts,
    FILING.c.digest,
)


def newest(
    session: Session,
    usccs: Sequence[str] | None = None,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[int]:
    """The newest current filing of each of these enterprises (or of all), in order of credit code.

    ``as_of`` limits this to filings on or before a day; ``known_at`` asks what was current at a
    moment.
    """
    return _first(session, usccs, FILING.c.as_of.desc(), as_of, known_at)


def oldest(
    session: Session, usccs: Sequence[str] | None = None, *, known_at: datetime | None = None
) -> list[int]:
    """The oldest current filing of each of these enterprises (or of all), in order of credit code."""
    return _first(session, usccs, FILING.c.as_of.asc(), None, known_at)


def _first(
    session: Session,
    usccs: Sequence[str] | None,
    order: sa.ColumnElement[date],
    as_of: date | None,
    known_at: datetime | None,
) -> list[int]:
    place = sa.func.row_number().over(partition_by=FILING.c.enterprise_id, order_by=order)
    ranked = (
        sa.select(FILING.c.id, ENTERPRISE.c.uscc, place.label("place"))
        .join(ENTERPRISE)
        .where(known(known_at))
    )
    if as_of is not None:
        ranked = ranked.where(FILING.c.as_of <= as_of)
    # within, so that only the filings of these enterprises are put in order
    parts = [ranked] if usccs is None else _of_each(ranked, usccs)
    return [id for part in parts for id in session.scalars(_foremost(part))]


def _of_each(
    ranked: sa.Select[tuple[int, str, int]], usccs: Sequence[str]
) -> Iterator[sa.Select[tuple[int, str, int]]]:
    return (ranked.where(ENTERPRISE.c.uscc.in_(part)) for part in chunks(usccs))


def _foremost(ranked: sa.Select[tuple[int, str, int]]) -> sa.Select[Any]:
    found = ranked.subquery()
    return sa.select(found.c.id).where(found.c.place == 1).order_by(found.c.uscc)


def codes(session: Session, filing_ids: Sequence[int]) -> dict[int, str]:
    """The credit codes of the enterprises that made these filings."""
    query = sa.select(FILING.c.id, ENTERPRISE.c.uscc).join_from(FILING, ENTERPRISE)
    return {
        id: uscc
        for part in chunks(filing_ids)
        for id, uscc in session.execute(query.where(FILING.c.id.in_(part)))
    }


def identity(session: Session, filing_id: int) -> Body:
    """What a filing itself states of its enterprise; its other filings may have said more since."""
    query = sa.select(FILING.c.identity).where(FILING.c.id == filing_id)
    found: Body = json.loads(session.execute(query).scalar_one())
    return found


def of_day(session: Session, uscc: str, day: date) -> int | None:
    """An enterprise's current filing as of exactly that day."""
    query = (
        sa.select(FILING.c.id)
        .join(ENTERPRISE)
        .where(ENTERPRISE.c.uscc == uscc, FILING.c.as_of == day, FILING.c.known_until.is_(None))
    )
    return session.scalar(query)


def of_enterprise(session: Session, uscc: str) -> list[int]:
    """All versions of all filings of an enterprise."""
    query = sa.select(FILING.c.id).join(ENTERPRISE).where(ENTERPRISE.c.uscc == uscc)
    return list(session.scalars(query.order_by(FILING.c.id)))


def cases(
    session: Session, filing_ids: Sequence[int], *, known_at: datetime | None = None
) -> Iterator[Case]:
    """These versions of filings, in the order given; a few hundred are held at a time.

    Name and place are those that the filing states. If it states none, the enterprise's filings
    supply them, as they stand now or stood at the moment ``known_at``. A city with independent
    planning status counts as its own province. Raises ``RecordError`` for an unknown filing.
    """
    query = sa.select(*_COLUMNS).join_from(FILING, ENTERPRISE)
    for part in chunks(filing_ids):
        rows = {
            row["filing_id"]: dict(row)
            for row in session.execute(query.where(FILING.c.id.in_(part))).mappings()
        }
        if known_at is not None:
            described = _described(session, [row["uscc"] for row in rows.values()], known_at)
            for row in rows.values():
                row |= described.get(row["uscc"], {})
        for id in part:
            if id not in rows:
                raise RecordError(
                    "no-such-filing", "登记库中没有编号为{value}的填报：请查对编号", value=id
                )
            try:
                found = _made(rows[id])
            except UNREADABLE as error:
                raise altered_filing(id) from error
            yield found


def _made(row: Row) -> Case:
    """The case of a row; its digest is that of the facts that it states."""
    identity, facts = json.loads(row.pop("identity")), json.loads(row.pop("facts"))
    refuse_altered(row["filing_id"], row.pop("digest"), identity, facts)
    filed = identity.get("province"), identity.get("city")
    # a city without a province belongs to the enterprise's known province
    place = filed if filed[0] else (row["province"], filed[1] or row["city"])
    province = acting(place[0] or "", place[1] or "")
    given = {p: identity.get(p) or row[p] or "" for p in ("city", "county")}
    given |= {"name": identity["name"], "province": province, "facts": facts}
    given |= {"registered_on": identity.get("registered_on", "")}
    profile_of(facts, row["as_of"])
    return Case(**row | given)


def _described(session: Session, usccs: Sequence[str], known_at: datetime) -> dict[str, Row]:
    """Where enterprises were, by the filings that were current at a moment; newer filings win."""
    query = (
        sa.select(ENTERPRISE.c.uscc, FILING.c.identity)
        .join_from(FILING, ENTERPRISE)
        .where(known(known_at), ENTERPRISE.c.uscc.in_(usccs))
        .order_by(FILING.c.as_of)
    )
    stated: dict[str, list[str]] = {}
    for uscc, identity in session.execute(query):
        stated.setdefault(uscc, []).append(identity)
    return {
        uscc: {place: identity_columns(texts)[place] for place in ("province", "city", "county")}
        for uscc, texts in stated.items()
    }


def case(session: Session, filing_id: int) -> Case:
    """One version of a filing."""
    return next(cases(session, [filing_id]))


def open_case(session: Session, uscc: str, as_of: date | None = None) -> Case:
    """The newest filing of an enterprise, if it is open to decisions; else ``RecordError``."""
    found = newest(session, [uscc], as_of=as_of)
    if not found:
        before = f"{as_of.isoformat()}以前" if as_of else ""
        raise RecordError(
            "no-open-filing",
            "信用代码为{value}的企业没有{before}现行的填报",
            value=uscc,
            before=before,
            remedy=Remedy("list-enterprises"),
        )
    if found[0] in withdrawn(session, found):
        raise RecordError(
            "withdrawn", "{value}的这份填报已撤回，不能再作认定或决定：请重新登记填报", value=uscc
        )
    return case(session, found[0])


def withdrawn(session: Session, filing_ids: Sequence[int]) -> set[int]:
    """Which of these filings were withdrawn."""
    return {
        entry.filing_id
        for part in chunks(filing_ids)
        for entry in journal.entries(session, kinds=["withdrawal"], filing_ids=part)
        if entry.filing_id is not None
    }


def determinations(
    session: Session,
    filing_ids: Sequence[int],
    *,
    pending: bool = False,
    until: int | None = None,
) -> dict[int, list[Determination]]:
    """The determinations on these filings that hold, in order.

    If two pairs of eyes were required, a determination holds once a second person has confirmed it.
    What was proposed and taken back before it was confirmed neither holds nor waits. ``pending``
    asks for those that still wait; ``until`` asks for the state after that many entries.
    """
    found: dict[int, list[Determination]] = {}
    for part in chunks(filing_ids):
        entries = journal.entries(session, last=until, kinds=SETTLING, filing_ids=part)
        for entry, waits, by in standing(list(entries)):
            if waits is pending:
                assert entry.filing_id is not None
                found.setdefault(entry.filing_id, []).append(determination(entry, by))
    return found


#: The kinds of entries that say what persons settled.
SETTLING: Final = ("determination", "confirmation")


def standing(entries: Sequence[journal.Entry]) -> Iterator[tuple[journal.Entry, bool, str]]:
    """The determinations among entries, each with whether it still waits, and who confirmed it.

    What was taken back before it was confirmed is left out, and so is its taking back.
    """
    made = [entry for entry in entries if entry.kind == SETTLING[0]]
    confirmed = {e.content["determination"]: e.by for e in entries if e.kind == SETTLING[1]}
    waiting = {e.digest for e in made if e.content["four_eyes"]} - confirmed.keys()
    dropped = {e.content.get("revokes") for e in made} & waiting
    for entry in made:
        if entry.digest not in dropped and entry.content.get("revokes") not in dropped:
            yield entry, entry.digest in waiting, confirmed.get(entry.digest, "")


def determination(entry: journal.Entry, confirmed_by: str = "") -> Determination:
    """The determination that an entry of the journal records."""
    return Determination(
        seq=entry.seq,
        digest=entry.digest,
        content=entry.content,
        by=entry.by,
        ground=entry.texts["ground"],
        confirmed_by=confirmed_by,
    )
