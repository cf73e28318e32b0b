"""Rounds: opened by a notice, listed with what became of their applications, and closed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from registry.desk.place import Desk
from registry.record import rounds
from registry.record.applications import Reader
from registry.record.journal import Entry
from registry.record.register import Notice as Notice
from registry.record.rounds import Call as Call
from rules.language import workflows
from rules.portable.calendar import Term

__all__ = ["Call", "Entry", "Notice", "Term"]


@dataclass(frozen=True, kw_only=True)
class RoundLine:
    """A round with its window and notice; how many of its applications are in which state today.

    ``terms`` are those that it sets for states, as text. ``open`` says whether it takes
    applications today.
    """

    seq: int
    name: str
    tier: str
    procedure: str
    batch: str
    province: str
    opens: date
    closes: date | None
    closed_on: date | None
    open: bool
    document: str
    dated: date
    by: str
    terms: Mapping[str, str]
    states: Mapping[str, int]


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


def listed(desk: Desk) -> list[RoundLine]:
    """All rounds in order."""
    today = desk.today
    with desk.reading() as session:
        known = rounds.rounds(session)
        applications = Reader(session).of() if known else {}
    states: dict[str | None, Counter[str]] = {}
    for found in applications.values():
        for one in found:
            states.setdefault(one.entry.body["round"], Counter())[one.on(today).state] += 1
    return [_line(one, states.get(one.digest, Counter()), today) for one in known]


def _line(one: rounds.Round, states: Mapping[str, int], today: date) -> RoundLine:
    body = one.body
    return RoundLine(
        seq=one.seq,
        name=one.name,
        tier=body["tier"],
        procedure=body["procedure"],
        batch=body["batch"],
        province=body["province"],
        opens=date.fromisoformat(body["opens"]),
        closes=date.fromisoformat(body["closes"]) if body["closes"] else None,
        closed_on=one.closed_on,
        open=one.open_on(today),
        document=body["document"],
        dated=date.fromisoformat(body["dated"]),
        by=one.by,
        terms={state: term_text(term) for state, term in one.terms.items()},
        states=dict(states),
    )


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
