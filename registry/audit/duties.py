"""Checks of what is on record of titles and duties: each entry could be recorded when it was.

Each is followed again by the clocks and the calendar that were in force then. An application is
checked for the bars and the lost rights that there were on its day.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.audit.filed import Filings
from registry.database.altered import UNREADABLE
from registry.database.due import Timings
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.portable.chain import KINDS
from registry.record import journal, publication
from registry.record.applications import recorded
from rules.portable import duties
from rules.portable.applications import UNKNOWN, Applications, Calendars, day_of
from rules.portable.clocks import ClockError
from rules.portable.duties import Duties, DutyError, is_recheck
from rules.portable.errors import DescribedError
from rules.portable.record import Body

_JOURNAL: Final = journal.JOURNAL


def complaints(session: Session) -> Iterator[str]:
    """What is wrong with duties, cancellations and bars, each as a sentence."""
    subjects = sa.select(_JOURNAL.c.subject).where(_JOURNAL.c.kind.in_(("title", *duties.KINDS)))
    codes = sorted(set(session.scalars(subjects.distinct())) - {None})
    if not codes:
        return
    known = _read(session)
    for part in chunks(codes):
        yield from _complaints(session, known, part)


@dataclass(frozen=True)
class _Known:
    """The clocks (by digest, empty without any) and calendars of every time, and opened rounds."""

    since: Sequence[int]
    clocks: Sequence[str]
    calendars: Calendars
    rounds: Mapping[str, Body]

    def named(self, seq: int) -> str:
        """The digest of the clocks in force before an entry."""
        place = bisect_left(self.since, seq)
        return self.clocks[place - 1] if place else ""


def _read(session: Session) -> _Known:
    """Read it; whatever is altered or lost is reported elsewhere, and missing here."""
    since, clocks, calendars = list[int](), list[str](), []
    opened = dict[str, Body]()
    for entry in journal.entries(
        session, kinds=("publication", "calendar", "round"), checked=False
    ):
        with suppress(*UNREADABLE, RecordError):
            body = entry.content
            if entry.kind == "publication":
                since.append(entry.seq)
                clocks.append(body.get("clocks", ""))
            elif entry.kind == "round" and "round" not in body:
                opened[entry.digest] = body
            if "calendar" in body:
                calendars.append((entry.seq, publication.calendar(session, body["calendar"])))
    return _Known(since, clocks, Calendars.of(calendars), opened)


def _complaints(session: Session, known: _Known, usccs: Sequence[str]) -> Iterator[str]:
    followed = Applications(
        partial(publication.workflows, session), known.rounds.__getitem__, known.calendars
    )
    filings = Filings(session, usccs)
    in_force = cache(partial(_timings, session, known))
    held: dict[str, Duties] = {}
    kinds = ("title", *duties.KINDS, "application", "step")
    for entry in journal.entries(session, kinds=kinds, subjects=usccs, checked=False):
        where = f"第{entry.seq}号{KINDS[entry.kind]}"
        try:
            body = entry.content
            own = held.setdefault(body["uscc"], Duties())
            named = known.named(entry.seq)
            if "clocks" in body and body["clocks"] != named and "revokes" not in body:
                yield f"{where}所依的计时表不是当时发布的"
            # what is taken back or struck out repeats that of its time; applications are reported elsewhere
            states = entry.kind in duties.KINDS or body.get("action") == "cancel"
            placed = not states or "revokes" in body
            if not placed and not filings.stated(body["uscc"], entry.recorded_at, body["province"]):
                yield f"{where}所写的省份不是当时填报的"
            timings = in_force(named, bisect_left(known.calendars.since, entry.seq))
            clocks = partial(timings.of, province=body.get("province", ""))
            if entry.kind == "step":
                followed.take(recorded(entry))
            elif entry.kind == "application":
                one = followed.open(recorded(entry))
                recheck = body["tier"] if is_recheck(one.workflow.to_json()) else ""
                own.apply(one)
                own.refuse_barred(clocks, day_of(body["applied_on"]), recheck)
            else:
                known_then = own.tiers or filings.known(body["uscc"], entry.recorded_at)
                if entry.kind != "title" and not known_then:
                    yield f"{where}时，登记库中没有这家企业"
                own.follow(entry.kind, recorded(entry), clocks)
        except (DutyError, ClockError) as error:
            yield f"{where}当时不能登记：{error}"
        except (*UNREADABLE, DescribedError):
            continue  # reported elsewhere


def _timings(session: Session, known: _Known, clocks: str, calendars: int) -> Timings:
    """The published clocks with that digest, with the last of that many calendars."""
    calendar = known.calendars.known[calendars - 1] if calendars else UNKNOWN
    return Timings(publication.clocks(session, clocks) if clocks else None, calendar)
