"""The course of a case by a workflow: its state, who may do what, and what is due when and why.

Standard library only. A workflow is the table of a feature file in JSON; a course is the fold of
what was done. Nothing is a state that changes by itself: what the clock does is derived for the day
that is asked about.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

from rules.portable.calendar import Calendar, Term, UnpublishedError
from rules.portable.errors import DescribedError

_DAY: Final = timedelta(days=1)
#: The levels of authorities, lowest first; the enterprise, whose acts the lowest level enters; the clock.
LEVELS: Final = ("县级", "市级", "省级", "部级")
ENTERPRISE: Final = "企业"
CLOCK: Final = "期满"
WITHDRAWN: Final = "撤回"
#: What a case may end as.
ENDINGS: Final = ("认定", "不予认定", "不予受理", "通过复核", "未通过复核", WITHDRAWN)
#: What an act may need besides earlier acts, which are named by their words.
DECIDED: Final = "决定"
MET: Final = "符合的决定"
MET_OR_GROUND: Final = "符合的决定或理由"
UNMET_OR_GROUND: Final = "不符合的决定或理由"
GROUND: Final = "理由"
EVIDENCE: Final = "佐证"
NO_OBJECTION: Final = "无未处理异议"
NEEDS: Final = (DECIDED, MET, MET_OR_GROUND, UNMET_OR_GROUND, GROUND, EVIDENCE, NO_OBJECTION)
#: What an act has done on the record besides moving the case on.
GRANT: Final = "授予称号"
EXTEND: Final = "延续称号"
OBJECT: Final = "登记异议"
SETTLE: Final = "了结异议"
EFFECTS: Final = (GRANT, EXTEND, OBJECT, SETTLE)
_MET: Final = "符合"


@dataclass(frozen=True, kw_only=True)
class Act:
    """A row of a workflow: in a state, somebody does something, and the case goes on."""

    state: str
    actor: str
    act: str
    to: str
    needs: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()

    @property
    def level(self) -> str:
        """The level that acts, without the role; the enterprise or the clock by its own name."""
        return next((level for level in LEVELS if self.actor.startswith(level)), self.actor)


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """Who does what in which order, and how long each state may take.

    The first state is where an application puts a case.
    """

    id: str
    acts: tuple[Act, ...]
    terms: Mapping[str, Term]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Workflow":
        """The workflow that a canonical text holds."""
        return cls(
            id=found["id"],
            acts=tuple(
                Act(
                    state=row["state"],
                    actor=row["actor"],
                    act=row["act"],
                    to=row["to"],
                    needs=tuple(row.get("needs", ())),
                    effects=tuple(row.get("effects", ())),
                )
                for row in found["acts"]
            ),
            terms={
                state: Term(term["number"], term["unit"], term.get("running", False))
                for state, term in found["terms"].items()
            },
        )

    def to_json(self) -> dict[str, Any]:
        """The workflow in JSON's own types; keys that are not used are left out."""
        acts = [
            {"state": a.state, "actor": a.actor, "act": a.act, "to": a.to}
            | ({"needs": [*a.needs]} if a.needs else {})
            | ({"effects": [*a.effects]} if a.effects else {})
            for a in self.acts
        ]
        terms = {
            state: {"number": t.number, "unit": t.unit} | ({"running": True} if t.running else {})
            for state, t in self.terms.items()
        }
        return {"id": self.id, "acts": acts, "terms": terms}

    @property
    def first(self) -> str:
        """The state of a case that has just been applied for."""
        return self.acts[0].state

    @property
    def states(self) -> tuple[str, ...]:
        """The states in the order of the table, without the endings."""
        return tuple(dict.fromkeys(act.state for act in self.acts))

    def acts_in(self, state: str) -> Iterator[Act]:
        """What may be done in a state."""
        return (act for act in self.acts if act.state == state)

    def by_clock(self, state: str) -> Act | None:
        """What the end of a state's term does."""
        return self._by_clock.get(state)

    @cached_property
    def _by_clock(self) -> Mapping[str, Act]:
        return {act.state: act for act in reversed(self.acts) if act.actor == CLOCK}


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something done in a case: by which level, on which day it says it was done, and with what.

    ``outcome`` is that of the newest decision on the case before, empty without one or where its
    facts have changed since. ``objection`` is the number of the objection that is settled.
    """

    act: str
    level: str
    day: date
    ground: bool = False
    evidence: bool = False
    outcome: str = ""
    number: int = 0
    objection: int | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """Where a case stands on a day.

    ``since`` is the day on which it came into its state. ``due`` is the last day of the state's
    term; None without a term, or where the calendar of the year ``unpublished`` is not known.
    ``done`` are the acts since the application, the newest of the day ``last`` with ``effects``;
    ``objections`` are the numbers of the open ones, ``against`` those of the steps that went against
    the verdict.
    """

    state: str
    since: date
    last: date
    due: date | None = None
    unpublished: int | None = None
    done: tuple[str, ...] = ()
    objections: tuple[int, ...] = ()
    against: tuple[int, ...] = ()
    effects: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done."""
        return self.state in ENDINGS


class StepError(DescribedError):
    """The workflow does not allow a step; the sentence is the reason."""


@dataclass(frozen=True)
class Handling:
    """A workflow with the calendar by which its terms end."""

    workflow: Workflow
    calendar: Calendar
    terms: Mapping[str, Term] = field(default_factory=dict)

    def applied(self, day: date) -> Course:
        """A case on the day of its application."""
        return self.entered(Course(state="", since=day, last=day), self.workflow.first, day)

    def entered(self, course: Course, state: str, day: date) -> Course:
        """A case that comes into a state; the term of the state begins."""
        due, unpublished = None, None
        term = self.terms.get(state) or self.workflow.terms.get(state)
        if term is not None:
            try:
                due = term.end(day, self.calendar)
            except UnpublishedError as unknown:
                unpublished = int(unknown.fields["year"])
        return replace(course, state=state, since=day, due=due, unpublished=unpublished)

    def on(self, course: Course, day: date) -> Course:
        """The course as it stands on a day, after what the clock has done."""
        while (act := self.workflow.by_clock(course.state)) is not None:
            if course.due is None or day <= course.due or _lacking(act, course, None):
                break
            after = max(course.due + _DAY, course.last)  # it may have waited for an act
            course = self.entered(_taken(course, act, course.last), act.to, after)
        return course

    def taken(self, course: Course, step: Step) -> Course:
        """The course after a step; ``StepError`` gives the reason if the step may not be taken."""
        return self.after(self.on(course, step.day), self.act(course, step), step)

    def after(self, here: Course, act: Act, step: Step) -> Course:
        """The course after a step by the row that allows it, from where it stands on that day."""
        after = _taken(here, act, step.day)
        if OBJECT in act.effects:
            after = replace(after, objections=(*after.objections, step.number))
        if SETTLE in act.effects:
            left = tuple(n for n in after.objections if n != step.objection)
            after = replace(after, objections=left)
        if _against(act, step):
            after = replace(after, against=(*after.against, step.number))
        return after if act.to == act.state else self.entered(after, act.to, step.day)

    def act(self, course: Course, step: Step) -> Act:
        """The row by which a step may be taken; ``StepError`` gives the reason if there is none."""
        if step.day < course.last:
            raise StepError(
                "step-too-early", "{day}早于本案的上一步（{last}）", day=step.day, last=course.last
            )
        here = self.on(course, step.day)
        named = [a for a in self.workflow.acts_in(here.state) if a.act == step.act != ""]
        if not named:
            raise StepError(
                "no-such-act", "“{state}”环节没有“{act}”", state=here.state, act=step.act
            )
        fitting = [a for a in named if a.level == step.level]
        if not fitting:
            levels = "或".join(dict.fromkeys(a.level for a in named))
            raise StepError("other-level", "“{act}”应由{levels}办理", act=step.act, levels=levels)
        act = fitting[0]
        if SETTLE in act.effects and step.objection not in here.objections:
            raise StepError("no-such-objection", "没有这一件未处理的异议")
        if lacking := _lacking(act, here, step):
            raise StepError("step-lacks", "{lacking}", lacking=lacking)
        return act

    def allowed(self, course: Course, day: date) -> tuple[Act, ...]:
        """What may be done on a day by anybody, whatever else it may need."""
        here = self.on(course, day)
        return tuple(a for a in self.workflow.acts_in(here.state) if a.actor != CLOCK)


def folded(handling: Handling, applied: date, steps: Iterable[Step], day: date) -> Course:
    """Where a case stands on a day, given its application and every step; ``StepError`` for a step that was not allowed."""
    course = handling.applied(applied)
    for step in steps:
        course = handling.taken(course, step)
    return handling.on(course, day)


def _taken(course: Course, act: Act, day: date) -> Course:
    return replace(course, done=(*course.done, act.act), effects=act.effects, last=day)


def _lacking(act: Act, course: Course, step: Step | None) -> str:
    """What an act lacks that must be on the record before; empty if nothing."""
    outcome = step.outcome if step else ""
    for need in act.needs:
        match need:
            case "无未处理异议":
                if course.objections:
                    return "尚有未处理异议"
            case "决定":
                if not outcome:
                    return "须先作出决定"
            case "符合的决定":
                if outcome != _MET:
                    return "须有符合的决定"
            case "符合的决定或理由":
                if not outcome:
                    return "须先作出决定"
                if outcome != _MET and not (step and step.ground):
                    return "与决定不一致，须写明理由"
            case "不符合的决定或理由":
                if (not outcome or outcome == _MET) and not (step and step.ground):
                    return "与决定不一致，须写明理由" if outcome else "没有决定，须写明理由"
            case "理由":
                if not (step and step.ground):
                    return "须写明理由"
            case "佐证":
                if not (step and step.evidence):
                    return "须有佐证"
            case _:
                if need not in course.done:
                    return f"须先{need}"
    return ""


def _against(act: Act, step: Step) -> bool:
    """Whether a step goes against the verdict on record."""
    if MET_OR_GROUND in act.needs:
        return step.outcome != _MET
    return UNMET_OR_GROUND in act.needs and step.outcome == _MET
