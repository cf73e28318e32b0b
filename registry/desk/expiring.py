"""Titles on the register that end soon, or ended lately and were not extended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlmodel import Session

from registry.desk.place import Desk
from registry.judging.settled import Registration
from registry.record import journal, register

#: For how many days before its end a title is told, and for how many after.
AROUND: Final = 90


@dataclass(frozen=True, kw_only=True)
class Expiring:
    """A title that ends on the day ``until``; ``days`` are left of it, none or fewer once it is over.

    ``seq`` is the entry that registers it, ``document`` the notice that this names.
    """

    seq: int
    uscc: str
    name: str
    tier: str
    until: date
    days: int
    document: str


@dataclass
class _Known:
    """The titles on the register up to an entry: the last word on each, by what it is about."""

    last: int = 0
    titles: dict[tuple[str, str, str], Registration] = field(default_factory=dict)


#: What was read of each registry: its register only grows, so that only what is new is read.
_KNOWN: Final[WeakKeyDictionary[sa.Engine, _Known]] = WeakKeyDictionary()
_READING: Final = Lock()


def titles(desk: Desk) -> list[Expiring]:
    """The titles that end within ``AROUND`` days, or ended as many days ago; the first to end first."""
    today = desk.today
    with desk.reading() as session:
        known = _read(session, desk.database)
    latest: dict[tuple[str, str], Registration] = {}
    for entry in register.standing(known.values()):
        key = entry.content["uscc"], entry.content["kind"]
        if key not in latest or _until(entry) > _until(latest[key]):
            latest[key] = entry
    found = [
        Expiring(
            seq=entry.seq,
            uscc=uscc,
            name=entry.content["name"] or uscc,
            tier=tier,
            until=(until := date.fromisoformat(_until(entry))),
            days=(until - today).days + 1,
            document=entry.content["document"],
        )
        for (uscc, tier), entry in latest.items()
        if not entry.content["ended_on"]
    ]
    near = (one for one in found if -AROUND <= one.days <= AROUND)
    return sorted(near, key=lambda one: (one.until, one.uscc))


def _read(session: Session, engine: sa.Engine) -> Mapping[tuple[str, str, str], Registration]:
    with _READING:
        known = _KNOWN.setdefault(engine, _Known())
        last = journal.last_number(session)
        if last < known.last:  # an earlier copy of the file was put in its place
            known = _KNOWN[engine] = _Known()
        if last > known.last:
            for entry in journal.entries(session, first=known.last + 1, last=last, kinds=["title"]):
                found = register.registration(entry)
                about = (found.content[key] for key in ("uscc", "kind", "valid_from"))
                uscc, kind, begin = about
                known.titles[uscc, kind, begin] = found
            known.last = last
        return dict(known.titles)


def _until(entry: Registration) -> str:
    return str(entry.content["valid_until"])
