"""Rounds: opened by a notice, and closed; how their applications stand, ``courses`` reads."""

from dataclasses import replace
from datetime import date

from registry.desk.place import Desk
from registry.record import rounds
from registry.record.journal import Entry
from registry.record.register import Notice as Notice
from registry.record.rounds import Call as Call
from rules.language import workflows
from rules.portable.calendar import Term

__all__ = ["Call", "Entry", "Notice", "Term"]


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
