"""A ruleset with every edge moved by a share of itself: firms near an edge get another result."""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from registry.judging.judge import Rules
from rules.language.editions import ApplicabilityRow
from rules.model.catalogue import Catalogue
from rules.model.ruleset import Band, Bands, Body, Case, Cases, Ladder, Line, Rule, Ruleset


@dataclass(frozen=True)
class Varied:
    """Criteria with every threshold moved, for the engine to judge by."""

    rules: Rules
    share: Fraction

    @property
    def catalogue(self) -> Catalogue:
        """What may be filed."""
        return self.rules.catalogue

    @property
    def applicability(self) -> tuple[ApplicabilityRow, ...]:
        """The rows that say which ruleset governs when."""
        return self.rules.applicability

    def ruleset(self, root: str) -> Ruleset:
        """The moved ruleset of a root rule."""
        return moved(self.rules.ruleset(root), self.share)

    def rule(self, id: str) -> Rule:
        """A root rule, unchanged."""
        return self.rules.rule(id)


def moved(ruleset: Ruleset, share: Fraction) -> Ruleset:
    """The ruleset with easier thresholds or, with a negative share, harder ones.

    Thresholds of counts, figures, times and points move; required outcomes, yes-no facts, codes and
    dates do not. Bands give a figure the most points (or the fewest) that it could earn if their
    ends moved.
    """
    return replace(ruleset, rules=tuple(_rule(ruleset, rule, share) for rule in ruleset.rules))


def _rule(ruleset: Ruleset, rule: Rule, share: Fraction) -> Rule:
    def line(line: Line) -> Line:
        if not isinstance(line.value, Fraction) or line.op == "in":
            return line
        if line.subject == "indicator" and ruleset.indicator(rule, line.name).kind != "number":
            return line
        by = abs(line.value) * share
        easier = line.value - by if line.op in (">=", ">") else line.value + by
        return replace(line, value=easier)

    def case(case: Case) -> Case:
        return replace(case, lines=tuple(map(line, case.lines)))

    body: Body = rule.body
    match body:
        case Cases(cases):
            body = Cases(tuple(map(case, cases)))
        case Ladder(rungs, rest):
            body = Ladder(tuple(map(case, rungs)), rest)
        case Bands(tables):
            body = Bands(tuple((name, _bands(rows, share)) for name, rows in tables))
    return replace(rule, body=body)


def _bands(rows: tuple[Band, ...], share: Fraction) -> tuple[Band, ...]:
    """Bands that each reach further by a share of their ends.

    If bands overlap, the model itself gives the most points. For the fewest, each piece between two
    ends becomes a band of its own.
    """
    reach = abs(share)
    wide = tuple(
        replace(
            band,
            lo=None if band.lo is None else band.lo - abs(band.lo) * reach,
            hi=None if band.hi is None else band.hi + abs(band.hi) * reach,
        )
        for band in rows
    )
    if share >= 0:
        return wide
    ends = sorted({end for band in wide for end in (band.lo, band.hi) if end is not None})
    return tuple(
        Band(lo, hi, min(band.points for band in wide if _holds(band, lo, hi)))
        for lo, hi in pairwise((None, *ends, None))
    )


def _holds(band: Band, lo: Fraction | None, hi: Fraction | None) -> bool:
    """Whether all of a piece lies in a band."""
    return (band.lo is None or (lo is not None and band.lo <= lo)) and (
        band.hi is None or (hi is not None and hi <= band.hi)
    )
