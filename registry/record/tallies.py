"""How the rules stand in the last decisions on all enterprises: how many meet each, and who does not."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.altered import UNREADABLE
from registry.database.projection import CASE_STATE
from registry.record import finding
from registry.record.journal import JOURNAL
from rules.model.ruleset import Outcome

#: The most enterprises that a tally names.
NAMED: Final = 50
#: The words of outcomes by the numbers that decisions record.
_TEXTS: Final = {int(outcome): outcome.text for outcome in Outcome}
_FAILING: Final = Outcome.NOT_MET.text


@dataclass(frozen=True)
class Failing:
    """An enterprise that does not meet a rule, and the number of the decision that says so."""

    uscc: str
    name: str
    decision: int


@dataclass(frozen=True)
class Tally:
    """How many enterprises have each outcome under a rule, and the first of those that fail."""

    outcomes: Mapping[str, int]
    failing: tuple[Failing, ...]

    @property
    def firms(self) -> int:
        """The number of enterprises that were counted."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, kw_only=True)
class Tallies:
    """The last decisions on all enterprises under a tier: a tally for each rule that has an outcome.

    ``first`` and ``last`` are the days as of which they were judged; ``firms`` is their number.
    ``others`` were decided by other rulesets than those asked about, ``unread`` cannot be read.
    """

    tier: str
    rules: Mapping[str, Tally]
    firms: int
    others: int
    unread: int
    first: date | None
    last: date | None


def of_tier(session: Session, tier: str, rulesets: Collection[str]) -> Tallies | None:
    """The tallies of a tier by these rulesets (digests); None for more than ``finding.MOST`` enterprises."""
    row = CASE_STATE.c
    query = (
        sa.select(row.uscc, row.name, row.decision, row.as_of, JOURNAL.c.body)
        .join_from(CASE_STATE, JOURNAL, JOURNAL.c.seq == row.decision)
        .where(row.tier == tier)
        .order_by(row.uscc)
    )
    number = sa.select(row.uscc).where(row.tier == tier).limit(finding.MOST + 1).subquery()
    if (session.scalar(sa.select(sa.func.count()).select_from(number)) or 0) > finding.MOST:
        return None
    outcomes: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    failing: defaultdict[str, list[Failing]] = defaultdict(list)
    days: list[date] = []
    firms = others = unread = 0
    for uscc, name, decision, as_of, body in session.execute(query):
        firms += 1
        try:
            content = json.loads(body)
            ruleset, results = content["ruleset"], content["results"]
            found = [(id, _TEXTS[said]) for id, said in results.items() if type(said) is int]
        except UNREADABLE:
            unread += 1
            continue
        if ruleset not in rulesets:
            others += 1
            continue
        days += [as_of] if as_of else []
        for id, outcome in found:
            outcomes[id][outcome] += 1
            if outcome == _FAILING and len(failing[id]) < NAMED:
                failing[id].append(Failing(uscc, name, decision))
    return Tallies(
        tier=tier,
        rules={
            id: Tally(
                {o.text: counts[o.text] for o in Outcome if o.text in counts},
                tuple(failing[id]),
            )
            for id, counts in outcomes.items()
        },
        firms=firms,
        others=others,
        unread=unread,
        first=min(days, default=None),
        last=max(days, default=None),
    )
