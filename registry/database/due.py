"""What every title makes due: the only writer of the table ``due_item``.

Every row follows from titles, duties and re-checks on record, and from the clocks and the calendar in
force. ``projection`` brings the rows up to date together with its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Final, NamedTuple, TypeAlias

import sqlalchemy as sa

from registry.database import followed
from registry.database.altered import UNREADABLE
from registry.database.models import DueItem, Enterprise, JournalEntry
from registry.database.versions import chunks, table_of
from rules.portable.calendar import Calendar
from rules.portable.clocks import ClockError
from rules.portable.duties import KINDS, Duties, DutyError
from rules.portable.record import Body
from rules.portable.timing import Shown, Timing

DUE_ITEM: Final = table_of(DueItem)
_ENTERPRISE: Final = table_of(Enterprise)
_JOURNAL: Final = table_of(JournalEntry)

#: The key of a row: its credit code, its tier, and its number among those of the tier.
Key: TypeAlias = tuple[str, str, int]


class Row(NamedTuple):
    """A row of ``due_item`` without its key."""

    name: str
    matter: str
    subject: str
    clocks: str
    start: date
    consequences: str
    first: date
    last: date | None
    due: date | None
    near: date | None
    late: date | None
    unknown: date | None
    done: date | None
    proposed: date | None
    decided: str | None
    unpublished: int | None


class Timings:
    """The clocks in force by tier and place, and the calendar."""

    def __init__(self, clocks: Body | None, calendar: Calendar) -> None:
        self._clocks, self._calendar = clocks, calendar
        self._known: dict[tuple[str, str], Timing] = {}

    @classmethod
    def in_force(cls, connection: sa.Connection) -> "Timings":
        """Those of the last publication, and the calendar that is known now."""
        return cls(followed.clocks(connection), followed.calendars(connection).before())

    def of(self, tier: str, province: str) -> Timing:
        """The clocks of a tier in what acts as a province; none run before any were published."""
        key = tier, province
        if key not in self._known:
            found = self._clocks or {"rows": [], "clocks": {}}
            self._known[key] = Timing.of(found, self._calendar, tier, province)
        return self._known[key]


def refresh(connection: sa.Connection, usccs: Sequence[str]) -> int:
    """Bring the rows of these enterprises up to date; returns for how many they were not."""
    return sum(_refresh(connection, part) for part in chunks(usccs))


def _refresh(connection: sa.Connection, usccs: Sequence[str]) -> int:
    expected, stored = _derived(connection, usccs), _stored(connection, usccs)
    changed = [
        uscc
        for uscc in sorted(expected.keys() | stored.keys())
        if expected.get(uscc, {}) != stored.get(uscc, {})
    ]
    if changed:
        old = [uscc for uscc in changed if uscc in stored]
        connection.execute(sa.delete(DUE_ITEM).where(DUE_ITEM.c.uscc.in_(old)))
        rows = [
            {"uscc": uscc, "tier": tier, "number": number, **row._asdict()}
            for uscc in changed
            for (_, tier, number), row in expected.get(uscc, {}).items()
        ]
        if rows:
            connection.execute(sa.insert(DUE_ITEM), rows)
    return len(changed)


def holders(connection: sa.Connection) -> list[str]:
    """The credit codes of all enterprises that hold or held a title, or that have rows."""
    titled = sa.select(_JOURNAL.c.subject).where(_JOURNAL.c.kind == "title").distinct()
    stored = sa.select(DUE_ITEM.c.uscc).distinct()
    return sorted({*connection.scalars(titled), *connection.scalars(stored)} - {None})


def rebuild(connection: sa.Connection) -> int:
    """Bring all rows up to date; returns for how many enterprises they were not."""
    return refresh(connection, holders(connection))


def differences(connection: sa.Connection) -> Iterator[str]:
    """The credit codes of enterprises with a row that is missing, surplus or out of date."""
    for part in chunks(holders(connection)):
        expected, stored = _derived(connection, part), _stored(connection, part)
        for uscc in part:
            if expected.get(uscc, {}) != stored.get(uscc, {}):
                yield uscc


def duties(connection: sa.Connection, usccs: Sequence[str]) -> dict[str, Duties]:
    """What is on record of the titles and duties of these enterprises, of those that have any."""
    found: dict[str, Duties] = {}
    for kind, entry in followed.entries(connection, usccs, ("title", *KINDS)):
        with suppress(*UNREADABLE, DutyError):  # reported elsewhere
            found.setdefault(entry.body["uscc"], Duties()).follow(kind, entry)
    for application in followed.applications(connection, list(found)) if found else ():
        found[application.entry.body["uscc"]].apply(application)
    return found


def provinces(connection: sa.Connection, usccs: Sequence[str]) -> dict[str, str]:
    """What acts as the province of each of these enterprises, of those that are known."""
    from rules.language.provinces import acting  # only few commands need the language

    columns = [_ENTERPRISE.c[name] for name in ("uscc", "province", "city")]
    return {
        uscc: acting(province or "", city or "")
        for part in chunks(usccs)
        for uscc, province, city in connection.execute(
            sa.select(*columns).where(_ENTERPRISE.c.uscc.in_(part))
        )
    }


def _derived(connection: sa.Connection, usccs: Sequence[str]) -> dict[str, dict[Key, Row]]:
    """The rows of these enterprises, as they follow from the record."""
    known = duties(connection, usccs)
    if not known:
        return {}
    timings, places = Timings.in_force(connection), provinces(connection, list(known))
    found: dict[str, dict[Key, Row]] = {}
    for uscc, held in known.items():
        rows: dict[Key, Row] = {}
        for tier in held.tiers:
            timing = timings.of(tier, places.get(uscc, ""))
            with suppress(*UNREADABLE, ClockError):  # reported elsewhere
                for number, shown in enumerate(held.shown(tier, timing)):
                    rows[uscc, tier, number] = _row(held.name, shown)
        if rows:
            found[uscc] = rows
    return found


def _row(name: str, shown: Shown) -> Row:
    item = shown.item
    return Row(
        name=name,
        matter=item.matter,
        subject=item.subject,
        clocks=item.clocks,
        start=item.start,
        consequences="\n".join(item.consequences),
        first=shown.first,
        last=shown.last,
        due=item.due,
        near=shown.near,
        late=shown.late,
        unknown=shown.unknown,
        done=item.done,
        proposed=item.proposed,
        decided=item.decided,
        unpublished=item.unpublished,
    )


def _stored(connection: sa.Connection, usccs: Sequence[str]) -> dict[str, dict[Key, Row]]:
    found: dict[str, dict[Key, Row]] = {}
    query = sa.select(DUE_ITEM).where(DUE_ITEM.c.uscc.in_(usccs))
    for uscc, tier, number, *row in connection.execute(query):
        found.setdefault(uscc, {})[uscc, tier, number] = Row(*row)
    return found
