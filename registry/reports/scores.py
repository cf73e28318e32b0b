"""Scores for drawing: points and their intervals as shares of the full points, and the line to reach."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rules.explanation.findings import Finding
from rules.explanation.wording import plain, result_text
from rules.model.catalogue import SCORE, Catalogue
from rules.model.ruleset import Outcome, Points


@dataclass(frozen=True, kw_only=True)
class ScoreBar:
    """A score: its name, points and full points in words, and for drawing in per cent of the full.

    All points between ``lo`` and ``hi`` are still possible; ``line`` is the threshold, if any.
    """

    name: str
    title: str
    rule: str
    points: str
    full: str
    lo: float
    hi: float
    line: float | None = None
    wanted: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Score:
    """A tier's evaluation score: the whole, its groups, and their items."""

    whole: ScoreBar
    groups: tuple[tuple[ScoreBar | None, tuple[ScoreBar, ...]], ...]

    @property
    def corners(self) -> tuple[ScoreBar, ...]:
        """What a radar shows: the groups, or the items if there are none."""
        groups = tuple(bar for bar, _ in self.groups if bar is not None)
        return groups or tuple(bar for _, items in self.groups for bar in items)


def score(finding: Finding, catalogue: Catalogue) -> Score | None:
    """The evaluation score below a finding, if its tier has one; the catalogue knows the parts."""
    scored = (f for f in finding.walk() if catalogue.part(f.rule) == SCORE)
    found = next((f for f in scored if f.items), None)
    if found is None:
        return None
    lines = dict(_lines(finding, found))
    sums = dict(found.groups)
    groups = []
    for group in dict.fromkeys(name for name, _ in found.items):
        items = [item for name, item in found.items if name == group]
        full = sum((item.possible or Fraction(0) for item in items), Fraction(0))
        total = _group(group, sums[group], full, lines.get(group)) if group in sums else None
        groups.append((total, tuple(_bar(item) for item in items)))
    return Score(_bar(found, lines.get("")), tuple(groups))


#: A threshold, how it is worded, and whether it is reached.
_Line = tuple[Fraction, str, str]


def _lines(root: Finding, found: Finding) -> Iterator[tuple[str, _Line]]:
    """The thresholds with which the score (by an empty name) and its groups are compared."""
    for finding in root.walk():
        for option in finding.options:
            for check in option.checks:
                below, measure = check.finding, check.measure
                if below is not found or check.points is None or measure is None:
                    continue
                if measure.threshold is None or not isinstance(check.outcome, Outcome):
                    continue
                group = check.subject.partition("/")[2]
                wanted = f"{plain(measure.threshold)}分"
                yield group, (measure.threshold, wanted, check.outcome.text)


def _bar(finding: Finding, line: _Line | None = None) -> ScoreBar:
    assert isinstance(finding.result, Points)
    full = finding.possible or Fraction(0)
    return _drawn(
        finding.rule.rpartition(".")[2], finding.title, finding.rule, finding.result, full, line
    )


def _group(name: str, points: Points, full: Fraction, line: _Line | None) -> ScoreBar:
    return _drawn(name, "", "", points, full, line)


def _drawn(
    name: str, title: str, rule: str, points: Points, full: Fraction, line: _Line | None
) -> ScoreBar:
    threshold, wanted, outcome = line or (None, "", "")
    return ScoreBar(
        name=name,
        title=title,
        rule=rule,
        points=result_text(points),
        full=f"{plain(full)}分",
        lo=_share(points.lo, full),
        hi=_share(points.hi, full),
        line=None if threshold is None else _share(threshold, full),
        wanted=wanted,
        outcome=outcome,
    )


def _share(points: Fraction, full: Fraction) -> float:
    """Per cent of the full points, for drawing alone: one decimal is finer than a screen."""
    return float(round(100 * points / full, 1)) if full else 0.0
