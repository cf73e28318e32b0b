"""The step sentences of examples of workflows: what was done in a case, and where it then stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from rules.errors import RulesError
from rules.model.days import DAY, day_text, parse_day
from rules.model.nearness import near
from rules.portable.calendar import Calendar
from rules.portable.workflow import LEVELS, Course, Handling, Step, StepError, Workflow

_ACTOR: Final = "|".join((*LEVELS, "企业"))


class CourseError(RulesError):
    """An example of a workflow cannot be run."""


@dataclass(kw_only=True)
class Happened:
    """What an example says happened in a case; filled step by step."""

    state: str = ""
    entered: date | None = None
    done: list[str] = field(default_factory=list)
    outcome: str = ""
    objections: int = 0
    ground: bool = False
    evidence: bool = False
    steps: list[tuple[date | None, str, str]] = field(default_factory=list)
    asked: date | None = None

    def course(self, handling: Handling) -> Course:
        """Where the case stands; ``StepError`` if a step was not allowed."""
        if self.entered is None:
            raise CourseError(
                "course-without-start", "请先写「案件于2023年7月3日申报」，或进入哪一环节"
            )
        course = handling.applied(self.entered)
        if self.state:
            states = handling.workflow.states
            if self.state not in states:
                raise CourseError(
                    "no-such-state",
                    "没有环节「{value}」{near}",
                    value=self.state,
                    near=near(self.state, states),
                )
            course = handling.entered(course, self.state, self.entered)
        open_ones = tuple(range(-self.objections, 0))
        course = replace(course, done=tuple(self.done), objections=open_ones)
        for number, (day, level, act) in enumerate(self.steps, 1):
            course = handling.taken(course, self.step(course, number, day, level, act))
        return handling.on(course, self.asked or course.last)

    def step(self, course: Course, number: int, day: date | None, level: str, act: str) -> Step:
        """A step of the example; it settles the oldest objection, if it settles any."""
        return Step(
            act=act,
            level=level,
            day=day or max(course.since, course.last),
            ground=self.ground,
            evidence=self.evidence,
            outcome=self.outcome,
            number=number,
            objection=next(iter(course.objections), None),
        )

    def why_not(self, handling: Handling, course: Course, act: str) -> str:
        """Why the level in charge of an act cannot do it now; empty if it can."""
        rows = [a for a in handling.workflow.acts if a.act == act]
        here = [a for a in rows if a.state == course.state]
        level = next((a.level for a in (*here, *rows)), "")
        try:
            handling.act(course, self.step(course, 0, self.asked, level, act))
        except StepError as error:
            return str(error)
        return ""


def _entered(given: Happened, day: str, state: str) -> None:
    given.entered, given.state = parse_day(day), state


def _applied(given: Happened, day: str) -> None:
    given.entered = parse_day(day)


def _done(given: Happened, act: str) -> None:
    given.done.append(act)


def _decided(given: Happened, outcome: str) -> None:
    given.outcome = outcome


def _objected(given: Happened) -> None:
    given.objections += 1


def _grounded(given: Happened) -> None:
    given.ground = True


def _evidenced(given: Happened) -> None:
    given.evidence = True


def _taken(given: Happened, day: str | None, level: str, act: str) -> None:
    given.steps.append((parse_day(day) if day else None, level, act))


def _asked(given: Happened, day: str) -> None:
    given.asked = parse_day(day)


_DAY: Final = rf"({DAY})"
GIVEN: Final[tuple[tuple[re.Pattern[str], Callable[..., None]], ...]] = (
    (re.compile(rf"案件于{_DAY}申报"), _applied),
    (re.compile(rf"案件于{_DAY}进入“(.+)”"), _entered),
    (re.compile(r"已办理“(.+)”"), _done),
    (re.compile(r"决定为“(符合|不符合|材料不足|待人工认定)”"), _decided),
    (re.compile(r"有未处理的异议"), _objected),
    (re.compile(r"写明理由"), _grounded),
    (re.compile(r"附有佐证"), _evidenced),
    (re.compile(rf"(?:{_DAY})?({_ACTOR})“(.+)”"), _taken),
    (re.compile(rf"到{_DAY}"), _asked),
)
#: What an example may expect, by kind.
STATE: Final = "环节"
DUE: Final = "期限"
CANNOT: Final = "不能"
CAN: Final = "可以"
EFFECT: Final = "效果"
NO_TERM: Final = "没有办结期限"
UNPUBLISHED: Final = "办结期限未公布"
EXPECTED: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"环节为“(?P<text>.+)”"), STATE),
    (re.compile(rf"最迟于(?P<text>{DAY})办结"), DUE),
    (re.compile(rf"(?P<text>{NO_TERM}|{UNPUBLISHED})"), DUE),
    (re.compile(r"不能“(?P<subject>.+)”，因为“(?P<text>.+)”"), CANNOT),
    (re.compile(r"可以“(?P<text>.+)”"), CAN),
    (re.compile(r"效果为“(?P<text>.+)”"), EFFECT),
)
#: The sentences as they are written, to be compared with one that is unknown.
SENTENCES: Final = (
    "案件于2023年7月3日申报", "案件于2023年7月3日进入“县级初审”", "已办理“实地核查”", "决定为“符合”", "有未处理的异议",
    "写明理由", "附有佐证", "县级“通过”", "到2023年7月21日", "环节为“市级审核”", "最迟于2023年7月14日办结", NO_TERM,
    UNPUBLISHED, "不能“公告”，因为“尚有未处理异议”", "可以“公告”", "效果为“授予称号”",
)  # fmt: skip
KINDS: Final = frozenset(kind for _, kind in EXPECTED)


def actual(workflow: Workflow, calendar: Calendar, given: Happened, kind: str, subject: str) -> str:
    """What an example of a workflow gives, in the words of the examples."""
    handling = Handling(workflow, calendar)
    try:
        course = given.course(handling)
    except StepError as error:
        return str(error)
    match kind:
        case "环节":
            return course.state
        case "期限":
            if course.due is None:
                return NO_TERM if course.unpublished is None else UNPUBLISHED
            return day_text(course.due)
        case "不能":
            return given.why_not(handling, course, subject) or f"可以{subject}"
        case "可以":
            return given.why_not(handling, course, subject) or subject
    return "、".join(course.effects) or "无"
