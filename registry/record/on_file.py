"""Reading filings: the profile of an enterprise as filed or as known, and lists of versions.

A filing is stored whole, so ``profile`` returns exactly what one filing prepared.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import called
from registry.database.altered import UNREADABLE
from registry.database.models import Import, Stated
from registry.database.projection import CASE_STATE
from registry.database.rows import (
    Row,
    altered_filing,
    refuse_altered,
    restore,
)
from registry.database.versions import (
    ENTERPRISE,
    FILING,
    chunks,
    known,
    rows_of,
    table_of,
)
from registry.record import cases
from rules.model.facts import Profile

_IMPORT: Final = table_of(Import)


@dataclass(frozen=True, kw_only=True)
class FilingLine:
    """A version of a filing in a listing, with the present name of the enterprise.

    ``former`` is the name under which it filed, if it has another one since.
    """

    filing_id: int
    uscc: str
    name: str
    province: str | None
    city: str | None
    county: str | None
    as_of: date
    import_id: int
    file: str
    known_from: datetime
    known_until: datetime | None
    former: str = ""

    def stood(self, moment: datetime) -> bool:
        """Whether it was the current version of its day at a moment."""
        return self.known_from <= moment and not (self.known_until and self.known_until <= moment)


def profile(
    session: Session, uscc: str, *, as_of: date | None = None, known_at: datetime | None = None
) -> Profile | None:
    """What an enterprise stated in its newest filing, or the newest on or before ``as_of``.

    ``known_at`` asks what the registry knew at that moment. None if there is no such filing; the
    profile's own ``as_of`` is the filing's.
    """
    found = dict(profiles(session, [uscc], as_of=as_of, known_at=known_at))
    return found.get(uscc)


def profiles(
    session: Session,
    usccs: Sequence[str] | None = None,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> Iterator[tuple[str, Profile]]:
    """The ``profile`` of each of these enterprises, or of all, with its credit code."""
    newest = cases.newest(session, usccs, as_of=as_of, known_at=known_at)
    wanted = sa.select(FILING, ENTERPRISE.c.uscc).join(ENTERPRISE).order_by(ENTERPRISE.c.uscc)
    found = [
        row for ids in chunks(newest) for row in session.execute(wanted.where(FILING.c.id.in_(ids)))
    ]
    for part in chunks(found):
        rows = rows_of(session, [row.id for row in part])
        for row in part:
            yield row.uscc, _profile(row, rows[row.id])


def _profile(filing: sa.Row[Any], rows: Mapping[type[Stated], list[Row]]) -> Profile:
    """The profile in the rows of a filing; ``AlteredError`` if it is not what was filed."""
    try:
        found = restore(filing.as_of, filing.sources, rows)
        identity = json.loads(filing.identity)
        refuse_altered(filing.id, filing.digest, identity, found.to_json())
    except UNREADABLE as error:
        raise altered_filing(filing.id) from error
    return found


def filings(
    session: Session, *, search: str = "", uscc: str | None = None, history: bool = False
) -> list[FilingLine]:
    """The current filings whose enterprise's name, present or former, or code contains ``search``.

    ``uscc`` restricts them to one enterprise; ``history`` lists closed versions too.
    """
    columns = [c for c in FilingLine.__dataclass_fields__ if c != "filing_id"]
    named = {"name": called.PRESENT.label("name"), "former": called.FORMER.label("former")}
    source = {**ENTERPRISE.c, **_IMPORT.c, **FILING.c, **named}
    own = (CASE_STATE.c.enterprise_id == ENTERPRISE.c.id) & (CASE_STATE.c.tier == "")
    query = (
        sa.select(FILING.c.id.label("filing_id"), *(source[c] for c in columns))
        .join_from(FILING, ENTERPRISE)
        .join(_IMPORT, _IMPORT.c.id == FILING.c.import_id)
        .outerjoin(CASE_STATE, own)
        .order_by(ENTERPRISE.c.uscc, FILING.c.as_of, FILING.c.id)
    )
    if not history:
        query = query.where(known(None))
    if uscc is not None:
        query = query.where(ENTERPRISE.c.uscc == uscc)
    if search:
        query = query.where(
            ENTERPRISE.c.name.contains(search, autoescape=True)
            | CASE_STATE.c.name.contains(search, autoescape=True)
            | ENTERPRISE.c.uscc.contains(search, autoescape=True)
        )
    return [FilingLine(**row) for row in session.execute(query).mappings()]
