"""Applications as the projections follow them, from the tables alone."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Final

import sqlalchemy as sa

from registry.database.altered import UNREADABLE
from registry.database.models import NO_DECISION, Document, JournalEntry
from registry.database.versions import table_of
from registry.portable.clock import china_day
from rules.portable.applications import Application, Applications, Calendars, Recorded
from rules.portable.calendar import Calendar
from rules.portable.errors import DescribedError
from rules.portable.record import Body

_JOURNAL: Final = table_of(JournalEntry)
_TEXT: Final = table_of(Document)


def entries(
    connection: sa.Connection, usccs: Sequence[str], kinds: Sequence[str]
) -> list[tuple[str, Recorded]]:
    """The entries of these kinds about these enterprises, in order; unreadable ones are reported elsewhere."""
    columns = (_JOURNAL.c[name] for name in ("kind", "seq", "digest", "recorded_at", "body"))
    query = sa.select(*columns).where(_JOURNAL.c.subject.in_(usccs), _JOURNAL.c.kind.in_(kinds))
    found = []
    for kind, seq, digest, recorded_at, body in connection.execute(query.order_by(_JOURNAL.c.seq)):
        with suppress(*UNREADABLE):
            recorded = Recorded(seq, digest, china_day(recorded_at), json.loads(body))
            found.append((kind, recorded))
    return found


def applications(connection: sa.Connection, usccs: Sequence[str]) -> Iterable[Application]:
    """The applications of these enterprises with their steps; what was never possible is left out."""
    found = entries(connection, usccs, ("application", "step"))
    if not found:
        return ()
    followed = Applications(
        partial(document, connection), partial(_round, connection), calendars(connection)
    )
    for kind, entry in found:
        with suppress(*UNREADABLE, DescribedError):  # reported elsewhere
            followed.follow(kind, entry)
    return followed.found.values()


def calendars(connection: sa.Connection) -> Calendars:
    """Every calendar that was ever in force."""
    kinds = ("publication", "calendar")
    query = sa.select(_JOURNAL.c.seq, _JOURNAL.c.body).where(
        NO_DECISION, _JOURNAL.c.kind.in_(kinds)
    )
    changes = []
    for seq, body in connection.execute(query.order_by(_JOURNAL.c.seq)):
        with suppress(*UNREADABLE):
            if named := json.loads(body).get("calendar"):
                changes.append((seq, calendar(_text(connection, named))))
    return Calendars.of(changes)


def clocks(connection: sa.Connection) -> Body | None:
    """The published clocks in force; None if there are none."""
    last = (
        sa.select(_JOURNAL.c.body)
        .where(NO_DECISION, _JOURNAL.c.kind == "publication")
        .order_by(_JOURNAL.c.seq.desc())
    )
    body = connection.scalar(last.limit(1))
    named = json.loads(body).get("clocks") if body else None
    return document(connection, named) if named else None


def document(connection: sa.Connection, digest: str) -> Body:
    """The published document with that digest."""
    return parsed(_text(connection, digest))


@lru_cache(maxsize=16)
def calendar(text: str) -> Calendar:
    """A published calendar, read once."""
    return Calendar.of(json.loads(text)["years"])


@lru_cache(maxsize=16)
def parsed(text: str) -> Body:
    """A published document or an entry's body, read once."""
    found: Body = json.loads(text)
    return found


def _text(connection: sa.Connection, digest: str) -> str:
    query = sa.select(_TEXT.c.text).where(_TEXT.c.digest == digest)
    return str(connection.scalar(query))


def _round(connection: sa.Connection, digest: str) -> Body:
    """The body of an opened round."""
    query = sa.select(_JOURNAL.c.body).where(NO_DECISION, _JOURNAL.c.digest == digest)
    return parsed(str(connection.scalar(query)))
