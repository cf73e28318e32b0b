"""What holding a title entails: updates, changes, complaints, consequences, cancellations.

Acts come as values, enterprises one by one or as a list (``Firms``), whole or not at all. The
clocks on record say what may follow from a missed day, and for which causes a title may be
cancelled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlmodel import Session

from registry.desk import listed
from registry.desk.listed import Firms as Firms
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.intake.validity import Validity as Validity
from registry.record import dues, duties, journal, register
from registry.record.duties import Change as Change
from registry.record.duties import Matter as Matter
from registry.record.duties import Papers as Papers
from registry.record.journal import Entry as Entry
from registry.record.register import Notice as Notice
from rules.portable.clocks import CONSEQUENCES, Clocks
from rules.portable.duties import KINDS


@dataclass(frozen=True)
class Done:
    """The new entries, and remarks about the list from which they come."""

    entries: Sequence[Entry]
    notices: Sequence[str] = ()


def update(desk: Desk, firms: Firms, year: int, papers: Papers) -> Done:
    """Enter that enterprises updated their information for a year."""

    def recorded(session: Session, usccs: Sequence[str], papers: Papers) -> Sequence[Entry]:
        return duties.update(session, usccs, year, papers, by=desk.by, now=desk.clock())

    return _done(desk, firms, papers, recorded)


def change(desk: Desk, firms: Firms, changed: Change, papers: Papers) -> Done:
    """Enter a change, with the day of its report or without one."""

    def recorded(session: Session, usccs: Sequence[str], papers: Papers) -> Sequence[Entry]:
        return duties.change(session, usccs, changed, papers, by=desk.by, now=desk.clock())

    return _done(desk, firms, papers, recorded)


def report(desk: Desk, seq: int, papers: Papers) -> Done:
    """Enter that a change was reported after all; ``seq`` is the entry that noted it."""
    with desk.writing() as session:
        return Done([duties.report(session, seq, papers, by=desk.by, now=desk.clock())])


def complain(desk: Desk, uscc: str, papers: Papers, informant: str) -> Done:
    """Enter a complaint under a real name."""
    with desk.writing() as session:
        entry = duties.complain(session, uscc, papers, informant, by=desk.by, now=desk.clock())
        return Done([entry])


def answer(desk: Desk, seq: int, outcome: str, papers: Papers) -> Done:
    """Enter that a complaint was answered, with what came of it."""
    with desk.writing() as session:
        return Done([duties.answer(session, seq, outcome, papers, by=desk.by, now=desk.clock())])


def decide(desk: Desk, firms: Firms, matter: Matter, consequence: str, papers: Papers) -> Done:
    """Enter what a person decided on an overdue matter: one of its consequences, or none."""
    matter = replace(matter, tier=desk.tier(matter.tier).name)

    def recorded(session: Session, usccs: Sequence[str], papers: Papers) -> Sequence[Entry]:
        return duties.decide(
            session, usccs, matter, consequence, papers, by=desk.by, now=desk.clock()
        )

    return _done(desk, firms, papers, recorded)


def revoke(desk: Desk, seq: int, papers: Papers) -> Done:
    """Take a mistaken entry about a duty back."""
    with desk.writing() as session:
        return Done([duties.revoke(session, seq, papers, by=desk.by, now=desk.clock())])


def concerns(desk: Desk, seq: int) -> bool:
    """Whether an entry is one about a duty, which ``revoke`` takes back."""
    with desk.reading() as session:
        return journal.entry(session, seq).kind in KINDS


@dataclass(frozen=True, kw_only=True)
class Cancelling:
    """What a notice says of cancelled titles: the cause, and any days other than its own.

    ``on`` is the first day on which they are no longer held, ``barred_until`` the last day of a bar
    that is longer than the least. ``days`` tell which titles, of several or of those not registered.
    """

    cause: str
    on: date | None = None
    barred_until: date | None = None
    days: Validity = field(default_factory=Validity)


def cancel(
    desk: Desk, firms: Firms, tiers: Sequence[str], notice: Notice, cancelling: Cancelling
) -> Done:
    """Cancel the titles of these tiers, or of all that are held without any; whole or not at all."""
    kinds = [desk.tier(tier).name for tier in tiers]
    with listed.told() as notices:
        named = listed.placed(desk, firms, Validity(), (), notices)
        with listed.placing(firms, named), desk.writing() as session:
            held = {
                holder.uscc: kinds or _held(session, holder.uscc, cancelling.on or notice.dated)
                for _, holder in named
            }
            entries: list[Entry] = []
            for kind in dict.fromkeys(kind for kinds in held.values() for kind in kinds):
                holders = [holder for _, holder in named if kind in held[holder.uscc]]
                entries += register.cancel(
                    session, holders, kind, listed.with_list(desk, notice, firms),
                    cancelling.cause, on=cancelling.on, barred_until=cancelling.barred_until,
                    first=cancelling.days.first, last=cancelling.days.last,
                    by=desk.by, now=desk.clock(),
                )  # fmt: skip
            return Done(entries, notices)


def _held(session: Session, uscc: str, day: date) -> list[str]:
    """The tiers of the titles that an enterprise holds on a day; ``RecordError`` if there is none."""
    entries = register.standing(register.titles(session, [uscc]).get(uscc, ()))
    found = [e.content["kind"] for e in entries if register.held(e, day)]
    if not found:
        raise RecordError("no-title-then", "{value}在{day}没有登记的称号", value=uscc, day=day)
    return list(dict.fromkeys(found))


def causes(desk: Desk) -> list[str]:
    """The causes for which titles may be cancelled, by any table of clocks in force."""
    return list(dict.fromkeys(cause for table in _tables(desk) for cause in table.grounds))


def kinds(desk: Desk) -> list[str]:
    """The changes that must be reported, by name, by any table of clocks in force that names them."""
    return list(dict.fromkeys(kind for table in _tables(desk) for kind in table.kinds))


def consequences(matter: str) -> tuple[str, ...]:
    """What may follow from a matter that is overdue, by any table of clocks."""
    return CONSEQUENCES.get(matter, ())


def _tables(desk: Desk) -> list[Clocks]:
    with desk.reading() as session:
        return [Clocks.of(table) for table in dues.tables(session).values()]


def _done(
    desk: Desk,
    firms: Firms,
    papers: Papers,
    recorded: Callable[[Session, Sequence[str], Papers], Sequence[Entry]],
) -> Done:
    with listed.told() as notices:
        named = listed.placed(desk, firms, Validity(), (), notices)
        usccs = [holder.uscc for _, holder in named]
        papers = replace(papers, evidence=(*papers.evidence, *listed.evidence(desk, firms)))
        with listed.placing(firms, named), desk.writing() as session:
            return Done(recorded(session, usccs, papers), notices)
