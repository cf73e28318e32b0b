"""Applications and their steps: for one enterprise or for a list, whole or not at all.

Acts come as values (``Applying``, ``Doing``), enterprises one by one or as a list (``Firms``). What
may be done, by whom and with what effect, is laid down by the workflow on record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.projection import CASE_STATE
from registry.database.versions import chunks
from registry.desk import listed
from registry.desk.listed import Firms as Firms
from registry.desk.listed import Placed
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.intake.validity import Validity
from registry.record import applications, rounds
from registry.record.applications import Applying as Applying
from registry.record.applications import Doing as Doing
from registry.record.journal import Entry
from registry.record.register import Notice as Notice
from rules.language.editions import RECOGNITION
from rules.portable.errors import Remedy
from rules.portable.workflow import ENTERPRISE, LEVELS, OBJECT, SETTLE, Act

__all__ = ["ENTERPRISE", "LEVELS", "Applying", "Doing", "Entry", "Firms", "Notice"]

_DAYS: Final = ("first", "last")


@dataclass(frozen=True, kw_only=True)
class Stand:
    """Where an application stands after its last entry: its state, whose turn it is, and until when.

    ``level`` is None once nothing is to be done, ``due`` without a term or where it is not known.
    """

    uscc: str
    name: str
    state: str
    level: str | None
    due: date | None


@dataclass(frozen=True)
class Done:
    """The new entries, where the enterprises stand now in their order, and remarks about the list."""

    entries: Sequence[Entry]
    stands: Sequence[Stand]
    notices: Sequence[str] = ()


def apply(desk: Desk, firms: Firms, applying: Applying, *, round_name: str = "") -> Done:
    """Enter applications, in the round with that name or number if one is given.

    The tier goes by any of its names. Without a procedure, that of the round is meant, or else
    recognition.
    """
    applying = replace(applying, tier=desk.tier(applying.tier).name)

    def recorded(session: Session, usccs: Sequence[str]) -> Sequence[Entry]:
        found = rounds.round_named(session, round_name) if round_name else None
        usual = found.body["procedure"] if found else RECOGNITION
        asked = replace(applying, round=found, procedure=applying.procedure or usual)
        return applications.apply(session, usccs, asked, by=desk.by, now=desk.clock())

    return _done(desk, firms, applying.tier, recorded)


def step(desk: Desk, firms: Firms, tier: str, doing: Doing) -> Done:
    """Take a step in the newest application of each of these enterprises for a tier."""
    tier = desk.tier(tier).name

    def recorded(session: Session, usccs: Sequence[str]) -> Sequence[Entry]:
        return applications.step(session, usccs, tier, doing, by=desk.by, now=desk.clock())

    return _done(desk, firms, tier, recorded)


def object_to(desk: Desk, uscc: str, tier: str, doing: Doing) -> Done:
    """Register an objection to an enterprise's application, by the act whose effect that is."""
    return _by_effect(desk, uscc, tier, doing, OBJECT, "登记异议", lambda act: True)


def settle(desk: Desk, uscc: str, tier: str, doing: Doing, *, upheld: bool) -> Done:
    """Settle an objection, by the act whose effect that is.

    One that is upheld takes the application to another state, one that is not leaves it where it is.
    Where several acts do so, or none, ``RecordError`` names them, and ``doing`` has to.
    """
    return _by_effect(
        desk, uscc, tier, doing, SETTLE, "了结异议", lambda act: (act.to != act.state) == upheld
    )


def _by_effect(
    desk: Desk,
    uscc: str,
    tier: str,
    doing: Doing,
    effect: str,
    what: str,
    meant: Callable[[Act], bool],
) -> Done:
    """Take the one step with an effect; an act that ``doing`` names takes precedence."""
    tier = desk.tier(tier).name

    def recorded(session: Session, usccs: Sequence[str]) -> Sequence[Entry]:
        found = applications.Reader(session).of(usccs)
        application = applications.newest(found.get(uscc, ()), tier)
        acts = [act for act in application.allowed(doing.day) if effect in act.effects]
        if not acts:
            raise RecordError(
                "no-such-effect",
                "“{state}”环节不能{what}",
                state=application.on(doing.day).state,
                what=what,
            )
        named = [act for act in acts if act.act == doing.act] if doing.act else acts
        words = dict.fromkeys(act.act for act in named if doing.act or meant(act))
        if len(words) != 1:
            raise RecordError(
                "which-act",
                "{what}的办理有{expected}，不能确定是哪一项",
                what=what,
                expected="、".join(dict.fromkeys(f"“{act.act}”" for act in acts)),
                remedy=Remedy("name-act"),
            )
        taken = replace(doing, act=next(iter(words)))
        return applications.step(session, usccs, tier, taken, by=desk.by, now=desk.clock())

    return _done(desk, Firms((uscc,)), tier, recorded)


def announce(
    desk: Desk,
    firms: Firms,
    tier: str,
    notice: Notice,
    *,
    level: str,
    first: date | None = None,
    last: date | None = None,
) -> Done:
    """Announce enterprises: their titles are granted or extended, and their applications end.

    Titles run from the notice's date for the usual time, unless other days are given. Days that a
    list gives count too.
    """
    tier = desk.tier(tier).name
    with listed.told() as notices:
        named = listed.placed(desk, firms, Validity(first, last), _DAYS, notices)
        stated = {holder.uscc: holder for _, holder in named}

        def recorded(session: Session, usccs: Sequence[str]) -> Sequence[Entry]:
            return applications.announce(
                session, usccs, tier, listed.with_list(desk, notice, firms), level=level,
                first=first, last=last, stated=stated, by=desk.by, now=desk.clock(),
            )  # fmt: skip

        return _recorded(desk, firms, tier, named, recorded, notices)


def _done(
    desk: Desk,
    firms: Firms,
    tier: str,
    recorded: Callable[[Session, Sequence[str]], Sequence[Entry]],
) -> Done:
    with listed.told() as notices:
        named = listed.placed(desk, firms, Validity(), (), notices)
        return _recorded(desk, firms, tier, named, recorded, notices)


def _recorded(
    desk: Desk,
    firms: Firms,
    tier: str,
    named: Sequence[Placed],
    recorded: Callable[[Session, Sequence[str]], Sequence[Entry]],
    notices: Sequence[str],
) -> Done:
    usccs = [holder.uscc for _, holder in named]
    with listed.placing(firms, named), desk.writing() as session:
        entries = recorded(session, usccs)
        return Done(entries, _stands(session, usccs, tier), notices)


def _stands(session: Session, usccs: Sequence[str], tier: str) -> list[Stand]:
    """Where these enterprises stand under a tier, in their order."""
    table = CASE_STATE.c
    columns = [table[name] for name in Stand.__dataclass_fields__]
    query = sa.select(*columns).where(table.tier == tier, table.state.is_not(None))
    found = {
        row.uscc: Stand(**row._mapping)
        for part in chunks(usccs)
        for row in session.execute(query.where(table.uscc.in_(part)))
    }
    return [found[uscc] for uscc in usccs if uscc in found]
