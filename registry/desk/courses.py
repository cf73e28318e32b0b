"""The course of an application: what became of it, where it stands today, and who may do what next.

Read only. What the clock did is derived for the day of the desk's clock; nothing here records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

from sqlmodel import Session

from registry.desk.listed import names
from registry.desk.place import Desk
from registry.desk.rounds import term_text
from registry.record import cases, journal, publication, rounds
from registry.record.applications import Reader, newest_decisions
from registry.record.rounds import Round as Round
from rules.portable.applications import Application, Taken
from rules.portable.calendar import Calendar
from rules.portable.workflow import (
    ENTERPRISE,
    EXTEND,
    GRANT,
    LEVELS,
    OBJECT,
    SETTLE,
    Act,
    Course,
    Handling,
    Step,
    StepError,
    Workflow,
)

#: Who may act in a case: the levels of authorities, and the enterprise.
ACTORS: Final = (*LEVELS, ENTERPRISE)
#: Whether what an act needs is there, is to be written with the act, or is missing.
State: TypeAlias = Literal["met", "asked", "missing"]


class Need(NamedTuple):
    """What an act needs, in the words of the workflow; ``said`` says what is missing or to be written."""

    words: str
    state: State
    said: str


@dataclass(frozen=True, kw_only=True)
class NextAct:
    """What may be done in a state: by whom, where it leads, and whether what it needs is there.

    ``announced`` acts register titles and are taken by an announcement. ``settles`` acts settle an
    objection, ``raises`` acts register one.
    """

    act: str
    actor: str
    level: str
    to: str
    needs: tuple[Need, ...]
    announced: bool
    settles: bool
    raises: bool

    @property
    def possible(self) -> bool:
        """Whether everything is there, except for what the act itself can bring."""
        return all(need.state != "missing" for need in self.needs)

    @property
    def lacks(self) -> str:
        """What is missing, in a sentence without its end."""
        return "；".join(need.said for need in self.needs if need.state == "missing")

    @property
    def grounded(self) -> bool:
        """Whether a ground must be written with the act."""
        return any("理由" in need.words and need.state == "asked" for need in self.needs)

    @property
    def proven(self) -> bool:
        """Whether evidence must come with the act."""
        return any(need.words == "佐证" for need in self.needs)


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """A step as it was taken.

    ``day`` is the day that it claims, ``lag`` the days until its recording; ``lagging`` if these
    are more than its round allows. ``late`` are the days after the last day, ``due``, of its
    state's term. ``clocked`` are the states through which the clock brought the case just before,
    ``to`` is where the step led; ``objection`` the number of the objection that it settles.
    """

    seq: int
    state: str
    act: str
    level: str
    to: str
    clocked: tuple[str, ...]
    day: date
    recorded_at: datetime
    lag: int
    lagging: bool
    due: date | None
    late: int
    ground: str
    document: str
    evidence: tuple[str, ...]
    by: str
    against: bool
    outcome: str
    decision: int | None
    objection: int | None
    title: int | None
    raises: bool


@dataclass(frozen=True)
class Clause:
    """What the published workflow says about itself: its clause, its legal basis, and its readings."""

    id: str
    title: str
    basis: str
    prose: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class CourseView:
    """An application, its steps, and where it stands on the day ``today``.

    ``state`` holds since the day ``since``. ``due`` is the last day of its term; ``unpublished`` is
    the year whose calendar is not known, so that the last day is unknown. ``clocked`` are the states
    through which the clock has brought it since its last entry. ``changed`` means that facts have
    changed since the last decision, number ``decision``. ``open`` are the objections that are not
    settled.
    """

    seq: int
    uscc: str
    name: str
    tier: str
    procedure: str
    batch: str
    round: Round | None
    applied_on: date
    filed_as_of: date
    level: str
    document: str
    evidence: tuple[str, ...]
    by: str
    recorded_at: datetime
    lag: int
    today: date
    steps: tuple[StepLine, ...]
    state: str
    since: date
    due: date | None
    unpublished: int | None
    term: str
    ended: bool
    clocked: tuple[str, ...]
    then: str
    open: tuple[StepLine, ...]
    next: tuple[NextAct, ...]
    clause: Clause
    outcome: str
    decision: int | None
    changed: bool

    @property
    def late(self) -> int:
        """How many days its term is over."""
        return max((self.today - self.due).days, 0) if self.due and not self.ended else 0


def of(desk: Desk, uscc: str, tier: str = "") -> list[CourseView]:
    """The courses of an enterprise's applications, for one tier or for all, the newest first."""
    with desk.reading() as session:
        found = Reader(session).of([uscc]).get(uscc, [])
        wanted = [one for one in found if tier in ("", one.entry.body["tier"])]
        return [_View(session, one, desk.today).view() for one in reversed(wanted)]


class _View:
    """Reads everything that is shown about one application."""

    def __init__(self, session: Session, one: Application, day: date) -> None:
        self.session, self.one, self.day = session, one, day
        self.said = one.entry.body
        seqs = sorted((one.entry.seq, *(taken.entry.seq for taken in one.steps)))
        self.entries = {entry.seq: entry for entry in journal.numbered(session, seqs)}
        named = [taken.entry.body for taken in one.steps]
        digests = [body.get(key) for body in named for key in ("objection", "title")]
        self.numbers = journal.numbers(session, [d for d in digests if d])
        self.decisions = _decisions(session, self.said["uscc"], self.said["tier"])

    def view(self) -> CourseView:
        one, said, entry = self.one, self.said, self.entries[self.one.entry.seq]
        course, left = one.on(self.day), one.now()
        opened = _round(self.session, said["round"])
        lag = int(opened.body["lag"]) if opened else 0
        left_in = (one.workflow.first, *(taken.act.to for taken in one.steps))
        steps = tuple(map(partial(self._step, lag), one.steps, left_in))
        decided = newest_decisions(self.session, [said["uscc"]], said["tier"]).get(said["uscc"])
        fits = decided is not None and decided.procedure == said["procedure"]
        outcome = decided.outcome if decided and fits else ""
        last = max(self.decisions.values(), default=None)
        clock = one.workflow.by_clock(course.state)
        term = one.terms.get(course.state) or one.workflow.terms.get(course.state)
        return CourseView(
            seq=entry.seq,
            uscc=said["uscc"],
            name=names(self.session, [said["uscc"]]).get(said["uscc"]) or said["name"],
            tier=said["tier"],
            procedure=said["procedure"],
            batch=said["batch"],
            round=opened,
            applied_on=date.fromisoformat(said["applied_on"]),
            filed_as_of=date.fromisoformat(said["filed_as_of"]),
            level=said["level"],
            document=said["document"],
            evidence=tuple(said["evidence"]),
            by=entry.by,
            recorded_at=entry.recorded_at,
            lag=(one.entry.day - date.fromisoformat(said["applied_on"])).days,
            today=self.day,
            steps=steps,
            state=course.state,
            since=course.since,
            due=course.due,
            unpublished=course.unpublished,
            term=term_text(term) if term else "",
            ended=course.ended,
            clocked=tuple(_clocked(one.workflow, left.state, course.state)),
            then=clock.to if clock else "",
            open=tuple(step for step in steps if step.seq in course.objections),
            next=offered(one, self.day, outcome),
            clause=_clause(self.session, said),
            outcome=outcome,
            decision=last,
            changed=last is not None and decided is None and not course.ended,
        )

    def _step(self, lag: int, taken: Taken, before: str) -> StepLine:
        body, entry = taken.entry.body, self.entries[taken.entry.seq]
        return StepLine(
            seq=entry.seq,
            state=taken.state,
            act=taken.act.act,
            level=body["level"],
            to=taken.act.to,
            clocked=tuple(_clocked(self.one.workflow, before, taken.state)),
            day=date.fromisoformat(body["day"]),
            recorded_at=entry.recorded_at,
            lag=taken.lag,
            lagging=taken.lag > lag,
            due=taken.due,
            late=taken.late,
            ground=entry.texts.get("ground", ""),
            document=body["document"],
            evidence=tuple(body["evidence"]),
            by=entry.by,
            against=taken.against,
            outcome=body["outcome"],
            decision=self.decisions.get(body["decision"] or ""),
            objection=self.numbers.get(body["objection"] or ""),
            title=self.numbers.get(body.get("title") or ""),
            raises=OBJECT in taken.act.effects,
        )


def _clocked(workflow: Workflow, state: str, now: str) -> list[str]:
    """The states into which the clock brought a case since, one after the other."""
    found = list[str]()
    while state != now and (act := workflow.by_clock(state)) is not None:
        found.append(state := act.to)
    return found


def offered(one: Application, day: date, outcome: str) -> tuple[NextAct, ...]:
    """What may be done with an application on a day, given the outcome on which it may rest."""
    course = one.on(day)
    return tuple(_next(act, course, day, outcome) for act in one.allowed(day))


def _next(act: Act, course: Course, day: date, outcome: str) -> NextAct:
    needs = (_need(act, need, course, day, outcome) for need in act.needs)
    return made(act, (*_objection(act, course), *needs))


def made(act: Act, needs: tuple[Need, ...]) -> NextAct:
    """An act of a workflow with what it needs."""
    return NextAct(
        act=act.act,
        actor=act.actor,
        level=act.level,
        to=act.to,
        needs=needs,
        announced=bool({GRANT, EXTEND}.intersection(act.effects)),
        settles=SETTLE in act.effects,
        raises=OBJECT in act.effects,
    )


def _objection(act: Act, course: Course) -> tuple[Need, ...]:
    """Settling needs an objection, though no workflow says so."""
    if SETTLE not in act.effects:
        return ()
    number = len(course.objections)
    said = f"未处理的异议有{number}件" if number else "没有未处理的异议"
    return (Need("未处理的异议", "met" if number else "missing", said),)


def _need(act: Act, need: str, course: Course, day: date, outcome: str) -> Need:
    """Whether what an act needs is there: it is tried with nothing else to need."""
    alone = replace(act, needs=(need,), effects=())
    handling = Handling(Workflow(id="", acts=(alone,), terms={}), _NO_DAYS)
    said = ""
    for state, given in (("met", False), ("asked", True)):
        step = Step(
            act=act.act, level=act.level, day=max(day, course.last), ground=given, evidence=given,
            outcome=outcome,
        )  # fmt: skip
        try:
            handling.act(course, step)
        except StepError as error:
            said = said or str(error)
        else:
            return Need(need, "met" if state == "met" else "asked", said)
    return Need(need, "missing", said)


_NO_DAYS: Final = Calendar({}, frozenset(), frozenset())


def _decisions(session: Session, uscc: str, tier: str) -> dict[str, int]:
    """The numbers of the decisions on an enterprise for a tier, by digest."""
    ids = cases.of_enterprise(session, uscc)
    found = journal.entries(session, kinds=["decision"], tier=tier, filing_ids=ids)
    return {entry.digest: entry.seq for entry in found}


def _round(session: Session, digest: str | None) -> Round | None:
    if digest is None:
        return None
    return next((one for one in rounds.rounds(session) if one.digest == digest), None)


def _clause(session: Session, said: Mapping[str, str]) -> Clause:
    found = publication.workflows(session, said["workflows"])["workflows"][said["workflow"]]
    return clause(said["workflow"], found["title"], found["prose"])


def clause(id: str, title: str, prose: Sequence[str]) -> Clause:
    """A clause from the lines of its text.

    >>> found = clause("1.甲", "甲", ["依据: 某办法", "逐级审核。", "解读C: 公示期按5个工作日。"])
    >>> found.basis, found.prose, found.notes
    ('某办法', ('逐级审核。',), (('C', '公示期按5个工作日。'),))
    """
    basis, said, notes = "", list[str](), list[tuple[str, str]]()
    for line in prose:
        head, mark, rest = line.replace("：", ":", 1).partition(":")
        if mark and head == "依据":
            basis = rest.strip()
        elif mark and head in ("解读B", "解读C"):
            notes.append((head[-1], rest.strip()))
        else:
            said.append(line)
    return Clause(id, title, basis, tuple(said), tuple(notes))
