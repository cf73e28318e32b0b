"""What was known of enterprises by their filings at any moment of the past."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.rows import identity_columns
from registry.database.versions import ENTERPRISE, FILING
from rules.language.provinces import acting


class Filed(NamedTuple):
    """A version of a filing, with the moments from and until which it was current."""

    id: int
    as_of: date
    known_from: datetime
    known_until: datetime | None
    identity: str


class Filings:
    """The filings of some enterprises in all their versions."""

    def __init__(self, session: Session, usccs: Sequence[str]) -> None:
        columns = (FILING.c[name] for name in Filed._fields)
        query = sa.select(ENTERPRISE.c.uscc, *columns).join_from(FILING, ENTERPRISE)
        self._found: dict[str, list[Filed]] = {}
        for uscc, *filed in session.execute(query.where(ENTERPRISE.c.uscc.in_(usccs))):
            self._found.setdefault(uscc, []).append(Filed(*filed))

    @property
    def ids(self) -> list[int]:
        """The numbers of all versions."""
        return [filed.id for filings in self._found.values() for filed in filings]

    def newest(self, uscc: str, moment: datetime, day: date = date.max) -> Filed | None:
        """The newest filing by a day that was current at a moment."""
        current = (
            filed
            for filed in self._found.get(uscc, ())
            if filed.as_of <= day and filed.known_from <= moment < _end(filed, moment)
        )
        return max(current, key=lambda filed: filed.as_of, default=None)

    def known(self, uscc: str, moment: datetime) -> bool:
        """Whether there was any filing of an enterprise at a moment."""
        return any(filed.known_from <= moment for filed in self._found.get(uscc, ()))

    def stated(self, uscc: str, moment: datetime, province: str) -> bool:
        """Whether an enterprise was at a moment in what an entry calls its province.

        That is its province, or its city if that acts as one; empty if nobody said where it is.
        """
        then = [filed for filed in self._found.get(uscc, ()) if filed.known_from <= moment]
        if not then:
            return not province
        last = max(_end(filed, moment) for filed in then)
        speaking = {filed.as_of: filed.identity for filed in then if _end(filed, moment) == last}
        known = identity_columns(speaking[day] for day in sorted(speaking))
        own, city = known["province"] or "", known["city"] or ""
        return province in (acting(own, city), *filter(None, (own, city)))


def _end(filed: Filed, moment: datetime) -> datetime:
    """Until when a version was current, as it was known at a moment."""
    until = filed.known_until
    return _NEVER if until is None or until > moment else until


_NEVER: Final = datetime.max.replace(tzinfo=UTC)
