"""What is on record of titles and duties in a bundle, each entry followed again by the clocks of its time.

An entry rests on all earlier ones about the same enterprise. So does an application if a title of the
enterprise was cancelled, or a consequence drawn, before it: it must not fall within a bar.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from registry.portable.contents import Contents, Json, last_before
from registry.portable.courses import Courses
from registry.portable.findings import Findings, UnsoundError
from rules.portable.applications import UNKNOWN, Recorded, day_of
from rules.portable.clocks import BAR
from rules.portable.duties import KINDS, Duties, Timings, is_recheck
from rules.portable.timing import Event, Timing

#: The kinds of entries about an enterprise that are followed.
_FOLLOWED: Final = ("title", *KINDS, "application", "step")


def verify(here: Contents, found: Findings) -> None:
    """Follow every enterprise of which entries about duties were selected, or applications rest on them."""
    ends = _ends(here)
    entries = [n for n in here.of_kind(*_FOLLOWED) if n <= ends.get(here.proved[n]["uscc"], 0)]
    if not entries:
        return
    courses = Courses(here, [n for n in entries if _timed(here, n) or here.kind(n) == "step"])
    held: dict[str, _Holder] = {}
    for seq in entries:
        uscc = here.proved[seq]["uscc"]
        holder = held.setdefault(uscc, _Holder(here, courses))
        found.attempt(here.name(seq), holder.follow, seq)
    for uscc, holder in held.items():
        if holder.lines:
            name = holder.duties.name
            found.duties[uscc] = [f"{name}（{uscc}）授予称号以后", *holder.lines]


def _ends(here: Contents) -> dict[str, int]:
    """The last entry about each enterprise that has to be followed."""
    ends: dict[str, int] = {}
    judged = set[str]()
    for seq in here.of_kind(*_FOLLOWED):
        kind, body = here.kind(seq), here.proved[seq]
        weighty = kind == "consequence" or here.cancels(seq)
        if weighty:
            judged.add(body["uscc"])
        duty = seq in here.wanted and (kind in KINDS or weighty)
        if duty or (kind == "application" and body["uscc"] in judged):
            ends[body["uscc"]] = seq
    return ends


def _timed(here: Contents, seq: int) -> bool:
    """Whether an entry is followed by the clocks of its time."""
    kind = here.kind(seq)
    return kind in (*KINDS, "application") or here.cancels(seq)


class _Holder:
    """An enterprise whose entries are followed, with what was found as lines to read."""

    def __init__(self, here: Contents, courses: Courses) -> None:
        self.here, self.courses = here, courses
        self.duties, self.lines = Duties(), list[str]()

    def follow(self, seq: int) -> None:
        """Check that an entry could be recorded when it was."""
        kind, body = self.here.kind(seq), self.here.proved[seq]
        entry = self.here.recorded(seq)
        if kind == "step":
            self.courses.followed.take(entry)
            return
        timed = _timed(self.here, seq)
        clocks = self.clocks(seq, body) if timed else _untimed
        if kind == "application":
            one = self.courses.followed.open(entry)
            recheck = body["tier"] if is_recheck(one.workflow.to_json()) else ""
            if recheck:
                self.here.rechecks.add(seq)
            self.duties.apply(one)
            self.duties.refuse_barred(clocks, day_of(body["applied_on"]), recheck)
            return
        self.duties.follow(kind, entry, clocks)
        self.here.used.add(seq)
        if timed:
            told = "；".join(_remarks(kind, entry, clocks))
            mark = "△" if told else "✓"
            said = self.said(kind, body)
            self.lines.append(f"　{mark} 第{seq}号　{said}{told and f'　（{told}）'}")

    def clocks(self, seq: int, body: Json) -> Timings:
        """The clocks in force before an entry; none run before any were published."""
        here, named = self.here, ""
        if last_before(seq, here.publications) or last_before(seq, here.published):
            last = here.publication(seq, "登记")
            here.sources(last)
            named = here.proved[last].get("clocks", "")
        if "clocks" in body and body["clocks"] != named and "revokes" not in body:
            raise UnsoundError("所依的计时表不是当时发布的")
        found = here.document("clocks", named) if named else {"rows": [], "clocks": {}}
        calendar, province = self.courses.calendars.before(seq), body.get("province", "")
        return partial(Timing.of, found, calendar, province=province)

    def said(self, kind: str, body: Json) -> str:
        """What an entry says, in words."""
        if "revokes" in body:
            return f"{body['day']} 撤回第{self.here.numbers.get(body['revokes'], 0)}号"
        of = body.get("of")
        first = f"（第{self.here.numbers.get(of, 0)}号）" if of else ""
        match kind:
            case "title":
                return f"{body['ended_on']} 因{body['cause']}取消{body['kind']}称号"
            case "update":
                return f"{body['day']} {body['year']}年更新"
            case "change":
                reported = f"{body['reported']}报告" if body["reported"] else "尚未报告"
                return f"{body['day']} {body['changed']}，{reported}{first}"
            case "complaint" if of:
                return f"{body['day']} 答复举报{first}：{body['outcome']}"
            case "complaint":
                return f"{body['day']} 收到举报"
        drawn = body["consequence"] or "没有作出后果"
        matter = f"{body['tier']}{body['matter']}{body['subject']}"
        return f"{body['day']} {matter}逾期（最迟{body['due']}）：{drawn}"


def _untimed(_tier: str) -> Timing:
    """The clocks of what no clock has to allow."""
    return Timing((), UNKNOWN)


def _remarks(kind: str, entry: Recorded, clocks: Timings) -> Iterator[str]:
    """What an auditor should look at."""
    body = entry.body
    claimed = day_of(body.get("reported") or body["dated" if kind == "title" else "day"])
    if claimed < entry.day and (kind != "change" or body["reported"]):
        yield f"所称的{claimed}与登记的{entry.day}相差{(entry.day - claimed).days}日"
    if body.get("consequence") == "" and "revokes" not in body:
        yield "逾期而没有作出后果"
    if kind == "title" and body["barred_until"]:
        day = day_of(body["dated"])
        event = Event(matter=BAR, subject="", day=day, ground=body["cause"])
        least = next(i.due for i in clocks(body["kind"]).items(None, [event], day))
        if str(least) != body["barred_until"]:
            yield f"不得申报至{body['barred_until']}，长于计时表的{least}"
