"""Applications on record, followed entry by entry through the workflow that handles them.

Standard library only. An application (申报) names its workflow; every step (办理) names the entry of
the same application before it. So where it stands follows from its own entries and from the
calendar that was in force when each was recorded, for anyone who holds them.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from rules.portable.calendar import Calendar, Term
from rules.portable.record import Body, RecordError, governs
from rules.portable.workflow import (
    EXTEND,
    GRANT,
    SETTLE,
    Act,
    Course,
    Handling,
    Step,
    StepError,
    Workflow,
)

SCHEMA: Final = 1


@dataclass(frozen=True)
class Recorded:
    """An entry of the journal about an application: its number, digest, day of recording in China, and body."""

    seq: int
    digest: str
    day: date
    body: Body


@dataclass(frozen=True)
class Calendars:
    """Every calendar that was ever in force, with the number of the entry that put it there."""

    since: Sequence[int]
    known: Sequence[Calendar]

    @classmethod
    def of(cls, changes: Sequence[tuple[int, Calendar]]) -> "Calendars":
        """The calendars by these changes, in order."""
        return cls([seq for seq, _ in changes], [calendar for _, calendar in changes])

    def before(self, seq: int | None = None) -> Calendar:
        """The calendar in force before an entry, or now; without any, no year is known."""
        place = len(self.since) if seq is None else bisect_left(self.since, seq)
        return self.known[place - 1] if place else UNKNOWN


#: The calendar of which no year is published.
UNKNOWN: Final = Calendar({}, frozenset(), frozenset())


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A step as it was taken: in which state, by which row of the workflow, and where it led.

    ``due`` was the last day of the state's term, if it had one; ``late`` is the number of days
    after it, unless the state is left by the end of its term; and ``lag`` the number of days between the day that the step claims and the day on
    which it was recorded. ``against`` says that it goes against the verdict on record.
    """

    entry: Recorded
    state: str
    act: Act
    due: date | None
    late: int
    lag: int
    against: bool


class Application:
    """An application and what became of it.

    ``workflow`` handles it; ``terms`` are those that its round sets instead. ``course`` is where it
    stood after its last entry; what the clock did since, ``on`` tells for any day.
    """

    def __init__(
        self,
        entry: Recorded,
        workflow: Workflow,
        calendars: Calendars,
        terms: Mapping[str, Term] | None = None,
    ) -> None:
        self.entry = entry
        self.workflow = workflow
        self.calendars = calendars
        self.terms = terms or {}
        self.steps: list[Taken] = []
        self._numbers = {entry.digest: entry.seq}
        handling = self._handling(entry.seq)
        self.course: Course = handling.applied(day_of(entry.body["applied_on"]))

    @property
    def last(self) -> Recorded:
        """The newest entry."""
        return self.steps[-1].entry if self.steps else self.entry

    def take(self, entry: Recorded) -> Taken:
        """Follow a step; ``StepError`` gives the reason if it could not be taken then."""
        body = entry.body
        day = day_of(body["day"])
        if body["application"] != self.entry.digest or body["after"] != self.last.digest:
            raise StepError("step-out-of-line", "不是接在本案的上一步之后")
        if day > entry.day:
            raise StepError(
                "step-in-future", "{day}晚于登记的日期（{last}）", day=day, last=entry.day
            )
        handling, step = self._handling(entry.seq), self._step(entry, day)
        here = handling.on(_timed(handling, self.course), day)
        act = handling.act(here, step)
        if body["objection"] is not None and SETTLE not in act.effects:
            raise StepError("settles-nothing", "“{act}”不了结异议，却写有异议", act=act.act)
        self.course = handling.after(here, act, step)
        waits = self.workflow.by_clock(here.state) is not None
        taken = Taken(
            entry=entry,
            state=here.state,
            act=act,
            due=here.due,
            late=0 if waits or here.due is None else max((day - here.due).days, 0),
            lag=(entry.day - day).days,
            against=entry.seq in self.course.against,
        )
        self.steps.append(taken)
        self._numbers[entry.digest] = entry.seq
        return taken

    def on(self, day: date, seq: int | None = None) -> Course:
        """Where it stands on a day, as far as was known before an entry, or is known now."""
        handling = self._handling(seq)
        return handling.on(_timed(handling, self.course), day)

    def now(self) -> Course:
        """Where it stands after its last entry, with its term by the calendar that is known now."""
        return _timed(self._handling(None), self.course)

    def allowed(self, day: date) -> tuple[Act, ...]:
        """What may be done on a day by anybody, whatever else it may need."""
        return self._handling(None).allowed(self.now(), day)

    def objections(self, day: date) -> tuple[Recorded, ...]:
        """The steps that registered the objections that are open on a day."""
        open_ = self.on(day).objections
        return tuple(t.entry for t in self.steps if t.entry.seq in open_)

    def _step(self, entry: Recorded, day: date) -> Step:
        body = entry.body
        objection = body.get("objection")
        return Step(
            act=body["act"],
            level=body["level"],
            day=day,
            ground="ground" in body,
            evidence=bool(body["evidence"]),
            outcome=body["outcome"],
            number=entry.seq,
            objection=self._numbers.get(objection, 0) if objection else None,
        )

    def _handling(self, seq: int | None) -> Handling:
        return Handling(self.workflow, self.calendars.before(seq), self.terms)


class Applications:
    """Follows the entries of several applications, given what they name by digest.

    ``workflows`` gives a published table of workflows, ``rounds`` the body of an opened round.
    """

    def __init__(
        self,
        workflows: Callable[[str], Body],
        rounds: Callable[[str], Body],
        calendars: Calendars,
    ) -> None:
        # applications have few workflows and rounds in common
        self._workflows = cache(workflows)
        self._rounds = cache(rounds)
        self._read = cache(self._workflow)
        self._calendars = calendars
        self.found: dict[str, Application] = {}
        self._newest: dict[tuple[str, str], Application] = {}

    def _workflow(self, table: str, name: str) -> Workflow:
        return Workflow.of(self._workflows(table)["workflows"][name])

    def open(self, entry: Recorded) -> Application:
        """Follow an application; ``RecordError`` if it does not fit what it names."""
        body = entry.body
        terms = {}
        if body["round"] is not None:
            opened = self._rounds(body["round"])
            refuse_outside(body, opened)
            terms = terms_of(opened)
        refuse_another(body, self._workflows(body["workflows"]))
        workflow = self._read(body["workflows"], body["workflow"])
        found = Application(entry, workflow, self._calendars, terms)
        self.found[entry.digest] = found
        self._newest[body["uscc"], body["tier"]] = found
        return found

    def refuse(self, entry: Recorded, closing: Recorded | None = None) -> None:
        """Raise ``RecordError`` if an application, not followed yet, could not be recorded then.

        ``closing`` is the entry that closed its round.
        """
        body = entry.body
        day, before = day_of(body["applied_on"]), self._newest.get((body["uscc"], body["tier"]))
        if day > entry.day:
            raise RecordError(
                "applied-in-future", "{value}晚于登记的日期（{last}）", value=day, last=entry.day
            )
        if day_of(body["filed_as_of"]) > day:
            raise RecordError("filed-later", "所写的填报日期晚于申报日期")
        if before and not before.on(day, entry.seq).ended:
            raise RecordError(
                "former-open", "前一申报（第{where}号）尚未办结", where=before.entry.seq
            )
        # what was recorded before the round was closed stays, even of the same day
        if closing and closing.seq < entry.seq and day >= day_of(closing.body["closed_on"]):
            raise RecordError("round-was-closed", "所属的轮次当时已经结束")

    def take(self, entry: Recorded) -> Taken:
        """Follow a step; ``StepError`` if it could not be taken."""
        if entry.body["application"] not in self.found:
            raise StepError("step-of-nothing", "所属的申报不在记录中")
        found = self.found[entry.body["application"]]
        if entry.body["uscc"] != found.entry.body["uscc"]:
            raise StepError("step-of-another", "所属的申报是另一家企业的")
        return found.take(entry)

    def follow(self, kind: str, entry: Recorded) -> None:
        """Follow an entry of either kind."""
        if kind == "application":
            self.open(entry)
        else:
            self.take(entry)


def _timed(handling: Handling, course: Course) -> Course:
    """The course with the term of its state by another calendar."""
    return course if course.ended else handling.entered(course, course.state, course.since)


def refuse_another(body: Body, table: Body) -> None:
    """Raise ``RecordError`` if the workflow that an application names is not the one that governs."""
    if governing(body, table) != body["workflow"]:
        raise RecordError("other-workflow", "按已发布的适用表，应依另一办理程序")


def governing(body: Body, table: Body) -> str:
    """The id of the workflow that handles an application, by the filing on which it rests."""
    row = governs(table["rows"], {**body, "as_of": body["filed_as_of"]})
    return str(row["workflow"])


def terms_of(body: Body) -> dict[str, Term]:
    """The terms that a round sets, by state."""
    return {
        state: Term(term["number"], term["unit"], term.get("running", False))
        for state, term in body["terms"].items()
    }


def refuse_outside(body: Body, round_: Body) -> None:
    """Raise ``RecordError`` if an application does not belong to the round that it names."""
    for key, word in _ROUND.items():
        if body[key] != round_[key] and (round_[key] or key != "province"):
            raise RecordError(
                "other-round",
                "轮次的{word}是「{expected}」，不是「{value}」",
                word=word,
                expected=round_[key],
                value=body[key],
            )
    first, last = round_["opens"], round_["closes"]
    if not first <= body["applied_on"] <= (last or "9999-12-31"):
        raise RecordError(
            "outside-window",
            "申报日期{value}不在轮次的受理时间（{first}至{last}）内",
            value=body["applied_on"],
            first=first,
            last=last or "另行通知",
        )


def refuse_mistitled(
    step: Body, effects: Collection[str], tier: str, announced: Body, title: Body
) -> None:
    """Raise ``RecordError`` if a step that grants or extends a title, its announcement and the title differ.

    ``effects`` are those of the step, ``tier`` that of its application.
    """
    if title["uscc"] != step["uscc"]:
        raise RecordError("title-of-another", "所登记的称号是另一家企业的")
    if title["kind"] != tier:
        raise RecordError(
            "other-title",
            "所登记的是{value}称号，申报的是{expected}",
            value=title["kind"],
            expected=tier,
        )
    if title["action"] not in {_TITLED[effect] for effect in effects if effect in _TITLED}:
        raise RecordError("other-effect", "所登记的称号不是这一办理所授予或延续的")
    told = {(one["document"], one["dated"], *one["evidence"]) for one in (announced, title)}
    if told != {(step["document"], step["day"], *step["evidence"])}:
        raise RecordError("other-notice", "办理、公告和所登记的称号的文号、日期或附件不一致")


#: What an effect of a step does to a title of the register.
_TITLED: Final = {GRANT: "grant", EXTEND: "extend"}
#: What a round and its applications have in common. A round without a province is for all.
_ROUND: Final = {"tier": "层级", "procedure": "程序", "batch": "批次", "province": "省份"}


def day_of(text: str) -> date:
    """A day as bodies write it."""
    return date.fromisoformat(text)
