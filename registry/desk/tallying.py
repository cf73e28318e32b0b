"""How many enterprises of the registry fail on a rule, by the last decision on each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from registry.desk.place import Desk
from registry.record import finding, journal, tallies
from registry.record.tallies import NAMED as NAMED
from registry.record.tallies import Tallies, Tally

_MAKING: Final = Lock()
#: What was counted last: the head of the journal, the tier and the rulesets decide what is found.
_MADE: Final[dict[tuple[str, str, frozenset[str]], Tallies | None]] = {}
_KEPT: Final = 16


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a rule stands under a tier; ``rule`` is None if no decision judged it.

    ``whole`` are all decisions of the tier, None if they are too many to be counted. ``until`` is
    the number of the last entry that was considered; ``firms`` the enterprises on record in words.
    """

    tier: str
    rule: Tally | None
    whole: Tallies | None
    until: int
    firms: str


def standings(
    desk: Desk, rule: str, tiers: Sequence[str], rulesets: Collection[str]
) -> list[Standing]:
    """How a rule stands under each of these tiers, in the last decisions by these rulesets (digests)."""
    with desk.reading() as session:
        head = journal.head(session)
        if head is None:
            return []
        firms = finding.counted(finding.count(session, finding.Asked()))
        found = []
        for tier in tiers:
            key = (head.digest, tier, frozenset(rulesets))
            with _MAKING:
                if key not in _MADE:
                    while len(_MADE) >= _KEPT:
                        _MADE.pop(next(iter(_MADE)))
                    _MADE[key] = tallies.of_tier(session, tier, rulesets)
                whole = _MADE[key]
            of_rule = whole.rules.get(rule) if whole else None
            found.append(
                Standing(tier=tier, rule=of_rule, whole=whole, until=head.seq, firms=firms)
            )
    return found
