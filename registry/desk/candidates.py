"""Enterprises that are chosen for a step: where each stands, and what may be done with all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from registry.desk.courses import Need, NextAct, made, offered
from registry.desk.listed import names
from registry.desk.place import Desk
from registry.record import publication
from registry.record.applications import Reader, newest_decisions, standing
from rules.portable.workflow import CLOCK, Workflow


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An enterprise that is chosen for a step: where it stands, and what may be done with it.

    ``state`` is empty for one that never applied.
    """

    uscc: str
    name: str
    state: str
    due: date | None
    outcome: str
    next: tuple[NextAct, ...]
    open: tuple[int, ...]

    def may(self, act: str, level: str) -> NextAct | None:
        """What it needs for an act of a level; None if that may not be done in its state."""
        fitting = (one for one in self.next if (one.act, one.level) == (act, level))
        return next(fitting, None)


def of(desk: Desk, usccs: Sequence[str], tier: str) -> list[Candidate]:
    """These enterprises with what may be done next in their newest application for a tier."""
    day = desk.today
    with desk.reading() as session:
        found, decided = Reader(session).of(usccs), newest_decisions(session, usccs, tier)
        named = names(session, usccs)
    chosen = []
    for uscc in usccs:
        one = standing(found.get(uscc, ()), tier)
        fits = decided.get(uscc)
        outcome = (
            fits.outcome if fits and one and fits.procedure == one.entry.body["procedure"] else ""
        )
        course = one.on(day) if one else None
        chosen.append(
            Candidate(
                uscc=uscc,
                name=named.get(uscc) or (str(one.entry.body["name"]) if one else ""),
                state=course.state if course else "",
                due=course.due if course else None,
                outcome=outcome,
                next=offered(one, day, outcome) if one else (),
                open=course.objections if course else (),
            )
        )
    return chosen


def named(desk: Desk, usccs: Sequence[str]) -> list[tuple[str, str]]:
    """These enterprises with the names by which they are registered."""
    with desk.reading() as session:
        known = names(session, usccs)
    return [(uscc, known.get(uscc, "")) for uscc in dict.fromkeys(usccs)]


def acts(desk: Desk, tier: str, *, announced: bool = False) -> dict[tuple[str, str], NextAct]:
    """Everything that the published workflows have for a tier, by act and level.

    Whether what they need is there depends on each case. With ``announced``, only those that are
    taken by an announcement; otherwise only the others.
    """
    with desk.reading() as session:
        table = publication.workflow_table(session).table
    found: dict[tuple[str, str], NextAct] = {}
    for row in table["rows"]:
        if row["tier"] == tier:
            for act in Workflow.of(table["workflows"][row["workflow"]]).acts:
                needs = tuple(Need(words, "asked", "") for words in act.needs)
                one = made(act, needs)
                if act.actor != CLOCK and one.announced == announced:
                    found.setdefault((act.act, act.level), one)
    return found


def offers(found: Sequence[Candidate]) -> dict[tuple[str, str], NextAct]:
    """Everything that may be done with one of them, by act and level."""
    together: dict[tuple[str, str], NextAct] = {}
    for one in found:
        for act in one.next:
            together.setdefault((act.act, act.level), act)
    return together
