"""Applications by where they stand today: how many wait for whom, whose terms end, and lists of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlmodel import Session

from registry.desk.place import Desk
from registry.errors import RecordError
from registry.record import caseload, publication
from registry.record.caseload import CasePage as CasePage
from registry.record.caseload import Standing as Standing
from registry.record.caseload import Wanted as Wanted
from registry.record.finding import MOST
from registry.record.finding import counted as counted
from rules.portable.workflow import ENDINGS

#: How many days ahead the ends of terms are shown.
AHEAD: Final = 14


@dataclass(frozen=True, kw_only=True)
class Waits:
    """How many applications are in a state, and whose turn it is there."""

    tier: str
    state: str
    level: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Ends(Waits):
    """How many of them have a term that ends on the day ``due``, in ``days`` days."""

    due: date
    days: int


@dataclass(frozen=True, kw_only=True)
class Due:
    """Everything that waits, and the terms that are over or end within ``AHEAD`` days, in order of their ends."""

    waiting: tuple[Waits, ...]
    ending: tuple[Ends, ...]


def due(desk: Desk) -> Due:
    """What waits for whom, and which terms are over or end soon."""
    day = desk.today
    with desk.reading() as session:
        found = caseload.ending(session, day, day + timedelta(AHEAD))
        return Due(
            waiting=in_order(session, caseload.counts(session, day)),
            ending=tuple(
                Ends(
                    tier=tier, state=state, level=level, count=found[due, tier, state, level],
                    due=due, days=(due - day).days,
                )
                for due, tier, state, level in sorted(found)
            ),
        )  # fmt: skip


def page(desk: Desk, wanted: Wanted, *, after: str = "", limit: int = 50) -> CasePage:
    """A page of the applications to which everything given applies."""
    with desk.reading() as session:
        return caseload.page(session, wanted, desk.today, after=after, limit=limit)


def every(desk: Desk, wanted: Wanted) -> list[Standing]:
    """All of them; ``RecordError`` if they are more than can be listed."""
    with desk.reading() as session:
        found = caseload.every(session, wanted, desk.today)
    if len(found) > MOST:
        raise RecordError("too-many-listed", "超过{value}家：请先选定条件", value=MOST)
    return found


def states(desk: Desk, tier: str = "") -> list[str]:
    """The states of the published workflows of a tier, or of all, in their order, endings last."""
    with desk.reading() as session:
        found = dict.fromkeys(state for _, state in _order(session, tier))
    return [*found, *(word for word in ENDINGS if word not in found)]


def _order(session: Session, tier: str = "") -> dict[tuple[str, str], int]:
    """The tiers and states of the published workflows in their order."""
    try:
        table = publication.workflow_table(session).table
    except RecordError:  # criteria that were published before there were workflows
        return {}
    pairs = (
        (row["tier"], act["state"])
        for row in table["rows"]
        if tier in ("", row["tier"])
        for act in table["workflows"][row["workflow"]]["acts"]
    )
    return {pair: n for n, pair in enumerate(dict.fromkeys(pairs))}


def in_order(session: Session, counts: Mapping[caseload.Group, int]) -> tuple[Waits, ...]:
    """The states by tier, each tier's in the order of its workflow."""
    order, tiers = _order(session), [t.name for t in publication.to_be_filed(session).tiers]

    def place(group: caseload.Group) -> tuple[int, int, str]:
        tier, state, level = group
        of_tier = tiers.index(tier) if tier in tiers else len(tiers)
        return of_tier, order.get((tier, state), len(order)), level

    return tuple(
        Waits(tier=tier, state=state, level=level, count=counts[tier, state, level])
        for tier, state, level in sorted(counts, key=place)
        if counts[tier, state, level]
    )
