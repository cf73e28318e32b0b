"""Until when titles are valid if their notices do not say so."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from sqlmodel import Session

from registry.database import due
from registry.database.due import Timings
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.record import publication
from rules.portable.duties import Duties
from rules.portable.timing import Extension, Timing, Title


class Proposed:
    """The last days of titles that their notices do not state, by the clocks in force.

    Criteria that were published without clocks declare how many years a title lasts.
    """

    def __init__(self, session: Session, kind: str, usccs: Sequence[str]) -> None:
        self._kind = kind
        self._timings = Timings.in_force(session.connection())
        self._places = due.provinces(session.connection(), usccs)
        self._duties: dict[str, Duties] = {}
        for part in chunks(usccs):
            self._duties |= due.duties(session.connection(), part)
        self._session = session

    def granted(self, uscc: str, first: date) -> date:
        """The last day of a title that begins on a day."""
        return self._timing(uscc).until(first) or self._after(first)

    def extended(self, uscc: str, begun: str, until: date, dated: date) -> date:
        """The last day of a title that ends on a day and is extended by a notice of another."""
        held = self._duties.get(uscc, Duties())
        spells = (s.title for s in held.spells(self._kind) if s.title.start.isoformat() == begun)
        title = next(spells, Title(start=date.fromisoformat(begun), until=until))
        again = replace(title, extensions=(*title.extensions, Extension(dated)))
        proposed = self._timing(uscc).proposed(again, dated)
        return proposed if proposed and proposed > until else self._after(until + timedelta(days=1))

    def _timing(self, uscc: str) -> Timing:
        return self._timings.of(self._kind, self._places.get(uscc, ""))

    def _after(self, first: date) -> date:
        years = publication.to_be_filed(self._session).tier(self._kind).years
        if years is None:
            raise RecordError(
                "no-term", "标准没有写明「{value}」的有效期：请给出有效期至", value=self._kind
            )
        return years_later(first, years) - timedelta(days=1)


def years_later(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes 1 March.

    >>> years_later(date(2022, 10, 1), 3), years_later(date(2024, 2, 29), 3)
    (datetime.date(2025, 10, 1), datetime.date(2027, 3, 1))
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
