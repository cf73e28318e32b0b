"""The letter that informs an enterprise of a decision: 《决定告知书》, for printing on A4."""

from collections.abc import Sequence
from typing import Final

from registry.reports.explaining import Explanation
from registry.reports.pages import page
from registry.reports.readers import (
    aftermath,
    conclusion,
    criteria_items,
    day_text,
    doubted,
    filed_on,
    gaps_section,
    governed_by,
    met_items,
    reason_items,
    settled_section,
)
from rules.explanation.figures import Figure
from rules.model.ruleset import Outcome

_YOU: Final = "你单位"
_SHORT: Final = 16
_NUMERALS: Final = "一二三四五六七八九十"


def letters(written: Sequence[str], title: str) -> str:
    """Letters as one HTML file; each begins on a new page."""
    return page("letters.html", letters=written, title=title)


def letter(found: Explanation, office: str = "") -> str:
    """The letter of a decision, for a file; without ``office``, a line is left to fill in."""
    gaps, settled = gaps_section(found), settled_section(found)
    reasons = met_items(found, _YOU) if found.outcome is Outcome.MET else reason_items(found, _YOU)
    values = {
        "seq": found.entry.seq,
        "case": found.case,
        "filed_on": filed_on(found),
        "basis": next(governed_by(found)),
        "conclusion": conclusion(found, _YOU),
        "aftermath": list(aftermath(found)),
        "outcome": found.verdict.outcome,
        "figures": [(f.name, f.value) for f in _relied_on(found)],
        "doubted": list(doubted(found)),
        "criteria": [] if found.outcome is Outcome.MET else list(criteria_items(found)),
        "reasons": list(reasons),
        "gaps": [i.text for i in gaps.items] if gaps else [],
        "settled": [i.text for i in settled.items] if settled else [],
        "office": office.strip(),
        "day": day_text(found.recorded_at.date()),
        "digest": found.entry.digest[:_SHORT],
        "digits": _SHORT,
        "numerals": _NUMERALS,
    }
    return page("letter.html", **values)


def _relied_on(found: Explanation) -> list[Figure]:
    """The filed values that the deciding comparisons read; for 符合, those of every criterion."""
    if found.outcome is Outcome.MET:
        checks = [
            c
            for criterion in found.criteria
            for o in criterion.finding.options
            if o.outcome is Outcome.MET
            for c in o.checks
        ]
    else:
        checks = [r.check for r in found.reasons]
    by_name = {f.name: f for check in checks for f in check.figures}
    return list(by_name.values())
