"""Re-checks on record: who is due on a day, who applied, and who lost the right and why.

Which procedure of a tier is a re-check follows from the published workflows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.due import DUE_ITEM
from registry.database.versions import ENTERPRISE, chunks
from registry.errors import RecordError
from registry.portable.clock import china_day
from registry.record import applications, dues, journal, publication, rounds
from registry.record.dues import DueLine, Place
from registry.record.finding import MOST
from rules.language.provinces import acting
from rules.portable.applications import Application
from rules.portable.clocks import LOST, RECHECK
from rules.portable.duties import is_recheck
from rules.portable.timing import AHEAD, DONE, STATES
from rules.portable.workflow import WITHDRAWN

_ROW: Final = DUE_ITEM.c
#: The standing of holders who may apply but are not near the last day, and of those who applied.
OPEN: Final = "可申报"
APPLIED: Final = "已申报"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose re-checks are asked for: of a day, by tier, region, or round.

    ``tier`` is a full name, ``place`` is the code of a region, ``round`` a round's name
    or number, which gives tier, batch and province.
    """

    day: date
    tier: str = ""
    place: str = ""
    round: str = ""
    batch: str = ""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """An application for the re-check: its number, its day, that of the entry, and where it stands."""

    seq: int
    day: date
    recorded: date
    state: str
    due: date | None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Why the right is lost: the matter, its last day and clause, and the entry that decided it.

    ``day`` is that of the decision, ``recorded`` that of the entry.
    """

    matter: str
    subject: str
    due: date | None
    basis: str
    clocks: str
    seq: int
    day: date
    recorded: date
    document: str


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A title that has to be re-checked, as it stands on the day; ``procedure`` is empty without any."""

    line: DueLine
    procedure: str
    applied: Applied | None = None
    lost: tuple[Lost, ...] = ()

    @property
    def standing(self) -> str:
        """Whether the holder may apply, is near or past the last day, applied, or lost the right."""
        return standing(self.line)

    @property
    def key(self) -> tuple[str, str]:
        """Enterprise and tier."""
        return self.line.uscc, self.line.tier


@dataclass(frozen=True, kw_only=True)
class Miss:
    """A requirement that is not met: its rule and clause, the actual value, and the distance."""

    rule: str
    citation: str
    requirement: str
    value: str
    distance: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the criteria say of a holder: the outcome, what is missed, and which values are missing.

    ``note`` says why there is no verdict.
    """

    outcome: str
    ruleset: str = ""
    misses: tuple[Miss, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Rechecks:
    """The re-checks of a day, by last day: a part of them, and the counts of all by tier and standing.

    ``asked`` has the tier and batch of its round. If there are none, ``coming`` is the day from which
    on somebody may apply next.
    """

    asked: Asked
    holders: tuple[Holder, ...]
    counts: Mapping[tuple[str, str], int]
    judged: Mapping[tuple[str, str], Judged] = field(default_factory=dict)
    coming: date | None = None

    @property
    def total(self) -> int:
        """How many there are, whether they are among ``holders`` or not."""
        return sum(self.counts.values())


def standing(line: DueLine) -> str:
    """How a holder stands by the clock of the re-check."""
    if line.decided == LOST:
        return LOST
    if line.done:
        return APPLIED
    return OPEN if line.state == AHEAD else line.state


def _standing(day: date) -> sa.ColumnElement[str]:
    """The same of a row on a day."""
    state = dues.state_on(day)
    lost, applied = (_ROW.decided == LOST, LOST), (_ROW.done.is_not(None), APPLIED)
    return sa.case(lost, applied, (state == AHEAD, OPEN), else_=state)


def _concerns(day: date) -> sa.ColumnElement[bool]:
    """Whether one may apply by that day, did, or lost the right; not what a title's end settled."""
    open_ = (_ROW.start <= day) & (dues.state_on(day) != DONE)
    return sa.or_(_ROW.decided == LOST, _ROW.done.is_not(None), open_)


def find(
    session: Session, asked: Asked, *, after: Place | None = None, limit: int | None = MOST
) -> Rechecks:
    """Who has to be re-checked on a day, in the order of places, those ``after`` one; nobody is judged.

    Raises ``RecordError`` for a round that is not one of re-checks, or is of another tier.
    """
    table = publication.workflow_table(session).table
    handled = {id for id, workflow in table["workflows"].items() if is_recheck(workflow)}
    rows = [row for row in table["rows"] if row["workflow"] in handled]
    procedures = {row["tier"]: str(row["procedure"]) for row in rows}
    conditions = [_concerns(asked.day)]
    if asked.round:
        found = rounds.round_named(session, asked.round)
        asked = _of_round(asked, found, procedures)
        if province := str(found.body["province"]):
            conditions.append(_within(session, province))
    wanted = dues.Asked(
        day=asked.day, states=STATES, tier=asked.tier, matter=RECHECK, place=asked.place
    )
    lines = dues.lines(session, wanted, *conditions, after=after, limit=limit)
    applied = _applied(session, lines, asked.day)
    lost = _lost(session, lines, asked)
    holders = (
        Holder(
            line=line,
            procedure=procedures.get(line.tier, ""),
            applied=applied.get((line.uscc, line.tier)),
            lost=lost.get((line.uscc, line.tier), ()),
        )
        for line in lines
    )
    tally = dues.tally(session, wanted, (_ROW.tier, _standing(asked.day)), *conditions)
    counts = {(tier, standing): n for (tier, standing), n in tally}
    return Rechecks(
        asked=asked,
        holders=tuple(holders),
        counts=counts,
        coming=None if counts else dues.next_start(session, wanted, *conditions[1:]),
    )


def _within(session: Session, province: str) -> sa.ColumnElement[bool]:
    """The condition that whatever acts as the holder's province is this one."""
    place = [sa.func.coalesce(ENTERPRISE.c[part], "") for part in ("province", "city")]
    every = session.execute(sa.select(*place).distinct())
    here = [tuple(one) for one in every if acting(*one) == province]
    return _ROW.uscc.in_(sa.select(ENTERPRISE.c.uscc).where(sa.tuple_(*place).in_(here)))


def _of_round(asked: Asked, found: rounds.Round, procedures: Mapping[str, str]) -> Asked:
    tier, procedure = str(found.body["tier"]), str(found.body["procedure"])
    if procedures.get(tier) != procedure:
        raise RecordError(
            "no-recheck-round",
            "轮次「{value}」受理的是{procedure}，不是复核：请写复核的轮次",
            value=found.name,
            procedure=procedure,
        )
    if asked.tier not in ("", tier):
        raise RecordError(
            "round-of-another-tier",
            "轮次「{value}」是「{expected}」的：请去掉层级，或写另一轮次",
            value=found.name,
            expected=tier,
        )
    batch = str(found.body["batch"])
    if asked.batch not in ("", batch):
        raise RecordError(
            "round-of-another-batch",
            "轮次「{value}」的批次是「{expected}」：请去掉批次，或写另一轮次",
            value=found.name,
            expected=batch or "没有批次",
        )
    return replace(asked, tier=tier, batch=batch)


def _applied(
    session: Session, lines: Iterable[DueLine], day: date
) -> dict[tuple[str, str], Applied]:
    done = {(line.uscc, line.tier): line.done for line in lines if line.done}
    usccs = list(dict.fromkeys(uscc for uscc, _ in done))
    read = applications.Reader(session).of(usccs) if usccs else {}
    found = {}
    for (uscc, tier), first in done.items():
        for one in read.get(uscc, ()):
            if _recheck(one, tier) and first <= _day(one) <= day:
                course = one.on(day)
                found[uscc, tier] = Applied(
                    seq=one.entry.seq,
                    day=_day(one),
                    recorded=one.entry.day,
                    state=course.state,
                    due=course.due,
                )
    return found


def _recheck(one: Application, tier: str) -> bool:
    body = one.entry.body
    workflow = is_recheck(one.workflow.to_json())
    return body["tier"] == tier and workflow and one.course.state != WITHDRAWN


def _day(one: Application) -> date:
    return date.fromisoformat(one.entry.body["applied_on"])


def _lost(
    session: Session, lines: Iterable[DueLine], asked: Asked
) -> dict[tuple[str, str], tuple[Lost, ...]]:
    """The decisions by which these holders lost the right."""
    mine = {(line.uscc, line.tier) for line in lines if line.decided == LOST}
    if not mine:
        return {}
    wanted = dues.Asked(day=asked.day, states=STATES, tier=asked.tier, decided=LOST)
    usccs = sorted({uscc for uscc, _ in mine})
    entries = _decisions(session, usccs)
    found: dict[tuple[str, str], tuple[Lost, ...]] = {}
    drawn = (
        line
        for part in chunks(usccs)
        for line in dues.lines(session, wanted, _ROW.uscc.in_(part), limit=None)
    )
    for line in drawn:
        key = line.uscc, line.tier
        decided = entries.get((*key, line.matter, line.subject, str(line.due)))
        if line.matter == RECHECK or key not in mine or decided is None:
            continue
        why = Lost(
            matter=line.matter,
            subject=line.subject,
            due=line.due,
            basis=line.basis,
            clocks=line.clocks,
            seq=decided.seq,
            day=date.fromisoformat(decided.content["day"]),
            recorded=china_day(decided.recorded_at),
            document=decided.content["document"],
        )
        found[key] = (*found.get(key, ()), why)
    return found


def _decisions(
    session: Session, usccs: Sequence[str]
) -> dict[tuple[str, str, str, str, str], journal.Entry]:
    """The entries that decided consequences and were not taken back, by what they decided on."""
    found: dict[str, journal.Entry] = {}
    for entry in journal.entries(session, kinds=["consequence"], subjects=usccs):
        if named := entry.content.get("revokes"):
            found.pop(named, None)
        else:
            found[entry.digest] = entry
    return {
        tuple(entry.content[k] for k in ("uscc", "tier", "matter", "subject", "due")): entry
        for entry in found.values()
    }
