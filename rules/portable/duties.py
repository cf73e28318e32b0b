"""What is on record of an enterprise's titles and of its duties, followed entry by entry.

Standard library only. Titles come from the register; updates, changes, complaints, and what persons
decided on overdue matters are entries of their own. Together with the clocks they say what is due
on any day.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

from rules.portable.applications import Application, Recorded, day_of
from rules.portable.clocks import BAR, CHANGE, COMPLAINT, LOST, RECHECK, UPDATE
from rules.portable.errors import DescribedError
from rules.portable.record import Body
from rules.portable.timing import (
    OVERDUE,
    Decided,
    Event,
    Extension,
    Item,
    Shown,
    Timing,
    Title,
    allowed_from,
)
from rules.portable.workflow import EXTEND, WITHDRAWN

SCHEMA: Final = 1
#: The kinds of entries that say what was done about a duty, or what followed.
KINDS: Final = ("update", "change", "complaint", "consequence")
#: The clocks of a tier, at a time and in a place.
Timings: TypeAlias = Callable[[str], Timing]


class DutyError(DescribedError):
    """An entry about a duty does not fit what is on record."""


@dataclass(frozen=True)
class Spell:
    """A title of a tier with everything that started a clock while it was the present one."""

    title: Title
    events: tuple[Event, ...]
    last: date | None = None


@dataclass
class _Titled:
    """A title of the register as its entries state it one after another; ``last`` is the newest of them."""

    title: Title
    last: Recorded
    cancellation: "_Cancellation | None" = None

    @property
    def until(self) -> date:
        """The last day of its validity, as it was registered last."""
        return day_of(self.last.body["valid_until"])

    @property
    def held_until(self) -> date:
        """The last day on which it was held, or will be."""
        ended = self.title.ended
        return min(self.until, ended - timedelta(days=1)) if ended else self.until


@dataclass(frozen=True)
class _Cancellation:
    event: Event
    document: str


@dataclass(frozen=True)
class _Noted:
    """A change or a complaint: the entry that told of it, and the day of its report or answer."""

    entry: Recorded
    event: Event


@dataclass
class Duties:
    """An enterprise's titles and duties, as far as entries were followed; give them in their order."""

    _name: str = ""
    _renamed: dict[str, str] = field(default_factory=dict)
    _titles: dict[tuple[str, str], _Titled] = field(default_factory=dict)
    _updates: dict[str, tuple[int, date]] = field(default_factory=dict)
    _noted: dict[str, _Noted] = field(default_factory=dict)
    _done: dict[str, str] = field(default_factory=dict)
    _decided: dict[str, tuple[str, Decided]] = field(default_factory=dict)
    _rechecks: list[Application] = field(default_factory=list)
    _entries: dict[str, tuple[str, Body]] = field(default_factory=dict)

    def follow(self, kind: str, entry: Recorded, clocks: Timings | None = None) -> None:
        """Follow an entry; ``DutyError`` if it does not fit those before it.

        Given the ``clocks`` of its time and place, it must also be what they allow; ``ClockError`` for
        what they do not know. Everything that is no title and none of ``KINDS`` is passed over.
        """
        if clocks is not None:
            self._refuse(kind, entry.body, clocks)
        if kind == "title":
            self._title(entry)
        elif kind in KINDS:
            last = entry.body.get("reported") or entry.body["day"]
            if day_of(last) > entry.day:
                raise DutyError(
                    "duty-in-future", "{day}晚于登记的日期（{last}）", day=last, last=entry.day
                )
            if "revokes" in entry.body:
                self._revoke(kind, entry)
            else:
                _FOLLOWED[kind](self, entry)
                self._entries[entry.digest] = kind, entry.body

    def apply(self, application: Application) -> None:
        """Note an application, which may be for a re-check; one that is withdrawn later is none."""
        if is_recheck(application.workflow.to_json()):
            self._rechecks.append(application)

    # -- what follows

    @property
    def name(self) -> str:
        """The name of the enterprise by its last renaming, or by its last title; empty without any."""
        renamed = [name for name in self._renamed.values() if name]
        return renamed[-1] if renamed else self._name

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers of which the enterprise holds or held a title."""
        return tuple(dict.fromkeys(tier for tier, _ in self._titles))

    def spells(self, tier: str) -> Iterator[Spell]:
        """The titles of a tier in the order of their first days, each until the next begins."""
        mine = sorted(
            (t for (kind, _), t in self._titles.items() if kind == tier),
            key=lambda t: t.title.start,
        )
        for number, titled in enumerate(mine):
            following = mine[number + 1].title.start if number + 1 < len(mine) else None
            title = replace(
                titled.title,
                updates=tuple(sorted(self._updates.values())),
                rechecks=tuple(self._applied(tier)),
            )
            begun = [n.event for n in self._noted.values() if _held(title, n.event.day, following)]
            if titled.cancellation:
                begun.append(titled.cancellation.event)
            yield Spell(title, tuple(begun), following)

    def items(self, tier: str, timing: Timing, day: date) -> tuple[Item, ...]:
        """How everything of a tier stands on a day; of former titles only the bars are left."""
        found: list[Item] = []
        for spell in self.spells(tier):
            items = timing.items(spell.title, spell.events, day, self._of(tier))
            former = spell.last is not None and spell.last <= day
            found += [item for item in items if not former or item.matter == BAR]
        return tuple(found)

    def shown(self, tier: str, timing: Timing) -> tuple[Shown, ...]:
        """Everything of a tier that shows on any day, as ``items`` tells it."""
        found: list[Shown] = []
        for spell in self.spells(tier):
            for shown in timing.shown(spell.title, spell.events, self._of(tier)):
                if spell.last is None or shown.item.matter == BAR:
                    found.append(shown)
                elif shown.first < spell.last:
                    before = date.fromordinal(spell.last.toordinal() - 1)
                    found.append(replace(shown, last=min(shown.last or before, before)))
        return tuple(found)

    def refuse_barred(self, clocks: Timings, day: date, recheck: str = "") -> None:
        """Raise ``DutyError`` if the enterprise may not apply on a day.

        A bar from any tier bars from all. ``recheck`` is the tier of which a re-check is applied
        for, whose right may be lost.
        """
        items = {tier: self.items(tier, clocks(tier), day) for tier in self.tiers}
        bars = [
            (tier, item)
            for tier, found in items.items()
            for item in found
            if item.matter == BAR and item.due and day <= item.due
        ]
        if bars:
            tier, bar = max(bars, key=lambda found: found[1].due or day)
            cancelled = self._cancelled(bar.subject)
            raise DutyError(
                "barred",
                "「{tier}」称号于{start}因{cause}取消（{document}），不得申报至{until}"
                "（{basis}，{clocks}），最早可于{first}申报",
                tier=tier,
                start=bar.start,
                cause=cancelled.event.ground,
                document=cancelled.document,
                until=bar.due,
                basis=clocks(tier).basis(bar.clocks),
                clocks=bar.clocks,
                first=allowed_from(item for _, item in bars),
            )
        lost = [item for item in items.get(recheck, ()) if item.decided == LOST]
        if any(item.matter == RECHECK for item in lost):
            # the re-check has the consequence from another matter, or else of its own
            why = next((item for item in lost if item.matter != RECHECK), lost[0])
            raise DutyError(
                "right-lost",
                "已决定{consequence}（{matter}{subject}，最迟{due}，{basis}，{clocks}），不能申报复核",
                consequence=LOST,
                matter=why.matter,
                subject=why.subject,
                due=why.due,
                basis=clocks(recheck).basis(why.clocks),
                clocks=why.clocks,
            )

    def _cancelled(self, subject: str) -> "_Cancellation":
        """The cancellation with that number."""
        known = (t.cancellation for t in self._titles.values())
        return next(c for c in known if c and c.event.subject == subject)

    def _applied(self, tier: str) -> Iterator[date]:
        """The days of applications for a re-check that were not withdrawn, in order."""
        for application in self._rechecks:
            body = application.entry.body
            if body["tier"] == tier and application.course.state != WITHDRAWN:
                yield day_of(body["applied_on"])

    def _of(self, tier: str) -> tuple[Decided, ...]:
        return tuple(decided for of, decided in self._decided.values() if of == tier)

    # -- entries

    def _refuse(self, kind: str, body: Body, clocks: Timings) -> None:
        """Refuse what the clocks of its time do not allow."""
        if kind == "title":
            self._refuse_title(body)
            if body["action"] == "cancel":
                refuse_cancelling(body, clocks(body["kind"]))
            return
        if kind in KINDS and "revokes" in body:
            self._refuse_revoking(body["revokes"])
        if "revokes" in body or kind not in KINDS:
            return
        day = day_of(body["day"])
        if not self.tiers and kind != "complaint":
            raise DutyError("no-title", "没有登记过称号")
        if kind == "update":
            found = [i for tier in self.tiers for i in self.items(tier, clocks(tier), day)]
            _refuse_unasked(body["year"], found)
        elif kind == "change":
            if body["reported"] and day_of(body["reported"]) < day:
                raise DutyError("report-precedes-change", "报告的日期早于变化的日期")
            event = Event(matter=CHANGE, subject="", day=day, ground=body["changed"])
            for tier in self.tiers:
                clocks(tier).items(None, [event], day)
        elif kind == "consequence":
            tier = body["tier"]
            _refuse_undue(body, self.items(tier, clocks(tier), day))

    def _refuse_title(self, body: Body) -> None:
        """Refuse what cannot be said of a title after what is on record of it and of others of its kind.

        One that is not on record can be extended or ended too: a notice may be about a title that
        another registry granted.
        """
        first, until = day_of(body["valid_from"]), day_of(body["valid_until"])
        ended = day_of(body["ended_on"]) if body["ended_on"] else None
        known = self._titles.get((body["kind"], body["valid_from"]))
        match body["action"]:
            case "strike":
                if known is None or known.last.digest != body["strikes"]:
                    raise DutyError("strikes-nothing", "划销的不是这项称号现行的登记")
                struck = known.last.body
                if _differ(struck, body, *(struck.keys() - _OF_NOTICE)):
                    raise DutyError("strikes-otherwise", "划销的内容与所划销的登记不同")
                return
            case "grant":
                alike = (t for (kind, _), t in self._titles.items() if kind == body["kind"])
                for other in alike:
                    if other.title.start <= until and first <= other.held_until:
                        raise DutyError(
                            "titles-overlap",
                            "与第{where}号登记的同类称号重叠",
                            where=other.last.seq,
                        )
            case "extend" if known and (known.title.ended or until <= known.until):
                raise DutyError("not-extended", "称号已终止，或已登记至同一日或更晚，不能延期")
            case "end" | "cancel" if known and (known.title.ended or until != known.until):
                raise DutyError("ended-otherwise", "称号已终止，或有效期与此前登记的不同")
        if body["action"] == "cancel" and body["reason"] != body["cause"]:
            raise DutyError("other-reason", "所写的终止原因不是取消的事由")
        if until < first or (ended and ended < first):
            raise DutyError("ends-before-it-begins", "称号的终止早于开始")
        if (body["action"] in ("end", "cancel")) is not bool(ended):
            raise DutyError("not-ended", "终止或取消须写明终止日期，授予或延期则没有")

    def _refuse_revoking(self, named: str) -> None:
        """Refuse to take back a change or a complaint on which somebody has decided."""
        noted = self._noted.get(named)
        if noted is None:
            return
        matter, subject = noted.event.matter, noted.event.subject
        if any((d.matter, d.subject) == (matter, subject) for _, d in self._decided.values()):
            raise DutyError("decided-revoked", "已就其逾期作出决定：请先撤回该决定")

    def _title(self, entry: Recorded) -> None:
        body = entry.body
        self._name = body["name"] or self._name
        key = body["kind"], body["valid_from"]
        if body["action"] == "strike":
            self._titles.pop(key, None)
            return
        until, known = day_of(body["valid_until"]), self._titles.get(key)
        if known is None:
            known = self._titles[key] = _Titled(
                Title(start=day_of(body["valid_from"]), until=until), entry
            )
        elif body["action"] == "extend":
            again = Extension(day_of(body["dated"]), until)
            known.title = replace(known.title, extensions=(*known.title.extensions, again))
        known.last = entry
        ended = body["ended_on"]
        known.title = replace(known.title, ended=day_of(ended) if ended else None)
        if body["action"] == "cancel":
            event = Event(
                matter=BAR,
                subject=str(entry.seq),
                day=day_of(body["dated"]),
                ground=body["cause"],
                until=day_of(body["barred_until"]) if body["barred_until"] else None,
            )
            known.cancellation = _Cancellation(event, body["document"])

    def _update(self, entry: Recorded) -> None:
        self._updates[entry.digest] = entry.body["year"], day_of(entry.body["day"])

    def _change(self, entry: Recorded) -> None:
        body = entry.body
        reported = body["reported"]
        event = Event(
            matter=CHANGE,
            subject=str(entry.seq),
            day=day_of(body["day"]),
            done=day_of(reported) if reported else None,
            ground=body["changed"],
        )
        self._renamed[entry.digest] = body["renamed"]
        self._note(entry, event)

    def _complaint(self, entry: Recorded) -> None:
        day = day_of(entry.body["day"])
        self._note(entry, Event(matter=COMPLAINT, subject=str(entry.seq), day=day))

    def _note(self, entry: Recorded, event: Event) -> None:
        """Note a change or a complaint; an entry that names the first one reports or answers it."""
        named = entry.body["of"]
        if named is None:
            self._noted[entry.digest] = _Noted(entry, event)
            return
        first = self._noted.get(named)
        alike = ("matter", "ground")
        if first is None or any(getattr(first.event, k) != getattr(event, k) for k in alike):
            raise DutyError("nothing-to-answer", "所答复或补报的记录不存在，或已撤回")
        if event.matter == CHANGE and _differ(first.entry.body, entry.body, "day", "renamed"):
            raise DutyError(
                "reported-otherwise", "补报与第{where}号记录所写的变化不同", where=first.entry.seq
            )
        if first.event.done is not None:
            raise DutyError(
                "already-answered", "第{where}号记录已答复或报告", where=first.entry.seq
            )
        done = event.done if event.matter == CHANGE else event.day
        if done is None or done < first.event.day:
            raise DutyError(
                "answered-before",
                "答复或报告的日期早于第{where}号记录所写的",
                where=first.entry.seq,
            )
        self._noted[named] = replace(first, event=replace(first.event, done=done))
        self._done[entry.digest] = named

    def _consequence(self, entry: Recorded) -> None:
        body = entry.body
        decided = Decided(
            matter=body["matter"],
            subject=body["subject"],
            due=day_of(body["due"]),
            day=day_of(body["day"]),
            consequence=body["consequence"],
        )
        same = (
            (body["tier"], decided.matter, decided.subject, decided.due)
            == (tier, d.matter, d.subject, d.due)
            for tier, d in self._decided.values()
        )
        if any(same):
            raise DutyError("already-decided", "这一事项已有决定：更改前请先撤回")
        self._decided[entry.digest] = body["tier"], decided

    def _revoke(self, kind: str, entry: Recorded) -> None:
        named = entry.body["revokes"]
        was, body = self._entries.get(named, ("", MappingProxyType({})))
        if was != kind or any(body[k] != entry.body.get(k) for k in body if k not in _OWN):
            raise DutyError("nothing-to-revoke", "所撤回的记录不存在、已撤回，或内容不同")
        if named in self._done.values():
            raise DutyError("answered-revoked", "已有答复或补报：请先撤回答复或补报")
        del self._entries[named]
        for kept in (self._updates, self._decided, self._noted, self._renamed):
            kept.pop(named, None)
        if named in self._done:
            first = self._done.pop(named)
            self._noted[first] = replace(
                self._noted[first], event=replace(self._noted[first].event, done=None)
            )


_FOLLOWED: Final = {
    "update": Duties._update,
    "change": Duties._change,
    "complaint": Duties._complaint,
    "consequence": Duties._consequence,
}
#: What an entry that takes another back says itself; everything else it repeats.
_OWN: Final = frozenset({"day", "document", "evidence", "ground", "informant"})


def refuse_cancelling(body: Body, timing: Timing) -> None:
    """Refuse a cancellation for a cause that the clocks do not know, or with a shorter bar."""
    day, cause, until = day_of(body["dated"]), body["cause"], body["barred_until"]
    event = Event(matter=BAR, subject="", day=day, ground=cause)
    least = next(iter(timing.items(None, [event], day)), None)
    if least is None:
        raise DutyError("no-clocks-then", "{day}没有适用的计时表", day=day)
    if until and (least.due is None or day_of(until) < least.due):
        raise DutyError(
            "bar-too-short",
            "因{cause}取消的{least}，不能写至{value}",
            cause=cause,
            least=f"至少到{least.due}不得申报" if least.due else "没有不得申报的期间",
            value=until,
        )


def _refuse_unasked(year: int, items: Iterable[Item]) -> None:
    """Refuse an update of a year in which none is due."""
    asked = sorted({item.subject for item in items if item.matter == UPDATE})
    if f"{year}年" not in asked:
        raise DutyError(
            "no-update-due",
            "{value}年不须更新：须更新的是{expected}",
            value=year,
            expected="、".join(asked) or "没有一年",
        )


def _refuse_undue(body: Body, items: Sequence[Item]) -> None:
    """Refuse a decision on what is not overdue, or for a consequence that the clocks do not give it."""
    late = [i for i in items if i.state == OVERDUE]
    meant = [i for i in late if (i.matter, i.subject) == (body["matter"], body["subject"])]
    if not meant:
        raise DutyError(
            "not-overdue",
            "{value}在{day}没有逾期：逾期而没有决定的是{expected}",
            value=f"{body['matter']}{body['subject']}",
            day=body["day"],
            expected="、".join(f"{i.matter}{i.subject}" for i in late) or "没有",
        )
    [item] = meant
    if body["due"] != str(item.due):
        raise DutyError("other-day", "最后一日是{expected}，不是{value}", expected=item.due, value=body["due"])  # fmt: skip
    if body["consequence"] and body["consequence"] not in item.consequences:
        raise DutyError(
            "other-consequence",
            "{value}逾期的后果是{expected}，不是“{found}”",
            value=item.matter,
            expected="或".join(f"“{c}”" for c in item.consequences),
            found=body["consequence"],
        )


def _differ(one: Body, other: Body, *keys: str) -> bool:
    return any(one.get(key) != other.get(key) for key in keys)


#: What an entry of the register says of the notice that it follows.
_OF_NOTICE: Final = frozenset({"action", "document", "dated", "evidence"})


def is_recheck(workflow: Body) -> bool:
    """Whether a workflow, as it is published, handles re-checks: one of its acts extends the title."""
    return any(EXTEND in act.get("effects", ()) for act in workflow["acts"])


def _held(title: Title, day: date, following: date | None) -> bool:
    """Whether a title is the one that is held on a day, or was the last before it."""
    return title.start <= day and (following is None or day < following)
