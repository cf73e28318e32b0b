"""The applications of a bundle and their steps, each followed again by the law of its time."""

from collections.abc import Sequence
from functools import partial

from registry.portable.contents import Contents, Json, last_before, shown
from registry.portable.findings import Findings, UnsoundError
from rules.portable.applications import Application, Applications, Calendars, refuse_mistitled
from rules.portable.calendar import Calendar
from rules.portable.canonical import digest
from rules.portable.record import Body
from rules.portable.workflow import EXTEND, GRANT


def verify(here: Contents, found: Findings) -> None:
    """Follow every proved application by the workflow and the calendars of its time."""
    entries = list(here.of_kind("application", "step"))
    if not entries:
        return
    courses = Courses(here, entries)
    for seq in entries:
        found.attempt(here.name(seq), courses.follow, seq)
    for seq in here.of_kind("announcement"):
        found.attempt(here.name(seq), courses.announcement, seq)
    for one in courses.followed.found.values():
        name = one.entry.body["round"]
        lag = here.proved[here.numbers[name]]["lag"] if name else 0
        found.courses[one.entry.seq] = course_lines(one, lag)


class Courses:
    """The applications of a bundle, as far as they have been followed; ``entries`` use the calendar."""

    def __init__(self, here: Contents, entries: Sequence[int]) -> None:
        self.here = here
        self.calendars = self.almanac(entries)
        self.followed = Applications(
            partial(here.document, "workflows"), self.round, self.calendars
        )

    def round(self, name: str) -> Json:
        """The body of the round with that digest, which is used with its closing."""
        number = self.here.number(name, "round")
        if not number:
            raise UnsoundError("所属的轮次不在包内，或已被改动")
        closings, opened = self.here.closings.get(name, []), self.here.proved[number]
        for closing in closings:
            tier = self.here.lines[closing]["header"]["tier"]
            said = closing, tier, self.here.proved[closing]["batch"]
            if said != (closings[0], opened["tier"], opened["batch"]):
                raise UnsoundError(f"第{closing}号记录所结束的轮次层级或批次不同，或已经结束")
        self.here.used.update((number, *closings))
        return opened

    def almanac(self, entries: Sequence[int]) -> Calendars:
        """The calendars in force before these entries; none may be left out."""
        heads = [h["seq"] for h in self.here.heads if h["kind"] in ("publication", "calendar")]
        known = []
        for seq in sorted({last_before(seq, self.here.calendars) for seq in entries} - {0}):
            self.here.used.add(seq)
            if self.here.kind(seq) == "publication":
                self.here.sources(seq)
            if "calendar" in self.here.proved[seq]:
                text = self.here.document("calendar", self.here.proved[seq]["calendar"])
                known.append((seq, Calendar.of(text["years"])))
        for seq in entries:
            if last_before(seq, self.here.calendars) < last_before(seq, heads):
                raise UnsoundError(f"第{seq}号记录时有效的工作日历不在包内，或已被改动")
        return Calendars.of(known)

    def follow(self, seq: int) -> None:
        """Check that an application fits what it names, or that a step could be taken."""
        body, recorded = self.here.proved[seq], self.here.recorded(seq)
        if self.here.kind(seq) == "application":
            last = self.here.publication(seq, "申报")
            if self.here.proved[last].get("workflows") != body["workflows"]:
                raise UnsoundError("所依的办理程序不是当时发布的")
            self.here.sources(last)
            closed = next(map(self.here.recorded, self.here.closings.get(body["round"], ())), None)
            self.followed.refuse(recorded, closed)
            self.followed.open(recorded)
        else:
            taken = self.followed.take(recorded)
            application = self.followed.found[body["application"]].entry.body
            if self.here.lines[seq]["header"]["tier"] != application["tier"]:
                raise UnsoundError("层级与其内容不符")
            self.rested(seq, body, application)
            self.titled(seq, body, taken.act.effects, application["tier"])
        self.here.used.add(seq)

    def rested(self, seq: int, body: Json, application: Body) -> None:
        """Check that a step states the outcome of the decision on which it rests, the newest here."""
        if body["decision"] is None:
            if body["outcome"]:
                raise UnsoundError("所写的结论没有决定")
            return
        number = self.here.number(body["decision"], "decision")
        if not 0 < number < seq:
            raise UnsoundError("所依的决定不在包内，或晚于办理")
        decided = self.here.proved[number]
        if (decided["case"]["uscc"], shown(decided["verdict"])) != (body["uscc"], body["outcome"]):
            raise UnsoundError("所写的结论与所依的决定不符")
        case = decided["case"]
        if any(case[key] != application[key] for key in ("tier", "procedure")):
            raise UnsoundError("所依的决定是另一层级或另一程序的")
        if case["filed_as_of"] < application["filed_as_of"]:
            raise UnsoundError("所依的决定所依据的填报早于申报时的填报")
        if last_before(seq, self.here.decided[case["uscc"], case["tier"]]) != number:
            raise UnsoundError("所依的决定之后又有决定")

    def titled(self, seq: int, body: Json, effects: Sequence[str], tier: str) -> None:
        """Check that a step that grants or extends a title fits its announcement and the title."""
        if not {GRANT, EXTEND}.intersection(effects):
            if "announcement" in body or "title" in body:
                raise UnsoundError("不授予称号，却写有公告")
            return
        if "announcement" not in body:
            raise UnsoundError("授予称号，却没有写公告")
        announcement = self.here.number(body["announcement"], "announcement")
        title = self.here.number(body["title"], "title")
        if not (announcement and title):
            raise UnsoundError("所属的公告或所登记的称号不在包内")
        heads = [self.here.lines[n]["header"] for n in (announcement, title, seq)]
        if not announcement < title < seq or len({head["recorded_at"] for head in heads}) > 1:
            raise UnsoundError("公告、称号和办理不是先后一并登记的")
        if heads[0]["tier"] != tier:
            raise UnsoundError("所属的公告是另一层级的")
        proved = self.here.proved
        refuse_mistitled(body, effects, tier, proved[announcement], proved[title])
        self.here.used.update((announcement, title))

    def announcement(self, seq: int) -> None:
        """Check that the steps that name an announcement are those of its list, if all are here."""
        body, name = self.here.proved[seq], self.here.digest(seq)
        listed = [
            b["application"] for b in self.here.proved.values() if b.get("announcement") == name
        ]
        if len(listed) == body["count"]:
            if digest(listed) != body["announced"]:
                raise UnsoundError("公告的名单与其后的办理不符")
        elif len(listed) > body["count"] or any(h["seq"] == seq for h in self.here.heads[1:-1]):
            raise UnsoundError("公告的名单与包内的办理不符")


def course_lines(one: Application, lag: int) -> list[str]:
    """An application and its steps as lines to read; what an auditor should look at has a mark.

    A claimed day is marked if it is more than ``lag`` days before the day of recording.
    """
    body, course = one.entry.body, one.course
    lines = [
        f"第{one.entry.seq}号申报　{body['name']}（{body['uscc']}）"
        f"{body['tier']}{body['procedure']}，{body['applied_on']}申报"
    ]
    for taken in one.steps:
        step = taken.entry.body
        remarks = [
            f"所称的{step['day']}与登记的{taken.entry.day}相差{taken.lag}日"
            if taken.lag > lag
            else "",
            f"超过期限{taken.due}共{taken.late}日" if taken.late else "",
            f"与决定（{step['outcome'] or '无'}）不一致" if taken.against else "",
        ]
        told = "；".join(filter(None, remarks))
        lines.append(
            f"　{'△' if told else '✓'} 第{taken.entry.seq}号　{step['day']} {step['level']}"
            f"“{step['act']}”：{taken.state} → {taken.act.to}{told and f'　（{told}）'}"
        )
    due = f"，最迟{course.due}" if course.due else ""
    lines.append(f"　末次办理后在“{course.state}”，自{course.since}{due}")
    return lines
