"""Re-checks of a day: who is due, who applied, who lost the right and why, and who would fail.

Which procedure of a tier is a re-check follows from the published workflows. Whoever may still pass
is judged by the criteria that govern it: many are screened first, and the engine then gives the
reasons of those that do not qualify.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from sqlmodel import Session

from registry.database import due as timed
from registry.desk import checking, screening
from registry.desk.due import place as place
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.judging.verdicts import TierVerdict
from registry.record import applications, cases, dues, journal, publication, rounds
from registry.record.dues import DueLine
from registry.record.finding import MOST as MOST
from registry.screening.engines import ScreeningError
from rules.explanation.explain import explain, grounds, missing
from rules.model.ruleset import Outcome
from rules.portable.applications import Application
from rules.portable.clocks import AHEAD, LOST, RECHECK, STATES
from rules.portable.duties import is_recheck
from rules.portable.workflow import WITHDRAWN

#: How those stand who may apply but are not near the last day, and those who did apply.
OPEN: Final = "可申报"
APPLIED: Final = "已申报"
#: The verdict on who has no filing that could be judged.
UNJUDGED: Final = "不能判断"
#: From so many enterprises of a tier on, they are screened before the engine judges any.
MANY: Final = 200


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose re-checks are asked for: of a day, by tier, region, or round.

    ``tier`` goes by any of its names, ``place`` is the code of a region, ``round`` a round's name
    or number, which gives tier, batch and province.
    """

    day: date
    tier: str = ""
    place: str = ""
    round: str = ""
    batch: str = ""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """An application for the re-check: its number and day, and where it stands, until when."""

    seq: int
    day: date
    state: str
    due: date | None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Why the right is lost: the matter, its last day and clause, and the entry that decided it."""

    matter: str
    subject: str
    due: date | None
    basis: str
    clocks: str
    seq: int
    day: date
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

    ``asked`` has the tier and batch of its round.
    """

    asked: Asked
    holders: tuple[Holder, ...]
    counts: Mapping[tuple[str, str], int]
    judged: Mapping[tuple[str, str], Judged] = field(default_factory=dict)

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


def find(desk: Desk, asked: Asked, *, first: int = 0, limit: int = MOST) -> Rechecks:
    """Who has to be re-checked on a day, from the ``first`` on; nobody is judged.

    Raises ``RecordError`` for a round that is none of re-checks or of another tier.
    """
    if asked.tier:
        asked = replace(asked, tier=desk.tier(asked.tier).name)
    with desk.reading() as session:
        table = publication.workflow_table(session).table
        handled = {id for id, workflow in table["workflows"].items() if is_recheck(workflow)}
        rows = [row for row in table["rows"] if row["workflow"] in handled]
        procedures = {row["tier"]: str(row["procedure"]) for row in rows}
        province = ""
        if asked.round:
            found = rounds.round_named(session, asked.round)
            asked, province = _of_round(asked, found, procedures), str(found.body["province"])
        lines = [line for line in _lines(session, asked) if _concerns(line, asked.day)]
        if province:
            places = timed.provinces(session.connection(), [line.uscc for line in lines])
            lines = [line for line in lines if places.get(line.uscc) == province]
        shown = lines[first : first + limit]
        applied = _applied(session, shown, asked.day)
        lost = _lost(session, shown, asked)
    holders = (
        Holder(
            line=line,
            procedure=procedures.get(line.tier, ""),
            applied=applied.get((line.uscc, line.tier)),
            lost=lost.get((line.uscc, line.tier), ()),
        )
        for line in shown
    )
    counts = Counter((line.tier, standing(line)) for line in lines)
    return Rechecks(asked=asked, holders=tuple(holders), counts=counts)


def judge(desk: Desk, found: Rechecks, *, jobs: int | None = None, many: int = MANY) -> Rechecks:
    """The same with what the criteria of the day say of those who did not lose the right.

    Raises ``ScreeningError`` if screening and engine differ on anybody.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for holder in found.holders:
        if holder.procedure and holder.standing != LOST:
            groups.setdefault((holder.line.tier, holder.procedure), []).append(holder.line.uscc)
    judged: dict[tuple[str, str], Judged] = {}
    for (tier, procedure), usccs in groups.items():
        question = checking.Request((tier,), procedure, found.asked.batch, as_of=found.asked.day)
        answers = _judged(desk, question, usccs, jobs, many)
        judged |= {(uscc, tier): answer for uscc, answer in answers.items()}
    return replace(found, judged=judged)


# -- who -------------------------------------------------------------------------------------------


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
    return replace(asked, tier=tier, batch=str(found.body["batch"]))


def _lines(session: Session, asked: Asked) -> list[DueLine]:
    wanted = dues.Asked(
        day=asked.day, states=STATES, tier=asked.tier, matter=RECHECK, place=asked.place
    )
    return dues.lines(session, wanted, limit=None)


def _concerns(line: DueLine, day: date) -> bool:
    """Whether one may apply by that day, did, or lost the right; not what a title's end settled."""
    settled = line.state not in (AHEAD, *dues.PRESSING) and not line.done
    return line.decided == LOST or bool(line.done) or (line.start <= day and not settled)


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
                    seq=one.entry.seq, day=_day(one), state=course.state, due=course.due
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
    wanted = dues.Asked(
        day=asked.day, states=STATES, tier=asked.tier, place=asked.place, decided=LOST
    )
    entries = _decisions(session, sorted({uscc for uscc, _ in mine}))
    found: dict[tuple[str, str], tuple[Lost, ...]] = {}
    for line in dues.lines(session, wanted, limit=None):
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


# -- by the criteria -------------------------------------------------------------------------------


def _judged(
    desk: Desk, request: checking.Request, usccs: Sequence[str], jobs: int | None, many: int
) -> dict[str, Judged]:
    """What the criteria say of these enterprises in one question."""
    with desk.reading() as session:
        ids = cases.newest(session, usccs, as_of=request.as_of)
        filed = sorted(cases.codes(session, ids).values())
    found = dict.fromkeys(usccs, Judged(outcome=UNJUDGED, note=f"{request.as_of}以前没有填报"))
    screened = _screened(desk, request, filed, jobs) if len(filed) >= many else {}
    left = tuple(uscc for uscc in filed if screened.get(uscc) != Outcome.MET)
    met = Judged(outcome=Outcome.MET.text)
    found |= {uscc: met for uscc, outcome in screened.items() if outcome == Outcome.MET}
    if not left:
        return found
    inquiry = checking.Inquiry(request=request, usccs=left, jobs=jobs)
    with checking.run(desk, inquiry, view=_view) as run:
        for answer in run.results():
            if isinstance(answer, checking.Refusal):
                found[answer.uscc] = Judged(outcome=UNJUDGED, note=answer.reason)
                continue
            uscc, judged = answer
            _refuse_differing(uscc, screened.get(uscc), judged)
            found[uscc] = judged
    return found


def _screened(
    desk: Desk, request: checking.Request, usccs: Sequence[str], jobs: int | None
) -> dict[str, Outcome]:
    wanted = screening.ScreeningRequest(
        tiers=request.tiers, as_of=request.as_of, procedure=request.procedure,
        batch=request.batch, near=None, jobs=jobs, explained=0, usccs=tuple(usccs),
    )  # fmt: skip
    with screening.run(desk, wanted) as result:
        return {firm.uscc: firm.outcome for firm in result.firms()}


def _refuse_differing(uscc: str, screened: Outcome | None, judged: Judged) -> None:
    if screened is not None and screened.text != judged.outcome:
        raise ScreeningError(
            "recheck-disagrees",
            "{where}：筛查得{value}，规则引擎得{expected}，结果不予显示：请保留数据并报告",
            where=uscc,
            value=screened.text,
            expected=judged.outcome,
        )


def _view(result: checking.CaseResult) -> tuple[str, Judged]:
    [verdict] = result.verdicts
    return result.uscc, judged(verdict)


def judged(verdict: TierVerdict) -> Judged:
    """A verdict in the terms of a list: what is missed, and what is missing."""
    row = verdict.governing.row if verdict.governing else None
    if verdict.decision is None:
        return Judged(outcome=verdict.outcome, note=verdict.note)
    finding = explain(verdict.decision, brief=True)
    misses = (
        Miss(
            rule=rule.rule,
            citation=rule.citation,
            requirement=check.requirement,
            value=check.value,
            distance=check.distance,
        )
        for rule, check in grounds(finding)
    )
    open_ = verdict.decision.verdict in (Outcome.MET, Outcome.NOT_MET)
    lacking = () if open_ else (f"{figure.name}{figure.value}" for figure in missing(finding))
    return Judged(
        outcome=verdict.outcome,
        ruleset=row.ruleset if row else "",
        misses=tuple(dict.fromkeys(misses)) if verdict.decision.verdict is Outcome.NOT_MET else (),
        missing=tuple(dict.fromkeys(lacking)),
    )
