"""What is known about enterprises, now or at an earlier moment.

Facts have two times: the day they are about (``as_of``), and the moment when the registry learned
them. With ``known_at``, every function here answers as it would have answered at that moment:
anything loaded, corrected, taken back, determined, registered or published later is ignored.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlmodel import Session

from registry.database.versions import chunks
from registry.errors import RecordError
from registry.judging.case import Case, Known
from registry.judging.published import Published
from registry.record import cases, journal, publication, relations
from rules.portable.errors import Remedy


def stock(
    session: Session,
    usccs: Sequence[str] | None = None,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[int]:
    """The newest filing of each of these enterprises (or of all), in order of credit code.

    ``as_of`` limits this to filings on or before a day. If an enterprise filed only later, its
    oldest filing is given, so that the caller can say so. Enterprises without a filing are left
    out.
    """
    newest = cases.newest(session, usccs, as_of=as_of, known_at=known_at)
    return newest if as_of is None else _with_later(session, usccs, newest, known_at)


def fetch(
    session: Session,
    ids: Sequence[int],
    *,
    known_at: datetime | None = None,
    until: int | None = None,
) -> Iterator[Known]:
    """These filings in order, each with all that bears on it; a few hundred are held at a time.

    ``known_at`` asks what was known at a moment; ``until`` asks what bore on them after that many
    entries of the journal.
    """
    if known_at is not None:
        until = journal.until(session, known_at)
    for part in chunks(ids):
        yield from bearing(session, list(cases.cases(session, part, known_at=known_at)), until)


def bearing(session: Session, found: Sequence[Case], until: int | None = None) -> list[Known]:
    """These cases, each with what bears on it, now or after ``until`` entries of the journal."""
    determined = cases.determinations(session, [c.filing_id for c in found], until=until)
    registered = relations.bearing(session, sorted({c.uscc for c in found}), until=until)
    return [
        Known(c, tuple(determined.get(c.filing_id, ())), tuple(registered.get(c.uscc, ())))
        for c in found
    ]


def untouched(session: Session, found: Sequence[Case]) -> list[Case]:
    """The cases on which nothing but their own facts has ever borne."""
    determined = cases.determinations(session, [c.filing_id for c in found])
    registered = relations.bearing(session, sorted({c.uscc for c in found}))
    return [c for c in found if c.filing_id not in determined and c.uscc not in registered]


def _with_later(
    session: Session,
    usccs: Sequence[str] | None,
    newest: Sequence[int],
    known_at: datetime | None,
) -> list[int]:
    """These filings, and for enterprises without one here their oldest."""
    oldest = cases.oldest(session, usccs, known_at=known_at)
    codes = cases.codes(session, [*newest, *oldest])
    found = {codes[id]: id for id in oldest} | {codes[id]: id for id in newest}
    return [found[code] for code in sorted(found)]


def rules(session: Session, known_at: datetime | None = None) -> Published:
    """The criteria in force at a moment; ``RecordError`` if nothing was published yet."""
    until = None if known_at is None else journal.until(session, known_at)
    found = publication.current(session, until=until)
    if found is None:
        raise RecordError(
            "nothing-published-then",
            "当时登记库还没有发布规则，不能按当时的规则检查",
            remedy=Remedy("rules-now"),
        )
    return found
