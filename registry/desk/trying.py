"""Trying other figures: what would turn a verdict, and what figures of one's own would come to.

Nothing here is recorded, and nothing is a decision.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from registry.desk.judging import Judging
from registry.judging.case import Request
from registry.judging.verdicts import TierVerdict
from registry.judging.worker import Refusal
from rules.errors import FactsError
from rules.language.values import filed_value
from rules.model.facts import Fact, Scalar
from rules.sensitivity import Change as Change
from rules.sensitivity import Changes as Changes
from rules.sensitivity import smallest_changes


@dataclass(frozen=True)
class Triable:
    """A figure on which the verdict rests and that may be tried, with its value as filed, if any."""

    key: str
    name: str
    fact: Fact
    value: Scalar | None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A verdict, the changes that would turn it, and what the ``tried`` values come to.

    ``after`` is None if none were tried; ``wrong`` says of a key why its text is no value.
    """

    before: TierVerdict
    changes: Changes
    triable: tuple[Triable, ...]
    tried: Mapping[str, Scalar]
    wrong: Mapping[str, str]
    after: TierVerdict | Refusal | None


def trial(
    judging: Judging,
    uscc: str,
    request: Request,
    typed: Mapping[str, str],
    *,
    known_at: datetime | None = None,
) -> Trial | Refusal | None:
    """Try the values ``typed`` by key, for one tier; an empty text leaves the value as it is.

    None is tried if one of them is no value. Returns None where no text that governs is written.
    """
    answer = judging.check(uscc, request, known_at=known_at)
    if isinstance(answer, Refusal):
        return answer
    [verdict] = answer.verdicts
    if verdict.decision is None:
        return None
    changes = smallest_changes(verdict.decision)
    triable = {one.key: one for one in _triable(verdict, changes)}
    tried, wrong = dict[str, Scalar](), dict[str, str]()
    for key, text in typed.items():
        if not text or key not in triable:
            continue
        try:
            tried[key] = filed_value(triable[key].fact, text)
        except FactsError as error:
            wrong[key] = str(error)
    after = None
    if tried and not wrong:
        found = judging.what_if(uscc, request, tried, known_at=known_at)
        after = found if isinstance(found, Refusal) else found.verdicts[0]
    return Trial(
        before=verdict,
        changes=changes,
        triable=tuple(triable.values()),
        tried=tried,
        wrong=wrong,
        after=after,
    )


def _triable(verdict: TierVerdict, changes: Changes) -> Iterator[Triable]:
    """The single facts on which reasons, gaps and changes bear; those of records are left out."""
    assert verdict.decision is not None
    profile, facts = verdict.decision.profile, verdict.decision.ruleset.facts
    turning = (*changes.single, *changes.together, *changes.answers)
    names = {change.key: change.name for change in turning}
    figures = [figure for check in verdict.reasons() for figure in check.figures]
    names |= {f.key: f.name for f in (*figures, *verdict.missing()) if f.key}
    for key, name in names.items():
        if (fact := facts.get(key.partition("@")[0])) is not None:
            yield Triable(key, name, fact, profile.values.get(key))
