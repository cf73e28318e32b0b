"""Rounds: opened by a notice, and closed; how their applications stand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from registry.desk.caseload import Waits, in_order
from registry.desk.place import Desk
from registry.record import caseload, rounds
from registry.record.journal import Entry
from registry.record.register import Notice as Notice
from registry.record.rounds import Call as Call
from registry.record.rounds import Round as Round
from rules.language import workflows
from rules.portable.calendar import Term

__all__ = ["Call", "Entry", "Notice", "Round", "Term"]


@dataclass(frozen=True)
class RoundView:
    """A round on the day ``today``: how its applications stand, and the words of its terms."""

    round: Round
    today: date
    counts: tuple[Waits, ...] = ()

    @property
    def total(self) -> int:
        """How many enterprises have applied in it."""
        return sum(one.count for one in self.counts)

    @property
    def status(self) -> str:
        """Whether it takes applications on that day."""
        if self.round.closed_on is not None and self.round.closed_on <= self.today:
            return "已结束"
        if self.today.isoformat() < self.round.body["opens"]:
            return "未开始"
        return "受理中" if self.round.open_on(self.today) else "受理期已过"

    @property
    def terms(self) -> Mapping[str, str]:
        """The terms that it sets, in words, by state."""
        return {state: term_text(term) for state, term in self.round.terms.items()}


def open_round(desk: Desk, call: Call, notice: Notice) -> Entry:
    """Open a round for a tier by any of its names; errors as of ``rounds.open_round``."""
    call = replace(call, tier=desk.tier(call.tier).name)
    with desk.writing() as session:
        return rounds.open_round(session, call, notice, by=desk.by, now=desk.clock())


def close_round(desk: Desk, name: str, *, on: date, ground: str) -> Entry:
    """Close the round with that name or number from a day on."""
    with desk.writing() as session:
        found = rounds.round_named(session, name)
        return rounds.close_round(
            session, found, on=on, ground=ground, by=desk.by, now=desk.clock()
        )


def every(desk: Desk) -> list[RoundView]:
    """All rounds, the newest first."""
    with desk.reading() as session:
        return [RoundView(one, desk.today) for one in reversed(rounds.rounds(session))]


def numbered(desk: Desk, seq: int) -> RoundView:
    """One round with how its applications stand; ``RecordError`` if there is none."""
    day = desk.today
    with desk.reading() as session:
        found = rounds.round_named(session, str(seq))
        return RoundView(found, day, in_order(session, caseload.counts(session, day, found)))


def term(text: str) -> Term:
    """A length of time as feature files write it; ``ValueError`` says how to.

    >>> term("10个工作日")
    Term(number=10, unit='工作日', running=False)
    """
    try:
        return workflows.term(text)
    except ValueError:
        raise ValueError(f"时限「{text}」应写成 10个工作日、7日、3个月 或 公示5个工作日") from None


def term_text(term: Term) -> str:
    """The same length of time as text.

    >>> term_text(term("公示5个工作日"))
    '公示5个工作日'
    """
    number = f"{term.number}{'个' if term.unit == '工作日' else ''}{term.unit}"
    return f"{'公示' if term.running else ''}{number}"
