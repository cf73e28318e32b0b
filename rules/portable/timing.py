"""What the clocks of a title show: what is due on which day, and what may follow.

Standard library only. What shows on a day is derived from what was on the record by then, so it does
not depend on when it is asked. A consequence is never drawn here: a person decides.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final

from rules.portable.calendar import Calendar, Term, UnpublishedError
from rules.portable.clocks import (
    AFTER_EXPIRY,
    BAR,
    CHANGE,
    COUNTED,
    EXPIRED,
    EXTENSION,
    LOST,
    MISSES,
    NEXT_YEAR,
    RECHECK,
    STARTS,
    UPDATE,
    VALIDITY,
    Clock,
    ClockError,
    Clocks,
    Period,
    periods,
)

_DAY: Final = timedelta(days=1)
#: How many records the clocks remember what shows of.
_KEPT: Final = 10_000
#: How a matter stands: not near yet; near (from the reminder to the last day); the day passed
#: undone; done in time, or over; the calendar on which it depends is not published.
AHEAD: Final = "未到"
NEAR: Final = "临近"
OVERDUE: Final = "逾期"
DONE: Final = "了结"
UNPUBLISHED: Final = "未公布"
STATES: Final = (AHEAD, NEAR, OVERDUE, DONE, UNPUBLISHED)


@dataclass(frozen=True)
class Extension:
    """That a title goes on after a re-check: the day of the announcement, and the last day that it states."""

    day: date
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Title:
    """A title as it is on the record, and what its holder has handed in for it.

    ``until`` is the last day as announced, None if nobody announced one; ``ended`` the first day on
    which it is no longer held, if it was cancelled or replaced. ``extensions`` begin a term each, the
    last of which is the present one. ``updates`` are the years and the
    days of their updates, ``rechecks`` the days of applications for its re-check.
    """

    start: date
    until: date | None = None
    ended: date | None = None
    extensions: tuple[Extension, ...] = ()
    updates: tuple[tuple[int, date], ...] = ()
    rechecks: tuple[date, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Event:
    """What starts a clock of its own: a change, a complaint, or a cancellation, by its matter.

    ``subject`` names it on the record. ``ground`` is that of the cancellation, or the kind of the change,
    empty if it is not known. ``done`` is the day of the report or of the answer; ``until``
    the last day of a bar that the decision sets, which may be later than the least that the table asks.
    """

    matter: str
    subject: str
    day: date
    done: date | None = None
    ground: str = ""
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """How a matter stands on a day, by which table.

    ``due`` is the last day; None for a bar that is none, and where the calendar of the year
    ``unpublished`` is not known; it is then no earlier than ``soonest``. ``remind`` is the day from
    which it is near. ``done`` is the day on which it was done, in time or not. ``proposed`` is the
    last day of a title by the table, if another was announced. ``decided`` is the consequence that a
    person drew from its being overdue, empty if none; a re-check to which the right was lost has
    that consequence.
    """

    matter: str
    subject: str
    clocks: str
    start: date
    due: date | None
    state: str
    consequences: tuple[str, ...]
    unpublished: int | None = None
    soonest: date | None = None
    remind: date | None = None
    done: date | None = None
    proposed: date | None = None
    decided: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a person decided on an overdue matter: one of its consequences, or none.

    ``due`` was its last day; together with ``matter`` and ``subject`` it tells which one is meant.
    """

    matter: str
    subject: str
    due: date
    day: date
    consequence: str = ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A matter as it shows from its ``first`` day to its ``last``; None for ever.

    Its state is 未到 until the day before ``near``, 临近 from then on, 逾期 from ``late`` and 未公布
    from ``unknown``; one that has none of these days is done.
    """

    item: Item
    first: date
    last: date | None
    near: date | None = None
    late: date | None = None
    unknown: date | None = None

    def state(self, day: date) -> str:
        """How it stands on a day on which it shows."""
        if (self.near, self.late, self.unknown) == (None, None, None):
            return DONE
        for state, since in ((OVERDUE, self.late), (UNPUBLISHED, self.unknown), (NEAR, self.near)):
            if since is not None and since <= day:
                return state
        return AHEAD


@dataclass(frozen=True)
class Timing:
    """The tables of clocks of a tier in a place, each with its days, and the calendar.

    What ends on a day of the calendar (a yearly day, the last day of a title) goes by the table in force
    on that day; what runs from something, by the table of the day on which that happened.
    """

    periods: tuple[Period, ...]
    calendar: Calendar
    #: What shows of records that are alike: those of one announcement mostly are.
    _alike: dict[Any, tuple[Shown, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, found: Mapping[str, Any], calendar: Calendar, tier: str, province: str = ""
    ) -> "Timing":
        """The clocks of a tier in a province that a canonical text holds: ``rows`` and ``clocks`` by id."""
        tables = {id: Clocks.of(table) for id, table in found["clocks"].items()}
        return cls(periods(found["rows"], tables, tier, province), calendar)

    def on(self, day: date) -> Clocks | None:
        """The table in force on a day; None if there is none."""
        return next((p.clocks for p in self.periods if p.covers(day)), None)

    def basis(self, clocks: str) -> str:
        """The document by which the table with that id is in force; empty if none is known."""
        return next((p.basis for p in self.periods if p.clocks.id == clocks), "")

    def until(self, start: date) -> date | None:
        """The last day of a title that begins on a day, as the table proposes it."""
        clocks = self.on(start)
        clock = clocks and clocks.clock(VALIDITY)
        return _span(clock, start) if clock else None

    def items(
        self,
        title: Title | None,
        events: Iterable[Event],
        day: date,
        decided: Iterable[Decided] = (),
    ) -> tuple[Item, ...]:
        """How everything stands on a day, by matter and in the order of time.

        What came on the record as done or decided later than ``day`` is not seen. ``ClockError`` for
        a cancellation on a ground that the table does not have, and for a change that it does not name.
        """
        found: list[Item] = []
        known = {(d.matter, d.subject, d.due): d.consequence for d in decided if d.day <= day}
        seen = None if title is None or title.start > day else _by(title, day)
        if seen is not None:
            term = self._term(seen)
            found += _validity(term, day)
            updates = [_decided(item, known) for item in self._updates(term, day)]
            found += updates
            found += self._misses(updates, day)
            found += self._recheck(term, day)
        for event in events:
            if event.day <= day:
                found += self._event(event, seen, day)
        found = [_decided(item, known) for item in found]
        if seen is not None:
            found = [*_over(found, term)]
        order = [*STARTS]
        return tuple(sorted(found, key=lambda i: (order.index(i.matter), i.start, i.subject)))

    def shown(
        self, title: Title | None, events: Iterable[Event], decided: Iterable[Decided] = ()
    ) -> tuple[Shown, ...]:
        """Everything that shows on any day, as ``items`` tells it; needs the last day of the title.

        What started by an earlier table, and the present one does not know, is passed over.
        """
        events, decided = tuple(filter(self._knows, events)), tuple(decided)
        key = title, events, decided
        if key not in self._alike:
            if len(self._alike) >= _KEPT:
                self._alike.clear()
            self._alike[key] = self._shown(title, events, decided)
        return self._alike[key]

    def _shown(
        self, title: Title | None, events: tuple[Event, ...], decided: tuple[Decided, ...]
    ) -> tuple[Shown, ...]:
        ahead = {event.day for event in events} | {e.done for e in events if e.done}
        ahead |= {d.day for d in decided}
        if title is not None:
            ahead |= {title.start, *(e.day for e in title.extensions), *title.rechecks}
            ahead |= {day for _, day in title.updates}
            ahead |= {title.ended} if title.ended else set()
        counts = (p.clocks.clock(MISSES) for p in self.periods)
        times = max((clock.times for clock in counts if clock), default=0)
        told: list[tuple[date, tuple[Item, ...]]] = []
        done = set[date]()
        while ahead:
            day = min(ahead)
            ahead.remove(day)
            done.add(day)
            items = self.items(title, events, day, decided)
            told.append((day, items))
            # nothing is handed in on these days, but what shows may change
            passing = [i.due for i in items if i.due and i.matter == BAR]
            passing += [i.due for i in _counting(items) if i.due][:times]
            ahead |= {due + _DAY for due in passing if due >= day} - done
        return tuple(_runs(told))

    def proposed(self, title: Title, day: date) -> date | None:
        """The last day of a title by the table, as it was extended until a day."""
        return self._term(_by(title, day)).proposed

    def _term(self, title: Title) -> "_Term":
        """The present term of a title, after every extension."""
        start, proposed = title.start, self.until(title.start)
        last = title.until or proposed
        clocks = self.on(start) or (self.on(last) if last else None)
        clock = clocks.clock(VALIDITY) if clocks else None
        for extension in title.extensions:
            table = self.on(extension.day)
            again = table.clock(EXTENSION) if table else None
            if again is None and extension.until is None:
                continue  # nobody says until when: nothing is known of it
            follows = again is None or again.start == AFTER_EXPIRY
            start = last + _DAY if last and follows else extension.day
            proposed = None
            if table and again and again.term:
                clocks, clock = table, again
                proposed = replace(again.term, running=True).raw(start)
            last = extension.until or proposed or last
        return _Term(
            title=title, start=start, last=last, proposed=proposed, clocks=clocks, clock=clock
        )

    def _updates(self, term: "_Term", day: date) -> Iterator[Item]:
        title, last = term.title, term.last
        done = dict(reversed(title.updates))  # of several the first
        by_year: dict[int, Item] = {}
        for period in self.periods:
            clock = period.clocks.clock(UPDATE)
            if clock is None or clock.yearly is None:
                continue
            later = clock.start == NEXT_YEAR and not title.extensions
            first = term.start.year + later
            for year in range(first, (last or day).year + 1):
                due = date(year, *clock.yearly)
                held = term.start <= due and (title.ended is None or due < title.ended)
                if held and due <= (last or due) and period.covers(due):
                    begun, name = date(year, 1, 1), f"{year}年"
                    item = _item(period.clocks, clock, name, begun, due, day, done.get(year))
                    by_year[year] = item
        yield from (item for _, item in sorted(by_year.items()))

    def _misses(self, updates: Iterable[Item], day: date) -> Iterator[Item]:
        """The misses that count, with the day of the one that is too many, once the others are there."""
        counting = _counting(updates)
        missed = [u for u in counting if u.state == OVERDUE or u.decided]
        for number, last in enumerate(counting, 1):
            clocks = self.on(last.due or date.max)
            clock = clocks.clock(MISSES) if clocks else None
            if clocks and clock and number == clock.times and len(missed) >= number - 1:
                begun = counting[0].due or last.start
                yield _item(clocks, clock, last.subject, begun, last.due, day, None)
                return

    def _recheck(self, term: "_Term", day: date) -> Iterator[Item]:
        title, last = term.title, term.last
        clocks = last and self.on(last)
        clock = clocks.clock(RECHECK) if clocks else None
        if not last or not clocks or not clock or (title.ended and title.ended <= last):
            return
        opens = _before(last, clock.lead) if clock.lead else date(last.year, 1, 1)
        due = _before(last, clock.term) - _DAY if clock.term else last
        mine = (on for on in title.rechecks if on >= term.start or not title.extensions)
        start = max(opens, term.start)
        yield _item(clocks, clock, "", start, due, day, min(mine, default=None))

    def _knows(self, event: Event) -> bool:
        try:
            tuple(self._event(event, None, event.day))
        except ClockError:
            return False
        return True

    def _event(self, event: Event, title: Title | None, day: date) -> Iterator[Item]:
        clocks = self.on(event.day)
        if clocks is None:
            return
        clock = clocks.clock(event.matter, event.ground if event.matter == BAR else "")
        if event.matter == BAR:
            if clock is None:
                raise ClockError(
                    "no-such-ground",
                    "没有“{ground}”这一取消事由：可写{known}",
                    ground=event.ground,
                    known="、".join(clocks.grounds) or "的一个也没有",
                )
            yield _bar(clocks, clock, event, day)
            return
        if clock is None or clock.term is None:
            return
        if event.ground and clock.kinds and event.ground not in clock.kinds:
            raise ClockError(
                "no-such-change",
                "没有列出“{kind}”这一变化：可写{known}",
                kind=event.ground,
                known="、".join(clock.kinds),
            )
        term = replace(clock.term, running=clock.running)
        done = event.done if event.done and event.done <= day else None
        try:
            due = term.end(event.day, self.calendar)
        except UnpublishedError as unknown:
            item = _item(clocks, clock, event.subject, event.day, None, day, done)
            soonest = _soonest(term, event.day)
            sure = (done or day) <= soonest
            state = UNPUBLISHED if not sure else DONE if done else AHEAD
            year = int(unknown.fields["year"])
            item = replace(item, state=state, unpublished=year, soonest=soonest)
        else:
            item = _item(clocks, clock, event.subject, event.day, due, day, done)
        if event.matter == CHANGE and title:
            if title.ended and (item.due is None or title.ended <= item.due):
                return
            last = self._term(title).last
            if last and last < event.day:
                return  # nobody holds a title that would have to report it
        yield item


@dataclass(frozen=True, kw_only=True)
class _Term:
    """The present term of a title: its days, the last day by the table, and the clock by which it runs."""

    title: Title
    start: date
    last: date | None
    proposed: date | None
    clocks: Clocks | None
    clock: Clock | None


def _validity(term: _Term, day: date) -> Iterator[Item]:
    if not term.clocks or not term.clock or term.last is None:
        return
    ended = term.title.ended
    over = ended if ended and ended <= term.last + _DAY else None
    item = _item(term.clocks, term.clock, "", term.start, term.last, day, over)
    if over:
        item = replace(item, state=DONE)
    yield replace(item, proposed=None if term.proposed == term.last else term.proposed)


def _counting(items: Iterable[Item]) -> list[Item]:
    """The updates that count as missed, or will if nobody hands them in."""
    return [
        i
        for i in items
        if i.matter == UPDATE
        and COUNTED in i.consequences
        and (i.state != DONE or i.decided == COUNTED)
    ]


def _decided(item: Item, known: Mapping[tuple[str, str, date], str]) -> Item:
    """A matter with what a person decided on it while it was overdue."""
    if item.state != OVERDUE or item.due is None:
        return item
    consequence = known.get((item.matter, item.subject, item.due))
    return item if consequence is None else replace(item, state=DONE, decided=consequence)


def _over(items: Iterable[Item], term: _Term) -> Iterator[Item]:
    """The matters of a title; what is overdue matters no more once it has ended or the right is lost.

    It also ends by the decision of a person that it expired.
    """
    items = tuple(items)
    drawn = {i.decided for i in items if i.decided and (i.due or term.start) >= term.start}
    lost, ended = LOST in drawn, term.title.ended is not None or EXPIRED in drawn
    for item in items:
        if lost and item.matter == RECHECK:
            yield replace(item, state=DONE, decided=LOST)
        elif ended and item.state == OVERDUE and item.matter in _OF_TITLE:
            yield replace(item, state=DONE)
        else:
            yield item


#: The matters of which nothing follows any more once the title has ended.
_OF_TITLE: Final = (VALIDITY, EXTENSION, UPDATE, MISSES, CHANGE, RECHECK)


def _runs(told: Iterable[tuple[date, tuple[Item, ...]]]) -> Iterator[Shown]:
    """What shows, from what shows on each day on which it may change."""
    open_: dict[Item, Shown] = {}
    for day, items in told:
        now = {_stateless(item): item for item in items}
        for key in [key for key in open_ if key not in now]:
            yield replace(open_.pop(key), last=day - _DAY)
        for key, item in now.items():
            if key not in open_:
                open_[key] = _shown(item, day)
    yield from open_.values()


def _stateless(item: Item) -> Item:
    """A matter without its state, unless it is done or over, which no passing day changes."""
    return item if item.state == DONE or item.done else replace(item, state="")


def _shown(item: Item, first: date) -> Shown:
    shown = Shown(item=item, first=first, last=None)
    if item.state == DONE:
        return shown
    if item.done is not None:
        if item.due is not None:
            return replace(shown, late=first)
        return replace(shown, unknown=first)
    if item.due is None:
        assert item.soonest is not None  # a bar without a last day is done
        return replace(shown, unknown=item.soonest + _DAY)
    near = item.remind or item.due
    return replace(shown, near=near, late=None if item.matter == BAR else item.due + _DAY)


def pending(items: Iterable[Item]) -> tuple[str, ...]:
    """What a person has to decide on: the consequences of all that is overdue, each once."""
    return tuple(dict.fromkeys("或".join(i.consequences) for i in items if i.state == OVERDUE))


def allowed_from(items: Iterable[Item]) -> date | None:
    """The first day on which one may apply again after every bar; None if there was none."""
    ends = [i.due for i in items if i.matter == BAR and i.due]
    return max(ends) + _DAY if ends else None


def _item(
    clocks: Clocks,
    clock: Clock,
    subject: str,
    start: date,
    due: date | None,
    day: date,
    done: date | None,
) -> Item:
    remind = _earlier(due, clock.remind) if due and clock.remind else None
    if due is None:
        state = UNPUBLISHED
    elif done is not None:
        state = DONE if done <= due else OVERDUE
    elif day > due:
        state = OVERDUE
    else:
        state = NEAR if day >= (remind or due) else AHEAD
    return Item(
        matter=clock.matter,
        subject=subject,
        clocks=clocks.id,
        start=start,
        due=due,
        state=state,
        consequences=clock.consequences,
        remind=remind,
        done=done,
    )


def _bar(clocks: Clocks, clock: Clock, event: Event, day: date) -> Item:
    least = _span(clock, event.day) if clock.term else None
    due = max((end for end in (least, event.until) if end), default=None)
    item = _item(clocks, clock, event.subject, event.day, due, day, None)
    over = due is None or day > due
    return replace(item, state=DONE) if over else item


def _by(title: Title, day: date) -> Title:
    """A title as it was on a day."""
    return replace(
        title,
        ended=title.ended if title.ended and title.ended <= day else None,
        extensions=tuple(
            sorted((e for e in title.extensions if e.day <= day), key=lambda e: e.day)
        ),
        updates=tuple(sorted((y, on) for y, on in title.updates if on <= day)),
        rechecks=tuple(on for on in title.rechecks if on <= day),
    )


def _span(clock: Clock, start: date) -> date | None:
    """The last day of a span, which no rest day moves."""
    return replace(clock.term, running=clock.running).raw(start) if clock.term else None


def _before(last: date, term: Term) -> date:
    """The first day of the term that ends on a day.

    >>> _before(date(2026, 6, 30), Term(6, "个月"))
    datetime.date(2026, 1, 1)
    """
    return _earlier(last + _DAY, term)


def _earlier(day: date, term: Term) -> date:
    """A day, a term earlier."""
    return replace(term, number=-term.number).raw(day)


def _soonest(term: Term, start: date) -> date:
    """The earliest day on which a term can end, whatever the holidays."""
    days = replace(term, unit="日") if term.unit == "工作日" else term
    return days.raw(start)
