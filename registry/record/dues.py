"""What titles make due on a day: what is overdue, near, ahead or over, for whom, and by which text.

Read from the table ``due_item``, whose state on any day is a comparison of days.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import followed
from registry.database.altered import UNREADABLE
from registry.database.called import FORMER
from registry.database.due import DUE_ITEM
from registry.database.projection import CASE_STATE
from registry.database.versions import ENTERPRISE, chunks
from registry.errors import RecordError
from registry.kit import regions
from registry.record import publication
from registry.record.finding import MOST
from rules.portable.clocks import CHANGE, COMPLAINT, RECHECK, STARTS, UPDATE
from rules.portable.record import Body
from rules.portable.timing import AHEAD, DONE, NEAR, OVERDUE, STATES, UNPUBLISHED

_ROW: Final = DUE_ITEM.c
_PLACE: Final = ("province", "city", "county")
#: The states of what somebody may have to do something about.
PRESSING: Final = (OVERDUE, UNPUBLISHED, NEAR)
#: From which day on each of them holds; the first one that was reached is the state.
_SINCE: Final = {OVERDUE: _ROW.late, UNPUBLISHED: _ROW.unknown, NEAR: _ROW.near}
#: All matters, in their order.
MATTERS: Final = tuple(STARTS)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is listed for a day: the matters to which everything given applies.

    ``until`` asks for what is due on or before that day. ``place`` is the code of a region, at or
    below which the holder is; a holder whose place is not known is in none. ``decided`` is the
    consequence that a person drew.
    """

    day: date
    states: tuple[str, ...] = PRESSING
    tier: str = ""
    matter: str = ""
    place: str = ""
    uscc: str = ""
    until: date | None = None
    decided: str = ""

    def __post_init__(self) -> None:
        if self.place and self.place not in regions.regions():
            raise RecordError(
                "no-such-region", "没有代码为「{value}」的地区：请核对", value=self.place
            )
        for value, known in ((self.matter, MATTERS), *((state, STATES) for state in self.states)):
            if value and value not in known:
                raise RecordError(
                    "no-such-filter",
                    "没有「{value}」这一项：应为 {expected}",
                    value=value,
                    expected="、".join(known),
                )


@dataclass(frozen=True, kw_only=True)
class DueLine:
    """A matter of a title as it stands on a day.

    ``due`` is its last day; None if the days off of the year ``unpublished`` are not known, or if
    nothing is barred. ``number`` is its own among those of the tier. ``basis`` is the document by
    which the table ``clocks`` is in force. ``decided`` is the consequence that a person drew, empty
    for none, and None if nobody decided. From the day ``near`` on it is near. If ``filed``, there
    are filings, not only titles. ``former`` is the name under which it filed, if it has another one
    since. ``done`` is the day on which it was done by what was stated, ``recorded`` that on which
    the statement was recorded.
    """

    uscc: str
    name: str
    tier: str
    number: int
    place: str
    matter: str
    subject: str
    state: str
    start: date
    due: date | None
    consequences: tuple[str, ...]
    basis: str
    clocks: str
    filed: bool = True
    near: date | None = None
    done: date | None = None
    decided: str | None = None
    proposed: date | None = None
    unpublished: int | None = None
    former: str = ""
    recorded: date | None = None


class Place(NamedTuple):
    """Where a line stands in the order of lines: by last day, then by credit code and tier."""

    due: date | None
    uscc: str
    tier: str
    number: int

    @classmethod
    def of(cls, line: DueLine) -> "Place":
        """The place of a line."""
        return cls(line.due, line.uscc, line.tier, line.number)


@dataclass(frozen=True, kw_only=True)
class Text:
    """A table of clocks as officers read it: what it lays down, and how it is read."""

    id: str
    title: str
    prose: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    """What is due, and the tables that make it so; ``cut`` says that there is more."""

    asked: Asked
    lines: tuple[DueLine, ...]
    texts: tuple[Text, ...]
    cut: bool = False


def due(session: Session, asked: Asked) -> Due:
    """What is asked for, at most ``MOST`` lines, with the texts; errors as for ``lines``."""
    found = lines(session, asked)
    return Due(asked, tuple(found[:MOST]), texts(session, asked), len(found) > MOST)


def every(session: Session, asked: Asked) -> Iterator[DueLine]:
    """All that is asked for, read ``MOST`` lines at a time; errors as for ``lines``."""
    after: Place | None = None
    while found := lines(session, asked, after=after, limit=MOST):
        yield from found
        after = Place.of(found[-1])


def texts(session: Session, asked: Asked) -> tuple[Text, ...]:
    """The tables by which what is asked for is due, in the order of their ids."""
    told = tables(session)
    used = _joined(sa.select(_ROW.clocks).where(*_conditions(asked)).distinct(), asked)
    return tuple(
        Text(id=id, title=told[id].get("title", ""), prose=tuple(told[id].get("prose", ())))
        for id in session.scalars(used.order_by(_ROW.clocks))
        if id in told
    )


def lines(
    session: Session,
    asked: Asked,
    *conditions: sa.ColumnElement[bool],
    after: Place | None = None,
    limit: int | None = MOST + 1,
) -> list[DueLine]:
    """What is asked for, at most ``limit`` in the order of their places, those ``after`` one.

    ``conditions`` on rows of ``due_item`` limit it further. Raises ``RecordError`` if no clocks are published, by which nothing would be due.
    """
    bases = _bases(session)
    state = CASE_STATE
    name = sa.func.coalesce(state.c.name, _ROW.name).label("called")
    former = sa.case((state.c.uscc.is_(None), ""), else_=FORMER).label("former")
    columns = (*(c for c in _ROW if c.key != "name"), name, former)
    places = (state.c[place] for place in _PLACE)
    filed = state.c.uscc.is_not(None).label("filed")
    query = (
        sa.select(*columns, state_on(asked.day).label("state"), *places, filed)
        .join_from(
            DUE_ITEM, state, (state.c.uscc == _ROW.uscc) & (state.c.tier == ""), isouter=True
        )
        .outerjoin(ENTERPRISE, ENTERPRISE.c.id == state.c.enterprise_id)
        .where(*_conditions(asked), *conditions, *_later(after))
        .order_by(_ROW.due.is_(None), _ROW.due, _ROW.uscc, _ROW.tier, _ROW.number)
        .limit(limit)
    )
    rows = session.execute(query).all()
    recorded = _recorded(session, [row for row in rows if row.done])
    return [
        DueLine(
            uscc=row.uscc,
            name=row.called,
            tier=row.tier,
            number=row.number,
            place=_full(row.province, row.city, row.county),
            matter=row.matter,
            subject=row.subject,
            state=row.state,
            start=row.start,
            due=row.due,
            consequences=tuple(filter(None, row.consequences.split("\n"))),
            basis=bases.get((row.tier, row.clocks), ""),
            clocks=row.clocks,
            filed=bool(row.filed),
            near=row.near,
            done=row.done,
            decided=row.decided,
            proposed=row.proposed,
            unpublished=row.unpublished,
            former=row.former,
            recorded=recorded.get(_statement(row)) if row.done else None,
        )
        for row in rows
    ]


#: What says that a matter was done: enterprise, matter, which of several, and the day.
_Statement: TypeAlias = tuple[str, str, str, str]


def _statement(row: sa.Row[Any]) -> _Statement:
    subject = row.tier if row.matter == RECHECK else row.subject
    return row.uscc, row.matter, subject, row.done.isoformat()


def _recorded(session: Session, rows: Sequence[sa.Row[Any]]) -> dict[_Statement, date]:
    """The days on which it was recorded that these matters were done."""
    found: dict[_Statement, date] = {}
    for part in chunks(sorted({row.uscc for row in rows})):
        first: dict[str, str] = {}
        for kind, entry in followed.entries(session.connection(), part, _STATING):
            with suppress(*UNREADABLE):  # reported elsewhere
                body = entry.body
                number = first[entry.digest] = first.get(body.get("of") or "", str(entry.seq))
                matter, subject, day = {
                    "update": (UPDATE, f"{body.get('year')}年", body.get("day")),
                    "change": (CHANGE, number, body.get("reported")),
                    "complaint": (COMPLAINT, number, body.get("day")),
                    "application": (RECHECK, body.get("tier", ""), body.get("applied_on")),
                }[kind]
                if day and "revokes" not in body:
                    found[body["uscc"], matter, subject, day] = entry.day
    return found


#: The kinds of entries that say that something was done.
_STATING: Final = ("update", "change", "complaint", "application")


def counts(session: Session, asked: Asked) -> Mapping[tuple[str, str, str], int]:
    """How much there is of what is asked for, by tier, matter and state."""
    group = (_ROW.tier, _ROW.matter, state_on(asked.day))
    return {(tier, matter, state): n for (tier, matter, state), n in tally(session, asked, group)}


def tally(
    session: Session,
    asked: Asked,
    group: Sequence[sa.ColumnElement[str]],
    *conditions: sa.ColumnElement[bool],
) -> Iterator[tuple[tuple[str, ...], int]]:
    """How much there is of what is asked for in each group; ``conditions`` as for ``lines``."""
    query = sa.select(*group, sa.func.count()).where(*_conditions(asked), *conditions)
    for *words, number in session.execute(_joined(query.group_by(*group), asked)):
        yield tuple(words), number


def next_start(session: Session, asked: Asked, *conditions: sa.ColumnElement[bool]) -> date | None:
    """The first day after that of ``asked`` on which a matter begins that is open then."""
    ahead = (_ROW.start > asked.day, state_on(asked.day) != DONE)
    query = sa.select(sa.func.min(_ROW.start)).where(*_conditions(asked), *ahead, *conditions)
    found: date | None = session.scalar(_joined(query, asked))
    return found


def _joined(query: sa.Select[*tuple[Any, ...]], asked: Asked) -> sa.Select[*tuple[Any, ...]]:
    """The same with the places of enterprises, if one is asked for."""
    state = CASE_STATE.c
    own = (state.uscc == _ROW.uscc) & (state.tier == "")
    return query.join_from(DUE_ITEM, CASE_STATE, own) if asked.place else query


def tables(session: Session) -> Mapping[str, Body]:
    """The tables of clocks in force, by id, each with its ``title`` and ``prose`` where it has them."""
    found: Mapping[str, Body] = _clocks(session)["clocks"]
    return found


def _clocks(session: Session) -> Body:
    return publication.clocks(session, publication.clocks_digest(session))


def _bases(session: Session) -> dict[tuple[str, str], str]:
    """The document by which a table is in force for a tier."""
    rows = _clocks(session)["rows"]
    return {(row["tier"], row["clocks"]): row.get("basis", "") for row in rows}


def state_on(day: date) -> sa.ColumnElement[str]:
    """The state on a day, as ``Shown.state`` tells it."""
    reached = [(since <= day, state) for state, since in _SINCE.items()]
    over = sa.and_(*(since.is_(None) for since in _SINCE.values()))
    return sa.case(*reached, (over, DONE), else_=AHEAD)


def _conditions(asked: Asked) -> list[sa.ColumnElement[bool]]:
    day = asked.day
    found: list[sa.ColumnElement[bool]] = [
        _ROW["first"] <= day,
        _ROW["last"].is_(None) | (_ROW["last"] >= day),
        state_on(day).in_(asked.states),
    ]
    if set(asked.states) <= _SINCE.keys():  # told by a day alone, which an index may know
        found.insert(0, sa.or_(sa.false(), *(_SINCE[state] <= day for state in asked.states)))
    equal: dict[Any, str] = {
        _ROW.tier: asked.tier,
        _ROW.matter: asked.matter,
        _ROW.uscc: asked.uscc,
        _ROW.decided: asked.decided,
    }
    found += [column == value for column, value in equal.items() if value]
    if asked.place:
        found.append(CASE_STATE.c[regions.column(asked.place)] == asked.place)
    if asked.until:
        found.append(_ROW.due <= asked.until)
    return found


def _later(place: Place | None) -> list[sa.ColumnElement[bool]]:
    """The condition that a line stands later than a place."""
    if place is None:
        return []
    after = sa.tuple_(_ROW.uscc, _ROW.tier, _ROW.number) > place[1:]
    if place.due is None:
        return [_ROW.due.is_(None), after]
    same = (_ROW.due == place.due) & after
    return [_ROW.due.is_(None) | (_ROW.due > place.due) | same]


def _full(*codes: str | None) -> str:
    known = [code for code in codes if code]
    return regions.full_name(known[-1]) if known else ""
