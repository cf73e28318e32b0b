"""What enterprises are called: by their filings, and by the changes of name on record.

``case_state`` has the present name of every enterprise; ``names`` tells that of a day.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from typing import Final, NamedTuple

import sqlalchemy as sa

from registry.database import followed
from registry.database.altered import UNREADABLE
from registry.database.models import CaseState
from registry.database.versions import ENTERPRISE, FILING, chunks, table_of

_STATE: Final = table_of(CaseState)
#: The present name of an enterprise, for queries that join ``case_state`` by its row of no tier.
PRESENT: Final = sa.func.coalesce(_STATE.c.name, ENTERPRISE.c.name)
#: The name under which it filed, if that is another; else empty.
FORMER: Final = sa.func.coalesce(sa.func.nullif(ENTERPRISE.c.name, PRESENT), "")


class Stated(NamedTuple):
    """A name, and from which day on it is stated: by a filing, or because it was ``changed``."""

    day: date
    changed: bool
    name: str


def called(stated: Iterable[Stated], day: date | None = None) -> str:
    """The last name stated by a day, or ever; the first one, if none was stated by that day.

    A change counts for more than a filing as of the same day, which may have been prepared before.

    >>> stated = [Stated(date(2023, 6, 30), False, "甲"), Stated(date(2024, 6, 3), True, "乙")]
    >>> called(stated), called(stated, date(2024, 6, 2)), called(stated, date(2020, 1, 1))
    ('乙', '甲', '甲')
    """
    order = sorted(stated)
    reached = [one for one in order if day is None or one.day <= day]
    return (reached[-1:] or order[:1])[0].name


def names(
    connection: sa.Connection, usccs: Sequence[str], day: date | None = None
) -> dict[str, str]:
    """The names of those of these enterprises that have filings: on a day, or the present ones."""
    found: defaultdict[str, list[Stated]] = defaultdict(list)
    for part in chunks(usccs):
        current = (FILING.c.enterprise_id == ENTERPRISE.c.id) & FILING.c.known_until.is_(None)
        query = (
            sa.select(ENTERPRISE.c.uscc, ENTERPRISE.c.name, FILING.c.as_of, FILING.c.identity)
            .outerjoin_from(ENTERPRISE, FILING, current)
            .where(ENTERPRISE.c.uscc.in_(part))
        )
        for uscc, name, as_of, identity in connection.execute(query):
            with suppress(*UNREADABLE):  # reported elsewhere
                name = json.loads(identity)["name"] if identity else name
            found[uscc].append(Stated(as_of or date.min, False, name))
        for uscc, changed in renamings(connection, part).items():
            if uscc in found:
                found[uscc] += changed
    return {uscc: called(stated, day) for uscc, stated in found.items()}


def renamings(connection: sa.Connection, usccs: Sequence[str]) -> dict[str, list[Stated]]:
    """The changes of name of these enterprises that are on record and were not taken back."""
    found: defaultdict[str, dict[str, Stated]] = defaultdict(dict)
    for _, entry in followed.entries(connection, usccs, ("change",)):
        body = entry.body
        with suppress(*UNREADABLE):  # reported elsewhere
            if "revokes" in body:
                found[body["uscc"]].pop(body["revokes"], None)
            elif body["renamed"]:
                day = date.fromisoformat(body["day"])
                found[body["uscc"]][entry.digest] = Stated(day, True, body["renamed"])
    return {uscc: list(stated.values()) for uscc, stated in found.items() if stated}
