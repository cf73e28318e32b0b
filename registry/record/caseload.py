"""What waits for whom: the newest application of every enterprise and tier, as it stands on a day.

``case_state`` says where each stood after its last entry. Only those whose term has run out in a
state in which the clock moves cases on are followed again, once for each last entry and calendar:
the stages through which the clock brings a case are the same on whatever day it is looked at.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.called import FORMER, PRESENT
from registry.database.projection import CASE_STATE
from registry.database.versions import ENTERPRISE, chunks
from registry.record import publication
from registry.record.applications import Reader
from registry.record.finding import MOST
from registry.record.journal import JOURNAL
from registry.record.rounds import Round
from rules.portable.applications import Application
from rules.portable.workflow import ENDINGS

_ROW: Final = CASE_STATE.c
#: A tier, a state, and the level whose turn it is (empty once nothing is to be done).
Group: TypeAlias = tuple[str, str, str]
#: The last day of a term, and the same.
Ending: TypeAlias = tuple[date, str, str, str]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where an application of an enterprise for a tier stands on a day.

    ``level`` is whose turn it is, None once nothing is to be done; ``due`` the last day of the
    state's term, None without one. If the clock has moved the case on since its last entry,
    ``before`` is the state in which that entry left it. ``former`` is the name under which the
    enterprise filed, if it has another one since.
    """

    uscc: str
    name: str
    tier: str
    state: str
    level: str | None
    due: date | None
    before: str = ""
    place: str = ""
    former: str = ""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which applications are listed: those to which everything given applies.

    ``due`` asks for those whose term ends on or before that day. Only a ``round`` or the state
    itself brings up those for which nothing is left to do.
    """

    tier: str = ""
    state: str = ""
    level: str = ""
    due: date | None = None
    round: Round | None = None

    def fits(self, one: Standing) -> bool:
        """Whether an application is among those that are listed."""
        return (
            self.tier in ("", one.tier)
            and self.state in ("", one.state)
            and self.level in ("", one.level)
            and (self.due is None or (one.due is not None and one.due <= self.due))
            and bool(one.level or self.state or self.round)
        )


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """A page of applications in order of credit code; ``after`` is the key of the next page.

    ``count`` is the number on all pages, at most ``MOST`` + 1.
    """

    lines: tuple[Standing, ...]
    after: str
    count: int


def page(
    session: Session, wanted: Wanted, day: date, *, after: str = "", limit: int = 50
) -> CasePage:
    """The next ``limit`` applications after a key, as they stand on a day."""
    found = every(session, wanted, day)
    following = [one for one in found if _key(one) > after]
    lines = following[:limit]
    return CasePage(
        lines=tuple(_placed(session, lines)),
        after=_key(lines[-1]) if len(following) > limit else "",
        count=len(found),
    )


def every(session: Session, wanted: Wanted, day: date) -> list[Standing]:
    """All applications that are asked for, in order of credit code, at most ``MOST`` + 1."""
    if wanted.round is not None:
        found = _of_round(session, wanted.round, day)
    else:
        found = [*_still(session, wanted, day), *_passed(session, wanted, day)]
    return sorted(filter(wanted.fits, found), key=_key)[: MOST + 1]


def counts(session: Session, day: date, of: Round | None = None) -> Mapping[Group, int]:
    """How many applications there are by tier, state and level: all of a round, or all that are open."""
    if of is not None:
        return Counter(
            (one.tier, one.state, one.level or "") for one in _of_round(session, of, day)
        )
    group = (_ROW.tier, _ROW.state, _ROW.level)
    still = _open(session, Wanted(), _ROW.due.is_(None) | (_ROW.due >= day))
    query = sa.select(*group, sa.func.count()).where(still).group_by(*group)
    found = Counter({(tier, state, level): n for tier, state, level, n in session.execute(query)})
    passed = _passed(session, Wanted(), day)
    found.update((one.tier, one.state, one.level) for one in passed if one.level)
    return found


def ending(session: Session, day: date, until: date) -> Mapping[Ending, int]:
    """How many open applications have a term that ends by a day, or is over already."""
    group = (_ROW.due, _ROW.tier, _ROW.state, _ROW.level)
    soon = _open(session, Wanted(), _ROW.due.between(day, until))
    query = sa.select(*group, sa.func.count()).where(soon).group_by(*group)
    rows = session.execute(query)
    found = Counter({(due, tier, state, level): n for due, tier, state, level, n in rows})
    for one in _passed(session, Wanted(), day):
        if one.level and one.due and one.due <= until:
            found[one.due, one.tier, one.state, one.level] += 1
    return found


def _key(one: Standing) -> str:
    return f"{one.uscc} {one.tier}"


def _still(session: Session, wanted: Wanted, day: date) -> Iterator[Standing]:
    """The requested applications that stand where their last entry left them."""
    due = _ROW.due.is_(None) | (_ROW.due >= day)
    query = sa.select(CASE_STATE).where(_open(session, wanted, due))
    if wanted.state in ENDINGS:
        tiers = [wanted.tier] if wanted.tier else _tiers(session)
        query = sa.select(CASE_STATE).where(_ROW.tier.in_(tiers), _ROW.state == wanted.state)
    elif wanted.state:
        query = query.where(_ROW.state == wanted.state)
    if wanted.level:
        query = query.where(_ROW.level == wanted.level)
    if wanted.due is not None:
        query = query.where(_ROW.due <= wanted.due)
    rows = session.execute(query.order_by(_ROW.uscc).limit(MOST + 1))
    return map(_standing, rows)


def _passed(session: Session, wanted: Wanted, day: date) -> list[Standing]:
    """The applications for a tier whose term ended before a day, each where the clock has brought it."""
    query = sa.select(CASE_STATE).where(_open(session, wanted, _ROW.due < day))
    rows = session.execute(query.order_by(_ROW.uscc).limit(MOST + 1))
    return _today(session, rows.all(), day)


def _open(session: Session, wanted: Wanted, due: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The open applications for a tier or for all, with a condition on their last day.

    Each existing state is a range of the index, so rows with only a decision, and cases that ended,
    are never looked at.
    """
    states = [
        sa.and_(_ROW.tier == tier, _ROW.state == state, due)
        for tier in ([wanted.tier] if wanted.tier else _tiers(session))
        for state in _different(session, _ROW.state, _ROW.tier == tier)
        if state not in ENDINGS
    ]
    return sa.or_(sa.false(), *states)


def _tiers(session: Session) -> list[str]:
    """The tiers that have cases."""
    return [tier for tier in _different(session, _ROW.tier) if tier]


def _different(
    session: Session, column: sa.Column[Any], *of: sa.ColumnElement[bool]
) -> Iterator[str]:
    """The different values of a column, looked up in its index one after the other."""
    lowest = sa.select(sa.func.min(column)).where(*of)
    found = session.scalar(lowest)
    while found is not None:
        yield found
        found = session.scalar(lowest.where(column > found))


def _standing(row: sa.Row[Any]) -> Standing:
    return Standing(
        uscc=row.uscc, name=row.name, tier=row.tier, state=row.state, level=row.level, due=row.due
    )


class _Stage(NamedTuple):
    """Where the clock brings an application from a day on, if nothing else is done."""

    first: date
    state: str
    level: str | None
    due: date | None


def stages(application: Application) -> tuple[_Stage, ...]:
    """The stages of an application from its last entry on, by the calendar that is known now."""
    course, found = application.now(), list[_Stage]()
    first = date.min
    while True:
        level = next((act.level for act in application.workflow.acts_in(course.state)), None)
        found.append(_Stage(first, course.state, level, course.due))
        if course.due is None:
            return tuple(found)
        first = course.due + timedelta(1)
        before, course = course, application.on(first)
        if course == before:
            return tuple(found)


def moved(one: Standing, found: Sequence[_Stage], day: date) -> Standing:
    """Where the clock has brought an application by a day."""
    stage = [each for each in found if each.first <= day][-1]
    left = found[0].state
    return replace(
        one,
        state=stage.state,
        level=stage.level,
        due=stage.due,
        before=left if left != stage.state else "",
    )


#: An application's credit code, tier and last entry, which the digest commits to with all before it,
#: and the calendar.
_Last: TypeAlias = tuple[str, str, str, str | None]
#: The stages of applications whose term ended, as they were last followed, and how many are kept.
_followed: Final[dict[_Last, tuple[_Stage, ...]]] = {}
_KEPT: Final = 200_000


def _today(session: Session, rows: Sequence[sa.Row[Any]], day: date) -> list[Standing]:
    """Each as it stands on a day."""
    late = [row for row in rows if row.level and row.due and row.due < day]
    clocked = publication.clocked(session) if late else ()
    moving = [row for row in late if (row.tier, row.state) in clocked]
    known = _stages(session, moving) if moving else {}
    lines = ((_standing(row), known.get((row.uscc, row.tier))) for row in rows)
    return [moved(one, found, day) if found else one for one, found in lines]


def _stages(
    session: Session, rows: Sequence[sa.Row[Any]]
) -> dict[tuple[str, str], tuple[_Stage, ...]]:
    """The stages of these applications, by credit code and tier; those not known yet are followed."""
    calendar = publication.last_calendar(session)
    digests = {
        seq: digest
        for part in chunks([row.step for row in rows])
        for seq, digest in session.execute(
            sa.select(JOURNAL.c.seq, JOURNAL.c.digest).where(JOURNAL.c.seq.in_(part))
        )
    }
    last: dict[tuple[str, str], _Last] = {
        (row.uscc, row.tier): (row.uscc, row.tier, digests.get(row.step, ""), calendar)
        for row in rows
    }
    found = {key: _followed[its] for key, its in last.items() if its in _followed}
    missing = sorted({uscc for uscc, _ in last.keys() - found.keys()})
    for applications in (Reader(session).of(missing) if missing else {}).values():
        for one in applications:  # the newest for a tier comes last
            key = str(one.entry.body["uscc"]), str(one.entry.body["tier"])
            if key in last:
                found[key] = stages(one)
                if last[key][2] == one.last.digest:
                    _remember(last[key], found[key])
    return found


def _remember(last: _Last, found: tuple[_Stage, ...]) -> None:
    if len(_followed) >= _KEPT:
        _followed.clear()
    _followed[last] = found


def _of_round(session: Session, of: Round, day: date) -> list[Standing]:
    """The newest application of every enterprise in a round, wherever it stands."""
    tier, last = str(of.body["tier"]), sa.func.max(JOURNAL.c.seq).label("last")
    newest = (
        sa.select(JOURNAL.c.subject, last)
        .where(JOURNAL.c.kind == "application", JOURNAL.c.tier == tier, JOURNAL.c.seq > of.seq)
        .group_by(JOURNAL.c.subject)
    )
    named = JOURNAL.c.body.contains(f'"round":"{of.digest}"', autoescape=True)
    its = _by_subject(session, newest.where(named))
    latest = _by_subject(session, newest) if its else {}
    current = [uscc for uscc, last in its.items() if latest[uscc] == last]
    rows = [
        row
        for part in chunks(current)
        for row in session.execute(
            sa.select(CASE_STATE).where(_ROW.tier == tier, _ROW.uscc.in_(part))
        )
    ]
    later = sorted(its.keys() - {*current})  # they have applied anew elsewhere since
    former = [
        moved(
            Standing(
                uscc=uscc, name=one.entry.body["name"], tier=tier, state="", level=None, due=None
            ),
            stages(one),
            day,
        )
        for uscc, found in (Reader(session).of(later) if later else {}).items()
        for one in found
        if one.entry.seq == its[uscc]
    ]
    return [*_today(session, rows, day), *former]


def _by_subject(session: Session, query: sa.Select[Any]) -> dict[str, int]:
    return {row.subject: row.last for row in session.execute(query)}


def _placed(session: Session, lines: Sequence[Standing]) -> Iterator[Standing]:
    """The same with their places and their present names."""
    place = (ENTERPRISE.c.province, ENTERPRISE.c.city, ENTERPRISE.c.county)
    query = (
        sa.select(ENTERPRISE.c.uscc, PRESENT, FORMER, *place)
        .join(CASE_STATE, CASE_STATE.c.enterprise_id == ENTERPRISE.c.id)
        .where(_ROW.tier == "")
    )
    found = {
        uscc: {
            "name": name, "former": former, "place": "".join(dict.fromkeys(filter(None, filed))),
        }
        for part in chunks([one.uscc for one in lines])
        for uscc, name, former, *filed in session.execute(query.where(ENTERPRISE.c.uscc.in_(part)))
    }  # fmt: skip
    return (replace(one, **found.get(one.uscc, {})) for one in lines)
